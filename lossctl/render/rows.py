"""The rows and columns that the table, Markdown and CSV share; none of them is text yet."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

from lossctl.render.text import cell, joined, number
from lossctl.report import Group, free, named

if TYPE_CHECKING:
    from lossctl.report import (
        Comparison,
        GateResult,
        InputInfo,
        Interval,
        LossResult,
        Report,
        Summary,
    )

MISSING = "–"
Kind = Literal["text", "unit", "word", "count", "figure", "value"]


class Estimated(Protocol):
    """A value with its interval."""

    @property
    def value(self) -> float:
        """What the interval goes around."""
        ...

    @property
    def interval(self) -> Interval | None:
        """None where there is none."""
        ...


class Column(NamedTuple):
    """A column: its heading and what stands in it."""

    name: str
    kind: Kind = "text"
    digits: int | None = None  # fewer than the others' where nobody asked for a precision
    tied: bool = False  # says something of the column before it, and stays beside it


class Grid(NamedTuple):
    """Rows under headings, for people: chosen figures in a chosen order."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Any, ...], ...]

    def texts(self, readable: int, asked: bool) -> list[list[str]]:
        """The cells as text, one line each.

        Args:
            readable: The significant digits of a figure.
            asked: Whether somebody asked for just so many.
        """
        return [
            [
                _text(column, value, readable if asked else column.digits or readable)
                for column, value in zip(self.columns, row, strict=True)
            ]
            for row in self.rows
        ]


def _text(column: Column, value: Any, precision: int) -> str:
    if column.kind == "text":  # a group's value is a name, also where it is a number
        return cell(value, missing="null")
    if column.kind == "figure" and isinstance(value, float) and math.isnan(value):
        return MISSING  # how a report writes a figure that does not exist
    return cell(value, precision, MISSING)


def kept(title: str, columns: Iterable[Column], rows: Iterable[Iterable[Any]]) -> Grid:
    """A grid without the columns of figures in which nothing stands."""
    columns, listed = tuple(columns), [tuple(row) for row in rows]
    kept = [
        i
        for i, column in enumerate(columns)
        if column.kind in ("text", "word", "value") or not all(_empty(row[i]) for row in listed)
    ]
    return Grid(
        title, tuple(columns[i] for i in kept), tuple(tuple(row[i] for i in kept) for row in listed)
    )


def _empty(value: Any) -> bool:
    return value is None or value == "" or value != value


def grids(report: Report) -> list[Grid]:
    """All of the report but the inputs, the single samples and the notes."""
    found = [loss_grid(report)]
    if any(item.components for item in report.losses):
        found.append(component_grid(report))
    if any(item.groups for item in report.losses):
        found.append(group_grid(report))
    if any(item.worst for item in report.losses):
        found.append(worst_grid(report))
    if report.gates:
        found.append(gate_grid(report.gates))
    return found


def gate_grid(gates: Sequence[GateResult]) -> Grid:
    """Which gates have passed, and what was found."""
    rows = tuple(
        (
            item.gate,
            "error" if item.error else "passed" if item.passed else "FAILED",
            item.error or item.message,
        )
        for item in gates
    )
    return Grid("Gates", (Column("gate"), Column("result", "word"), Column("found")), rows)


def input_grid(report: Report) -> Grid:
    """What was evaluated."""
    rows = []
    for name, info in report.inputs.items():
        rows.append((name, reference(info), " × ".join(map(str, info.shape)), info.dtype))
    return Grid("Inputs", tuple(map(Column, ("input", "source", "shape", "dtype"))), tuple(rows))


def reference(info: InputInfo) -> str:
    """Where an input came from, as it would be given."""
    return f"{info.source}::{joined(info.columns)}" if info.columns else info.source


def counted(report: Report | Comparison) -> str:
    """How many samples there were, in words."""
    text = f"{report.samples} sample{'' if report.samples == 1 else 's'}"
    return f"{text}, {report.skipped} of them skipped" if report.skipped else text


