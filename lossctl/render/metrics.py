"""Metrics for DVC and other trackers: a JSON of nested numbers, all of them finite.

Numbers have six digits unless a precision is given: noise in the last digits makes no
difference between two commits.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from lossctl.render.json_text import pretty
from lossctl.render.outcome import group_text, outcome, unique
from lossctl.render.text import number, shown

if TYPE_CHECKING:
    from lossctl.render.options import Style
    from lossctl.render.outcome import Found
    from lossctl.report import Difference, Summary


def metrics(found: Found, style: Style) -> str:
    """`{"mse": {"value": …, "low": …, "high": …, "n": …}}`.

    A loss has its groups below `groups`, a comparison's its candidates below `candidates`;
    what became of the gates is below `gates`.
    """
    what = outcome(found)
    values: dict[str, Any] = {}
    for name, item in zip(unique(shown(item.loss) for item in what.losses), what.losses):
        values[name] = _summary(item.summary, style)
        if item.groups:
            names = unique(group_text(group.group) for group in item.groups)
            values[name]["groups"] = {
                text: _summary(group.summary, style) for text, group in zip(names, item.groups)
            }
    for one in what.differences:
        loss = values.setdefault(shown(one.loss), _finite(style, value=one.baseline, n=one.n))
        found_ = _difference(one, style)
        for group in one.groups or ():
            own = found_.setdefault("groups", {})
            own[group_text(group.group or {})] = _difference(group, style)
        loss.setdefault("candidates", {})[shown(one.candidate)] = found_
    if what.gates:
        names = unique(shown(gate.gate) for gate in what.gates)
        values["gates"] = {
            name: _finite(style, passed=int(gate.passed), value=gate.value, limit=gate.limit)
            for name, gate in zip(names, what.gates)
        }
    return pretty(values)


def _summary(summary: Summary, style: Style) -> dict[str, Any]:
    low, high = (summary.interval.low, summary.interval.high) if summary.interval else (None, None)
    return _finite(
        style,
        value=summary.value,
        low=low,
        high=high,
        n=summary.n,
        nonfinite=summary.nonfinite or None,
    )


def _difference(item: Difference, style: Style) -> dict[str, Any]:
    low, high = (item.interval.low, item.interval.high) if item.interval else (None, None)
    return _finite(
        style,
        value=item.value,
        difference=item.difference,
        relative=item.relative,
        low=low,
        high=high,
        p=item.adjusted,
    )


def _finite(style: Style, **values: float | None) -> dict[str, Any]:
    """Those of the numbers that there are."""
    return {
        name: value if isinstance(value, int) else float(number(value, style.readable))
        for name, value in values.items()
        if value is not None and math.isfinite(value)
    }
