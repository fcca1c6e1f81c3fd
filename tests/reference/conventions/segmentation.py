"""Segmentation: the libraries' own calls."""

from __future__ import annotations

import os

os.environ["KERAS_BACKEND"] = "torch"
os.environ["JAX_ENABLE_X64"] = "true"

from collections.abc import Callable
from typing import Any

import keras
import monai.losses
import numpy as np
import optax
import segmentation_models_pytorch.losses as smp
import torch

from tests.reference.cases import given, maps, pairs
from tests.reference.conventions import Call
from tests.reference.inputs import Array, Arrays, Key

KERAS = 1e-6  # keras computes in float32
MASK: dict[str, Any] = {"rows": 4, "shape": [1, 3, 4]}
CLASSES: dict[str, Any] = {"rows": 4, "count": 3, "spatial": [2, 5], "last": False}
F32 = {"dtype": "float32", "target_dtype": "float32"}
# empty masks, certain ones, one that is missed wholly, one that is full
EXTREME = {
    "prediction": [[[[0, 0], [0, 0]]], [[[1, 0], [0, 1]]], [[[0, 1], [0.5, 0]]], [[[1, 1]] * 2]],
    "target": [[[[0, 0], [0, 0]]], [[[1, 0], [0, 1]]], [[[1, 0], [0, 1]]], [[[1, 1]] * 2]],
}
NOTHING = {"prediction": [[[[0, 0]]], [[[0, 0]]]], "target": [[[[0, 0]]], [[[0, 0]]]]}
SCORES: dict[str, Any] = {**EXTREME}
SCORES["prediction"] = [
    [[[-1e4, -1e4], [-1e4, -1e4]]],
    [[[1e4, -1e4], [-30, 30]]],
    [[[-1e4, 1e4], [0, -2]]],
    [[[1e4, 1e4], [40, 3]]],
]
VOID = {"prediction": [[[[-3, 0.5]]], [[[-1e4, -40]]]], "target": [[[[0, 0]]], [[[0, 0]]]]}

# a channel for each mask, or a one-hot target
CHANNELS = [
    ("mask", pairs(401, **MASK)),
    ("classes", maps(402, **CLASSES, target="onehot", target_dtype="float64")),
    ("float32", maps(403, **CLASSES, target="onehot", **F32)),
    ("soft", pairs(404, **MASK, soft=True)),
    ("nasty", given(**EXTREME)),
    ("nasty-float32", given("float32", **EXTREME)),
    ("nasty-empty", given(**NOTHING)),
]
HARD_CHANNELS = [item for item in CHANNELS if item[0] != "soft"]
LAST = {**CLASSES, "last": True}
CHANNELS_LAST = [
    ("classes", maps(405, **LAST, target="onehot", target_dtype="float64")),
    ("float32", maps(406, **LAST, target="onehot", **F32)),
    ("mask", pairs(407, rows=4, shape=[3, 4])),
    ("nasty", given(**EXTREME)),
    ("nasty-float32", given("float32", **EXTREME)),
    ("nasty-empty", given(**NOTHING)),
]
LOGITS_LAST = [
    ("classes", maps(408, **LAST, kind="logit", target="onehot", target_dtype="float64")),
    ("float32", maps(409, **LAST, kind="logit", target="onehot", **F32)),
    ("absent", maps(410, **LAST, kind="logit", absent=[1], target="onehot")),
    (
        "nasty",
        given(
            prediction=[[[1e4, 0, -1e4], [30, -30, 0]], [[0, 0, 0], [-1e4, 1e4, 1e4]]],
            target=[[[1, 0, 0], [0, 1, 0]], [[0, 1, 0], [0, 1, 0]]],
        ),
    ),
]
MASK_LOGITS = [
    ("mask", pairs(411, **MASK, scores=4, target_dtype="int64")),
    ("plain", pairs(412, rows=3, shape=[4, 5], scores=4, target_dtype="int64")),
    ("mask-float32", pairs(413, **MASK, scores=4, dtype="float32", target_dtype="int64")),
    ("nasty-mask", given({"prediction": "float64", "target": "int64"}, **SCORES)),
    ("nasty-void", given({"prediction": "float64", "target": "int64"}, **VOID)),
]
SOFT_LOGITS = [("soft", pairs(414, **MASK, scores=4, soft=True))]
CLASS_LOGITS = [
    ("classes", maps(415, **CLASSES, kind="logit")),
    ("float32", maps(416, **CLASSES, kind="logit", dtype="float32")),
    ("absent", maps(417, **CLASSES, kind="logit", absent=[1])),
    (
        "nasty",
        given(
            {"prediction": "float64", "target": "int64"},
            prediction=[[[[1e4, 30]], [[0, -30]], [[-1e4, 0]]], [[[0, 3]], [[0, 1e4]], [[0, 1e4]]]],
            target=[[[0, 1]], [[1, 1]]],
        ),
    ),
]


