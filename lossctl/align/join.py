"""Rows that belong together by a key.

The first table is read in blocks, in its own order; the others are held in memory, which
is what a join by an unsorted key takes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from lossctl.align.inputs import Opened, Wanted
from lossctl.align.rows import (
    Batch,
    Stream,
    Task,
    all_wanted,
    as_text,
    block_rows,
    gather,
    require_equal,
)
from lossctl.errors import DataError, counted
from lossctl.sources.rebatch import joined
from lossctl.sources.table import Arrays, Table, Want

if TYPE_CHECKING:
    import pandas as pd

EXAMPLES = 3
_NUMBERS = "biuf"  # the kinds of dtype whose keys are compared as numbers


class Held:
    """A table in memory, found by key."""

    def __init__(self, key: Wanted, names: dict[str, Want], rows: int) -> None:
        import pandas as pd

        self.table, self.name = key.table, key.columns[0].name
        names = {**names, self.name: names.get(self.name, Want.ANY)}
        parts = [slab.load() for slab in key.table.slabs(names, rows)]
        self.arrays: Arrays = {
            name: joined([part[name] for part in parts], want, name) for name, want in names.items()
        }
        self.index = pd.Index(self.arrays[self.name])
        self.numeric = self.arrays[self.name].dtype.kind in _NUMBERS
        self._as_text: pd.Index | None = None
        self.hits = np.zeros(len(self.index), dtype=np.int64)
        if self.index.hasnans:
            raise DataError(
                f"{key.table.source}: the key {self.name} is null in "
                f"{counted(int(np.sum(self.index.isna())), 'row')}",
                "give every row a key",
            )
        refuse_duplicates(key.table.source, self.name, self.index[self.index.duplicated()])

    def _index_for(self, keys: npt.NDArray[Any]) -> pd.Index:
        """The keys here; as text where those there are of another kind."""
        if self.numeric and keys.dtype.kind in _NUMBERS:
            return self.index
        if self._as_text is None:
            import pandas as pd

            self._as_text = pd.Index(as_text(self.arrays[self.name]), dtype=object)
        return self._as_text

    def _like(self, keys: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return keys if self.numeric and keys.dtype.kind in _NUMBERS else as_text(keys)

    def find(self, keys: npt.NDArray[Any]) -> npt.NDArray[np.intp]:
        """The row of each key; −1 where there is none."""
        index: Any = self._index_for(keys)
        found = np.asarray(index.get_indexer(self._like(keys)), dtype=np.intp)
        self.hits += np.bincount(found[found >= 0], minlength=len(self.hits))
        return found


def refuse_duplicates(source: str, name: str, keys: Sequence[Any] | Any) -> None:
    """Raise if there are any."""
    if len(keys):
        raise DataError(
            f"{source}: {counted(len(keys), 'row')} with a repeated key, {name} {_examples(keys)}",
            "make the key unique, or join on a column that is",
        )


def _examples(keys: Any) -> str:
    shown = ", ".join(repr(key) for key in list(dict.fromkeys(keys))[:EXAMPLES])
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
        if not matched.all():
            self._missing += keys[~matched][:EXAMPLES].tolist()
            self._lost += int((~matched).sum())

        def get(wanted: Wanted) -> npt.NDArray[Any]:
            if wanted.table is main:
                found = gather(wanted, arrays)
                return found if matched.all() else found[matched]
            held, at = self.held[id(wanted.table)], rows[id(wanted.table)][matched]
            return gather(wanted, {c.name: held.arrays[c.name][at] for c in wanted.columns})

        opened = self.opened
        inputs = {name: get(item) for name, item in opened.inputs.items()}
        require_equal(opened, inputs, 0)
        return Batch(
            inputs,
            get(opened.weight) if opened.weight else None,
            tuple(get(item) for item in opened.by.values()),
            keys if matched.all() else keys[matched],
            get(opened.cluster) if opened.cluster else None,
        )

    def _settle(self) -> None:
        """After the last row: what repeated, what was left over."""
        name = self.key.columns[0].name
        for held in self.held.values():
            again = held.hits > 1
            if again.any():
                extra = int((held.hits[again] - 1).sum())
                raise DataError(
                    f"{self.opened.first.source}: {counted(extra, 'row')} with a repeated key, "
                    f"{name} {_examples(held.index[again])}",
                    "make the key unique, or join on a column that is",
                )
        for held in self.held.values():
            left = held.index[held.hits == 0]
            self._report(held.table, len(left), list(left[:EXAMPLES]), self.opened.first)
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
