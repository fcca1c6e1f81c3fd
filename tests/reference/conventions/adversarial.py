"""Adversarial: the libraries' own calls."""

from __future__ import annotations

import monai.losses
import torch

from tests.reference.cases import given, key
from tests.reference.conventions import Call
from tests.reference.inputs import Arrays, Key

Labelled = list[tuple[str, Key]]


def critics(names: tuple[str, ...], nasty: dict[str, list[float]]) -> Labelled:
    ranges = {name: [-4, 4] for name in names}
    patches = {"names": ranges, "shape": [2, 3]}
    return [
        ("vector", key("fields", 1, names=ranges, rows={"real": 7, "fake": 5})),
        ("patches", key("fields", 2, rows=4, **patches)),
        ("float32", key("fields", 3, rows=6, dtype="float32", **patches)),
        ("nasty", given(**nasty)),
        ("nasty-float32", given("float32", **nasty)),
    ]


def monai_calls(loss: str, criterion: str, nasty: dict[str, list[float]]) -> list[Call]:
    """The loss of the discriminator, which is the sum of two calls, and of the generator."""
    judge = monai.losses.PatchAdversarialLoss(criterion=criterion)

    def discriminator(inputs: Arrays) -> float:
        real = judge(torch.tensor(inputs["real"]), target_is_real=True, for_discriminator=True)
        fake = judge(torch.tensor(inputs["fake"]), target_is_real=False, for_discriminator=True)
        return float(real + fake)

    def generator(inputs: Arrays) -> float:
        fake = torch.tensor(inputs["fake"])
        return float(judge(fake, target_is_real=True, for_discriminator=False))

    source = f'monai.losses.PatchAdversarialLoss(criterion="{criterion}")'
    alone = {"fake": nasty["fake"]}
    return [
        Call(
            f"{loss}_discriminator@monai", source, discriminator, critics(("real", "fake"), nasty)
        ),
        Call(f"{loss}_generator@monai", source, generator, critics(("fake",), alone)),
    ]


CALLS = [
    # far out, where the sigmoid is exactly 0 or 1, and where it is nearly so
    *monai_calls("gan", "bce", {"real": [1e4, -1e4, 0, -150], "fake": [-1e4, 1e4, 50, -120]}),
    *monai_calls("lsgan", "least_squares", {"real": [1e4, -1e4, 0, 1], "fake": [-1e4, 0, -1]}),
    *monai_calls("hinge", "hinge", {"real": [1e4, -1e4, 0, 30], "fake": [-1e4, 1, 1e4, -30]}),
]
