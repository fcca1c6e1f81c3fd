"""What the types of Arrow mean here."""

from __future__ import annotations

from typing import Any

from lossctl.sources.table import Column


def storage(kind: Any) -> Any:
    """The type underneath dictionaries and extensions."""
    import pyarrow as pa

    while True:
        if isinstance(kind, pa.BaseExtensionType):
            kind = kind.storage_type
        elif pa.types.is_dictionary(kind):
            kind = kind.value_type
        else:
            return kind


def is_list(kind: Any) -> bool:
    """Whether a type is a list, of fixed or any length."""
    import pyarrow as pa

    types = pa.types
    return bool(types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind))


def is_number(kind: Any) -> bool:
    """Whether values of a type are numbers or booleans, or lists of them."""
    import pyarrow as pa

    kind = storage(kind)
    if is_list(kind):
        return is_number(kind.value_type)
    types = pa.types
    return bool(
        types.is_integer(kind)
        or types.is_floating(kind)
        or types.is_boolean(kind)
        or types.is_decimal(kind)
    )


def is_text(kind: Any) -> bool:
    """Whether values of a type are text."""
    import pyarrow as pa

    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def is_time(kind: Any) -> bool:
    """Whether values of a type are dates, times or durations."""
    import pyarrow as pa

    return bool(pa.types.is_temporal(kind))


def described(kind: Any) -> str:
    """Name a type for people: `list<double>`, `list<float>[3]`."""
    import pyarrow as pa

    kind = storage(kind)
    if not is_list(kind):
        return "float16" if pa.types.is_float16(kind) else str(kind)
    length = f"[{kind.list_size}]" if pa.types.is_fixed_size_list(kind) else ""
    return f"list<{described(kind.value_type)}>{length}"


def fixed_shape(kind: Any) -> tuple[int, ...] | None:
    """The shape of a value where the type alone says it."""
    import pyarrow as pa

    if isinstance(kind, pa.FixedShapeTensorType):
        return tuple(kind.shape)
    kind = storage(kind)
    if not is_list(kind):
        return ()
    inner = fixed_shape(kind.value_type)
    if inner is None or not pa.types.is_fixed_size_list(kind):
        return None
    return (kind.list_size, *inner)


def column_of(name: str, kind: Any, shape: tuple[int, ...] | None) -> Column:
    """Describe a column of this type."""
    return Column(name, described(kind), is_number(kind), shape)