def tensors(inputs: Arrays) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.tensor(inputs["prediction"]), torch.tensor(inputs["target"])


def of_monai(name: str, **options: Any) -> Callable[[Arrays], float]:
    loss = getattr(monai.losses, name)(**options)

    def run(inputs: Arrays) -> float:
        prediction, target = tensors(inputs)
        return float(loss(prediction, target.to(prediction.dtype)))

    return run


def of_smp(name: str, *mode: str, **options: Any) -> Callable[[Arrays], float]:
    loss = getattr(smp, name)(*mode, **options)

    def run(inputs: Arrays) -> float:
        prediction, target = tensors(inputs)
        return float(loss(prediction, target))

    return run


def of_keras(name: str, **options: Any) -> Callable[[Arrays], float]:
    loss = getattr(keras.losses, name)(**options)

    def run(inputs: Arrays) -> float:
        prediction, target = tensors(inputs)
        return float(loss(target, prediction))

    return run


def of_optax(name: str) -> Callable[[Arrays], float | Array]:
    loss = getattr(optax.losses, name)
    return lambda inputs: np.asarray(loss(inputs["prediction"], inputs["target"]))


def monai_calls() -> list[Call]:
    calls = [
        Call(f"{loss}@monai", f"monai.losses.{name}", of_monai(name), inputs, rtol=rtol)
        for loss, name, inputs, rtol in (
            ("dice", "DiceLoss", CHANNELS, None),
            ("tversky", "TverskyLoss", CHANNELS, None),
            ("mcc_loss", "MCCLoss", CHANNELS, None),
            # weights in float32
            ("generalized_dice", "GeneralizedDiceLoss", CHANNELS, 1e-6),
            # distances in float32
            ("hausdorff_dt", "HausdorffDTLoss", HARD_CHANNELS, 1e-6),
            ("boundary", "BoundaryLoss", HARD_CHANNELS, 1e-6),
            ("dice_ce", "DiceCELoss", CLASS_CHANNELS, None),
            ("dice_bce", "DiceCELoss", ONE_CHANNEL, None),
            ("dice_focal", "DiceFocalLoss", HARD_CHANNELS, 1e-6),  # in float32
        )
    ]
    jaccard = of_monai("DiceLoss", jaccard=True)
    calls.append(Call("jaccard@monai", "monai.losses.DiceLoss(jaccard=True)", jaccard, CHANNELS))
    softmax = of_monai("DiceCELoss", softmax=True)
    spec = "dice_ce@monai:from_logits=true"
    source = "monai.losses.DiceCELoss(softmax=True)"
    calls.append(Call(spec, source, softmax, CHANNEL_LOGITS))
    return calls


CLASS_CHANNELS = [
    *CHANNELS[1:3],
    (
        "nasty",
        given(
            prediction=[[[[1, 0]], [[0, 0]], [[0, 1]]], [[[0.5, 0]], [[0, 1]], [[0.5, 0]]]],
            target=[[[[1, 1]], [[0, 0]], [[0, 0]]], [[[1, 0]], [[0, 1]], [[0, 0]]]],
        ),
    ),
    ("absent", maps(418, **CLASSES, absent=[1], target="onehot", target_dtype="float64")),
]
CHANNEL_LOGITS = [
    ("logits", maps(419, **CLASSES, kind="logit", target="onehot", target_dtype="float64")),
]
ONE_CHANNEL = [item for item in CHANNELS if item[0] in ("mask", "soft") or "nasty" in item[0]]
ONE_CHANNEL.append(("float32", pairs(420, **MASK, **F32)))


def smp_calls() -> list[Call]:
    package = "segmentation_models_pytorch.losses"
    calls = []
    for loss, name in (
        ("dice", "DiceLoss"),
        ("jaccard", "JaccardLoss"),
        ("tversky", "TverskyLoss"),
    ):
        for mode, inputs in (
            ("binary", [*MASK_LOGITS, *SOFT_LOGITS]),
            ("multiclass", CLASS_LOGITS),
        ):
            source = f"{package}.{name}('{mode}')"
            calls.append(Call(f"{loss}@smp", source, of_smp(name, mode), inputs))
    spec = "dice@smp:multilabel=true,axis=1"
    several = [("multilabel", maps(421, **CLASSES, kind="logit", target="onehot"))]
    source = f"{package}.DiceLoss('multilabel')"
    calls.append(Call(spec, source, of_smp("DiceLoss", "multilabel"), several))
    spec, own = "tversky@smp:alpha=0.3,beta=0.7", {"alpha": 0.3, "beta": 0.7}
    source = f"{package}.TverskyLoss('binary', alpha=0.3, beta=0.7)"
    calls.append(Call(spec, source, of_smp("TverskyLoss", "binary", **own), MASK_LOGITS))
    for loss, mode, inputs in (
        ("lovasz_hinge", "binary", narrow(MASK_LOGITS)),
        ("lovasz_softmax", "multiclass", narrow(CLASS_LOGITS)),
    ):
        run = of_smp("LovaszLoss", mode)
        calls.append(Call(f"{loss}@smp", f"{package}.LovaszLoss('{mode}')", run, inputs))
    calls.append(Call("mcc_loss@smp", f"{package}.MCCLoss", of_smp("MCCLoss"), MASKS))
    return calls


