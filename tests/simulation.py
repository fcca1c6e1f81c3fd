"""How often intervals hold the true difference, and how often tests find one that is not there.

`python -m tests.simulation` prints what `lossctl/docs/comparing.md` says of it; it takes minutes.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

import lossctl
from lossctl.reduce.significance import TESTS

REPEATS = 400
INTERVALS: dict[str, dict[str, Any]] = {
    "t": {},
    "percentile": {"bootstrap": 1000, "interval": "percentile"},
    "bca": {"bootstrap": 1000},
}
TRUTH = {"normal": 0.0, "tails": 0.05 * 4**2 + 0.95 * 0.9**2 - 1}  # of the mean squared errors


def errors(rng: np.random.Generator, kind: str, n: int) -> tuple[Any, Any]:
    """The errors of two models; with tails, one in twenty of the second's is far out."""
    scale = np.where(rng.random(n) < 0.05, 4, 0.9) if kind == "tails" else 1.0
    return rng.standard_normal(n), scale * rng.standard_normal(n)


def coverage(kind: str, n: int) -> dict[str, float]:
    """The share of data sets whose 95 % interval holds the true difference."""
    rng, held = np.random.default_rng(0), Counter[str]()
    for seed in range(REPEATS):
        old, new = errors(rng, kind, n)
        for name, options in INTERVALS.items():
            found = lossctl.compare("mse", old, new, np.zeros(n), seed=seed, **options)
            interval = found.differences[0].interval
            held[name] += interval is not None and interval.low <= TRUTH[kind] <= interval.high
    return {name: held[name] / REPEATS for name in INTERVALS}


def false_alarms(n: int) -> dict[str, float]:
    """The share of data sets in which a test at 0.05 tells models apart that are alike."""
    rng, found = np.random.default_rng(0), Counter[str]()
    for seed in range(REPEATS):
        old, new = errors(rng, "normal", n)
        for test in TESTS:
            one = lossctl.compare(
                "mse", old, new, np.zeros(n), test=test, seed=seed, permutations=999
            )
            found[test] += one.differences[0].p <= 0.05
    return {test: found[test] / REPEATS for test in TESTS}


if __name__ == "__main__":
    for n in (20, 50, 200):
        print(f"n = {n}: false alarms {false_alarms(n)}")
        for kind in TRUTH:
            print(f"  {kind}: coverage {coverage(kind, n)}")
