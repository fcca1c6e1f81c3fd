"""In which row of a table each key stands."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from lossctl.align.rows import as_text
from lossctl.sources.coded import Values

Array = npt.NDArray[Any]
Flags = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.intp]

_NUMBERS = "iuf"  # the kinds of dtype whose keys are compared as numbers
_SPREAD = 4  # a table of places may be so many times as long as there are keys


class Keys:
    """The keys of a table, each in one row, whatever the kind of those that are looked up.

    Numbers are found by their value, all else as text, in which 7, 7.0 and "7" are the same.
    """

    def __init__(self, keys: Values) -> None:
        self._keys = keys
        self._numeric = keys.dtype.kind in _NUMBERS

    def nulls(self) -> Flags:
        """Which rows hold no key."""
        if self._numeric:
            own = np.asarray(self._keys)
            return np.asarray(own != own)
        return np.array([key is None or key != key for key in self._keys.tolist()], bool)

    def repeated(self) -> Flags:
        """Which rows hold the key of a row before them."""
        return (self._by_number if self._numeric else self._by_text).repeated()

    def find(self, keys: Values) -> Rows:
        """The row of each key; −1 where there is none."""
        if self._numeric and keys.dtype.kind in _NUMBERS:
            return self._by_number.find(_numbers(keys))
        return self._by_text.find(as_text(keys))

    @cached_property
    def _by_text(self) -> Places:
        return Texts(as_text(self._keys))

    @cached_property
    def _by_number(self) -> Places:
        own = _numbers(self._keys)
        return Dense(own) if are_dense(own) else Hashed(own)


def _numbers(keys: Values) -> Array:
    """Numbers in a type that pandas has an index of."""
    own = np.asarray(keys)
    return own.astype(np.float32) if own.dtype == np.float16 else own


class Places(Protocol):
    """Where keys of one kind stand."""

    def find(self, keys: Array) -> Rows:
        """The row of each key; −1 where there is none."""
        ...

    def repeated(self) -> Flags:
        """Which rows hold the key of a row before them."""
        ...


def are_dense(keys: Array) -> bool:
    """Whether they are integers that lie close together."""
    if keys.dtype.kind not in "iu" or not len(keys):
        return False
    least, most = int(keys.min()), int(keys.max())
    return most <= np.iinfo(np.int64).max and most - least < _SPREAD * len(keys)


class Dense:
    """Integers that lie close together: a table has the row of each that there might be.

    It takes no hashes, and saves the import of pandas.
    """

    def __init__(self, keys: Array) -> None:
        self._keys = keys.astype(np.int64)
        self._least, self._most = int(self._keys.min()), int(self._keys.max())
        self._rows = np.full(self._most - self._least + 1, -1, np.intp)
        # backwards, so that of a key that repeats the first row stays
        self._rows[self._keys[::-1] - self._least] = np.arange(len(keys))[::-1]

    def find(self, keys: Array) -> Rows:
        """The row of each key; −1 where there is none."""
        found = np.full(len(keys), -1, np.intp)
        whole = np.flatnonzero(_fit_int64(keys))
        # as integers, for next to a float the large ones would be rounded
        asked = keys[whole].astype(np.int64)
        inside = (asked >= self._least) & (asked <= self._most)
        found[whole[inside]] = self._rows[asked[inside] - self._least]
        return found

    def repeated(self) -> Flags:
        """Which rows hold the key of a row before them."""
        return np.asarray(self._rows[self._keys - self._least] != np.arange(len(self._keys)))


def _fit_int64(keys: Array) -> Flags:
    """Which numbers an int64 holds exactly."""
    if keys.dtype.kind == "f":
        return np.asarray((keys == np.trunc(keys)) & (np.abs(keys) < 2.0**63))
    return np.asarray(keys <= np.iinfo(np.int64).max)


class Texts:
    """Text, which Python's own dictionary finds as fast as pandas does."""

    def __init__(self, keys: Array) -> None:
        self._rows: dict[str, int] = {}
        first = (self._rows.setdefault(key, row) for row, key in enumerate(keys.tolist()))
        self._first = np.fromiter(first, np.intp, len(keys))

    def find(self, keys: Array) -> Rows:
        """The row of each key; −1 where there is none."""
        row = self._rows.get
        return np.array([row(key, -1) for key in keys.tolist()], np.intp)

    def repeated(self) -> Flags:
        """Which rows hold the key of a row before them."""
        return np.asarray(self._first != np.arange(len(self._first)))


class Hashed:
    """Numbers of any kind."""

    def __init__(self, keys: Array) -> None:
        import pandas as pd

        self._index: Any = pd.Index(keys)

    def find(self, keys: Array) -> Rows:
        """The row of each key; −1 where there is none."""
        return np.asarray(self._index.get_indexer(keys), dtype=np.intp)

    def repeated(self) -> Flags:
        """Which rows hold the key of a row before them."""
        if self._index.is_unique:  # which finds the places of the keys, for later
            return np.zeros(len(self._index), bool)
        return np.asarray(self._index.duplicated())
