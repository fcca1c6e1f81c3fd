"""Columns by number are read as object arrays are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from lossctl.reduce.groups import group_codes
from lossctl.sources import Format, open_table
from lossctl.sources.coded import Coded, concatenated
from lossctl.sources.convert import values
from lossctl.sources.table import Want

WORDS = st.one_of(st.none(), st.text(max_size=3), st.integers(-2, 2))
ROWS = st.lists(WORDS, max_size=30)


def plain(rows: list[Any]) -> Any:
    return np.fromiter(rows, object, len(rows))


def coded(rows: list[Any], more: list[Any]) -> Coded:
    """The rows by number, where some of the words do not occur and some are there twice."""
    words = [*more, *rows, *more]
    codes = np.arange(len(rows)) + len(more)
    return Coded.of(codes, words)


def groups(column: Any) -> list[tuple[Any, ...]]:
    codes, found, _ = group_codes((column,))
    return [found[code] for code in codes.tolist()]


@given(ROWS, ROWS)
def test_it_is_its_rows(rows: list[Any], more: list[Any]) -> None:
    column = coded(rows, more)
    assert len(set(column.words.tolist())) == len(column.words)
    assert column.dtype == plain(rows).dtype and len(column) == len(rows)
    assert column.tolist() == rows and np.asarray(column).tolist() == rows
    assert [column[row] for row in range(len(rows))] == rows
    assert column[::2].tolist() == rows[::2]
    assert column[np.arange(len(rows))[::-1]].tolist() == rows[::-1]


@given(ROWS, ROWS, ROWS)
def test_columns_follow_each_other(first: list[Any], second: list[Any], more: list[Any]) -> None:
    wanted = [*first, *second]
    both = concatenated([coded(first, more), coded(second, [])])
    assert isinstance(both, Coded) and both.tolist() == wanted
    mixed = concatenated([coded(first, more), plain(second)])
    assert isinstance(mixed, np.ndarray) and mixed.tolist() == wanted


@given(ROWS, ROWS)
def test_its_groups_are_those_of_its_rows(rows: list[Any], more: list[Any]) -> None:
    column = coded(rows, more)
    assert groups(column) == groups(plain(rows)) == [(row,) for row in rows]
    # and none that is not there
    assert set(group_codes((column,)).groups) == {(row,) for row in rows}


TEXT = pa.array(["b", None, "a", "b", "a", "a", "b", None, "a", "b"])
TWICE = pa.DictionaryArray.from_arrays(pa.array([0, 1, None, 2, 0, 3] * 3), ["a", "b", "a", None])


ENCODED = TEXT.dictionary_encode()
STORED = [TEXT, TEXT.cast(pa.large_string()), ENCODED, TEXT.slice(3), ENCODED.slice(3), TWICE]


@pytest.mark.parametrize("array", STORED)
def test_text_of_few_words_is_coded(array: pa.Array) -> None:
    found = values(pa.concat_arrays([array] * 3))
    assert isinstance(found, Coded)
    assert found.tolist() == array.to_pylist() * 3


def test_text_of_many_words_has_an_object_for_each_row() -> None:
    rows = [f"user {row}" for row in range(10)]
    found = values(pa.array(rows))
    assert isinstance(found, np.ndarray) and found.tolist() == rows


@pytest.mark.parametrize("options", [{}, {"use_dictionary": False}, {"row_group_size": 7}])
@pytest.mark.parametrize("kind", [pa.string(), pa.large_string()])
def test_parquet_reads_text_the_same_however_it_is_stored(
    tmp_path: Path, options: dict[str, Any], kind: pa.DataType
) -> None:
    few = [None if row % 5 == 0 else f"segment {row % 3}" for row in range(100)]
    many = [f"user {row}" for row in range(100)]
    table = pa.table({"few": pa.array(few, kind), "many": pa.array(many, kind)})
    parquet.write_table(table, tmp_path / "t.parquet", **options)
    opened = open_table(str(tmp_path / "t.parquet"), Format())
    slabs = [slab.load() for slab in opened.slabs({"few": Want.ANY, "many": Want.ANY}, 32)]
    opened.close()
    for name, rows in (("few", few), ("many", many)):
        assert [item for slab in slabs for item in slab[name].tolist()] == rows
