"""Adversarial: the definitions, at 50 digits."""

from __future__ import annotations

from collections.abc import Callable

from mpmath import mp, mpf

from tests.reference.exact.parts import Arrays, Number, Params, Terms, bernoulli, mean, numbers


def two_sided(
    real: Callable[[Number, Params], Number] | None,
    fake: Callable[[Number, Params], Number],
) -> Callable[[Arrays, Params], Terms]:
    """The mean over real plus the mean over fake; with no real part, an ordinary loss of fake."""

    def reference(inputs: Arrays, params: Params) -> Terms:
        values = [fake(v, params) for v in numbers(inputs["fake"])]
        if real is None:
            return Terms([[v] for v in values])
        whole = mean([real(v, params) for v in numbers(inputs["real"])]) + mean(values)
        return Terms([], dataset=whole)

    return reference


def is_real(d: Number, params: Params) -> Number:
    return bernoulli(d, 1, params)[0]


def is_fake(d: Number, params: Params) -> Number:
    return bernoulli(d, 0, params)[1]


def fools(d: Number, params: Params) -> Number:
    if params.get("variant", "non_saturating") == "minimax":
        return -is_fake(d, params)
    return is_real(d, params)


def sign(params: Params) -> Number:
    return mpf(params.get("sign", 1))


def square(d: Number, aim: int, params: Params) -> Number:
    d = mpf(params.get("leak", 1)) * d if d < 0 else d
    return (d - aim) ** 2 / (2 if params.get("half", True) else 1)


def hinge(d: Number, params: Params) -> Number:
    return max(mpf(0), 1 - activated(d, params))


def activated(d: Number, params: Params) -> Number:
    return mp.tanh(d) if params.get("activation") == "tanh" else d


def praise(d: Number, params: Params) -> Number:
    return hinge(d, params) if params.get("variant") == "hinge" else -activated(d, params)


REFERENCES: dict[str, Callable[[Arrays, Params], Terms]] = {
    "gan_discriminator": two_sided(is_real, is_fake),
    "gan_generator": two_sided(None, fools),
    "lsgan_discriminator": two_sided(
        lambda d, params: square(d, 1, params), lambda d, params: square(d, 0, params)
    ),
    "lsgan_generator": two_sided(None, lambda d, params: square(d, 1, params)),
    "wasserstein_critic": two_sided(
        lambda d, params: sign(params) * d, lambda d, params: -sign(params) * d
    ),
    "wgan_generator": two_sided(None, lambda d, _: -d),
    "hinge_discriminator": two_sided(hinge, lambda d, params: hinge(-d, params)),
    "hinge_generator": two_sided(None, praise),
}
