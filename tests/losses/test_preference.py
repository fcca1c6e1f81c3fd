"""Preferences: refusals, limits and laws."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lossctl

RNG = np.random.default_rng(13)
NAMES = ("policy_chosen", "policy_rejected", "reference_chosen", "reference_rejected")
LOGS = {name: RNG.uniform(-60, -20, 30) for name in NAMES}


def each(spec: str, **inputs: Any) -> Any:
    """The per-sample losses."""
    found = lossctl.evaluate(spec, per_sample=True, confidence=None, **inputs)
    return found.losses[0].per_sample


def margins() -> Any:
    chosen = LOGS["policy_chosen"] - LOGS["reference_chosen"]
    return chosen - (LOGS["policy_rejected"] - LOGS["reference_rejected"])


def test_only_sigmoid_smooths_its_labels() -> None:
    for variant in ("hinge", "ipo"):
        with pytest.raises(lossctl.SpecError, match=f"variant={variant} has no label_smoothing"):
            each(f"dpo:variant={variant},label_smoothing=0.1", **LOGS)


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ("beta=0", "beta must be a number > 0"),
        ("label_smoothing=0.6", "label_smoothing must be a number ≥ 0 and ≤ 0.5"),
        ("variant=kto", "variant must be one of sigmoid, hinge, ipo"),
    ],
)
def test_parameters_out_of_bounds_are_refused(params: str, said: str) -> None:
    with pytest.raises(lossctl.SpecError, match=said):
        each(f"dpo:{params}", **LOGS)


def test_log_probabilities_of_tokens_are_refused() -> None:
    with pytest.raises(lossctl.DataError, match="do not fit"):
        each("dpo", **{name: array.reshape(10, 3) for name, array in LOGS.items()})


def test_dpo_is_bradley_terry_of_its_rewards() -> None:
    chosen = 0.3 * (LOGS["policy_chosen"] - LOGS["reference_chosen"])
    rejected = 0.3 * (LOGS["policy_rejected"] - LOGS["reference_rejected"])
    wanted = each("bradley_terry", chosen=chosen, rejected=rejected)
    assert each("dpo:beta=0.3", **LOGS) == pytest.approx(wanted, rel=1e-12)


def test_the_variants_are_losses_of_the_margin() -> None:
    hinge = each("dpo:variant=hinge,beta=0.05", **LOGS)
    assert hinge == pytest.approx(np.maximum(1 - 0.05 * margins(), 0), rel=1e-12, abs=1e-12)
    ipo = each("dpo:variant=ipo,beta=0.05", **LOGS)
    assert ipo == pytest.approx((margins() - 10) ** 2, rel=1e-12)


def test_a_policy_that_is_the_reference_knows_nothing() -> None:
    same = {name: LOGS[f"policy_{name.partition('_')[2]}"] for name in NAMES}
    assert each("dpo", **same) == pytest.approx([math.log(2)] * 30, rel=1e-15)
    assert each("dpo:label_smoothing=0.2", **same) == pytest.approx([math.log(2)] * 30, rel=1e-15)
    assert each("dpo:variant=hinge", **same).tolist() == [1.0] * 30
    assert each("dpo:variant=ipo,beta=0.5", **same).tolist() == [1.0] * 30


def test_smoothed_labels_are_a_mixture_of_both_orders() -> None:
    turned = {name: LOGS[name] for name in NAMES}
    for model in ("policy", "reference"):
        chosen, rejected = LOGS[f"{model}_chosen"], LOGS[f"{model}_rejected"]
        turned |= {f"{model}_chosen": rejected, f"{model}_rejected": chosen}
    wanted = 0.9 * each("dpo", **LOGS) + 0.1 * each("dpo", **turned)
    assert each("dpo:label_smoothing=0.1", **LOGS) == pytest.approx(wanted, rel=1e-12)


@settings(deadline=None, max_examples=30)
@given(chosen=st.floats(-1e4, 1e4), rejected=st.floats(-1e4, 1e4))
def test_both_orders_differ_by_the_margin(chosen: float, rejected: float) -> None:
    (right,) = each("bradley_terry", chosen=[chosen], rejected=[rejected])
    (wrong,) = each("bradley_terry", chosen=[rejected], rejected=[chosen])
    assert wrong - right == pytest.approx(chosen - rejected, rel=1e-12, abs=1e-12)
    assert min(right, wrong) >= 0
    assert max(right, wrong) >= math.log(2)


def test_margins_of_float32_scores_keep_their_digits() -> None:
    found = each("bradley_terry", chosen=np.float32([60.0]), rejected=np.float32([0.0]))
    assert found == pytest.approx([math.exp(-60)], rel=1e-12)
