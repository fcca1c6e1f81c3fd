"""Multi-label classification: the definitions, at 50 digits."""

from __future__ import annotations

from collections.abc import Callable

from mpmath import mp, mpf

from tests.reference.exact.parts import (
    Arrays,
    Number,
    Params,
    Terms,
    bernoulli,
    elementwise,
    mean,
    power,
    ratio,
    row_terms,
    times,
)


def split(vector: list[Number], truth: list[Number]) -> tuple[list[Number], list[Number]]:
    """The scores of the labels that hold, and of the others."""
    pairs = list(zip(vector, truth, strict=True))
    return [z for z, y in pairs if y == 1], [z for z, y in pairs if y == 0]


def margin(vector: list[Number], truth: list[Number], params: Params) -> Number:
    held, others = split(vector, truth)
    return mp.fsum(max(mpf(0), 1 + j - i) for i in held for j in others) / len(vector)


def soft_margin(vector: list[Number], truth: list[Number], params: Params) -> Number:
    terms = []
    for z, y in zip(vector, truth, strict=True):
        of_one, of_zero, _, _ = bernoulli(z, y, {"from_logits": True})
        terms.append(times(y, of_one) + times(1 - y, of_zero))
    return mean(terms)


def asymmetric(z: Number, y: Number, params: Params) -> Number:
    of_one, of_zero, p, q = bernoulli(z, y, {"from_logits": params.get("from_logits", False)})
    margin = mpf(params.get("clip", 0.05))
    shifted = max(p - margin, mpf(0))
    rest = -mp.log(1 - shifted) if margin else of_zero
    held = power(q, mpf(params.get("gamma_pos", 1)))
    other = power(shifted, mpf(params.get("gamma_neg", 4)))
    return times(y * held, of_one) + times((1 - y) * other, rest)


def ranking(vector: list[Number], truth: list[Number], params: Params) -> Number:
    held, others = split(vector, truth)
    wrong = sum(i <= j for i in held for j in others)
    return ratio(mpf(wrong), mpf(len(held) * len(others)))


def coverage(vector: list[Number], truth: list[Number], params: Params) -> Number:
    held, _ = split(vector, truth)
    return mpf(sum(z >= min(held) for z in vector)) if held else mpf(0)


REFERENCES: dict[str, Callable[[Arrays, Params], Terms]] = {
    "multilabel_margin": row_terms(margin),
    "multilabel_soft_margin": row_terms(soft_margin),
    "asymmetric": elementwise(asymmetric),
    "label_ranking": row_terms(ranking),
    "coverage_error": row_terms(coverage),
}
