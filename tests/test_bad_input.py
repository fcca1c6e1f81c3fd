"""Bad input: exit 2, one or two lines that say what, where and the way out, nothing else."""

from __future__ import annotations

import os
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from lossctl import cli

Case = tuple[Callable[[Path], list[Any]], str]
NESTED = '{"prediction":1,"target":1,"g":{"a":[1]}}\n' * 2


def text(name: str, content: str, *arguments: Any) -> Callable[[Path], list[Any]]:
    def build(folder: Path) -> list[Any]:
        (folder / name).write_text(content, encoding="utf-8")
        return [folder / name, *arguments]

    return build


def raw(name: str, content: bytes, *arguments: Any) -> Callable[[Path], list[Any]]:
    def build(folder: Path) -> list[Any]:
        (folder / name).write_bytes(content)
        return [folder / name, *arguments]

    return build


def arrays(*arguments: Any, **named: Any) -> Callable[[Path], list[Any]]:
    """NPY files p and t, given by position, or others by --input."""

    def build(folder: Path) -> list[Any]:
        found: list[Any] = []
        for name, array in named.items():
            path = folder / f"{name}.npy"
            np.save(path, np.asarray(array), allow_pickle=True)
            found += [path] if name in ("p", "t") else ["--input", f"{name}={path}"]
        return [*found, *arguments]

    return build


def cut(name: str, write: Callable[[Path], None], keep: float) -> Callable[[Path], list[Any]]:
    """A file of which only the first part is there."""

    def build(folder: Path) -> list[Any]:
        path = folder / name
        write(path)
        content = path.read_bytes()
        path.write_bytes(content[: int(len(content) * keep)])
        return [path, "-l", "mae"]

    return build


def write_parquet(path: Path) -> None:
    column = np.arange(5000.0)
    parquet.write_table(pa.table({"y_pred": column, "y_true": column}), path)


def write_npz(path: Path) -> None:
    np.savez(path, y_pred=np.arange(5000.0), y_true=np.arange(5000.0))


def write_npy(path: Path) -> None:
    np.save(path, np.arange(5000.0))


def write_gz(path: Path) -> None:
    import gzip

    rows = "".join(f"{i},{i * 7919 % 1000}\n" for i in range(20000))
    path.write_bytes(gzip.compress(f"y_pred,y_true\n{rows}".encode()))


def npy_header(shape: str, size: int) -> bytes:
    head = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode() + b"\0" * size


def bad_zip(folder: Path) -> list[Any]:
    path = folder / "d.npz"
    write_npz(path)
    content = bytearray(path.read_bytes())
    content[3000] ^= 0xFF
    path.write_bytes(content)
    assert zipfile.is_zipfile(path)
    return [path, "-l", "mae"]


OK = [0.2, 0.8]
CTC = np.log(np.full((2, 3, 3), 1 / 3))

