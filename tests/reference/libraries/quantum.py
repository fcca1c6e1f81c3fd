"""Quantum states: by the libraries' own calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.linalg

from tests.reference.libraries import Answer, Array, Arrays, Library, Params, per_base


def quantum(of_pair: Callable[[Array, Array], Any], call: str, based: bool = True) -> Library:
    def loss(inputs: Arrays, params: Params) -> Answer:
        pairs = zip(inputs["target"], inputs["prediction"], strict=True)
        values = [of_pair(r.astype(complex), s.astype(complex)) for r, s in pairs]
        array = np.real(np.array(values))
        return Answer(call, per_base(array, params) if based else array, accuracy=1e-12)

    return loss


def infidelity(rho: Array, sigma: Array) -> Any:
    root = scipy.linalg.sqrtm(rho)
    return 1 - np.trace(scipy.linalg.sqrtm(root @ sigma @ root)).real ** 2


LIBRARIES: dict[str, Library] = {
    "quantum_cross_entropy": quantum(
        lambda rho, sigma: -np.trace(rho @ scipy.linalg.logm(sigma)), "scipy.linalg.logm"
    ),
    "quantum_relative_entropy": quantum(
        lambda rho, sigma: np.trace(rho @ (scipy.linalg.logm(rho) - scipy.linalg.logm(sigma))),
        "scipy.linalg.logm",
    ),
    "infidelity": quantum(infidelity, "scipy.linalg.sqrtm", based=False),
    "trace_distance": quantum(
        lambda rho, sigma: np.abs(scipy.linalg.eigvalsh(rho - sigma)).sum() / 2,
        "scipy.linalg.eigvalsh",
        based=False,
    ),
}
