"""Images: what pixels say of their neighbours, how alike two pictures are, and feature maps."""

from __future__ import annotations

from math import exp, fsum
from typing import NamedTuple

from lossctl.losses.definition import (
    REQUIRED,
    Array,
    ArrayModule,
    Convention,
    Example,
    Input,
    InvalidInput,
    Param,
    loss,
)
from lossctl.losses.network import feature_differences
from lossctl.losses.numerics import ratio
from lossctl.losses.shapes import show_shape

_IMAGES = "(N, H, W) or (N, C, H, W) or (N, H, W, C)"
_PAIR = (Input("prediction", _IMAGES), Input("target", _IMAGES))
_CHANNELS = Param(
    "channels",
    None,
    "where the channels stand in four-dimensional images",
    kind="choice",
    choices=("first", "last"),
)
_DATA_RANGE = Param(
    "data_range",
    REQUIRED,
    "the span of the values that pixels may have: 255 for uint8, 1 for [0, 1]",
    kind="number",
    above=0,
)
_WINDOW = Param("window", 11, "the side of the window, in pixels", least=2)
_SIGMA = Param("sigma", 1.5, "the standard deviation of its Gaussian, in pixels", above=0)


def _height_and_width(images: Array, channels: str | None, name: str) -> tuple[int, int]:
    """The axes of an image's rows and columns.

    Raises:
        InvalidInput: The shape does not fit what is said of the channels.
    """
    # channels=last may have been squeezed away; (N, C, H) is never an image
    planes = images.ndim == 3 and channels != "first"
    if not planes and (images.ndim != 4 or channels is None):
        hint = "say where the channels are: channels=first for (N, C, H, W), channels=last"
        why = f"of shape {show_shape(images.shape)} does not fit channels={channels or 'none'}"
        raise InvalidInput(name, None, why, f"{hint} for (N, H, W, C), none for (N, H, W)")
    return (2, 3) if channels == "first" else (1, 2)


def _planes(xp: ArrayModule, images: Array, channels: str | None, name: str) -> Array:
    """The channels as images of their own, (n, C, H, W) in float64; C is 1 without channels."""
    _height_and_width(images, channels, name)
    if images.ndim == 3:
        images = images[:, None]
    elif channels == "last":
        images = xp.moveaxis(images, -1, 1)
    return xp.ascontiguousarray(images, dtype="float64")


def _sample_sums(elements: Array) -> Array:
    """Each sample's sum, in float64, whatever the axes behind the first."""
    # cast before the sum: NumPy's buffered cast adds in an order that depends on the rows
    flat = elements.reshape(elements.shape[0], -1).astype("float64", copy=False)
    return flat.sum(axis=1)


