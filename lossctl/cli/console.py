"""What is known of the streams, and text on its way to them."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from lossctl.render import Style
    from lossctl.report import GateResult

TRUTHY_OFF = ("", "0")
DONE, GATE_FAILED, NOT_EVALUATED, INTERRUPTED = 0, 1, 2, 130
"""The exit status; nothing but a gate that failed is ever 1."""


def style(precision: int | None = None, stream: TextIO | None = None) -> Style:
    """How to render for a stream, default standard output. Obeys NO_COLOR and FORCE_COLOR."""
    from lossctl.render import Style

    out = sys.stdout if stream is None else stream
    terminal = out.isatty()
    forced = os.environ.get("FORCE_COLOR", "") not in TRUTHY_OFF
    refused = bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
    return Style(
        precision=precision,
        width=_columns() if terminal else None,
        color=forced or (terminal and not refused),
        terminal=terminal,
        unicode=_encodes(out),
    )


def _columns() -> int:
    import shutil

    return shutil.get_terminal_size().columns


def _encodes(stream: TextIO) -> bool:
    try:
        "⣿─√".encode(stream.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


class WriteError(Exception):
    """Standard output cannot be written."""

    def __init__(self, error: OSError) -> None:
        super().__init__(str(error))
        self.error = error


def show(text: str) -> None:
    """Print to standard output; what its encoding lacks is escaped.

    Raises:
        WriteError: It is closed, or its disk is full.
    """
    encoding = sys.stdout.encoding or "utf-8"
    try:
        sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")
        sys.stdout.flush()
    except OSError as error:
        raise WriteError(error) from error


def judged(gates: Sequence[GateResult]) -> int:
    """Say on standard error which gates have not passed; the exit status that follows."""
    for item in gates:
        if not item.passed:
            word = "could not be evaluated" if item.error else "failed"
            print(
                harmless(f"gate {word}: {item.gate}: {item.error or item.message}"), file=sys.stderr
            )
    if any(item.error for item in gates):
        return NOT_EVALUATED
    return DONE if all(item.passed for item in gates) else GATE_FAILED


def harmless(text: str) -> str:
    """Control characters other than a line's end, made visible."""
    shown = "".join(
        char if char == "\n" or char.isprintable() else repr(char)[1:-1] for char in text
    )
    encoding = sys.stderr.encoding or "utf-8"
    return shown.encode(encoding, "backslashreplace").decode(encoding)
