"""Survival: refusals, limits and laws."""

from __future__ import annotations

import math
from itertools import permutations
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lossctl

RNG = np.random.default_rng(17)
N = 200
RISK = RNG.standard_normal(N)
TIME = RNG.integers(0, 30, N).astype(float)
EVENT = RNG.integers(0, 2, N)


def cox(
    risk: Any = RISK, time: Any = TIME, event: Any = EVENT, ties: str = "breslow", **more: Any
) -> Any:
    spec = f"cox_ph:ties={ties}"
    return lossctl.evaluate(spec, prediction=risk, time=time, event=event, **more).losses[0]


def each(*arrays: Any, ties: str = "breslow") -> Any:
    found = cox(*arrays, ties=ties, per_sample=True).per_sample
    assert found is not None
    return found


def test_events_are_zero_or_one() -> None:
    with pytest.raises(lossctl.DataError, match="event has 2, neither 0 nor 1"):
        cox([0.0, 1.0], [1.0, 2.0], [1, 2])
    assert cox([0.0, 1.0], [1.0, 2.0], [True, False]).value == pytest.approx(math.log1p(math.e))


def test_there_is_no_such_way_with_ties() -> None:
    with pytest.raises(lossctl.SpecError, match="ties must be one of breslow, efron"):
        cox(ties="exact")


@pytest.mark.parametrize("ties", ["breslow", "efron"])
def test_equal_risks_count_those_at_risk(ties: str) -> None:
    found = each(np.full(5, 7.5), [1.0, 2.0, 3.0, 4.0, 5.0], [1, 1, 0, 1, 1], ties=ties)
    wanted = [math.log(5), math.log(4), math.nan, math.log(2), 0]
    assert found == pytest.approx(wanted, rel=1e-13, abs=1e-15, nan_ok=True)


def test_breslow_is_the_plain_sum() -> None:
    wanted = [
        math.log(np.exp(RISK[t <= TIME]).sum()) - r if e else math.nan
        for r, t, e in zip(RISK, TIME, EVENT)
    ]
    assert each() == pytest.approx(wanted, rel=1e-12, nan_ok=True)


def test_efron_of_two_is_their_mean_turn() -> None:
    risk, time, event = [0.3, -0.4, 1.1, 2.0], [3.0, 3.0, 3.0, 5.0], [1, 1, 0, 0]
    hazard = np.exp(risk)
    total = hazard.sum()
    wanted = math.log(total) + math.log(total - hazard[:2].sum() / 2) - sum(risk[:2])
    found = cox(risk, time, event, ties="efron", reduction="sum").value
    assert found == pytest.approx(wanted, rel=1e-13)
    orders = [
        sum(math.log(total - sum(hazard[list(order[:k])])) for k in range(2))
        for order in permutations(range(2))
    ]
    assert found + sum(risk[:2]) == pytest.approx(np.mean(orders), rel=1e-2)  # what it estimates


def test_the_ways_agree_without_ties() -> None:
    time = RNG.permutation(N).astype(float)
    assert np.array_equal(each(RISK, time), each(RISK, time, ties="efron"), equal_nan=True)
    # those censored at the time of an event are no tie
    time[EVENT == 0] = np.round(time[EVENT == 0])
    assert np.array_equal(each(RISK, time), each(RISK, time, ties="efron"), equal_nan=True)


@pytest.mark.parametrize("ties", ["breslow", "efron"])
def test_the_sum_is_the_log_likelihood_and_the_mean_is_per_event(ties: str) -> None:
    total, mean = cox(ties=ties, reduction="sum"), cox(ties=ties)
    assert total.value == pytest.approx(mean.value * EVENT.sum(), rel=1e-13)
    assert mean.value == pytest.approx(np.nanmean(each(ties=ties)), rel=1e-13)


@settings(deadline=None, max_examples=15)
@given(
    seed=st.integers(0, 1000),
    ties=st.sampled_from(["breslow", "efron"]),
    shift=st.floats(-1e3, 1e3),
)
def test_order_scale_of_time_and_a_common_shift_change_nothing(
    seed: int, ties: str, shift: float
) -> None:
    order = np.random.default_rng(seed).permutation(N)
    found = each(RISK[order], TIME[order], EVENT[order], ties=ties)
    wanted = each(ties=ties)
    assert found == pytest.approx(wanted[order], rel=1e-12, nan_ok=True)
    assert each(RISK, np.sqrt(TIME) - 3, EVENT, ties=ties) == pytest.approx(
        wanted, rel=0, abs=0, nan_ok=True
    )
    assert each(RISK + shift, ties=ties) == pytest.approx(wanted, rel=1e-9, abs=1e-10, nan_ok=True)


def test_groups_are_subsets_of_the_values() -> None:
    group = np.where(np.arange(N) % 3 == 0, "a", "b").astype(object)
    found = cox(by={"g": group})
    values = each()
    assert found.groups is not None
    for item in found.groups:
        own = values[group == item.group["g"]]
        assert item.summary.value == pytest.approx(np.nanmean(own), rel=1e-13)


def test_without_an_event_there_is_no_value() -> None:
    found = cox(event=np.zeros(N))
    assert math.isnan(found.value)
    assert found.valueless == N


def test_a_risk_far_above_the_others_keeps_what_is_left() -> None:
    found = each([60.0, 0.0, -1e4], [1.0, 2.0, 3.0], [1, 1, 1])
    assert found == pytest.approx([math.exp(-60), 0, 0], rel=1e-13, abs=1e-300)
    found = each([-1e4, 1e4], [1.0, 2.0], [1, 0])
    assert found[0] == 2e4


def test_what_is_not_known_is_nan() -> None:
    risk = RISK.copy()
    risk[np.argmax(TIME)] = np.nan  # in every risk set
    assert math.isnan(cox(risk, nan="propagate").value)
    time = TIME.copy()
    time[0] = np.nan
    assert math.isnan(cox(time=time, nan="propagate").value)
