"""What can go wrong, in the words that the command line prints."""

from __future__ import annotations


class LossctlError(Exception):
    """A refusal: what is wrong and where, then what to do about it.

    Args:
        what: What is wrong, and where (file, column, row).
        hint: What to do; shown on a line of its own.
    """

    def __init__(self, what: str, hint: str = "") -> None:
        self.what = what
        self.hint = hint
        super().__init__(f"{what}\n{hint}" if hint else what)


class SpecError(LossctlError):
    """A loss spec that names no loss, no parameter of it, or a value outside its bounds."""


class UsageError(LossctlError):
    """Options that do not go together, or one that lacks another."""


class DataError(LossctlError):
    """Inputs that cannot be read, or that hold what the loss does not take."""


def counted(count: int, noun: str) -> str:
    """For example `1 row`, `2,000 rows`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def as_json(value: object) -> str:
    """A value as it stands in a file, cut where it is long."""
    import json

    try:
        text = json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError):
        text = str(value)
    return text if len(text) <= 60 else f"{text[:59]}…"


def nearest(word: str, known: list[str]) -> str:
    """Say which of the known words come nearest, for the hint of an error."""
    import difflib

    close = difflib.get_close_matches(word, known, n=3, cutoff=0.7)
    return f"did you mean {' or '.join(close)}?" if close else ""
