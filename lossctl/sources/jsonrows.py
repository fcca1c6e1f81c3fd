"""JSON lines to Arrow: by pyarrow, and line by line where pyarrow gives up.

pyarrow reads most data, many times faster. It does not say which value it stumbles on, nor does
it take all that JSON allows: 1e400, a key that is a number here and text there.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from lossctl.sources.arrowtypes import is_list
from lossctl.sources.misfit import MisfitError
from lossctl.sources.text import shown

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]

_LINES = "a JSON lines file has one object on each line"


class Wanted(NamedTuple):
    """A column to read: its type in Arrow, and whether all values have to fit it."""

    name: str
    kind: Any
    number: bool


class Rows(NamedTuple):
    """Parsed rows; columns whose values fit no one type are beside the batch."""

    batch: Any
    mixed: dict[str, Array]


def parse_rows(block: bytes, wanted: list[Wanted]) -> Rows | None:
    """Parse whole lines; None where all of them are empty.

    Raises:
        MisfitError: A line that is no object, or a value that is no number.
    """
    import pyarrow as pa

    try:
        return _rows(_batch(block, pa.schema([(column.name, column.kind) for column in wanted])))
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return _parse_slowly(block, wanted)


def guess_types(block: bytes) -> tuple[dict[str, Any], Any]:
    """Guess the type of each key from the first rows; those rows too, where pyarrow reads them."""
    import pyarrow as pa

    try:
        batch = _batch(block, None)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return _guess_slowly(block), None
    if batch is None:
        return {}, None
    return dict(zip(batch.schema.names, batch.schema.types, strict=True)), batch


def _batch(block: bytes, schema: Any) -> Any:
    import pyarrow as pa
    from pyarrow import json as arrow_json

    table = arrow_json.read_json(
        pa.BufferReader(block),
        read_options=arrow_json.ReadOptions(use_threads=False, block_size=len(block) + 1),
        parse_options=arrow_json.ParseOptions(
            explicit_schema=schema,
            unexpected_field_behavior="infer" if schema is None else "ignore",
        ),
    )
    batches = table.combine_chunks().to_batches()
    return batches[0] if batches else None


def _rows(batch: Any, mixed: dict[str, Array] | None = None) -> Rows | None:
    return None if batch is None or not batch.num_rows else Rows(batch, mixed or {})


def _objects(block: bytes) -> Iterator[dict[str, Any]]:
    lines = (line for line in block.removeprefix(b"\xef\xbb\xbf").split(b"\n") if line.strip())
    for row, line in enumerate(lines):
        try:
            value = json.loads(line)
        except UnicodeDecodeError:
            raise MisfitError(row, "text that is not UTF-8", "convert it to UTF-8") from None
        except (ValueError, RecursionError) as error:
            reason = str(error).split(":", 1)[0]
            text = line.decode(errors="replace")
            raise MisfitError(row, f"is no JSON ({reason}): {shown(text)}", _LINES) from None
        if not isinstance(value, dict):
            raise MisfitError(row, f"{shown(json.dumps(value))} is no object", _LINES)
        yield value


def _parse_slowly(block: bytes, wanted: list[Wanted]) -> Rows | None:
    import numpy as np
    import pyarrow as pa

    numbers = [column for column in wanted if column.number]
    lines: list[str] = []
    others: dict[str, list[Any]] = {column.name: [] for column in wanted if not column.number}
    for row, found in enumerate(_objects(block)):
        fitted = {c.name: _fitted(found.get(c.name), c.kind, row, c.name) for c in numbers}
        lines.append(json.dumps(fitted))
        for name, values in others.items():
            values.append(found.get(name))
    schema = pa.schema([(column.name, column.kind) for column in numbers])
    batch = _batch("\n".join([*lines, ""]).encode(), schema) if lines else None
    mixed = {name: np.fromiter(values, object, len(values)) for name, values in others.items()}
    return _rows(batch, mixed)


def _fitted(value: Any, kind: Any, row: int, column: str) -> Any:
    """A value as what it is wanted as: numbers become floats, the rest has to fit."""
    import pyarrow as pa

    if value is None:
        return None
    if is_list(kind):
        if isinstance(value, list):
            return [_fitted(inner, kind.value_type, row, column) for inner in value]
        raise MisfitError(row, f"{_json(value)} is no list, as the values before", "", column)
    if pa.types.is_boolean(kind):
        if isinstance(value, bool):
            return value
        what = f"{_json(value)} is neither true nor false, as the values before"
        raise MisfitError(row, what, "", column)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise MisfitError(
            row, f"{_json(value)} is no number", "name a column of numbers, or mend the row", column
        )
    try:
        return float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")


def _json(value: Any) -> str:
    return shown(value if isinstance(value, str) else json.dumps(value))


def _guess_slowly(block: bytes) -> dict[str, Any]:
    import pyarrow as pa

    kinds: dict[str, Any] = {}
    for found in _objects(block):
        for name, value in found.items():
            if kinds.get(name) in (None, pa.null()):
                kinds[name] = _kind(value)
    return kinds


def _kind(value: Any) -> Any:
    import pyarrow as pa

    if value is None:
        return pa.null()
    if isinstance(value, bool):
        return pa.bool_()
    if isinstance(value, (int, float)):
        return pa.float64()
    if isinstance(value, list):
        return pa.list_(_kind(next((inner for inner in value if inner is not None), None)))
    return pa.string()
