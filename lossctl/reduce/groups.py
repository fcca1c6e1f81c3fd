"""Rows by group: each block's groups, numbered."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

AnyArray = npt.NDArray[Any]
Codes = npt.NDArray[np.intp]


def group_codes(by: tuple[AnyArray, ...]) -> tuple[npt.NDArray[np.intp], list[tuple[Any, ...]]]:
    """Each row's group, as a number, and the groups that the numbers stand for."""
    codes = np.zeros(len(by[0]), dtype=np.intp)
    values: list[list[Any]] = []
    for array in by:
        own, unique = _codes(array)
        codes = codes * len(unique) + own
        values.append(unique)
    present, codes = np.unique(codes, return_inverse=True)
    groups = []
    for code in present.tolist():
        group: list[Any] = []
        for unique in reversed(values):
            code, index = divmod(code, len(unique))
            group.append(unique[index])
        groups.append(tuple(reversed(group)))
    return codes.astype(np.intp), groups


def _plain(item: Any) -> Any:
    """A group's value: null for NaN, and 1 for 1.0, which is what CSV makes of it."""
    if isinstance(item, float):
        return None if item != item else int(item) if item.is_integer() else item
    return item


def _codes(array: AnyArray) -> tuple[npt.NDArray[np.intp], list[Any]]:
    if array.dtype.kind != "O":
        unique, codes = np.unique(array, return_inverse=True)
        return codes.astype(np.intp), [_plain(item) for item in unique.tolist()]
    numbers: dict[Any, int] = {}
    codes = np.fromiter(
        (numbers.setdefault(item, len(numbers)) for item in array.tolist()),
        dtype=np.intp,
        count=len(array),
    )
    return codes, list(numbers)
