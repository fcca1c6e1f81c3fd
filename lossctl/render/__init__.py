"""Reports as text. Nothing here prints: the text is returned, without a last newline.

`render(report, "markdown", Style(precision=4))` renders what `lossctl eval` found;
`lossctl.render.explain` renders what is known of the losses. Each format is imported when it
is asked for: JSON must not wait for the table's library.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from lossctl.errors import UsageError, nearest
from lossctl.render.options import Style

if TYPE_CHECKING:
    from lossctl.report import Report

__all__ = ["FORMATS", "Style", "render"]

_RENDERERS = {
    "table": "table:table",
    "json": "json_text:document",
    "jsonl": "json_text:lines",
    "csv": "delimited:csv_text",
    "markdown": "markdown:markdown",
    "quiet": "quiet:quiet",
}
FORMATS = tuple(_RENDERERS)


def render(report: Report, format: str = "table", style: Style | None = None) -> str:
    """The report as text.

    Args:
        report: What was found.
        format: One of `FORMATS`; `quiet` is the values alone, one a line.
        style: The precision, and what is known of the stream.

    Raises:
        UsageError: There is no such format.
    """
    if format not in _RENDERERS:
        hint = nearest(format, list(FORMATS)) or f"the formats: {', '.join(FORMATS)}"
        raise UsageError(f"there is no format {format!r}", hint)
    module, _, function = _RENDERERS[format].partition(":")
    renderer = getattr(import_module(f"lossctl.render.{module}"), function)
    text: str = renderer(report, style or Style())
    return text
