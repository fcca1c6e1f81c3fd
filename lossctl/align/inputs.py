"""From references to columns: opens each table once and says what was chosen."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod
from typing import NamedTuple

from lossctl.errors import DataError, UsageError
from lossctl.losses import Loss
from lossctl.plan import MAIN, Plan, Source, needs
from lossctl.report import InputInfo
from lossctl.sources import Reference, choose, open_table
from lossctl.sources.select import goes_by, is_id
from lossctl.sources.table import Column, Format, Table, Want


class Wanted(NamedTuple):
    """Columns of one table that make up an input, a weight, a group or a key."""

    table: Table
    columns: tuple[Column, ...]
    want: Want = Want.NUMBERS
    stacked: bool = False  # several columns, side by side on the last axis

    @property
    def width(self) -> int:
        """Elements a row, as far as it is known."""
        return sum(64 if item.shape is None else prod(item.shape) for item in self.columns)

    def info(self, rows: int) -> InputInfo:
        """For the report."""
        shape = self.columns[0].shape or ()
        if self.stacked:
            shape = (*shape, len(self.columns))
        names = tuple(item.name for item in self.columns if item.name)
        return InputInfo(self.table.source, names, (rows, *shape), self.columns[0].dtype)


@dataclass(eq=False, repr=False)
class Opened:
    """The tables that are open, and what is wanted of them."""

    inputs: dict[str, Wanted] = field(default_factory=dict)
    weight: Wanted | None = None
    by: dict[str, Wanted] = field(default_factory=dict)
    cluster: Wanted | None = None
    keys: dict[int, Wanted] = field(default_factory=dict)  # by table, where rows are joined
    uses: dict[Loss, tuple[str, ...]] = field(default_factory=dict)  # the inputs of each loss
    tables: dict[object, Table] = field(default_factory=dict)
    ids: list[tuple[Wanted, Wanted]] = field(default_factory=list)  # that must agree row by row
    notes: list[str] = field(default_factory=list)  # what was decided that may surprise
    # by candidate: under which name here each of its inputs is; the plan's own inputs come first
    models: list[dict[str, str]] = field(default_factory=lambda: [{}])
    equal: list[tuple[str, str]] = field(default_factory=list)  # inputs that must hold the same

    def close(self) -> None:
        """Close every table."""
        for table in self.tables.values():
            table.close()

    @property
    def first(self) -> Table:
        """The table whose rows set the order."""
        return next(iter(self.inputs.values())).table


def open_inputs(plan: Plan) -> Opened:
    """Open what the plan refers to, and choose the columns.

    Raises:
        DataError: A file that cannot be read, or a column that is not there.
        UsageError: A loss needs an input that nothing gives.
    """
    opened = Opened()
    try:
        for name, source in plan.inputs.items():
            if isinstance(source, Reference) and source.path:
                _table(opened, name, source, plan.format)
        for loss in plan.definitions:
            opened.uses[loss] = _inputs_of(opened, plan, loss)
        for number, inputs in enumerate(plan.models, 1):
            _model(opened, plan, number, inputs)
        unused = [name for name in plan.inputs if name not in opened.inputs]
        if unused and not _serves(opened, plan, unused[0]):
            names = " or ".join(loss.name for loss in plan.definitions)
            raise UsageError(
                f"{names} takes no {unused[0]} beside the inputs given", "leave it out"
            )
        if plan.weight is not None:
            opened.weight = _side(opened, plan, "weight", "weight", plan.weight)
        for name, source in plan.by.items():
            opened.by[name] = _side(opened, plan, "by", name, source)
        if plan.cluster is not None:
            opened.cluster = _side(opened, plan, "cluster", "cluster", plan.cluster)
        if plan.on is not None:
            _keys(opened, plan.on)
        elif not plan.by_row and not plan.unpaired:
            _ids(opened)
    except BaseException:
        opened.close()
        raise
    return opened


def _model(opened: Opened, plan: Plan, number: int, inputs: Mapping[str, Source]) -> None:
    """Choose the inputs of a candidate, as if it were alone, and take over what is its own.

    What comes from the same columns as the plan's own is shared; a target of its own has to
    hold the same.
    """
    own = plan._replace(
        inputs=inputs, models=(), weight=None, by={}, cluster=None, on=None, by_row=True
    )
    found = Opened(tables=opened.tables)
    for name, source in inputs.items():
        if isinstance(source, Reference) and source.path:
            _table(found, name, source, plan.format)
    names: dict[str, str] = {}
    for loss in plan.definitions:
        _inputs_of(found, own, loss)
    for name, wanted in found.inputs.items():
        shared = opened.inputs.get(name)
        if shared is not None and (shared.table, shared.columns) == (wanted.table, wanted.columns):
            names[name] = name
            continue
        names[name] = f"{name}@{number}"
        opened.inputs[names[name]] = wanted
        if name == "target":
            opened.equal.append((name, names[name]))
    opened.models.append(names)
    opened.notes += found.notes


def _table(opened: Opened, name: str, source: Source, how: Format) -> Table:
    if isinstance(source, Reference):
        key: object = source.path
        if key not in opened.tables:
            opened.tables[key] = open_table(source.path, how)
    else:
        from lossctl.align.memory import MemoryTable

        key = id(source)
        if key not in opened.tables:
            opened.tables[key] = MemoryTable(name, source)
    return opened.tables[key]


def _main_tables(opened: Opened, plan: Plan) -> list[Table]:
    """The tables in which a column without a path is looked for, in order."""
    found = []
    for name in (*MAIN, *plan.inputs):
        source = plan.inputs.get(name)
        if isinstance(source, Reference) and not source.path:
            continue
        if source is not None and (table := _table(opened, name, source, plan.format)) not in found:
            found.append(table)
    return found


def _inputs_of(opened: Opened, plan: Plan, loss: Loss) -> tuple[str, ...]:
    """Choose the columns of each of the loss's inputs; the names of those that it has."""
    if loss.alternatives:
        required = _alternative(opened, plan, loss)
    else:
        constants = _constants(plan, loss)
        required = tuple(i.name for i in loss.inputs if not i.optional and i.name not in constants)
    names = []
    for item in loss.inputs:
        there = item.name in plan.inputs or (item.optional and _present(opened, plan, item.name))
        if item.name in required or (there and not loss.alternatives):
            _choose(opened, plan, item.name)
            names.append(item.name)
    return tuple(names)


