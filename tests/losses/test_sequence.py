"""Sequences: refusals, limits and laws."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lossctl
from lossctl.errors import LossctlError

RNG = np.random.default_rng(0)
LOGITS = RNG.standard_normal((4, 5, 3))
LABELS = np.array([[1, 2, 1], [2, 1, -1], [1, -1, -1], [2, 2, -1]])
X, Y = RNG.standard_normal((6, 7)), RNG.standard_normal((6, 5))


def evaluated(spec: str, prediction: Any, target: Any, **inputs: Any) -> Any:
    found = lossctl.evaluate(
        spec, np.asarray(prediction), np.asarray(target), per_sample=True, **inputs
    )
    return found.losses[0]


def losses(spec: str, prediction: Any, target: Any, **inputs: Any) -> Any:
    return evaluated(spec, prediction, target, **inputs).per_sample


def refused(match: str, spec: str, prediction: Any, target: Any, **inputs: Any) -> None:
    with pytest.raises(LossctlError, match=match):
        evaluated(spec, prediction, target, **inputs)


CTC = "ctc:from_logits=true"


@pytest.mark.parametrize(
    ("match", "spec", "target", "inputs"),
    [
        ("none of them is the blank 3", f"{CTC},blank=3", LABELS, {}),
        ("target has 1 before a class id", f"{CTC},padding=1", [[1, 2]] * 4, {}),
        ("target has -1 before a class id", CTC, [[-1, 2]] * 4, {}),
        ("has 3, and the classes go from 0 to 2", CTC, [[3]] * 4, {}),
        (r"the blank \(0\) as a label", CTC, [[1, 0]] * 4, {}),
        ("not a whole number", CTC, [[0.5]] * 4, {}),
        ("5 labels, 1 of them repeated", CTC, [[1, 2, 1, 2, 2]] * 4, {}),
        ("target_lengths has 4, more than the 3 labels", CTC, LABELS, {"target_lengths": [4] * 4}),
        ("target_lengths has -1, below 0", CTC, LABELS, {"target_lengths": [-1] * 4}),
        ("more than the 5 time steps", CTC, LABELS, {"prediction_lengths": [6] * 4}),
        ("padding must be a whole number ≥ 0", f"{CTC},padding=-1", LABELS, {}),
        ("log_zero must be a number ≤ 0", f"{CTC},log_zero=1", LABELS, {}),
    ],
)
def test_ctc_refuses(match: str, spec: str, target: Any, inputs: Any) -> None:
    refused(match, spec, LOGITS, target, **{k: np.array(v) for k, v in inputs.items()})


def test_ctc_wants_log_probabilities() -> None:
    refused("at time step 0 their exponentials do not sum to 1", "ctc", -np.abs(LOGITS), LABELS)


def test_per_label_losses() -> None:
    plain = losses(CTC, LOGITS, LABELS)
    per_label = losses(f"{CTC},normalize=labels", LOGITS, LABELS)
    assert per_label == pytest.approx(plain / [3, 2, 1, 2], rel=1e-15)
    empty = losses(f"{CTC},normalize=labels", LOGITS[:1], [[-1]])
    assert empty == losses(CTC, LOGITS[:1], [[-1]])  # no labels count as one


def test_padding_is_what_lengths_say() -> None:
    padded = np.where(LABELS < 0, 0, LABELS)
    expected = losses(CTC, LOGITS, LABELS)
    assert (losses(f"{CTC},padding=0", LOGITS, padded) == expected).all()
    lengths = np.array([3, 2, 1, 2])
    assert (losses(CTC, LOGITS, padded, target_lengths=lengths) == expected).all()


def test_a_log_of_zero_makes_infinite_losses_finite_and_leaves_the_others() -> None:
    target = [[1, 1, 1], [1, 2, -1], [2, -1, -1], [2, 1, 2]]
    infinite = losses(f"{CTC},infeasible=infinite", LOGITS[:, :3], target)
    finite = losses(f"{CTC},infeasible=infinite,log_zero=-1e5", LOGITS[:, :3], target)
    assert np.flatnonzero(np.isinf(infinite)).tolist() == [0]
    assert 1e5 - 10 < finite[0] < 1e5 + 10
    assert (finite[1:] == infinite[1:]).all()


def test_ctc_of_all_targets_is_certain() -> None:
    """The probabilities of all label sequences that two steps can spell sum to 1."""
    targets = [[-1, -1], [1, -1], [2, -1], [1, 2], [2, 1]]
    logits = np.repeat(LOGITS[:1, :2], len(targets), axis=0)
    assert math.fsum(np.exp(-losses(CTC, logits, targets))) == pytest.approx(1, rel=1e-14)


@pytest.mark.parametrize("loss", ["dtw", "soft_dtw"])
def test_warping_refuses(loss: str) -> None:
    vectors = RNG.standard_normal((6, 7, 2))
    refused("has 2 numbers at each time step, and target 1", loss, vectors, Y)
    refused("do not fit", loss, vectors, np.ones((6, 4, 3)))
    refused("prediction_lengths has 0, below 1", loss, X, Y, prediction_lengths=np.arange(6))
    refused("more than the 5 time steps of the target", loss, X, Y, target_lengths=np.full(6, 7))
    refused("not a whole number", loss, X, Y, target_lengths=np.full(6, 2.5))


def test_soft_dtw_refuses_a_negative_gamma() -> None:
    refused("gamma must be a number ≥ 0", "soft_dtw:gamma=-1", X, Y)


def test_series_that_stretch_into_each_other_are_equal() -> None:
    slow = np.repeat(X, [1, 3, 1, 1, 2, 1, 4], axis=1)
    assert (losses("dtw", slow, X) == 0).all()
    assert (losses("soft_dtw:gamma=0", slow, X) == 0).all()


def test_dtw_of_one_step_is_the_sum_of_all_errors() -> None:
    expected = np.abs(X[:, :1] - Y).sum(axis=1)
    assert losses("dtw", X[:, :1], Y) == pytest.approx(expected, rel=1e-14)


def test_dtw_is_at_most_the_sum_of_errors_in_step() -> None:
    in_step = np.abs(X[:, :5] - Y).sum(axis=1)
    assert (losses("dtw", X[:, :5], Y) <= in_step * (1 + 1e-14)).all()


def test_a_vector_of_one_number_is_the_number() -> None:
    for loss in ("dtw", "soft_dtw"):
        assert (losses(loss, X[..., None], Y[..., None]) == losses(loss, X, Y)).all()
        assert (losses(loss, X[..., None], Y) == losses(loss, X, Y)).all()


def test_soft_dtw_goes_to_the_least_cost_with_gamma() -> None:
    least = losses("soft_dtw:gamma=0", X, Y)
    soft = [losses(f"soft_dtw:gamma={gamma}", X, Y) for gamma in (1e-6, 0.1, 1)]
    assert soft[0] == pytest.approx(least, rel=1e-5)
    assert (soft[2] < soft[1]).all() and (soft[1] < least).all()


def test_soft_dtw_of_constants_counts_the_alignments() -> None:
    zeros = np.zeros((1, 4))
    assert losses("soft_dtw", zeros, zeros) == pytest.approx([-math.log(63)], rel=1e-14)


@settings(deadline=None, max_examples=25)
@given(steps=st.integers(1, 6), other=st.integers(1, 6), seed=st.integers(0, 1000))
def test_what_stands_behind_the_lengths_counts_for_nothing(
    steps: int, other: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    x, y = rng.standard_normal((3, 6, 2)), rng.standard_normal((3, 6, 2))
    lengths = {
        "prediction_lengths": np.full(3, steps),
        "target_lengths": np.full(3, other),
    }
    for loss in ("dtw", "soft_dtw"):
        padded = losses(loss, x, y, **lengths)
        assert (padded == losses(loss, x[:, :steps], y[:, :other])).all()


@pytest.mark.parametrize("spec", ["dtw", "soft_dtw", "ctc"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_sequence_does_not_depend_on_the_others(spec: str, dtype: str) -> None:
    if spec == "ctc":
        spec, x = CTC, RNG.standard_normal((37, 9, 6)).astype(dtype)
        y: Any = RNG.integers(1, 6, (37, 4))
    else:
        x, y = RNG.standard_normal((2, 37, 9, 5)).astype(dtype)
    together = losses(spec, x, y)
    assert all(losses(spec, x[i : i + 1], y[i : i + 1])[0] == together[i] for i in range(37))
    assert (losses(spec, x[5:12], y[5:12]) == together[5:12]).all()
