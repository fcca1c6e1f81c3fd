"""From the text of a CSV column to numbers and values, on the worker threads."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from lossctl.sources.convert import numbers, values
from lossctl.sources.misfit import MisfitError
from lossctl.sources.text import shown

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]

# The defaults of pyarrow.csv and, nearly, of pandas.
NULLS = (
    "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN",
    "N/A", "NA", "NULL", "NaN", "n/a", "nan", "null",
)  # fmt: skip


def text_numbers(texts: Any, first: Any) -> Array:
    """Parse a column of numbers, or of true and false; a missing value is NaN.

    Args:
        texts: The values as text.
        first: The type of the first values of the column.
    """
    import pyarrow as pa

    truths = pa.types.is_boolean(first)
    kind = pa.bool_() if truths else pa.float64()
    try:
        return numbers(texts.cast(kind), ())
    except pa.ArrowInvalid:
        pass  # something else than plain numbers is among them
    cleaned = _cleaned(texts)
    try:
        return numbers(cleaned.cast(kind), ())
    except pa.ArrowInvalid:
        row = _first_failing(cleaned, kind)
    value = texts[row].as_py()
    what = "is neither true nor false, as the values before" if truths else "is no number"
    raise MisfitError(row, f"{shown(value)} {what}", _advice(value))


def text_values(texts: Any, kind: Any) -> Array:
    """Parse a column of which any value serves.

    Args:
        texts: The values as text.
        kind: The type of its first rows. Where it is text, all is text and only the empty
            value is missing; otherwise each value is what it looks like, whatever stands
            beside it, so that the same value is the same key in every slab.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    types = pa.types
    if not (types.is_integer(kind) or types.is_floating(kind) or types.is_boolean(kind)):
        return values(pc.if_else(pc.is_in(texts, words("")), pa.nulls(1, texts.type)[0], texts))
    read = _truth if types.is_boolean(kind) else _number
    for candidate in (texts, _cleaned(texts)):
        try:
            found = values(candidate.cast(kind))
        except pa.ArrowInvalid:
            continue
        if found.dtype.kind != "f" or not (found != found).any():
            return found
    return _each(_cleaned(texts), read)


def words(*known: str) -> Any:
    """Make an Arrow array of texts without pyarrow.array, which imports pandas."""
    import numpy as np
    import pyarrow as pa

    encoded = [word.encode() for word in known]
    ends = np.cumsum([0, *map(len, encoded)], dtype=np.int32)
    buffers = [None, pa.py_buffer(ends), pa.py_buffer(b"".join(encoded))]
    return pa.Array.from_buffers(pa.string(), len(known), buffers)


def _cleaned(texts: Any) -> Any:
    """Strip blanks, and make null what stands for no value."""
    import pyarrow as pa
    import pyarrow.compute as pc

    stripped = pc.utf8_trim_whitespace(texts)
    return pc.if_else(pc.is_in(stripped, words(*NULLS)), pa.nulls(1, stripped.type)[0], stripped)


def _first_failing(texts: Any, kind: Any) -> int:
    """Halve the range until one value is left that cannot be parsed."""
    import pyarrow as pa

    start, stop = 0, len(texts)
    while stop - start > 1:
        middle = (start + stop) // 2
        try:
            texts.slice(start, middle - start).cast(kind)
            start = middle
        except pa.ArrowInvalid:
            stop = middle
    return start


def _each(texts: Any, read: Callable[[str], Any]) -> Array:
    import numpy as np

    listed = [None if text is None else read(text) for text in texts.to_pylist()]
    whole = {type(value) for value in listed}
    if whole == {float} or whole == {int, float}:
        return np.array(listed, np.float64)
    return np.fromiter(listed, object, len(listed))


def _number(text: str) -> Any:
    """An integer if it is one, else a float, else the text itself."""
    if "_" in text:
        return text  # Python takes 1_000 for a number, nobody else does
    for parse in (int, _hexadecimal, float):
        try:
            return parse(text)
        except ValueError:
            pass
    return text


def _hexadecimal(text: str) -> int:
    if not text.lower().startswith("0x"):
        raise ValueError
    return int(text, 16)  # pyarrow takes it for an integer too


def _truth(text: str) -> Any:
    lowered = text.lower()
    return lowered == "true" if lowered in ("true", "false") else text


def _advice(value: str) -> str:
    if value.count(",") == 1 and _is_number(value.replace(",", ".")):
        return "write decimals with a point"
    if _is_number(value.replace(",", "")):
        return "write numbers without separators"
    return "name a column of numbers, or leave out or mend the row"


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
