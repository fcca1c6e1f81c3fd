"""The boundary at which what the libraries raise becomes a DataError, in words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from lossctl.errors import DataError

_DAMAGED = "it is damaged or incomplete: copy or write it again"
_WIDEST = 160

# What the libraries say, and what it means to someone who does not know them.
_WORDS = (
    ("magic bytes not found", "is no Parquet file, or was cut short"),
    ("file size is 0 bytes", "is empty"),
    ("not an arrow file", "is no Arrow file, or was cut short"),
    ("metadata bytes, but only read", "is no Arrow data, or was cut short"),
    ("not a zip file", "is no NPZ (zip) file, or was cut short"),
    ("bad crc", "is corrupt: a checksum does not match"),
    ("incorrect header check", "is not compressed as its name says"),
    ("not a gzipped file", "is not compressed as its name says"),
    ("unknown frame descriptor", "is not compressed as its name says"),
    ("not bz2-compressed", "is not compressed as its name says"),
    ("truncated compressed stream", "was cut short"),
    ("compressed file ended before", "was cut short"),
    ("incorrect data check", "is corrupt: a checksum does not match"),
    ("crc check failed", "is corrupt: a checksum does not match"),
    ("crc checksum verification failed", "is corrupt: a checksum does not match"),
)


def reason(error: BaseException) -> str:
    """Say in a few words what an exception of a library means."""
    if isinstance(error, FileNotFoundError):
        return "no such file"
    if isinstance(error, PermissionError):
        return "permission denied"
    if isinstance(error, IsADirectoryError):
        return "is a folder"
    if isinstance(error, MemoryError):
        return "cannot be read: not enough memory"
    if isinstance(error, UnicodeDecodeError):
        return "holds text that is not UTF-8"
    text = (getattr(error, "strerror", None) or str(error) or type(error).__name__).strip()
    for phrase, words in _WORDS:
        if phrase in text.lower():
            return words
    line = " ".join(text.split("\n", 1)[0].split())
    line = line if line.isprintable() else repr(line)[1:-1]
    return "cannot be read: " + (line if len(line) <= _WIDEST else line[: _WIDEST - 1] + "…")


def hint_for(error: BaseException) -> str:
    """Say what to do about it."""
    if isinstance(error, UnicodeDecodeError):
        return "convert it to UTF-8, for example with iconv"
    if isinstance(error, (FileNotFoundError, PermissionError, IsADirectoryError, MemoryError)):
        return ""
    return _DAMAGED


def expected(error: BaseException) -> bool:
    """Tell failures of the data from mistakes of this program.

    Goes by name for pyarrow, zlib, zipfile and isal, so that none is imported to ask.
    """
    if isinstance(error, (OSError, EOFError, ValueError, NotImplementedError, MemoryError)):
        return True
    return any(
        kind.__module__.partition(".")[0] in ("pyarrow", "zlib", "zipfile", "lzma", "igzip_lib")
        for kind in type(error).__mro__
    )


@contextmanager
def reading(name: str, hint: str | None = None) -> Iterator[None]:
    """Turn what goes wrong inside into a DataError that begins with the file's name."""
    try:
        yield
    except DataError:
        raise
    except Exception as error:
        if not expected(error):
            raise
        raise DataError(
            f"{name}: {reason(error)}", hint_for(error) if hint is None else hint
        ) from error
