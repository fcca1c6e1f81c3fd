"""Binary classification: the libraries' own calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import monai.losses
import numpy as np
import optax
import scoringrules
import segmentation_models_pytorch.losses as smp
import sklearn.metrics
import torch
import torch.nn.functional as F
import torchvision

from tests.reference.cases import given, maps, pairs
from tests.reference.conventions import Call
from tests.reference.inputs import Array, Arrays, Key

Inputs = list[tuple[str, Key]]
Run = Callable[[Arrays], "float | Array"]

EDGES = {"prediction": [0, 1, 1, 0, 0.5, 1e-9], "target": [1, 0, 1, 0, 1, 0]}
PROBABILITIES: Inputs = [
    ("vector", pairs(101)),
    ("float32", pairs(103, dtype="float32", target_dtype="float32")),
    ("nasty", given(**EDGES)),
    ("nasty-float32", given("float32", **EDGES)),
]
MATRIX: Inputs = [
    ("matrix", pairs(102, shape=[3])),
    ("soft", pairs(104, shape=[2, 3], soft=True)),
]
WEIGHTED: Inputs = [("weighted", pairs(105, weight=True))]
WEIGHTED_MATRIX: Inputs = [("weighted-matrix", pairs(106, shape=[2], weight=True))]
STEEP = {"prediction": [1e4, -1e4, 1e4, -1e4, 0, 30], "target": [1, 0, 0, 1, 1, 1]}
LOGITS: Inputs = [
    ("vector", pairs(111, scores=4)),
    ("matrix", pairs(112, scores=4, shape=[3])),
    ("float32", pairs(113, scores=4, shape=[2], dtype="float32", target_dtype="float32")),
    ("soft", pairs(114, scores=4, shape=[2, 3], soft=True)),
    ("nasty", given(**STEEP)),
]
LOGIT_ROWS: Inputs = [
    *LOGITS[1:4],
    ("maps", pairs(115, scores=4, rows=3, shape=[1, 2, 2])),
    (
        "nasty",
        given(prediction=[[1e4, -1e4, 1e4], [-1e4, 0, 30]], target=[[1, 0, 0], [1, 1, 1]]),
    ),
]
IGNORED = [
    (
        "ignored-nasty",
        given(prediction=[[0.5, -2, 1e4], [3, 0, -1]], target=[[1, -100, -100], [-100, 0, 1]]),
    ),
    ("all-ignored-nasty", given(prediction=[0.5, -2], target=[-100, -100])),
]
SIGNS: Inputs = [
    ("vector", pairs(121, scores=3, labels=[-1, 1])),
    ("mapped", pairs(122, scores=3)),
    ("float32", pairs(123, scores=3, labels=[-1, 1], dtype="float32")),
    ("mapped-float32", pairs(124, scores=3, dtype="float32", target_dtype="float32")),
    ("nasty", given(prediction=[1e4, -1e4, 1, -1, 0], target=[-1, -1, 1, -1, 1])),
    ("mapped-nasty", given(prediction=[1e4, -1e4, 1, -1, 0], target=[0, 0, 1, 0, 1])),
]
SIGN_ROWS: Inputs = [("matrix", pairs(125, scores=3, shape=[3], labels=[-1, 1]))]
GENTLE: Inputs = [
    *(item for item in SIGNS if "nasty" not in item[0]),
    *SIGN_ROWS,
    ("nasty", given(prediction=[600, -600, 0, 1e-9], target=[-1, -1, 1, 0.0 + 1])),
    ("mapped-nasty", given(prediction=[80, -80, 0, 1e-9], target=[0, 0, 1, 0])),
]


def tensors(inputs: Arrays) -> tuple[torch.Tensor, torch.Tensor]:
    prediction = torch.tensor(inputs["prediction"])
    return prediction, torch.tensor(inputs["target"]).to(prediction.dtype)


def weights(inputs: Arrays) -> torch.Tensor | None:
    """The samples' weights, one for each element."""
    if "weight" not in inputs:
        return None
    prediction = inputs["prediction"]
    shape = (len(prediction),) + (1,) * (prediction.ndim - 1)
    full = np.broadcast_to(inputs["weight"].reshape(shape), prediction.shape)
    return torch.tensor(full.astype(prediction.dtype))


def torch_loss(name: str) -> Run:
    def run(inputs: Arrays) -> float:
        options = {"weight": weights(inputs)} if "weight" in inputs else {}
        return float(getattr(F, name)(*tensors(inputs), **options))

    return run


def torch_pos_weight(beta: float) -> Run:
    def run(inputs: Arrays) -> float:
        prediction, target = tensors(inputs)
        pos_weight = torch.tensor(beta, dtype=prediction.dtype)
        loss = F.binary_cross_entropy_with_logits(
            prediction, target, weights(inputs), pos_weight=pos_weight
        )
        return float(loss)

    return run


def columns(array: Array) -> Array:
    """Keras takes the mean over the last axis, of which a vector has none to spare."""
    return array[:, None] if array.ndim == 1 else array


