"""Quantum states: laws of states that no library computes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lossctl

RNG = np.random.default_rng(0)
LOSSES = ("quantum_cross_entropy", "quantum_relative_entropy", "infidelity", "trace_distance")


def states(count: int, size: int) -> Any:
    factor = RNG.standard_normal((count, size, size)) + 1j * RNG.standard_normal(
        (count, size, size)
    )
    product = factor @ factor.conj().swapaxes(1, 2)
    return product / np.trace(product, axis1=1, axis2=2).real[:, None, None]


def losses(spec: str, prediction: Any, target: Any) -> Any:
    return lossctl.evaluate(spec, prediction, target, per_sample=True).losses[0].per_sample


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("dtype", ["complex128", "complex64"])
def test_a_state_does_not_depend_on_the_others(loss: str, dtype: str) -> None:
    rho, sigma = states(23, 3).astype(dtype), states(23, 3).astype(dtype)
    together = losses(loss, sigma, rho)
    for row in range(23):
        assert losses(loss, sigma[row : row + 1], rho[row : row + 1])[0] == together[row]


@pytest.mark.parametrize("loss", LOSSES)
def test_a_common_rotation_changes_nothing(loss: str) -> None:
    rho, sigma = states(5, 4), states(5, 4)
    turn = np.linalg.qr(states(1, 4)[0])[0]
    turned = [turn @ state @ turn.conj().T for state in (sigma, rho)]
    assert losses(loss, *turned) == pytest.approx(losses(loss, sigma, rho), rel=1e-10)


def test_fidelity_and_distance_bound_each_other() -> None:
    """1 − √F ≤ D ≤ √(1 − F) (Fuchs & van de Graaf 1999)."""
    rho, sigma = states(200, 3), states(200, 3)
    short, distance = losses("infidelity", sigma, rho), losses("trace_distance", sigma, rho)
    assert (1 - np.sqrt(1 - short) <= distance + 1e-14).all()
    assert (distance <= np.sqrt(short) + 1e-14).all()


def test_relative_entropy_bounds_the_distance() -> None:
    """S(ρ‖σ) ≥ 2 D² (Pinsker)."""
    rho, sigma = states(200, 3), states(200, 3)
    entropy = losses("quantum_relative_entropy", sigma, rho)
    assert (entropy >= 2 * losses("trace_distance", sigma, rho) ** 2 - 1e-14).all()
