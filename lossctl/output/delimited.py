"""CSV with a header; a loss that is not there is `nan`, a group that is not there is empty."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
from pyarrow import csv

from lossctl.output.arrow import ArrowWriter


def _make(path: str, schema: pa.Schema) -> Any:
    return csv.CSVWriter(path, schema, write_options=csv.WriteOptions(quoting_style="needed"))


def open_writer(path: str) -> ArrowWriter:
    """Start a file."""
    return ArrowWriter(path, _make, text=True)
