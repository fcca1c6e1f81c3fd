"""Everything that opens inputs, on real files."""

from __future__ import annotations

import bz2
import csv
import decimal
import gzip
import io
import json
import os
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv
import pyarrow.feather
import pyarrow.ipc
import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lossctl.errors import DataError, LossctlError, UsageError
from lossctl.ordered import ordered
from lossctl.sources import Format, Reference, Table, choose, open_table, parse_reference
from lossctl.sources.coded import Coded
from lossctl.sources.rebatch import joined
from lossctl.sources.table import Want
from lossctl.sources.text import shown

Array = npt.NDArray[Any]


def load(
    path: Path | str, names: dict[str, Any] | None = None, rows: int = 1000, **options: Any
) -> dict[str, Array]:
    """Read columns whole; by default all, as numbers where they are numbers."""
    table = open_table(str(path), Format(**options))
    wanted = names or {column.name: column.numeric for column in table.columns}
    found = drain(table, wanted, rows)
    table.close()
    table.close()
    return found


def drain(table: Table, names: dict[str, Any], rows: int = 1000) -> dict[str, Array]:
    parts: list[dict[str, Array]] = []
    total = 0
    wanted = {name: Want(want) for name, want in names.items()}
    for slab in table.slabs(wanted, rows):
        assert total % rows == 0, "only the last slab may be shorter"
        arrays = slab.load()
        assert set(arrays) == set(wanted)
        for array in arrays.values():
            assert len(array) == slab.rows and array.dtype.isnative
            assert isinstance(array, Coded) or array.flags.c_contiguous
        parts.append(arrays)
        total += slab.rows
    assert table.rows in (None, total)
    return {
        name: np.asarray(joined([part[name] for part in parts], wanted[name], name))
        for name in wanted
    }


def refused(call: Callable[[], Any], *words: str, kind: type[LossctlError] = DataError) -> None:
    """Assert an error of one or two printable lines that holds all the words."""
    with pytest.raises(kind) as caught:
        call()
    assert caught.value.what.isprintable() and caught.value.hint.isprintable()
    for word in words:
        assert word in str(caught.value), f"{word!r} not in {caught.value}"


def put(path: Path, data: str | bytes) -> Path:
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def pipe(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))


def zstd(data: bytes) -> bytes:
    packed: bytes = pa.Codec("zstd").compress(data, asbytes=True)
    return packed


# One writer a format: the same columns into a file, in pieces of so many rows.


def to_csv(path: Path, columns: dict[str, Array], rows: int, delimiter: str = ",") -> None:
    lines = [delimiter.join(columns)]
    lines += [
        delimiter.join(map(repr, row))
        for row in zip(*(c.tolist() for c in columns.values()), strict=True)
    ]
    put(path, "\n".join(lines) + "\n")


def to_packed(pack: Callable[[bytes], bytes]) -> Callable[[Path, dict[str, Array], int], None]:
    def write(path: Path, columns: dict[str, Array], rows: int) -> None:
        to_csv(path, columns, rows)
        path.write_bytes(pack(path.read_bytes()))

    return write


def to_tsv(path: Path, columns: dict[str, Array], rows: int) -> None:
    to_csv(path, columns, rows, "\t")


def to_parquet(path: Path, columns: dict[str, Array], rows: int) -> None:
    pa.parquet.write_table(pa.table(columns), path, row_group_size=rows, data_page_size=256)


def to_arrow(path: Path, columns: dict[str, Array], rows: int) -> None:
    table = pa.table(columns)
    with pa.ipc.new_file(path, table.schema) as writer:
        writer.write_table(table, max_chunksize=rows)


def to_stream(path: Path, columns: dict[str, Array], rows: int) -> None:
    table = pa.table(columns)
    with pa.ipc.new_stream(path, table.schema) as writer:
        writer.write_table(table, max_chunksize=rows)


def to_feather(path: Path, columns: dict[str, Array], rows: int) -> None:
    pa.feather.write_feather(pa.table(columns), str(path), compression="lz4", chunksize=rows)


def to_jsonl(path: Path, columns: dict[str, Array], rows: int) -> None:
    lists = {name: column.tolist() for name, column in columns.items()}
    put(
        path,
        "".join(
            json.dumps(dict(zip(lists, row, strict=True))) + "\n"
            for row in zip(*lists.values(), strict=True)
        ),
    )


def to_npz(path: Path, columns: dict[str, Array], rows: int) -> None:
    np.savez_compressed(path, **columns)


def to_records(path: Path, columns: dict[str, Array], rows: int) -> None:
    np.save(path, np.rec.fromarrays(list(columns.values()), names=list(columns)))


WRITERS: dict[str, Callable[[Path, dict[str, Array], int], None]] = {
    "x.csv": to_csv,
    "x.csv.gz": to_packed(gzip.compress),
    "x.csv.bz2": to_packed(bz2.compress),
    "x.csv.zst": to_packed(zstd),
    "x.tsv": to_tsv,
    "x.parquet": to_parquet,
    "x.arrow": to_arrow,
    "x.arrows": to_stream,
    "x.feather": to_feather,
    "x.jsonl": to_jsonl,
    "x.json": to_jsonl,
    "x.npz": to_npz,
    "x.npy": to_records,
}
STREAMED = {
    name: WRITERS[name]
    for name in (
        "x.csv",
        "x.tsv",
        "x.csv.gz",
        "x.arrow",
        "x.arrows",
        "x.jsonl",
        "x.npy",
        "x.parquet",
    )
}

FLOATS = np.array(
    [
        0.1,
        -0.0,
        5e-324,
        1.7976931348623157e308,
        1 / 3,
        2.5,
        np.inf,
        -np.inf,
        1e22,
        123456789.123456789,
    ]
)


class TestReferences:
    @pytest.mark.parametrize(
        ("text", "path", "columns"),
        [
            ("a.csv", "a.csv", None),
            ("a.csv::y", "a.csv", "y"),
            ("a.csv::p_*,q", "a.csv", "p_*,q"),
            ("-", "-", None),
            ("::y", "", "y"),
            ("s3://b/a.parquet::y", "s3://b/a.parquet", "y"),
            ("a.csv::", "a.csv", None),
            ("a.csv::x::y", "a.csv", "x::y"),
        ],
    )
    def test_parse(self, text: str, path: str, columns: str | None) -> None:
        assert parse_reference(text) == Reference(path, columns)
        assert parse_reference(str(parse_reference(text))) == parse_reference(text)

    def test_shown(self) -> None:
        assert shown("a\x1b[31m\n") == r"'a\x1b[31m\n'"
        assert len(shown("x" * 100)) == 40


