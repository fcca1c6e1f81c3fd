"""Adversarial: what a discriminator or critic says of real and of generated samples."""

from __future__ import annotations

from typing import Any

from lossctl.errors import SpecError
from lossctl.losses.definition import Array, ArrayModule, Example, Input, Param, loss
from lossctl.losses.domains import PROBABILITY
from lossctl.losses.numerics import softplus


def sum_of_means(xp: ArrayModule, sums: Array, weights: Array, **_: Any) -> Array:
    """The sum of the means of the statistics on the last axis."""
    return (sums / weights).sum(axis=-1)


_REAL = Input("real", help="the discriminator's output for real samples, or for each patch")
_FAKE = Input("fake", help="its output for generated samples; their number may differ")
_REAL_PROBABILITY = Input("real", domain=PROBABILITY, unless="from_logits", help=_REAL.help)
_FAKE_PROBABILITY = Input("fake", domain=PROBABILITY, unless="from_logits", help=_FAKE.help)
_FROM_LOGITS = Param("from_logits", False, "whether the outputs are logits, not probabilities")


@loss(
    summary="GAN discriminator loss",
    formula="−E log D(real) − E log(1 − D(fake))",
    unit="nats",
    inputs=(_REAL_PROBABILITY, _FAKE_PROBABILITY),
    params=(_FROM_LOGITS,),
    finish=sum_of_means,
    unpaired=True,
    use="How well real and generated samples are told apart: 2 log 2 where D always says ½. "
    "It judges the discriminator, not the images; one certain and wrong output makes it infinite.",
    traits=("proper",),
    reference="Goodfellow et al. 2014, Generative Adversarial Nets, NeurIPS; its negative",
    example=Example({"real": [0.9, 0.8], "fake": [0.1, 0.3, 0.2]}, 0.39264503712294085),
)
def gan_discriminator(
    xp: ArrayModule, real: Array, fake: Array, *, from_logits: bool
) -> tuple[Array, Array]:
    if from_logits:
        return softplus(xp, -real), softplus(xp, fake)
    return -xp.log(real), -xp.log1p(-fake)


@loss(
    summary="GAN generator loss",
    formula="−E log D(fake); variant=minimax: E log(1 − D(fake))",
    unit="nats",
    inputs=(_FAKE_PROBABILITY,),
    params=(
        _FROM_LOGITS,
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
)
def gan_generator(xp: ArrayModule, fake: Array, *, from_logits: bool, variant: str) -> Array:
    if variant == "minimax":
        return -softplus(xp, fake) if from_logits else xp.log1p(-fake)
    return softplus(xp, -fake) if from_logits else -xp.log(fake)


@loss(
    summary="Least-squares GAN discriminator loss",
    formula="½ E(D(real) − 1)² + ½ E D(fake)²",
    inputs=(_REAL, _FAKE),
    finish=sum_of_means,
    unpaired=True,
    use="As gan_discriminator for unbounded outputs aimed at 1 and 0. Some code leaves out or "
    "doubles the ½: check before comparing.",
    traits=("smooth", "convex"),
    reference="Mao et al. 2017, Least Squares Generative Adversarial Networks, ICCV",
    example=Example({"real": [0.9, 0.5], "fake": [0.1, 0.3, 0.2]}, 0.265 / 3),
)
def lsgan_discriminator(xp: ArrayModule, real: Array, fake: Array) -> tuple[Array, Array]:
    return 0.5 * xp.square(real - 1), 0.5 * xp.square(fake)


@loss(
    summary="Least-squares GAN generator loss",
    formula="½ E(D(fake) − 1)²",
    inputs=(_FAKE,),
    use="How far generated samples are from the output 1 that real ones should get.",
    traits=("smooth", "convex"),
    reference="Mao et al. 2017, Least Squares Generative Adversarial Networks, ICCV",
    example=Example({"fake": [0.1, 0.4]}, 0.2925),
)
def lsgan_generator(xp: ArrayModule, fake: Array) -> Array:
    return 0.5 * xp.square(fake - 1)


@loss(
    summary="Wasserstein critic's difference",
    formula="sign·(E D(real) − E D(fake))",
    inputs=(_REAL, _FAKE),
    params=(
        Param(
            "sign",
            1,
            "1: the estimate of the distance, which the critic makes large; −1: its loss",
            least=-1,
            most=1,
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
    if sign == 0:
        raise SpecError("wasserstein_critic: sign must be 1 or −1, not 0")
    return sign * real, -sign * fake


_CRITIC_GENERATOR_USE = (
    "How highly the critic rates generated samples; it has no zero point, so compare it only "
    "under the same critic."
)


@loss(
    name="hinge_generator",
    summary="Hinge GAN generator loss",
    formula="−E D(fake)",
    inputs=(_FAKE,),
    use=_CRITIC_GENERATOR_USE,
    reference="Lim & Ye 2017, Geometric GAN; Miyato et al. 2018, Spectral Normalization, ICLR",
    example=Example({"fake": [-0.5, 0.2, -2.0]}, 2.3 / 3),
)
@loss(
    name="wgan_generator",
    summary="Wasserstein GAN generator loss",
    formula="−E D(fake)",
    inputs=(_FAKE,),
    use=_CRITIC_GENERATOR_USE,
    reference="Arjovsky, Chintala & Bottou 2017, Wasserstein GAN, ICML",
    example=Example({"fake": [0.5, -1.0, 0.2]}, 0.1),
)
def negated_output(xp: ArrayModule, fake: Array) -> Array:
    return -fake


@loss(
    summary="Hinge GAN discriminator loss",
    formula="E max(0, 1 − D(real)) + E max(0, 1 + D(fake))",
    inputs=(_REAL, _FAKE),
    finish=sum_of_means,
    unpaired=True,
    use="As gan_discriminator for unbounded outputs: only those on the wrong side of ±1 cost.",
    traits=("convex",),
    reference="Lim & Ye 2017, Geometric GAN; Miyato et al. 2018, Spectral Normalization, ICLR",
    example=Example({"real": [2.0, 0.5], "fake": [-0.5, 0.2, -2.0]}, 0.25 + 1.7 / 3),
)
def hinge_discriminator(xp: ArrayModule, real: Array, fake: Array) -> tuple[Array, Array]:
    return xp.maximum(1 - real, 0), xp.maximum(1 + fake, 0)
