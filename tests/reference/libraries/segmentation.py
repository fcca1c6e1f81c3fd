"""Segmentation: by the libraries' own calls."""

from __future__ import annotations

from typing import Any

import monai.losses
import numpy as np
import sklearn.metrics
import torch
import torch.nn.functional as F

from tests.reference.libraries import Answer, Arrays, Library, Params, both, class_first


def overlap(name: str) -> Library:
    """monai's Dice and Tversky losses; micro merges the classes into the pixels."""

    def call(inputs: Arrays, params: Params) -> Answer | None:
        if "ignore_index" in params:
            return None
        if inputs["prediction"].shape == inputs["target"].shape and inputs["target"].ndim <= 3:
            p, y = (x.unsqueeze(1) for x in both(inputs))
        else:
            p, y = class_first(inputs, params)
            y = y if y.is_floating_point() else F.one_hot(y, p.shape[1]).movedim(-1, 1).double()
        from_logits = params.get("from_logits", False)
        if from_logits:
            p = torch.sigmoid(p) if p.shape[1] == 1 else torch.softmax(p, 1)
        if params.get("average", "macro") == "micro":
            p, y = (x.reshape(len(x), 1, -1) for x in (p, y))
        smooth = float(params.get("smooth", 0))
        pooled = params.get("over", "sample") == "dataset"
        options: dict[str, Any] = {"reduction": "none", "batch": pooled}
        if name == "dice" or name == "jaccard":
            factor = 2 if name == "jaccard" else 1  # monai doubles both sides of the ratio
            make: Any = monai.losses.DiceLoss
            options["jaccard"] = name == "jaccard"
            options["squared_pred"] = params.get("squared", False)
            options["smooth_nr"] = options["smooth_dr"] = factor * smooth
        else:
            make = monai.losses.TverskyLoss
            options["smooth_nr"] = options["smooth_dr"] = smooth
            options["alpha"] = float(params.get("alpha", 0.5))
            options["beta"] = float(params.get("beta", 0.5))
        loss = make(**options)(p, y)
        if name == "focal_tversky":
            loss = loss ** float(params.get("gamma", 0.75))
        call = f"monai.losses.{make.__name__}"
        if pooled:
            return Answer(call, mean=loss.mean().item())
        return Answer(call, loss.reshape(len(p), -1).mean(1).numpy())

    return call


def mcc(inputs: Arrays, params: Params) -> Answer | None:
    """Hard masks only: scikit-learn's coefficient of each sample."""
    p, y = inputs["prediction"], inputs["target"]
    if p.shape != y.shape or np.any((p != 0) & (p != 1)) or params:
        return None
    scores = [
        1 - sklearn.metrics.matthews_corrcoef(b.reshape(-1), a.reshape(-1))
        for a, b in zip(p, y, strict=True)
    ]
    return Answer("sklearn.metrics.matthews_corrcoef", np.array(scores))


def channels(inputs: Arrays, params: Params) -> tuple[torch.Tensor, torch.Tensor]:
    """Prediction and one-hot target (N, C, …), one channel for a mask."""
    if inputs["prediction"].shape == inputs["target"].shape and inputs["target"].ndim <= 3:
        p, y = both(inputs)
        return p.unsqueeze(1), y.unsqueeze(1)
    p, y = class_first(inputs, params)
    if not y.is_floating_point():
        y = F.one_hot(y, p.shape[1]).movedim(-1, 1).double()
    return p, y


def generalized(inputs: Arrays, params: Params) -> Answer | None:
    known = {"axis", "weights", "smooth", "background", "none_present"}
    blank = not params.get("background", True) and params.get("none_present") != "zero"
    if params.keys() - known or blank:
        return None
    p, y = channels(inputs, params)
    if not y.any(dim=tuple(range(1, y.ndim))).all():
        return None
    smooth = float(params.get("smooth", 0)) or 1e-300  # it divides by it where all is empty
    loss = monai.losses.GeneralizedDiceLoss(
        include_background=params.get("background", True),
        w_type=params.get("weights", "square"),
        reduction="none",
        smooth_nr=smooth,
        smooth_dr=smooth,
    )
    elements = loss(p, y).reshape(-1).numpy()
    # its weights are float32
    return Answer("monai.losses.GeneralizedDiceLoss", elements, accuracy=1e-6)


def by_distance(name: str) -> Library:
    """monai's losses of distance maps, which are float32."""

    def call(inputs: Arrays, params: Params) -> Answer | None:
        p, y = channels(inputs, params)
        if p.ndim < 4:
            return None
        if params.get("from_logits"):
            p = torch.sigmoid(p) if p.shape[1] == 1 else torch.softmax(p, 1)
        options: dict[str, Any] = {"alpha": float(params.get("alpha", 2))}
        options = options if name == "HausdorffDTLoss" else {}
        make = getattr(monai.losses, name)
        loss = make(include_background=params.get("background", True), **options)
        elements = [loss(a[None], b[None]).item() for a, b in zip(p, y, strict=True)]
        mean = float(np.mean(elements))
        return Answer(f"monai.losses.{name}", mean=mean, accuracy=2e-6)

    return call


def compound(name: str) -> Library:
    """monai's sums with the activation that makes both parts read the same logits."""

    def call(inputs: Arrays, params: Params) -> Answer | None:
        known = {"from_logits", "smooth", "squared", "label_smoothing", "gamma", "one_vs_rest"}
        if not params.get("from_logits") or params.keys() - known - {"axis"}:
            return None
        p, y = channels(inputs, params)
        one = p.shape[1] == 1
        if name == "DiceFocalLoss" and not (one or params.get("one_vs_rest")):
            return None
        if name == "DiceCELoss" and one == ("label_smoothing" in params):
            return None
        smooth = float(params.get("smooth", 0)) or 1e-300
        options: dict[str, Any] = {"sigmoid": one, "softmax": not one}
        options |= {"smooth_nr": smooth, "smooth_dr": smooth}
        options["squared_pred"] = params.get("squared", False)
        options |= {own: params[own] for own in ("label_smoothing", "gamma") if own in params}
        loss = getattr(monai.losses, name)(**options)
        elements = [loss(a[None], b[None]).item() for a, b in zip(p, y, strict=True)]
        accuracy = 1e-6 if name == "DiceFocalLoss" else 0.0  # the focal loss in float32
        return Answer(f"monai.losses.{name}", np.array(elements), accuracy=accuracy)

    return call


LIBRARIES: dict[str, Library] = {
    "dice": overlap("dice"),
    "jaccard": overlap("jaccard"),
    "tversky": overlap("tversky"),
    "focal_tversky": overlap("focal_tversky"),
    "mcc_loss": mcc,
    "generalized_dice": generalized,
    "hausdorff_dt": by_distance("HausdorffDTLoss"),
    "boundary": by_distance("BoundaryLoss"),
    "dice_ce": compound("DiceCELoss"),
    "dice_focal": compound("DiceFocalLoss"),
}
