"""Quantum states: the definitions, at 50 digits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from mpmath import mp, mpf

from tests.reference.exact.parts import Array, Arrays, Number, Params, Terms, xlog

LOST = mpf(10) ** -30  # an eigenvalue below this is 0: nothing in the inputs is this small


def matrices(array: Array) -> Iterator[Any]:
    for matrix in array:
        yield mp.matrix([[mp.mpc(complex(v)) for v in row] for row in matrix])


def eigen(matrix: Any) -> tuple[list[Number], Any]:
    values, vectors = mp.eighe(matrix)
    return [v if abs(v) > LOST else mpf(0) for v in values], vectors


def trace(matrix: Any) -> Number:
    return mp.fsum(mp.re(matrix[i, i]) for i in range(matrix.rows))


def function_of(matrix: Any, function: Callable[[Number], Number]) -> Any:
    values, vectors = eigen(matrix)
    return vectors * mp.diag([function(v) for v in values]) * vectors.H


def quantum_entropy(rho: Any, sigma: Any) -> Number:
    """−Tr(ρ log σ)"""
    values, vectors = eigen(sigma)
    total = mpf(0)
    for k, value in enumerate(values):
        vector = vectors[:, k]
        share = mp.re((vector.H * rho * vector)[0, 0])
        total -= xlog(share if abs(share) > LOST else mpf(0), value)
    return total


def matrix_terms(of_pair: Callable[[Any, Any], Number]) -> Any:
    """A function of the target ρ and the prediction σ."""

    def reference(inputs: Arrays, params: Params) -> Terms:
        base = mp.log(mpf(params["base"])) if "base" in params else 1
        pairs = zip(matrices(inputs["target"]), matrices(inputs["prediction"]), strict=True)
        return Terms([[of_pair(rho, sigma) / base] for rho, sigma in pairs])

    return reference


def infidelity(rho: Any, sigma: Any) -> Number:
    root = function_of(rho, mp.sqrt)
    values, _ = eigen(root * sigma * root)
    return 1 - mp.fsum(mp.sqrt(v) for v in values) ** 2


def trace_distance(rho: Any, sigma: Any) -> Number:
    return mp.fsum(abs(v) for v in eigen(rho - sigma)[0]) / 2


REFERENCES: dict[str, Callable[[Arrays, Params], Terms]] = {
    "quantum_cross_entropy": matrix_terms(quantum_entropy),
    "quantum_relative_entropy": matrix_terms(
        lambda rho, sigma: quantum_entropy(rho, sigma) - quantum_entropy(rho, rho)
    ),
    "infidelity": matrix_terms(infidelity),
    "trace_distance": matrix_terms(trace_distance),
}
