"""Runs the cells."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

from tests.bench.cells import (
    MSE,
    PEERS,
    TINY,
    Cell,
    Numbers,
    Start,
    evaluation,
    floor_script,
    lossctl,
    peer_script,
)
from tests.bench.data import Dataset
from tests.bench.measure import Command, Measured, alternating
from tests.bench.results import Program, Result

NAMES = tuple(peer.name for peer in PEERS)


def compare(
    cell: Cell, folder: Path, runs: int, peers: Sequence[str] = NAMES, starts: bool = True
) -> Result:
    """lossctl, those of the peers that are there, and the floor.

    Args:
        cell: What they do.
        folder: Where the data are.
        runs: How often each runs.
        peers: Those that are wanted.
        starts: Whether lossctl and the floor run on a few rows too, to tell what a start costs.
    """
    able = [peer for peer in PEERS if peer.does(cell) and peer.name in peers]
    here = [peer for peer in able if find_spec(peer.name)]
    commands = {
        "lossctl": _command(cell, evaluation(cell, folder), folder),
        **{peer.name: _command(cell, peer_script(peer, cell, folder), folder) for peer in here},
        "floor": _command(cell, floor_script(cell, folder), folder),
    }
    if starts:
        tiny = cell.tiny
        commands["lossctl start"] = _command(tiny, evaluation(tiny, folder), folder)
        commands["floor start"] = _command(tiny, floor_script(tiny, folder), folder)
    absent = {peer.name: "is not installed" for peer in able if peer not in here}
    programs = _measure(cell, folder, commands, runs, 2 * (runs - 1))
    return _result(cell, folder, programs, absent)


def scale(cell: Cell, folder: Path, runs: int) -> Result:
    """lossctl alone, and on a few rows."""
    tiny = cell.tiny
    commands = {
        "lossctl": _command(cell, evaluation(cell, folder), folder),
        "lossctl start": _command(tiny, evaluation(tiny, folder), folder),
    }
    # a million rows take a few milliseconds beyond the start, which are to be told to 10 %
    programs = _measure(cell, folder, commands, runs, 10 * (runs - 1))
    return _result(cell, folder, programs, {})


def start(one: Start, folder: Path, runs: int) -> Result:
    """A start-up, and as its floor the bare imports."""
    cell = Cell(MSE._replace(options=one.options), Dataset("pairs", one.format, TINY))
    line = evaluation(cell, folder) if one.format else [*lossctl(), *one.options]
    commands = {
        "lossctl": _command(cell, line, folder) if one.format else Command(line),
        "floor": Command([sys.executable, "-c", f"import {one.imports}"]),
    }
    programs = {name: _program(found, []) for name, found in alternating(commands, runs).items()}
    rows = TINY if one.format else 0
    return Result(one.name, one.imports, "start", one.format, rows, 0, programs, {})


def _command(cell: Cell, line: list[str], folder: Path) -> Command:
    files = tuple(cell.dataset.files(folder))
    return Command(line, files[0] if cell.piped else None, files)


def _measure(
    cell: Cell, folder: Path, commands: Mapping[str, Command], runs: int, more: int
) -> dict[str, Program]:
    """Run them, and hold the peers' values against lossctl's."""
    programs = {}
    for name, found in alternating(commands, runs, more).items():
        values: Numbers = []
        error = found.error
        if not error and not name.startswith("floor"):
            read = cell.task.numbers if name.startswith("lossctl") else json.loads
            values = read(found.runs[0].output)
        if name == "lossctl":
            wanted = values
            if len({run.output for run in found.runs}) > 1:
                error = error or "prints another number when it runs again"
        elif wanted and not error and name in NAMES and not agree(values, wanted, cell.tolerance):
            error = f"{values} where lossctl has {wanted}"
        programs[name] = _program(found, values, error)
    return programs


def agree(values: Numbers, wanted: Numbers, tolerance: float) -> bool:
    """Whether they are as many, and equal but for rounding."""
    return len(values) == len(wanted) and all(
        math.isclose(one, other, rel_tol=tolerance) for one, other in zip(values, wanted)
    )


def _program(found: Measured, values: Sequence[float], error: str = "") -> Program:
    times = [round(run.seconds, 5) for run in found.runs]
    return Program(round(found.seconds, 5), found.peak, times, list(values), error or found.error)


def _result(
    cell: Cell, folder: Path, programs: dict[str, Program], absent: dict[str, str]
) -> Result:
    task, dataset = cell.task.name, cell.dataset
    size = sum(Path(file).stat().st_size for file in dataset.files(folder))
    return Result(cell.name, task, dataset.kind, cell.format, dataset.rows, size, programs, absent)
