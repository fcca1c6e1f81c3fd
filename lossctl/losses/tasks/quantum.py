"""Quantum states: density matrices ρ (target) and σ (prediction), (N, d, d).

All is computed in double precision from eigenvalues. Those that lie within the rounding of
the input's own type around 0 are 0: with the noise in their place, no state would have a
null space. A matrix without off-diagonal entries has its eigenvalues exactly, and these
losses are then the classical ones of its diagonal.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from math import inf, log, nan, sqrt
from typing import Any, NamedTuple

from lossctl.losses.definition import (
    Array,
    ArrayModule,
    Domain,
    Example,
    Input,
    InvalidInput,
    Kernel,
    loss,
)
from lossctl.losses.numerics import excess, sum_above_one
from lossctl.losses.shared import shared
from lossctl.losses.tasks.distribution import BASE


def _tolerance(xp: ArrayModule, matrices: Array) -> float:
    """How far a state may be off: half the digits that its type has."""
    return sqrt(float(xp.finfo(matrices.dtype).eps))


def _refuse(off: Array, limit: float, name: str, why: str, hint: str) -> None:
    """Refuse the samples that are `off` (n,) by more than the limit; NaN passes."""
    bad = off > limit
    if bool(bad.any()):
        raise InvalidInput(name, bad, why.format(float(off[bad][0])), hint)


def _check_density(xp: ArrayModule, matrices: Array, name: str) -> None:
    # that no eigenvalue is below 0 is checked where they are computed
    limit = _tolerance(xp, matrices)
    off = xp.abs(matrices - _adjoint(xp, matrices))
    off = xp.where(xp.isinf(matrices), inf, off).max(axis=(-2, -1))
    _refuse(
        off,
        limit,
        name,
        "is not Hermitian: it differs from its conjugate transpose by {:.3g}",
        "use (ρ + ρ†)/2 if that is rounding; give complex matrices as complex numbers",
    )
    _refuse(
        xp.abs(_diagonal(xp, matrices).sum(axis=-1) - 1),
        limit,
        name,
        "has a trace that is {:.3g} off 1",
        "divide each matrix by its trace",
    )


DENSITY = Domain("Hermitian, positive, of trace 1", _check_density)

_STATES = (
    Input("prediction", "(N, d, d)", DENSITY, complex=True, help="σ"),
    Input("target", "(N, d, d)", DENSITY, complex=True, help="ρ"),
)


def _adjoint(xp: ArrayModule, matrices: Array) -> Array:
    return xp.conj(xp.swapaxes(matrices, -2, -1))


def _diagonal(xp: ArrayModule, matrices: Array) -> Array:
    return xp.real(xp.diagonal(matrices, axis1=-2, axis2=-1))


class _State(NamedTuple):
    """Density matrices in double precision, and what rounding may have left of a 0."""

    matrix: Array  # (n, d, d)
    rounding: Array  # (n, 1)
    limit: float  # how far below 0 an eigenvalue may be
    name: str

    @shared
    def eigenvalues(self, xp: ArrayModule) -> Array:
        """Ascending (n, d), none below 0."""
        return self._cleared(xp, xp.linalg.eigvalsh(self.matrix))

    @shared
    def eigen(self, xp: ArrayModule) -> tuple[Array, Array]:
        """The eigenvalues, and the eigenvectors as columns (n, d, d)."""
        values, vectors = xp.linalg.eigh(self.matrix)
        return self._cleared(xp, values), vectors

    def root(self, xp: ArrayModule) -> Array:
        """√ρ."""
        values, vectors = self.eigen(xp)
        return (vectors * xp.sqrt(values)[:, None, :]) @ _adjoint(xp, vectors)

    def _cleared(self, xp: ArrayModule, values: Array) -> Array:
        _refuse(
            -values[:, 0],
            self.limit,
            self.name,
            "is not positive: it has the eigenvalue -{:.3g}",
            "a state has none below 0; set them to 0 and divide by the trace",
        )
        return xp.where(values <= self.rounding, 0, values)


@shared
def _states(xp: ArrayModule, prediction: Array, target: Array) -> tuple[Array, _State, _State]:
    """Which samples have NaN (n,), ρ of the target and σ of the prediction."""
    unknown = xp.isnan(prediction).any(axis=(-2, -1)) | xp.isnan(target).any(axis=(-2, -1))
    rho = _state(xp, target, unknown, "target")
    return unknown, rho, _state(xp, prediction, unknown, "prediction")


def _state(xp: ArrayModule, matrices: Array, unknown: Array, name: str) -> _State:
    """Read the matrices of an input; those that are unknown become the identity / d."""
    size = matrices.shape[-1]
    rounding = 16 * size * float(xp.finfo(matrices.dtype).eps)
    limit = _tolerance(xp, matrices)
    double = xp.promote_types(matrices.dtype, "float64")
    matrices = matrices.astype(double, copy=False)
    matrices = xp.where(unknown[:, None, None], xp.eye(size) / size, matrices)
    matrices = 0.5 * (matrices + _adjoint(xp, matrices))
    mixed = (matrices != 0).sum(axis=(-2, -1)) > (_diagonal(xp, matrices) != 0).sum(axis=-1)
    return _State(matrices, xp.where(mixed, rounding, 0.0)[:, None], limit, name)


Measure = Callable[[ArrayModule, _State, _State], Array]  # (xp, ρ, σ) -> (n,)


def _between_states(logarithmic: bool, **facts: Any) -> Callable[[Measure], Kernel]:
    """Register a function of two states; a `logarithmic` one is divided by log base."""

    def register(measure: Measure) -> Kernel:
        @wraps(measure)
        def kernel(
            xp: ArrayModule, prediction: Array, target: Array, *, base: float | None = None
        ) -> Array:
            unknown, rho, sigma = _states(xp, prediction, target)
            value = xp.where(unknown, nan, measure(xp, rho, sigma))
            return value if base is None else value / log(base)

        return loss(
            inputs=_STATES,
            params=(BASE,) if logarithmic else (),
            unit="nats" if logarithmic else "",
            **facts,
        )(kernel)

    return register


def _outside(xp: ArrayModule, weights: Array, rho: _State, sigma: _State) -> Array:
    """Whether ρ has weight, beyond rounding, on the null space of σ."""
    return weights.sum(axis=-1) > (rho.rounding + sigma.rounding)[:, 0]


_EXAMPLE = {
    "prediction": [[[0.6, 0.1], [0.1, 0.4]], [[0.5, -0.25], [-0.25, 0.5]]],
    "target": [[[0.75, 0.25], [0.25, 0.25]], [[0.3, 0.0], [0.0, 0.7]]],
}


@_between_states(
    logarithmic=True,
    summary="Quantum cross-entropy of the predicted state",
    formula="−Tr(ρ log σ), ρ target, σ prediction; infinite where σ lacks ρ's support",
    use="The cross-entropy of reconstructed states; its least value is ρ's own entropy, so "
    "compare it between predictions, or use the relative entropy.",
    traits=("asymmetric", "convex", "proper"),
    reference="Nielsen & Chuang 2010, Quantum Computation and Quantum Information, 11.3",
    example=Example(_EXAMPLE, 0.6831106328881373),
)
def quantum_cross_entropy(xp: ArrayModule, rho: _State, sigma: _State) -> Array:
    rho.eigenvalues(xp)  # are they those of a state?
    values, vectors = sigma.eigen(xp)
    weights = xp.real(xp.conj(vectors) * (rho.matrix @ vectors)).sum(axis=-2)  # ⟨v|ρ|v⟩
    null = values == 0
    terms = xp.where(null, 0, weights * xp.log(values))
    outside = _outside(xp, xp.where(null, weights, 0), rho, sigma)
    return xp.where(outside, inf, 0.0 - terms.sum(axis=-1))


@_between_states(
    logarithmic=True,
    aliases=("umegaki",),
    summary="Quantum relative entropy of the predicted state",
    formula="Tr ρ (log ρ − log σ), ρ target, σ prediction; infinite where σ lacks ρ's support",
    use="The quantum KL divergence: 0 only for the true state; a prediction that leaves out "
    "part of the target's support is infinitely wrong.",
    traits=("asymmetric", "convex", "proper"),
    reference="Umegaki 1962, Kodai Math. Sem. Rep. 14; Nielsen & Chuang 2010, 11.3",
    example=Example(_EXAMPLE, 0.16943071651084688),
)
def quantum_relative_entropy(xp: ArrayModule, rho: _State, sigma: _State) -> Array:
    # Σ |⟨u|v⟩|² (r log(r/s) − r + s) + Tr(ρ − σ): of nearly equal states no term cancels
    r, u = rho.eigen(xp)
    s, v = sigma.eigen(xp)
    overlap = xp.square(xp.abs(_adjoint(xp, u) @ v))
    r, s = r[:, :, None], s[:, None, :]
    null = s == 0
    terms = xp.where(null, 0, overlap * excess(xp, r, s, xp.log(r), xp.log(s), r - s))
    traces = (_diagonal(xp, rho.matrix) - _diagonal(xp, sigma.matrix)).sum(axis=-1)
    outside = _outside(xp, xp.where(null, overlap * r, 0).sum(axis=-2), rho, sigma)
    return xp.where(outside, inf, terms.sum(axis=(-2, -1)) + traces)


@_between_states(
    logarithmic=False,
    summary="Infidelity of two states",
    formula="1 − (Tr √(√ρ σ √ρ))²",
    use="The usual figure for a prepared or reconstructed state, from 0 to 1; the fidelity "
    "here is the squared one, a transition probability.",
    traits=("symmetric", "bounded"),
    reference="Jozsa 1994, Fidelity for Mixed Quantum States, J. Mod. Opt. 41",
    example=Example(_EXAMPLE, 0.08201040209202403),
)
def infidelity(xp: ArrayModule, rho: _State, sigma: _State) -> Array:
    # Tr √(√ρ σ √ρ) = ½ Tr(ρ + σ) − ½ ‖√ρ − U†√σ‖² with U the unitary part of √σ√ρ: so what
    # is small is computed as such
    root_rho, root_sigma = rho.root(xp), sigma.root(xp)
    left, _, right = xp.linalg.svd(root_sigma @ root_rho)
    apart = root_rho - _adjoint(xp, left @ right) @ root_sigma
    traces = sum_above_one(xp, _diagonal(xp, rho.matrix)) + sum_above_one(
        xp, _diagonal(xp, sigma.matrix)
    )
    short = 0.5 * (xp.square(xp.abs(apart)).sum(axis=(-2, -1)) - traces)
    return short * (2 - short)


@_between_states(
    logarithmic=False,
    summary="Trace distance of two states",
    formula="½ Tr |ρ − σ|",
    use="How well any single measurement can tell the states apart, from 0 to 1.",
    traits=("symmetric", "bounded", "convex"),
    reference="Helstrom 1976, Quantum Detection and Estimation Theory; Nielsen & Chuang 9.2.1",
    example=Example(_EXAMPLE, 0.26614412311380335),
)
def trace_distance(xp: ArrayModule, rho: _State, sigma: _State) -> Array:
    rho.eigenvalues(xp)  # are both states?
    sigma.eigenvalues(xp)
    return 0.5 * xp.abs(xp.linalg.eigvalsh(rho.matrix - sigma.matrix)).sum(axis=-1)
