"""Adversarial: what a discriminator or critic says of real and of generated samples."""

from __future__ import annotations

from math import exp
from typing import Any

from lossctl.losses.classes import CLIP, limits
from lossctl.losses.definition import (
    Array,
    ArrayModule,
    Convention,
    Example,
    Input,
    Param,
    loss,
)
from lossctl.losses.domains import PROBABILITY
from lossctl.losses.numerics import sigmoid, softplus


def sum_of_means(xp: ArrayModule, sums: Array, weights: Array, **_: Any) -> Array:
    """The sum of the means of the statistics on the last axis."""
    return (sums / weights).sum(axis=-1)


_REAL = Input("real", help="the discriminator's output for real samples, or for each patch")
_FAKE = Input("fake", help="its output for generated samples; their number may differ")
_REAL_PROBABILITY = Input("real", domain=PROBABILITY, unless="from_logits", help=_REAL.help)
_FAKE_PROBABILITY = Input("fake", domain=PROBABILITY, unless="from_logits", help=_FAKE.help)
_JUDGED = (
    Param("from_logits", False, "whether the outputs are logits, not probabilities"),
    Param(
        "rounded",
        False,
        "logits become probabilities before the logarithm, rounded as a sigmoid layer rounds "
        "them: to 0 and 1 far out",
    ),
    CLIP,
)
_LEAST_SQUARES = (
    Param("half", True, "whether the squares are halved"),
    Param("leak", 1.0, "the factor for outputs below 0: those of a LeakyReLU; 1 for none"),
)
_ACTIVATION = Param(
    "activation", None, "what the outputs pass through first", kind="choice", choices=("tanh",)
)
_TWO_CALLS = "the sum of its two calls, on real and on fake"
_MONAI = "monai.losses.PatchAdversarialLoss"
_MONAI_BCE = Convention(
    f'{_MONAI}(criterion="bce")',
    {"from_logits": True, "rounded": True, "clip": exp(-100)},
    note="logits, through a sigmoid; logarithms are at least −100",
)
_MONAI_SQUARES = Convention(
    _MONAI,
    {"half": False, "leak": 0.05},
    note="not halved, and outputs below 0 are first multiplied by 0.05",
)


def _log_real(
    xp: ArrayModule, outputs: Array, from_logits: bool, rounded: bool, clip: Any
) -> Array:
    """log D."""
    if from_logits and not rounded:
        return -softplus(xp, -outputs)
    p = sigmoid(xp, outputs) if from_logits else outputs
    return limits(xp, clip, False, p.dtype).clip_log(xp, xp.log(p))


def _log_fake(
    xp: ArrayModule, outputs: Array, from_logits: bool, rounded: bool, clip: Any
) -> Array:
    """log(1 − D)."""
    if from_logits and not rounded:
        return -softplus(xp, outputs)
    p = sigmoid(xp, outputs) if from_logits else outputs
    return limits(xp, clip, False, p.dtype).mirrored.clip_log(xp, xp.log1p(-p))


@loss(
    summary="GAN discriminator loss",
    formula="−E log D(real) − E log(1 − D(fake))",
    unit="nats",
    inputs=(_REAL_PROBABILITY, _FAKE_PROBABILITY),
    params=_JUDGED,
    finish=sum_of_means,
    unpaired=True,
    use="How well real and generated samples are told apart: 2 log 2 where D always says ½. "
    "It judges the discriminator, not the images; one certain and wrong output makes it infinite.",
    traits=("proper",),
    reference="Goodfellow et al. 2014, Generative Adversarial Nets, NeurIPS; its negative",
    example=Example({"real": [0.9, 0.8], "fake": [0.1, 0.3, 0.2]}, 0.39264503712294085),
    conventions={"monai": _MONAI_BCE._replace(note=f"{_MONAI_BCE.note}; {_TWO_CALLS}")},
    contrast={"real": [3.0, -200.0], "fake": [-1.0, 40.0, 2.0], "from_logits": True},
)
def gan_discriminator(
    xp: ArrayModule, real: Array, fake: Array, *, from_logits: bool, rounded: bool, clip: Any
) -> tuple[Array, Array]:
    form = (from_logits, rounded, clip)
    return -_log_real(xp, real, *form), -_log_fake(xp, fake, *form)


