"""Numbers, values of any type, and names from files, as text that does no harm."""

from __future__ import annotations

import re
from typing import Any

from lossctl.report import plain

# What moves the cursor, starts an escape sequence, breaks a line, or turns or hides the text
# around it: C0, DEL, C1, the bidirectional controls, separators, invisible signs, and halves
# of surrogate pairs, which no stream can encode.
UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)

_ASCII = str.maketrans(
    {
        "²": "^2",
        "³": "^3",
        "½": "1/2",
        "¼": "1/4",
        "√": "sqrt ",
        "±": "+-",
        "×": "x",
        "·": "*",
        "−": "-",
        "–": "-",
        "—": "-",
        "…": "...",
        "≤": "<=",
        "≥": ">=",
        "≠": "!=",
        "≈": "~",
        "→": "->",
        "∞": "inf",
        "∈": "in",
        "‖": "||",
        "Σ": "sum ",
        "Π": "prod ",
        "∫": "integral ",
        "ŷ": "y_hat",
        "ȳ": "y_mean",
        "’": "'",
        "“": '"',
        "”": '"',
    }
)


def number(value: float, precision: int | None = None) -> str:
    """A number with so many significant digits; without a precision all that it has.

    Whole digits are written out (2860, not 2.86e+03), as long as a float can tell them apart.
    """
    value = float(value)
    if precision is None:
        return repr(value)
    rounded = float(f"{value:.{max(precision, 1)}g}")
    if rounded != value and abs(rounded) == float("inf"):
        return repr(value)  # the largest floats have nothing to be rounded up to
    return f"{rounded:.{max(precision, 15)}g}"


def shown(text: str) -> str:
    r"""Text with control characters as visible escapes (`\x1b`, `\n`, `\u202e`)."""
    return UNSAFE.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


def cell(value: Any, precision: int | None = None, missing: str = "") -> str:
    """A value as one line of harmless text."""
    value = plain(value)
    if value is None:
        return missing
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return number(value, precision)
    return shown(str(value))


def joined(columns: tuple[str, ...], most: int = 4) -> str:
    """Column names; of many the first, the last and their count."""
    if len(columns) <= most:
        return ",".join(columns)
    return f"{columns[0]},{columns[1]},…,{columns[-1]} ({len(columns)} columns)"


def ascii_only(text: str) -> str:
    """The text in ASCII: `δ` is `delta`, `²` is `^2`, and what has no such name is escaped."""
    if text.isascii():
        return text
    import unicodedata

    def spelled(sign: str) -> str:
        if sign.isascii():
            return sign
        name = unicodedata.name(sign, "")
        if name.startswith("GREEK ") and " LETTER " in name:
            letter = name.split(" LETTER ")[1].split(" WITH ")[0].lower()
            return letter.capitalize() if "CAPITAL" in name else letter
        base = "".join(c for c in unicodedata.normalize("NFKD", sign) if c.isascii())
        return base or sign.encode("ascii", "backslashreplace").decode("ascii")

    return "".join(map(spelled, text.translate(_ASCII)))
