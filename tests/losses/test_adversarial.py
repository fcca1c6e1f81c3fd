"""Adversarial: refusals, limits and laws."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import lossctl
from lossctl.errors import LossctlError

RNG = np.random.default_rng(0)
REAL, FAKE = RNG.standard_normal(9), RNG.standard_normal(6) - 0.5


def value(spec: str, **inputs: Any) -> float:
    if "generator" not in spec and not inputs:
        inputs = {"real": REAL, "fake": FAKE}
    return lossctl.evaluate(spec, **(inputs or {"fake": FAKE})).losses[0].value


@pytest.mark.parametrize(
    ("spec", "match"),
    [
        ("wasserstein_critic:sign=0", "sign must be one of 1, -1, not 0"),
        ("hinge_generator:variant=other", "variant must be one of linear, hinge, not other"),
        ("hinge_discriminator:activation=relu", "activation must be one of tanh"),
        ("gan_generator:clip=0.5", "clip must be"),
        ("lsgan_generator:half=2", "half must be true or false"),
        ("gan_generator", r"outside \[0, 1\]"),
        ("gan_discriminator:rounded=true", r"outside \[0, 1\]"),
    ],
)
def test_refusals(spec: str, match: str) -> None:
    with pytest.raises(LossctlError, match=match):
        value(spec)


def test_an_undecided_discriminator_costs_two_log_two() -> None:
    half = {"real": np.full(3, 0.5), "fake": np.full(5, 0.5)}
    assert value("gan_discriminator", **half) == pytest.approx(2 * math.log(2), rel=1e-15)
    zero = {name: 0 * array for name, array in half.items()}
    for form in ("", ",rounded=true"):
        found = value(f"gan_discriminator:from_logits=true{form}", **zero)
        assert found == pytest.approx(2 * math.log(2), rel=1e-15)


def test_rounded_probabilities_end_where_their_type_does() -> None:
    far = {"real": [40.0], "fake": [40.0]}
    exact = value("gan_discriminator:from_logits=true", **far)
    assert exact == pytest.approx(40, rel=1e-14)
    assert value("gan_discriminator:from_logits=true,rounded=true", **far) == math.inf
    assert value("gan_discriminator@monai", **far) == pytest.approx(100, rel=1e-14)
    near = {"from_logits": True, "fake": FAKE}
    assert value("gan_generator:rounded=true", **near) == pytest.approx(
        value("gan_generator", **near), rel=1e-13
    )


def test_clipped_probabilities_bound_the_loss() -> None:
    sure = {"real": [0.0, 1.0], "fake": [1.0]}
    assert value("gan_discriminator", **sure) == math.inf
    clipped = -math.log(0.125) / 2 - math.log(0.875) / 2 - math.log(0.125)
    assert value("gan_discriminator:clip=0.125", **sure) == pytest.approx(clipped, rel=1e-14)


def test_squares_may_be_whole() -> None:
    for loss in ("lsgan_discriminator", "lsgan_generator"):
        assert value(f"{loss}:half=false") == pytest.approx(2 * value(loss), rel=1e-15)


def test_a_leak_only_touches_outputs_below_zero() -> None:
    outputs = {"real": np.abs(REAL), "fake": np.abs(FAKE)}
    spec = "lsgan_discriminator"
    assert value(f"{spec}:leak=0.05", **outputs) == value(spec, **outputs)
    leaked = np.where(FAKE < 0, 0.05 * FAKE, FAKE)
    assert value("lsgan_generator:leak=0.05") == value("lsgan_generator", fake=leaked)


def test_tanh_comes_before_the_hinge() -> None:
    squashed = {"real": np.tanh(REAL), "fake": np.tanh(FAKE)}
    found = value("hinge_discriminator:activation=tanh")
    assert found == pytest.approx(value("hinge_discriminator", **squashed), rel=1e-13)
    for variant in ("linear", "hinge"):
        spec = f"hinge_generator:variant={variant}"
        expected = value(spec, fake=squashed["fake"])
        assert value(f"{spec},activation=tanh") == pytest.approx(expected, rel=1e-13)


def test_the_critics_loss_is_its_estimate_with_the_sign_turned() -> None:
    assert value("wasserstein_critic:sign=-1") == -value("wasserstein_critic")
