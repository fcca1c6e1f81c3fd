"""Whole processes, from their start to their end: seconds, peak memory, and what they printed."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import IO, NamedTuple

from tests.bench.cells import OUT

SLOW = 60.0  # seconds after which a program has no further run
SHORT = 1.0


class Command(NamedTuple):
    """A program to run."""

    line: list[str]
    pipe: str | None = None  # a file that is sent to its standard input through a pipe
    files: tuple[str, ...] = ()  # brought into the page cache before each run


class Run(NamedTuple):
    """What became of it."""

    seconds: float
    peak: int  # bytes resident at most, of it or one of its children
    output: str
    error: str  # the last line, if it failed


class Measured(NamedTuple):
    """All runs of one program."""

    runs: tuple[Run, ...]

    @property
    def seconds(self) -> float:
        return median(run.seconds for run in self.runs)

    @property
    def peak(self) -> int:
        return int(median(run.peak for run in self.runs))

    @property
    def error(self) -> str:
        return next((run.error for run in self.runs if run.error), "")


def once(command: Command) -> Run:
    """Run a program to its end."""
    warm(command.files)
    with tempfile.TemporaryDirectory() as folder:
        line = [part.replace(OUT, f"{folder}/out.parquet") for part in command.line]
        printed, complaint = Path(folder, "out"), Path(folder, "err")
        with open(printed, "wb") as out, open(complaint, "wb") as err:
            start = time.perf_counter()
            with standard_input(command.pipe) as source:
                child = subprocess.Popen(line, stdin=source, stdout=out, stderr=err)
                _, status, usage = os.wait4(child.pid, 0)
                seconds = time.perf_counter() - start
        child.returncode = os.waitstatus_to_exitcode(status)  # or its destructor would wait for it
        error = ""
        if child.returncode:
            said = complaint.read_text("utf-8").split("\n")
            error = next((one for one in reversed(said) if one.strip()), f"exit {child.returncode}")
        return Run(seconds, usage.ru_maxrss * 1024, printed.read_text("utf-8"), error)


@contextmanager
def standard_input(file: str | None) -> Iterator[IO[bytes] | int | None]:
    """The end of a pipe through which a file comes, or nothing."""
    if file is None:
        yield subprocess.DEVNULL
        return
    with subprocess.Popen(["cat", file], stdout=subprocess.PIPE) as sender:
        yield sender.stdout


def alternating(commands: Mapping[str, Command], runs: int, more: int = 0) -> dict[str, Measured]:
    """Each program once, then each again, so that a slow moment of the machine meets them all.

    Args:
        commands: The programs by name.
        runs: How often each runs, unless it fails or is too slow.
        more: How often short ones run besides: of two nearly equal times the difference counts.
    """
    found: dict[str, list[Run]] = {name: [] for name in commands}
    for turn in range(runs + more):
        names = list(commands)
        for name in names if turn % 2 == 0 else reversed(names):
            done = found[name]
            longest = max((run.seconds for run in done), default=0.0)
            limit = SLOW if turn < runs else SHORT
            if longest <= limit and not any(run.error for run in done):
                done.append(once(commands[name]))
    return {name: Measured(tuple(done)) for name, done in found.items()}


def warm(files: Sequence[str]) -> None:
    """Bring files into the page cache."""
    for file in files:
        with open(file, "rb", buffering=0) as source:
            while source.read(1 << 20):
                pass