IGNORED = {
    "prediction": [[[[-3, 0.5], [2, 1]]], [[[4, -40], [0.25, -1]]]],
    "target": [[[[0, 9], [1, 9]]], [[[9, 1], [0, 0]]]],
}
ALL_IGNORED = {**IGNORED, "target": [[[[9, 9], [9, 9]]]] * 2}
WITH_IGNORED = [
    (label, given({"prediction": dtype, "target": "int64"}, **arrays))
    for label, arrays, dtype in (
        ("ignored", IGNORED, "float64"),
        ("ignored-float32", IGNORED, "float32"),
        ("nasty-ignored", ALL_IGNORED, "float32"),
    )
]


def ignoring() -> list[Call]:
    """What the libraries do with pixels to leave out, if they are told of any."""
    package = "segmentation_models_pytorch.losses"
    calls = []
    for loss, name in (
        ("dice", "DiceLoss"),
        ("jaccard", "JaccardLoss"),
        ("tversky", "TverskyLoss"),
        ("lovasz_hinge", "LovaszLoss"),
    ):
        inputs = WITH_IGNORED[1:2] if name == "LovaszLoss" else WITH_IGNORED
        run = of_smp(name, "binary", ignore_index=9)
        source = f"{package}.{name}('binary', ignore_index=9)"
        calls.append(Call(f"{loss}@smp:ignore_index=9", source, run, inputs))
    for loss, name, options in (
        ("dice", "DiceLoss", {}),
        ("jaccard", "DiceLoss", {"jaccard": True}),
        ("tversky", "TverskyLoss", {}),
    ):
        run = of_monai(name, sigmoid=True, ignore_index=9, **options)
        source = f"monai.losses.{name}(sigmoid=True, ignore_index=9)"
        spec = f"{loss}@monai:from_logits=true,ignore_index=9"
        calls.append(Call(spec, source, run, WITH_IGNORED))
    return calls


def narrow(inputs: list[tuple[str, Key]]) -> list[tuple[str, Key]]:
    """The predictions in float32, which is all that the Lovász losses take."""
    types = {"prediction": "float32", "target": "int64"}
    return [
        (label, {**key, "dtype": types if key["make"] == "given" else "float32"})
        for label, key in inputs
        if "float32" not in label
    ]


MASKS = [item for item in CHANNELS if item[0] not in ("classes", "float32")]
MASKS.append(("float32", pairs(422, rows=4, shape=[3, 4], **F32)))


def other_calls() -> list[Call]:
    dice, tversky = of_keras("Dice"), of_keras("Tversky")
    swapped = of_keras("Tversky", alpha=0.3, beta=0.7)
    binary, several = of_optax("binary_dice_loss"), of_optax("dice_loss")
    weighted = of_optax("multiclass_generalized_dice_loss")
    return [
        Call("dice@keras", "keras.losses.Dice", dice, CHANNELS_LAST, rtol=KERAS),
        Call("tversky@keras", "keras.losses.Tversky", tversky, CHANNELS_LAST, rtol=KERAS),
        Call(
            "tversky@keras:alpha=0.3,beta=0.7",
            "keras.losses.Tversky(alpha=0.3, beta=0.7)",
            swapped,
            CHANNELS_LAST[:3],
            rtol=KERAS,
        ),
        Call("dice@optax", "optax.losses.dice_loss", several, LOGITS_LAST),
        Call(
            "dice@optax",
            "optax.losses.binary_dice_loss",
            binary,
            [("one-channel", pairs(423, rows=4, shape=[3, 4, 1], scores=4))],
        ),
        Call(
            "generalized_dice@optax",
            "optax.losses.multiclass_generalized_dice_loss",
            weighted,
            LOGITS_LAST,
        ),
    ]


CALLS = [*monai_calls(), *smp_calls(), *ignoring(), *other_calls()]
