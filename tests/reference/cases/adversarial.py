"""Adversarial: the cases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from tests.reference.cases import BIG, BOTH, FLOATS, LOGITS, Inputs, Key, Params, Plan, given, key


def critics(names: Sequence[str], low: float, high: float, ints: bool = True) -> list[Inputs]:
    counts = {name: count for name, count in (("real", 7), ("fake", 5)) if name in names}
    many = {name: BIG - 20_000 * (name == "fake") for name in names}
    reductions = BOTH if len(names) == 1 else ("mean",)

    def fields(seed: int, low: float = low, high: float = high, **arguments: Any) -> Key:
        # The two ranges differ, so that a difference of the means is far from 0.
        ranges = {name: [low, high - (high - low) / 4 * (name == "fake")] for name in names}
        return key("fields", seed, names=ranges, **{"rows": counts, **arguments})

    return [
        Inputs("float64", fields(171), reductions),
        Inputs("float32", fields(172, dtype="float32")),
        Inputs("float16", fields(173, dtype="float16")),
        Inputs("big", fields(174, rows=many)),
        *([Inputs("int8", fields(175, -5, 7, dtype="int8"))] if ints else []),
    ]


def judged(names: Sequence[str]) -> list[Inputs]:
    """Inputs of the losses that take probabilities or logits."""
    extreme = {"real": [1e4, 8, -1e4], "fake": [-1e4, 4]}
    sure = {"real": [1, 0.5, 0.75], "fake": [0.25, 0.5]}
    wrong = {"real": [0, 0.5], "fake": [0, 1, 0.5]}
    logits = critics(names, -4, 4)
    return [
        *critics(names, 0.02, 0.98, ints=False),
        *(
            Inputs(f"logits-{item.label}", item.key, item.reductions, LOGITS)
            for item in logits
            if item.label != "big"
        ),
        *(
            Inputs(
                f"logits-extremes-{dtype}",
                given(dtype, **{name: extreme[name] for name in names}),
                params=LOGITS,
                in_library=False,
            )
            for dtype in FLOATS
        ),
        Inputs("certain", given(**{name: sure[name] for name in names})),
        Inputs("wrong", given(**{name: wrong[name] for name in names}), in_library=False),
    ]


TWO = ("real", "fake")
ONE = ("fake",)
SQUARES: list[Params] = [{"half": False}, {"leak": 0.05}, {"half": False, "leak": 0.3}]
TANH: Params = {"activation": "tanh"}
EXTREME = Inputs("extremes", given(real=[12, -1e4, 20], fake=[-15, 1e4]), params=TANH)
WRONG = Inputs("clipped", given(fake=[0, 0.5, 0.0625, 1]), in_library=False)

PLANS = [
    Plan("gan_discriminator", judged(TWO), variants=[{"clip": 0.25}], on=("float64", "wrong")),
    Plan(
        "gan_generator",
        judged(ONE),
        variants=[{"variant": "minimax"}],
        on=("float64", "float32", "logits-float64", "logits-extremes-float64", "wrong"),
    ),
    Plan("gan_generator", [WRONG], variants=[{"clip": 0.125}], on=("clipped",)),
    Plan("lsgan_discriminator", critics(TWO, -2, 2), variants=SQUARES),
    Plan("lsgan_generator", critics(ONE, -2, 2), variants=SQUARES),
    Plan("wasserstein_critic", critics(TWO, -2, 4), variants=[{"sign": -1}]),
    Plan("wgan_generator", critics(ONE, -2, 4)),
    Plan("hinge_discriminator", critics(TWO, -2, 2), variants=[TANH], extra=[EXTREME]),
    Plan(
        "hinge_generator",
        critics(ONE, -2, 4),
        variants=[TANH, {"variant": "hinge"}, {"variant": "hinge", **TANH}],
        extra=[
            replace(EXTREME, key=given(fake=[12, -1e4, 20]), params={**TANH, "variant": "hinge"})
        ],
    ),
]
