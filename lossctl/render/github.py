"""Workflow commands of GitHub Actions: a gate that has not passed is an annotation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lossctl.errors import counted
from lossctl.render.markdown import escaped, tables
from lossctl.render.outcome import outcome
from lossctl.render.rows import component_grid, gate_grid, group_grid, loss_grid
from lossctl.render.text import number, shown

if TYPE_CHECKING:
    from lossctl.render.options import Style
    from lossctl.render.outcome import Found, Outcome
    from lossctl.report import Report

MOST_GROUPS = 50  # of the summary; GitHub refuses one of more than 1 MiB


def github(found: Found, style: Style) -> str:
    """An error for each gate that has not passed, else one notice with the values."""
    what = outcome(found)
    commands = [
        _command(
            "error",
            f"could not be evaluated: {gate.gate}" if gate.error else f"gate failed: {gate.gate}",
            gate.error or gate.message,
        )
        for gate in what.gates
        if not gate.passed
    ]
    if not commands:
        lines = [gate.message for gate in what.gates] or _values(what, style)
        commands = [_command("notice", f"lossctl: {_title(what)}", "\n".join(lines))]
    return "\n".join(commands)


def summary(found: Found, style: Style) -> str:
    """The page of a job: what became of the gates, the values, and their signatures."""
    what = outcome(found)
    parts = [f"## lossctl: {escaped(_title(what))}"]
    grids = [gate_grid(what.gates)] if what.gates else []
    if what.losses:
        report: Report = found  # type: ignore[assignment]
        grids.append(loss_grid(report)._replace(title="Losses"))
        if any(item.components for item in what.losses):
            grids.append(component_grid(report))
        if any(item.groups for item in what.losses):
            groups = group_grid(report)
            more = f" (the first {MOST_GROUPS} of {len(groups.rows)})"
            few = groups._replace(rows=groups.rows[:MOST_GROUPS], title=groups.title + more)
            grids.append(few if len(groups.rows) > MOST_GROUPS else groups)
    parts += [tables(grids, style)] if grids else []
    parts += [escaped(note) for note in found.notes]
    parts += [f"Signature: {escaped(text)}" for text in what.signatures]
    return "\n\n".join(parts)


def _title(what: Outcome) -> str:
    return what.told or counted(what.samples, "sample")


def _values(what: Outcome, style: Style) -> list[str]:
    found = [f"{item.loss} is {number(item.value, style.readable)}" for item in what.losses]
    return found + [
        f"{item.loss} of {item.candidate} is {number(item.value, style.readable)}, "
        f"{number(item.difference, style.readable)} from the baseline's"
        for item in what.differences
    ]


def _command(name: str, title: str, message: str) -> str:
    return f"::{name} title={_property(title)}::{_data(message)}"


def _data(text: str) -> str:
    """Text after the colons, in which a line's end would end the command."""
    lines = "\n".join(map(shown, text.replace("\r\n", "\n").split("\n")))
    return lines.replace("%", "%25").replace("\n", "%0A")


def _property(text: str) -> str:
    """Text before the colons, in which commas and colons mean something too."""
    return _data(text).replace(":", "%3A").replace(",", "%2C")