class TestAllFormats:
    @pytest.mark.parametrize("name", WRITERS)
    def test_same_bits(self, tmp_path: Path, name: str) -> None:
        WRITERS[name](tmp_path / name, {"p": FLOATS, "t": FLOATS[::-1].copy()}, 3)
        found = load(tmp_path / name, rows=4)
        assert found["p"].dtype == np.float64
        assert found["p"].tobytes() == FLOATS.tobytes()
        assert found["t"].tobytes() == FLOATS[::-1].tobytes()

    @pytest.mark.parametrize("name", WRITERS)
    def test_read_twice_and_in_part(self, tmp_path: Path, name: str) -> None:
        WRITERS[name](tmp_path / name, {"p": FLOATS, "t": FLOATS}, 3)
        table = open_table(str(tmp_path / name), Format())
        for _ in range(2):
            assert drain(table, {"t": True}, 7)["t"].tobytes() == FLOATS.tobytes()
        next(iter(table.slabs({"p": True}, 2)))  # given up half-way
        table.close()

    @pytest.mark.parametrize("name", STREAMED)
    def test_standard_input(
        self, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        STREAMED[name](tmp_path / name, {"p": FLOATS, "t": FLOATS}, 3)
        pipe(monkeypatch, (tmp_path / name).read_bytes())
        table = open_table("-", Format(input_format=name.removeprefix("x.")))
        assert drain(table, {"p": True, "t": True}, 4)["t"].tobytes() == FLOATS.tobytes()
        assert table.place(3).startswith("standard input, row 3")
        refused(lambda: table.slabs({"p": True}, 4), "standard input", "only once")
        table.close()

    @given(data=st.data())
    @settings(
        max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )
    def test_any_partition(self, tmp_path: Path, data: st.DataObject) -> None:
        """Rows, slab and row-group size change nothing."""
        name = data.draw(st.sampled_from(sorted(WRITERS)))
        rows = data.draw(st.integers(1, 40))
        values = data.draw(st.lists(st.floats(allow_nan=False), min_size=rows, max_size=rows))
        column = np.array(values)
        WRITERS[name](tmp_path / name, {"p": column, "q": -column}, data.draw(st.integers(1, 50)))
        found = load(tmp_path / name, rows=data.draw(st.integers(1, 50)))
        assert found["p"].tobytes() == column.tobytes()
        assert found["q"].tobytes() == (-column).tobytes()

    @given(data=st.data())
    @settings(
        max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )
    def test_any_nulls_and_lists(self, tmp_path: Path, data: st.DataObject) -> None:
        """Bitmaps and offsets are cut at any row."""
        number = st.none() | st.integers(-9, 9)
        rows = data.draw(
            st.lists(
                st.tuples(
                    number,
                    st.none() | st.booleans(),
                    st.none() | st.text("ab"),
                    st.none() | st.lists(number, min_size=2, max_size=2),
                    st.none() | st.lists(st.floats(0, 1), max_size=3),
                ),
                min_size=1,
                max_size=40,
            )
        )
        kinds = [
            pa.int32(),
            pa.bool_(),
            pa.string(),
            pa.list_(pa.int16()),
            pa.list_(pa.float32()),
        ]
        table = pa.table(
            {
                name: pa.array([row[i] for row in rows], kind)
                for i, (name, kind) in enumerate(zip("ibslr", kinds, strict=True))
            }
        )
        group = data.draw(st.integers(2, 50))
        pa.parquet.write_table(table, tmp_path / "x.parquet", row_group_size=group)
        with pa.ipc.new_file(tmp_path / "x.arrow", table.schema) as writer:
            writer.write_table(table, max_chunksize=group)
        pa.feather.write_feather(table, str(tmp_path / "x.feather"), chunksize=group)
        size = data.draw(st.integers(1, 50))
        for name in ("x.parquet", "x.arrow", "x.feather"):
            opened = open_table(str(tmp_path / name), Format())
            wanted = dict.fromkeys("ibl", Want.NUMBERS) | {"s": Want.ANY, "r": Want.RAGGED}
            if all(row[3] is None for row in rows):
                del wanted["l"]  # nothing says how long its lists are
            at = 0
            for slab in opened.slabs(wanted, size):
                arrays = slab.load()
                for row in range(slab.rows):
                    i, b, s, pair, ragged = rows[at + row]
                    assert_same(arrays["i"][row], np.nan if i is None else i)
                    assert_same(arrays["b"][row], np.nan if b is None else b)
                    assert arrays["s"][row] == s
                    if "l" in wanted:
                        expected = [np.nan if v is None else v for v in pair or [None] * 2]
                        assert_same(arrays["l"][row], expected)
                    width = arrays["r"].shape[1]
                    assert ragged is not None or width  # a null shows
                    fill = np.nan if ragged is None else -1.0
                    padded = [*(np.float32(v) for v in ragged or []), *[fill] * width][:width]
                    assert_same(arrays["r"][row], padded)
                at += slab.rows
            assert at == len(rows)


def assert_same(found: Any, expected: Any) -> None:
    np.testing.assert_array_equal(np.asarray(found, float), np.asarray(expected, float))


def to_lists(path: Path, lists: list[Any], rows: int) -> None:
    """One column x of lists of whole numbers."""
    if path.suffix == ".jsonl":
        put(path, "".join(json.dumps({"x": row}) + "\n" for row in lists))
        return
    table = pa.table({"x": pa.array(lists, pa.list_(pa.int32()))})
    if path.suffix == ".parquet":
        pa.parquet.write_table(table, path, row_group_size=rows)
    elif path.suffix == ".feather":
        pa.feather.write_feather(table, str(path), chunksize=rows, compression="lz4")
    else:
        new = pa.ipc.new_file if path.suffix == ".arrow" else pa.ipc.new_stream
        with new(path, table.schema) as writer:
            writer.write_table(table, max_chunksize=rows)


LISTS = ["x.parquet", "x.arrow", "x.arrows", "x.feather", "x.jsonl"]


class TestLists:
    """Lists of another length than the first are refused, unless they are wanted as ragged."""

    @pytest.mark.parametrize("name", LISTS)
    @pytest.mark.parametrize("size", [1, 2, 3, 100])
    def test_other_length(self, tmp_path: Path, name: str, size: int) -> None:
        path = tmp_path / name
        for lists, row, length in (
            ([[1, 2], [3, 4, 5, 6]], 1, "4 values"),
            ([None, [1, 2], [3, 4], None, [5]], 4, "1 value"),
            ([[1, 2]] * 6 + [[]], 6, "0 values"),
            ([[1, 2], [3], [1, 2, 3]], 1, "1 value"),
        ):
            for group in (1, 2, 100):
                to_lists(path, lists, group)
                refused(
                    lambda: load(path, {"x": True}, size),
                    f"{path}, row {row}",
                    f"column x: a list of {length}, where the rows before hold 2",
                    "make all lists of one length",
                )

    @pytest.mark.parametrize("name", LISTS)
    def test_null_lists(self, tmp_path: Path, name: str) -> None:
        lists = [None] * 5 + [[1, 2], None, [3, 4], None]
        expected = [[np.nan] * 2 if row is None else row for row in lists]
        for group in (1, 2, 100):
            for size in (1, 2, 4, 100):
                if name == "x.jsonl" and group > 1:
                    continue
                to_lists(tmp_path / name, lists, group)
                found = load(tmp_path / name, {"x": True}, size)["x"]
                np.testing.assert_array_equal(found, expected)

    @pytest.mark.parametrize("name", LISTS[:-1])
    def test_nothing_but_null(self, tmp_path: Path, name: str) -> None:
        to_lists(tmp_path / name, [None, None], 1)
        refused(lambda: load(tmp_path / name), f"{name}, column x: every list is null")
        found = load(tmp_path / name, {"x": Want.RAGGED}, 1)["x"]
        np.testing.assert_array_equal(found, [[np.nan], [np.nan]])

    @pytest.mark.parametrize("name", LISTS)
    def test_ragged(self, tmp_path: Path, name: str) -> None:
        lists = [[1, 2], [3], [], None, [4, 5, 6], [7]]
        expected = [[1, 2, -1], [3, -1, -1], [-1] * 3, [np.nan] * 3, [4, 5, 6], [7, -1, -1]]
        for group in (1, 2, 100):
            for size in (1, 2, 4, 100):
                to_lists(tmp_path / name, lists, group)
                found = load(tmp_path / name, {"x": Want.RAGGED}, size)["x"]
                np.testing.assert_array_equal(found, expected)
        to_lists(tmp_path / name, [[1], [2, 3]], 1)
        if name != "x.jsonl":
            assert load(tmp_path / name, {"x": Want.RAGGED}, 1)["x"].dtype == np.int32

    @pytest.mark.parametrize("name", LISTS)
    def test_parts(self, tmp_path: Path, name: str) -> None:
        suffix = Path(name).suffix
        for lists, later in (([[1, 2]], [[3, 4], [5, 6]]), ([[1, 2], None], [[1, 2], [5]])):
            to_lists(tmp_path / f"0{suffix}", lists, 1)
            to_lists(tmp_path / f"1{suffix}", later, 1)
            whole = [[np.nan] * 2 if row is None else row for row in lists + later]
            if [5] not in later:
                np.testing.assert_array_equal(load(tmp_path)["x"], whole)
                continue
            refused(lambda: load(tmp_path), f"1{suffix}, row 1", "a list of 1 value")
            found = load(tmp_path, {"x": Want.RAGGED})["x"]
            np.testing.assert_array_equal(found[-1], [5, -1])
        to_lists(tmp_path / f"1{suffix}", [[1, 2, 3], [4, 5, 6]], 1)
        refused(lambda: load(tmp_path), f"1{suffix}", "column x")
        assert load(tmp_path, {"x": Want.RAGGED})["x"].shape == (4, 3)

    def test_what_is_stricter(self) -> None:
        for want in Want:
            assert want.also(want) == want == Want.ANY.also(want) == want.also(Want.ANY)
        assert Want.NUMBERS.also(Want.RAGGED) == Want.RAGGED.also(Want.NUMBERS) == Want.NUMBERS

    @pytest.mark.parametrize("name", ["x.parquet", "x.jsonl"])
    def test_only_ctc_pads(self, tmp_path: Path, name: str) -> None:
        def evaluated(*words: str) -> tuple[int, str]:
            command = [sys.executable, "-m", "lossctl", "eval", *words]
            ran = subprocess.run(command, capture_output=True, text=True)
            return ran.returncode, ran.stdout + ran.stderr

        rows = 7000  # more than a block
        labels = [[1, 2] if row < 6900 else [1] if row % 2 else [1, 2, 1] for row in range(rows)]
        to_lists(tmp_path / name, labels, 100)
        steps = np.log(np.full((rows, 9, 8), 1 / 8))
        np.save(tmp_path / "p.npy", steps)
        code, text = evaluated(str(tmp_path / "p.npy"), str(tmp_path / name), "-l", "ctc", "-q")
        assert code == 0, text
        padded = np.array([[*row, -1, -1][:3] for row in labels])
        np.save(tmp_path / "t.npy", padded)
        same = evaluated(str(tmp_path / "p.npy"), str(tmp_path / "t.npy"), "-l", "ctc", "-q")
        assert same == (code, text)
        flat = str(tmp_path / "f.npy")
        np.save(flat, np.zeros((rows, 2)))
        code, text = evaluated(flat, str(tmp_path / name), "-l", "mse")
        assert code == 2 and "row 6900" in text and "a list of 3 values" in text

    def test_join_of_ragged_lists(self, tmp_path: Path) -> None:
        rows = 3000
        keys = np.arange(rows)
        labels = [[1, 2] if row < 2500 else [1, 2, 1] for row in range(rows)]
        paths = [str(tmp_path / f"{which}.parquet") for which in "pt"]
        steps = [[[0.0] * 16] * 16] * rows
        pa.parquet.write_table(pa.table({"y_pred": steps, "k": keys}), paths[0])
        pa.parquet.write_table(pa.table({"y_true": labels, "k": keys}), paths[1])
        words = ["eval", *paths, "-l", "ctc:from_logits=true", "-q"]
        found = [
            subprocess.run(
                [sys.executable, "-m", "lossctl", *words, *more],
                capture_output=True,
                text=True,
                check=True,
            ).stdout
            for more in (["--on", "k"], [])
        ]
        assert found[0] == found[1]


@pytest.fixture(params=["isal", "pyarrow"])
def unpacker(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """What unpacks gzip: isal, which is optional, or pyarrow where it is not installed."""
    if request.param == "isal":
        pytest.importorskip("isal")
    else:
        monkeypatch.setitem(sys.modules, "isal", None)


class TestDelimited:
    def test_quotes_line_breaks_and_blank_lines(self, tmp_path: Path) -> None:
        text = 'k,a\r\n"x,\r\n""y""",1\r\n\r\n  z ,"2.5"\r\n"",+3\r\n5" tall,4'
        found = load(put(tmp_path / "x.csv", text), {"k": False, "a": True})
        assert found["k"].tolist() == ['x,\r\n"y"', "  z ", None, '5" tall']
        assert found["a"].tolist() == [1.0, 2.5, 3.0, 4.0]

    @given(
        cells=st.lists(
            st.tuples(st.text('a",\n', max_size=4), st.floats(-9, 9)), min_size=1, max_size=30
        ),
        chunk=st.integers(1, 40),
    )
    @settings(max_examples=150, deadline=None)
    def test_blocks_of_whole_records(self, cells: list[tuple[str, float]], chunk: int) -> None:
        from lossctl.sources.records import Records

        rows = ["k,a", *(f'"{k.replace(chr(34), chr(34) * 2)}",{a}' for k, a in cells)]
        data = "\n".join(rows).encode()
        pieces = (data[at : at + chunk] for at in range(0, len(data), chunk))
        blocks = list(Records(pieces, ",", header=True))
        assert b"".join(blocks) == data[4:]
        for block in blocks:
            options = pa.csv.ReadOptions(column_names=["k", "a"])
            parsing = pa.csv.ParseOptions(newlines_in_values=True)
            pa.csv.read_csv(io.BytesIO(block), options, parsing)  # nothing torn apart

    @pytest.mark.parametrize("chunk", range(1, 9))
    def test_quotes_that_are_letters(self, chunk: int) -> None:
        from lossctl.sources.records import Records

        data = b'a,b\n5" x,1\n"q""\n",2\n6",3\n"r"s"\n,4\n'
        pieces = (data[at : at + chunk] for at in range(0, len(data), chunk))
        records = [b'5" x,1\n', b'"q""\n",2\n', b'6",3\n', b'"r"s"\n', b",4\n"]
        blocks = list(Records(pieces, ",", header=True))
        assert b"".join(blocks) == b"".join(records)
        ends = {len(b"".join(records[: i + 1])) for i in range(len(records))}
        assert {len(b"".join(blocks[: i + 1])) for i in range(len(blocks))} <= ends

    @pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
    def test_blank_lines_in_one_column(self, tmp_path: Path, newline: str) -> None:
        nan = np.nan
        for text, expected in (
            ("a\n1\n\n3\n4\n", [1, nan, 3, 4]),
            ("\n\na\n\n\n3\n\n\n", [nan, nan, 3]),  # not before the header, nor at the end
            ("a\n1\n2", [1, 2]),
            ('a\n""\n\n"3"\n', [nan, nan, 3]),
        ):
            path = put(tmp_path / "x.csv", text.replace("\n", newline))
            for rows in (1, 2, 100):
                np.testing.assert_array_equal(load(path, {"a": True}, rows)["a"], expected)
            keys = load(path, {"a": False})["a"]
            assert [nan if key is None else key for key in keys] == pytest.approx(
                expected, nan_ok=True
            )
        path = put(tmp_path / "y.csv", "\n1\n\n2\n\n".replace("\n", newline))
        np.testing.assert_array_equal(load(path, header=False)["0"], [nan, 1, nan, 2])
        path = put(tmp_path / "z.csv", "a\n\n\n".replace("\n", newline))
        refused(lambda: load(path), "z.csv", "no rows")

    def test_blank_lines_as_pyarrow_writes_them(self, tmp_path: Path) -> None:
        table = pa.table({"a": [1.0, None, 3.0, None, None, 6.0]})
        pa.csv.write_csv(table, tmp_path / "x.csv")
        np.testing.assert_array_equal(
            load(tmp_path / "x.csv")["a"], [1, np.nan, 3, np.nan, np.nan, 6]
        )

    @given(
        rows=st.lists(st.sampled_from(["", "1", "2.5", '"3"', '"a\n\nb"']), max_size=20),
        newline=st.sampled_from(["\n", "\r\n", "\r"]),
        header=st.booleans(),
        chunk=st.integers(1, 9),
    )
    @settings(max_examples=200, deadline=None)
    def test_blank_lines_in_any_chunks(
        self, rows: list[str], newline: str, header: bool, chunk: int
    ) -> None:
        from lossctl.sources.records import Records

        data = newline.join((["", "a"] if header else []) + rows).encode()
        pieces = (data[at : at + chunk] for at in range(0, len(data), chunk))
        found: list[str] = []
        for block in Records(pieces, ",", header, lone=True):
            read = pa.csv.ReadOptions(column_names=["a"])
            parse = pa.csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False)
            convert = pa.csv.ConvertOptions(column_types={"a": pa.string()})
            found += pa.csv.read_csv(io.BytesIO(block), read, parse, convert)["a"].to_pylist()
        while rows and not rows[-1]:
            rows = rows[:-1]
        assert found == [row.strip('"') for row in rows]

    def test_rows_and_lines_with_blank_lines(self, tmp_path: Path) -> None:
        path = put(tmp_path / "x.csv", "\na\n1\n\n\nx\n")
        refused(lambda: load(path, {"a": True}), "x.csv, row 3 (line 6), column a", "'x'")
        path = put(tmp_path / "y.csv", '\n1\n"\n\n"\n\nx\n')
        refused(lambda: load(path, {"0": True}, header=False), "row 2 (line 3)")
        assert open_table(str(path), Format(header=False)).place(4).endswith("row 4 (line 7)")
        lines = "1\n\n" * 150_000
        path = put(tmp_path / "z.csv", f"a\n{lines}x\n")
        refused(lambda: load(path, {"a": True}), "row 300000 (line 300002)")
        path = put(tmp_path / "w.csv", "a\n1\n\n2,3\n")
        refused(lambda: load(path), "row 2 (line 4)", "2 fields instead of 1")

    def test_leading_zeros(self, tmp_path: Path) -> None:
        path = put(tmp_path / "x.csv", "k,f\n01,0.5\n1, 007\n10,0\nNA,0\n")
        found = load(path, {"k": False, "f": False})
        assert found["k"].tolist() == ["01", "1", "10", None]
        assert found["f"].tolist() == ["0.5", "007", "0", "0"]
        assert load(path, {"k": True})["k"].tolist()[:3] == [1, 1, 10]
        plain = put(tmp_path / "y.csv", "k,f\n0,0.5\n-0,0.25\n10,1e-05\n")
        found = load(plain, {"k": False, "f": False})
        assert found["k"].dtype == np.int64 and found["f"].dtype == np.float64

    @given(
        st.lists(
            st.sampled_from(
                ["", "0", "00", "07", "0.5", "-0", "-01", " 01", "+1", "x0", "0x1F", "é"]
            ),
            max_size=5,
        ),
        st.integers(0, 5),
    )
    def test_what_is_led_by_zero(self, listed: list[str], skip: int) -> None:
        from lossctl.sources.textvalues import has_zero_led

        texts = pa.array(listed, pa.string()).slice(min(skip, len(listed)))
        assert has_zero_led(texts) == bool({"00", "07", "-01", " 01"} & set(texts.to_pylist()))

    def test_leading_zeros_behind_the_head(self, tmp_path: Path) -> None:
        path = put(tmp_path / "x.csv", "k,a\n" + "1,2\n" * 200_000 + "01,2\n1,2\n+01,2\n0,2\n")
        for rows in (40_001, 66_667, 10**6):
            found = load(path, {"k": False}, rows)["k"][199_999:].tolist()
            assert found == [1, "01", 1, "+01", 0]

    def test_leading_zeros_in_parts(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        put(tmp_path / "1.csv", "k,a\n01,2\n10,2\n")
        put(tmp_path / "2.csv", "k,a\n1,2\n10,2\n")
        assert load(tmp_path, {"k": False})["k"].tolist() == ["01", "10", "1", "10"]
        put(tmp_path / "0.csv", "k,a\n1,2\n10,2\n")
        found = load(tmp_path, {"k": False})["k"].tolist()
        assert found == [1, 10, "01", 10, 1, 10]
        pipe(monkeypatch, b"k,a\n01,2\n10,2\n")
        assert load("-", {"k": False}, input_format="csv")["k"].tolist() == ["01", "10"]

    def test_join_by_whole_numbers_and_codes(self, tmp_path: Path) -> None:
        def joined_by(text: str, keys: pa.Array) -> tuple[int, str]:
            put(tmp_path / "x.csv", text)
            pa.parquet.write_table(
                pa.table({"y_true": [2.0, 4.0], "k": keys}), tmp_path / "y.parquet"
            )
            paths = [str(tmp_path / "x.csv"), str(tmp_path / "y.parquet")]
            words = [
                sys.executable,
                "-m",
                "lossctl",
                "eval",
                *paths,
                "-l",
                "mae",
                "--on",
                "k",
                "-q",
            ]
            ran = subprocess.run(words, capture_output=True, text=True)
            return ran.returncode, (ran.stdout + ran.stderr).strip()

        whole = "y_pred,k\n4,10\n2,1\n"
        assert joined_by(whole, pa.array([1, 10])) == (0, "0.0")
        assert joined_by(whole, pa.array(["1", "10"])) == (0, "0.0")
        codes = "y_pred,k\n4,10\n2,01\n"
        assert joined_by(codes, pa.array(["01", "10"])) == (0, "0.0")
        code, text = joined_by(codes, pa.array([1, 10]))
        assert code == 2 and "1 key without a partner" in text

    def test_remark_above_the_header(self, tmp_path: Path) -> None:
        path = put(tmp_path / "x.csv", "# made by me\ny_pred,y_true\n1,2\n3,4\n")
        refused(
            lambda: load(path),
            "x.csv: the first line has one field, '# made by me', the next 2",
            "remove the line",
        )
        path = put(tmp_path / "y.csv", "a;b\n1,5;2,5\n")
        refused(lambda: load(path), "y.csv", "--delimiter ';'")
        path = put(tmp_path / "z.csv", '"a"\n"1,5"\n2,5\n')
        refused(lambda: load(path), "row 1 (line 3)", "2 fields instead of 1")

    def test_missing_values(self, tmp_path: Path) -> None:
        text = "a,b\n1,x\n,y\nNA,NA\nNaN,\nnull,z\n 7 ,q\n"
        found = load(put(tmp_path / "x.csv", text), {"a": True, "b": False})
        np.testing.assert_array_equal(found["a"], [1, *[np.nan] * 4, 7])
        assert found["b"].tolist() == ["x", "y", "NA", None, "z", "q"]

    @pytest.mark.parametrize("last", ["1.5", "", "-inf", "1e400"])
    def test_type_changes_far_behind_the_head(self, tmp_path: Path, last: str) -> None:
        path = put(tmp_path / "x.csv", "a,b\n" + "1,2\n" * 200_000 + f"{last},2\n")
        found = load(path, rows=65536)
        assert found["a"].dtype == np.float64
        np.testing.assert_array_equal(found["a"][-1], float(last or "nan"))

    def test_keys_keep_their_type(self, tmp_path: Path) -> None:
        path = put(
            tmp_path / "x.csv", "k,f,t,d\n7,1.5,x,2024-01-05\n9007199254740993,2,3,2024-01-06\n"
        )
        found = load(path, dict.fromkeys("kftd", False))
        assert found["k"].dtype == np.int64 and found["k"][1] == 9007199254740993
        assert found["f"].dtype == np.float64
        assert found["t"].tolist() == ["x", "3"]
        assert found["d"].tolist() == ["2024-01-05", "2024-01-06"]

    def test_same_key_whatever_stands_beside_it(self, tmp_path: Path) -> None:
        path = put(
            tmp_path / "x.csv",
            "k\n" + "1\n" * 200_000 + '1\n2\n1\nother\n1\n""\n2\n0x1F\nmore\n0x1F\n',
        )
        for rows in (40_001, 66_667, 10**6):
            found = load(path, {"k": False}, rows)["k"][200_000:].tolist()
            assert found == [1, 2, 1, "other", 1, None, 2, 31, "more", 31]

    def test_truths(self, tmp_path: Path) -> None:
        path = put(tmp_path / "x.csv", "a,b\ntrue,True\nFALSE,\n")
        found = load(path)
        assert found["a"].dtype == bool and found["a"].tolist() == [True, False]
        np.testing.assert_array_equal(found["b"], [1, np.nan])
        assert load(path, {"a": False})["a"].tolist() == [True, False]
        path = put(tmp_path / "y.csv", "a\n" + "true\n" * 100_000 + "0.5\n")
        refused(
            lambda: load(path), "row 100000 (line 100002)", "column a", "'0.5'", "true nor false"
        )

    def test_options(self, tmp_path: Path) -> None:
        path = put(tmp_path / "x.csv", "1;2\n3;4\n")
        assert load(path, delimiter=";", header=False)["1"].tolist() == [2, 4]
        path = put(tmp_path / "y.csv", "a\tb\n1\t2\n")
        for tab in ("\t", "\\t", "tab"):
            assert load(path, delimiter=tab)["b"].tolist() == [2]
        refused(lambda: load(path, delimiter="::"), "--delimiter", kind=UsageError)
        path = put(tmp_path / "data.txt", "a,b\n1,2\n")
        assert load(path, input_format="csv")["b"].tolist() == [2]
        path = put(tmp_path / "data.gz", gzip.compress(b"a,b\n1,2\n"))
        assert load(path, input_format="csv")["b"].tolist() == [2]

    def test_byte_order_mark(self, tmp_path: Path) -> None:
        assert load(put(tmp_path / "x.csv", b"\xef\xbb\xbfa,b\r\n1,2\r\n"))["a"].tolist() == [1]
        path = put(tmp_path / "y.csv", b"\xef\xbb\xbf1,2\n3,4\n")
        assert load(path, header=False)["0"].tolist() == [1, 3]

    def test_header_of_numbers(self, tmp_path: Path) -> None:
        assert load(put(tmp_path / "x.csv", "0,1,2\n5,6,7\n"))["1"].tolist() == [6]
        assert load(put(tmp_path / "x.csv", "2019,2020\n5,6\n"))["2020"].tolist() == [6]
        for first in ("0.5,1.5", "3", "7,3"):
            path = put(tmp_path / "y.csv", f"{first}\n{first}\n")
            refused(lambda path=path: load(path), "y.csv", "holds numbers", "--no-header")

    def test_wide_rows(self, tmp_path: Path) -> None:
        width = 200_000
        text = (
            ",".join(f"c{i}" for i in range(width)) + "\n" + ("1" + ",2" * (width - 1) + "\n") * 2
        )
        found = load(put(tmp_path / "x.csv", text), {"c0": True, f"c{width - 1}": True})
        assert found[f"c{width - 1}"].tolist() == [2, 2]

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("", ["is empty"]),
            ("\n\n", ["is empty"]),
            ("a,b\n", ["no rows"]),
            ("a,b,a\n1,2,3\n", ["more than one column is named a"]),
            ("a;b\n1;2\n", ["'a;b'", "--delimiter ';'"]),
            ("a,b\n1,2\n\n3\n4,5\n", ["row 1 (line 4)", "1 field instead of 2", "'3'"]),
            (
                "a,b\n" + "1,2\n" * 300_000 + "3,4,5\n",
                ["row 300000 (line 300002)", "3 fields instead of 2"],
            ),
            ("a,b\n1,2\nx\x1b[0m,2\n", ["row 1 (line 3)", "column a", r"'x\x1b[0m' is no number"]),
            ("a,b\n1,2\n2024-01-05,2\n", ["row 1 (line 3)", "column a", "'2024-01-05'"]),
            (
                'b,a\n"\n\n",1\n' * 1 + '"",2\nx,"1,5"\n',
                ["row 2 (line 6)", "column a", "'1,5'", "point"],
            ),
            (
                "a,b\n" + "1,2\n" * 300_000 + "1 000,2\n",
                ["row 300000 (line 300002)", "column a", "'1 000'"],
            ),
            ('a,b\n1,2\n3,"4\n5,6\n', ["row 1 (line 3)", "never closed"]),
            ("a,b\n1,2\n".encode("utf-16"), ["UTF-16"]),
            (gzip.compress(b"a,b\n1,2\n", mtime=0), ["is gzip data", "--input-format csv.gz"]),
            (b"a,b\n1,\xe9\n", ["row 0 (line 2)", "UTF-8"]),
            (b"\xe9,b\n1,2\n", ["UTF-8"]),
        ],
    )
    def test_errors(self, tmp_path: Path, text: str | bytes, words: list[str]) -> None:
        path = put(tmp_path / "x.csv", text)
        refused(lambda: load(path, {"a": True, "b": False}), str(path), *words)

    def test_errors_in_standard_input(self, monkeypatch: pytest.MonkeyPatch) -> None:
        pipe(monkeypatch, b"a,b\n1,2\nx,2\n")
        names = {"a": True}
        refused(
            lambda: load("-", names, input_format="csv"), "standard input, row 1, column a: 'x'"
        )
        pipe(monkeypatch, b"a,b\n1,2\n1\n")
        refused(lambda: load("-", names, input_format="csv"), "standard input, row 1: 1 field")
        pipe(monkeypatch, gzip.compress(b"a,b\n1,2\n1,3\n")[:-9])
        refused(lambda: load("-", names, input_format="csv.gz"), "standard input", "cut short")

    @pytest.mark.parametrize("suffix", ["gz", "bz2", "zst"])
    @pytest.mark.parametrize("lost", [1, 5, 9, 5000])
    @pytest.mark.usefixtures("unpacker")
    def test_truncated_archives(self, tmp_path: Path, suffix: str, lost: int) -> None:
        text = "a,b\n" + "".join(f"{i},{i / 7}\n" for i in range(20_000))
        packed = {"gz": gzip.compress, "bz2": bz2.compress, "zst": zstd}[suffix](text.encode())
        path = put(tmp_path / f"x.csv.{suffix}", packed[:-lost])
        refused(lambda: load(path), str(path), "cut short")
        refused(lambda: load(put(path, text)), str(path), "not compressed as its name says")

    @pytest.mark.usefixtures("unpacker")
    def test_corrupt_archive(self, tmp_path: Path) -> None:
        packed = bytearray(gzip.compress(b"a,b\n1,2\n"))
        for place, words in ((-6, "a checksum does not match"), (10, "damaged")):
            packed[place] ^= 7
            refused(lambda: load(put(tmp_path / "x.csv.gz", bytes(packed))), "x.csv.gz", words)
            packed[place] ^= 7

    @pytest.mark.usefixtures("unpacker")
    def test_gzip_of_several_members(self, tmp_path: Path) -> None:
        packed = gzip.compress(b"a,b\n1,2\n") + gzip.compress(b"3,4\n")
        assert load(put(tmp_path / "x.csv.gz", packed))["b"].tolist() == [2, 4]


