"""The values alone, for `$(…)` in a shell."""

from __future__ import annotations

from collections.abc import Iterator
from math import nan
from typing import TYPE_CHECKING

from lossctl.render.text import cell, number

if TYPE_CHECKING:
    from lossctl.render.options import Style
    from lossctl.report import Comparison, Report


def quiet(report: Report, style: Style) -> str:
    """One number a loss, in their order; full precision unless one is given; `nan`, `inf`.

    Of groups one line each, with tabs between: what it is called, and one number a loss.
    """
    if any(item.groups for item in report.losses):
        return "\n".join(_groups(report, style))
    return "\n".join(number(item.value, style.precision) for item in report.losses)


def _groups(report: Report, style: Style) -> Iterator[str]:
    from lossctl.render.rows import groups_of

    for values, summaries in groups_of(report).rows:
        names = [cell(value, missing="null") for value in values]
        numbers = [number(item.value if item else nan, style.precision) for item in summaries]
        yield "\t".join([*names, *numbers])


def differences(comparison: Comparison, style: Style) -> str:
    """One number a loss and candidate, loss by loss."""
    found = (item.difference for item in comparison.differences)
    return "\n".join(number(value, style.precision) for value in found)
