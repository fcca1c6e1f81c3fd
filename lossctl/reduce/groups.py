"""Rows by group: each block's groups, numbered."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from lossctl.sources.coded import Coded, Values

AnyArray = npt.NDArray[Any]
Indices = npt.NDArray[np.intp]

_NARROW = 1 << 16
"""Integers within so many of each other are told apart by counting, not by sorting."""


class Numbered(NamedTuple):
    """Rows by the number of their group."""

    codes: Indices  # of each row (n,), from 0
    groups: list[tuple[Any, ...]]  # what the numbers stand for
    sizes: Indices  # how many rows each has, none of them 0


def group_codes(by: tuple[Values, ...]) -> Numbered:
    """Number the groups of rows, which have a value in each column."""
    codes, values, sizes = _codes(by[0])
    if len(by) == 1:
        return Numbered(codes, [(value,) for value in values], sizes)
    uniques = [values]
    for array in by[1:]:
        own, unique, _ = _codes(array)
        codes = codes * len(unique) + own
        uniques.append(unique)
    codes, present, sizes = _coded(codes)
    groups = []
    for code in present.tolist():
        group: list[Any] = []
        for unique in reversed(uniques):
            code, index = divmod(code, len(unique))
            group.append(unique[index])
        groups.append(tuple(reversed(group)))
    return Numbered(codes, groups, sizes)


def _plain(item: Any) -> Any:
    """A group's value: null for NaN, and 1 for 1.0, which is what CSV makes of it."""
    if isinstance(item, float):
        return None if item != item else int(item) if item.is_integer() else item
    return item


def _codes(array: Values) -> tuple[Indices, list[Any], Indices]:
    """Each row's value as a number, the values that the numbers stand for, and their rows."""
    if isinstance(array, Coded):
        codes, present, sizes = _coded(array.codes)
        return codes, array.words[present].tolist(), sizes
    if array.dtype.kind != "O":
        codes, unique, sizes = _coded(_whole(array))
        return codes, [_plain(item) for item in unique.tolist()], sizes
    numbers: dict[Any, int] = {}
    codes = np.fromiter(
        (numbers.setdefault(item, len(numbers)) for item in array.tolist()),
        dtype=np.intp,
        count=len(array),
    )
    return codes, list(numbers), np.bincount(codes)


def _whole(array: AnyArray) -> AnyArray:
    """Floats that are whole numbers as integers, which are quicker to tell apart."""
    if array.dtype.kind != "f":
        return array
    with np.errstate(invalid="ignore"):  # NaN and what is too large stay as they are
        whole = array.astype(np.int64)
    return whole if bool((whole == array).all()) else array


def _coded(array: AnyArray) -> tuple[Indices, AnyArray, Indices]:
    """Each row's value as a number from 0, the values in order, and how many rows have each."""
    if array.dtype.kind in "iu" and len(array):
        # differences of narrow integers need more room, and of wide ones no signed type has it
        wide = array if array.dtype.itemsize == 8 else array.astype(np.int64)
        least = wide.min()
        size = int(wide.max()) - int(least) + 1
        if size <= _NARROW:
            found = (wide - least if least else wide).astype(np.intp, copy=False)
            sizes = np.bincount(found)
            present = np.flatnonzero(sizes)
            values = present.astype(wide.dtype) + least
            if len(present) == size:
                return found, values, sizes
            numbers = np.zeros(size, dtype=np.intp)
            numbers[present] = np.arange(len(present))
            return numbers[found], values, sizes[present]
    unique, codes, sizes = np.unique(array, return_inverse=True, return_counts=True)
    return codes.astype(np.intp), unique, sizes
