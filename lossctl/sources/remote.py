"""Files behind a URI (`s3://…`, `gs://…`), through the filesystems of pyarrow."""

from __future__ import annotations

import posixpath
import re
from typing import Any

from lossctl.errors import DataError
from lossctl.sources.failures import reading
from lossctl.sources.files import File
from lossctl.sources.paths import is_part, natural, ordered
from lossctl.sources.text import path_text

_GLOB = re.compile(r"[*?\[]")


def resolve_uri(uri: str, any_extension: bool) -> list[File]:
    """Find the files that a URI stands for: one file, a folder of parts, or a glob."""
    from pyarrow import fs

    # A ? would be read as the beginning of the options, so the glob is cut off first.
    found = _GLOB.search(uri)
    begin = uri.index("://") + 3
    base = uri[: max(begin, uri.rindex("/", 0, found.start()))] if found else uri
    with reading(path_text(uri), "check the address, the credentials and the network"):
        filesystem, root = fs.FileSystem.from_uri(base)
        if found:
            pattern = posixpath.join(root, uri[len(base) :].lstrip("/"))
            paths = _matching(filesystem, root, pattern)
        else:
            paths = _listed(filesystem, root, any_extension)
    if not paths:
        raise DataError(f"{path_text(uri)}: no file matches", "check the pattern and folder")
    return [File(path, path_text(uri[:begin] + path.lstrip("/")), filesystem) for path in paths]


def _listed(filesystem: Any, path: str, any_extension: bool) -> list[str]:
    from pyarrow import fs

    info = filesystem.get_file_info(path)
    if info.type == fs.FileType.NotFound:
        raise FileNotFoundError(path)
    if info.type != fs.FileType.Directory:
        return [path]
    inside = [i for i in filesystem.get_file_info(fs.FileSelector(path)) if is_part(i.base_name)]
    parts = [info.base_name for info in inside if info.type == fs.FileType.File]
    names = ordered(path, parts, [info.base_name for info in inside], any_extension)
    return [posixpath.join(path, name) for name in names]


def _matching(filesystem: Any, root: str, pattern: str) -> list[str]:
    from pyarrow import fs

    matches = _compiled(pattern)
    selector = fs.FileSelector(root, recursive="/" in pattern[len(root) + 1 :])
    found = [
        info.path
        for info in filesystem.get_file_info(selector)
        if info.type == fs.FileType.File
        and is_part(info.base_name)
        and matches.fullmatch(info.path)
    ]
    return sorted(found, key=natural)


def _compiled(pattern: str) -> re.Pattern[str]:
    """Translate a glob in which * stays inside a folder and ** does not."""
    import fnmatch

    words = []
    for part in pattern.split("/"):
        inner = fnmatch.translate(part).removesuffix(r"\Z").removesuffix(r"\z")
        words.append("(?:[^/]+/)*" if part == "**" else inner.replace(".*", "[^/]*") + "/")
    return re.compile("".join(words).removesuffix("/"))
