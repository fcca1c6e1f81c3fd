"""How names and values out of files are shown in messages."""

from __future__ import annotations

from collections.abc import Iterable

_WIDEST = 40
_MOST = 12


def shown(text: object) -> str:
    """Quote a value or a name from a file: one line, nothing a terminal obeys, cut at 40."""
    quoted = repr(str(text))
    return quoted if len(quoted) <= _WIDEST else quoted[: _WIDEST - 2] + "…" + quoted[0]


def plain(text: object) -> str:
    """Show a name without quotes where nothing in it could be misread."""
    name = str(text)
    if name and name.isprintable() and len(name) <= _WIDEST and name == name.strip():
        return name
    return shown(name)


def path_text(path: str) -> str:
    """Show a path: whole, for it is to be copied, but never with control characters."""
    return path if path.isprintable() else repr(path)


def listed(names: Iterable[str]) -> str:
    """List names with commas, at most a dozen of them."""
    known = [plain(name) for name in names]
    more = f", … and {len(known) - _MOST} more" if len(known) > _MOST else ""
    return ", ".join(known[:_MOST]) + more


def counted(number: int, noun: str) -> str:
    """Say `1 row`, `3 rows`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
