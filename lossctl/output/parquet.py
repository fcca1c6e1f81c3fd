"""Parquet."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from lossctl.output import SAMPLE
from lossctl.output.arrow import ArrowWriter
from lossctl.sources.arrowtypes import is_number

ROW_GROUP = 1 << 18


class _Grouped:
    """Gathers batches into row groups of a size that readers like."""

    def __init__(self, path: str, schema: pa.Schema) -> None:
        # numbers that hardly repeat only lose time in a dictionary; steps of 1 take no room
        texts = [field.name for field in schema if not is_number(field.type)]
        steps = {SAMPLE: "DELTA_BINARY_PACKED"} if SAMPLE in schema.names else None
        self._writer = parquet.ParquetWriter(
            path, schema, compression="zstd", use_dictionary=texts, column_encoding=steps
        )
        self._batches: list[pa.RecordBatch] = []
        self._rows = 0

    def write_batch(self, batch: pa.RecordBatch) -> None:
        self._batches.append(batch)
        self._rows += batch.num_rows
        if self._rows >= ROW_GROUP:
            self._flush()

    def _flush(self) -> None:
        if self._batches:
            self._writer.write_table(pa.Table.from_batches(self._batches))
        self._batches, self._rows = [], 0

    def close(self) -> None:
        try:
            self._flush()
        except BaseException:
            with suppress(Exception):  # what went wrong first is what is said
                self._writer.close()
            raise
        self._writer.close()


def _make(path: str, schema: pa.Schema) -> Any:
    return _Grouped(path, schema)


def open_writer(path: str) -> ArrowWriter:
    """Start a file."""
    return ArrowWriter(path, _make)
