"""What `lossctl gate` found, as text."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING

from lossctl.errors import UsageError, nearest
from lossctl.render import CI
from lossctl.render.options import Style

if TYPE_CHECKING:
    from lossctl.report import Verdict

_RENDERERS = {
    "table": "verdict:table",
    "json": "verdict:document",
    "markdown": "verdict:markdown",
    **{name: f"{name}:{name}" for name in CI},
}
FORMATS = tuple(_RENDERERS)


def render(verdict: Verdict, format: str = "table", style: Style | None = None) -> str:
    """The verdict as text.

    Args:
        verdict: What was found.
        format: One of `FORMATS`.
        style: The precision, and what is known of the stream.

    Raises:
        UsageError: There is no such format.
    """
    if format not in _RENDERERS:
        hint = nearest(format, list(FORMATS)) or f"the formats: {', '.join(FORMATS)}"
        raise UsageError(f"there is no format {format!r}", hint)
    module, _, function = _RENDERERS[format].partition(":")
    renderer: Callable[[Verdict, Style], str] = getattr(
        import_module(f"lossctl.render.{module}"), function
    )
    return renderer(verdict, style or Style())


def table(verdict: Verdict, style: Style) -> str:
    """The gates with their results, then how many have passed."""
    from lossctl.render.rows import gate_grid
    from lossctl.render.screen import draw, fitted, line, sheet

    grid = gate_grid(verdict.gates)
    text = "\n\n".join(draw(piece, style) for piece in fitted(sheet(grid, style), style.room))
    how = "bold green" if verdict.passed else "bold red"
    parts = [text, line(summary(verdict), style, how)]
    if verdict.notes:
        parts.append("\n".join(line(f"note: {note}", style, "dim") for note in verdict.notes))
    return "\n\n".join(parts)


def document(verdict: Verdict, style: Style) -> str:
    """One JSON document (schema `gate-1.json`)."""
    from lossctl.render.json_text import pretty, strict

    return pretty(strict(verdict.to_dict(), style.precision))


def markdown(verdict: Verdict, style: Style) -> str:
    """GitHub's Markdown: for a pull request."""
    from lossctl.render.markdown import _titled, escaped
    from lossctl.render.rows import gate_grid

    parts = [f"### {escaped(summary(verdict))}"]
    parts += _titled(gate_grid(verdict.gates)._replace(title=""), style)
    parts.append(f"Gates of {escaped(verdict.config)}, lossctl {escaped(verdict.version)}.")
    if verdict.notes:
        parts.append("\n".join(f"- {escaped(note)}" for note in verdict.notes))
    return "\n\n".join(parts)


def summary(verdict: Verdict) -> str:
    """For example `2 of 3 gates passed, 1 failed`."""
    gates = verdict.gates
    errors = sum(bool(item.error) for item in gates)
    failed = sum(not item.passed and not item.error for item in gates)
    passed = len(gates) - failed - errors
    noun = "gate" if len(gates) == 1 else "gates"
    parts = [f"all {len(gates)} {noun} passed" if passed == len(gates) else ""]
    if not parts[0] or len(gates) == 1:
        parts = [f"{passed} of {len(gates)} {noun} passed"]
    parts += [f"{failed} failed"] * bool(failed)
    parts += [f"{errors} could not be evaluated"] * bool(errors)
    return ", ".join(parts)
