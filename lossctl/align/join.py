"""Rows that belong together by a key.

The first table is read in blocks, in its own order; the others are held in memory, which
is what a join by an unsorted key takes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from lossctl.align.inputs import Opened, Wanted
from lossctl.align.places import Keys
from lossctl.align.rows import (
    Batch,
    Stream,
    Task,
    all_wanted,
    block_rows,
    gather,
    labels,
    require_equal,
)
from lossctl.errors import DataError, counted
from lossctl.sources.coded import Values
from lossctl.sources.rebatch import joined
from lossctl.sources.table import Arrays, Table, Want

EXAMPLES = 3


class Held:
    """A table in memory, found by key."""

    def __init__(self, key: Wanted, names: dict[str, Want], rows: int) -> None:
        self.table, self.name = key.table, key.columns[0].name
        names = {**names, self.name: names.get(self.name, Want.ANY)}
        parts = [slab.load() for slab in key.table.slabs(names, rows)]
        self.arrays: Arrays = {
            name: joined([part[name] for part in parts], want, name) for name, want in names.items()
        }
        self.keys = self.arrays[self.name]
        self.hits = np.zeros(len(self.keys), dtype=np.int64)
        self._places = Keys(self.keys)
        nulls = self._places.nulls()
        if nulls.any():
            raise DataError(
                f"{key.table.source}: the key {self.name} is null in "
                f"{counted(int(nulls.sum()), 'row')}",
                "give every row a key",
            )
        repeated = self._places.repeated()
        if repeated.any():
            raise repeats(key.table.source, self.name, self.keys[repeated].tolist())

    def find(self, keys: Values) -> npt.NDArray[np.intp]:
        """The row of each key; −1 where there is none."""
        found = self._places.find(keys)
        np.add.at(self.hits, found[found >= 0], 1)
        return found


def repeats(source: str, name: str, keys: list[Any], count: int | None = None) -> DataError:
    """The refusal of rows whose keys others have; there may be more of them than keys."""
    return DataError(
        f"{source}: {counted(count or len(keys), 'row')} with a repeated key, "
        f"{name} {_examples(keys)}",
        "make the key unique, or join on a column that is",
    )


def _examples(keys: list[Any]) -> str:
    shown = ", ".join(list(dict.fromkeys(map(repr, keys)))[:EXAMPLES])
    return f"for example {shown}" if len(keys) > EXAMPLES else shown


class Join:
    """The tables joined; counts what finds no partner."""

    def __init__(self, opened: Opened, unmatched: str) -> None:
        self.opened, self.unmatched = opened, unmatched
        self.dropped = 0
        self._missing: list[Any] = []
        self._lost = 0
        rows = block_rows(opened)
        names: dict[int, dict[str, Want]] = {key: {} for key in opened.keys}
        for item in all_wanted(opened).values():
            for column in item.columns:
                columns = names[id(item.table)]
                columns[column.name] = item.want.also(columns.get(column.name, Want.ANY))
        main = opened.first
        self.key = opened.keys[id(main)]
        self.held = {
            table: Held(key, names[table], rows)
            for table, key in opened.keys.items()
            if table != id(main)
        }
        name = self.key.columns[0].name
        self._stream = Stream(main, {name: Want.ANY, **names[id(main)]}, rows)

    def tasks(self) -> Iterator[Task]:
        """Blocks of matched rows.

        Raises:
            DataError: Keys that repeat, or that find no partner.
        """
        start = 0
        while slab := self._stream.next():
            batch = self._match(slab.load())
            rows = len(next(iter(batch.inputs.values())))
            if rows:
                yield Task(start, rows, lambda batch=batch: batch)  # type: ignore[misc]
            start += rows
        self._settle()
        if start == 0:
            raise DataError("no row of one table has a partner in the other", "check the key")

    def _match(self, arrays: Arrays) -> Batch:
        main = self.opened.first
        keys = arrays[self.key.columns[0].name]
        rows = {table: held.find(keys) for table, held in self.held.items()}
        matched = np.logical_and.reduce([found >= 0 for found in rows.values()])
        whole = bool(matched.all())
        if not whole:
            self._missing += keys[~matched][:EXAMPLES].tolist()
            self._lost += int((~matched).sum())

        def rows_of(wanted: Wanted) -> Arrays:
            columns = [column.name for column in wanted.columns]
            if wanted.table is main:
                return {name: arrays[name] if whole else arrays[name][matched] for name in columns}
            held, at = self.held[id(wanted.table)], rows[id(wanted.table)]
            return {name: held.arrays[name][at if whole else at[matched]] for name in columns}

        def get(wanted: Wanted) -> npt.NDArray[Any]:
            return gather(wanted, rows_of(wanted))

        def any_of(wanted: Wanted) -> Values:
            return labels(wanted, rows_of(wanted))

        opened = self.opened
        inputs = {name: get(item) for name, item in opened.inputs.items()}
        require_equal(opened, inputs, 0)
        return Batch(
            inputs,
            get(opened.weight) if opened.weight else None,
            tuple(any_of(item) for item in opened.by.values()),
            keys if whole else keys[matched],
            any_of(opened.cluster) if opened.cluster else None,
        )

    def _settle(self) -> None:
        """After the last row: what repeated, what was left over."""
        name = self.key.columns[0].name
        for held in self.held.values():
            again = held.hits > 1
            if again.any():
                extra = int((held.hits[again] - 1).sum())
                source = self.opened.first.source
                raise repeats(source, name, held.keys[again].tolist(), extra)
        for held in self.held.values():
            left = np.flatnonzero(held.hits == 0)
            keys = held.keys[left[:EXAMPLES]].tolist()
            self._report(held.table, len(left), keys, self.opened.first)
        others = " or ".join(held.table.source for held in self.held.values())
        self._report(self.opened.first, self._lost, self._missing, others)

    def _report(self, table: Table, count: int, keys: list[Any], other: Table | str) -> None:
        if count == 0:
            return
        if self.unmatched == "error":
            name = other if isinstance(other, str) else other.source
            raise DataError(
                f"{table.source}: {counted(count, 'key')} without a partner in {name}: "
                + ", ".join(repr(key) for key in keys[:EXAMPLES])
                + (", …" if count > EXAMPLES else ""),
                "mend the data, or leave such rows out with --unmatched drop",
            )
        self.dropped += count