def _sample_means(elements: Array) -> Array:
    return _sample_sums(elements) / (elements.size // elements.shape[0])


@loss(
    summary="Total variation",
    formula="per image Σ|Δ_h|^q + Σ|Δ_v|^q over horizontal and vertical neighbours, all channels;\n"
    "normalize=mean divides each sum by its number of differences",
    inputs=(Input("prediction", _IMAGES),),
    params=(
        Param("power", 2, "the exponent q: 2 for squares, 1 for magnitudes", choices=(2, 1)),
        Param(
            "normalize",
            None,
            "mean: means instead of sums, comparable between image sizes",
            kind="choice",
            choices=("mean",),
        ),
        _CHANNELS,
    ),
    use="How rough an image is, without a target: noise and ringing raise it, and so does true "
    "detail. Smoothest is not best; sums grow with the image's size.",
    traits=("convex", "nonnegative"),
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
    height, width = _height_and_width(prediction, channels, "prediction")
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
    summary="Perceptual (feature reconstruction) loss",
    formula="per sample Σ (φ(y) − φ(ŷ))², over all features and positions",
    inputs=(
        Input("prediction", help="feature maps φ(ŷ), of any shape; with model, the images ŷ"),
        Input("target", help="feature maps φ(y) of the same layer; with model, the images y"),
    ),
    params=(
        Param(
            "model",
            None,
            "an ONNX file: the network whose outputs are the feature maps φ of images "
            "(N, C, H, W), in float32; without one the inputs are the feature maps",
            kind="text",
        ),
    ),
    use="Likeness as a network sees it, kinder to shifts than pixel errors. It hangs on network, "
    "layer and image size (a sum, not a mean): compare under the same three.",
    traits=("smooth", "symmetric", "zero", "nonnegative"),
    reference="Johnson, Alahi & Fei-Fei 2016, Perceptual Losses for Real-Time Style Transfer, "
    "ECCV, before its division by C·H·W",
    example=Example({"prediction": [[1, 2], [3, 5]], "target": [[0, 2], [1, 1]]}, 10.5),
)
def perceptual(xp: ArrayModule, prediction: Array, target: Array, *, model: str | None) -> Array:
    if model is None:
        return _sample_sums(xp.square(prediction - target))
    values = feature_differences(xp, prediction, target, model, "perceptual")
    unknown = xp.isnan(prediction) | xp.isnan(target)  # which some layers turn into numbers
    return xp.where(unknown.reshape(len(values), -1).any(axis=1), xp.nan, values)


def _gaussian(window: int, sigma: float) -> list[float]:
    """The weights of a window's rows, and of its columns; their sum is 1."""
    weights = [exp(-(((k - (window - 1) / 2) / sigma) ** 2) / 2) for k in range(window)]
    return [weight / fsum(weights) for weight in weights]


class _Picture(NamedTuple):
    """Images as what each pixel has beside the first one: bright ones keep all digits."""

    pixels: Array  # (n, C, H, W)
    first: Array  # (n, C, 1, 1)

    @classmethod
    def of(cls, images: Array) -> _Picture:
        first = images[..., :1, :1]
        return cls(images - first, first)

    def halved(self) -> _Picture:
        """The means of 2 × 2 pixels; an odd last row or column is left out."""
        height, width = (side - side % 2 for side in self.pixels.shape[-2:])
        pixels = self.pixels[..., :height, :width]
        rows = pixels[..., ::2, :] + pixels[..., 1::2, :]
        return self._replace(pixels=0.25 * (rows[..., ::2] + rows[..., 1::2]))

    def moments(self, xp: ArrayModule, weights: list[float]) -> tuple[Array, Array]:
        """The weighted mean and variance in each window that lies inside the images.

        A window's variance is the mean of its rows' variances and the variance of their
        means: nothing cancels.
        """
        means, variances = _along(xp, self.pixels, None, weights, -1)
        means, variances = _along(xp, means, variances, weights, -2)
        return self.first + means, variances


def _along(
    xp: ArrayModule, means: Array, variances: Array | None, weights: list[float], axis: int
) -> tuple[Array, Array]:
    """The moments of what is merged along an axis, of the moments of its parts."""
    count = means.shape[axis] - len(weights) + 1

    def part(array: Array, start: int) -> Array:
        place = slice(start, start + count)
        return array[..., place] if axis == -1 else array[..., place, :]

    mean = weights[0] * part(means, 0)
    for start, weight in enumerate(weights[1:], 1):
        mean += weight * part(means, start)
    variance = xp.zeros_like(mean)
    for start, weight in enumerate(weights):
        spread = part(means, start) - mean
        spread *= spread
        if variances is not None:
            spread += part(variances, start)
        spread *= weight
        variance += spread
    return mean, variance


class _Pair(NamedTuple):
    """Prediction, target and their difference, which where they agree has digits of its own."""

    prediction: _Picture
    target: _Picture
    error: _Picture

    @classmethod
    def of(cls, prediction: Array, target: Array) -> _Pair:
        return cls(_Picture.of(prediction), _Picture.of(target), _Picture.of(prediction - target))

    def halved(self) -> _Pair:
        return _Pair(*(picture.halved() for picture in self))

    def unlike(
        self, xp: ArrayModule, weights: list[float], data_range: float
    ) -> tuple[Array, Array]:
        """1 − l and 1 − cs in each window, of SSIM = l · cs.

        l compares the means and cs the contrasts. Of the difference's moments the two are
        exact also where they are nearly 0.
        """
        mean_p, variance_p = self.prediction.moments(xp, weights)
        mean_y, variance_y = self.target.moments(xp, weights)
        mean_e, variance_e = self.error.moments(xp, weights)
        brightness = mean_p * mean_p + mean_y * mean_y + (0.01 * data_range) ** 2
        contrast = variance_p + variance_y + (0.03 * data_range) ** 2
        return mean_e * mean_e / brightness, variance_e / contrast


def _require_room(images: Array, smallest: int, why: str) -> None:
    height, width = images.shape[-2:]
    if min(height, width) < smallest:
        raise InvalidInput(
            "prediction",
            None,
            f"has images of {height} × {width} pixels, and {why}",
            "give a smaller window=, or larger images",
        )


@loss(
    summary="Structural dissimilarity: 1 − SSIM",
    formula="1 − mean SSIM over the windows inside the image, all channels;\n"
    "SSIM = (2μμ' + c₁)(2σ_xy + c₂) / ((μ² + μ'² + c₁)(σ² + σ'² + c₂)), Gaussian windows,\n"
    "c₁ = (0.01 R)², c₂ = (0.03 R)², R = data_range",
    inputs=_PAIR,
    params=(_DATA_RANGE, _WINDOW, _SIGMA, _CHANNELS),
    use="Likeness in local brightness, contrast and structure, nearer to what is seen than pixel "
    "errors; 0 for equal images. Libraries differ in window, borders and R: state them.",
    traits=("symmetric", "zero", "nonnegative", "bounded"),
    reference="Wang, Bovik, Sheikh & Simoncelli 2004, Image Quality Assessment: From Error "
    "Visibility to Structural Similarity, IEEE TIP 13",
    example=Example(
        {
            "prediction": [[[0.5, 0.25], [0.75, 0.5]], [[0.2, 0.2], [0.2, 0.2]]],
            "target": [[[0.5, 0.5], [0.5, 0.25]], [[0.3, 0.3], [0.3, 0.3]]],
        },
        0.5282648609747982,
        {"data_range": 1.0, "window": 2},
    ),
    conventions={
        "monai": Convention(
            "monai.losses.SSIMLoss",
            {"data_range": 1.0, "channels": "first"},
            note="data_range=1; images are (N, C, H, W), computed in float32",
        ),
    },
)
def ssim(
    xp: ArrayModule,
    prediction: Array,
    target: Array,
    *,
    data_range: float,
    window: int,
    sigma: float,
    channels: str | None,
) -> Array:
    prediction = _planes(xp, prediction, channels, "prediction")
    target = _planes(xp, target, channels, "target")
    _require_room(prediction, window, f"a window of {window} × {window} does not fit inside")
    pair = _Pair.of(prediction, target)
    apart, unlike = pair.unlike(xp, _gaussian(window, sigma), data_range)
    return _sample_means(apart + (1 - apart) * unlike)


_EXPONENTS = Param(
    "exponents",
    (0.0448, 0.2856, 0.3001, 0.2363, 0.1333),
    "β of each scale, finest first; the default is what Wang 2003 measured on observers",
    kind="numbers",
    least=0,
)


@loss(
    summary="Multi-scale structural dissimilarity: 1 − MS-SSIM",
    formula="1 − SSIM_M^β_M · Π_{j<M} cs_j^β_j over M = 5 scales, each the 2 × 2 means of the one\n"
    "before; cs = (2σ_xy + c₂)/(σ² + σ'² + c₂) and SSIM are means over the scale's windows, a\n"
    "negative one counts as 0; the mean over the channels",
    inputs=_PAIR,
    params=(_DATA_RANGE, _WINDOW, _SIGMA, _EXPONENTS, _CHANNELS),
    use="As ssim, and less dependent on the viewing distance. With window=11 an image's sides need "
    "at least 176 pixels.",
    traits=("symmetric", "zero", "nonnegative", "bounded"),
    reference="Wang, Simoncelli & Bovik 2003, Multiscale Structural Similarity for Image Quality "
    "Assessment, Asilomar",
    example=Example(
        {
            "prediction": [[[1, 2, 0, 3], [4, 4, 2, 1], [0, 1, 3, 3], [2, 2, 1, 0]]],
            "target": [[[1, 3, 1, 2], [4, 3, 2, 2], [1, 1, 4, 3], [2, 1, 1, 1]]],
        },
        0.1636538706258019,
        {"data_range": 4.0, "window": 2, "exponents": (0.5, 0.5)},
    ),
)
def ms_ssim(
    xp: ArrayModule,
    prediction: Array,
    target: Array,
    *,
    data_range: float,
    window: int,
    sigma: float,
    exponents: tuple[float, ...] | float,
    channels: str | None,
) -> Array:
    prediction = _planes(xp, prediction, channels, "prediction")
    target = _planes(xp, target, channels, "target")
    powers = exponents if isinstance(exponents, tuple) else (exponents,)
    least = window * 2 ** (len(powers) - 1)
    _require_room(prediction, least, f"{len(powers)} scales need {least} × {least} at least")
    pair, weights = _Pair.of(prediction, target), _gaussian(window, sigma)
    logarithm: Array = 0.0
    for scale, power in enumerate(powers, 1):
        apart, unlike = pair.unlike(xp, weights, data_range)
        if scale == len(powers):
            unlike = apart + (1 - apart) * unlike
        else:
            pair = pair.halved()
        short = unlike.reshape(*unlike.shape[:2], -1).mean(axis=-1)
        if power > 0:
            logarithm = logarithm + power * xp.log1p(-xp.minimum(short, 1))
    return _sample_means(-xp.expm1(logarithm))


@loss(
    summary="Negative peak signal-to-noise ratio",
    formula="−10 log₁₀(R² / mse), per image, R = data_range; the mean over images",
    unit="dB",
    inputs=(Input("prediction"), Input("target")),
    params=(_DATA_RANGE,),
    use="The usual figure of restored and compressed images with its sign turned, so that less is "
    "better; −∞ for an equal image. The mean of decibels is not the decibels of the mean.",
    traits=("symmetric",),
    reference="Huynh-Thu & Ghanbari 2008, Scope of validity of PSNR in image/video quality "
    "assessment, Electronics Letters 44",
    example=Example(
        {"prediction": [[10, 0], [3, 4]], "target": [[0, 0], [3, 5]]},
        -13.010299956639812,
        {"data_range": 10.0},
    ),
)
def psnr(xp: ArrayModule, prediction: Array, target: Array, *, data_range: float) -> Array:
    error = prediction.astype("float64", copy=False) - target
    return 10 * xp.log10(_sample_means(xp.square(error / data_range)))


_GRAM_ELEMENTS = 1 << 18
"""What of Gram matrices is held at a time."""


@loss(
    summary="Style loss: difference of Gram matrices",
    formula="per sample Σ_cd (G(ŷ) − G(y))²_cd, G_cd = Σ φ_c φ_d / (C·H·W) over all positions",
    inputs=(
        Input("prediction", "(N, C, …) or (N, …, C)", help="feature maps φ of the predicted image"),
        Input(
            "target", "(N, C, …) or (N, …, C)", help="feature maps of the image whose style it is"
        ),
    ),
    params=(
        Param(
            "channels",
            REQUIRED,
            "where the channels (the features) stand: first for (N, C, H, W), last",
            kind="choice",
            choices=("first", "last"),
        ),
    ),
    use="Likeness in texture, wherever it is in the image. It hangs on network and layer: compare "
    "under the same. Gatys's own E is a quarter of it.",
    traits=("symmetric", "zero", "nonnegative", "smooth"),
    reference="Gatys, Ecker & Bethge 2016, Image Style Transfer Using Convolutional Neural "
    "Networks, CVPR; scaled as in Johnson, Alahi & Fei-Fei 2016, ECCV",
    example=Example(
        {
            "prediction": [[[1, 2], [0, 1]], [[1, 1], [1, -1]]],
            "target": [[[1, 0], [2, 1]], [[0, 0], [0, 0]]],
        },
        1.25,
        {"channels": "first"},
    ),
)
def style_gram(xp: ArrayModule, prediction: Array, target: Array, *, channels: str) -> Array:
    def features(maps: Array) -> Array:
        maps = maps if channels == "first" else xp.moveaxis(maps, -1, 1)
        flat = maps.reshape(*maps.shape[:2], -1)
        return xp.ascontiguousarray(flat, dtype="float64")

    predicted, true = features(prediction), features(target)
    samples, count, places = predicted.shape
    difference, total = predicted - true, xp.swapaxes(predicted + true, 1, 2)
    values = xp.empty(samples)
    together = max(1, _GRAM_ELEMENTS // (count * count))
    for start in range(0, samples, together):
        part = slice(start, start + together)
        # G(ŷ) − G(y) is the symmetric part of it: small where the two agree
        product = difference[part] @ total[part]
        gap = product + xp.swapaxes(product, 1, 2)
        values[part] = _sample_sums(xp.square(gap / (2 * count * places)))
    return values


@loss(
    summary="Gradient difference loss (GDL)",
    formula="per image Σ ||Δ_h y| − |Δ_h ŷ||^α + Σ ||Δ_v y| − |Δ_v ŷ||^α over horizontal and\n"
    "vertical neighbours, all channels",
    inputs=_PAIR,
    params=(Param("alpha", 1.0, "the exponent α", above=0), _CHANNELS),
    use="Sharpness: blurred edges cost, wherever the right brightness does not. Beside a pixel "
    "loss, not alone; sums grow with the image's size.",
    traits=("symmetric", "zero", "nonnegative", "shift"),
    reference="Mathieu, Couprie & LeCun 2016, Deep multi-scale video prediction beyond mean "
    "square error, ICLR",
    example=Example(
        {
            "prediction": [[[0, 3], [1, 1]], [[2, 2], [2, 0]]],
            "target": [[[0, 1], [4, 1]], [[2, 2], [2, 2]]],
        },
        7.0,
    ),
)
def gradient_difference(
    xp: ArrayModule, prediction: Array, target: Array, *, alpha: float, channels: str | None
) -> Array:
    prediction = _planes(xp, prediction, channels, "prediction")
    target = _planes(xp, target, channels, "target")
    total: Array = 0.0
    for axis in (2, 3):
        steps = xp.abs(xp.diff(target, axis=axis)) - xp.abs(xp.diff(prediction, axis=axis))
        total = total + _sample_sums(xp.abs(steps) ** alpha)
    return total
