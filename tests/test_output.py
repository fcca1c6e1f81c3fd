"""Per-sample losses in files: what stands in them, and what is said where none can be written."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import csv, parquet

from lossctl.errors import DataError
from lossctl.output import BEHIND, FORMATS, Behind, opened
from lossctl.sources.coded import Coded

EXTENSIONS = [extension.removeprefix(".") for extension in FORMATS]
TABLES = ["csv", "parquet", "jsonl"]


def lossctl(*arguments: Any, code: str = "") -> subprocess.CompletedProcess[str]:
    run = "import sys; from lossctl.cli import run; status = run(sys.argv[1:])"
    run += f"; {code or None}; sys.exit(status)"
    return subprocess.run(
        [sys.executable, "-c", run, *map(str, arguments)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def evaluate(*arguments: Any) -> None:
    ran = lossctl("eval", *arguments, "-q")
    assert ran.returncode == 0, ran.stderr


def read(path: Path) -> dict[str, list[Any]]:
    if path.suffix == ".jsonl":
        rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        return {name: [row[name] for row in rows] for name in rows[0]}
    table = csv.read_csv(path) if path.suffix == ".csv" else parquet.read_table(path)
    found: dict[str, list[Any]] = table.to_pydict()
    return found


class Written:
    """The blocks that an evaluation hands over, by hand."""

    def __init__(self, start: int, losses: list[Any], key: Any = None, by: Any = ()) -> None:
        self.start, self.samples, self.kept = start, len(losses[0]), None
        self.losses = tuple(np.asarray(array, np.float64) for array in losses)
        self.batch = self
        self.key, self.by = key, by


# ---- which columns ----------------------------------------------------------------------


def test_npy_holds_the_losses_alone(tmp_path: Path) -> None:
    data = tmp_path / "d.csv"
    data.write_text("g,y_pred,y_true\n0.5,1,0\n1.5,2,0\n")
    evaluate(data, "-l", "mse", "-l", "mae", "--by", "g", "-o", tmp_path / "o.npy")
    assert np.load(tmp_path / "o.npy").tolist() == [[1.0, 1.0], [4.0, 2.0]]
    evaluate(data, "-l", "mse", "--by", "g", "-o", tmp_path / "o.npy")
    assert np.load(tmp_path / "o.npy").tolist() == [1.0, 4.0]


def test_npy_is_whole_where_a_group_changes_its_type(tmp_path: Path) -> None:
    path = tmp_path / "o.npy"
    with opened(str(path), ["mse"], None, ["g"]) as output:
        output.write(Written(0, [[1.0, 2.0]], by=[np.array([0.5, 1.5])]))  # type: ignore[arg-type]
        output.write(Written(2, [[3.0]], by=[np.array(["x"], object)]))  # type: ignore[arg-type]
    assert np.load(path).tolist() == [1.0, 2.0, 3.0]


@pytest.mark.parametrize("extension", TABLES)
def test_no_column_takes_the_place_of_another(tmp_path: Path, extension: str) -> None:
    path = tmp_path / f"o.{extension}"
    labels = ["mse", "group_sample"]
    with opened(str(path), labels, "mse", ["sample", "mse", "key_mse"]) as output:
        by = [np.array([7, 8]), np.array(["a", "b"], object), np.array([0.25, 0.5])]
        rows = Written(0, [[1.0, 2.0], [3.0, 4.0]], key=np.array([5, 6]), by=by)
        output.write(rows)  # type: ignore[arg-type]
    found = read(path)
    assert found == {
        "sample": [0, 1],
        "key_mse": [5, 6],
        "group_group_sample": [7, 8],
        "group_mse": ["a", "b"],
        "group_key_mse": [0.25, 0.5],
        "mse": [1.0, 2.0],
        "group_sample": [3.0, 4.0],
    }


@pytest.mark.parametrize("extension", TABLES)
def test_groups_named_like_other_columns_keep_them(tmp_path: Path, extension: str) -> None:
    data, out = tmp_path / "d.csv", tmp_path / f"o.{extension}"
    data.write_text("sample,mse,y_pred,y_true\n9,u,1,0\n8,v,2,0\n")
    evaluate(data, "-l", "mse", "--by", "sample", "--by", "mse", "-o", out)
    assert read(out) == {
        "sample": [0, 1], "group_sample": [9, 8], "group_mse": ["u", "v"], "mse": [1.0, 4.0],
    }  # fmt: skip


# ---- values of any type -----------------------------------------------------------------

ODD = np.array([True, None, 'a,"b"', 10**30, 1.5, float("nan"), b"x", "日本"], object)
MIXED = ["true", None, 'a,"b"', str(10**30), "1.5", None, "x", "日本"]


@pytest.mark.parametrize("extension", ["csv", "parquet"])
def test_mixed_groups_are_text(tmp_path: Path, extension: str) -> None:
    path = tmp_path / f"o.{extension}"
    with opened(str(path), ["mse"], None, ["g"]) as output:
        output.write(Written(0, [np.arange(8.0)], by=[ODD]))  # type: ignore[arg-type]
    kinds = csv.ConvertOptions(column_types={"g": pa.string()}, strings_can_be_null=True)
    table = (
        csv.read_csv(path, convert_options=kinds)
        if extension == "csv"
        else parquet.read_table(path)
    )
    assert table["g"].to_pylist() == MIXED


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (np.array([1, None], object), "int64"),
        (np.array([True, None], object), "bool"),
        (np.array([0.5, None], object), "double"),
        (np.array([None, None], object), "string"),
        (np.array([True, False]), "bool"),
        (np.array([1, 2], ">i2"), "int16"),
        (np.array([1, 2], np.uint64), "uint64"),
        (np.array(["2024-02-29", "NaT"], "M8[ns]"), "string"),
    ],
)
def test_parquet_keeps_the_type(tmp_path: Path, values: Any, kind: str) -> None:
    path = tmp_path / "o.parquet"
    with opened(str(path), ["mse"], None, ["g"]) as output:
        output.write(Written(0, [[1.0, 2.0]], by=[values]))  # type: ignore[arg-type]
    column = parquet.read_table(path)["g"]
    assert str(column.type) == kind
    if kind != "string":
        assert column.to_pylist() == values.tolist()


@pytest.mark.parametrize("extension", ["csv", "jsonl"])
def test_text_may_follow_numbers(tmp_path: Path, extension: str) -> None:
    path = tmp_path / f"o.{extension}"
    with opened(str(path), ["mse"], None, ["g"]) as output:
        output.write(Written(0, [[1.0]], by=[np.array([7])]))  # type: ignore[arg-type]
        output.write(Written(1, [[2.0]], by=[np.array(["x"], object)]))  # type: ignore[arg-type]
    assert list(map(str, read(path)["g"])) == ["7", "x"]


def test_parquet_says_that_a_column_has_two_types(tmp_path: Path) -> None:
    path = tmp_path / "o.parquet"
    with (
        pytest.raises(DataError, match=r"column g: it holds int64 first.*\n.*\.csv"),
        opened(str(path), ["mse"], None, ["g"]) as output,
    ):
        output.write(Written(0, [[1.0]], by=[np.array([7])]))  # type: ignore[arg-type]
        output.write(Written(1, [[2.0]], by=[np.array(["x"], object)]))  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


ANY = st.one_of(st.floats(), st.floats(1e-5, 1e17), st.integers(-(10**17), 10**17).map(float))
SIDES = [
    st.integers(-(2**63), 2**63 - 1).map(np.int64),
    st.booleans().map(np.bool_),
    ANY.map(np.float64),
    st.floats(width=32).map(np.float32),
    st.one_of(st.none(), st.text()),
    st.one_of(st.none(), st.text(), st.integers(), st.booleans(), ANY),
]


@given(st.lists(st.tuples(ANY, *SIDES), min_size=1, max_size=40))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_lines_are_what_json_makes_of_the_rows(tmp_path: Path, rows: list[Any]) -> None:
    losses, *sides = zip(*rows)
    *numbers, texts, mixed = sides
    by = [
        *map(np.array, numbers),
        Coded.of(np.arange(len(rows)), texts),
        np.fromiter(mixed, object, len(rows)),
    ]
    names = [f'a "{index}"' for index in range(len(by))]
    path = tmp_path / "o.jsonl"
    with opened(str(path), ["mse"], None, names) as output:
        output.write(Written(0, [losses], by=by))  # type: ignore[arg-type]
    lines = path.read_bytes().decode().removesuffix("\n").split("\n")
    for index, (line, loss) in enumerate(zip(lines, losses, strict=True)):
        row = {"sample": index}
        row |= {name: plain(np.asarray(column)[index]) for name, column in zip(names, by)}
        assert line == json.dumps({**row, "mse": plain(loss)}, ensure_ascii=False)


def plain(item: Any) -> Any:
    item = item.item() if isinstance(item, np.generic) else item
    return None if isinstance(item, float) and not np.isfinite(item) else item


def test_lines_are_those_of_the_format(tmp_path: Path) -> None:
    data, out = tmp_path / "d.csv", tmp_path / "o.jsonl"
    data.write_text("y_pred,y_true\n1,0\n2,0.1\n")
    ran = lossctl(
        "eval", data, "-l", "mse", "-l", "huber:delta=2", "--per-sample", "-f", "jsonl", "-o", out
    )
    assert ran.stdout == out.read_text()


# ---- what goes wrong --------------------------------------------------------------------


@pytest.fixture(scope="module")
def small_disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("small")
    mount = ["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", str(folder)]
    try:
        done = subprocess.run(mount, capture_output=True, text=True, check=False)
    except OSError as error:
        pytest.skip(f"no file system of a given size can be mounted here: {error}")
    if done.returncode:
        pytest.skip(f"no file system of a given size can be mounted here: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("rows", [60_000, 300_000])
@pytest.mark.parametrize("extension", EXTENSIONS)
def test_a_full_disk_is_said(small_disk: Path, tmp_path: Path, extension: str, rows: int) -> None:
    np.save(tmp_path / "p.npy", np.random.default_rng(0).normal(size=rows))
    np.save(tmp_path / "t.npy", np.zeros(rows))
    out = small_disk / f"o.{extension}"
    ran = lossctl("eval", tmp_path / "p.npy", tmp_path / "t.npy", "-l", "mse", "-o", out)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr.splitlines() == [
        f"error: cannot write {out}: no space left on device",
        "make room, or name a file on another disk",
    ]
    assert list(small_disk.iterdir()) == []


class _Full:
    """A writer on a full disk whose close fails in another way."""

    def write(self, side: Any, losses: Any) -> None:
        raise OSError(28, os.strerror(28))

    def close(self) -> None:
        raise pa.ArrowInvalid("Operation on closed file")


@pytest.mark.parametrize("extension", EXTENSIONS)
def test_the_first_error_is_the_one_that_is_said(
    tmp_path: Path, extension: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = f"lossctl.output.{FORMATS[f'.{extension}']}"
    monkeypatch.setattr(f"{module}.open_writer", lambda path: _Full())
    with (
        pytest.raises(DataError, match="no space left on device\nmake room"),
        opened(str(tmp_path / f"o.{extension}"), ["mse"], None, []) as output,
    ):
        output.write(Written(0, [[1.0]]))  # type: ignore[arg-type]


def test_what_is_wrong_elsewhere_is_not_said_of_the_output(tmp_path: Path) -> None:
    with (
        pytest.raises(ConnectionError),
        opened(str(tmp_path / "o.csv"), ["mse"], None, []),
    ):
        raise ConnectionError("the input's server")
    assert list(tmp_path.iterdir()) == []


# ---- start-up ---------------------------------------------------------------------------


@pytest.mark.parametrize("extension", EXTENSIONS)
def test_no_output_imports_pandas(tmp_path: Path, extension: str) -> None:
    np.save(tmp_path / "p.npy", np.arange(4.0))
    out = tmp_path / f"o.{extension}"
    ran = lossctl(
        "eval", tmp_path / "p.npy", tmp_path / "p.npy", "-l", "mse", "-q", "-o", out,
        code="print([m for m in ('pandas', 'pyarrow.dataset') if m in sys.modules])",
    )  # fmt: skip
    assert ran.stdout == "0.0\n[]\n", ran.stderr


def test_an_abandoned_writer_writes_nothing_more() -> None:
    """What waits is forgotten, an error of closing is hidden, and no thread is left."""
    seen = []

    class Told(SimpleQueue[Any]):
        def put(self, item: Any, *_: Any) -> None:
            super().put(item)
            if item is None:  # what waits is forgotten by now
                go.set()

    class Slow:
        def write(self, side: Any, losses: Any) -> None:
            begun.set()
            go.wait()
            seen.append(losses["n"])

        def close(self) -> None:
            seen.append("closed")
            raise OSError("no room")

    begun, go = threading.Event(), threading.Event()
    behind = Behind(Slow())
    behind._crew._jobs = Told()
    for n in range(BEHIND):
        behind.write({}, {"n": n})
    begun.wait()
    behind.abandon()
    assert seen == [0, "closed"]