def _constants(plan: Plan, loss: Loss) -> set[str]:
    """Inputs that every use of the loss gives as one number."""
    uses = [p.params for bound in plan.losses for _, p in bound.parts if p.loss is loss]
    return {i.name for i in loss.inputs if i.constant and all(i.name in use for use in uses)}


def _alternative(opened: Opened, plan: Plan, loss: Loss) -> tuple[str, ...]:
    """The set of inputs that is there; of several, the one that is named most plainly."""

    def named(names: tuple[str, ...]) -> int:
        # a file given by position is there to be looked into, whatever its input is called
        return sum(
            (name in plan.inputs and name not in MAIN) or _present(opened, plan, name)
            for name in names
        )

    there = [
        names
        for names in loss.alternatives
        if all(name in plan.inputs or _present(opened, plan, name) for name in names)
    ]
    return max(there or loss.alternatives, key=named)


def _present(opened: Opened, plan: Plan, name: str) -> bool:
    """Whether an open table has a column that goes by this name."""
    return any(
        goes_by(column.name, name) and column.numeric
        for table in _main_tables(opened, plan)
        for column in table.columns
    )


def _choose(opened: Opened, plan: Plan, name: str) -> None:
    if name in opened.inputs:
        return
    source = plan.inputs.get(name)
    tables = _main_tables(opened, plan)
    if source is None or (isinstance(source, Reference) and not source.path):
        columns = source.columns if isinstance(source, Reference) else None
        table = _table_with(tables, columns, name)
        if table is None:
            losses = " and ".join(loss.name for loss in plan.definitions)
            loss = next(i for i in plan.definitions if any(p.name == name for p in i.inputs))
            raise UsageError(
                f"{losses} needs {needs(loss)}, and {name} is not given",
                "give the target of all models: --target REF"
                if plan.test and name == "target"
                else f"give --input {name}=REF"
                + (", or a TARGET file" if name == "target" and len(tables) < 2 else ""),
            )
    else:
        table = _table(opened, name, source, plan.format)
        columns = source.columns if isinstance(source, Reference) else None
    serving = [other for other in opened.inputs.values() if other.table is table]
    several = len(table.columns) > 1
    taken = {column.name for other in serving for column in other.columns} if several else set()
    if columns is None and _is_frame(source) and not _shared(plan, name):
        chosen = tuple(column for column in table.columns if column.numeric)
    else:
        chosen = choose(
            table, columns, name, frozenset(taken),
            beside=_side_columns(plan), alone=not (serving and several),
        )  # fmt: skip
    for other, wanted in opened.inputs.items():
        if wanted.table is table and wanted.columns == chosen and len(table.columns) > 1:
            raise UsageError(
                f"{other} and {name} are the same column, {chosen[0].name} of {table.source}",
                f"name another: --{name} COLUMN" if name in MAIN else f"--input {name}=::COLUMN",
            )
    if _out_of_order(columns, chosen):
        listed = ", ".join(column.name for column in chosen[:3])
        opened.notes.append(
            f"{name}: {listed}, … are in the file's order, which is not that of their numbers"
        )
    opened.inputs[name] = Wanted(table, chosen, _want(plan, name), len(chosen) > 1)
    if len({column.shape for column in chosen}) > 1:
        raise DataError(
            f"{table.source}: the columns of {name} hold lists of different lengths",
            "name one list column, or columns of single numbers",
        )


