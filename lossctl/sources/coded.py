"""Columns of few distinct values, without an object for each row."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Array = npt.NDArray[Any]

Values: TypeAlias = "Array | Coded"
"""A column of any values."""


class Coded:
    """A number for each row, and the values that the numbers stand for.

    It is read as an object array is: by its length, its rows, `tolist`, and as an array.

    Attributes:
        codes: Integers from 0, (n,).
        words: The values, (k,) objects, no two the same; None is null. Not all need to occur.
    """

    def __init__(self, codes: Array, words: Array) -> None:
        self.codes, self.words = codes, words

    @classmethod
    def of(cls, codes: Array, words: Iterable[Any]) -> Coded:
        """Number values anew, of which some may be the same."""
        import numpy as np

        listed = list(words)
        if len(set(listed)) < len(listed):
            numbers: dict[Any, int] = {}
            at = [numbers.setdefault(word, len(numbers)) for word in listed]
            codes, listed = np.array(at, np.intp)[codes], list(numbers)
        return cls(codes, np.fromiter(listed, object, len(listed)))

    @property
    def dtype(self) -> np.dtype[Any]:
        """That of its values."""
        return self.words.dtype

    def __len__(self) -> int:
        return len(self.codes)

    def __getitem__(self, rows: Any) -> Any:
        """Some rows; of one row its value."""
        codes = self.codes[rows]
        return Coded(codes, self.words) if getattr(codes, "ndim", 0) else self.words[codes]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return self.words[self.codes].astype(dtype or object, copy=False)

    def tolist(self) -> list[Any]:
        """The value of each row."""
        listed: list[Any] = self.words[self.codes].tolist()
        return listed


def concatenated(arrays: Sequence[Values]) -> Values:
    """One column behind the other."""
    import numpy as np

    coded = [array for array in arrays if isinstance(array, Coded)]
    if len(coded) < len(arrays):
        return np.concatenate([np.asarray(array) for array in arrays])
    starts = np.cumsum([0, *(len(one.words) for one in coded)])
    codes = [one.codes + start for one, start in zip(coded, starts)]
    return Coded.of(np.concatenate(codes), np.concatenate([one.words for one in coded]))
