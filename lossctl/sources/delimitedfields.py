"""Splitting whole records of a CSV file to fields, by pyarrow."""

from __future__ import annotations

import re
from typing import Any

from lossctl.sources.misfit import MisfitError
from lossctl.sources.records import Block
from lossctl.sources.text import counted, shown

# What pyarrow says; rows are counted from 1. Not by its invalid_row_handler, which prints a
# traceback where the row is not UTF-8.
_RAGGED = re.compile(r"Row #(\d+): Expected (\d+) columns, got (\d+): (.*)", re.DOTALL)
_NUMBER = re.compile(r"column #(\d+): Row #(\d+): .* to (\w+): invalid value '(.*)'", re.DOTALL)
_ENCODING = re.compile(r"Row #(\d+): .*UTF8")


def read_fields(
    block: Block, delimiter: str, reading: Any, converting: Any = None, *, lone: bool = False
) -> Any:
    """Read a block at once to a table.

    Args:
        block: Whole records.
        delimiter: What stands between fields.
        reading: The csv.ReadOptions; names of columns and where they come from.
        converting: The csv.ConvertOptions.
        lone: The file has one column, in which an empty line is a value that is missing.

    Raises:
        MisfitError: A row that is no row, or a value that does not fit its type; rows are
            counted from the first record of the block, columns named by their number.
    """
    import pyarrow as pa
    from pyarrow import csv

    reading.use_threads = False  # only so does pyarrow count the rows that its errors name
    reading.block_size = len(block) + 1
    parsing = csv.ParseOptions(
        delimiter=delimiter, newlines_in_values=True, ignore_empty_lines=not lone
    )
    try:
        return csv.read_csv(pa.BufferReader(block), reading, parsing, converting)
    except pa.ArrowInvalid as error:
        raise _misfit(error) or error from error


def _misfit(error: Exception) -> MisfitError | None:
    ragged = _RAGGED.search(str(error))
    if ragged:
        row, expected, found, text = ragged.groups()
        return MisfitError(
            int(row) - 1,
            f"{counted(int(found), 'field')} instead of {expected}: {shown(text)}",
            "mend the row, or check --delimiter and the quotes",
        )
    wrong = _NUMBER.search(str(error))
    if wrong:
        index, row, kind, value = wrong.groups()
        what = (
            "is neither true nor false, as the values before" if kind == "bool" else "is no number"
        )
        return MisfitError(int(row) - 1, f"{shown(value)} {what}", _advice(value), index)
    encoding = _ENCODING.search(str(error))
    if encoding:
        return MisfitError(
            int(encoding.group(1)) - 1,
            "text that is not UTF-8",
            "convert it to UTF-8, for example with iconv",
        )
    return None


def _advice(value: str) -> str:
    if value.count(",") == 1 and _is_number(value.replace(",", ".")):
        return "write decimals with a point"
    if _is_number(value.replace(",", "").replace(" ", "").replace("_", "")):
        return "write numbers without separators"
    return "name a column of numbers, or leave out or mend the row"


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
