"""The data, made once: the same numbers in every format, written a piece at a time.

python -m tests.bench.data FOLDER KIND.FORMAT.ROWS…
"""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    import numpy as np

    Arrays = dict[str, np.ndarray[Any, Any]]

ROOT = Path(__file__).parent.parent.parent
SEED = 20_240_501
SIDE, BINS, SIZE = 512, 100, 256
FEATHER = 1 << 16  # rows of a batch
STEPS, CLASSES, LABELS = 150, 64, 20


class Dataset(NamedTuple):
    """What is to be on disk."""

    kind: str
    format: str
    rows: int

    def __str__(self) -> str:
        return f"{self.kind}.{self.format}.{self.rows}"

    def files(self, folder: Path) -> list[str]:
        """Its files: an NPY file for each array, or one table."""
        own = folder / str(self)
        if self.format == "npy":
            return [str(own / f"{name}.npy") for name in KINDS[self.kind].names]
        return [str(own / f"data.{self.format}")]


class Kind(NamedTuple):
    """Arrays that belong together."""

    names: tuple[str, ...]
    piece: int  # rows that are drawn at once
    draw: Callable[[np.random.Generator, int], Arrays]


PAIR = ("y_pred", "y_true")


def _pairs(rng: np.random.Generator, rows: int) -> Arrays:
    target = 10 * rng.standard_normal(rows)
    return {"y_pred": target + rng.standard_normal(rows), "y_true": target}


def _pairs32(rng: np.random.Generator, rows: int) -> Arrays:
    return {name: array.astype("f4") for name, array in _pairs(rng, rows).items()}


def _groups(rng: np.random.Generator, rows: int) -> Arrays:
    return {**_pairs(rng, rows), "segment": rng.integers(0, 10, rows)}


def _segments(rng: np.random.Generator, rows: int) -> Arrays:
    import numpy as np

    names = np.array([f"segment {index}" for index in range(10)], object)
    return {**_pairs(rng, rows), "segment": names[rng.integers(0, 10, rows)]}


def _binary(rng: np.random.Generator, rows: int) -> Arrays:
    probability = rng.uniform(0.001, 0.999, rows)
    return {"y_pred": probability, "y_true": (rng.random(rows) < probability).astype("f8")}


def _classes(count: int) -> Callable[[np.random.Generator, int], Arrays]:
    """Logits so near each other that no probability is at an end where libraries clip it."""

    def draw(rng: np.random.Generator, rows: int) -> Arrays:
        logits = rng.standard_normal((rows, count), dtype="f4")
        return {"y_pred": logits, "y_true": rng.integers(0, count, rows)}

    return draw


def _masks(rng: np.random.Generator, rows: int) -> Arrays:
    probability = rng.random((rows, SIDE, SIDE), dtype="f4")
    drawn = rng.random((rows, SIDE, SIDE), dtype="f4")
    return {"y_pred": probability, "y_true": (drawn < probability).astype("u1")}


def _bins(rng: np.random.Generator, rows: int) -> Arrays:
    raw = {name: rng.random((rows, BINS)) + 0.01 for name in PAIR}
    return {name: array / array.sum(axis=1, keepdims=True) for name, array in raw.items()}


def _triplets(rng: np.random.Generator, rows: int) -> Arrays:
    anchor, noise, other = (rng.standard_normal((rows, SIZE), dtype="f4") for _ in range(3))
    return {"anchor": anchor, "positive": anchor + noise, "negative": other}


def _sequences(rng: np.random.Generator, rows: int) -> Arrays:
    import numpy as np

    raw = rng.standard_normal((rows, STEPS, CLASSES))
    raw -= np.log(np.exp(raw).sum(axis=2, keepdims=True))
    return {"y_pred": raw.astype("f4"), "y_true": rng.integers(1, CLASSES, (rows, LABELS))}


KINDS = {
    "pairs": Kind(PAIR, 1 << 20, _pairs),
    "pairs32": Kind(PAIR, 1 << 20, _pairs32),
    "groups": Kind((*PAIR, "segment"), 1 << 20, _groups),
    "segments": Kind((*PAIR, "segment"), 1 << 20, _segments),
    "binary": Kind(PAIR, 1 << 20, _binary),
    "classes10": Kind(PAIR, 1 << 17, _classes(10)),
    "classes1000": Kind(PAIR, 1 << 11, _classes(1000)),
    "masks": Kind(PAIR, 8, _masks),
    "bins": Kind(PAIR, 1 << 14, _bins),
    "triplets": Kind(("anchor", "positive", "negative"), 1 << 13, _triplets),
    "sequences": Kind(PAIR, 64, _sequences),
}


