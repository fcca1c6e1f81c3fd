"""OpenMetrics text: for GitLab's metrics reports, Prometheus and what reads its format.

Numbers have six digits unless a precision is given: noise in the last digits makes no
difference between two files. The signature is not there: it changes with any value of the
data, and as a label would make every series a new one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from lossctl.gates.judge import figure
from lossctl.render.outcome import group_text, outcome
from lossctl.render.text import number, shown

if TYPE_CHECKING:
    from lossctl.render.options import Style
    from lossctl.render.outcome import Found, Outcome
    from lossctl.report import Summary

Labels = dict[str, str]
_FIGURES = ("low", "high", "std", "min", "median", "p95", "max")  # the table's
_DIFFERENCES = ("difference", "relative", "p", "effect", "wins", "ties", "losses")


class Series(NamedTuple):
    """One number: which family it belongs to, and what it is of."""

    family: str
    labels: Labels
    value: float


_FAMILIES = {
    "lossctl_loss_value": "The loss, reduced.",
    "lossctl_loss_figure": "How the losses of single samples are distributed, and the ends of the "
    "value's confidence interval.",
    "lossctl_loss_samples": "The samples that have a value.",
    "lossctl_loss_nonfinite_samples": "Those whose loss is not finite.",
    "lossctl_difference": "How a candidate's loss differs from the baseline's.",
    "lossctl_gate_passed": "1 where the gate has passed, else 0.",
    "lossctl_gate_value": "What was held against the gate's limit.",
    "lossctl_gate_limit": "The gate's limit.",
}


def openmetrics(found: Found, style: Style) -> str:
    """The table's figures of all losses and groups, and the gates, ending in `# EOF`."""
    what = outcome(found)
    series = [*_losses(what), *_differences(what), *_gates(what)]
    lines = [
        "# TYPE lossctl info",
        "# HELP lossctl Which lossctl has computed the numbers.",
        f"lossctl_info{_braces({'version': what.version})} 1",
    ]
    for family, help in _FAMILIES.items():
        own = [item for item in series if item.family == family]
        if own:
            lines.append(f"# TYPE {family} gauge")
            lines += [f"# UNIT {family} samples"] if family.endswith("_samples") else []
            lines += [f"# HELP {family} {help}"]
            lines += _samples(own, style)
    return "\n".join([*lines, "# EOF"])


def _losses(what: Outcome) -> Iterator[Series]:
    for item in what.losses:
        yield from _summary({"loss": item.loss}, item.summary)
        for group in item.groups or ():
            labels = {"loss": item.loss, "group": group_text(group.group)}
            yield from _summary(labels, group.summary)


def _summary(labels: Labels, summary: Summary) -> Iterator[Series]:
    yield Series("lossctl_loss_value", labels, summary.value)
    for name in _FIGURES:
        if not math.isnan(value := figure(summary, name)):
            yield Series("lossctl_loss_figure", {**labels, "figure": name}, value)
    yield Series("lossctl_loss_samples", labels, summary.n)
    yield Series("lossctl_loss_nonfinite_samples", labels, summary.nonfinite)


def _differences(what: Outcome) -> Iterator[Series]:
    baselines = set()
    for item in (one for whole in what.differences for one in (whole, *(whole.groups or ()))):
        labels = {"loss": item.loss} | ({"group": group_text(item.group)} if item.group else {})
        own = {**labels, "candidate": item.candidate}
        if (key := tuple(labels.values())) not in baselines:
            baselines.add(key)
            yield Series("lossctl_loss_value", {**labels, "candidate": "baseline"}, item.baseline)
        yield Series("lossctl_loss_value", own, item.value)
        yield Series("lossctl_loss_samples", own, item.n)
        ends = item.interval._asdict() if item.interval else {}
        found = {name: getattr(item, name) for name in _DIFFERENCES}
        found |= {"p": item.adjusted} | {side: ends[side] for side in ("low", "high") if ends}
        for name, value in found.items():
            if not math.isnan(value):
                yield Series("lossctl_difference", {**own, "figure": name}, value)


def _gates(what: Outcome) -> Iterator[Series]:
    for gate in what.gates:
        labels = {"gate": gate.gate}
        yield Series("lossctl_gate_passed", labels, int(gate.passed))
        if not gate.error:
            yield Series("lossctl_gate_value", labels, gate.value)
            yield Series("lossctl_gate_limit", labels, gate.limit)


def _samples(series: list[Series], style: Style) -> Iterator[str]:
    """A line each; a series that was there before, which no reader takes, is numbered."""
    seen: set[str] = set()
    for item in series:
        again, labels = 1, _braces(item.labels)
        while labels in seen:
            again += 1
            labels = _braces({**item.labels, "number": str(again)})
        seen.add(labels)
        yield f"{item.family}{labels} {_number(item.value, style.readable)}"


def _braces(labels: Labels) -> str:
    pairs = (f'{name}="{_escaped(value)}"' for name, value in labels.items())
    return f"{{{','.join(pairs)}}}"


def _escaped(text: str) -> str:
    return shown(text).replace("\\", "\\\\").replace('"', '\\"')


def _number(value: float, digits: int) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return str(value) if isinstance(value, int) else number(value, digits)
