"""What lossctl is to reach, and whether it does: ratios, each the worst of its cells."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import pairwise
from typing import NamedTuple

from tests.bench.cells import STARTS
from tests.bench.results import Result, Results

BIG = 300e6  # bytes of data from which memory is judged


class Target(NamedTuple):
    """A limit, and the ratios that were measured by cell; NaN where something failed."""

    text: str
    limit: float
    ratios: Mapping[str, float]

    @property
    def missed(self) -> list[str]:
        return [name for name, ratio in self.ratios.items() if not ratio <= self.limit]

    @property
    def worst(self) -> str:
        """The cell that is farthest off."""
        return max(self.ratios, key=lambda name: _order(self.ratios[name]))


def _order(ratio: float) -> float:
    return math.inf if math.isnan(ratio) else ratio


def targets(found: Results) -> list[Target]:
    """All that something was measured for."""
    several = (*_speed(found.cells), *_frugal(found), *_scaling(found.scaling), *_starts(found))
    return [one for one in several if one.ratios]


def _speed(cells: list[Result]) -> Iterator[Target]:
    by_name = {result.name: result for result in cells}

    def against(peer: str, among: Callable[[Result], bool] = lambda _: True) -> dict[str, float]:
        chosen = [one for one in cells if peer in one.peers and among(one)]
        return {one.name: one.seconds("lossctl") / one.seconds(peer) for one in chosen}

    raced = {one.name: one.to_best for one in cells if one.peers}
    yield Target("every cell: time ÷ the best peer's", 1.0, raced)
    likely = against("torch", lambda one: one.task in ("bce", "cross_entropy"))
    yield Target("cross entropy and bce: time ÷ torch's", 0.35, likely)
    yield Target("time ÷ scikit-learn's", 0.2, against("sklearn"))
    five = {
        name: result.seconds("lossctl") / by_name[one].seconds("lossctl")
        for name, result in by_name.items()
        if result.task == "five" and (one := name.replace("five", "mse")) in by_name
    }
    yield Target("five losses: time ÷ one loss's", 1.5, five)
    single = [one for one in cells if one.task == "mse"]
    mapped = {one.name: one.to_floor_beyond_start for one in single if one.format == "npy"}
    yield Target("mse of NPY, beyond start-up: time ÷ a bare read's", 1.6, mapped)
    decoded = {one.name: one.to_floor for one in single if one.format in ("parquet", "csv")}
    yield Target("mse of Parquet and CSV: time ÷ decoding's alone", 1.15, decoded)


def _frugal(found: Results) -> Iterator[Target]:
    big = [one for one in found.cells if one.bytes >= BIG and one.peers]
    text = "300 MB and more: peak memory ÷ the leanest peer's"
    yield Target(text, 0.6, {one.name: one.memory for one in big})


def _scaling(scaling: list[Result]) -> Iterator[Target]:
    by_format: dict[str, list[Result]] = {}
    for one in sorted(scaling, key=lambda one: one.rows):
        by_format.setdefault(one.format, []).append(one)
    several = {name: found for name, found in by_format.items() if len(found) > 1}
    grown = {name: max(_growths(found)) for name, found in several.items()}
    yield Target("peak memory of 10 times the rows ÷ that of the rows", 1.1, grown)
    uneven = {name: _spread(one.beyond_start / one.rows for one in found)
              for name, found in several.items()}  # fmt: skip
    yield Target("time by row beyond start-up: the largest ÷ the least", 1.1, uneven)


def _growths(found: list[Result]) -> Iterator[float]:
    return (after.peak("lossctl") / before.peak("lossctl") for before, after in pairwise(found))


def _spread(rates: Iterable[float]) -> float:
    found = list(rates)
    return max(found) / min(found) if min(found) > 0 else math.nan


def _starts(found: Results) -> Iterator[Target]:
    limits = {one.name: one.limit for one in STARTS}
    for one in found.starts:
        text = f"start of `{one.name}`: time ÷ `import {one.task}`'s"
        yield Target(text, limits[one.name], {one.name: one.to_floor})
