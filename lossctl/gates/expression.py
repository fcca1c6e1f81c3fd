"""`--fail-if`: one figure against one limit, written as a comparison.

    [any group(COL[=VALUE]…):] [FIGURE(]LOSS[)] > NUMBER[%]

Nothing is evaluated but what is written here: the figure, the loss, the sign and the number
are told apart and looked up.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from lossctl.errors import SpecError, nearest

SIGNS: Mapping[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
}
FIGURES = {
    "value": "the loss, which is also meant where no figure is named",
    "mean": "the mean of the samples' losses",
    "std": "their standard deviation",
    "min": "the smallest",
    "max": "the largest",
    "sum": "their sum",
    "p5": "their 5 % quantile",
    "p25": "their 25 % quantile",
    "median": "their median",
    "p75": "their 75 % quantile",
    "p95": "their 95 % quantile",
    "low": "the interval's lower end",
    "high": "the interval's upper end",
    "n": "the number of samples that have a value",
    "nonfinite": "the number of those whose loss is not finite",
}
"""Of an evaluation."""
QUANTILES = {"p5": 0.05, "p25": 0.25, "median": 0.5, "p75": 0.75, "p95": 0.95}
"""The figures that are quantiles, which cost more than the others."""
DIFFERENCES = {
    "value": "the candidate's loss, which is also meant where no figure is named",
    "baseline": "the baseline's",
    "difference": "the candidate's less the baseline's",
    "relative": "the difference over the baseline's: 0.02 or 2%",
    "low": "the lower end of the difference's interval",
    "high": "its upper end",
    "p": "the p-value, corrected for the number of tests",
    "effect": "the mean difference over its standard deviation",
    "n": "the number of samples",
    "wins": "the samples whose loss the candidate lowers",
    "ties": "those that it leaves alone",
    "losses": "those that it raises",
}
"""Of a comparison."""

_GROUP = re.compile(r"\s*(?P<many>any|all)?\s*\bgroup\s*\((?P<inside>[^)]*)\)\s*:", re.IGNORECASE)
_LIMIT = re.compile(r"\s*(?P<sign>>=|<=|==|!=|>|<)\s*(?P<number>[^<>=!]*)$")
_CALL = re.compile(r"(?P<figure>[A-Za-z][A-Za-z0-9_]*)\s*\((?P<loss>.*)\)$", re.DOTALL)


class Expression(NamedTuple):
    """What fails a gate: the figure of a loss that the sign holds for."""

    text: str
    figure: str
    loss: str  # as typed, or its name
    sign: str
    limit: float
    groups: tuple[tuple[str, str | None], ...] = ()  # columns, with the value if one is named
    every: bool = False  # fails where all groups do, not already where any does

    def holds(self, value: float) -> bool:
        """Whether this value fails the gate; a NaN always does."""
        return value != value or SIGNS[self.sign](value, self.limit)


def parse(text: str, figures: Mapping[str, str] = FIGURES) -> Expression:
    """Read an expression.

    Args:
        text: For example `mse > 0.25`, `p95(mae) > 3`, `any group(segment): mae > 1.5`.
        figures: Those that there are.

    Raises:
        SpecError: It does not parse; the message points at the place.
    """
    groups, every, start = _groups(text)
    limit = _LIMIT.search(text, start)
    if limit is None:
        raise _error(text, len(text.rstrip()), "a comparison is missing: >, >=, <, <=, == or !=")
    number = _number(text, limit)
    subject = text[start : limit.start()].strip()
    place = start + len(text[start:]) - len(text[start:].lstrip())
    if not subject:
        raise _error(text, place, "the loss is missing")
    figure, loss = "value", subject
    if (call := _CALL.match(subject)) is not None:
        figure, loss = call["figure"].lower(), call["loss"].strip()
        if figure not in figures:
            hint = nearest(figure, list(figures)) or f"figures: {', '.join(figures)}"
            raise _error(text, place, f"there is no figure {call['figure']!r}", hint)
        if not loss:
            raise _error(text, place + call.start("loss"), "the loss is missing")
    return Expression(text.strip(), figure, loss, limit["sign"], number, groups, every)


def _groups(text: str) -> tuple[tuple[tuple[str, str | None], ...], bool, int]:
    """The groups that a gate speaks of, and where the rest begins."""
    match = _GROUP.match(text)
    if match is None:
        if re.match(r"\s*(any|all)?\s*group\s*\(", text, re.IGNORECASE):
            raise _error(
                text, len(text), "the group is not closed", "write group(COLUMN): LOSS > 1"
            )
        return (), False, 0
    found: list[tuple[str, str | None]] = []
    for item in match["inside"].split(","):
        column, sign, value = (part.strip() for part in item.partition("="))
        if not column or (sign and not value):
            raise _error(text, match.start("inside"), "a column is missing", "group(COLUMN=VALUE)")
        found.append((column, value if sign else None))
    return tuple(found), (match["many"] or "any").lower() == "all", match.end()


def _number(text: str, limit: re.Match[str]) -> float:
    written = limit["number"].strip()
    percent = written.endswith("%")
    try:
        number = float(written.removesuffix("%"))
    except ValueError:
        raise _error(text, limit.start("number"), f"{written!r} is no number") from None
    if number != number:
        raise _error(text, limit.start("number"), "nothing compares with NaN")
    return number / 100 if percent else number


def _error(text: str, place: int, what: str, hint: str = "") -> SpecError:
    arrow = f"{text.strip()}  ← at character {place + 1}"
    return SpecError(
        f"--fail-if {arrow}: {what}",
        hint or "for example: 'mse > 0.25', 'p95(mae) > 3', 'any group(segment): mae > 1.5'",
    )
