"""What was measured, as it is kept in results.json."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from tests.bench.cells import PEERS

FILE = Path(__file__).with_name("results.json")


class Program(NamedTuple):
    """The runs of one program."""

    seconds: float  # the median
    peak: int  # bytes; the median
    all: list[float]  # seconds of each run
    values: list[float]
    error: str = ""


class Result(NamedTuple):
    """A cell: lossctl, its peers and the floor; `start` is the same on a few rows."""

    name: str
    task: str
    kind: str
    format: str
    rows: int
    bytes: int
    programs: dict[str, Program]
    absent: dict[str, str]  # peers that could do it, and why they did not

    def seconds(self, program: str) -> float:
        """NaN where it has no right result."""
        found = self.programs.get(program)
        return found.seconds if found and not found.error else math.nan

    def peak(self, program: str) -> float:
        found = self.programs.get(program)
        return found.peak if found and not found.error else math.nan

    @property
    def peers(self) -> list[str]:
        """Those with a right result."""
        return [peer.name for peer in PEERS if not math.isnan(self.seconds(peer.name))]

    @property
    def to_best(self) -> float:
        """lossctl's time as a multiple of the best peer's; NaN where nobody else can do it."""
        times = [self.seconds(peer) for peer in self.peers]
        return self.seconds("lossctl") / min(times) if times else math.nan

    @property
    def to_floor(self) -> float:
        """Whole processes."""
        return self.seconds("lossctl") / self.seconds("floor")

    @property
    def to_floor_beyond_start(self) -> float:
        """What is left of both when their start is taken off."""
        floor = self.seconds("floor") - self.seconds("floor start")
        return self.beyond_start / floor if floor > 0 else math.nan

    @property
    def beyond_start(self) -> float:
        return self.seconds("lossctl") - self.seconds("lossctl start")

    @property
    def memory(self) -> float:
        """lossctl's peak as a multiple of the leanest peer's."""
        peaks = [self.peak(peer) for peer in self.peers]
        return self.peak("lossctl") / min(peaks) if peaks else math.nan


class Results(NamedTuple):
    """A whole run."""

    machine: dict[str, Any]
    cells: list[Result]
    scaling: list[Result]
    starts: list[Result]

    @property
    def errors(self) -> Iterator[str]:
        for result in (*self.cells, *self.scaling, *self.starts):
            for name, program in result.programs.items():
                if program.error:
                    yield f"{result.name}: {name}: {program.error}"


def save(results: Results, file: Path = FILE) -> None:
    """Write them, a cell a line, so that a change is read easily."""
    parts = [f'"machine": {json.dumps(results.machine, indent=1)}']
    for name in ("cells", "scaling", "starts"):
        lines = [json.dumps(_plain(result)) for result in getattr(results, name)]
        parts.append(f'"{name}": [\n' + ",\n".join(lines) + "\n]")
    file.write_text("{\n" + ",\n".join(parts) + "\n}\n", "utf-8")


def load(file: Path = FILE) -> Results:
    """Read what `save` wrote."""
    found = json.loads(file.read_text("utf-8"))
    several = [[_result(one) for one in found[name]] for name in ("cells", "scaling", "starts")]
    return Results(found["machine"], *several)


def _plain(result: Result) -> dict[str, Any]:
    programs = {name: program._asdict() for name, program in result.programs.items()}
    return result._asdict() | {"programs": programs}


def _result(found: Mapping[str, Any]) -> Result:
    programs = {name: Program(**one) for name, one in found["programs"].items()}
    return Result(**dict(found) | {"programs": programs})
