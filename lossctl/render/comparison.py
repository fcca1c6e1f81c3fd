"""The rows, columns and lines of a comparison, which the table and Markdown share."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from lossctl.errors import UsageError
from lossctl.render.rows import Column, Grid, Intervals, gate_grid, kept, reference
from lossctl.report import MIXED, Interval, named

if TYPE_CHECKING:
    from lossctl.report import Comparison, Difference

FORMATS = ("table", "json", "markdown")

_TESTS = {
    "t": "paired t test",
    "bootstrap": "bootstrap test",
    "permutation": "permutation test",
    "sign": "sign test",
    "wilcoxon": "Wilcoxon's signed-rank test",
}
_CORRECTIONS = {
    "holm": "corrected by Holm for {} tests",
    "bh": "corrected by Benjamini and Hochberg for {} tests",
    "none": "of {} tests, not corrected",
}


class _Estimate(NamedTuple):
    """A difference as an interval goes around it."""

    value: float
    interval: Interval | None


def check(
    format: str, *, by: object, changed: object, gates: bool, also: Iterable[str] = ()
) -> None:
    """Refuse to leave out what was asked for.

    Raises:
        UsageError: With the formats that show it.
    """
    if format == "junit" and not gates:
        raise UsageError("--format junit is for gates, and there is none", "give --fail-if EXPR")
    if {format, *also} & {"table", "json", "markdown"}:
        return
    asked = {"--by": bool(by) and not gates, "--changed": changed}  # groups may be for a gate
    hidden = [name for name, given in asked.items() if given]
    if hidden:
        raise UsageError(
            f"{'-q' if format == 'quiet' else f'--format {format}'} prints no single groups or "
            f"samples, and would leave out {' and '.join(hidden)}",
            "choose a format that shows all: table, json or markdown",
        )


def grids(comparison: Comparison) -> list[Grid]:
    """The differences, those by group, and the samples that changed most."""
    found = [_main(comparison)]
    if any(item.groups for item in comparison.differences):
        found.append(_by_group(comparison))
    if any(item.changed for item in comparison.differences):
        found.append(_changed(comparison))
    if comparison.gates:
        found.append(gate_grid(comparison.gates))
    return found


def inputs(comparison: Comparison) -> Grid:
    """What was compared: whose inputs they are, and where they came from."""
    rows = []
    count = len(comparison.candidates)
    for name, info in comparison.inputs.items():
        plain, _, number = name.partition("@")
        own = [f"{plain}@{n}" for n in range(1, count + 1)]
        if number:
            whose = "candidate" if count == 1 else f"candidate {number}"
        else:
            whose = "baseline" if set(own) & set(comparison.inputs) else "all"
        rows.append((whose, plain, reference(info), " × ".join(map(str, info.shape)), info.dtype))
    columns = tuple(map(Column, ("model", "input", "source", "shape", "dtype")))
    return Grid("Inputs", columns, tuple(rows))


def explained(comparison: Comparison) -> list[str]:
    """How the verdicts came about, in a few lines."""
    test = _TESTS[comparison.test]
    if comparison.clusters is not None:
        test += f" of {comparison.clusters:,} clusters"
    drawn = [
        f"{count:,} {what}"
        for count, what in (
            (comparison.resamples, "resamples"),
            (comparison.permutations, "exchanges"),
        )
        if count is not None
    ]
    if drawn:
        test += f" ({', '.join(drawn)}, seed {comparison.seed})"
    if comparison.tests > 1:
        test += f"; p {_CORRECTIONS[comparison.correction].format(comparison.tests)}"
    found = [f"{test}; better or worse where p ≤ {comparison.alpha:g}"]
    everything = [one for item in comparison.differences for one in (item, *(item.groups or ()))]
    if comparison.tests > 1 and any(item.interval for item in everything):
        found.append("intervals: each by itself, not corrected")
    if any(item.wins + item.ties + item.losses for item in everything):
        found.append("won/tied/lost: samples whose loss is lower, the same, higher")
    if any(not math.isnan(item.detectable) for item in everything):
        found.append("detectable: a true difference that would be found with a chance of 80 %")
    if any(item.verdict == MIXED for item in everything):
        found.append("mixed: the test points one way and the mean the other")
    return found


def short_names(names: list[str]) -> list[str]:
    """Names without the folders, or the file, that all of them share."""
    if len(set(names)) < 2:
        return names
    first, last = min(names), max(names)
    same = next((i for i, (a, b) in enumerate(zip(first, last)) if a != b), min(map(len, names)))
    ends = [found.end() for found in re.finditer(r"/|::", first) if found.end() <= same]
    return [name[max(ends, default=0) :] for name in names]


def _names(comparison: Comparison) -> dict[str, str] | None:
    """What the candidates are called; None where there is only one."""
    if len(comparison.candidates) < 2:
        return None
    names = [comparison.baseline, *comparison.candidates]
    return dict(zip(comparison.candidates, short_names(names)[1:]))


def _front(names: dict[str, str] | None, item: Difference) -> list[Any]:
    return [item.loss, names[item.candidate]] if names else [item.loss]


def _front_columns(names: dict[str, str] | None) -> list[Column]:
    return [Column("loss"), Column("candidate")] if names else [Column("loss")]


def _figure_columns(comparison: Comparison, names: object, intervals: Intervals) -> list[Column]:
    p = "p" if comparison.correction == "none" or comparison.tests < 2 else "adjusted p"
    return [
        Column("baseline", "value"),
        Column("value" if names else "candidate", "value"),
        Column("difference", "value"),
        *intervals.columns,
        Column("change %", "figure", digits=3),
        Column(p, "figure", digits=3),
        Column("verdict", "word"),
        Column("won/tied/lost", "unit"),
        Column("detectable", "figure", digits=3),
    ]


def _figures(item: Difference, intervals: Intervals) -> list[Any]:
    counts = (item.wins, item.ties, item.losses)
    return [
        item.baseline,
        item.value,
        item.difference,
        *intervals.cells(item.interval),
        item.relative * 100,
        item.adjusted,
        item.verdict,
        "/".join(map(str, counts)) if any(counts) else None,
        item.detectable,
    ]


def _main(comparison: Comparison) -> Grid:
    """One row a loss and candidate."""
    names = _names(comparison)
    intervals = Intervals(
        [_Estimate(one.difference, one.interval) for one in comparison.differences]
    )
    columns = [
        *_front_columns(names),
        *_figure_columns(comparison, names, intervals),
        Column("unit", "unit"),
        Column("n", "count"),
    ]
    # the samples are said above, unless some have no value
    said = {item.n for item in comparison.differences} == {comparison.samples - comparison.skipped}
    rows = (
        [*_front(names, item), *_figures(item, intervals), item.unit, None if said else item.n]
        for item in comparison.differences
    )
    return kept("", columns, rows)


def _by_group(comparison: Comparison) -> Grid:
    """One row a loss, candidate and group."""
    names = _names(comparison)
    listed = [one for item in comparison.differences for one in item.groups or ()]
    intervals = Intervals([_Estimate(item.difference, item.interval) for item in listed])
    keys = list(dict.fromkeys(key for item in listed for key in item.group or ()))
    columns = [
        *(Column(str(key)) for key in keys),
        *_front_columns(names),
        Column("n", "count"),
        *_figure_columns(comparison, names, intervals),
    ]
    rows = (
        [
            *(named((item.group or {}).get(key)) for key in keys),
            *_front(names, item),
            item.n,
            *_figures(item, intervals),
        ]
        for item in listed
    )
    return kept(f"By {', '.join(map(str, keys))}", columns, rows)


def _changed(comparison: Comparison) -> Grid:
    """The samples whose losses differ most, loss by loss and candidate by candidate."""
    names = _names(comparison)
    listed = [(item, one) for item in comparison.differences for one in item.changed or ()]
    keyed = any(one.key is not None for _, one in listed)
    columns = [
        *_front_columns(names),
        Column("sample", "count"),
        *([Column("key")] if keyed else []),
        Column("baseline", "value"),
        Column("value" if names else "candidate", "value"),
        Column("difference", "value"),
    ]
    rows = (
        [
            *_front(names, item),
            one.sample,
            *([named(one.key)] if keyed else []),
            one.baseline,
            one.value,
            one.difference,
        ]
        for item, one in listed
    )
    return kept("Samples that changed most", columns, rows)
