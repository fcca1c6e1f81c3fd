"""Quantum states: makers of inputs."""

from __future__ import annotations

import numpy as np
from numpy.random import RandomState

from tests.reference.inputs.parts import Arrays, normalised


def density(
    rng: RandomState,
    rows: int = 5,
    size: int = 3,
    dtype: str = "complex128",
    diagonal: bool = False,
) -> Arrays:
    """Density matrices A·A† / trace; A holds small multiples of 1/32, so A·A† is exact."""
    arrays: Arrays = {}
    for name in ("prediction", "target"):
        if diagonal:
            eigenvalues = normalised(rng.random_sample((rows, size)) + 0.05)
            arrays[name] = (eigenvalues[:, :, None] * np.eye(size)).astype(dtype)
            continue
        real, imaginary = (rng.randint(-32, 33, (rows, size, size)) / 32 for _ in range(2))
        factor = real + 1j * imaginary
        product = factor @ factor.conj().transpose(0, 2, 1) + np.eye(size) / 4
        trace = np.trace(product, axis1=1, axis2=2).real
        scale = trace[:, None, None]
        arrays[name] = (product.real / scale + 1j * (product.imag / scale)).astype(dtype)
    return arrays


MAKERS = (density,)