def loss_grid(report: Report) -> Grid:
    """One row a loss; the figures that somebody looks for first."""
    losses = report.losses
    reductions = any(item.reduction != "mean" for item in losses)
    intervals = Intervals([item.summary for item in losses])
    columns = [
        Column("loss"),
        *([Column("reduction")] if reductions else []),
        Column("value", "value"),
        Column("unit", "unit"),
        *intervals.columns,
        Column("n", "count"),
        *(Column(name, "figure") for name in ("std", "min", "median", "p95", "max")),
        Column("nonfinite", "count"),
        Column("no value", "count"),
    ]
    rows = (
        (
            item.loss,
            *([item.reduction] if reductions else []),
            item.value,
            item.unit,
            *intervals.cells(item.summary.interval),
            item.n,
            item.summary.std,
            item.summary.min,
            item.summary.quantiles.get(0.5),
            item.summary.quantiles.get(0.95),
            item.summary.max,
            item.summary.nonfinite or None,
            item.valueless or None,
        )
        for item in losses
    )
    return kept("", columns, rows)


class Intervals:
    """How the intervals of some values are shown: by ± where that says it all, else by two ends."""

    def __init__(self, values: Sequence[Estimated]) -> None:
        levels = {f"{i.level * 100:g}%" for item in values if (i := item.interval)}
        level = "/".join(sorted(levels))
        self._symmetric = all(map(_symmetric, values))
        self.columns = (
            [Column(f"± {level}", "figure", digits=3, tied=True)]
            if self._symmetric
            else [Column(f"{level} {side}", "figure", tied=True) for side in ("low", "high")]
        )

    def cells(self, interval: Interval | None) -> list[float | None]:
        """What stands in the columns."""
        if interval is None:
            return [None] * len(self.columns)
        if self._symmetric:
            return [(interval.high - interval.low) / 2]
        return [interval.low, interval.high]


def _symmetric(item: Estimated) -> bool:
    """Whether ± says all of the value's interval."""
    interval = item.interval
    if interval is None or not math.isfinite(interval.high - interval.low):
        return True
    middle = (interval.high + interval.low) / 2
    return not abs(middle - item.value) > 1e-6 * (interval.high - interval.low)


def component_grid(report: Report) -> Grid:
    """One row a component (a class, an output), one column a loss that has them."""
    losses = [item for item in report.losses if item.components]
    rows = zip_longest(*(item.components for item in losses))
    return kept(
        "Components",
        (Column("component"), *(Column(item.loss, "value") for item in losses)),
        ((index, *values) for index, values in enumerate(rows)),
    )


class Groups(NamedTuple):
    """The groups of all losses, each once, with what every loss found of it."""

    losses: list[str]
    names: list[str]  # of the columns that they are by
    rows: list[tuple[list[Any], list[Summary | None]]]  # their values, and one summary a loss


def groups_of(report: Report) -> Groups:
    """The groups in the order in which the losses name them; no rows where there are none."""
    losses = [item for item in report.losses if item.groups]
    # Groups are matched by their text: values of any type need not be hashable.
    found = [{repr(group.group): group for group in item.groups or ()} for item in losses]
    groups = {key: group.group for by in found for key, group in by.items()}
    names = list(dict.fromkeys(name for group in groups.values() for name in group))
    rows = [
        (
            [named(group.get(name)) for name in names],
            [by[key].summary if key in by else None for by in found],
        )
        for key, group in groups.items()
    ]
    return Groups([item.loss for item in losses], list(map(str, names)), rows)


