"""The file of gates: found, parsed, and named in errors by the line."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NoReturn

from lossctl.errors import UsageError
from lossctl.gates.lines import Path, lines_of, nearest_line

FILES = ("lossctl.toml", "pyproject.toml")
SECTION = ("tool", "lossctl")  # of the second


@dataclass(frozen=True)
class Place:
    """A place in the file, for errors."""

    path: str
    way: Path = ()
    lines: Mapping[Path, int] = field(default_factory=dict)

    def at(self, *keys: str | int) -> Place:
        """A place inside this one."""
        return replace(self, way=(*self.way, *keys))

    def refuse(self, what: str, hint: str = "") -> NoReturn:
        """Say what is wrong here.

        Raises:
            UsageError: With the file and the line.
        """
        line = nearest_line(self.way, dict(self.lines))
        where = self.path if line is None else f"{self.path}:{line}"
        raise UsageError(f"{where}: {what}", hint)

    @property
    def folder(self) -> str:
        """What relative paths are relative to; empty for the current folder."""
        return os.path.dirname(self.path)


def load(given: str | None) -> tuple[Place, dict[str, Any]]:
    """The table of the gates, and where it stands.

    Args:
        given: The file, or its folder; default: the current one.

    Raises:
        UsageError: There is none, or it is no TOML.
    """
    path = _find(given)
    table, text = _parsed(path)
    place = Place(path, lines=lines_of(text))
    if os.path.basename(path) != FILES[1]:
        return place, table
    if not _has_section(table):
        raise UsageError(
            f"{path}: there is no [tool.lossctl]", "write one, or name another file of gates"
        )
    return place.at(*SECTION), table["tool"]["lossctl"]


def _find(given: str | None) -> str:
    if given is not None and not os.path.isdir(given):
        return given
    folder = given or ""
    first, second = (os.path.join(folder, name) for name in FILES)
    if os.path.exists(first):
        return first
    if os.path.exists(second) and _has_section(_parsed(second)[0]):
        return second
    raise UsageError(
        f"there is no {first}, and no {second} with [tool.lossctl]",
        "write one: lossctl gate --init PREDICTION TARGET -l LOSS",
    )


def _has_section(table: Mapping[str, Any]) -> bool:
    tool = table.get("tool")
    return isinstance(tool, Mapping) and isinstance(tool.get("lossctl"), Mapping)


def _parsed(path: str) -> tuple[dict[str, Any], str]:
    """A TOML file, and its text."""
    import tomllib

    try:
        with open(path, encoding="utf-8-sig", newline=None) as file:
            text = file.read()
        return tomllib.loads(text), text
    except OSError as error:
        why = (os.strerror(error.errno) if error.errno else str(error)).lower()
        raise UsageError(f"{path}: {why}", "name a file of gates, or write one: --init") from None
    except UnicodeDecodeError:
        raise UsageError(f"{path}: not text in UTF-8", "TOML is UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        place = re.search(r"\(at line (\d+), column \d+\)$", str(error))
        what = str(error)[: place.start()].strip() if place else str(error)
        where = f"{path}:{place[1]}" if place else path
        raise UsageError(f"{where}: {what[:1].lower()}{what[1:]}", "it must be TOML") from None
