"""What the first rows of a CSV file say: names, types, the width of a row."""

from __future__ import annotations

import io
from typing import Any, NamedTuple

from lossctl.errors import DataError
from lossctl.sources.arrowtypes import described, is_number
from lossctl.sources.batches import unique
from lossctl.sources.failures import reading, reason
from lossctl.sources.peek import Peeked
from lossctl.sources.table import Column
from lossctl.sources.text import listed, shown

_HEAD = 256 << 10
_MOST = 64 << 20
_OTHERS = (";", "\t", "|", ",")
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


class Head(NamedTuple):
    """What is known before the rows are read.

    Attributes:
        kinds: The type of the first values of each column.
        empty: Whether the file ends without a row.
    """

    columns: tuple[Column, ...]
    kinds: dict[str, Any]
    empty: bool


def read_head(peeked: Peeked, name: str, delimiter: str, header: bool, told: bool) -> Head:
    """Look at the first rows; `told` means that the user chose the delimiter."""
    head = _whole_lines(peeked)
    if head.startswith(_UTF16):
        raise DataError(f"{name}: is UTF-16", "convert it to UTF-8, for example with iconv")
    if not head.strip():
        raise DataError(f"{name}: is empty", "give a file with at least one row")
    table = _parsed(head, name, delimiter, header)
    with reading(name):
        raw = table.column_names
    names = raw if header else [str(index) for index in range(len(raw))]
    unique(names, name)
    if header:
        _refuse_numbers(names, name)
    kinds = dict(zip(names, table.schema.types, strict=True))
    if not told and len(names) == 1:
        _refuse_other_delimiter(names[0], kinds[names[0]], name)
    return Head(
        columns=tuple(Column(n, described(kind), is_number(kind)) for n, kind in kinds.items()),
        kinds=kinds,
        empty=peeked.ended and not table.num_rows,
    )


def _whole_lines(peeked: Peeked) -> bytes:
    """The beginning, up to the end of a line."""
    size = _HEAD
    while True:
        head = peeked.look(size)
        if len(head) < size:
            return head
        end = head.rfind(b"\n") + 1
        # The header alone would leave all types to be guessed from nothing.
        if head.count(b"\n", 0, end) > 1 or size >= _MOST:
            return head[:end] or head
        size *= 4


def _parsed(head: bytes, name: str, delimiter: str, header: bool) -> Any:
    from pyarrow import csv

    with reading(name):
        try:
            return csv.read_csv(
                io.BytesIO(head),
                read_options=csv.ReadOptions(
                    use_threads=False,
                    block_size=len(head) + 1,
                    autogenerate_column_names=not header,
                ),
                # Ragged rows are left for the reading proper, which counts rows; the last
                # row here may lack its end, cut inside quotes.
                parse_options=csv.ParseOptions(
                    delimiter=delimiter,
                    newlines_in_values=True,
                    invalid_row_handler=lambda row: "skip",
                ),
            )
        except UnicodeDecodeError:
            raise
        except ValueError as error:
            raise DataError(f"{name}: {reason(error)}", "check that it is a CSV file") from error


def _refuse_numbers(names: list[str], source: str) -> None:
    """Refuse a header of numbers, which is rather a row of data that would be lost."""
    try:
        values = [float(name) for name in names]
    except ValueError:
        return
    counting = values == list(range(len(values)))
    rising = len(values) > 1 and values == sorted(set(values))
    whole = all(name.strip().isdecimal() for name in names)
    if whole and (counting or rising):  # as pandas numbers columns; years, bins
        return
    raise DataError(
        f"{source}: the first line holds numbers, not names: {listed(names)}",
        "if the file has no header, say --no-header",
    )


def _refuse_other_delimiter(only: str, kind: Any, source: str) -> None:
    found = next((other for other in _OTHERS if other in only), None)
    if found is not None and not is_number(kind):
        raise DataError(
            f"{source}: one column, named {shown(only)}",
            f"if the fields are separated by {found!r}, say --delimiter {found!r}",
        )


def delimiter_of(text: str) -> str:
    """Read the `--delimiter` option, in which a tab may be written as such."""
    from lossctl.errors import UsageError

    named = {"\\t": "\t", "tab": "\t", "space": " ", "comma": ",", "semicolon": ";", "pipe": "|"}
    one = named.get(text.lower(), text)
    if len(one) != 1 or not one.isascii() or one in '"\r\n':
        raise UsageError(
            f"--delimiter {shown(text)} is not one character", "give one, such as ';' or tab"
        )
    return one
