"""Where in a TOML file a key stands, which the standard library's parser does not say."""

from __future__ import annotations

import re
from collections.abc import Iterator

Path = tuple[str | int, ...]

_KEY = r"""(?:[A-Za-z0-9_-]+|"(?:[^"\\]|\\.)*"|'[^']*')"""
_KEYS = re.compile(rf"\s*({_KEY}(?:\s*\.\s*{_KEY})*)\s*=")
_TABLE = re.compile(rf"\s*(\[\[?)\s*({_KEY}(?:\s*\.\s*{_KEY})*)\s*\]")
# a comment, a string of any kind, or a bracket
_TOKEN = re.compile(
    r"""\#[^\n]*|\"\"\"(?:[^\\]|\\.)*?\"\"\"|'''.*?'''|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|[\[\]{}]|\n""",
    re.DOTALL,
)


def lines_of(text: str) -> dict[Path, int]:
    """The line of each key and table, counted from 1.

    Args:
        text: TOML that parses.

    Returns:
        By the way to the key: `("gate", 0, "max")` is in the first `[[gate]]`. What stands in
        an inline table or array goes by the key before it.
    """
    found: dict[Path, int] = {}
    counts: dict[Path, int] = {}
    table: Path = ()
    for line, statement in _statements(text):
        if head := _TABLE.match(statement):
            names = _parts(head[2])
            table = _inside(names[:-1], counts)
            if head[1] == "[[":
                whole = (*table, names[-1])
                counts[whole] = counts.get(whole, -1) + 1
                found.setdefault(whole, line)
            table = _inside(names, counts)
            found.setdefault(table, line)
        elif key := _KEYS.match(statement):
            names = _parts(key[1])
            for length in range(1, len(names) + 1):
                found.setdefault((*table, *names[:length]), line)
    return found


def nearest_line(path: Path, lines: dict[Path, int]) -> int | None:
    """The line of a key, or else of what it stands in."""
    for length in range(len(path), 0, -1):
        if path[:length] in lines:
            return lines[path[:length]]
    return None


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """Lines, but those that a bracket or a string holds together are one, without comments."""
    line = first = 1
    depth, kept, start = 0, [], 0
    for token in _TOKEN.finditer(text):
        sign = token[0]
        if sign.startswith("#"):
            kept.append(text[start : token.start()])
            start = token.end()
        elif sign in "[{":
            depth += 1
        elif sign in "]}":
            depth -= 1
        line += sign.count("\n")
        if sign == "\n" and depth <= 0:
            yield first, "".join([*kept, text[start : token.start()]])
            first, depth, kept, start = line, 0, [], token.end()
    yield first, "".join([*kept, text[start:]])


def _parts(text: str) -> list[str]:
    """The names of a dotted key."""
    return [part.strip("\"'") for part in re.findall(_KEY, text)]


def _inside(names: list[str], counts: dict[Path, int]) -> Path:
    """The way to a table; the last of each array of tables is meant."""
    path: Path = ()
    for name in names:
        path = (*path, name)
        if path in counts:
            path = (*path, counts[path])
    return path
