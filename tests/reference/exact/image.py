"""Images: the definitions, at 50 digits."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import numpy as np
from mpmath import mp, mpf

from tests.reference.exact.parts import (
    Array,
    Arrays,
    Number,
    Params,
    Terms,
    dot,
    mean,
    rows,
    samples,
)

Reference = Callable[[Arrays, Params], Terms]


def total_variation(inputs: Arrays, params: Params) -> Terms:
    exponent = params.get("power", 2)
    by_mean = params.get("normalize", "none") == "mean"
    images = inputs["prediction"]
    if params.get("channels") == "last":
        images = np.moveaxis(images, -1, 1)
    values = []
    for image in images.reshape(len(images), -1, *images.shape[-2:]):
        across = [line for plane in rows(image) for line in plane]
        down = [line for plane in rows(image) for line in zip(*plane, strict=True)]
        total = mpf(0)
        for lines in (across, down):
            steps = [abs(b - a) ** exponent for line in lines for a, b in itertools.pairwise(line)]
            total += mp.fsum(steps) / (len(steps) if by_mean else 1)
        values.append([total])
    return Terms(values)


def perceptual(inputs: Arrays, params: Params) -> Terms:
    pairs = zip(samples(inputs["prediction"]), samples(inputs["target"]), strict=True)
    return Terms([[mp.fsum((p - y) ** 2 for p, y in zip(*pair, strict=True))] for pair in pairs])


Plane = list[list[Number]]


def planes(image: Array, channels: str | None) -> list[Plane]:
    """Each channel of an image."""
    if channels == "last":
        image = np.moveaxis(image, -1, 0)
    flat = image.reshape(-1, *image.shape[-2:])
    return [[[mpf(v) for v in line] for line in plane.tolist()] for plane in flat]


def windows(plane: Plane, size: int) -> Iterator[list[Number]]:
    for top in range(len(plane) - size + 1):
        for left in range(len(plane[0]) - size + 1):
            yield [v for line in plane[top : top + size] for v in line[left : left + size]]


def gaussian(size: int, sigma: Number) -> list[Number]:
    centre = mpf(size - 1) / 2
    places = itertools.product(range(size), repeat=2)
    heights = [mp.exp(-((i - centre) ** 2 + (j - centre) ** 2) / (2 * sigma**2)) for i, j in places]
    return [height / mp.fsum(heights) for height in heights]


def similarity(x: Plane, y: Plane, params: Params) -> tuple[Number, Number]:
    """The means over the windows of SSIM and of its contrast part."""
    size = int(params.get("window", 11))
    weights = gaussian(size, mpf(params.get("sigma", 1.5)))
    span = mpf(params["data_range"])
    c1, c2 = (span / 100) ** 2, (3 * span / 100) ** 2
    whole, contrast = [], []
    for a, b in zip(windows(x, size), windows(y, size), strict=True):
        mean_a, mean_b = dot(weights, a), dot(weights, b)
        power_a, power_b, product = (
            dot(weights, [p * q for p, q in zip(left, right, strict=True)])
            for left, right in ((a, a), (b, b), (a, b))
        )
        spread = power_a - mean_a**2 + power_b - mean_b**2
        contrast.append((2 * (product - mean_a * mean_b) + c2) / (spread + c2))
        brightness = (2 * mean_a * mean_b + c1) / (mean_a**2 + mean_b**2 + c1)
        whole.append(brightness * contrast[-1])
    return mean(whole), mean(contrast)


def halved(plane: Plane) -> Plane:
    height, width = len(plane) // 2, len(plane[0]) // 2
    return [
        [mp.fsum(plane[2 * i + a][2 * j + b] for a in (0, 1) for b in (0, 1)) / 4
         for j in range(width)]
        for i in range(height)
    ]  # fmt: skip


def multiscale(x: Plane, y: Plane, params: Params) -> Number:
    exponents = params.get("exponents", [0.0448, 0.2856, 0.3001, 0.2363, 0.1333])
    exponents = exponents if isinstance(exponents, list) else [exponents]
    product = mpf(1)
    for scale, exponent in enumerate(exponents, 1):
        whole, contrast = similarity(x, y, params)
        factor = whole if scale == len(exponents) else contrast
        product *= max(factor, mpf(0)) ** mpf(exponent)
        x, y = halved(x), halved(y)
    return product


def of_planes(value: Callable[[Plane, Plane, Params], Number]) -> Reference:
    """1 − the mean over the channels."""

    def reference(inputs: Arrays, params: Params) -> Terms:
        channels = params.get("channels")
        pairs = zip(inputs["prediction"], inputs["target"], strict=True)
        return Terms([
            [1 - mean([
                value(x, y, params)
                for x, y in zip(planes(p, channels), planes(t, channels), strict=True)
            ])]
            for p, t in pairs
        ])  # fmt: skip

    return reference


def psnr(inputs: Arrays, params: Params) -> Terms:
    values = []
    for p, y in zip(samples(inputs["prediction"]), samples(inputs["target"]), strict=True):
        error = mean([(a - b) ** 2 for a, b in zip(p, y, strict=True)])
        peak = mpf(params["data_range"]) ** 2
        values.append([-10 * mp.log10(peak / error) if error else -mp.inf])
    return Terms(values)


def gram(maps: Array, channels: str) -> list[list[Number]]:
    maps = maps if channels == "first" else np.moveaxis(maps, -1, 0)
    features = [[mpf(v) for v in row] for row in maps.reshape(len(maps), -1).tolist()]
    size = len(features) * len(features[0])
    return [[dot(a, b) / size for a in features] for b in features]


def style_gram(inputs: Arrays, params: Params) -> Terms:
    values = []
    for p, y in zip(inputs["prediction"], inputs["target"], strict=True):
        predicted, true = gram(p, params["channels"]), gram(y, params["channels"])
        cells = zip(itertools.chain(*predicted), itertools.chain(*true), strict=True)
        values.append([mp.fsum((a - b) ** 2 for a, b in cells)])
    return Terms(values)


def gradient_difference(inputs: Arrays, params: Params) -> Terms:
    exponent, channels = mpf(params.get("alpha", 1)), params.get("channels")
    values = []
    for p, t in zip(inputs["prediction"], inputs["target"], strict=True):
        total = mpf(0)
        for x, y in zip(planes(p, channels), planes(t, channels), strict=True):
            for a, b in ((x, y), (list(zip(*x, strict=True)), list(zip(*y, strict=True)))):
                for ours, theirs in zip(a, b, strict=True):
                    for k in range(1, len(ours)):
                        step, true = abs(ours[k] - ours[k - 1]), abs(theirs[k - 1] - theirs[k])
                        total += abs(true - step) ** exponent
        values.append([total])
    return Terms(values)


REFERENCES: dict[str, Reference] = {
    "total_variation": total_variation,
    "perceptual": perceptual,
    "ssim": of_planes(lambda x, y, params: similarity(x, y, params)[0]),
    "ms_ssim": of_planes(multiscale),
    "psnr": psnr,
    "style_gram": style_gram,
    "gradient_difference": gradient_difference,
}
