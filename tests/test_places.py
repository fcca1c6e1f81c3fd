"""Keys are found in the row that holds them, by each of the ways there are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossctl.align.places import Dense, Hashed, Keys, Texts, are_dense

DTYPES = ["i1", "u1", "i4", "i8", "u8", "f4", "f8"]
SMALL = st.integers(0, 100)


def places(array: Any) -> list[Any]:
    """Every way that serves these keys."""
    ways = [Hashed(array), Keys(array)]
    return [*ways, Dense(array)] if are_dense(array) else ways


@given(st.lists(SMALL, min_size=1, unique=True), st.lists(SMALL), st.sampled_from(DTYPES),
       st.sampled_from(DTYPES), st.integers(0, 27))  # fmt: skip
def test_numbers_are_found_by_their_value(
    own: list[int], wanted: list[int], mine: str, theirs: str, shift: int
) -> None:
    held = np.array(own).astype(mine) + np.array(shift, mine)
    asked = np.array(wanted, theirs)
    rows = {key: row for row, key in enumerate(held.tolist())}
    for found in places(held):
        assert found.find(asked).tolist() == [rows.get(key, -1) for key in asked.tolist()]
        assert not found.repeated().any()


@given(st.lists(SMALL, min_size=1), st.sampled_from(DTYPES))
def test_repeated_is_what_a_row_before_holds(own: list[int], kind: str) -> None:
    wanted = [key in own[:row] for row, key in enumerate(own)]
    for found in places(np.array(own, kind)):
        assert found.repeated().tolist() == wanted
    texts = np.array(list(map(str, own)), object)
    assert Texts(texts).repeated().tolist() == Keys(texts).repeated().tolist() == wanted


MOST = 2**63 - 1


@pytest.mark.parametrize(
    ("own", "wanted", "rows"),
    [
        (np.array([5, 6, 7]), np.array([6.0, 6.5, np.nan, np.inf, -np.inf, 1e300]), [1, *[-1] * 5]),
        (np.array([5, 6, 7]), np.array([2**64 - 1, 2**63 + 6, 6], "u8"), [-1, -1, 1]),
        (np.array([-1, -2, -3]), np.array([2**64 - 1, 0], "u8"), [-1, -1]),
        (np.array([MOST, MOST - 1]), np.array([MOST - 1, -MOST, 0, MOST]), [1, -1, -1, 0]),
        (np.array([-MOST, 1 - MOST]), np.array([MOST, 1 - MOST]), [-1, 1]),
        (np.array([2**63, 2**63 + 1], "u8"), np.array([2**63 + 1, 0], "u8"), [1, -1]),
        (np.array([0, MOST]), np.array([MOST, 1]), [1, -1]),
        (2**53 + np.arange(4), 2.0**53 + np.array([0, 2, 4]), [0, 2, -1]),
        (10**18 + np.arange(3, 64), np.array([1e18, 1e18 + 128]), [-1, -1]),
        (np.array([True, False]), np.array([0, 1]), [-1, -1]),
        (np.array([0, 1]), np.array([True, False]), [-1, -1]),
        (np.array([True, False]), np.array([False, True]), [1, 0]),
    ],
)
def test_the_ends_of_the_types(own: Any, wanted: Any, rows: list[int]) -> None:
    assert Keys(own).find(wanted).tolist() == rows


@pytest.mark.parametrize("mine", [*DTYPES, "f2"])
def test_half_floats_are_keys_too(mine: str) -> None:
    held, asked = np.array([5, 6, 90], mine), np.array([90, 6.5, 5, np.nan], "f2")
    assert Keys(held).find(asked).tolist() == [2, -1, 0, -1]
    assert Keys(asked[:3]).find(held).tolist() == [2, -1, 0]
    assert not Keys(held).repeated().any()


def test_which_keys_are_dense() -> None:
    assert are_dense(np.arange(10)) and are_dense(np.array([-3, 0], "i1"))
    assert not are_dense(np.array([0, MOST])) and not are_dense(np.array([2**63], "u8"))
    assert not are_dense(np.arange(3.0)) and not are_dense(np.array([], int))


def test_other_values_are_found_as_text() -> None:
    mixed = np.array(["7", "\0", None], object)
    assert Keys(np.array([7, 8])).find(mixed).tolist() == [0, -1, -1]
    assert Keys(mixed).find(np.array([7.0, 8])).tolist() == [0, -1]
    assert Keys(mixed).nulls().tolist() == [False, False, True]
    assert Keys(np.array([1, np.nan])).nulls().tolist() == [False, True]
    # what looks the same is the same key
    assert Keys(np.array(["7", 7], object)).repeated().tolist() == [False, True]
