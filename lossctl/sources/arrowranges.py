"""Rows out of the middle of a record batch in a file, read by position."""

from __future__ import annotations

from typing import Any

from lossctl.errors import DataError
from lossctl.sources.arrowfooter import Batch
from lossctl.sources.positional import Opened


class Stored:
    """A column of a batch in a file: its buffers, and those of its child fields."""

    def __init__(self, kind: Any, batch: Batch, node: int, buffer: int) -> None:
        self._kind = kind
        self._buffers = batch.buffers[buffer : buffer + _own_buffers(kind)]
        if node >= len(batch.nodes) or len(self._buffers) < _own_buffers(kind):
            raise ValueError("a batch holds less than its schema says")
        self._length, self._nulls = batch.nodes[node]
        self._child: Stored | None = None
        if _child_of(kind) is not None:
            below = buffer + len(self._buffers)
            self._child = Stored(_child_of(kind), batch, node + 1, below)

    def may_have(self, shape: tuple[int, ...]) -> bool:
        """Whether it holds as many values as if all its rows had this shape."""
        if not shape or self._child is None:
            return not shape
        fits = self._child._length == self._length * shape[0]
        return fits and self._child.may_have(shape[1:])

    def cut(self, opened: Opened, start: int, stop: int) -> Any:
        """Read some rows as an Arrow array."""
        # Bitmaps can be cut only at whole bytes: begin up to 7 rows early, and skip them.
        early = start & ~7
        array = self._build(opened, early, stop).slice(start - early)
        if _is_variable(self._kind):
            array.validate(full=True)  # nothing else checks the offsets
        return array

    def _build(self, opened: Opened, start: int, stop: int) -> Any:
        import pyarrow as pa

        kind, rows, types = _storage(self._kind), stop - start, pa.types
        if types.is_null(kind):
            return pa.nulls(rows)
        valid = self._bits(opened, 0, start, stop) if self._nulls else None
        if types.is_boolean(kind):
            bits = self._bits(opened, 1, start, stop)
            return pa.Array.from_buffers(kind, rows, [valid, bits])
        if types.is_fixed_size_list(kind) and self._child:
            size = kind.list_size
            child = self._child.cut(opened, start * size, stop * size)
            array = pa.Array.from_buffers(kind, rows, [valid], children=[child])
            return self._wrapped(array)
        if _is_variable(kind):
            return self._variable(opened, valid, start, stop)
        width = kind.bit_width // 8
        plain = self._read(opened, 1, start * width, stop * width)
        return self._wrapped(pa.Array.from_buffers(kind, rows, [valid, plain]))

    def _variable(self, opened: Opened, valid: Any, start: int, stop: int) -> Any:
        import numpy as np
        import pyarrow as pa

        kind = _storage(self._kind)
        large = pa.types.is_large_list(kind) or pa.types.is_large_string(kind)
        dtype = np.dtype(np.int64 if large else np.int32)
        held = self._read(opened, 1, start * dtype.itemsize, (stop + 1) * dtype.itemsize)
        offsets = np.frombuffer(held, dtype)
        first, last = int(offsets[0]), int(offsets[-1])
        if not 0 <= first <= last:
            raise DataError(f"{opened.name}: is corrupt: offsets run backwards", "write it again")
        moved = pa.py_buffer(offsets - offsets[0])
        if self._child:
            child = self._child.cut(opened, first, last)
            return pa.Array.from_buffers(kind, stop - start, [valid, moved], children=[child])
        text = self._read(opened, 2, first, last)
        return pa.Array.from_buffers(kind, stop - start, [valid, moved, text])

    def _wrapped(self, array: Any) -> Any:
        import pyarrow as pa

        if isinstance(self._kind, pa.BaseExtensionType):
            return pa.ExtensionArray.from_storage(self._kind, array)
        return array

    def _bits(self, opened: Opened, which: int, start: int, stop: int) -> Any:
        return self._read(opened, which, start // 8, (stop + 7) // 8)

    def _read(self, opened: Opened, which: int, start: int, stop: int) -> Any:
        import numpy as np
        import pyarrow as pa

        at, length = self._buffers[which]
        if stop > length:
            raise DataError(f"{opened.name}: is corrupt: a buffer is too short", "write it again")
        fresh = np.empty(stop - start, np.uint8)
        opened.fill(fresh, at + start)
        return pa.py_buffer(fresh)


def stored(schema: Any, name: str, batch: Batch) -> Stored:
    """Find a column in a batch: its fields and buffers follow the schema, depth first."""
    node = buffer = 0
    for field in schema:
        if field.name == name:
            return Stored(field.type, batch, node, buffer)
        nodes, buffers = _below(field.type)
        node, buffer = node + nodes, buffer + buffers
    raise KeyError(name)


def can_cut(schema: Any, names: list[str]) -> bool:
    """Whether the columns can be read by position, as far as their types go."""
    # Views and unions have buffers that the type alone does not count.
    return all(_countable(field.type) for field in schema) and all(
        _cuttable(schema.field(name).type) for name in names
    )


def _storage(kind: Any) -> Any:
    import pyarrow as pa

    return kind.storage_type if isinstance(kind, pa.BaseExtensionType) else kind


def _is_variable(kind: Any) -> bool:
    import pyarrow as pa

    kind, types = _storage(kind), pa.types
    return bool(
        types.is_list(kind)
        or types.is_large_list(kind)
        or types.is_string(kind)
        or types.is_large_string(kind)
    )


def _cuttable(kind: Any) -> bool:
    import pyarrow as pa

    kind, types = _storage(kind), pa.types
    child = _child_of(kind)
    if child is not None:
        return _cuttable(child)
    return bool(_is_variable(kind) or types.is_null(kind) or types.is_primitive(kind)) or bool(
        types.is_decimal(kind)
    )


def _child_of(kind: Any) -> Any:
    import pyarrow as pa

    kind, types = _storage(kind), pa.types
    listed = types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind)
    return kind.value_type if listed else None


def _countable(kind: Any) -> bool:
    import pyarrow as pa

    kind, types = _storage(kind), pa.types
    if types.is_struct(kind):
        return all(_countable(field.type) for field in kind)
    if _child_of(kind) is not None:
        return _countable(_child_of(kind))
    flat = types.is_primitive(kind) or types.is_null(kind) or types.is_dictionary(kind)
    binary = types.is_binary(kind) or types.is_large_binary(kind)
    return bool(
        flat
        or binary
        or _is_variable(kind)
        or types.is_decimal(kind)
        or types.is_fixed_size_binary(kind)
    )


def _own_buffers(kind: Any) -> int:
    import pyarrow as pa

    kind, types = _storage(kind), pa.types
    if types.is_null(kind):
        return 0
    if types.is_struct(kind) or types.is_fixed_size_list(kind):
        return 1
    if types.is_binary(kind) or types.is_large_binary(kind):
        return 3
    return 3 if types.is_string(kind) or types.is_large_string(kind) else 2


def _below(kind: Any) -> tuple[int, int]:
    """How many nodes and buffers a field takes up, with its child fields."""
    import pyarrow as pa

    kind = _storage(kind)
    nodes, buffers = 1, _own_buffers(kind)
    child = _child_of(kind)
    inner = [field.type for field in kind] if pa.types.is_struct(kind) else []
    for below in inner + ([child] if child is not None else []):
        more = _below(below)
        nodes, buffers = nodes + more[0], buffers + more[1]
    return nodes, buffers