def _want(plan: Plan, name: str) -> Want:
    """Lists of any lengths are read where every loss that takes the input takes such."""
    takes = [item for loss in plan.definitions for item in loss.inputs if item.name == name]
    return Want.RAGGED if all(item.ragged for item in takes) else Want.NUMBERS


def _side_columns(plan: Plan) -> frozenset[str]:
    """The columns that are asked for as weight, group or key, and so are no inputs."""
    sources = [plan.weight, plan.cluster, *plan.by.values()]
    names = {item.columns for item in sources if isinstance(item, Reference) and not item.path}
    return frozenset(name for name in (*names, plan.on) if name)


def _is_frame(source: Source) -> bool:
    return not isinstance(source, Reference) and hasattr(source, "columns")


def _shared(plan: Plan, name: str) -> bool:
    """Whether the table of this input is to serve other inputs too."""
    return not all(other in plan.inputs for other in MAIN if other != name)


def _out_of_order(columns: str | None, chosen: tuple[Column, ...]) -> bool:
    """Whether a glob has found numbered columns in another order than their numbers'."""
    if columns is None or "*" not in columns:
        return False
    numbers = [re.search(r"(\d+)$", column.name) for column in chosen]
    found = [int(number[1]) for number in numbers if number]
    return len(found) == len(chosen) and found != sorted(found)


def _table_with(tables: list[Table], columns: str | None, name: str) -> Table | None:
    """The table in which an input without a path is to be looked for."""
    if not tables:
        return None
    if columns is None and len(tables[0].columns) == 1:
        return None  # its one column is another input already
    wanted = (columns or name).split(",")[0].strip().lower()
    for table in tables:
        if any(column.name.lower() == wanted for column in table.columns):
            return table
    return tables[0] if columns is not None or name in MAIN else None


def _side(opened: Opened, plan: Plan, flag: str, name: str, source: Source) -> Wanted:
    """The column of a weight, group or cluster: one, of any open table or of its own."""
    if not isinstance(source, Reference):
        table = _table(opened, name, source, plan.format)
        columns = table.columns
    elif source.path and (source.columns or not _has_column(opened, plan, source.path)):
        table = _table(opened, name, source, plan.format)
        columns = choose(table, source.columns, name, frozenset())
    else:
        column = source.columns or source.path
        tables = _main_tables(opened, plan)
        having = [t for t in tables if any(c.name == column for c in t.columns)]
        table = (having or tables)[0]
        columns = choose(table, column, name, frozenset())
    if len(columns) != 1 or columns[0].shape != ():
        raise UsageError(
            f"--{flag} {name}: one column with one value a row is needed",
            "name a single column" + (", and several with --by A --by B" if flag == "by" else ""),
        )
    return Wanted(table, columns, Want.NUMBERS if flag == "weight" else Want.ANY)


def _has_column(opened: Opened, plan: Plan, name: str) -> bool:
    return any(c.name == name for table in _main_tables(opened, plan) for c in table.columns)


def _keys(opened: Opened, key: str) -> None:
    wanted = [*opened.inputs.values(), *opened.by.values()]
    wanted += [item for item in (opened.weight, opened.cluster) if item]
    tables = list({id(item.table): item.table for item in wanted}.values())
    if len(tables) < 2:
        raise UsageError("--on joins two tables, and there is only one", "leave out --on")
    for table in tables:
        columns = choose(table, key, "key", frozenset())
        if len(columns) != 1 or columns[0].shape != ():
            raise UsageError(f"--on {key}: the key must be one column", "name a single column")
        opened.keys[id(table)] = Wanted(table, columns, Want.ANY)


def _ids(opened: Opened) -> None:
    """Columns that name the rows in two tables: where they differ, so does the order."""
    wanted = [*opened.inputs.values(), *opened.by.values()]
    wanted += [item for item in (opened.weight, opened.cluster) if item]
    used = {(id(item.table), column.name) for item in wanted for column in item.columns}
    first = opened.first
    for table in {id(item.table): item.table for item in wanted}.values():
        if table is first or table.separate or first.separate:
            continue
        theirs = {column.name.casefold(): column for column in table.columns}
        for mine in first.columns:
            other = theirs.get(mine.name.casefold())
            if other is None or not is_id(mine.name) or mine.shape != () or other.shape != ():
                continue
            if not used & {(id(first), mine.name), (id(table), other.name)}:
                pair = (Wanted(first, (mine,), Want.ANY), Wanted(table, (other,), Want.ANY))
                opened.ids.append(pair)


def _serves(opened: Opened, plan: Plan, name: str) -> bool:
    """Whether an unused input's table serves something else."""
    source = plan.inputs[name]
    table = opened.tables.get(source.path if isinstance(source, Reference) else id(source))
    used: Mapping[str, Wanted] = opened.inputs
    return any(item.table is table for item in used.values())