def keras_loss(loss: Callable[..., Any]) -> Run:
    def run(inputs: Arrays) -> float:
        prediction, target = (columns(inputs[name]) for name in ("prediction", "target"))
        return float(loss(target, prediction, sample_weight=inputs.get("weight")))

    return run


def sklearn_loss(loss: Callable[..., Any]) -> Run:
    def run(inputs: Arrays) -> float:
        target = inputs["target"].astype(int)
        return float(loss(target, inputs["prediction"], sample_weight=inputs.get("weight")))

    return run


def sklearn_log_loss(inputs: Arrays) -> float:
    loss = sklearn.metrics.log_loss
    return float(
        loss(
            inputs["target"].astype(int),
            inputs["prediction"],
            sample_weight=inputs.get("weight"),
            labels=[0, 1],
        )
    )


def optax_loss(name: str) -> Run:
    def run(inputs: Arrays) -> float:
        prediction = inputs["prediction"]
        target = inputs["target"].astype(prediction.dtype)
        loss: Callable[..., Any] = getattr(optax.losses, name)
        return float(np.asarray(loss(prediction, target)).astype(float).mean())

    return run


def module(call: Callable[..., torch.Tensor]) -> Run:
    """A call of two tensors; one that gives every element gives their mean."""

    def run(inputs: Arrays) -> float:
        return float(call(*tensors(inputs)).double().mean())

    return run


def scored(call: Callable[..., Any]) -> Run:
    def run(inputs: Arrays) -> float:
        return float(np.asarray(call(inputs["target"], inputs["prediction"])).mean())

    return run


def old_keras(inputs: Arrays) -> float:
    """The formula of Keras before 3, which has a package no more that its backends could run."""
    p, y = tensors(inputs)
    p = p.clip(1e-7, 1 - 1e-7)
    loss = -(y * torch.log(p + 1e-7) + (1 - y) * torch.log(1 - p + 1e-7))
    return float(loss.mean())


