"""Images: refusals, limits and laws."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lossctl
from lossctl.errors import LossctlError

RNG = np.random.default_rng(0)
GREY = RNG.random((3, 12, 13))
COLOURS = RNG.random((4, 3, 6, 7))


def value(spec: str, prediction: Any, target: Any = None, **options: Any) -> float:
    return lossctl.evaluate(spec, prediction, target, **options).losses[0].value


def refused(spec: str, match: str, prediction: Any, target: Any = None) -> None:
    with pytest.raises(LossctlError, match=match):
        value(spec, prediction, target)


@pytest.mark.parametrize(
    ("spec", "match", "shape"),
    [
        ("total_variation:power=1.5", "power must be one of 2, 1, not 1.5", (2, 3, 3)),
        ("total_variation", "say where the channels are", (2, 3, 4, 4)),
        ("total_variation:channels=first", "does not fit channels=first", (2, 3, 4)),
        ("ssim", "needs the parameter data_range", (1, 12, 12)),
        ("psnr", "needs the parameter data_range", (1, 12, 12)),
        ("ssim:data_range=0", "data_range must be a number > 0", (1, 12, 12)),
        ("ssim:data_range=1,window=1", "window must be a whole number ≥ 2", (1, 12, 12)),
        ("ssim:data_range=1", "say where the channels are", (1, 3, 12, 12)),
        ("ssim:data_range=1", "12 × 10 pixels, and a window of 11 × 11", (1, 12, 10)),
        ("ms_ssim:data_range=1", "5 scales need 176 × 176 at least", (1, 175, 176)),
        ("ms_ssim:data_range=1,exponents=[-1]", "exponents must be", (1, 12, 12)),
        ("style_gram", "needs the parameter channels", (1, 3, 4)),
        ("gradient_difference:alpha=0", "alpha must be a number > 0", (1, 3, 4)),
        ("gradient_difference", "say where the channels are", (1, 3, 4, 2)),
    ],
)
def test_refusals(spec: str, match: str, shape: tuple[int, ...]) -> None:
    images = np.ones(shape)
    refused(spec, match, images, None if spec.startswith("total") else images)


@pytest.mark.parametrize(
    "spec",
    [
        "ssim:data_range=1,window=4",
        "ms_ssim:data_range=1,window=3,exponents=[1,1]",
        "gradient_difference",
        "style_gram",
        "total_variation",
        "psnr:data_range=1",
    ],
)
def test_channels_may_stand_first_or_last(spec: str) -> None:
    pair = [COLOURS, 1 - COLOURS**2][: 1 if spec == "total_variation" else 2]
    joint = "," if ":" in spec else ":"
    first, last = (
        (spec, spec)
        if "psnr" in spec
        else (f"{spec}{joint}channels={c}" for c in ("first", "last"))
    )
    moved = [np.moveaxis(images, 1, -1) for images in pair]
    assert value(first, *pair) == pytest.approx(value(last, *moved), rel=1e-13)


def test_channels_count_as_images() -> None:
    other = COLOURS**2
    flat = [images.reshape(12, 6, 7) for images in (COLOURS, other)]
    for spec in ("ssim:data_range=1,window=3", "ms_ssim:data_range=1,window=3,exponents=[0.2,0.8]"):
        together = value(f"{spec},channels=first", COLOURS, other)
        assert together == pytest.approx(value(spec, *flat), rel=1e-13)


def test_ssim_of_negated_contrast_is_above_one() -> None:
    image = np.tile([0.0, 1.0], (1, 12, 6))
    assert 1 < value("ssim:data_range=1", image, 1 - image) < 2
    assert value("ms_ssim:data_range=1,window=6,exponents=[1,1]", image, 1 - image) == 1


def test_one_scale_is_ssim() -> None:
    spec = "data_range=1,window=5,sigma=0.8"
    whole = value(f"ssim:{spec}", GREY, GREY**2)
    assert value(f"ms_ssim:{spec},exponents=1", GREY, GREY**2) == pytest.approx(whole, rel=1e-13)
    assert value(f"ms_ssim:{spec},exponents=[0,1]", GREY, GREY) == 0


def test_ssim_keeps_its_digits_where_the_images_nearly_agree() -> None:
    near = GREY + 1e-9 * RNG.random(GREY.shape)
    far = GREY + 1e-5 * (near - GREY) / 1e-9
    small, large = (value("ssim:data_range=1", image, GREY) for image in (near, far))
    assert small * 1e8 == pytest.approx(large, rel=1e-3)  # it is of second order


def test_psnr_is_of_each_image_and_infinite_for_an_equal_one() -> None:
    losses = lossctl.losses.get("psnr")(
        prediction=[[0, 0], [1, 3]], target=[[0, 0], [1, 4]], data_range=255
    )
    assert losses[0] == -np.inf
    assert losses[1] == pytest.approx(-10 * np.log10(255**2 / 0.5), rel=1e-13)


def test_gradient_difference_does_not_see_brightness_or_mirrors() -> None:
    assert value("gradient_difference", GREY + 0.25, GREY) == pytest.approx(0, abs=1e-13)
    assert value("gradient_difference", -GREY, GREY) == 0


def test_style_does_not_see_places() -> None:
    shuffled = COLOURS.reshape(4, 3, -1)[..., RNG.permutation(42)]
    assert value("style_gram:channels=first", shuffled, COLOURS.reshape(4, 3, -1)) < 1e-28
    assert value("style_gram:channels=first", 2 * COLOURS, COLOURS) > 1e-3


@pytest.mark.parametrize(
    "spec",
    [
        "ssim:data_range=1,window=3,channels=first",
        "ms_ssim:data_range=1,window=3,exponents=[1,1],channels=first",
        "psnr:data_range=1",
        "style_gram:channels=first",
        "gradient_difference:channels=first,alpha=1.5",
        "total_variation:channels=first",
    ],
)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_an_image_does_not_depend_on_the_others(spec: str, dtype: str) -> None:
    images = RNG.random((2, 37, 5, 9, 8)).astype(dtype)
    pair = images[: 1 if spec.startswith("total") else 2]

    def losses(rows: slice) -> Any:
        found = lossctl.evaluate(spec, *(image[rows] for image in pair), per_sample=True)
        return found.losses[0].per_sample

    together = losses(slice(None))
    for row in (0, 17, 36):
        assert losses(slice(row, row + 1))[0] == together[row]
    assert (losses(slice(5, 12)) == together[5:12]).all()
