"""Boxes: by the libraries' own calls."""

from __future__ import annotations

from typing import Any

import torchvision.ops

from tests.reference.libraries import Answer, Arrays, Library, Params, both


def of_box(name: str) -> Library:
    """torchvision's losses, with the epsilon of the case."""

    def call(inputs: Arrays, params: Params) -> Answer | None:
        prediction, target = (boxes.reshape(-1, 4) for boxes in both(inputs))
        epsilon = float(params.get("epsilon", 0))
        loss: Any = getattr(torchvision.ops, name)
        # its loss of complete boxes takes the distance loss with 1e-7 whatever its own epsilon
        complete = name == "complete_box_iou_loss"
        if complete and epsilon:
            return None
        accuracy = 1e-6 if complete else 1e-10
        elements = loss(prediction, target, eps=epsilon)
        return Answer(f"torchvision.ops.{name}", elements.numpy(), accuracy=accuracy)

    return call


LIBRARIES: dict[str, Library] = {
    "giou": of_box("generalized_box_iou_loss"),
    "diou": of_box("distance_box_iou_loss"),
    "ciou": of_box("complete_box_iou_loss"),
}
