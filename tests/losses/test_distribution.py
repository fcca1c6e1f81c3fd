"""Distributions: two samples against scipy, laws, limits and refusals."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

import lossctl
from lossctl.losses import pairs

NUMBERS = st.lists(st.integers(-(10**6), 10**6).map(lambda v: v / 64), min_size=1, max_size=20)


def value(spec: str, prediction: Any, target: Any, **options: Any) -> float:
    arrays = {"prediction": np.asarray(prediction), "target": np.asarray(target)}
    return float(lossctl.evaluate(spec, **arrays, **options).losses[0].value)


@settings(deadline=None, max_examples=60)
@given(x=NUMBERS, y=NUMBERS, shift=st.integers(-1000, 1000))
def test_samples_are_compared_as_scipy_does(x: list[float], y: list[float], shift: int) -> None:
    moved = value("wasserstein_samples", x, y)
    assert moved == pytest.approx(scipy.stats.wasserstein_distance(x, y), rel=1e-12, abs=1e-12)
    energy = value("energy_distance", x, y)
    assert energy == pytest.approx(scipy.stats.energy_distance(x, y), rel=1e-12, abs=1e-12)
    assert value("wasserstein_samples", y, x) == moved
    assert value("energy_distance", y[::-1], x) == energy
    shifted = [v + shift for v in x]
    assert value("wasserstein_samples", x, shifted) == pytest.approx(abs(shift), rel=1e-12)


@pytest.mark.parametrize("name", ["wasserstein_samples", "energy_distance"])
def test_equal_samples_are_at_distance_0(name: str) -> None:
    assert value(name, [3.0, 1.0, 2.0, 2.0], [2.0, 3.0, 2.0, 1.0]) == 0
    assert value(name, [1.0, 2.0], [1.0, 1.0, 2.0, 2.0]) == 0  # the same distribution


def test_infinite_values_in_both_samples_are_no_distance_apart() -> None:
    assert value("wasserstein_samples", [1.0, math.inf], [2.0, math.inf]) == 0.5


@pytest.mark.parametrize("width", [1, 3, 12])
def test_mmd_is_its_three_means(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(width)
    x, y = rng.standard_normal((40, width)), rng.standard_normal((33, width)) + 1

    def kernel(a: Any, b: Any) -> Any:
        return np.exp(-np.square(a[:, None] - b).sum(axis=-1) / (2 * 1.5**2))

    def within(z: Any) -> Any:
        return (kernel(z, z).sum() - len(z)) / (len(z) * (len(z) - 1))

    expected = within(x) + within(y) - 2 * kernel(x, y).mean()
    assert value("mmd_rbf:bandwidth=1.5", x, y) == pytest.approx(expected, rel=1e-12)
    monkeypatch.setattr(pairs, "CELLS", 100)
    assert value("mmd_rbf:bandwidth=1.5", x, y) == pytest.approx(expected, rel=1e-12)


def test_mmd_of_a_wide_kernel_is_the_distance_of_means() -> None:
    x, y = [1.0, 2.0, 4.0], [3.0, 7.0]
    h = 1e6  # k = 1 − d²/2h² to twelve digits
    squares = [
        np.mean(
            [(a - b) ** 2 for i, a in enumerate(u) for j, b in enumerate(v) if u != v or i != j]
        )
        for u, v in ((x, x), (y, y), (x, y))
    ]
    expected = (2 * squares[2] - squares[0] - squares[1]) / (2 * h * h)
    assert value(f"mmd_rbf:bandwidth={h}", x, y) == pytest.approx(expected, rel=1e-9)


def test_mmd_needs_two_values_of_each() -> None:
    assert math.isnan(value("mmd_rbf:bandwidth=1", [1.0], [1.0, 2.0]))


def test_mmd_refuses_vectors_of_other_lengths_and_no_bandwidth() -> None:
    with pytest.raises(lossctl.DataError, match="prediction has 3 components in a row, and target"):
        value("mmd_rbf:bandwidth=1", np.zeros((4, 3)), np.zeros(5))
    with pytest.raises(lossctl.SpecError, match="needs the parameter bandwidth"):
        value("mmd_rbf", [1.0, 2.0], [1.0, 2.0])


@pytest.mark.parametrize("reduction", ["mean", "sum", "batchmean"])
def test_bins_share_a_rows_divergence(reduction: str) -> None:
    p = np.array([[0.25, 0.25, 0.5], [0.1, 0.2, 0.7]])
    t = np.array([[0.5, 0.25, 0.25], [0.3, 0.3, 0.4]])
    rows = value("kl_divergence", p, t, reduction=reduction)
    bins = value("kl_divergence:average=bins", p, t, reduction=reduction)
    assert bins == pytest.approx(rows / 3 if reduction == "mean" else rows, rel=1e-14)


def test_a_floor_makes_the_divergence_finite() -> None:
    p, t = [[1.0, 0.0]], [[0.5, 0.5]]
    assert value("kl_divergence", p, t) == math.inf
    expected = 0.5 * math.log(0.5) + 0.5 * math.log(0.5 / 1e-3)
    assert value("kl_divergence:floor=1e-3", p, t) == pytest.approx(expected, rel=1e-14)


def test_strict_zeros_have_no_value() -> None:
    p, t = [[0.5, 0.5, 0.0], [0.5, 0.25, 0.25]], [[0.25, 0.75, 0.0], [0.5, 0.5, 0.0]]
    found = lossctl.evaluate(
        "kl_divergence:strict_zeros=true", prediction=p, target=t, per_sample=True
    )
    assert np.isnan(found.losses[0].per_sample).tolist() == [True, False]
    assert math.isfinite(value("kl_divergence", p, t))


def test_log_probabilities_are_checked() -> None:
    with pytest.raises(lossctl.DataError, match="exponentials sum to 4, not to 1"):
        value("kl_divergence@torch", [[math.log(2), math.log(2)]], [[0.5, 0.5]])


def test_positions_ascend_and_are_as_many_as_the_bins() -> None:
    p = [[0.5, 0.5]]
    with pytest.raises(lossctl.DataError, match="has 2 bins, but positions has 3"):
        value("wasserstein:positions=[1,2,3]", p, p)
    with pytest.raises(lossctl.SpecError, match="positions must ascend"):
        value("wasserstein:positions=[2,1]", p, p)
