"""Everything that opens inputs.

A path becomes a `Table`: columns, and slabs of rows that are read and converted on whichever
thread loads them. Each format is a module with `open_part(file, format)`; it is imported when
a file of that format is opened, so that one pays only for what one reads.
"""

from __future__ import annotations

from lossctl.sources.reference import Reference, parse_reference
from lossctl.sources.select import choose
from lossctl.sources.table import Column, Format, Slab, Table

__all__ = [
    "Column",
    "Format",
    "Reference",
    "Slab",
    "Table",
    "choose",
    "open_table",
    "parse_reference",
]

_MODULES = {
    "csv": "delimited",
    "tsv": "delimited",
    "parquet": "parquet",
    "npy": "npy",
    "npz": "npz",
    "arrow": "arrow",
    "jsonl": "jsonl",
}


def open_table(path: str, format: Format) -> Table:
    """Open a file, a folder of parts, a glob, a URI, or `-` for standard input.

    Args:
        path: The path of a reference, without columns.
        format: What the extension does not say.

    Raises:
        DataError: Nothing there, or nothing that can be read.
        UsageError: Options that are lacking or mean nothing.
    """
    from functools import partial
    from importlib import import_module

    from lossctl.errors import DataError
    from lossctl.sources.formats import kind_of
    from lossctl.sources.parts import Parts
    from lossctl.sources.paths import resolve

    if path == "-":
        kind_of(path, format.input_format)  # before anything waits for data
    files = resolve(path, format.input_format is not None)
    kinds = [kind_of(file.path, format.input_format) for file in files]
    for file, kind in zip(files, kinds, strict=True):
        if kind.format != kinds[0].format:
            raise DataError(
                f"{file.name} is {kind.format}, {files[0].name} {kinds[0].format}",
                "name the parts of one data set with a glob, such as *.parquet",
            )
    module = import_module(f"lossctl.sources.{_MODULES[kinds[0].format]}")
    opener = partial(module.open_part, format=format)
    if _MODULES[kinds[0].format] == "delimited":
        delimiter = "\t" if kinds[0].format == "tsv" else ","
        opener = partial(opener, delimiter=delimiter, codes=module.Codes())
    files = [
        file._replace(compression=kind.compression) for file, kind in zip(files, kinds, strict=True)
    ]
    return Parts(path, files, opener)