@loss(
    summary="GAN generator loss",
    formula="−E log D(fake); variant=minimax: E log(1 − D(fake))",
    unit="nats",
    inputs=(_FAKE_PROBABILITY,),
    params=(
        *_JUDGED,
        Param(
            "variant",
            "non_saturating",
            "what is trained in practice, or the generator's side of the game",
            choices=("non_saturating", "minimax"),
        ),
    ),
    use="How well generated samples pass for real ones with this discriminator; values of "
    "different discriminators do not compare. minimax is negative and saturates near D = 0.",
    traits=("asymmetric",),
    reference="Goodfellow et al. 2014, Generative Adversarial Nets, NeurIPS",
    example=Example({"fake": [0.1, 0.4]}, 1.6094379124341003),
    conventions={"monai": _MONAI_BCE},
    contrast={"fake": [-1.0, -200.0, 2.0], "from_logits": True},
)
def gan_generator(
    xp: ArrayModule, fake: Array, *, from_logits: bool, rounded: bool, clip: Any, variant: str
) -> Array:
    form = (from_logits, rounded, clip)
    return _log_fake(xp, fake, *form) if variant == "minimax" else -_log_real(xp, fake, *form)


@loss(
    summary="Least-squares GAN discriminator loss",
    formula="½ E(D(real) − 1)² + ½ E D(fake)²",
    inputs=(_REAL, _FAKE),
    params=_LEAST_SQUARES,
    finish=sum_of_means,
    unpaired=True,
    use="As gan_discriminator for unbounded outputs aimed at 1 and 0. Some code leaves out or "
    "doubles the ½: check before comparing.",
    traits=("smooth", "convex", "nonnegative"),
    reference="Mao et al. 2017, Least Squares Generative Adversarial Networks, ICCV",
    example=Example({"real": [0.9, 0.5], "fake": [0.1, 0.3, 0.2]}, 0.265 / 3),
    conventions={"monai": _MONAI_SQUARES._replace(note=f"{_MONAI_SQUARES.note}; {_TWO_CALLS}")},
)
def lsgan_discriminator(
    xp: ArrayModule, real: Array, fake: Array, *, half: bool, leak: float
) -> tuple[Array, Array]:
    return _squares(xp, real, 1, half, leak), _squares(xp, fake, 0, half, leak)


def _squares(xp: ArrayModule, outputs: Array, aim: int, half: bool, leak: float) -> Array:
    if leak != 1:
        outputs = xp.where(outputs < 0, leak * outputs, outputs)
    squares = xp.square(outputs - aim)
    return 0.5 * squares if half else squares


@loss(
    summary="Least-squares GAN generator loss",
    formula="½ E(D(fake) − 1)²",
    inputs=(_FAKE,),
    params=_LEAST_SQUARES,
    use="How far generated samples are from the output 1 that real ones should get.",
    traits=("smooth", "convex", "nonnegative"),
    reference="Mao et al. 2017, Least Squares Generative Adversarial Networks, ICCV",
    example=Example({"fake": [0.1, 0.4]}, 0.2925),
    conventions={"monai": _MONAI_SQUARES},
)
def lsgan_generator(xp: ArrayModule, fake: Array, *, half: bool, leak: float) -> Array:
    return _squares(xp, fake, 1, half, leak)


