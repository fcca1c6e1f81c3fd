"""The values alone, for `$(…)` in a shell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lossctl.render.text import number

if TYPE_CHECKING:
    from lossctl.render.options import Style
    from lossctl.report import Comparison, Report


def quiet(report: Report, style: Style) -> str:
    """One number a loss, in their order; full precision unless one is given; `nan`, `inf`."""
    return "\n".join(number(item.value, style.precision) for item in report.losses)


def differences(comparison: Comparison, style: Style) -> str:
    """One number a loss and candidate, loss by loss."""
    found = (item.difference for item in comparison.differences)
    return "\n".join(number(value, style.precision) for value in found)
