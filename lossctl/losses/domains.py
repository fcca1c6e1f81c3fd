"""The domains that inputs may be declared with, and the check of each."""

from __future__ import annotations

from collections.abc import Callable

from lossctl.losses.definition import Array, ArrayModule, Domain, InvalidInput

SUM_TOLERANCE = 1e-3
"""How far a row may be from 1: what float16 probabilities of a thousand classes lose."""


def require(
    xp: ArrayModule, good: Array, name: str, why: str, hint: str = "", values: Array | None = None
) -> None:
    """Refuse the input `name` unless `good` (n, …) is true everywhere.

    Where `values` are given, NaN among them is let through: it has been dealt with, or is
    to be propagated.
    """
    if bool(good.all()):
        return
    bad = ~good if values is None or values.dtype.kind not in "fc" else ~good & ~xp.isnan(values)
    if bool(bad.any()):
        raise InvalidInput(name, bad, why, hint)


def _within(text: str, inside: Callable[[Array], Array], why: str, hint: str = "") -> Domain:
    def check(xp: ArrayModule, values: Array, name: str) -> None:
        require(xp, inside(values), name, why, hint, values)

    return Domain(text, check)


def within_unit(x: Array) -> bool:
    """Whether all lie in [0, 1]; false where there is NaN.

    The two ends cost less than an answer for each number, which is for errors alone.
    """
    return not x.size or bool((x.min() >= 0) & (x.max() <= 1))


def _unit_interval(hint: str) -> Domain:
    def check(xp: ArrayModule, values: Array, name: str) -> None:
        if not within_unit(values):
            outside = "has {value}, outside [0, 1]"
            require(xp, (values >= 0) & (values <= 1), name, outside, hint, values)

    return Domain("[0, 1]", check)


PROBABILITY = _unit_interval(
    "if these are logits, say so: from_logits=true; if percentages, divide by 100"
)
UNIT = _unit_interval("the classes are 0 and 1, or probabilities between them")
LABEL = _within(
    "{0, 1}",
    lambda x: (x == 0) | (x == 1),
    "has {value}, neither 0 nor 1",
    "multi-hot targets have prediction's shape: 1 for each label that holds, 0 for the others",
)
NON_NEGATIVE = _within("≥ 0", lambda x: x >= 0, "has {value}, below 0")
POSITIVE = _within("> 0", lambda x: x > 0, "has {value}, not above 0")
ABOVE_MINUS_ONE = _within(
    "> −1", lambda x: x > -1, "has {value}, not above −1, where log(1 + x) ends"
)
LOG_PROBABILITY = _within(
    "≤ 0",
    # a log_softmax in float32 or float16 may end a rounding above 0
    lambda x: x <= 1e-3,
    "has {value}, above 0, and so is no log-probability",
    "if these are logits, use cross_entropy:from_logits=true",
)
SIGN = _within("{−1, 1}", lambda x: (x == 1) | (x == -1), "has {value}, neither −1 nor 1")


def _check_margin_labels(xp: ArrayModule, values: Array, name: str) -> None:
    known = (values == 1) | (values == 0) | (values == -1)
    require(xp, known, name, "has {value}, which is none of −1, 0 and 1", "", values)
    if bool((values == 0).any()) and bool((values == -1).any()):
        raise InvalidInput(
            name,
            values == -1,
            "has {value} beside 0, and so two words for the negative class",
            "write the labels either as −1 and 1 or as 0 and 1",
        )


MARGIN_LABEL = Domain("{−1, 1} or {0, 1}", _check_margin_labels, exclusive=(0, -1))


def _check_distribution(xp: ArrayModule, values: Array, name: str) -> None:
    if not (values.size and bool(values.min() >= 0)):
        require(xp, values >= 0, name, "has {value}, below 0", "", values)
    off = xp.abs(values.sum(axis=-1, dtype="float64") - 1)
    good = off <= SUM_TOLERANCE
    if bool(good.all()):
        return
    require(
        xp,
        (good | xp.isnan(off))[..., None] & (values == values),
        name,
        "does not sum to 1",
        f"divide each row by its sum, or give log-probabilities with log_{name}=true",
        values,
    )


DISTRIBUTION = Domain("rows ≥ 0 that sum to 1", _check_distribution)
