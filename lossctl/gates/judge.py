"""Figures held against limits."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from lossctl.errors import UsageError
from lossctl.gates.expression import QUANTILES, Expression
from lossctl.report import Difference, GateResult, LossResult, Summary, named


def check(expressions: Iterable[Expression], losses: Sequence[tuple[str, str]], by: Any) -> None:
    """Refuse, before a file is read, what the evaluation will not know.

    Args:
        expressions: What is asked.
        losses: Of each loss its spec as typed and its name.
        by: The columns of the groups.

    Raises:
        UsageError: A loss that is not evaluated, or a column that is not grouped by.
    """
    for item in expressions:
        place(item, losses)
        for column, _ in item.groups:
            if column not in by:
                raise UsageError(
                    f"--fail-if {item.text}: there are no groups of {column}", f"give --by {column}"
                )
        named_columns = {column for column, _ in item.groups}
        if item.groups and named_columns != set(by):
            raise UsageError(
                f"--fail-if {item.text}: with several --by a group is a combination of them",
                f"name all of the columns: group({', '.join(by)})",
            )


def place(item: Expression, losses: Sequence[tuple[str, str]]) -> int:
    """The place of the loss that is meant: by its spec as typed, or by a name that is unique."""
    typed = [place for place, (spec, _) in enumerate(losses) if spec == item.loss]
    by_name = [place for place, (_, name) in enumerate(losses) if name == item.loss]
    for found in (typed, by_name):
        if len(found) == 1:
            return found[0]
    known = ", ".join(spec for spec, _ in losses)
    what = "stands for several losses" if by_name else "is not evaluated"
    raise UsageError(f"--fail-if {item.text}: {item.loss} {what}", f"losses: {known}")


def of_report(item: Expression, losses: Sequence[LossResult]) -> GateResult:
    """Hold an evaluation's figure against the limit."""
    loss = losses[place(item, [(one.loss, one.name) for one in losses])]
    if not item.groups:
        return _judged(item, [({}, figure(loss.summary, item.figure))])
    groups = [(one.group, figure(one.summary, item.figure)) for one in loss.groups or ()]
    return _judged(item, _chosen(item, groups))


def of_difference(item: Expression, found: Difference) -> GateResult:
    """Hold a comparison's figure against the limit."""
    if not item.groups:
        return _judged(item, [({}, of_pair(found, item.figure))])
    groups = [(one.group or {}, of_pair(one, item.figure)) for one in found.groups or ()]
    return _judged(item, _chosen(item, groups))


def figure(summary: Summary, name: str) -> float:
    """A figure by its name; NaN where there is none."""
    if name in QUANTILES:
        return float(summary.quantiles.get(QUANTILES[name], math.nan))
    if name in ("low", "high"):
        return float(getattr(summary.interval, name)) if summary.interval else math.nan
    return float(getattr(summary, name))


def of_pair(found: Difference, name: str) -> float:
    """A comparison's figure by its name; NaN where there is none."""
    if name in ("low", "high"):
        return float(getattr(found.interval, name)) if found.interval else math.nan
    return float(found.adjusted if name == "p" else getattr(found, name))


Grouped = Sequence[tuple[Mapping[str, Any], float]]


def _chosen(item: Expression, groups: Grouped) -> Grouped:
    """The groups that a gate speaks of."""
    return [
        (group, value)
        for group, value in groups
        if all(
            wanted is None or _called(group.get(column), wanted) for column, wanted in item.groups
        )
    ]


def _called(value: Any, text: str) -> bool:
    """Whether a group's value is meant by this text."""
    shown = named(value)
    if isinstance(shown, int | float) and not isinstance(shown, bool):
        try:
            return float(text) == shown
        except ValueError:
            return False
    return str(shown) == text or (shown is None and text == "null")


def _judged(item: Expression, found: Grouped) -> GateResult:
    if not found:
        which = ", ".join(f"{column}={value}" for column, value in item.groups if value is not None)
        return GateResult(
            item.text, False, math.nan, item.limit, f"there is no group {which}".strip()
        )
    failing = [(group, value) for group, value in found if item.holds(value)]
    unknown = any(value != value for _, value in found)  # which passes no gate
    passed = not unknown and len(failing) < len(found) if item.every else not failing
    group, value = _worst(item, failing or found)
    where = f" in {show_group(group)}" if group else ""
    more = f" and {len(failing) - 1} more" if len(failing) > 1 else ""
    told = "is not a number, which passes no gate" if value != value else f"is {value:.6g}"
    subject = item.loss if item.figure == "value" else f"{item.figure}({item.loss})"
    return GateResult(
        item.text, passed, value, item.limit, f"{subject} {told}{where}{more}", dict(group)
    )


def _worst(item: Expression, found: Grouped) -> tuple[Mapping[str, Any], float]:
    """The value that is farthest on the failing side; NaN before all."""
    sign = -1 if item.sign in ("<", "<=") else 1
    return max(found, key=lambda one: math.inf if one[1] != one[1] else sign * one[1])


def show_group(group: Mapping[str, Any]) -> str:
    """For example `segment=eu, size=3`."""
    return ", ".join(f"{column}={named(value)}" for column, value in group.items())