ENTROPY = [
    Call(
        "bce@torch",
        "torch.nn.functional.binary_cross_entropy",
        torch_loss("binary_cross_entropy"),
        [*PROBABILITIES, *MATRIX, *WEIGHTED, *WEIGHTED_MATRIX],
    ),
    Call(
        "bce@torch:from_logits=true",
        "torch.nn.functional.binary_cross_entropy_with_logits",
        torch_loss("binary_cross_entropy_with_logits"),
        LOGITS,
    ),
    Call(
        "bce@keras",
        "keras.losses.BinaryCrossentropy",
        keras_loss(keras.losses.BinaryCrossentropy()),
        [*PROBABILITIES, *MATRIX[:1], *WEIGHTED, *WEIGHTED_MATRIX],
        rtol=1e-6,
    ),
    Call(
        "bce@keras:label_smoothing=0.2",
        "keras.losses.BinaryCrossentropy",
        keras_loss(keras.losses.BinaryCrossentropy(label_smoothing=0.2)),
        PROBABILITIES[:1],
        rtol=1e-6,
    ),
    Call(
        "bce@keras",
        "keras.losses.BinaryCrossentropy",
        keras_loss(keras.losses.BinaryCrossentropy(reduction="sum")),
        [("sum", pairs(107, shape=[3]))],
        rtol=1e-6,
        options={"reduction": "sum"},
    ),
    Call(
        "bce@keras2",
        "torch.log (in the formula of tf_keras.losses.BinaryCrossentropy)",
        old_keras,
        [*PROBABILITIES, *MATRIX],
    ),
    Call(
        "bce@sklearn",
        "sklearn.metrics.log_loss",
        sklearn_log_loss,
        [*PROBABILITIES, *WEIGHTED],
    ),
    Call(
        "bce@optax",
        "optax.losses.sigmoid_binary_cross_entropy",
        optax_loss("sigmoid_binary_cross_entropy"),
        LOGITS,
    ),
    Call(
        "bce@smp",
        "segmentation_models_pytorch.losses.SoftBCEWithLogitsLoss",
        module(smp.SoftBCEWithLogitsLoss()),
        [*LOGITS, *IGNORED],
    ),
    Call(
        "bce@smp:label_smoothing=0.1",
        "segmentation_models_pytorch.losses.SoftBCEWithLogitsLoss(smooth_factor=0.1)",
        module(smp.SoftBCEWithLogitsLoss(smooth_factor=0.1)),
        [LOGITS[0], LOGITS[3]],
    ),
    Call(
        "bce@scoringrules",
        "scoringrules.log_score",
        scored(scoringrules.log_score),
        [*PROBABILITIES, *MATRIX[:1]],
    ),
    Call(
        "weighted_bce@torch:beta=2.5",
        "torch.nn.functional.binary_cross_entropy_with_logits(pos_weight=2.5)",
        torch_pos_weight(2.5),
        [*LOGITS, ("weighted", pairs(116, scores=4, shape=[2], weight=True))],
    ),
]
FOCAL = [
    Call(
        "binary_focal@keras",
        "keras.losses.BinaryFocalCrossentropy",
        keras_loss(keras.losses.BinaryFocalCrossentropy()),
        [*PROBABILITIES, *MATRIX, *WEIGHTED, *WEIGHTED_MATRIX],
        rtol=1e-6,
    ),
    Call(
        "binary_focal@keras:alpha=0.25",
        "keras.losses.BinaryFocalCrossentropy(apply_class_balancing=True)",
        keras_loss(keras.losses.BinaryFocalCrossentropy(apply_class_balancing=True)),
        PROBABILITIES[:1],
        rtol=1e-6,
    ),
    Call(
        "binary_focal@optax",
        "optax.losses.sigmoid_focal_loss",
        optax_loss("sigmoid_focal_loss"),
        LOGITS,
    ),
    Call(
        "binary_focal@torchvision",
        "torchvision.ops.sigmoid_focal_loss",
        module(torchvision.ops.sigmoid_focal_loss),
        LOGITS,
    ),
    Call(
        "binary_focal@smp",
        'segmentation_models_pytorch.losses.FocalLoss(mode="binary")',
        module(smp.FocalLoss(mode="binary")),
        LOGITS,
    ),
    Call(
        "binary_focal@smp:alpha=0.3",
        'segmentation_models_pytorch.losses.FocalLoss(mode="binary", alpha=0.3)',
        module(smp.FocalLoss(mode="binary", alpha=0.3)),
        LOGITS[:1],
    ),
    Call(
        "binary_focal@monai",
        "monai.losses.FocalLoss",
        module(monai.losses.FocalLoss()),
        LOGIT_ROWS,
        rtol=1e-6,
    ),
]
MARGINS = [
    Call(
        "hinge@keras",
        "keras.losses.Hinge",
        keras_loss(keras.losses.Hinge()),
        [*SIGNS, *SIGN_ROWS, ("weighted", pairs(126, scores=3, shape=[2], weight=True))],
        rtol=1e-6,
    ),
    Call(
        "hinge@sklearn",
        "sklearn.metrics.hinge_loss",
        sklearn_loss(sklearn.metrics.hinge_loss),
        [*SIGNS, ("weighted", pairs(127, scores=3, weight=True))],
    ),
    Call("hinge@optax", "optax.losses.hinge_loss", optax_loss("hinge_loss"), [*SIGNS, *SIGN_ROWS]),
    Call(
        "squared_hinge@keras",
        "keras.losses.SquaredHinge",
        keras_loss(keras.losses.SquaredHinge()),
        [*SIGNS, *SIGN_ROWS, ("weighted", pairs(128, scores=3, shape=[2], weight=True))],
        rtol=1e-6,
    ),
    Call(
        "logistic@torch",
        "torch.nn.functional.soft_margin_loss",
        torch_loss("soft_margin_loss"),
        GENTLE,
    ),
    Call(
        "perceptron@optax",
        "optax.losses.perceptron_loss",
        optax_loss("perceptron_loss"),
        [*SIGNS, *SIGN_ROWS],
    ),
]
LABELS: Inputs = [
    ("vector", given("int64", prediction=[0, 1, 1, 0, 1], target=[0, 0, 1, 1, 1])),
    ("classes", given("int64", prediction=[2, 0, 1, 3, 1, 2], target=[2, 1, 1, 0, 1, 3])),
    (
        "matrix",
        given(
            "int64",
            prediction=[[0, 1, 1], [1, 0, 0], [1, 1, 0], [0, 0, 1]],
            target=[[0, 1, 1], [1, 1, 0], [0, 0, 1], [0, 0, 1]],
        ),
    ),
    (
        "float32",
        given("float32", prediction=[[0, 1], [1, 0], [1, 1]], target=[[0, 1], [1, 1], [0, 0]]),
    ),
    (
        "weighted",
        given(
            {"prediction": "int64", "target": "int64", "weight": "float64"},
            prediction=[[0, 1], [1, 0], [1, 1]],
            target=[[0, 1], [1, 1], [0, 0]],
            weight=[0.5, 2, 1.25],
        ),
    ),
    ("nasty", given("int64", prediction=[[1, 1], [1, 1]], target=[[0, 0], [1, 1]])),
]
DECISIONS = [
    Call(
        "brier@sklearn",
        "sklearn.metrics.brier_score_loss",
        sklearn_loss(sklearn.metrics.brier_score_loss),
        [
            *PROBABILITIES,
            *WEIGHTED,
            ("two-classes", maps(131, count=2, rows=9)),
            ("two-classes-float32", maps(132, count=2, rows=9, dtype="float32")),
            ("three-classes", maps(133, count=3, rows=9, weight=True)),
        ],
    ),
    Call(
        "brier@scoringrules",
        "scoringrules.brier_score",
        scored(scoringrules.brier_score),
        [*PROBABILITIES, *MATRIX[:1]],
    ),
    Call(
        "zero_one@sklearn",
        "sklearn.metrics.zero_one_loss",
        sklearn_loss(sklearn.metrics.zero_one_loss),
        LABELS,
    ),
    Call(
        "hamming@sklearn",
        "sklearn.metrics.hamming_loss",
        sklearn_loss(sklearn.metrics.hamming_loss),
        LABELS,
    ),
]

CALLS = [*ENTROPY, *FOCAL, *MARGINS, *DECISIONS]
