"""What the first rows of a CSV file say: names, types, the width of a row."""

from __future__ import annotations

from typing import Any, NamedTuple

from lossctl.errors import DataError
from lossctl.sources.arrowtypes import described, is_number
from lossctl.sources.batches import unique
from lossctl.sources.delimitedfields import read_fields
from lossctl.sources.failures import reading
from lossctl.sources.misfit import MisfitError
from lossctl.sources.peek import Peeked
from lossctl.sources.records import after_first, last_break
from lossctl.sources.table import Column
from lossctl.sources.text import listed, shown

_HEAD = 256 << 10
_MOST = 64 << 20
_OTHERS = (";", "\t", "|", ",")
_BOM = b"\xef\xbb\xbf"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_GZIP = b"\x1f\x8b"


class Head(NamedTuple):
    """What is known before the rows are read.

    Attributes:
        kinds: The type of the first values of each column.
        empty: Whether the file ends without a row.
        lone: Whether there is one column, in which an empty line is a row.
    """

    columns: tuple[Column, ...]
    kinds: dict[str, Any]
    empty: bool
    lone: bool


def read_head(peeked: Peeked, name: str, delimiter: str, header: bool, told: bool) -> Head:
    """Look at the first rows; `told` means that the user chose the delimiter."""
    head = _whole_records(peeked, delimiter.encode())
    if head.startswith(_UTF16):
        raise DataError(f"{name}: is UTF-16", "convert it to UTF-8, for example with iconv")
    if head.startswith(_GZIP):
        raise DataError(f"{name}: is gzip data", "unpack it, or say so: --input-format csv.gz")
    if not head.strip():
        raise DataError(f"{name}: is empty", "give a file with at least one row")
    lone = _width(head, delimiter) == 1
    if lone and header:
        _refuse_remark(head, name, delimiter, told)
    table = _parsed(head, name, delimiter, header, lone)
    with reading(name):
        raw = table.column_names
    # "y_pred, y_true" means y_true; the values are stripped too.
    names = [n.strip() if header else str(index) for index, n in enumerate(raw)]
    unique(names, name)
    if header:
        _refuse_numbers(names, name)
    kinds = dict(zip(names, table.schema.types, strict=True))
    if not told and len(names) == 1:
        _refuse_other_delimiter(names[0], kinds[names[0]], name)
    return Head(
        columns=tuple(Column(n, described(kind), is_number(kind)) for n, kind in kinds.items()),
        kinds=kinds,
        empty=peeked.ended and not (_rest(head, delimiter) if header else head).strip(b"\r\n"),
        lone=lone,
    )


def _whole_records(peeked: Peeked, delimiter: bytes) -> bytes:
    """The beginning, up to the end of a record."""
    size = _HEAD
    while True:
        head = peeked.look(size)
        if len(head) < size:
            return head
        end = last_break(head, delimiter)
        # The header alone would leave all types to be guessed from nothing.
        if head.count(b"\n", 0, end) > 1 or size >= _MOST:
            return head[:end] or head
        size *= 4


def zero_led(peeked: Peeked, delimiter: str, header: bool, names: list[str], ask: set[str]) -> Any:
    """Which columns have a value such as 007 among their first rows."""
    import pyarrow as pa
    from pyarrow import csv

    from lossctl.sources.textvalues import has_zero_led

    head = _whole_records(peeked, delimiter.encode()).removeprefix(_BOM)
    body = _rest(head, delimiter) if header else head
    if not body.strip():
        return set()
    indices = {str(names.index(name)): name for name in ask}
    convert = csv.ConvertOptions(
        include_columns=list(indices), column_types=dict.fromkeys(indices, pa.string())
    )
    read = csv.ReadOptions(column_names=[str(index) for index in range(len(names))])
    table = read_fields(body, delimiter, read, convert)
    return {name for i, name in indices.items() if any(map(has_zero_led, table.column(i).chunks))}


def _rest(head: bytes, delimiter: str) -> bytes:
    return after_first(head.removeprefix(_BOM), delimiter.encode())


def is_lone(peeked: Peeked, delimiter: str) -> bool:
    """Whether there is one column, so that an empty line is a row."""
    return _width(_whole_records(peeked, delimiter.encode()), delimiter) == 1


def _width(data: bytes, delimiter: str) -> int:
    """The fields of the first record."""
    rest = after_first(data, delimiter.encode())
    first = data[: len(data) - len(rest)].removeprefix(_BOM).strip(b"\r\n")
    if b'"' not in first or delimiter.encode() not in first:
        return first.count(delimiter.encode()) + 1
    import csv

    try:
        return len(next(csv.reader([first.decode("latin-1")], delimiter=delimiter)))
    except csv.Error:
        return 0  # what is wrong with it shows when all is parsed


def _refuse_remark(head: bytes, name: str, delimiter: str, told: bool) -> None:
    """Refuse a first line that is no header: the lines behind it have more fields."""
    rest = _rest(head, delimiter)
    if not rest.strip(b"\r\n"):
        return
    fields = _width(rest, delimiter)
    if fields > 1:
        first = head.removeprefix(_BOM).strip(b"\r\n").splitlines()[0].decode(errors="replace")
        if not told:
            _refuse_other_delimiter(first, None, name)
        raise DataError(
            f"{name}: the first line has one field, {shown(first)}, the next {fields}",
            "remove the line, if it holds no column names; or check --delimiter",
        )


def _parsed(head: bytes, name: str, delimiter: str, header: bool, lone: bool) -> Any:
    from pyarrow import csv

    if lone and header:
        head = head.removeprefix(_BOM).lstrip(b"\r\n")

    with reading(name, "check that it is a CSV file"):
        try:
            return read_fields(
                head, delimiter, csv.ReadOptions(autogenerate_column_names=not header), lone=lone
            )
        except MisfitError as error:
            error.row -= header
            raise


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
    if found is not None and (kind is None or not is_number(kind)):
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
