"""Reports as text. Nothing here prints: the text is returned, without a last newline.

`render(report, "markdown", Style(precision=4))` renders what `lossctl eval` found, or
`lossctl compare`; `lossctl.render.explain` renders what is known of the losses. Each format is
imported when it is asked for: JSON must not wait for the table's library.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from lossctl.errors import UsageError, nearest
from lossctl.render.options import Style
from lossctl.report import Report

if TYPE_CHECKING:
    from lossctl.report import Comparison

__all__ = ["FORMATS", "Style", "check", "render"]

_RENDERERS = {
    "table": "table:table",
    "json": "json_text:document",
    "jsonl": "json_text:lines",
    "csv": "delimited:csv_text",
    "markdown": "markdown:markdown",
    "quiet": "quiet:quiet",
}
FORMATS = tuple(_RENDERERS)
_COMPARED = {
    "table": "table:comparison_table",
    "json": "json_text:document",
    "markdown": "markdown:comparison_markdown",
    "quiet": "quiet:differences",
}


def check(
    format: str, *, worst: object, per_sample: bool, by: object, output: object = None
) -> None:
    """Refuse to leave out what was asked for.

    Args:
        format: One of `FORMATS`.
        worst: Whether the worst samples were asked for (`--worst`): a number, or None.
        per_sample: Whether the losses of single samples were (`--per-sample`).
        by: Whether groups were (`--by`).
        output: Whether a file is written (`--output`), which holds each sample's groups.

    Raises:
        UsageError: With the formats that show it.
    """
    asked = {"--by": bool(by), "--worst": worst is not None, "--per-sample": per_sample}
    grouped = asked["--by"]
    asked["--by"] &= not output
    if format == "quiet":
        hidden, why = [name for name, given in asked.items() if given], "-q prints the values alone"
    elif format in ("csv", "jsonl") and per_sample:
        hidden = [name for name in ("--by", "--worst") if asked[name]]
        why = f"--format {format} --per-sample prints the samples alone"
    else:
        crowded = format == "csv" or (format == "jsonl" and grouped)
        hidden = ["--worst"] if asked["--worst"] and crowded else []
        with_groups = " with groups" if format == "jsonl" else ""
        why = f"--format {format}{with_groups} has no place for single samples"
    if hidden:
        raise UsageError(
            f"{why}, and would leave out {' and '.join(hidden)}",
            "choose a format that shows all: table, json or markdown",
        )


def render(report: Report | Comparison, format: str = "table", style: Style | None = None) -> str:
    """The report, or the comparison, as text.

    Args:
        report: What was found.
        format: One of `FORMATS`; `quiet` is the values alone, one a line. Comparisons have no
            lines for programs, csv and jsonl.
        style: The precision, and what is known of the stream.

    Raises:
        UsageError: There is no such format.
    """
    renderers = _RENDERERS if isinstance(report, Report) else _COMPARED
    if format not in renderers:
        hint = nearest(format, list(renderers)) or f"the formats: {', '.join(renderers)}"
        raise UsageError(f"there is no format {format!r}", hint)
    module, _, function = renderers[format].partition(":")
    renderer = getattr(import_module(f"lossctl.render.{module}"), function)
    text: str = renderer(report, style or Style())
    return text
