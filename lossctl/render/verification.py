"""What `lossctl verify` found, as text and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lossctl.errors import counted
from lossctl.render.json_text import pretty, strict
from lossctl.render.outcome import group_text
from lossctl.render.rows import Column, Grid
from lossctl.render.screen import draw, line, sheet
from lossctl.render.text import cell
from lossctl.verifying import TOLERANCE, Failure

if TYPE_CHECKING:
    from lossctl.render.options import Style
    from lossctl.verifying import Verification

SCHEMA = "lossctl.verify/1"
MOST = 20  # numbers that are listed; the JSON has all


def verification(found: Verification | Failure, style: Style) -> str:
    """Whether the report holds; where it does not, what differs."""
    if isinstance(found, Failure):
        return line(f"{found.report}: could not be evaluated", style, "bold")
    parts = [_verdict(found, style)]
    if not found.holds and found.changed:
        rows = tuple(tuple(map(str, item)) for item in found.changed)
        parts.append(_table(("what", "which", "in the report", "now"), rows, style))
    if found.figures:
        parts += _figures(found, style)
    parts += [line(f"note: {note}", style, "dim") for note in found.notes]
    return "\n\n".join(parts)


def _verdict(found: Verification, style: Style) -> str:
    losses = f"{len(found.losses)} loss{'' if len(found.losses) == 1 else 'es'}"
    about = f"{losses} of {counted(found.samples, 'sample')}"
    word = "holds" if found.holds else "does not hold"
    how = ""
    if found.holds:
        versions = f"lossctl {found.reported_version} then, {found.version} now"
        how = ", to the last bit" if found.exact else f", to {TOLERANCE:g} ({versions})"
    return line(f"{found.report}: {word}: {about}{how}", style, "bold")


def _figures(found: Verification, style: Style) -> list[str]:
    """The numbers that differ, as far as there is room."""
    grouped = any(item.group for item in found.figures)
    names = ("loss", *(["group"] if grouped else []), "figure", "in the report", "now")
    listed = tuple(
        (
            item.loss,
            *([group_text(item.group)] if grouped else []),
            item.figure,
            cell(item.reported, missing="null"),
            cell(item.now, missing="null"),
        )
        for item in found.figures[:MOST]
    )
    parts = [_table(names, listed, style)]
    if len(found.figures) > MOST:
        parts.append(line(f"and {len(found.figures) - MOST} more numbers", style, "dim"))
    return parts


def _table(names: Sequence[str], rows: tuple[tuple[str, ...], ...], style: Style) -> str:
    return draw(sheet(Grid("", tuple(map(Column, names)), rows), style), style)


def verification_json(found: Sequence[Verification | Failure]) -> str:
    """All of it for programs (schema `verify-1.json`)."""
    return pretty(
        strict(
            {
                "schema": SCHEMA,
                "holds": all(item.holds for item in found),
                "reports": [item.to_dict() for item in found],
            }
        )
    )
