"""Each loss on arrays in memory and one thread, so that one that got slower shows.

`make bench-kernels` runs this with pytest-benchmark, keeps the times in .benchmarks/, and compares
them with those of the run before. By its name it is no part of the ordinary tests.
"""

from __future__ import annotations

from typing import Any

import pytest

import lossctl
from lossctl import losses
from tests.reference.cases import Case, all_cases
from tests.reference.inputs import build

ROWS, FEW = 50_000, 1000
HEAVY = ("unet_weighted_ce", "hausdorff_dt", "boundary")  # distances of every pixel


def cases() -> dict[str, Case]:
    """The first of the reference's cases for each loss."""
    found: dict[str, Case] = {}
    for case in all_cases():
        found.setdefault(case.loss, case)
    return {loss.name: found[loss.name] for loss in losses.all()}


def rows_of(case: Case) -> int:
    """Few where rows meet each other, or where one is much work."""
    loss = losses.get(case.loss)
    return FEW if loss.whole or loss.whole_when or case.loss in HEAVY else ROWS


@pytest.mark.parametrize("case", [pytest.param(one, id=name) for name, one in cases().items()])
def test_loss(benchmark: Any, case: Case) -> None:
    inputs = build({**case.inputs, "rows": rows_of(case)})
    benchmark(lossctl.evaluate, case.spec, **inputs, confidence=None, threads=1)
