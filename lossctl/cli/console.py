"""What is known of the streams, and text on its way to them."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TextIO

from lossctl.render.options import Style

TRUTHY_OFF = ("", "0")


def style(precision: int | None = None, stream: TextIO | None = None) -> Style:
    """How to render for a stream, default standard output. Obeys NO_COLOR and FORCE_COLOR."""
    out = sys.stdout if stream is None else stream
    terminal = out.isatty()
    forced = os.environ.get("FORCE_COLOR", "") not in TRUTHY_OFF
    refused = bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
    return Style(
        precision=precision,
        width=shutil.get_terminal_size().columns if terminal else None,
        color=forced or (terminal and not refused),
        terminal=terminal,
        unicode=_encodes(out),
    )


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


def harmless(text: str) -> str:
    """Control characters other than a line's end, made visible."""
    shown = "".join(
        char if char == "\n" or char.isprintable() else repr(char)[1:-1] for char in text
    )
    encoding = sys.stderr.encoding or "utf-8"
    return shown.encode(encoding, "backslashreplace").decode(encoding)
