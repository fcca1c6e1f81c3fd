"""What is measured: tasks on data sets, and who can do them."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from tests.bench.data import Dataset

HERE = Path(__file__).parent
OUT = "{out}"  # in a command: a file that is thrown away
TINY, TINY_WIDE = 100, 1  # rows that cost nothing but the start
WIDE = ("masks", "sequences")
MILLION = 1_000_000

Numbers = list[float]


class Task(NamedTuple):
    """Something to compute: lossctl's losses and options, and how to read what it prints."""

    name: str
    losses: tuple[str, ...]
    options: tuple[str, ...]
    numbers: Callable[[str], Numbers]


class Peer(NamedTuple):
    """Another way to the number: the script peers/with_NAME.py has a function for each task."""

    name: str  # of the module that must be there
    formats: tuple[str, ...]
    tasks: tuple[str, ...]

    def does(self, cell: Cell) -> bool:
        return cell.format in self.formats and cell.task.name in self.tasks


class Cell(NamedTuple):
    """A task on a data set, which comes from files or through a pipe."""

    task: Task
    dataset: Dataset
    piped: bool = False

    @property
    def format(self) -> str:
        return "stdin" if self.piped else self.dataset.format

    @property
    def name(self) -> str:
        about = ABOUT.get(self.dataset.kind, "")
        return " ".join(filter(None, (self.task.name, about, self.format)))

    @property
    def tolerance(self) -> float:
        """How far the values may be from each other."""
        if self.task is STATISTICS:
            return 2e-3  # beyond a million samples lossctl's quantiles are within 0.1 %
        return 1e-9 if self.dataset.kind in DOUBLE else 1e-5

    @property
    def tiny(self) -> Cell:
        """The same on so few rows that it costs nothing but the start."""
        return self.resized(TINY_WIDE if self.dataset.kind in WIDE else TINY)

    def resized(self, rows: int) -> Cell:
        return self._replace(dataset=self.dataset._replace(rows=rows))

    def inputs(self, folder: Path) -> list[str]:
        return ["-"] if self.piped else self.dataset.files(folder)


def _lines(text: str) -> Numbers:
    return [float(line) for line in text.split()]


def _by_group(text: str) -> Numbers:
    # there are ten at most, whose names sort as they are numbered
    return [float(line.split("\t")[1]) for line in sorted(text.splitlines())]


def _figures(text: str) -> Numbers:
    loss = json.loads(text)["losses"][0]
    return [loss[name] for name in ("mean", "std", "min", "max")] + list(loss["quantiles"].values())


ABOUT = {
    "pairs32": "float32", "segments": "of text", "classes10": "of 10", "classes1000": "of 1,000"
}  # fmt: skip
DOUBLE = ("pairs", "groups", "segments", "binary", "bins")  # what computes in float64
FIVE_LOSSES = ("mse", "mae", "huber", "log_cosh", "pinball:alpha=0.9")

MSE = Task("mse", ("mse",), ("-q",), _lines)
FIVE = Task("five", FIVE_LOSSES, ("-q",), _lines)
BCE = Task("bce", ("bce",), ("-q",), _lines)
CROSS_ENTROPY = Task("cross_entropy", ("cross_entropy@torch",), ("-q",), _lines)
DICE = Task("dice", ("dice",), ("-q",), _lines)
KL = Task("kl", ("kl_divergence",), ("-q",), _lines)
TRIPLET = Task("triplet", ("triplet@torch",), ("-q",), _lines)
CTC = Task("ctc", ("ctc",), ("-q",), _lines)
PER_SAMPLE = Task("per_sample", ("mse",), ("-q", "-o", OUT), _lines)
GROUPS = Task("groups", ("mse",), ("-q",), _by_group)
STATISTICS = Task("statistics", ("mse",), ("--json",), _figures)

TEXT = ("csv", "csv.gz", "stdin")
COLUMNS = ("mse", "five", "bce", "per_sample", "groups", "statistics")
VECTORS = ("cross_entropy", "dice", "kl", "triplet")
ANY = ("npy", "parquet", "feather", *TEXT)
PEERS = (
    Peer("numpy", ANY, COLUMNS + VECTORS),
    Peer("sklearn", ANY, ("mse", "bce", "cross_entropy")),
    Peer("torch", ("npy",), ("mse", "five", "bce", "groups", *VECTORS, "ctc")),
    Peer("polars", ("parquet", "feather", *TEXT), COLUMNS),
    Peer("duckdb", ("parquet", *TEXT), COLUMNS),
    Peer("pandas", ("parquet", "feather", *TEXT), COLUMNS),
)


