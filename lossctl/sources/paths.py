"""From a path as typed to the files of one data set, in order."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable

from lossctl.errors import DataError, nearest
from lossctl.sources.failures import reading
from lossctl.sources.files import STDIN, File, local_file
from lossctl.sources.formats import has_kind
from lossctl.sources.reference import scheme_of
from lossctl.sources.text import path_text

_GLOB = re.compile(r"[*?\[]")


def natural(text: str) -> tuple[list[str | int], str]:
    """Sort key under which part-2 comes before part-10."""
    pieces = re.split(r"([0-9]+)", text)
    return [int(piece) if piece.isdecimal() else piece for piece in pieces], text


def is_part(name: str) -> bool:
    """Tell a part from what writers leave beside it: `.crc` files, `_SUCCESS`, `_metadata`."""
    return not name.startswith((".", "_"))


def resolve(path: str, any_extension: bool) -> list[File]:
    """Find the files that a path stands for; never none.

    Args:
        path: A file, a folder, a glob, a URI or `-`.
        any_extension: True where the format is said, so that no extension needs to.
    """
    scheme = scheme_of(path)
    if scheme.lower() == "file://":
        # Not through pyarrow: a local NPY file is to be read without it.
        from urllib.parse import unquote

        path = unquote(path[len(scheme) :].removeprefix("localhost"))
    elif scheme:
        from lossctl.sources.remote import resolve_uri

        return resolve_uri(path, any_extension)
    if path == STDIN:
        return [local_file(path)]
    if not path:
        raise DataError("no input is named", "give a path, or - for standard input")
    with reading(path_text(path)):
        try:
            mode = os.stat(path).st_mode
        except (FileNotFoundError, NotADirectoryError):
            mode = None
        if mode is not None and stat.S_ISDIR(mode):
            return [local_file(part) for part in _parts_of(path, any_extension)]
        if mode is not None:  # also where the name itself holds * or [
            return [local_file(path)]
    if _GLOB.search(path):
        return [local_file(part) for part in _matching(path)]
    raise _missing(path)


def _parts_of(folder: str, any_extension: bool) -> list[str]:
    names = [name for name in os.listdir(folder) if is_part(name)]
    parts = [name for name in names if not os.path.isdir(os.path.join(folder, name))]
    return [os.path.join(folder, name) for name in ordered(folder, parts, names, any_extension)]


def ordered(folder: str, parts: list[str], names: Iterable[str], any_extension: bool) -> list[str]:
    """Put the parts of a folder in order, or refuse what is no data set."""
    shown = path_text(folder)
    if not parts:
        inner = any(True for _ in names)
        raise DataError(
            f"{shown}: a folder without readable parts",
            f"its parts are in folders of their own: name them with a glob, "
            f"such as {shown.rstrip('/')}/**/*.parquet"
            if inner
            else "hidden files and those that begin with _ are passed over",
        )
    unknown = [] if any_extension else [name for name in parts if not has_kind(name)]
    if unknown:
        known = next((name for name in parts if has_kind(name)), None)
        if known is None:
            raise DataError(
                f"{shown}: a folder without readable parts: the extension of "
                f"{path_text(unknown[0])} says no known format",
                "say it with --input-format",
            )
        raise DataError(
            f"{shown}: {path_text(unknown[0])} in this folder is of no known format",
            f"name the parts with a glob, such as {shown.rstrip('/')}/*"
            f"{os.path.splitext(known)[1]}",
        )
    return sorted(parts, key=natural)


def _matching(pattern: str) -> list[str]:
    import glob

    hidden = os.path.basename(pattern).startswith("_")
    found = [
        path
        for path in glob.iglob(pattern, recursive=True)
        if not os.path.isdir(path) and (hidden or is_part(os.path.basename(path)))
    ]
    if not found:
        raise DataError(f"{path_text(pattern)}: no file matches", "check the pattern and folder")
    return sorted(found, key=natural)


def _missing(path: str) -> DataError:
    folder, name = os.path.split(path)
    try:
        beside = sorted(os.listdir(folder or "."))
    except FileNotFoundError:
        return DataError(
            f"{path_text(path)}: no such file", f"there is no folder {path_text(folder)}"
        )
    except OSError:
        beside = []
    return DataError(f"{path_text(path)}: no such file", path_text(nearest(name, beside)))