@loss(
    summary="Wasserstein critic's difference",
    formula="sign·(E D(real) − E D(fake))",
    inputs=(_REAL, _FAKE),
    params=(
        Param(
            "sign",
            1,
            "1: the estimate of the distance, which the critic makes large; −1: its loss",
            choices=(1, -1),
        ),
    ),
    finish=sum_of_means,
    unpaired=True,
    use="The estimated Wasserstein distance, where the critic is 1-Lipschitz; otherwise only "
    "comparable under the same critic. The gradient penalty is no part of it.",
    traits=("asymmetric",),
    reference="Arjovsky, Chintala & Bottou 2017, Wasserstein GAN, ICML",
    example=Example({"real": [2.0, 1.0], "fake": [0.5, -1.0, 0.2]}, 1.6),
)
def wasserstein_critic(
    xp: ArrayModule, real: Array, fake: Array, *, sign: int
) -> tuple[Array, Array]:
    return sign * real, -sign * fake


_CRITIC_GENERATOR_USE = (
    "How highly the critic rates generated samples; it has no zero point, so compare it only "
    "under the same critic."
)


@loss(
    summary="Wasserstein GAN generator loss",
    formula="−E D(fake)",
    inputs=(_FAKE,),
    use=_CRITIC_GENERATOR_USE,
    reference="Arjovsky, Chintala & Bottou 2017, Wasserstein GAN, ICML",
    example=Example({"fake": [0.5, -1.0, 0.2]}, 0.1),
)
def wgan_generator(xp: ArrayModule, fake: Array) -> Array:
    return -fake


_MONAI_HINGE = f'{_MONAI}(criterion="hinge")'


@loss(
    summary="Hinge GAN generator loss",
    formula="−E D(fake); variant=hinge: E max(0, 1 − D(fake))",
    inputs=(_FAKE,),
    params=(
        Param(
            "variant",
            "linear",
            "what goes with the hinge discriminator, or the hinge that it has for real samples",
            choices=("linear", "hinge"),
        ),
        _ACTIVATION,
    ),
    use=_CRITIC_GENERATOR_USE,
    reference="Lim & Ye 2017, Geometric GAN; Miyato et al. 2018, Spectral Normalization, ICLR",
    example=Example({"fake": [-0.5, 0.2, -2.0]}, 2.3 / 3),
    conventions={
        "monai": Convention(
            _MONAI_HINGE,
            {"variant": "hinge", "activation": "tanh"},
            note="a hinge where others take −E D(fake), of outputs through a tanh",
        ),
    },
)
def hinge_generator(xp: ArrayModule, fake: Array, *, variant: str, activation: str | None) -> Array:
    if variant == "hinge":
        return _short_of_one(xp, fake, activation)
    return -xp.tanh(fake) if activation == "tanh" else -fake


def _short_of_one(xp: ArrayModule, outputs: Array, activation: str | None) -> Array:
    """max(0, 1 − D)."""
    if activation == "tanh":
        return 2 * sigmoid(xp, -2 * outputs)  # 1 − tanh, to all digits
    return xp.maximum(1 - outputs, 0)


@loss(
    summary="Hinge GAN discriminator loss",
    formula="E max(0, 1 − D(real)) + E max(0, 1 + D(fake))",
    inputs=(_REAL, _FAKE),
    params=(_ACTIVATION,),
    finish=sum_of_means,
    unpaired=True,
    use="As gan_discriminator for unbounded outputs: only those on the wrong side of ±1 cost.",
    traits=("convex", "nonnegative"),
    reference="Lim & Ye 2017, Geometric GAN; Miyato et al. 2018, Spectral Normalization, ICLR",
    example=Example({"real": [2.0, 0.5], "fake": [-0.5, 0.2, -2.0]}, 0.25 + 1.7 / 3),
    conventions={
        "monai": Convention(
            _MONAI_HINGE,
            {"activation": "tanh"},
            note=f"outputs pass through a tanh first; {_TWO_CALLS}",
        ),
    },
)
def hinge_discriminator(
    xp: ArrayModule, real: Array, fake: Array, *, activation: str | None
) -> tuple[Array, Array]:
    return _short_of_one(xp, real, activation), _short_of_one(xp, -fake, activation)
