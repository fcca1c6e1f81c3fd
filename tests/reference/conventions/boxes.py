"""Boxes: the libraries' own calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import monai.losses
import torch
import torchvision.ops

from tests.reference.cases import given, key
from tests.reference.conventions import Call
from tests.reference.inputs import Array, Arrays

EDGES = {
    "prediction": [[0, 0, 2, 2], [0, 0, 2, 2], [0, 0, 2, 0], [0, 0, 1e-4, 1e-4]],
    "target": [[2, 2, 3, 5], [0.5, 0.25, 1, 2], [0, 0, 2, 1], [0, 0, 2e-4, 1e-4]],
}
POINTS = {"prediction": [[1, 1, 1, 1], [1, 1, 1, 1]], "target": [[1, 1, 1, 1], [2, 1, 2, 1]]}
EQUAL = {"prediction": [[0, 0, 2, 2], [1, 2, 3, 6]], "target": [[0, 0, 2, 2], [1, 2, 3, 6]]}
INPUTS = [
    ("float64", key("boxes", 321)),
    ("far", key("boxes", 322, spread=40.0, size=3.0)),
    ("float32", key("boxes", 323, dtype="float32")),
    ("nasty", given(**EDGES)),
    ("nasty-float32", given("float32", **EDGES)),
]
WITH_POINTS = [*INPUTS, ("nasty-points", given(**POINTS))]


def pair(inputs: Arrays) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.tensor(inputs["prediction"]), torch.tensor(inputs["target"])


def of_vision(name: str) -> Callable[[Arrays], Array]:
    loss: Any = getattr(torchvision.ops, name)
    return lambda inputs: loss(*pair(inputs)).numpy()


def of_monai(inputs: Arrays) -> float:
    return float(monai.losses.BoxGIoULoss()(*pair(inputs)))


VISION = (
    ("giou", "generalized_box_iou_loss", WITH_POINTS),
    ("diou", "distance_box_iou_loss", WITH_POINTS),
    ("ciou", "complete_box_iou_loss", INPUTS),  # which has no number for a point
)
CALLS = [
    Call(f"{loss}@torchvision", f"torchvision.ops.{name}", of_vision(name), inputs)
    for loss, name, inputs in VISION
]
# what the epsilon leaves of equal boxes is the difference of two numbers near 1
CALLS += [
    Call(
        f"{loss}@torchvision",
        f"torchvision.ops.{name}",
        of_vision(name),
        [("nasty-equal", given(**EQUAL))],
        rtol=1e-8,
    )
    for loss, name, _ in VISION
]
# computed in float32
CALLS += [Call("giou@monai", "monai.losses.BoxGIoULoss", of_monai, WITH_POINTS, rtol=1e-6)]