CASES: dict[str, Case] = {
    "missing file": (lambda d: [d / "pred.csv", "-l", "mae"], "pred.csv"),
    "near file": (text("preds.csv", "a\n1\n", "-l", "mae"), "target"),
    "unknown extension": (text("d.xlsx", "x", "-l", "mae"), "--input-format"),
    "empty file": (text("d.csv", "", "-l", "mae"), "empty"),
    "header without rows": (text("d.csv", "y_pred,y_true\n", "-l", "mae"), "no rows"),
    "ragged": (text("d.csv", "y_pred,y_true\n1,2\n3\n", "-l", "mae"), "line 3"),
    "text among numbers": (
        text("d.csv", "y_pred,y_true\n1,2\n3,high\n", "-l", "mae"),
        "high",
    ),
    "dates": (
        text("d.csv", "y_pred,y_true\n1,2020-01-01\n3,2020-01-02\n", "-l", "mae"),
        "y_true",
    ),
    "missing column": (
        text("d.csv", "y_pred,y_true\n1,2\n", "-l", "mae", "--target", "y_tru"),
        "y_tru",
    ),
    "two candidates": (text("d.csv", "pred,score,y\n1,2,3\n", "-l", "mae"), "--prediction"),
    "no candidate": (text("d.csv", "a,b,c\n1,2,3\n", "-l", "mae"), "a, b, c"),
    "lengths": (arrays("-l", "mae", p=[1.0, 2, 3], t=[1.0, 2]), "differ in length"),
    "shapes": (arrays("-l", "mae", p=np.ones((3, 2)), t=np.ones((3, 4))), "(N, 2)"),
    "nan": (arrays("-l", "mae", p=[1.0, np.nan, np.nan], t=[*OK, 1]), "2 rows, first in"),
    "null": (
        text("d.csv", "y_pred,y_true\n1,2\n,2\n", "-l", "mae"),
        "NaN or null in 1 row, first in",
    ),
    "truncated npy": (cut("d.npy", write_npy, 0.5), "d.npy"),
    "truncated header": (cut("d.npy", write_npy, 0.001), "d.npy"),
    "truncated npz": (cut("d.npz", write_npz, 0.7), "d.npz"),
    "corrupt npz": (bad_zip, "d.npz"),
    "truncated parquet": (cut("d.parquet", write_parquet, 0.6), "d.parquet"),
    "truncated gz": (cut("d.csv.gz", write_gz, 0.6), "d.csv.gz"),
    "npy claims more": (raw("p.npy", npy_header("(1000,)", 80), "-l", "mae"), "1000"),
    "not npy": (raw("p.npy", b"hello world, this is text", "-l", "mae"), "p.npy"),
    "objects": (arrays("-l", "mae", p=np.array([{}, []], dtype=object), t=OK), "object"),
    "negative class": (arrays("-l", "cross_entropy", p=[OK, OK], t=[0, -1]), "-1"),
    "class out of range": (arrays("-l", "cross_entropy", p=[OK, OK], t=[0, 2]), "classes 0 to 1"),
    "fractional class": (arrays("-l", "cross_entropy", p=[OK, OK], t=[0, 0.5]), "0.5"),
    "not binary": (arrays("-l", "bce", p=OK, t=[0, 2]), "2, outside [0, 1]"),
    "mixed margin labels": (arrays("-l", "hinge", p=OK, t=[0, -1]), "target"),
    "logits as probabilities": (arrays("-l", "bce", p=[0.5, 3.25], t=[0, 1]), "from_logits=true"),
    "not a distribution": (
        arrays("-l", "kl_divergence", p=[[0.5, 0.2]], t=[[0.5, 0.5]]),
        "sum to 1",
    ),
    "probabilities do not sum": (
        arrays("-l", "cross_entropy", p=[[0.5, 0.2]], t=[0]),
        "from_logits=true",
    ),
    "negative weight": (
        text("d.csv", "y_pred,y_true,w\n1,2,1\n1,2,-1\n", "-l", "mae", "--weight", "w"),
        "finite and ≥ 0",
    ),
    "zero weights": (
        text("d.csv", "y_pred,y_true,w\n1,2,0\n", "-l", "mae", "--weight", "w"),
        "weights sum to 0",
    ),
    "log domain": (arrays("-l", "msle", p=[0.0, -1.5], t=OK), "-1.5"),
    "negative rate": (arrays("-l", "poisson", p=[1.0, -2], t=[1, 2]), "-2"),
    "zero variance": (
        arrays("-l", "gaussian_nll", p=OK, t=OK, variance=[1.0, 0]),
        "variance",
    ),
    "not Hermitian": (
        arrays("-l", "quantum_relative_entropy", p=[[[0.5, 0.3], [0, 0.5]]], t=[np.eye(2) / 2]),
        "Hermitian",
    ),
    "not positive": (
        arrays("-l", "quantum_relative_entropy", p=[np.diag([1.5, -0.5])], t=[np.eye(2) / 2]),
        "prediction",
    ),
    "infeasible ctc": (
        arrays("-l", "ctc", p=CTC, t=[[1, 2, 0], [1, 1, 1]],
               target_lengths=[2, 3]),
        "zero_infinity=true",
    ),
    "over-long ctc": (arrays("-l", "ctc", p=CTC, t=[[1], [2]], target_lengths=[1, 2]), "target_lengths"),
    "unknown loss": (arrays("-l", "hubre", p=OK, t=OK), "did you mean huber"),
    "unknown parameter": (arrays("-l", "huber:detla=1", p=OK, t=OK), "did you mean delta"),
    "out of range": (arrays("-l", "huber:delta=0", p=OK, t=OK), "> 0"),
    "missing input": (arrays("-l", "triplet", p=OK), "anchor and positive and negative"),
    "missing target": (arrays("-l", "mae", p=OK), "TARGET"),
    "unknown input": (arrays("-l", "mae", "--input", "targt=x.npy", p=OK), "did you mean target"),
    "input is no pair": (arrays("-l", "mae", "--input", "target", p=OK), "NAME=REF"),
    "input twice": (arrays("-l", "mae", "--input", "target=x.npy", p=OK, t=OK), "given twice"),
    "one column": (text("d.csv", "a\n1\n", "-l", "mae"), "TARGET"),
    "no loss": (arrays(p=OK, t=OK), "lossctl losses"),
    "no file": (lambda d: ["-l", "mae"], "prediction and target"),
    "loss twice": (arrays("-l", "mae", "-l", "mae", p=OK, t=OK), "given twice"),
    "two formats": (arrays("-l", "mae", "--json", "-q", p=OK, t=OK), "choose one"),
    "bad confidence": (arrays("-l", "mae", "--confidence", "95", p=OK, t=OK), "0.95"),
    "bad worst": (arrays("-l", "mae", "--worst", "0", p=OK, t=OK), "--worst"),
    "bad threads": (arrays("-l", "mae", "--threads", "0", p=OK, t=OK), "--threads"),
    "bad reduction": (arrays("-l", "mae", "--reduction", "men", p=OK, t=OK), "--reduction"),
    "unmatched without on": (arrays("-l", "mae", "--unmatched", "drop", p=OK, t=OK), "--on KEY"),
    "on with one table": (text("d.csv", "id,y_pred,y_true\n1,2,3\n", "-l", "mae", "--on", "id"), "two tables"),
    "unknown group": (text("d.csv", "y_pred,y_true\n1,2\n", "-l", "mae", "--by", "seg"), "seg"),
    "weight of unpaired": (
        lambda d: [*arrays(real=OK, fake=OK)(d), "--weight", "w", "-l", "gan_discriminator"],
        "--weight",
    ),
    "rows of a whole": (
        arrays("-l", "lovasz_softmax:per_image=false", "--per-sample", p=[[OK], [OK]], t=[[0], [1]]),
        "--per-sample",
    ),
    "output extension": (arrays("-l", "mae", "-o", "losses.txt", p=OK, t=OK), ".parquet"),
    "output folder": (arrays("-l", "mae", "-o", "no/such/losses.csv", p=OK, t=OK), "no folder"),
    "output is a folder": (
        lambda d: [(d / "x.csv").mkdir(), *arrays("-l", "mae", "-o", d / "x.csv", p=OK, t=OK)(d)][1:],
        "is a folder",
    ),
    "cupy is not here": (arrays("-l", "mae", "--backend", "cupy", p=OK, t=OK), "--backend cupy"),
    "unknown command option": (arrays("-l", "mae", "--nans", "skip", p=OK, t=OK), "--nan"),
    "all skipped": (arrays("-l", "mae", "--nan", "skip", p=[np.nan], t=[1.0]), "none is left"),
    "all skipped, the worst": (
        arrays("-l", "mae", "--nan", "skip", "--worst", "2", p=[np.nan], t=[1.0]), "none is left",
    ),
    "all skipped, into a file": (
        lambda d: [*arrays("-l", "mae", "--nan", "skip", p=[np.nan], t=[1.0])(d), "-o", d / "o.csv"],
        "none is left",
    ),
    "all skipped, of a whole": (
        arrays("-l", "medae", "--nan", "skip", p=[np.nan], t=[1.0]), "none is left",
    ),
    "empty npy": (arrays("-l", "mae", p=np.empty(0), t=np.empty(0)), "p.npy"),
    "a single number": (arrays("-l", "mae", p=np.array(1.0), t=np.array(1.0)), "p.npy"),
    "groups of objects": (
        text("x.jsonl", NESTED, "-l", "mae", "--by", "g"), "--by holds lists or objects",
    ),
    "a group and objects": (
        text("x.jsonl", NESTED, "-l", "mae", "--by", "target", "--by", "g"),
        "name a column of numbers, text or dates",
    ),
    "clusters of objects": (
        text("x.jsonl", NESTED, "-l", "mae", "--cluster", "g"), "--cluster holds lists or objects",
    ),
    "a cluster that is null": (
        text("x.csv", "prediction,target,g\n1,1,a\n2,1,\n", "-l", "mae", "--cluster", "g"),
        "--cluster is null in some row\ngive every row one",
    ),
    "keys of objects": (
        lambda folder: [
            *text("x.jsonl", NESTED)(folder), *text("y.jsonl", NESTED)(folder),
            "--on", "g", "-l", "mae",
        ],
        "a repeated key, g {'a': [1]}",
    ),
    "target unused": (arrays("-l", "total_variation", p=np.ones((2, 3, 3)), t=OK), "target"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_bad_input(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    build, part = CASES[name]
    if name == "cupy is not here" and _has_gpu():
        pytest.skip("CuPy and a GPU are here")
    arguments = build(tmp_path)
    before = sorted(tmp_path.iterdir())
    status = cli.run(["eval", *map(str, arguments)])
    caught = capsys.readouterr()
    assert status == 2, caught
    assert caught.out == ""
    lines = caught.err.rstrip("\n").splitlines()
    assert 1 <= len(lines) <= 2, caught.err
    assert lines[0].startswith("error: ")
    assert "mistake in lossctl" not in caught.err
    assert part in caught.err
    assert sorted(tmp_path.iterdir()) == before


def _has_gpu() -> bool:
    try:
        import cupy

        return bool(cupy.cuda.runtime.getDeviceCount())
    except Exception:
        return False


ROWS = [
    ("y_pred,y_true\n" + "1,2\n" * 70000 + "1,high\n", 70000),
    ("y_pred,y_true\n" + "1,2\n" * 70000 + "1,\n" + "1,\n", 70000),
    ("prob,label\n" + "0.5,1\n" * 70000 + "1.5,1\n", 70000),
]


@pytest.mark.parametrize(("content", "row"), ROWS)
def test_the_row_is_named_however_deep_it_is(
    content: str, row: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "deep.csv").write_text(content)
    loss = "bce" if content.startswith("prob") else "mae"
    assert cli.run(["eval", str(tmp_path / "deep.csv"), "-l", loss]) == 2
    said = capsys.readouterr().err
    assert "deep.csv" in said
    assert f"row {row}" in said.replace(",", "")
    assert f"line {row + 2}" in said.replace(",", "")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "p.npy"
    np.save(path, np.ones(3))
    path.chmod(0)
    assert cli.run(["eval", str(path), "-l", "mae"]) == 2
    assert "p.npy" in capsys.readouterr().err


@pytest.mark.parametrize("format_", ["table", "json", "csv", "markdown"])
def test_hostile_names_are_shown_harmless(
    format_: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    evil = "\x1b[31m[bold]x[/bold]\u202e"
    table = pa.table({"y_pred": [1.0, 2.0], "y_true": [0.0, 0.0], "g": [evil, "b|c"], evil: [1, 2]})
    parquet.write_table(table, tmp_path / "d.parquet")
    arguments = ["eval", str(tmp_path / "d.parquet"), "-l", "mae", "--by", "g", "-f", format_]
    assert cli.run(arguments) == 0
    out = capsys.readouterr().out
    assert "\x1b" not in out
    if format_ != "json":
        assert "\u202e" not in out
        assert "[bold]x[/bold]" in out.replace("\\", "")
    assert cli.run(["eval", str(tmp_path / "d.parquet"), "-l", "mae", "--target", "nope"]) == 2
    assert "\x1b" not in capsys.readouterr().err


def test_duplicate_and_unmatched_keys_are_counted_and_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def ask(pred: str, target: str, *more: str) -> tuple[int, str, str]:
        (tmp_path / "p.csv").write_text(f"id,y_pred\n{pred}")
        (tmp_path / "t.csv").write_text(f"id,y_true\n{target}")
        files = [str(tmp_path / "p.csv"), str(tmp_path / "t.csv")]
        status = cli.run(["eval", *files, "-l", "mae", "--on", "id", *more])
        caught = capsys.readouterr()
        return status, caught.out, caught.err

    status, out, said = ask("a,1\nb,2\n", "b,2\na,0\nc,1\nd,1\n")
    assert (status, out) == (2, "")
    assert "2 keys without a partner" in said
    assert "'c', 'd'" in said
    assert "--unmatched drop" in said
    status, _, said = ask("a,1\na,2\nb,1\n", "a,2\nb,0\n")
    assert status == 2
    assert "1 row with a repeated key, id 'a'" in said
    assert "'a'" in said
    status, _, said = ask("a,1\nb,1\n", "a,2\nb,0\nb,1\n")
    assert status == 2
    assert "t.csv" in said
    status, out, said = ask(
        "a,1\nb,2\nz,9\n", "b,2\na,0\nc,1\n", "--unmatched", "drop", "-f", "json"
    )
    assert status == 0
    assert "left out for want of a partner: 2 rows" in out
    status, _, said = ask("x,1\n", "y,2\n", "--unmatched", "drop")
    assert status == 2