def group_grid(report: Report) -> Grid:
    """One row a group, and for each loss its value and interval.

    The samples stand there once, where all losses agree on them.
    """
    groups = groups_of(report)
    counts = [[summary and summary.n for summary in summaries] for _, summaries in groups.rows]
    once = all(len(set(ns)) == 1 for ns in counts)
    columns = [Column(name) for name in groups.names]
    if once:
        columns.append(Column("n", "count"))
    intervals = [
        Intervals([summary for summary in of_loss if summary])
        for of_loss in zip(*(summaries for _, summaries in groups.rows), strict=True)
    ]
    for loss, its in zip(groups.losses, intervals, strict=True):
        columns += [Column(loss, "value"), *its.columns]
        columns += [] if once else [Column(f"n ({loss})", "count")]
    rows = []
    for (values, summaries), ns in zip(groups.rows, counts, strict=True):
        row = values + (ns[:1] if once else [])
        for summary, its, n in zip(summaries, intervals, ns, strict=True):
            row += [summary and summary.value, *its.cells(summary and summary.interval)]
            row += [] if once else [n]
        rows.append(row)
    return kept(f"By {', '.join(groups.names)}", columns, rows)


def worst_grid(report: Report) -> Grid:
    """The samples of the largest losses, loss by loss."""
    rows = [
        (item.loss, worst.sample, named(worst.key), worst.value)
        for item in report.losses
        for worst in item.worst or ()
    ]
    keyed = any(row[2] is not None for row in rows)
    columns = (Column("loss"), Column("sample", "count"), Column("key"), Column("value", "value"))
    keep = [0, 1, 2, 3] if keyed else [0, 1, 3]
    return Grid(
        "Worst samples",
        tuple(columns[i] for i in keep),
        tuple(tuple(row[i] for i in keep) for row in rows),
    )


def has_samples(report: Report) -> bool:
    """Whether the losses of single samples were asked for."""
    return any(item.per_sample is not None for item in report.losses)


def sample_columns(report: Report) -> dict[str, list[float | None]]:
    """The losses of single samples by loss, of one length; entry i is sample i's.

    Losses over inputs of different lengths differ in length; the shorter end with None.
    """
    columns = {
        item.loss: item.per_sample.tolist() for item in report.losses if item.per_sample is not None
    }
    longest = max(map(len, columns.values()), default=0)
    return {name: values + [None] * (longest - len(values)) for name, values in columns.items()}


def sample_texts(report: Report, precision: int | None, missing: str) -> list[tuple[str, ...]]:
    """The losses of single samples as text, column by column, each under its heading.

    Columns, because there may be millions of rows.
    """
    columns = sample_columns(report)
    found = [
        (name, *(missing if value is None else number(value, precision) for value in values))
        for name, values in columns.items()
    ]
    return [("sample", *map(str, range(len(found[0]) - 1))), *found] if found else []


def records(report: Report) -> list[dict[str, Any]]:
    """One record a loss of all figures, for programs; its groups follow the whole."""
    names = group_names(report)
    return [
        {
            **_about(item),
            **{new: named(group.group.get(old)) for old, new in names.items()},
            **figures(group.summary),
        }
        for item in report.losses
        for group in (Group({}, item.summary), *(item.groups or ()))
    ]


def group_names(report: Report) -> dict[Any, str]:
    """The columns that hold the groups; one that is called like a figure becomes `group_…`."""
    taken = {name for item in report.losses for name in (*_about(item), *figures(item.summary))}
    names: dict[Any, str] = {}
    for item in report.losses:
        for column in (column for group in item.groups or () for column in group.group):
            if column not in names:
                names[column] = free(str(column), "group", taken)
    return names


def _about(item: LossResult) -> dict[str, Any]:
    return {
        "loss": item.loss,
        "spec": item.spec,
        "convention": item.convention,
        "reduction": item.reduction,
        "unit": item.unit,
    }


def figures(summary: Summary) -> dict[str, Any]:
    """A summary without nesting; quantile 0.95 is p95."""
    interval = summary.interval
    return {
        "value": summary.value,
        "n": summary.n,
        "sum": summary.sum,
        "mean": summary.mean,
        "std": summary.std,
        "min": summary.min,
        **{f"p{level * 100:g}": value for level, value in summary.quantiles.items()},
        "max": summary.max,
        "nonfinite": summary.nonfinite,
        "level": interval and interval.level,
        "low": interval and interval.low,
        "high": interval and interval.high,
        "method": interval and interval.method,
    }
