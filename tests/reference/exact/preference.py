"""Preferences: the definitions, at 50 digits."""

from __future__ import annotations

from collections.abc import Callable

from mpmath import mp, mpf

from tests.reference.exact.parts import Arrays, Number, Params, Terms, numbers, samples


def unlikely(margin: Number) -> Number:
    """−log σ, as the probability itself says it."""
    if margin > 0:  # 1 + exp(−m) would lose what is left of it
        return mp.log1p(mp.exp(-margin))
    return -mp.log(1 / (1 + mp.exp(-margin)))


def bradley_terry(inputs: Arrays, params: Params) -> Terms:
    pairs = zip(samples(inputs["chosen"]), samples(inputs["rejected"]), strict=True)
    return Terms([[unlikely(c - r) for c, r in zip(*pair, strict=True)] for pair in pairs])


def dpo(inputs: Arrays, params: Params) -> Terms:
    beta, wrong = mpf(params.get("beta", 0.1)), mpf(params.get("label_smoothing", 0))
    variant = params.get("variant", "sigmoid")

    def value(
        ours: Number, ours_rejected: Number, theirs: Number, theirs_rejected: Number
    ) -> Number:
        margin = (ours - ours_rejected) - (theirs - theirs_rejected)
        if variant == "hinge":
            return max(mpf(0), 1 - beta * margin)
        if variant == "ipo":
            return (margin - 1 / (2 * beta)) ** 2
        return (1 - wrong) * unlikely(beta * margin) + wrong * unlikely(-beta * margin)

    names = ("policy_chosen", "policy_rejected", "reference_chosen", "reference_rejected")
    columns = (numbers(inputs[name]) for name in names)
    return Terms([[value(*row)] for row in zip(*columns, strict=True)])


REFERENCES: dict[str, Callable[[Arrays, Params], Terms]] = {
    "bradley_terry": bradley_terry,
    "dpo": dpo,
}