class Writer(Protocol):
    """Takes a data set piece by piece."""

    def write(self, arrays: Arrays) -> None: ...
    def close(self) -> None: ...


class Npy:
    """A file for each array; the header says how many rows there will be."""

    def __init__(self, files: list[str], rows: int) -> None:
        self._files = {Path(file).stem: open(file, "wb") for file in files}  # noqa: SIM115
        self._rows = rows
        self._begun = False

    def write(self, arrays: Arrays) -> None:
        from numpy.lib import format as npy

        for name, file in self._files.items():
            if not self._begun:
                head = npy.header_data_from_array_1_0(arrays[name])
                npy.write_array_header_1_0(file, head | {"shape": (self._rows, *head["shape"][1:])})
            file.write(arrays[name].tobytes())
        self._begun = True

    def close(self) -> None:
        for file in self._files.values():
            file.close()


class Table:
    """One file with a column for each array, as pyarrow writes it by default, Parquet with zstd."""

    def __init__(self, files: list[str], rows: int) -> None:
        self._file = files[0]
        self._packed: Any = None
        self._writer: Any = None

    def write(self, arrays: Arrays) -> None:
        import pyarrow as pa

        table = pa.table({name: _column(array) for name, array in arrays.items()})
        self._writer = self._writer or self._open(table.schema)
        # batches of Feather files and row groups are as long as write_feather and write_table make
        self._writer.write_table(table, FEATHER if self._file.endswith(".feather") else None)

    def _open(self, schema: Any) -> Any:
        import pyarrow as pa
        from pyarrow import csv, parquet

        if self._file.endswith(".parquet"):
            return parquet.ParquetWriter(self._file, schema, compression="zstd")
        if self._file.endswith(".feather"):
            return pa.ipc.new_file(self._file, schema, options=pa.ipc.IpcWriteOptions(
                compression="lz4"))  # fmt: skip
        if self._file.endswith(".gz"):
            self._packed = gzip.open(self._file, "wb", compresslevel=6)  # noqa: SIM115
        return csv.CSVWriter(self._packed or self._file, schema)

    def close(self) -> None:
        self._writer.close()
        if self._packed is not None:
            self._packed.close()


def _column(array: np.ndarray[Any, Any]) -> Any:
    """Rows of several numbers as lists of that length."""
    import pyarrow as pa

    if array.ndim == 1:
        return pa.array(array)
    return pa.FixedSizeListArray.from_arrays(pa.array(array.reshape(-1)), array.shape[1])


def make(dataset: Dataset, folder: Path) -> None:
    """Write a data set aside, and give it its name when it is whole."""
    import numpy as np

    aside = folder / f"making-{dataset}-{os.getpid()}"
    aside.mkdir(parents=True)
    kind = KINDS[dataset.kind]
    files = [str(aside / Path(file).name) for file in dataset.files(folder)]
    writer: Writer = (Npy if dataset.format == "npy" else Table)(files, dataset.rows)
    for start in range(0, dataset.rows, kind.piece):
        rng = np.random.default_rng([SEED, start])
        writer.write(kind.draw(rng, min(kind.piece, dataset.rows - start)))
    writer.close()
    try:
        aside.rename(folder / str(dataset))
    except OSError:  # another run made it meanwhile
        shutil.rmtree(aside)


def ensure(datasets: set[Dataset], folder: Path) -> None:
    """Make what is missing, in a process of its own, which may import what it likes."""
    missing = sorted(str(one) for one in datasets if not (folder / str(one)).exists())
    if missing:
        print(f"making {', '.join(missing)} in {folder} …", file=sys.stderr)
        module = [sys.executable, "-m", "tests.bench.data", str(folder), *missing]
        subprocess.run(module, cwd=ROOT, check=True)


def parse(name: str) -> Dataset:
    """The data set that a name such as pairs.csv.gz.5000 means."""
    kind, rest = name.split(".", 1)
    format, rows = rest.rsplit(".", 1)
    return Dataset(kind, format, int(rows))


if __name__ == "__main__":
    for wanted in sys.argv[2:]:
        make(parse(wanted), Path(sys.argv[1]))
