"""Do the intervals cover, and do the tests raise false alarms as often as they say?

    python -m tests.simulate            prints the tables
    python -m tests.simulate --write    writes them into lossctl/docs/intervals.md

Every cell is the share of many simulated data sets. Data sets are groups of one evaluation, so
that what is simulated is what users run.
"""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import scipy.stats

import lossctl
from lossctl.reduce import student

PAGE = Path(__file__).parent.parent / "lossctl" / "docs" / "intervals.md"
TABLES = re.compile(r"(<!-- simulated -->\n)(.*?)(<!-- /simulated -->)", re.DOTALL)
SIZES = (30, 300, 10_000)
SEED = 20_240_501
ALPHA = 0.05
WITHIN = 10  # rows of a cluster

Floats = npt.NDArray[np.float64]
Draw = Callable[[np.random.Generator, tuple[int, int]], Floats]


class Kind(NamedTuple):
    """A distribution of losses with its mean, and of differences with mean 0 and spread 1."""

    losses: Draw
    mean: float
    differences: Draw


def _zero_inflated(rng: np.random.Generator, shape: tuple[int, int]) -> Floats:
    return rng.exponential(size=shape) * (rng.random(shape) < 0.2)


def _clustered(rng: np.random.Generator, shape: tuple[int, int]) -> Floats:
    """Half the variance is between clusters of consecutive rows."""
    runs, n = shape
    shared = np.repeat(rng.standard_normal((runs, n // WITHIN)), WITHIN, axis=1)
    return np.asarray((shared + rng.standard_normal(shape)) / math.sqrt(2))


KINDS: dict[str, Kind] = {
    "normal": Kind(lambda r, s: 9 + r.standard_normal(s), 9, lambda r, s: r.standard_normal(s)),
    "heavy-tailed": Kind(
        lambda r, s: 1e3 + r.standard_t(3, s), 1e3,
        lambda r, s: r.standard_t(3, s) / math.sqrt(3),
    ),
    "skewed": Kind(lambda r, s: r.exponential(size=s), 1, lambda r, s: r.exponential(size=s) - 1),
    "zero-inflated": Kind(
        _zero_inflated, 0.2, lambda r, s: (_zero_inflated(r, s) - 0.2) / math.sqrt(0.36)
    ),
    "clustered": Kind(lambda r, s: 9 + _clustered(r, s), 9, _clustered),
}  # fmt: skip


def runs_of(n: int, quick: bool) -> int:
    """How many data sets are drawn."""
    few = {30: 400, 300: 400, 10_000: 60}
    return few[n] if quick else {30: 4000, 300: 2000, 10_000: 1000}[n]


def evaluated(losses: Floats, **options: Any) -> list[Any]:
    """The groups' figures of `mae`, one group a data set (the losses are above 0)."""
    runs, n = losses.shape
    data = {"prediction": losses.reshape(-1), "target": np.zeros(runs * n)}
    by = {"run": np.repeat(np.arange(runs), n)}
    report = lossctl.evaluate(options.pop("loss", "mae"), **data, by=by, **options)
    return [group.summary for group in report.losses[0].groups or ()]


def coverage(kind: Kind, n: int, quick: bool, method: str, clusters: bool) -> float:
    """The share of data sets whose interval holds the true mean."""
    rng = np.random.default_rng([SEED, n])
    runs, step, hits = runs_of(n, quick), 250, 0
    for start in range(0, runs, step):
        losses = kind.losses(rng, (min(step, runs - start), n))
        options: dict[str, Any] = {}
        if clusters:
            options["cluster"] = np.tile(np.arange(n) // WITHIN, len(losses))
        if method != "t":
            options |= {"bootstrap": 999, "interval": method, "seed": start}
        for summary in evaluated(losses, **options):
            interval = summary.interval
            hits += interval is not None and interval.low <= kind.mean <= interval.high
    return hits / runs


def rmse_coverage(n: int, quick: bool) -> float:
    """The delta method's: errors are standard normal, and the true RMSE is 1."""
    rng = np.random.default_rng([SEED, n, 1])
    runs = runs_of(n, quick)
    found = evaluated(rng.standard_normal((runs, n)), loss="rmse")
    return sum(one.interval.low <= 1 <= one.interval.high for one in found) / runs


class Detection(NamedTuple):
    """How often a gate at alpha fails: where nothing is worse, and where something is."""

    false_alarms: float
    found: float
    best: float  # the share that the best of the textbook tests finds


def detection(kind: Kind, n: int, quick: bool, clusters: bool) -> Detection:
    """A gate that fails where the candidate is worse at one-sided level alpha."""
    rng = np.random.default_rng([SEED, n, 2])
    runs, step = 400 if quick else 4000, 250
    units = n // WITHIN if clusters else n
    # worse by what a t test of so many normal units finds in 80 of 100 cases
    spread = math.sqrt((0.5 * WITHIN + 0.5) / WITHIN) if clusters else 1.0
    shift = spread * (student.quantile(0.95, units - 1) + 0.84) / math.sqrt(units)
    alarms = found = 0
    textbook = {"t": 0, "wilcoxon": 0}
    for start in range(0, runs, step):
        apart = kind.differences(rng, (min(step, runs - start), n))
        alarms += sum(_worse(apart, clusters))
        found += sum(_worse(apart + shift, clusters))
        for row in apart + shift:
            row = row.reshape(-1, WITHIN).mean(axis=1) if clusters else row
            p = scipy.stats.ttest_1samp(row, 0, alternative="greater").pvalue
            textbook["t"] += p < ALPHA
            textbook["wilcoxon"] += scipy.stats.wilcoxon(row, alternative="greater").pvalue < ALPHA
    return Detection(alarms / runs, found / runs, max(textbook.values()) / runs)


def _worse(apart: Floats, clusters: bool) -> list[bool]:
    """Whether the gate fails on each data set of differences."""
    runs, n = apart.shape
    options: dict[str, Any] = {"by": {"run": np.repeat(np.arange(runs), n)}}
    if clusters:
        options["cluster"] = np.tile(np.arange(n) // WITHIN, runs)
    far = 1e3  # both losses are above 0, and so |·| is the identity
    base = np.full(runs * n, far)
    compared = lossctl.compare(
        "mae", base, base + apart.reshape(-1), np.zeros(runs * n), correction="none", **options
    )
    return [
        student.cdf(-one.difference / one.error, one.freedom) < ALPHA
        if one.error
        else one.difference > 0  # every sample differs by the same
        for one in compared.differences[0].groups
    ]


def tables(quick: bool = False) -> str:
    """Both tables, as Markdown."""
    head = "| losses | n | t | BCa | percentile |"
    lines = ["**Share of 95 % intervals of a mean that hold the true one**", "", head,
             "| --- | ---: | ---: | ---: | ---: |"]  # fmt: skip
    for name, kind in KINDS.items():
        for n in SIZES:
            clusters = name == "clustered"
            methods = ("t", "bca", "percentile") if n < 10_000 or clusters else ("t",)
            shares = [f"{coverage(kind, n, quick, m, clusters):.1%}" for m in methods]
            shares += ["–"] * (3 - len(shares))
            lines.append(f"| {name} | {n:,} | {' | '.join(shares)} |")
    for n in SIZES:
        share = rmse_coverage(n, quick)
        lines.append(f"| normal errors, rmse by the delta method | {n:,} | {share:.1%} | – | – |")
    lines += ["", "**Gates that fail where the candidate is worse at the 5 % level**", "",
              "| differences | n | false alarms | found | best textbook test |",
              "| --- | ---: | ---: | ---: | ---: |"]  # fmt: skip
    for name, kind in KINDS.items():
        for n in SIZES:
            one = detection(kind, n, quick, name == "clustered")
            lines.append(
                f"| {name} | {n:,} | {one.false_alarms:.1%} | {one.found:.1%} | {one.best:.1%} |"
            )
    return "\n".join(lines) + "\n"


def main() -> None:
    """Print the tables, or write them into the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--quick", action="store_true", help="fewer data sets")
    chosen = parser.parse_args()
    text = tables(chosen.quick)
    if chosen.write:
        page = PAGE.read_text("utf-8")
        PAGE.write_text(TABLES.sub(lambda m: f"{m[1]}{text}{m[3]}", page), "utf-8")
    print(text)


if __name__ == "__main__":
    main()
