"""From the text of a CSV column to keys and groups, on the worker threads."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from lossctl.sources.convert import numbered_texts, values

if TYPE_CHECKING:
    import numpy.typing as npt

    from lossctl.sources.coded import Values

    Array = npt.NDArray[Any]

# The defaults of pyarrow.csv and, nearly, of pandas.
NULLS = (
    "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN",
    "N/A", "NA", "NULL", "NaN", "n/a", "nan", "null",
)  # fmt: skip

_ZERO_LED = re.compile(r"^\s*[+-]?0[0-9]")


def read_as(kind: Any) -> Any:
    """The type to read a column as of which any value serves, for `text_values`.

    Args:
        kind: The type of its first rows.
    """
    import pyarrow as pa

    types = pa.types
    if types.is_integer(kind) or types.is_floating(kind) or types.is_boolean(kind):
        return pa.string()
    return pa.dictionary(pa.int32(), pa.string())


def text_values(texts: Any, kind: Any, codes: bool) -> Values:
    """Parse a column of which any value serves.

    Args:
        texts: The values as text, read as `read_as` says.
        kind: The type of its first rows. Where it is text, all is text and only the empty
            value is missing; otherwise each value is what it looks like, whatever stands
            beside it, so that the same value is the same key in every slab: 007 is text.
        codes: Its first rows have values such as 007, so all of them are text.
    """
    import numpy as np
    import pyarrow as pa

    if pa.types.is_dictionary(texts.type):
        return numbered_texts(texts, missing="")
    if codes:
        return values(_cleaned(texts))
    read = _truth if pa.types.is_boolean(kind) else _number
    if not pa.types.is_boolean(kind) and has_zero_led(texts):
        return _each(_cleaned(texts), read)
    for prepared in (_as_they_are, _cleaned):  # cleaning takes its time, and is seldom needed
        try:
            found = np.asarray(values(prepared(texts).cast(kind)))
        except pa.ArrowInvalid:
            continue
        if found.dtype.kind != "f" or not (found != found).any():
            return found
    return _each(_cleaned(texts), read)


def has_zero_led(texts: Any) -> bool:
    """Whether any of the values is a number with a zero in front, such as 007."""
    import numpy as np
    import pyarrow.compute as pc

    _, ends, data = texts.buffers()
    if data is None or not data.size or not len(texts):
        return False
    # By the bytes, which costs next to nothing: most values begin with another digit.
    held = np.frombuffer(data, np.uint8)
    ends = np.frombuffer(ends, np.int32, len(texts) + 1, 4 * texts.offset)
    starts = ends[:-1][np.diff(ends) > 1]  # so there is a second byte
    first = held[starts]
    if (held[starts[first == ord("0")] + 1] - np.uint8(ord("0")) < 10).any():
        return True
    if (first >= ord("0")).all():
        return False
    return bool(pc.any(pc.match_substring_regex(texts, _ZERO_LED.pattern)).as_py())


def words(*known: str) -> Any:
    """Make an Arrow array of texts without pyarrow.array, which imports pandas."""
    import numpy as np
    import pyarrow as pa

    encoded = [word.encode() for word in known]
    ends = np.cumsum([0, *map(len, encoded)], dtype=np.int32)
    buffers = [None, pa.py_buffer(ends), pa.py_buffer(b"".join(encoded))]
    return pa.Array.from_buffers(pa.string(), len(known), buffers)


def _as_they_are(texts: Any) -> Any:
    return texts


def _cleaned(texts: Any) -> Any:
    """Strip blanks, and make null what stands for no value."""
    import pyarrow as pa
    import pyarrow.compute as pc

    stripped = pc.utf8_trim_whitespace(texts)
    return pc.if_else(pc.is_in(stripped, words(*NULLS)), pa.nulls(1, stripped.type)[0], stripped)


def _each(texts: Any, read: Callable[[str], Any]) -> Array:
    import numpy as np

    listed = [None if text is None else read(text) for text in texts.to_pylist()]
    whole = {type(value) for value in listed}
    if whole == {float} or whole == {int, float}:
        return np.array(listed, np.float64)
    return np.fromiter(listed, object, len(listed))


def _number(text: str) -> Any:
    """An integer if it is one, else a float, else the text itself."""
    if "_" in text or _ZERO_LED.match(text):
        return text  # Python takes 1_000 for a number, nobody else does; 007 is a code
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
