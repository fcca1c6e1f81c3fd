"""What `lossctl suggest` found, as text and as JSON."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING

from lossctl.errors import counted
from lossctl.render.json_text import pretty, strict
from lossctl.render.rows import Column, Grid
from lossctl.render.screen import draw, line, sheet
from lossctl.render.sections import section
from lossctl.render.text import joined, number

if TYPE_CHECKING:
    from lossctl.render.options import Style
    from lossctl.report import InputInfo
    from lossctl.suggest import Advice

SCHEMA = "lossctl.suggest/1"


def advice_page(advice: Advice, words: Sequence[str], style: Style) -> str:
    """The inputs, what they look like, and a command for each loss that fits.

    Args:
        advice: What was found.
        words: The command's words that name the inputs.
        style: What is known of the stream.
    """
    seen = [
        (name, _reference(info), " × ".join(map(str, info.shape)), info.dtype, advice.facts[name])
        for name, info in advice.inputs.items()
    ]
    columns = tuple(Column("", "text") for _ in range(5))
    parts = [
        draw(sheet(Grid("", columns, tuple(seen)), style), style, headed=False)
        + "\n"
        + line(f"looked at the first {counted(advice.rows, 'sample')}", style, "dim")
    ]
    for kind in advice.kinds:
        rows = []
        for item in kind.suggestions:
            rows += [(_command(words, item.spec),), (f"  {number(item.value, 6)}: {item.why}",)]
        parts.append(section(f"They look like {kind.looks}", rows, style))
    return "\n\n".join(parts)


def _reference(info: InputInfo) -> str:
    return f"{info.source}::{joined(info.columns)}" if info.columns else info.source


def advice_json(advice: Advice, words: Sequence[str]) -> str:
    """The same for programs (schema `suggest-1.json`)."""
    return pretty(
        strict(
            {
                "schema": SCHEMA,
                "rows": advice.rows,
                "inputs": {
                    name: {
                        "source": info.source,
                        "columns": list(info.columns),
                        "shape": list(info.shape),
                        "dtype": info.dtype,
                        "values": advice.facts[name],
                    }
                    for name, info in advice.inputs.items()
                },
                "suggestions": [
                    {
                        "looks_like": kind.looks,
                        "loss": item.spec,
                        "value": item.value,
                        "why": item.why,
                        "command": _command(words, item.spec),
                    }
                    for kind in advice.kinds
                    for item in kind.suggestions
                ],
            }
        )
    )


def _command(words: Sequence[str], spec: str) -> str:
    return shlex.join(["lossctl", "eval", *words, "-l", spec])
