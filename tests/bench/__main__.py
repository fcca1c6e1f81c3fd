"""The command line of the benchmark."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

from tests import bench
from tests.bench import machine, results, table
from tests.bench.cells import CELLS, SCALING, STARTS, TINY, Cell
from tests.bench.data import ROOT, Dataset, ensure
from tests.bench.results import Result, Results
from tests.bench.run import NAMES, compare, scale, start

QUICK = 2000  # rows at most
START_RUNS = 21  # a start-up is short, and the noise is not
CORES = 2

One = TypeVar("One")


def arguments(given: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests.bench", description=bench.__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--only", default="", metavar="REGEX", help="cells whose name has this")
    parser.add_argument(
        "--runs", type=int, default=5, metavar="N", help="of each program [default: %(default)s]"
    )
    parser.add_argument(
        "--data", type=Path, default=ROOT / ".bench", metavar="DIR",
        help="where the data are, or are made [default: .bench]",
    )  # fmt: skip
    parser.add_argument(
        "--peers", default=",".join(NAMES), metavar="NAMES", help="[default: %(default)s]"
    )
    parser.add_argument("--quick", action="store_true", help="little data, one run")
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep the results here")
    parser.add_argument("--write", action="store_true", help="keep them, and show them in the docs")
    chosen = parser.parse_args(given)
    chosen.peers = chosen.peers.split(",")
    if chosen.write and (chosen.only or chosen.quick or len(chosen.peers) < len(NAMES)):
        parser.error("--write wants all cells in full")
    names = [one.name for one in CELLS]
    names += [f"scaling {one.name}" for one in SCALING] + [f"start {one.name}" for one in STARTS]
    if not any(re.search(chosen.only, name, re.IGNORECASE) for name in names):
        parser.error(f"--only {chosen.only}: there are {', '.join(dict.fromkeys(names))}")
    return chosen


def quick(cells: Iterable[Cell]) -> list[Cell]:
    """The same cells on little data, each once."""
    small = {"masks": 4, "sequences": 4}
    return list(dict.fromkeys(c.resized(small.get(c.dataset.kind, QUICK)) for c in cells))


def measure(chosen: argparse.Namespace) -> Results:
    """Make the data, and run what is chosen."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])
    wanted = re.compile(chosen.only, re.IGNORECASE)
    cells: list[Cell] = [one for one in CELLS if wanted.search(one.name)]
    scaling = [one for one in SCALING if wanted.search(f"scaling {one.name}")]
    starts = [one for one in STARTS if wanted.search(f"start {one.name}")]
    runs, start_runs = chosen.runs, max(chosen.runs, START_RUNS)
    if chosen.quick:
        cells, scaling, runs, start_runs = quick(cells), quick(scaling), 1, 1
    several = [*cells, *scaling]
    needed = {one.dataset for one in several} | {one.tiny.dataset for one in several}
    needed |= {Dataset("pairs", one.format, TINY) for one in starts if one.format}
    ensure(needed, chosen.data)
    folder, peers, starting = chosen.data, chosen.peers, not chosen.quick
    return Results(
        machine.describe(),
        _each("", cells, lambda one: compare(one, folder, runs, peers, starting)),
        _each("scaling", scaling, lambda one: scale(one, folder, runs)),
        _each("start", starts, lambda one: start(one, folder, start_runs)),
    )


def _each(about: str, items: Sequence[One], work: Callable[[One], Result]) -> list[Result]:
    """Work through them, and say what was measured, for it takes its time."""
    found = []
    for item in items:
        one = work(item)
        seconds = one.programs["lossctl"].seconds
        print(f"{about} {one.name}, {one.rows:,} rows: {seconds:.3f} s".lstrip(), file=sys.stderr)
        found.append(one)
    return found


def main(given: Sequence[str] | None = None) -> int:
    """Measure, print, and keep if asked; 1 if a value differs or a program fails."""
    chosen = arguments(given)
    found = measure(chosen)
    if chosen.json:
        results.save(found, chosen.json)
    if chosen.write:
        results.save(found)
    print(table.text(found))
    if chosen.write:
        table.PAGE.write_text(table.page(), "utf-8")
    errors = list(found.errors)
    for error in errors:
        print(error, file=sys.stderr)
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
