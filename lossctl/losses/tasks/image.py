"""Images: what pixels say of their neighbours, and feature maps of their images."""

from __future__ import annotations

from lossctl.losses.definition import (
    Array,
    ArrayModule,
    Convention,
    Example,
    Input,
    InvalidInput,
    Param,
    loss,
)
from lossctl.losses.numerics import ratio


def _sample_sums(elements: Array) -> Array:
    """Each sample's sum, in float64, whatever the axes behind the first."""
    return elements.reshape(elements.shape[0], -1).sum(axis=1, dtype="float64")


@loss(
    summary="Total variation",
    formula="per image Σ|Δ_h|^q + Σ|Δ_v|^q over horizontal and vertical neighbours, all channels;\n"
    "normalize=mean divides each sum by its number of differences",
    inputs=(Input("prediction", "(N, H, W) or (N, C, H, W) or (N, H, W, C)"),),
    params=(
        Param("power", 2, "the exponent q: 2 for squares, 1 for magnitudes", least=1, most=2),
        Param(
            "normalize",
            None,
            "mean: means instead of sums, comparable between image sizes",
            kind="choice",
            choices=("mean",),
        ),
        Param(
            "channels",
            None,
            "where the channels stand in four-dimensional images",
            kind="choice",
            choices=("first", "last"),
        ),
    ),
    use="How rough an image is, without a target: noise and ringing raise it, and so does true "
    "detail. Smoothest is not best; sums grow with the image's size.",
    traits=("convex",),
    reference="Rudin, Osher & Fatemi 1992, Nonlinear total variation, Physica D 60; "
    "anisotropic form, squared as in Mahendran & Vedaldi 2015",
    example=Example(
        {"prediction": [[[1, 2, 2], [4, 8, 7]], [[0, 0, 3], [1, 0, 0]]]}, (88 + 20) / 2
    ),
    conventions={
        "torchmetrics": Convention(
            "torchmetrics.functional.image.total_variation",
            {"power": 1, "channels": "first"},
            "sum",
            "magnitudes instead of squares, summed over all images; images are (N, C, H, W)",
        ),
    },
)
def total_variation(
    xp: ArrayModule, prediction: Array, *, power: int, normalize: str | None, channels: str | None
) -> Array:
    # channels=last may have been squeezed away; (N, C, H) is never an image
    planes = prediction.ndim == 3 and channels != "first"
    if not planes and (prediction.ndim != 4 or channels is None):
        shape = ", ".join(["N", *map(str, prediction.shape[1:])])
        hint = "say where the channels are: channels=first for (N, C, H, W), channels=last"
        why = f"of shape ({shape}) does not fit channels={channels or 'none'}"
        raise InvalidInput("prediction", None, why, f"{hint} for (N, H, W, C), none for (N, H, W)")
    height, width = (2, 3) if channels == "first" else (1, 2)
    return _variation(xp, prediction, height, power, normalize) + _variation(
        xp, prediction, width, power, normalize
    )


def _variation(
    xp: ArrayModule, images: Array, axis: int, power: int, normalize: str | None
) -> Array:
    """Each image's sum or mean of |difference|^power between neighbours along an axis."""
    steps = xp.diff(images, axis=axis)
    steps = xp.abs(steps) if power == 1 else xp.square(steps)
    total = _sample_sums(steps)
    # an image one pixel wide has no horizontal neighbours: 0 of 0
    return ratio(xp, total, steps.size / steps.shape[0]) if normalize == "mean" else total


@loss(
    summary="Perceptual (feature reconstruction) loss, from feature maps",
    formula="per sample Σ (φ(y) − φ(ŷ))², over all features and positions",
    inputs=(
        Input("prediction", help="feature maps φ(ŷ) of the predicted image, of any shape"),
        Input("target", help="feature maps φ(y) of the true image, of one layer and shape"),
    ),
    use="Likeness as a network sees it, kinder to shifts than pixel errors. It hangs on network, "
    "layer and image size (a sum, not a mean): compare under the same three.",
    traits=("smooth", "symmetric"),
    reference="Johnson, Alahi & Fei-Fei 2016, Perceptual Losses for Real-Time Style Transfer, "
    "ECCV, before its division by C·H·W",
    example=Example({"prediction": [[1, 2], [3, 5]], "target": [[0, 2], [1, 1]]}, 10.5),
)
def perceptual(xp: ArrayModule, prediction: Array, target: Array) -> Array:
    return _sample_sums(xp.square(prediction - target))
