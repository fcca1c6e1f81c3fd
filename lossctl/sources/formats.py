"""Which format a file is in, by its extension or by `--input-format`."""

from __future__ import annotations

from typing import NamedTuple

from lossctl.errors import DataError, UsageError, nearest
from lossctl.sources.text import path_text, plain

_COMPRESSIONS = {"gz": "gzip", "zst": "zstd", "bz2": "bz2"}
_TEXT = ("csv", "tsv", "jsonl")
_FORMATS = {
    "csv": "csv",
    "tsv": "tsv",
    "parquet": "parquet",
    "pq": "parquet",
    "npy": "npy",
    "npz": "npz",
    "arrow": "arrow",
    "arrows": "arrow",
    "feather": "arrow",
    "ipc": "arrow",
    "jsonl": "jsonl",
    "ndjson": "jsonl",
    "json": "jsonl",
}

KNOWN = tuple(_FORMATS)


class Kind(NamedTuple):
    """A format, and the compression around it."""

    format: str
    compression: str | None = None


def _of_suffix(name: str) -> Kind | None:
    stem, _, last = name.lower().rpartition(".")
    if last in _COMPRESSIONS:
        inner = _FORMATS.get(stem.rpartition(".")[2])
        return Kind(inner, _COMPRESSIONS[last]) if inner in _TEXT else None
    return Kind(_FORMATS[last]) if last in _FORMATS else None


def has_kind(path: str) -> bool:
    """Tell whether a path's extension says its format."""
    return _of_suffix(path) is not None


def kind_of(path: str, input_format: str | None) -> Kind:
    """Find out what a file holds.

    Raises:
        UsageError: Standard input without `--input-format`, or a format unknown.
        DataError: An extension that says nothing.
    """
    if input_format is not None and not has_kind(path):
        kind = _of_suffix("." + input_format.lstrip("."))
        if kind is None:
            hint = nearest(input_format.lower(), list(KNOWN))
            raise UsageError(
                f"--input-format {plain(input_format)} is not known",
                f"known: {', '.join(KNOWN)}" + (f"; {hint}" if hint else ""),
            )
        suffix = path.lower().rpartition(".")[2]
        if kind.compression is None and kind.format in _TEXT and suffix in _COMPRESSIONS:
            return Kind(kind.format, _COMPRESSIONS[suffix])
        return kind
    if path == "-":
        raise UsageError(
            "standard input has no extension that says its format",
            f"name it with --input-format: {', '.join(KNOWN)}",
        )
    kind = _of_suffix(path)
    if kind is None:
        raise DataError(
            f"{path_text(path)}: its extension says no known format",
            f"known: {', '.join('.' + known for known in KNOWN)} "
            "(.csv, .tsv and .jsonl also .gz, .zst, .bz2); or say it with --input-format",
        )
    return kind
