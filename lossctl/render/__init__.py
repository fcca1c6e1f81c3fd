"""Reports as text. Nothing here prints: the text is returned, without a last newline.

`render(report, "markdown", Style(precision=4))` renders what `lossctl eval` found, or
`lossctl compare`; `lossctl.render.explain` renders what is known of the losses. The formats of
`CI` are for programs that watch over a project, and take verdicts too. Each format is
imported when it is asked for: JSON must not wait for the table's library.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from lossctl.errors import UsageError, nearest
from lossctl.render.options import Style
from lossctl.report import Comparison

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lossctl.render.outcome import Found

__all__ = ["CI", "FORMATS", "Style", "check", "render"]

_RENDERERS = {
    "table": "table:table",
    "json": "json_text:document",
    "jsonl": "json_text:lines",
    "csv": "delimited:csv_text",
    "markdown": "markdown:markdown",
    "quiet": "quiet:quiet",
    "junit": "junit:junit",
    "github": "github:github",
    "openmetrics": "openmetrics:openmetrics",
    "metrics": "metrics:metrics",
}
FORMATS = tuple(_RENDERERS)
CI = ("junit", "github", "openmetrics", "metrics")
"""The formats that take a verdict or a comparison as well as a report."""
_COMPARED = {
    "table": "table:comparison_table",
    "json": "json_text:document",
    "markdown": "markdown:comparison_markdown",
    "quiet": "quiet:differences",
    **{name: _RENDERERS[name] for name in CI},
}


def check(
    format: str,
    *,
    worst: object,
    per_sample: bool,
    by: object,
    output: object = None,
    gates: bool = True,
    also: Iterable[str] = (),
) -> None:
    """Refuse to leave out what was asked for.

    Args:
        format: One of `FORMATS`.
        worst: Whether the worst samples were asked for (`--worst`): a number, or None.
        per_sample: Whether the losses of single samples were (`--per-sample`).
        by: Whether groups were (`--by`).
        output: Whether a file is written (`--output`), which holds each sample's groups.
        gates: Whether there are gates (`--fail-if`).
        also: The formats that go to files (`--report`): what one of them shows is not left out.

    Raises:
        UsageError: With the formats that show it.
    """
    also = list(also)
    if "junit" in (format, *also) and not gates:
        raise UsageError(
            "the format junit shows gates, and there are none", "give one: --fail-if 'mse > 0.25'"
        )
    asked = {"--by": bool(by), "--worst": worst is not None, "--per-sample": per_sample}
    hidden, why = _hidden(format, asked, bool(output))
    for other in also:
        hidden = [name for name in hidden if name in _hidden(other, asked, bool(output))[0]]
    if hidden:
        raise UsageError(
            f"{why}, and would leave out {' and '.join(hidden)}",
            "choose a format that shows all: table, json or markdown",
        )


def _hidden(format: str, asked: dict[str, bool], output: bool) -> tuple[list[str], str]:
    """What a format would leave out of what was asked for, and why."""
    grouped = asked["--by"]
    asked = {**asked, "--by": grouped and not output}
    samples = [name for name in ("--worst", "--per-sample") if asked[name]]
    if format == "quiet":
        return samples, "-q prints the values alone"
    if format in ("junit", "github"):
        hidden = [name for name, given in asked.items() if given]
        return hidden, f"--format {format} is for gates"
    if format in ("openmetrics", "metrics"):
        return samples, f"--format {format} has no place for single samples"
    if format in ("csv", "jsonl") and asked["--per-sample"]:
        hidden = [name for name in ("--by", "--worst") if asked[name]]
        return hidden, f"--format {format} --per-sample prints the samples alone"
    crowded = format == "csv" or (format == "jsonl" and grouped)
    hidden = ["--worst"] if asked["--worst"] and crowded else []
    with_groups = " with groups" if format == "jsonl" else ""
    return hidden, f"--format {format}{with_groups} has no place for single samples"


def render(found: Found, format: str = "table", style: Style | None = None) -> str:
    """What was found, as text.

    Args:
        found: A report or a comparison; for the formats of `CI` a verdict will do.
        format: One of `FORMATS`; `quiet` is the values alone, one a line, or a line for each group.
            Comparisons have no lines for programs, csv and jsonl.
        style: The precision, and what is known of the stream.

    Raises:
        UsageError: There is no such format.
    """
    renderers = _COMPARED if isinstance(found, Comparison) else _RENDERERS
    module, _, function = renderers[known(format, renderers)].partition(":")
    renderer = getattr(import_module(f"lossctl.render.{module}"), function)
    text: str = renderer(found, style or Style())
    return text


def known(format: str, among: Iterable[str] = FORMATS) -> str:
    """The format, if there is one of this name.

    Raises:
        UsageError: With the nearest.
    """
    names = list(among)
    if format not in names:
        hint = nearest(format, names) or f"the formats: {', '.join(names)}"
        raise UsageError(f"there is no format {format!r}", hint)
    return format
