"""Rows that belong together, block by block, in the order of the files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from lossctl.align.inputs import Opened, Wanted
from lossctl.errors import DataError
from lossctl.sources.coded import Coded, Values
from lossctl.sources.table import Arrays, Slab, Table, Want

ELEMENTS = 1 << 19
"""The elements of one input in a block: few enough for the caches, enough that threads seldom
wait for each other."""
MOST_ROWS = 3 << 16
"""The rows of a block, however narrow: each has figures of its own, in float64.

No power of two: pyarrow decodes into buffers of the next one, and doubles those that are full
when a page reaches beyond the block.
"""
STEPWISE = 8
"""How many times the elements a loss takes that computes with those of one time step at once:
calls on few of them cost more than what they compute, and threads would wait for each other."""

AnyArray = npt.NDArray[Any]


class Batch(NamedTuple):
    """One block's arrays, row by row the same samples (unless the losses are unpaired)."""

    inputs: dict[str, AnyArray]
    weight: AnyArray | None
    by: tuple[Values, ...]
    key: Values | None
    cluster: Values | None = None


class Task(NamedTuple):
    """A block before it is loaded. `load` may be called on any thread, once."""

    start: int
    rows: int
    load: Callable[[], Batch]


def block_rows(opened: Opened) -> int:
    """The rows of a block, which depend on the losses and the shape of the widest input alone.

    All sums are made block by block, so this is what keeps their bits the same whatever
    the format, the threads and the other options.
    """
    width = max(1, *(item.width for item in opened.inputs.values()))
    elements = ELEMENTS * (STEPWISE if any(loss.stepwise for loss in opened.uses) else 1)
    rows = max(1, elements // width)
    return min(MOST_ROWS, 1 << (rows.bit_length() - 1))


class Stream:
    """The slabs of one table (of one column, where columns have lengths of their own)."""

    def __init__(self, table: Table, names: dict[str, Want], rows: int) -> None:
        self.table, self.names = table, names
        self.read = 0
        self._slabs = table.slabs(names, rows)

    def next(self) -> Slab | None:
        """The next slab; None at the end."""
        slab = next(self._slabs, None)
        self.read += slab.rows if slab else 0
        return slab

    def finish(self) -> int:
        """Read to the end; the rows in all."""
        while self.next():
            pass
        return self.read


def _key(wanted: Wanted) -> tuple[int, str | None]:
    return id(wanted.table), wanted.columns[0].name if wanted.table.separate else None


def all_wanted(opened: Opened) -> dict[str, Wanted]:
    """Everything that is to be read, under a label for messages."""
    found = dict(opened.inputs)
    if opened.weight:
        found["the weight"] = opened.weight
    if opened.cluster:
        found["the cluster"] = opened.cluster
    return found | {f"the group {name}": item for name, item in opened.by.items()}


def in_order(opened: Opened, *, unpaired: bool) -> Iterator[Task]:
    """Blocks of rows, matched by their position.

    Raises:
        DataError: The inputs differ in length.
    """
    for name, item in opened.inputs.items():
        if item.width == 0:
            raise DataError(
                f"{name} ({item.table.source}) has rows of no elements",
                "give rows that hold values",
            )
    rows = block_rows(opened)
    wanted = all_wanted(opened)
    if not unpaired:
        known = {label: item.table.rows for label, item in wanted.items()}
        lengths = {label: count for label, count in known.items() if count is not None}
        if len(set(lengths.values())) > 1 and not any(i.table.separate for i in wanted.values()):
            raise _unequal({label: (wanted[label], n) for label, n in lengths.items()})
    streams = _streams([*wanted.values(), *(item for pair in opened.ids for item in pair)], rows)
    start = 0
    while True:
        slabs = {key: stream.next() for key, stream in streams.items()}
        sizes = {slab.rows if slab else 0 for slab in slabs.values()}
        if sizes == {0}:
            break
        if len(sizes) > 1 and not unpaired:
            raise _unequal(
                {label: (item, streams[_key(item)].finish()) for label, item in wanted.items()}
            )
        yield Task(start, max(sizes), _loader(opened, slabs, start))
        start += max(sizes)
    if start == 0:
        raise DataError(f"{opened.first.source} holds no rows", "give at least one sample")


def _streams(wanted: Iterable[Wanted], rows: int) -> dict[tuple[int, str | None], Stream]:
    names: dict[tuple[int, str | None], tuple[Table, dict[str, Want]]] = {}
    for item in wanted:
        _, columns = names.setdefault(_key(item), (item.table, {}))
        for column in item.columns:
            columns[column.name] = item.want.also(columns.get(column.name, Want.ANY))
    return {key: Stream(table, columns, rows) for key, (table, columns) in names.items()}


def _loader(
    opened: Opened, slabs: dict[tuple[int, str | None], Slab | None], start: int
) -> Callable[[], Batch]:
    def load() -> Batch:
        arrays: dict[tuple[int, str | None], Arrays] = {
            key: slab.load() for key, slab in slabs.items() if slab
        }

        for pair in opened.ids:
            mine, theirs = (labels(item, arrays[_key(item)]) for item in pair)
            _require_same(pair[0], pair[1], mine, theirs, start)

        def get(wanted: Wanted) -> AnyArray:
            return gather(wanted, arrays.get(_key(wanted)))

        def any_of(wanted: Wanted) -> Values:
            return labels(wanted, arrays[_key(wanted)])

        inputs = {name: get(wanted) for name, wanted in opened.inputs.items()}
        require_equal(opened, inputs, start)
        return Batch(
            inputs,
            get(opened.weight) if opened.weight else None,
            tuple(any_of(wanted) for wanted in opened.by.values()),
            None,
            any_of(opened.cluster) if opened.cluster else None,
        )

    return load


def _require_same(first: Wanted, second: Wanted, mine: Values, theirs: Values, start: int) -> None:
    """Refuse rows whose ids differ: they are not the same samples."""
    if mine.dtype.kind == "O" or theirs.dtype.kind == "O":
        mine, theirs = as_text(mine), as_text(theirs)
    mine, theirs = np.asarray(mine), np.asarray(theirs)
    null = (mine != mine) & (theirs != theirs)  # NaN, which differs from itself
    differs = (mine != theirs) & ~null
    if not differs.any():
        return
    row, name = int(differs.argmax()), first.columns[0].name
    raise DataError(
        f"the rows are not in the same order: {name} is {mine[row]!s} at "
        f"{first.table.place(start + row)}, and {theirs[row]!s} at "
        f"{second.table.place(start + row)}",
        f"join the tables by it: --on {name}; or pair them by row all the same: --on row",
    )


def require_equal(opened: Opened, inputs: Mapping[str, AnyArray], start: int) -> None:
    """Refuse targets of two models that differ: their losses would not compare."""
    for first, second in opened.equal:
        mine, theirs = inputs[first], inputs[second]
        mine, theirs = (array.reshape(len(array), -1) for array in (mine, theirs))
        wanted, other = opened.inputs[first], opened.inputs[second]
        if mine.shape != theirs.shape:
            raise DataError(
                f"the {first}s differ in shape: {wanted.table.source} and {other.table.source}",
                "compare models of the same samples, or name one target with --target REF",
            )
        differs = (mine != theirs) & ~((mine != mine) & (theirs != theirs))
        rows = np.asarray(differs.any(axis=1))
        if rows.any():
            row = int(rows.argmax())
            entry = int(differs[row].argmax())
            where = (
                f"{item.table.place(start + row)}" if not opened.keys else item.table.source
                for item in (wanted, other)
            )
            values = (array[row, entry].item() for array in (mine, theirs))
            shown = " and ".join(f"{value!r} at {at}" for value, at in zip(values, where))
            raise DataError(
                f"the {first}s differ: {shown}",
                "compare models of the same samples (--on KEY joins them), or name one target "
                "with --target REF",
            )


def as_text(keys: Values) -> AnyArray:
    """Keys as text, in which 7, 7.0 and "7" are the same."""
    if isinstance(keys, Coded):
        return as_text(keys.words)[keys.codes]
    texts = [key if type(key) is str else _text(key) for key in keys.tolist()]
    return np.array(texts, dtype=object)


def _text(key: Any) -> str:
    if key is None or key != key:
        return "\0"  # null, which is no text that a file holds
    return str(int(key)) if isinstance(key, float) and key.is_integer() else str(key)


def gather(wanted: Wanted, arrays: Arrays | None) -> AnyArray:
    """An input's array: its column, or its columns side by side on the last axis."""
    if arrays is None:  # an unpaired input that has ended
        shape = wanted.columns[0].shape or ()
        return np.empty((0, *shape, len(wanted.columns)) if wanted.stacked else (0, *shape))
    if wanted.stacked:
        parts = [np.asarray(arrays[column.name]) for column in wanted.columns]
        if len({part.shape for part in parts}) > 1:
            names = ", ".join(column.name for column in wanted.columns[:3])
            raise DataError(
                f"{wanted.table.source}: the columns {names} hold lists of different lengths",
                "name one list column, or columns of single numbers",
            )
        return np.stack(parts, axis=-1)
    return np.asarray(arrays[wanted.columns[0].name])


def labels(wanted: Wanted, arrays: Arrays) -> Values:
    """A column of any values: groups, clusters, keys."""
    return arrays[wanted.columns[0].name]


def _unequal(lengths: dict[str, tuple[Wanted, int]]) -> DataError:
    found = ", ".join(
        f"{label.partition('@')[0]} ({item.table.source}) has {count:,} rows"
        for label, (item, count) in lengths.items()
    )
    return DataError(
        f"the inputs differ in length: {found}",
        "join by a key column with --on KEY, if they have one",
    )
