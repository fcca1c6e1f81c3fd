"""The headers of NPY files, in all three versions."""

from __future__ import annotations

import math
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from lossctl.errors import DataError
from lossctl.sources.failures import reading
from lossctl.sources.table import Column
from lossctl.sources.text import counted, plain

if TYPE_CHECKING:
    import numpy as np


_AGAIN = "write it again with numpy.save"


class Header(NamedTuple):
    """What an NPY file says of itself."""

    shape: tuple[int, ...]
    fortran: bool
    dtype: np.dtype[Any]

    @property
    def rows(self) -> int:
        """The length of the first axis."""
        return self.shape[0] if self.shape else 0

    @property
    def row_bytes(self) -> int:
        """The bytes of one row."""
        return math.prod(self.shape[1:]) * self.dtype.itemsize

    @property
    def columnwise(self) -> bool:
        """Whether the values of a row lie apart in the file."""
        return self.fortran and math.prod(self.shape[1:]) > 1


def read_header(stream: IO[bytes], name: str) -> Header:
    """Read the header; the stream is left at the first value."""
    from numpy.lib import format as npy

    with reading(name, _AGAIN):
        try:
            version = npy.read_magic(stream)
        except ValueError:
            raise DataError(f"{name}: is no NPY file, or was cut short", _AGAIN) from None
        if version not in ((1, 0), (2, 0), (3, 0)):
            raise DataError(f"{name}: NPY version {version} is not known", _AGAIN)
        read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        try:
            shape, fortran, dtype = read(stream)
        except OSError:
            raise
        except Exception as error:  # what is no header fails in ways without number
            raise DataError(f"{name}: has a header that makes no sense", _AGAIN) from error
        if version == (3, 0) and dtype.names:
            # The reader of version 2 takes names for latin1; in version 3 they are UTF-8.
            dtype.names = tuple(field.encode("latin1").decode("utf-8") for field in dtype.names)
    return Header(shape, bool(fortran), dtype)


def check_size(header: Header, held: int, name: str) -> None:
    """Refuse a file that holds less or more than its header says."""
    claimed = header.rows * header.row_bytes
    if held < claimed:
        rows = held // header.row_bytes
        raise DataError(
            f"{name}: the header says {counted(header.rows, 'row')}, the file holds {rows}"
            + (f" ({held} of {claimed} bytes)" if header.columnwise else ""),
            "it was cut short: copy or write it again",
        )
    if held > claimed:
        raise DataError(
            f"{name}: {counted(held - claimed, 'byte')} more than the "
            f"{counted(header.rows, 'row')} of the header",
            "an NPY file holds one array: write it again",
        )


def refusal(header: Header) -> str:
    """Say why an array cannot be read; nothing where it can."""
    dtype = header.dtype
    if any(length < 0 for length in header.shape):
        return f"has a header with the impossible shape {header.shape}"
    if not header.shape:
        return "holds a single number, without rows"
    if dtype.hasobject:
        return "holds Python objects, which are never unpickled"
    if any(dtype[field].fields for field in dtype.names or ()):
        return f"holds records inside records ({plain(dtype)})"
    bases = [dtype[field].base for field in dtype.names] if dtype.names else [dtype]
    if any(base.kind == "V" for base in bases):
        return f"holds raw bytes ({plain(dtype)}), whose type NumPy does not know"
    return ""


def columns_of(header: Header, name: str = "") -> tuple[Column, ...]:
    """Describe the array, or each field of its records."""
    dtype = header.dtype
    if refusal(header):
        return (Column(name, plain(dtype), False, header.shape[1:]),)
    if not dtype.names:
        return (Column(name, _shown(dtype), dtype.kind in "biufc", header.shape[1:]),)
    return tuple(
        Column(
            field if not name else f"{name}.{field}",
            _shown(dtype[field].base),
            dtype[field].base.kind in "biufc",
            (*header.shape[1:], *dtype[field].shape),
        )
        for field in dtype.names
    )


def _shown(dtype: np.dtype[Any]) -> str:
    return str(dtype.newbyteorder("="))
