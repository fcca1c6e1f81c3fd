"""From Arrow arrays to NumPy, by their buffers.

Not with `Array.to_numpy`, nor with `pyarrow.array` and `pyarrow.scalar`: each of them imports
pandas, which takes longer than most files.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lossctl.sources.arrowtypes import described, is_list, is_text, is_time
from lossctl.sources.coded import Coded
from lossctl.sources.misfit import MisfitError
from lossctl.sources.text import counted

if TYPE_CHECKING:
    import numpy.typing as npt

    from lossctl.sources.coded import Values

    Array = npt.NDArray[Any]

Shape = tuple[int, ...] | None

_FEW = 2  # texts are few where there are so many rows for each


def numbers(array: Any, shape: Shape) -> Array:
    """Convert numbers, booleans, or lists of them.

    Args:
        array: The Arrow array.
        shape: The shape of a row where it is known; None pads lists to the longest.

    Raises:
        MisfitError: Values that are no numbers, or lists of another length than promised.
    """
    import numpy as np
    import pyarrow as pa

    kind = array.type
    if isinstance(kind, pa.BaseExtensionType):
        return _extension(array, shape)
    if pa.types.is_dictionary(kind):
        return numbers(array.dictionary_decode(), shape)
    if is_list(kind):
        return _lists(array, shape)
    if pa.types.is_null(kind):
        return np.full(len(array), np.nan)
    if pa.types.is_boolean(kind):
        return _with_nulls(array, _bits(array, 1))
    if pa.types.is_decimal(kind):
        # By way of text, which rounds once: the direct cast is off by a bit at times.
        return numbers(array.cast(pa.string()).cast(pa.float64()), shape)
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return _with_nulls(array, _plain(array))
    raise MisfitError(0, f"holds {described(kind)}, not numbers")


def values(array: Any) -> Values:
    """Convert any values: numbers as they are, all else to Python objects, null to None."""
    import numpy as np
    import pyarrow as pa

    kind = array.type
    if isinstance(kind, pa.BaseExtensionType):
        return values(array.storage)
    simple = pa.types.is_integer(kind) or pa.types.is_floating(kind)
    if simple and not array.null_count:
        return _plain(array)
    if pa.types.is_boolean(kind) and not array.null_count:
        return _bits(array, 1)
    if is_time(kind):
        return values(array.cast(pa.string()))
    if pa.types.is_dictionary(kind):
        return numbered_texts(array) if is_text(kind.value_type) else _from_dictionary(array)
    if is_text(kind):
        return numbered_texts(array.dictionary_encode())
    if pa.types.is_decimal(kind):
        exact = int if kind.scale <= 0 else str
        listed = [None if value is None else exact(value) for value in array.to_pylist()]
        return _objects(listed)
    if not simple and not pa.types.is_boolean(kind):
        return _objects(array.to_pylist())
    out = (_plain(array) if simple else _bits(array, 1)).astype(object)
    out[~valid(array)] = None
    return np.asarray(out)


def numbered_texts(array: Any, missing: str | None = None) -> Values:
    """Convert text that is stored by number.

    Args:
        array: The Arrow array, of a dictionary type.
        missing: A text that stands for null.
    """
    import numpy as np

    indices = _indices(array)
    listed = [None if text == missing else text for text in array.dictionary.to_pylist()]
    if array.null_count:
        indices = np.where(valid(array.indices), indices, len(listed))
        listed.append(None)
    if _FEW * len(listed) > len(array):
        return _objects(listed)[indices]
    return Coded.of(indices, listed)


def row_shape(array: Any) -> Shape:
    """Find the shape that all rows of an array have; None where they differ."""
    import numpy as np

    from lossctl.sources.arrowtypes import fixed_shape, storage

    told = fixed_shape(array.type)
    if told is not None:
        return told
    if array.type != storage(array.type):
        return None
    if not hasattr(array.type, "list_size"):
        lengths = np.diff(_offsets(array))[valid(array)]
        if not len(lengths) or lengths.min() != lengths.max():
            return None
        length = int(lengths[0])
    else:
        length = array.type.list_size
    inner = row_shape(array.flatten())
    return None if inner is None else (length, *inner)


def first_shape(array: Any) -> Shape:
    """Find the shape of the first list that is not null; None where there is none.

    Raises:
        MisfitError: The lists inside it differ in length.
    """
    import numpy as np
    import pyarrow as pa

    if pa.types.is_dictionary(array.type):
        return first_shape(array.dictionary_decode())
    if isinstance(array.type, pa.BaseExtensionType):
        return first_shape(array.storage)
    for row in np.flatnonzero(valid(array)).tolist():
        one = array.slice(row, 1)
        shape = row_shape(one)
        if shape is not None:
            return shape
        if len(one.flatten()):
            raise MisfitError(row, "lists inside lists differ in length", "make them regular")
    return None


def valid(array: Any) -> npt.NDArray[Any]:
    """Which values are not null."""
    import numpy as np

    if not array.null_count or array.buffers()[0] is None:
        return np.full(len(array), not array.null_count)
    return _bits(array, 0)


def _plain(array: Any) -> Array:
    import numpy as np

    dtype = np.dtype(array.type.to_pandas_dtype())
    buffer = array.buffers()[1]
    if buffer is None or not len(array):
        return np.empty(len(array), dtype)
    return np.frombuffer(buffer, dtype, len(array), array.offset * dtype.itemsize)


def _bits(array: Any, which: int) -> Array:
    import numpy as np

    buffer = array.buffers()[which]
    if buffer is None or not len(array):
        return np.zeros(len(array), bool)
    first, skip = divmod(array.offset, 8)
    held = np.frombuffer(buffer, np.uint8, (skip + len(array) + 7) // 8, first)
    return np.unpackbits(held, bitorder="little")[skip : skip + len(array)].view(bool)


def _with_nulls(array: Any, plain: Array) -> Array:
    import numpy as np

    if not array.null_count:
        return plain
    out = plain.astype(plain.dtype if plain.dtype.kind == "f" else np.float64)
    out[~valid(array)] = np.nan
    return out


def _extension(array: Any, shape: Shape) -> Array:
    import pyarrow as pa

    if not isinstance(array.type, pa.FixedShapeTensorType):
        return numbers(array.storage, shape)
    order = array.type.permutation
    if order is not None and list(order) != sorted(order):
        raise MisfitError(0, "holds tensors whose axes are permuted", "store them in C order")
    flat = numbers(array.storage, None)
    return flat.reshape(len(array), *array.type.shape)


def _lists(array: Any, shape: Shape) -> Array:
    import pyarrow as pa

    length = None if shape is None else shape[0]
    inner = None if shape is None else shape[1:]
    kind = array.type
    if pa.types.is_fixed_size_list(kind):
        size = kind.list_size
        child = array.values.slice(array.offset * size, len(array) * size)
        flat = _children(child, inner, lambda index: index // size)
        return _without_null_rows(array, flat.reshape(len(array), size, *flat.shape[1:]))
    return _variable(array, length, inner)


def _variable(array: Any, length: int | None, inner: Shape) -> Array:
    import numpy as np

    offsets = _offsets(array)
    lengths = np.diff(offsets)
    there = valid(array)
    first = int(offsets[0]) if len(offsets) else 0
    last = int(offsets[-1]) if len(offsets) else 0
    if length is not None:
        wrong = np.flatnonzero(there & (lengths != length))
        if len(wrong):
            row = int(wrong[0])
            raise MisfitError(
                row,
                f"a list of {counted(int(lengths[row]), 'value')}, "
                f"where the rows before hold {length}",
                "make all lists of one length",
            )
    child = array.values.slice(first, last - first)
    flat = _children(
        child, inner, lambda at: int(np.searchsorted(offsets, at + first, "right")) - 1
    )
    # A list that is null needs a place for its NaN.
    least = int(bool(array.null_count))
    width = length if length is not None else int(lengths[there].max(initial=least))
    if (lengths == width).all():
        regular = flat.reshape(len(array), width, *flat.shape[1:])
        return _without_null_rows(array, regular)
    return _without_null_rows(array, _padded(flat, lengths, there, width))


def _children(child: Any, inner: Shape, row_of: Any) -> Array:
    """Convert the values inside the lists, which are regular if they are lists themselves."""
    try:
        if is_list(child.type) and inner is None:
            return _inner_lists(child)
        return numbers(child, inner)
    except MisfitError as error:
        raise MisfitError(row_of(error.row), error.what, error.hint) from None


def _inner_lists(array: Any) -> Array:
    shape = row_shape(array)
    if shape is not None or not len(array):
        return numbers(array, shape)
    try:
        return numbers(array, first_shape(array))
    except MisfitError as error:
        what = "lists inside lists differ in length"
        raise MisfitError(error.row, what, "make them regular") from None


def _padded(flat: Array, lengths: Array, there: Array, width: int) -> Array:
    import numpy as np

    # Ragged lists are of class ids, which −1 is none of, also where JSON makes them floats.
    dtype = np.result_type(flat.dtype, np.int8)
    out = np.full((len(lengths), width, *flat.shape[1:]), -1, dtype)
    starts = np.cumsum(lengths) - lengths
    rows = np.repeat(np.arange(len(lengths)), lengths)
    within = np.arange(len(flat)) - np.repeat(starts, lengths)
    kept = np.repeat(there, lengths)  # a null list may have values underneath
    out[rows[kept], within[kept]] = flat[kept]
    return out


def _without_null_rows(array: Any, rows: Array) -> Array:
    """A list that is null becomes a row of NaN."""
    import numpy as np

    if not array.null_count:
        return rows
    out = rows.astype(rows.dtype if rows.dtype.kind == "f" else np.float64)
    out[~valid(array)] = np.nan
    return out


def _offsets(array: Any) -> Array:
    import numpy as np
    import pyarrow as pa

    dtype = np.dtype(np.int64 if pa.types.is_large_list(array.type) else np.int32)
    buffer = array.buffers()[1]
    if buffer is None or not buffer.size:
        return np.zeros(len(array) + 1, dtype)
    return np.frombuffer(buffer, dtype, len(array) + 1, array.offset * dtype.itemsize)


def _from_dictionary(array: Any) -> Values:
    import numpy as np

    indices, words = _indices(array), values(array.dictionary)
    if not array.null_count:
        return np.asarray(words[indices])
    there = valid(array.indices)
    out = np.full(len(array), None, object)
    out[there] = words[indices[there]]
    return out


def _indices(array: Any) -> Array:
    import numpy as np

    return _plain(array.indices).astype(np.intp, copy=False)


def _objects(listed: list[Any]) -> Array:
    import numpy as np

    # Not numpy.array: lists of one length would become a second axis.
    return np.fromiter(listed, dtype=object, count=len(listed))
