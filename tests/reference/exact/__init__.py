"""The definitions, written out for mpmath at 50 digits: the arbiter between libraries.

Nothing here is fast, vectorised or clever. Each loss is its formula, on one element, one row or one
sample at a time, so that it can be read against the catalogue. ``terms`` gives what a loss computes
before any reduction, ``reduce`` does the reduction. A task's module has its losses in REFERENCES.
"""

from __future__ import annotations

from mpmath import mp, mpf

from tests.reference.exact.parts import (
    Array,
    Arrays,
    Params,
    Reduced,
    Terms,
    numbers,
)
from tests.reference.modules import entry

__all__ = ["Reduced", "Terms", "reduce", "terms"]


def terms(loss: str, inputs: Arrays, params: Params) -> Terms:
    reference = entry(__name__, "REFERENCES", loss)
    if reference is None:
        raise KeyError(f"{loss} has no entry in REFERENCES of its task's module")
    result: Terms = reference(inputs, params)
    return result


def reduce(given: Terms, reduction: str, sample_weights: Array | None = None) -> Reduced:
    """Σwv/Σw over elements, Σwv, or Σwv/N; a finish applies to means only."""
    finish = given.finish or (lambda mean: mean)
    count = len(given.values)
    scale = [mpf(1)] * count if sample_weights is None else numbers(sample_weights)
    sums = [
        (mp.fsum(w * v for w, v in zip(ws, vs, strict=True) if w != 0), mp.fsum(ws))
        for vs, ws in zip(given.values, given.weights, strict=True)
    ]
    per_sample = [finish(total / mass) if mass else mp.nan for total, mass in sums]
    total = mp.fsum(s * t for s, (t, mass) in zip(scale, sums, strict=True) if mass)
    mass = mp.fsum(s * m for s, (_, m) in zip(scale, sums, strict=True))
    if reduction == "sum" and (given.finish or given.dataset is not None):
        value = mp.fsum(s * v for s, v in zip(scale, per_sample, strict=True) if not mp.isnan(v))
    elif reduction == "sum":
        value = total
    elif reduction == "batchmean":
        value = total / mp.fsum(scale)
    elif given.dataset is not None:
        value = given.dataset
    else:
        value = finish(total / mass)
    return Reduced(value, per_sample if given.values else None)