class TestArrowTypes:
    CASES: tuple[tuple[Any, Any, Any], ...] = (
        (pa.array([1, 2], pa.int64()), np.int64, [1, 2]),
        (pa.array([1, 255], pa.uint8()), np.uint8, [1, 255]),
        (pa.array([1, None], pa.int32()), np.float64, [1, np.nan]),
        (pa.array([1.5, None], pa.float32()), np.float32, [1.5, np.nan]),
        (pa.array(np.array([1.5, 2], np.float16)), np.float16, [1.5, 2]),
        (pa.array([True, False]), np.bool_, [True, False]),
        (pa.array([True, None]), np.float64, [1, np.nan]),
        (pa.array([None, None], pa.null()), np.float64, [np.nan, np.nan]),
        (pa.array([7, 9, 7]).dictionary_encode(), np.int64, [7, 9, 7]),
        (pa.array([decimal.Decimal("0.1"), decimal.Decimal("0.3")]), np.float64, [0.1, 0.3]),
        (pa.array([[1, 2], [3, 4]], pa.list_(pa.int8(), 2)), np.int8, [[1, 2], [3, 4]]),
        (
            pa.array([[1.5, 2], None], pa.list_(pa.float64(), 2)),
            np.float64,
            [[1.5, 2], [np.nan] * 2],
        ),
        (pa.array([[1, 2], None]), np.float64, [[1, 2], [np.nan] * 2]),
        (pa.array([[1, 2], [3, None]]), np.float64, [[1, 2], [3, np.nan]]),
        (pa.array([[1, 2], [3]]), np.int64, [[1, 2], [3, -1]]),
        (pa.array([[1, 2], [3]], pa.list_(pa.uint8())), np.int16, [[1, 2], [3, -1]]),
        (pa.array([[1.5], []], pa.large_list(pa.float32())), np.float32, [[1.5], [-1]]),
        (pa.array([[[1, 2]], [[3, 4]]]), np.int64, [[[1, 2]], [[3, 4]]]),
        (pa.array([[[1, 2]], [[3, 4], [5, 6]]]), np.int64, [[[1, 2], [-1, -1]], [[3, 4], [5, 6]]]),
        (
            pa.ExtensionArray.from_storage(
                pa.fixed_shape_tensor(pa.float32(), [2, 2]),
                pa.array([[1, 2, 3, 4]], pa.list_(pa.float32(), 4)),
            ),
            np.float32,
            [[[1, 2], [3, 4]]],
        ),
    )

    @pytest.mark.parametrize("suffix", ["parquet", "arrow", "feather", "arrows"])
    @pytest.mark.parametrize("case", range(len(CASES)))
    def test_numbers(self, tmp_path: Path, suffix: str, case: int) -> None:
        array, dtype, expected = self.CASES[case]
        path = tmp_path / f"x.{suffix}"
        table = pa.table({"x": array})
        if suffix == "parquet":
            pa.parquet.write_table(table, path)
        elif suffix == "feather":
            pa.feather.write_feather(table, str(path), compression="zstd")
        else:
            with (pa.ipc.new_file if suffix == "arrow" else pa.ipc.new_stream)(
                path, table.schema
            ) as writer:
                writer.write_table(table)
        found = load(path, {"x": Want.RAGGED})["x"]
        assert found.dtype == dtype
        np.testing.assert_array_equal(found, expected)
        lengths = {len(row) for row in array.to_pylist() if isinstance(row, list)}
        if len(lengths) > 1:
            refused(lambda: load(path, {"x": True}), "row 1, column x: a list of")
            return
        found = load(path, {"x": True})["x"]
        assert found.dtype == dtype
        np.testing.assert_array_equal(found, expected)

    def test_shapes_are_known_before(self, tmp_path: Path) -> None:
        table = pa.table(
            {
                "plain": [1.0, 2.0],
                "pair": pa.array([[1, 2], [3, 4]], pa.list_(pa.float32(), 2)),
                "list": [[1.0, 2, 3], [4, 5, 6]],
                "grid": [[[1, 2], [3, 4]], [[1, 2], [3, 4]]],
                "ragged": [[1], [2, 3]],
                "text": ["a", "b"],
            }
        )
        pa.parquet.write_table(table, tmp_path / "x.parquet")
        pa.feather.write_feather(table, str(tmp_path / "x.feather"))
        for name in ("x.parquet", "x.feather"):
            columns = open_table(str(tmp_path / name), Format()).columns
            assert [c.shape for c in columns] == [(), (2,), (3,), (2, 2), None, ()]
            assert [c.numeric for c in columns] == [True] * 5 + [False]
            assert columns[1].dtype == "list<float>[2]" and columns[2].dtype == "list<double>"

    def test_values(self, tmp_path: Path) -> None:
        when = datetime(2024, 1, 5, 12)
        table = pa.table(
            {
                "text": ["a", None],
                "word": pa.array(["b", None]).dictionary_encode(),
                "whole": pa.array([2**53 + 1, 3]),
                "gap": pa.array([2**53 + 1, None]),
                "day": [date(2024, 1, 5), None],
                "time": pa.array([when, None], pa.timestamp("ns")),
                "money": pa.array([decimal.Decimal("0.10"), None]),
                "id": pa.array([decimal.Decimal(10**20), None], pa.decimal128(38, 0)),
                "list": [[1, 2], [3, 4]],
                "truth": [True, None],
            }
        )
        pa.parquet.write_table(table, tmp_path / "x.parquet")
        pa.feather.write_feather(table, str(tmp_path / "x.feather"))
        for name in ("x.parquet", "x.feather"):
            found = load(tmp_path / name, dict.fromkeys(table.column_names, False))
            assert found["whole"].dtype == np.int64
            assert {key: column.tolist() for key, column in found.items()} == {
                "text": ["a", None],
                "word": ["b", None],
                "whole": [2**53 + 1, 3],
                "gap": [2**53 + 1, None],
                "day": ["2024-01-05", None],
                "time": ["2024-01-05 12:00:00.000000000", None],
                "money": ["0.10", None],
                "id": [10**20, None],
                "list": [[1, 2], [3, 4]],
                "truth": [True, None],
            }

    @given(st.lists(st.decimals(-(10**9), 10**9, places=12), min_size=1))
    @settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_decimals_round_once(self, tmp_path: Path, listed: list[decimal.Decimal]) -> None:
        table = pa.table({"x": pa.array(listed, pa.decimal128(38, 12))})
        pa.parquet.write_table(table, tmp_path / "x.parquet")
        assert load(tmp_path / "x.parquet")["x"].tolist() == [float(value) for value in listed]

    def test_list_of_another_length_after_the_claim(self, tmp_path: Path) -> None:
        lists = [[1.0, 2.0]] * 5000
        lists[3000] = [1.0, 2.0, 3.0]
        paths = [str(tmp_path / name) for name in ("x.parquet", "x.feather", "x.arrows")]

        def write() -> None:
            table = pa.table({"x": lists})
            pa.parquet.write_table(table, paths[0])
            pa.feather.write_feather(table, paths[1], compression="zstd")
            with pa.ipc.new_stream(paths[2], table.schema) as writer:
                writer.write_table(table)

        write()
        for path in paths:
            assert open_table(path, Format()).columns[0].shape is None
            assert load(path, {"x": Want.RAGGED}, rows=70)["x"].shape == (5000, 3)
            refused(
                lambda path=path: load(path),
                f"{path}, row 3000, column x: a list of 3 values, where the rows before hold 2",
            )
        lists[3001] = [1.0]  # as many values as if all had two: nothing tells before
        write()
        for path in paths:
            refused(lambda path=path: load(path), "row 3000, column x: a list of 3 values")

    def test_list_of_another_length_in_a_pipe(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        table = pa.table({"x": [[1.0]] * 1000 + [[]]})
        with pa.ipc.new_stream(tmp_path / "x.arrows", table.schema) as writer:
            writer.write_table(table)
        pipe(monkeypatch, (tmp_path / "x.arrows").read_bytes())
        opened = open_table("-", Format(input_format="arrow"))
        refused(lambda: drain(opened, {"x": True}), "row 1000, column x: a list of 0 values")

    def test_lists_inside_lists_that_differ(self, tmp_path: Path) -> None:
        path = tmp_path / "x.parquet"
        pa.parquet.write_table(pa.table({"x": [None, [[1, 2], [3]], [[1, 2]]]}), path)
        refused(lambda: load(path), "x.parquet, row 1, column x", "lists inside lists")
        pa.parquet.write_table(pa.table({"x": [[[1, 2], [3, 4]], [[1, 2], [3]]]}), path)
        refused(lambda: load(path), "x.parquet, row 1, column x", "a list of 1 value")
        pa.parquet.write_table(pa.table({"x": [[[1, 2]], [[1, 2, 3]]]}), path)
        refused(lambda: load(path, {"x": Want.RAGGED}), "row 1, column x", "lists inside lists")
        refused(lambda: load(path, {"x": Want.RAGGED}, rows=1), "column x", "lists inside lists")

    @pytest.mark.parametrize("suffix", ["parquet", "feather"])
    def test_refusals(self, tmp_path: Path, suffix: str) -> None:
        path = tmp_path / f"x.{suffix}"
        table = pa.table({"text": ["a"], "day": [date(2024, 1, 5)], "deep": [{"a": 1}]})
        write = pa.parquet.write_table if suffix == "parquet" else pa.feather.write_feather
        write(table, str(path))
        refused(
            lambda: load(path, {"text": True}), str(path), "column text holds string, not numbers"
        )
        refused(lambda: load(path, {"day": True}), "column day holds date32")
        refused(lambda: load(path, {"deep": True}), "column deep holds struct")
        refused(lambda: load(path, {"texts": True}), "no column texts", "did you mean text?")
        write(table.slice(0, 0), str(path))
        refused(lambda: load(path), str(path), "no rows")

    @pytest.mark.parametrize("suffix", ["parquet", "arrow", "arrows", "feather"])
    def test_damage(self, tmp_path: Path, suffix: str) -> None:
        """Cut anywhere, or overwritten: an error with the name, or the true numbers."""
        path = tmp_path / f"x.{suffix}"
        column = np.arange(500.0)
        writers = {
            "parquet": to_parquet,
            "arrow": to_arrow,
            "arrows": to_stream,
            "feather": to_feather,
        }
        writers[suffix](path, {"x": column}, 100)
        whole = path.read_bytes()
        for keep in [*range(0, len(whole), max(1, len(whole) // 60)), len(whole) - 1]:
            refused(lambda keep=keep: load(put(path, whole[:keep])), str(path))
        refused(lambda: load(put(path, "a,b\n1,2\n" * 10)), str(path), "cut short")

    def test_damaged_pages(self, tmp_path: Path) -> None:
        path = tmp_path / "x.parquet"
        table = pa.table({"x": np.arange(5000.0)})
        pa.parquet.write_table(table, path, write_page_checksum=True, compression=None)
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        refused(lambda: load(put(path, bytes(data))), str(path), "corrupt")

    @pytest.mark.parametrize("cores", [1, 2, 3, 16])
    @pytest.mark.parametrize("group", [1, 7, 100, 5000])
    def test_row_groups_side_by_side(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cores: int, group: int
    ) -> None:
        """One wide column and a narrow one, read in order on any number of cores."""
        monkeypatch.setattr("lossctl.sources.parquet.available_cores", lambda: cores)
        monkeypatch.setattr("lossctl.sources.parquet._BATCH_BYTES", 20_000)
        lanes = []

        def counted(runs: Any, work: Any, threads: int) -> Any:
            lanes.append(threads)
            return ordered(runs, work, threads)

        monkeypatch.setattr("lossctl.sources.parquet.ordered", counted)
        wide, label = np.arange(600.0 * 50).reshape(600, 50), np.arange(600)
        table = pa.table({"x": pa.FixedSizeListArray.from_arrays(wide.ravel(), 50), "y": label})
        path = tmp_path / "x.parquet"
        pa.parquet.write_table(table, path, row_group_size=group)
        for rows in (1000, 33):
            found = load(path, {"x": True, "y": True}, rows=rows)
            assert (found["x"] == wide).all() and (found["y"] == label).all()
        side_by_side = cores > 1 and group < 600
        assert bool(lanes) == side_by_side and all(1 < found <= cores for found in lanes)

    @pytest.mark.parametrize("cores", [1, 4])
    def test_a_damaged_row_group(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cores: int
    ) -> None:
        """Those before it are read, and no thread is left over."""
        monkeypatch.setattr("lossctl.sources.parquet.available_cores", lambda: cores)
        monkeypatch.setattr("lossctl.sources.parquet._BATCH_BYTES", 8_000)
        path = tmp_path / "x.parquet"
        table = pa.table({"x": np.arange(5000.0)})
        pa.parquet.write_table(
            table, path, row_group_size=500, write_page_checksum=True, compression=None,
            use_dictionary=False,
        )  # fmt: skip
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        slabs = open_table(str(put(path, bytes(data))), Format()).slabs({"x": Want.NUMBERS}, 500)
        assert next(slabs).load()["x"].tolist() == table["x"].to_pylist()[:500]
        refused(lambda: [slab.load() for slab in slabs], str(path), "corrupt")
        assert not [one for one in threading.enumerate() if one.name == "lossctl"]

    def test_interrupted_stream(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        path = tmp_path / "x.arrows"
        to_stream(path, {"x": np.arange(10.0)}, 5)
        cut = path.read_bytes()[:-8]
        refused(lambda: load(put(path, cut)), str(path), "end mark")
        pipe(monkeypatch, cut)
        refused(lambda: load("-", {"x": True}, input_format="arrow"), "standard input", "end mark")

    def test_feather_1(self, tmp_path: Path) -> None:
        path = put(tmp_path / "x.feather", b"FEA1" + bytes(100))
        refused(lambda: load(path), str(path), "version 1", "write_feather")

    def test_columns_with_dots_and_duplicates(self, tmp_path: Path) -> None:
        table = pa.table({"a.b": [1.0], "a": [2.0], "c": [{"d": 1}]})
        pa.parquet.write_table(table, tmp_path / "x.parquet")
        assert load(tmp_path / "x.parquet", {"a": True})["a"].tolist() == [2]
        assert load(tmp_path / "x.parquet", {"a.b": True})["a.b"].tolist() == [1]
        twice = pa.Table.from_arrays([pa.array([1]), pa.array([2])], ["a", "a"])
        with pa.ipc.new_file(tmp_path / "x.arrow", twice.schema) as writer:
            writer.write_table(twice)
        refused(lambda: load(tmp_path / "x.arrow"), "more than one column is named a")


class TestJsonLines:
    def test_numbers(self, tmp_path: Path) -> None:
        lines = (
            '{"a":1,"l":[1,2],"b":true}\n\n{"a":2.5,"l":[3.5,4],"b":false}\r\n'
            '{"a":null}\n{"a":NaN,"l":[1,null]}\n{"a":1e400,"z":1}'
        )
        found = load(put(tmp_path / "x.jsonl", lines), dict.fromkeys("alb", True))
        np.testing.assert_array_equal(found["a"], [1, 2.5, np.nan, np.nan, np.inf])
        gone = [np.nan, np.nan]
        np.testing.assert_array_equal(found["l"], [[1, 2], [3.5, 4], gone, [1, np.nan], gone])
        np.testing.assert_array_equal(found["b"], [1, 0, np.nan, np.nan, np.nan])

    def test_integers_become_floats_far_behind_the_head(self, tmp_path: Path) -> None:
        path = put(tmp_path / "x.jsonl", '{"a":1}\n' * 200_000 + '{"a":1.5}\n')
        assert load(path)["a"][-1] == 1.5

    def test_ragged_and_nested(self, tmp_path: Path) -> None:
        lines = '{"r":[1],"g":[[1,2],[3,4]]}\n{"r":[2,3],"g":[[5,6],[7,8]]}\n'
        path = put(tmp_path / "x.jsonl", lines)
        assert [c.shape for c in open_table(str(path), Format()).columns] == [None, (2, 2)]
        found = load(path, {"r": Want.RAGGED, "g": True})
        np.testing.assert_array_equal(found["r"], [[1, -1], [2, 3]])
        refused(lambda: load(path), f"{path}, row 1 (line 2), column r: a list of 2 values")
        assert found["g"].tolist() == [[[1, 2], [3, 4]], [[5, 6], [7, 8]]]

    def test_values(self, tmp_path: Path) -> None:
        lines = (
            '{"k":1,"s":"x","t":"2024-01-05"}\n{"k":"u","s":2}\n'
            '{"k":9007199254740993,"t":"2024-01-06"}\n'
        )
        found = load(put(tmp_path / "x.jsonl", lines), dict.fromkeys("kst", False))
        assert found["k"].tolist() == [1, "u", 9007199254740993]
        assert found["s"].tolist() == ["x", 2, None]
        assert found["t"].tolist() == ["2024-01-05", None, "2024-01-06"]
        found = load(put(tmp_path / "x.jsonl", '{"k":1}\n{"k":2}\n'), {"k": False})
        assert found["k"].dtype == np.int64

    @pytest.mark.parametrize(
        ("lines", "words"),
        [
            ("", ["is empty"]),
            ("  \n", ["is empty"]),
            ("[1, 2]\n", ["begins with a list"]),
            (
                '{"a":1}\n' * 300_000 + '\n{"a":"x"}\n',
                ["row 300000 (line 300002)", "column a", "'x' is no number"],
            ),
            ('{"a":1}\n{"a":true}\n', ["row 1 (line 2)", "column a", "'true' is no number"]),
            ('{"a":1}\n\n{"a":1,}\n', ["row 1 (line 3)", "is no JSON"]),
            ('{"a":1}\n[3]\n', ["row 1 (line 2)", "'[3]' is no object"]),
            ('{"a":1}\n{"a":\n', ["row 1 (line 2)", "is no JSON"]),
            ('{"a":true}\n{"a":1}\n', ["row 1 (line 2)", "true nor false"]),
            ('{"a":[1]}\n{"a":1}\n', ["row 1 (line 2)", "is no list"]),
            (b'{"a":1}\n{"a":"\xff"}\n', ["row 1 (line 2)", "UTF-8"]),
            (
                '{"a":[1,2]}\n' * 100_000 + '{"a":[1]}\n',
                ["row 100000 (line 100001)", "a list of 1 value"],
            ),
        ],
    )
    def test_errors(self, tmp_path: Path, lines: str | bytes, words: list[str]) -> None:
        path = put(tmp_path / "x.jsonl", lines)
        refused(lambda: load(path, {"a": True}), str(path), *words)


class TestNpy:
    @pytest.mark.parametrize(
        "kind",
        [
            "?",
            "i1",
            "u1",
            ">i2",
            "<u4",
            ">i8",
            "u8",
            "f2",
            ">f2",
            "f4",
            ">f4",
            "f8",
            ">f8",
            "c8",
            ">c16",
        ],
    )
    def test_types(self, tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
        array = (np.arange(20) % 2).reshape(10, 2).astype(kind)
        np.save(tmp_path / "x.npy", array)
        found = load(tmp_path / "x.npy", {"": True}, rows=3)[""]
        assert found.dtype == array.dtype.newbyteorder("=")
        np.testing.assert_array_equal(found, array)
        pipe(monkeypatch, (tmp_path / "x.npy").read_bytes())
        np.testing.assert_array_equal(load("-", {"": True}, rows=3, input_format="npy")[""], array)

    def test_long_double(self, tmp_path: Path) -> None:
        np.save(tmp_path / "x.npy", np.array([1, 2], np.longdouble))
        assert load(tmp_path / "x.npy")[""].dtype == np.float64

    @given(
        shape=st.lists(st.integers(1, 6), min_size=1, max_size=4),
        rows=st.integers(1, 8),
        order=st.sampled_from("CF"),
        held=st.integers(1, 200),
    )
    @settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_orders(
        self, tmp_path: Path, shape: list[int], rows: int, order: Any, held: int
    ) -> None:
        from lossctl.sources import npy

        array = np.asarray(np.arange(np.prod(shape)).reshape(shape), order=order)
        np.save(tmp_path / "x.npy", array)
        np.savez(tmp_path / "x.npz", x=array, y=array[:, None])
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(npy, "_COLUMNWISE_BYTES", held)
            np.testing.assert_array_equal(load(tmp_path / "x.npy", rows=rows)[""], array)
            found = load(tmp_path / "x.npz", rows=rows)
        np.testing.assert_array_equal(found["x"], array)
        np.testing.assert_array_equal(found["y"], array[:, None])

    @pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
    def test_versions(self, tmp_path: Path, version: tuple[int, int]) -> None:
        name = "größe" if version == (3, 0) else "size"
        array = np.array([(1.5, [1, 2]), (2.5, [3, 4])], [(name, ">f8"), ("pair", "i4", 2)])
        with open(tmp_path / "x.npy", "wb") as file:
            np.lib.format.write_array(file, array, version)
        found = load(tmp_path / "x.npy", rows=1)
        assert found[name].tolist() == [1.5, 2.5]
        assert found["pair"].tolist() == [[1, 2], [3, 4]]

    def test_text_and_times(self, tmp_path: Path) -> None:
        for array, expected in [
            (np.array(["a", "bc"]), ["a", "bc"]),
            (np.array([b"a", b"\xc3\xa9"]), ["a", "é"]),
            (np.array(["2024-01-05", "NaT"], "M8[D]"), ["2024-01-05", None]),
            (np.array(["2024-01-05T12:00"], "M8[s]"), ["2024-01-05 12:00:00"]),
        ]:
            np.save(tmp_path / "x.npy", array)
            assert load(tmp_path / "x.npy", {"": False})[""].tolist() == expected
            refused(lambda: load(tmp_path / "x.npy", {"": True}), "x.npy", "not numbers")

    def test_lengths(self, tmp_path: Path) -> None:
        path = tmp_path / "x.npy"
        np.save(path, np.arange(1000.0))
        whole = path.read_bytes()
        for lost in (1, 8, 7999):
            kept = (8000 - lost) // 8
            words = f"the header says 1000 rows, the file holds {kept}"
            refused(
                lambda lost=lost: open_table(str(put(path, whole[:-lost])), Format()),
                str(path),
                words,
            )
        refused(lambda: load(put(path, whole + b"x")), str(path), "1 byte more than")
        for keep in (0, 5, 9, 60):
            refused(lambda keep=keep: load(put(path, whole[:keep])), str(path))
        np.save(path, np.asfortranarray(np.ones((10, 3))))
        refused(lambda: load(put(path, path.read_bytes()[:-8])), "holds 9", "232 of 240 bytes")

    def test_cut_while_it_is_read(self, tmp_path: Path) -> None:
        path = tmp_path / "x.npy"
        np.save(path, np.arange(1000.0))
        slabs = list(open_table(str(path), Format()).slabs({"": True}, 100))
        os.truncate(path, 1000)
        assert slabs[0].load()[""][99] == 99
        refused(lambda: slabs[5].load(), str(path), "while it was read")

    def test_short_stream(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        np.save(tmp_path / "x.npy", np.arange(10.0))
        whole = (tmp_path / "x.npy").read_bytes()
        pipe(monkeypatch, whole[:-9])
        refused(
            lambda: load("-", {"": True}, 3, input_format="npy"),
            "standard input",
            "10 rows, only 8 came",
        )
        pipe(monkeypatch, whole + b"x")
        refused(
            lambda: load("-", {"": True}, 3, input_format="npy"), "standard input", "more bytes"
        )
        np.save(tmp_path / "x.npy", np.asfortranarray(np.ones((4, 2))))
        pipe(monkeypatch, (tmp_path / "x.npy").read_bytes())
        refused(lambda: load("-", input_format="npy"), "Fortran order", "ascontiguousarray")

    @pytest.mark.parametrize(
        ("array", "words"),
        [
            (np.array(1.5), "single number"),
            (np.empty(0), "no rows"),
            (np.array([1, "a"], object), "never unpickled"),
            (np.array([((1,),)], [("a", [("b", "i4")])]), "records inside records"),
            (np.array([b"ab"], "V2"), "raw bytes"),
        ],
    )
    def test_refusals(self, tmp_path: Path, array: Array, words: str) -> None:
        np.save(tmp_path / "x.npy", array)
        refused(lambda: load(tmp_path / "x.npy"), "x.npy", words)

    def test_hostile_headers(self, tmp_path: Path) -> None:
        for shape in ("(-1,)", "(10**18,)", "(1000000000000000000,)", "(2, 3", "'x'"):
            header = (
                f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
            )
            data = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode()
            refused(lambda data=data: load(put(tmp_path / "x.npy", data + bytes(80))), "x.npy")
        refused(lambda: load(put(tmp_path / "x.npy", b"\x93NUMPY\x09\x00" + bytes(80))), "x.npy")


class TestNpz:
    def test_arrays(self, tmp_path: Path) -> None:
        arrays = {
            "p": np.arange(10.0),
            "t": np.arange(10),
            "short": np.ones((3, 2)),
            "epoch": np.array(3),
        }
        np.savez(tmp_path / "x.npz", **arrays, odd=np.array([None]))
        table = open_table(str(tmp_path / "x.npz"), Format())
        assert table.separate and table.rows is None
        assert [c.name for c in table.columns if c.numeric] == ["p", "t", "short"]
        found = drain(table, {"p": True, "t": True}, 4)
        assert found["t"].dtype == np.int64 and found["p"].tolist() == list(range(10))
        assert drain(table, {"short": True}, 4)["short"].shape == (3, 2)
        refused(
            lambda: drain(table, {"p": True, "short": True}), "x.npz", "p has 10 rows, short has 3"
        )
        refused(lambda: drain(table, {"epoch": True}), "x.npz", "epoch")
        refused(lambda: drain(table, {"odd": False}), "x.npz, array odd", "never unpickled")

    def test_records(self, tmp_path: Path) -> None:
        records = np.array([(1.5, 2), (3.5, 4)], [("a", "f4"), ("b", ">i2")])
        np.savez(tmp_path / "x.npz", r=records, s=np.arange(2))
        found = load(tmp_path / "x.npz", rows=1)
        assert {name: column.tolist() for name, column in found.items()} == {
            "r.a": [1.5, 3.5],
            "r.b": [2, 4],
            "s": [0, 1],
        }

    def test_damage(self, tmp_path: Path) -> None:
        path = tmp_path / "x.npz"
        for save in (np.savez, np.savez_compressed):
            save(path, p=np.arange(5000.0))
            whole = path.read_bytes()
            refused(lambda whole=whole: load(put(path, whole[:-30])), str(path))
            refused(lambda whole=whole: load(put(path, whole[: len(whole) // 2])), str(path))
            damaged = bytearray(whole)
            damaged[len(whole) // 2] ^= 1
            refused(lambda data=bytes(damaged): load(put(path, data), rows=100), str(path))
        refused(lambda: load(put(path, "no zip")), str(path), "NPZ")

    def test_claims(self, tmp_path: Path) -> None:
        np.save(tmp_path / "p.npy", np.arange(10.0))
        with zipfile.ZipFile(tmp_path / "x.npz", "w") as archive:
            archive.writestr("p.npy", (tmp_path / "p.npy").read_bytes()[:-8])
        refused(
            lambda: load(tmp_path / "x.npz"), "array p: the header says 10 rows, the file holds 9"
        )
        with zipfile.ZipFile(tmp_path / "x.npz", "w") as archive:
            archive.writestr("README.txt", "hello")
        refused(lambda: load(tmp_path / "x.npz"), "no arrays")

    def test_not_from_a_pipe(self, monkeypatch: pytest.MonkeyPatch) -> None:
        pipe(monkeypatch, b"")
        refused(lambda: load("-", input_format="npz"), "NPZ", "pipe", "save it to a file")


class TestPaths:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        folder = tmp_path / "parts"
        folder.mkdir()
        for index, rows in [(10, "5\n6\n"), (2, "3\n4\n"), (1, "1\n2\n")]:
            put(folder / f"part-{index}.csv", "a\n" + rows)
        for name in (".hidden.csv", "_SUCCESS", "_metadata.csv"):
            put(folder / name, "b\nx\n")
        return folder

    def test_folders_and_globs(self, folder: Path) -> None:
        for path in (
            folder,
            f"{folder}/",
            f"{folder}/*",
            f"{folder}/*.csv",
            f"file://{folder}/part-?*.csv",
        ):
            assert load(path, rows=4)["a"].tolist() == [1, 2, 3, 4, 5, 6]
        table = open_table(str(folder), Format())
        drain(table, {"a": True}, 4)
        assert table.place(0) == f"{folder}/part-1.csv, row 0 (line 2)"
        assert table.place(3) == f"{folder}/part-2.csv, row 1 (line 3)"
        assert table.place(4) == f"{folder}/part-10.csv, row 0 (line 2)"

    def test_file_uri(self, folder: Path) -> None:
        put(folder.parent / "a b.csv", "a\n7\n")
        assert load(f"file://{folder.parent}/a%20b.csv")["a"].tolist() == [7]

    def test_names_that_look_like_globs(self, tmp_path: Path) -> None:
        put(tmp_path / "x[1].csv", "a\n7\n")
        assert load(tmp_path / "x[1].csv")["a"].tolist() == [7]

    @pytest.mark.parametrize("name", ["npy", "npz", "parquet", "arrow"])
    def test_parts_of_every_format(self, tmp_path: Path, name: str) -> None:
        for index in range(3):
            values = np.arange(3.0) + 3 * index
            if name == "npy":
                np.save(tmp_path / f"{index}.npy", values)
            else:
                WRITERS[f"x.{name}"](tmp_path / f"{index}.{name}", {"a": values}, 2)
        table = open_table(str(tmp_path), Format())
        assert table.rows == 9
        assert table.place(7) == f"{tmp_path}/2.{name}, row 1"
        column = table.columns[0].name
        assert drain(table, {column: True}, 2)[column].tolist() == list(range(9))

    def test_parts_that_differ(self, folder: Path, tmp_path: Path) -> None:
        put(folder / "part-3.csv", "a,b\n1,2\n")
        refused(lambda: load(folder, {"a": True}), "part-3.csv", "another column b", "part-1.csv")
        put(folder / "part-3.csv", "c\n1\n")
        refused(lambda: load(folder, {"a": True}), "part-3.csv", "lacks column a")
        put(folder / "part-3.csv", "a\n1\nx\n")
        refused(lambda: load(folder, {"a": True}), "part-3.csv, row 1 (line 3), column a: 'x'")
        other = tmp_path / "other"
        other.mkdir()
        for name, column in [("1", np.arange(3)), ("2", np.arange(3.0))]:
            to_parquet(other / f"{name}.parquet", {"a": column}, 3)
        refused(lambda: load(other), "2.parquet", "column a holds double, in", "int64")
        for name, column in [("1", np.ones((3, 2))), ("2", np.ones((3, 4)))]:
            np.save(other / f"{name}.npy", column)
        refused(lambda: load(other / "*.npy"), "2.npy", "shape (4,)", "1.npy", "shape (2,)")

    def test_part_without_rows(self, folder: Path) -> None:
        put(folder / "part-3.csv", "a\n")
        assert load(folder)["a"].tolist() == [1, 2, 3, 4, 5, 6]

    def test_strange_folders(self, tmp_path: Path, folder: Path) -> None:
        (tmp_path / "empty").mkdir()
        refused(lambda: load(tmp_path / "empty"), "empty", "without readable parts")
        refused(lambda: load(tmp_path), str(tmp_path), "without readable parts", "**")
        put(folder / "notes.md", "hello")
        refused(lambda: load(folder), str(folder), "notes.md", "*.csv")
        (folder / "notes.md").unlink()
        np.save(folder / "x.npy", np.ones(3))
        refused(lambda: load(folder), "x.npy is npy", "part-1.csv csv", "glob")

    def test_missing(self, tmp_path: Path) -> None:
        put(tmp_path / "predictions.csv", "a\n1\n")
        refused(lambda: load(tmp_path / "prediction.csv"), "no such file", "predictions.csv")
        refused(lambda: load(tmp_path / "no" / "x.csv"), "no such file", "no folder")
        refused(lambda: load(tmp_path / "*.parquet"), "no file matches")
        refused(lambda: load(tmp_path / "predictions.csv" / "x.csv"), "no such file")
        refused(lambda: load(""), "no input")
        refused(lambda: load("nowhere://x/y.csv"), "nowhere://x/y.csv")

    def test_unknown_formats(self, tmp_path: Path) -> None:
        path = put(tmp_path / "x.dat", "a\n1\n")
        refused(lambda: load(path), str(path), ".parquet", ".csv", "--input-format")
        refused(lambda: load(path, input_format="cvs"), "cvs", "csv", kind=UsageError)
        refused(lambda: load("-"), "--input-format", "csv", "npy", kind=UsageError)
        refused(lambda: load(put(tmp_path / "x.npy.gz", "")), "x.npy.gz", "--input-format")

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
    def test_permission(self, tmp_path: Path) -> None:
        path = put(tmp_path / "x.csv", "a\n1\n")
        path.chmod(0)
        refused(lambda: load(path), str(path), "permission denied")

    def test_permission_in_words(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        path = put(tmp_path / "x.npy", "")

        def deny(*_: Any) -> None:
            raise PermissionError(13, "Permission denied", str(path))

        monkeypatch.setattr("builtins.open", deny)
        refused(lambda: load(path), f"{path}: permission denied")

    def test_named_pipe(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "x.csv")
        writer = subprocess.Popen(["sh", "-c", f"printf 'a\\n1\\n2\\n' > '{tmp_path}/x.csv'"])
        assert load(tmp_path / "x.csv", {"a": True})["a"].tolist() == [1, 2]
        assert writer.wait() == 0

    def test_remote_filesystems(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Through pyarrow.fs, with a local folder in place of the bucket."""
        from pyarrow import fs

        local = fs.SubTreeFileSystem(str(folder.parent), fs.LocalFileSystem())

        class Bucket:
            @staticmethod
            def from_uri(uri: str) -> tuple[Any, str]:
                return local, uri.removeprefix("s3://")

        np.save(folder.parent / "x.npy", np.arange(5.0))
        np.save(folder.parent / "f.npy", np.asfortranarray(np.arange(6.0).reshape(3, 2)))
        np.savez(folder.parent / "x.npz", a=np.arange(5.0))
        to_parquet(folder.parent / "x.parquet", {"a": np.arange(5.0)}, 2)
        to_arrow(folder.parent / "x.arrow", {"a": np.arange(5.0)}, 2)
        put(folder.parent / "x.csv.gz", gzip.compress(b"a\n1\n"))
        monkeypatch.setattr(fs, "FileSystem", Bucket)
        for path in ("s3://parts", "s3://parts/*.csv", "s3://*/part-*.csv", "s3://**/part-*.csv"):
            assert load(path)["a"].tolist() == [1, 2, 3, 4, 5, 6]
        assert load("s3://x.npy", rows=2)[""].tolist() == [0, 1, 2, 3, 4]
        assert load("s3://f.npy", rows=2)[""].tolist() == [[0, 1], [2, 3], [4, 5]]
        for name in ("x.npz", "x.parquet", "x.arrow"):
            assert load(f"s3://{name}", rows=2)["a"].tolist() == [0, 1, 2, 3, 4]
        assert load("s3://x.csv.gz")["a"].tolist() == [1]
        refused(lambda: load("s3://none.csv"), "s3://none.csv", "no such file")
        refused(lambda: load("s3://parts/*.npy"), "no file matches")
        put(folder / "part-2.csv", "a\nx\n")
        refused(lambda: load("s3://parts", {"a": True}), "s3://parts/part-2.csv, row 0 (line 2)")


class TestChoose:
    def table(self, tmp_path: Path, header: str, row: str | None = None) -> Table:
        names = next(csv.reader([header]))
        row = row or ",".join("1" for _ in names)
        return open_table(str(put(tmp_path / "x.csv", f"{header}\n{row}\n")), Format())

    @pytest.mark.parametrize(
        ("header", "columns", "role", "expected"),
        [
            ("a,p_2,p_1,b", "p_*", "prediction", ["p_2", "p_1"]),
            ("a,p_2,p_1,b", "b,p_*,a,p_1", "prediction", ["b", "p_2", "p_1", "a"]),
            ('"a,b",c', "a,b", "prediction", ["a,b"]),
            ('"a,b",c', '"a,b",c', "prediction", ["a,b", "c"]),
            ("x[0],x[1]", "x[1]", "prediction", ["x[1]"]),
            ("id,y_pred,y_true", None, "prediction", ["y_pred"]),
            ("id,Y_Pred,Labels", None, "prediction", ["Y_Pred"]),
            ("id,Y_Pred,Labels", None, "target", ["Labels"]),
            ("id,Scores,y", None, "prediction", ["Scores"]),
            ("a", None, "prediction", ["a"]),
            ("id,anchors,b", None, "anchor", ["anchors"]),
            ("id,sample_weight,b", None, "weight", ["sample_weight"]),
        ],
    )
    def test_choices(
        self, tmp_path: Path, header: str, columns: str | None, role: str, expected: list[str]
    ) -> None:
        table = self.table(tmp_path, header)
        assert [column.name for column in choose(table, columns, role)] == expected

    def test_only_number(self, tmp_path: Path) -> None:
        table = self.table(tmp_path, "text,value,day", "a,1,2024-01-05")
        assert choose(table, None, "target")[0].name == "value"

    def test_index_of_pandas(self, tmp_path: Path) -> None:
        assert choose(self.table(tmp_path, ",value"), None, "target")[0].name == "value"
        assert choose(self.table(tmp_path, "Unnamed: 0,value"), None, "target")[0].name == "value"
        table = pa.table({"value": [1.0], "__index_level_0__": [5]})
        pa.parquet.write_table(table, tmp_path / "x.parquet")
        opened = open_table(str(tmp_path / "x.parquet"), Format())
        assert choose(opened, None, "prediction")[0].name == "value"
        assert choose(opened, "*", "prediction") == opened.columns

    def test_blanks_in_the_header(self, tmp_path: Path) -> None:
        table = self.table(tmp_path, "y_pred, y_true")
        assert choose(table, "y_pred, y_true", "prediction") == table.columns

    def test_taken(self, tmp_path: Path) -> None:
        table = self.table(tmp_path, "score,y")
        assert choose(table, None, "target", frozenset({"score"}))[0].name == "y"
        table = self.table(tmp_path, "score,other")
        assert choose(table, None, "target", frozenset({"score"}))[0].name == "other"
        table = self.table(tmp_path, "y")
        refused(
            lambda: choose(table, None, "target", frozenset({"y"})),
            "target",
            "no other than those that are taken",
        )

    def test_text_by_its_usual_name(self, tmp_path: Path) -> None:
        table = self.table(tmp_path, "label,name", "cat,x")
        assert choose(table, None, "target")[0].name == "label"

    def test_undecided(self, tmp_path: Path) -> None:
        table = self.table(tmp_path, "y_pred,score,y")
        refused(
            lambda: choose(table, None, "prediction"),
            "x.csv",
            "y_pred, score",
            "--prediction COLUMN",
        )
        table = self.table(tmp_path, ",".join(f"c{i}" for i in range(30)))
        refused(lambda: choose(table, None, "target"), "c0, c1", "and 18 more", "--target COLUMN")
        refused(lambda: choose(table, None, "target"), "--target 'c*'")
        refused(lambda: choose(table, None, "weight"), "--weight ::COLUMN")
        table = self.table(tmp_path, ",".join([*(f"p_{i}" for i in range(10)), "a1", "a2", "z"]))
        refused(lambda: choose(table, None, "prediction"), "--prediction 'p_*'")
        refused(lambda: choose(table, None, "anchor"), "--input anchor=PATH::'p_*'")
        table = self.table(tmp_path, "p_0,p_1,p_sum,q_0")
        with pytest.raises(DataError) as caught:
            choose(table, None, "prediction")
        assert "*" not in str(caught.value)  # p_* would take the sum in
        refused(lambda: choose(table, None, "anchor"), "--input anchor=PATH::COLUMN")

    def test_unknown(self, tmp_path: Path) -> None:
        table = self.table(tmp_path, "y_pred,y_true")
        refused(
            lambda: choose(table, "y_prde", "prediction"), "no column y_prde", "did you mean y_pred"
        )
        refused(lambda: choose(table, "Y_PRED", "prediction"), "did you mean y_pred?")
        refused(
            lambda: choose(table, "q_*", "prediction"), "no column matches q_*", "y_pred, y_true"
        )

    def test_array(self, tmp_path: Path) -> None:
        np.save(tmp_path / "x.npy", np.ones(3))
        table = open_table(str(tmp_path / "x.npy"), Format())
        assert choose(table, None, "prediction") == table.columns
        refused(lambda: choose(table, "a", "prediction"), "x.npy", "no column a", "one array")

    def test_a_file_where_a_column_is_meant(self, tmp_path: Path) -> None:
        array, other = str(tmp_path / "x.npy"), str(tmp_path / "other.npy")
        for path in (array, other):
            np.save(path, np.ones(3))
        words = f"no column {other}: it is a file", "the prediction's, then the target's"
        table = self.table(tmp_path, "y_pred")
        refused(lambda: choose(table, other, "target"), *words)
        refused(lambda: choose(open_table(array, Format()), other, "target"), *words)

    def test_a_column_that_is_alike_comes_before_a_file(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        put(tmp_path / "y_prde", "")
        monkeypatch.chdir(tmp_path)
        table = self.table(tmp_path, "y_pred,y_true")
        refused(lambda: choose(table, "y_prde", "prediction"), "did you mean y_pred")


class TestImports:
    """A one-liner pays only for what it uses."""

    @pytest.mark.parametrize(
        ("name", "allowed"),
        [
            ("", set()),
            ("x.npy", {"numpy"}),
            ("x.npz", {"numpy", "zipfile"}),
            *((name, {"numpy", "pyarrow", "zipfile"}) for name in WRITERS if ".np" not in name),
        ],
    )
    def test_imports(self, tmp_path: Path, name: str, allowed: set[str]) -> None:
        if name:
            text = np.array(["a", "b", "c"])
            columns = {"p": np.array([1.0, np.nan, 2]), "k": np.arange(3)}
            if name.endswith((".parquet", ".arrow", ".arrows", ".feather")):
                columns["t"] = text
            WRITERS[name](tmp_path / name, columns, 2)
            if name.startswith("x.csv"):
                WRITERS[name](tmp_path / name, columns | {"t": np.array([1, 2, 3])}, 2)
        script = f"""
import sys
from lossctl.sources import Format, choose, open_table
if {name!r}:
    table = open_table({str(tmp_path / name)!r}, Format())
    names = {{column.name: column.name == "p" for column in table.columns}}
    for slab in table.slabs(names, 2):
        slab.load()
    choose(table, "p", "prediction")
    table.place(1)
heavy = {{"numpy", "pandas", "pyarrow", "zipfile", "concurrent.futures", "pyarrow.dataset"}}
print(*sorted(heavy & set(sys.modules)))
"""
        ran = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, check=True
        )
        found = set(ran.stdout.split()) - {"concurrent.futures"}
        assert found <= allowed
