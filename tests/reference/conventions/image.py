"""Images: the libraries' own calls."""

from __future__ import annotations

import monai.losses
import torch
import torchmetrics.functional

from tests.reference.cases import given, key
from tests.reference.conventions import Call
from tests.reference.inputs import Arrays

PAIR = {"prediction": [0, 1], "target": [0, 1]}
# Equal images, flat ones, all black against all white: a single window's size.
FLAT = given(
    "float64",
    prediction=[[[[0.5] * 11] * 11], [[[0] * 11] * 11], [[[0, 1] * 5 + [0]] * 11]],
    target=[[[[0.25] * 11] * 11], [[[1] * 11] * 11], [[[0, 1] * 5 + [0]] * 11]],
)
ROUGH = {"prediction": [-3, 3]}


def monai_ssim(inputs: Arrays) -> float:
    pair = (torch.tensor(inputs[name]) for name in ("prediction", "target"))
    return monai.losses.SSIMLoss(spatial_dims=2)(*pair).item()


def torchmetrics_tv(inputs: Arrays) -> float:
    images = torch.tensor(inputs["prediction"])
    return torchmetrics.functional.image.total_variation(images).item()


CALLS = [
    Call(
        "ssim@monai",
        "monai.losses.SSIMLoss",
        monai_ssim,
        [
            ("grey", key("fields", 1, names=PAIR, rows=3, shape=[1, 12, 14])),
            ("colours", key("fields", 2, names=PAIR, rows=2, shape=[3, 11, 12])),
            ("float32", key("fields", 3, names=PAIR, rows=2, shape=[2, 13, 11], dtype="float32")),
        ],
        rtol=1e-6,  # computed in float32 always
    ),
    # E x² − (E x)² in float32: for flat images that is worse than the numbers are
    Call("ssim@monai", "monai.losses.SSIMLoss", monai_ssim, [("nasty", FLAT)], rtol=1e-5),
    Call(
        "total_variation@torchmetrics",
        "torchmetrics.functional.image.total_variation",
        torchmetrics_tv,
        [
            ("grey", key("fields", 4, names=ROUGH, rows=3, shape=[1, 4, 5])),
            ("colours", key("fields", 5, names=ROUGH, rows=5, shape=[3, 2, 3])),
            ("float32", key("fields", 6, names=ROUGH, shape=[2, 3, 3], dtype="float32")),
            (
                "nasty",
                given(prediction=[[[[1e4, -1e4, 1e-9]]], [[[0, 0, 0]]], [[[-1e4, 0, 1e4]]]]),
            ),
        ],
    ),
]