def _cells() -> Iterator[Cell]:
    def on(task: Task, kind: str, rows: int, *formats: str) -> Iterator[Cell]:
        return (Cell(task, Dataset(kind, format, rows)) for format in formats)

    rows = 20 * MILLION
    yield from on(MSE, "pairs", rows, "npy")
    yield from on(MSE, "pairs32", rows, "npy")
    yield from on(MSE, "pairs", rows, "parquet", "feather")
    yield from on(MSE, "pairs", rows // 4, "csv", "csv.gz")
    yield Cell(MSE, Dataset("pairs", "csv", rows // 4), piped=True)
    for task, kind in (
        (FIVE, "pairs"), (BCE, "binary"), (GROUPS, "groups"), (GROUPS, "segments"),
        (STATISTICS, "pairs"), (PER_SAMPLE, "pairs"),
    ):  # fmt: skip
        formats = ("parquet", "feather") if kind == "segments" else ("npy", "parquet", "feather")
        yield from on(task, kind, rows, *formats)
        yield from on(task, kind, rows // 4, "csv")
    yield from on(CROSS_ENTROPY, "classes10", 2 * MILLION, "npy", "parquet")
    yield from on(CROSS_ENTROPY, "classes1000", 200_000, "npy", "parquet")
    yield from on(DICE, "masks", 400, "npy")
    yield from on(KL, "bins", 500_000, "npy", "parquet")
    yield from on(TRIPLET, "triplets", 300_000, "npy", "parquet")
    yield from on(CTC, "sequences", 256, "npy")


CELLS = tuple(_cells())

SCALING = tuple(
    Cell(MSE, Dataset("pairs", format, rows))
    for format, most in (("npy", 100), ("parquet", 100), ("csv", 10))
    for rows in (MILLION, 10 * MILLION, 100 * MILLION)
    if rows <= most * MILLION
)


class Start(NamedTuple):
    """A start-up beside the bare imports that it cannot do without."""

    name: str
    options: tuple[str, ...]
    format: str  # of the few rows it evaluates; empty: none
    imports: str
    limit: float  # how many times their time it may take


JSON, SCREEN = ("--json",), "rich.table, rich.console"
STARTS = (
    Start("--help", ("--help",), "", "click", 1.3),
    Start("eval --json of NPY", JSON, "npy", "numpy, click", 1.25),
    Start("eval --json of CSV", JSON, "csv", "pyarrow.csv, click", 1.25),
    Start("eval of NPY", (), "npy", f"numpy, click, {SCREEN}", 1.25),
    Start("eval of CSV", (), "csv", f"pyarrow.csv, click, {SCREEN}", 1.25),
)


def lossctl() -> list[str]:
    """The command as it is installed beside this Python, or else the module."""
    script = Path(sys.executable).parent / "lossctl"
    return [str(script)] if script.exists() else [sys.executable, "-m", "lossctl"]


def evaluation(cell: Cell, folder: Path) -> list[str]:
    """lossctl's command line."""
    files = cell.inputs(folder)
    if cell.piped:
        files += ["--input-format", "csv"]
    elif cell.dataset.kind == "triplets" and len(files) > 1:
        files = [part for file in files for part in ("--input", f"{Path(file).stem}={file}")]
    elif cell.task is GROUPS:
        files = [*files[:2], "--by", files[2] if len(files) > 2 else "segment"]
    losses = [part for loss in cell.task.losses for part in ("-l", loss)]
    return [*lossctl(), "eval", *files, *losses, *cell.task.options]


def peer_script(peer: Peer, cell: Cell, folder: Path) -> list[str]:
    """The peer's command line."""
    script = str(HERE / "peers" / f"with_{peer.name}.py")
    out = [OUT] if OUT in cell.task.options else []
    return [sys.executable, script, cell.task.name, *cell.inputs(folder), *out]


def floor_script(cell: Cell, folder: Path) -> list[str]:
    """Only reading, or decoding."""
    return [sys.executable, str(HERE / "floor.py"), *cell.inputs(folder)]
