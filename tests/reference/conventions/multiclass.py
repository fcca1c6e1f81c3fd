"""Multi-class classification: the libraries' own calls."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import monai.losses
import numpy as np
import optax
import scoringrules
import segmentation_models_pytorch as smp
import sklearn.metrics
import torch
import torch.nn.functional as F

from tests.reference.cases import F32, MAP, given, maps
from tests.reference.conventions import Call
from tests.reference.inputs import Array, Arrays, Key

Labelled = tuple[str, Key]
Run = Callable[[Arrays], float | Array]

WEIGHTS = [1, 2.5, 0.75, 3, 1.25]
LAST = {"rows": 4, "spatial": [2, 3]}  # the classes come last
SOFT64 = {"target": "soft", "target_dtype": "float64"}
SOFT32 = {"target": "soft", "target_dtype": "float32", **F32}
HOT = {"target": "onehot"}

FAR = [[1e4, -1e4, 0], [1e4, -1e4, 8], [-1e4, -1e4, -9998], [40, 0, 1], [0, 120, 3]]


def hard(dtype: str = "float64", **arrays: Any) -> Key:
    """Written-out predictions of a type, and class ids; or distributions, which are floats."""
    ids = isinstance(np.array(arrays["target"]).flat[0], np.integer)
    return given({"prediction": dtype, "target": "int64" if ids else "float64"}, **arrays)


NASTY_FAR = [
    ("nasty", hard(prediction=FAR, target=[0, 1, 2, 0, 0])),
    ("nasty-float32", hard("float32", prediction=FAR, target=[0, 1, 2, 0, 0])),
]
NASTY_FAR_HOT = [
    (label, {**key, "target": np.eye(3)[list(key["target"])].tolist()}) for label, key in NASTY_FAR
]
LOGITS = [
    ("rows", maps(201, kind="logit")),
    ("map", maps(202, **MAP, kind="logit")),
    ("float32", maps(203, kind="logit", **F32)),
    *NASTY_FAR,
]
IGNORED = [
    ("ignored", maps(204, **MAP, kind="logit", ignore=-100, blank_rows=[2])),
    ("ignored-float32", maps(205, rows=9, kind="logit", ignore=-100, **F32)),
    ("nasty-all-ignored", hard(prediction=[[1, 2, 3], [0, 1, 0]], target=[-100, -100])),
]
LOGITS_HOT = [
    ("rows", maps(211, kind="logit", **HOT)),
    ("soft", maps(212, kind="logit", **SOFT64)),
    ("soft-float32", maps(213, kind="logit", **SOFT32)),
    *NASTY_FAR_HOT,
]
SCORES = [item for item in LOGITS if item[0] != "map"]

ZEROS = [[0, 1, 0], [0.5, 0, 0.5], [0.25, 0.75, 0], [1, 0, 0]]
UNSCALED = [[0.2, 0.6, 0], [0.25, 0.25, 0.125], [1e-9, 1, 1], [0.3, 0, 0]]
CHANCES = [
    ("rows", maps(221)),
    ("map", maps(222, **LAST)),
    ("float32", maps(223, **F32)),
    ("nasty", hard(prediction=ZEROS, target=[0, 0, 1, 0])),
    ("nasty-float32", hard("float32", prediction=ZEROS, target=[1, 1, 2, 0])),
]
CHANCES_HOT = [
    ("rows", maps(231, **HOT)),
    ("soft", maps(232, **SOFT64)),
    ("soft-float32", maps(233, **SOFT32)),
    ("nasty", hard(prediction=ZEROS, target=[[1, 0, 0], [0.5, 0.5, 0], [0, 1, 0], [1, 0, 0]])),
]
NASTY_SUMS = ("nasty-sums", hard(prediction=UNSCALED, target=[0, 2, 0, 1]))
NASTY_SUMS_HOT = ("nasty-sums", hard(prediction=UNSCALED, target=np.eye(3)[[0, 2, 0, 1]].tolist()))
WEIGHTED = ("weighted", maps(241, weight=True))
WEIGHTED_HOT = ("weighted", maps(242, **HOT, weight=True))
FLAT = [item for item in CHANCES if item[0] != "map"]


def ids(array: Array) -> torch.Tensor:
    return torch.tensor(array.astype(np.int64))


def pair(inputs: Arrays) -> tuple[torch.Tensor, torch.Tensor]:
    """Prediction, and class ids or distributions of its type."""
    prediction, target = inputs["prediction"], inputs["target"]
    if target.ndim == prediction.ndim:
        return torch.tensor(prediction), torch.tensor(target.astype(prediction.dtype))
    return torch.tensor(prediction), ids(target)


def cross_entropy(weighted: bool = False, smoothing: float = 0.0) -> Run:
    def run(inputs: Arrays) -> float:
        prediction, target = pair(inputs)
        weight = torch.tensor(WEIGHTS, dtype=prediction.dtype) if weighted else None
        loss = F.cross_entropy(prediction, target, weight=weight, label_smoothing=smoothing)
        return float(loss)

    return run


def by_torch(name: str, **options: Any) -> Run:
    def run(inputs: Arrays) -> float:
        prediction, target = pair(inputs)
        given = dict(options)
        if "weight" in given:
            given["weight"] = torch.tensor(given["weight"], dtype=prediction.dtype)
        return float(getattr(F, name)(prediction, target, **given))

    return run


def by_keras(name: str, **options: Any) -> Run:
    loss = getattr(keras.losses, name)(**options)

    def run(inputs: Arrays) -> float:
        prediction, target = torch.tensor(inputs["prediction"]), torch.tensor(inputs["target"])
        weight = None
        if "weight" in inputs:  # one for each row, whatever its shape
            weight = torch.tensor(inputs["weight"].reshape(-1, *[1] * (prediction.ndim - 2)))
        return float(loss(target, prediction, sample_weight=weight))

    return run


def by_optax(name: str, dense: bool = False) -> Run:
    """One value for each row; of float32, whose rounding rows show, the mean."""

    def run(inputs: Arrays) -> float | Array:
        prediction, target = inputs["prediction"], inputs["target"]
        if dense and target.ndim < prediction.ndim:
            target = np.eye(prediction.shape[-1])[target]
        if target.ndim == prediction.ndim:
            target = target.astype(prediction.dtype)
        loss = np.asarray(getattr(optax.losses, name)(prediction, target))
        return loss if loss.dtype == np.float64 and loss.ndim == 1 else float(loss.mean())

    return run


def log_loss(inputs: Arrays) -> float:
    prediction, target = inputs["prediction"], inputs["target"]
    labels = range(prediction.shape[1])
    target = target if target.ndim == 1 else target.argmax(1)
    weight = inputs.get("weight")
    return float(sklearn.metrics.log_loss(target, prediction, labels=labels, sample_weight=weight))


def hinge(inputs: Arrays) -> float:
    prediction = inputs["prediction"]
    options = {"labels": range(prediction.shape[1]), "sample_weight": inputs.get("weight")}
    return float(sklearn.metrics.hinge_loss(inputs["target"], prediction.copy(), **options))


def top_k_error(inputs: Arrays) -> float:
    prediction = inputs["prediction"]
    options = {"labels": range(prediction.shape[1]), "sample_weight": inputs.get("weight")}
    return 1 - float(sklearn.metrics.top_k_accuracy_score(inputs["target"], prediction, **options))


def soft_cross_entropy(smoothing: float) -> Run:
    loss = smp.losses.SoftCrossEntropyLoss(smooth_factor=smoothing)
    return lambda inputs: float(loss(*pair(inputs)))


def smp_focal(inputs: Arrays) -> float:
    return float(smp.losses.FocalLoss("multiclass")(*pair(inputs)))


def monai_focal(**options: Any) -> Run:
    return lambda inputs: float(monai.losses.FocalLoss(**options)(*pair(inputs)))


def rps(inputs: Arrays) -> Array:
    return np.asarray(scoringrules.rps_score(inputs["target"], inputs["prediction"]))


def torch_calls(loss: str, items: Sequence[Labelled]) -> list[Call]:
    return [Call(f"{loss}@torch", "torch.nn.functional.cross_entropy", cross_entropy(), items)]


def weighed(loss: str, items: Sequence[Labelled]) -> list[Call]:
    """Class weights and label smoothing, one or both."""
    source = "torch.nn.functional.cross_entropy"
    listed = f"class_weights=[{','.join(map(str, WEIGHTS))}]"
    return [
        Call(f"{loss}@torch:{listed}", source, cross_entropy(True), items),
        Call(f"{loss}@torch:label_smoothing=0.1", source, cross_entropy(False, 0.1), items),
        Call(f"{loss}@torch:{listed},label_smoothing=0.1", source, cross_entropy(True, 0.1), items),
    ]


def smp_calls(loss: str, items: Sequence[Labelled]) -> list[Call]:
    source = "segmentation_models_pytorch.losses.SoftCrossEntropyLoss"
    return [
        Call(f"{loss}@smp:label_smoothing={s}", source, soft_cross_entropy(float(s)), items)
        for s in ("0", "0.1")
    ]


def keras_ids(loss: str, items: Sequence[Labelled], ignored: Sequence[Labelled]) -> list[Call]:
    name = "SparseCategoricalCrossentropy"
    source = f"keras.losses.{name}"
    return [
        Call(f"{loss}@keras", source, by_keras(name), items, 1e-6),
        Call(
            f"{loss}@keras:ignore_index=255",
            source,
            by_keras(name, ignore_class=255),
            ignored,
            1e-6,
        ),
    ]


PIXELS = [
    ("map", maps(251, **MAP, kind="logit")),
    ("map-float32", maps(252, **MAP, kind="logit", **F32)),
    ("ignored", maps(253, **MAP, kind="logit", ignore=-100, blank_rows=[0])),
    (
        "nasty",
        hard(
            prediction=[[[[1e4, -1e4]], [[0, 40]], [[-1e4, 1]]], [[[0, 1]], [[1, 0]], [[2, 2]]]],
            target=[[[0, 1]], [[-100, 2]]],
        ),
    ),
    (
        "nasty-all-ignored",
        hard(prediction=[[[[1, 2]], [[0, 4]], [[1, 1]]]], target=[[[-100, -100]]]),
    ),
]
PIXEL_CHANCES = [
    ("map", maps(261, **LAST)),
    ("map-float32", maps(262, **LAST, **F32)),
    ("map-weighted", maps(263, **LAST, weight=True)),
    (
        "nasty",
        hard(
 prediction=[[[[0, 1, 0], [1, 0, 0]]], [[[0.75, 0, 0.75], [0.5, 0.5, 0]]]],
              target=[[[0, 0]], [[1, 2]]]),
    ),
]  # fmt: skip
KERAS_IGNORED = [
    ("ignored", maps(264, **LAST, ignore=255, target_dtype="uint8")),
    ("ignored-weighted", maps(265, ignore=255, weight=True, rows=9)),
    ("ignored-blank", maps(266, **LAST, ignore=255, blank_rows=[1])),
]
KERAS_BLANK = ("nasty-all-ignored", hard(prediction=ZEROS, target=[255] * 4))
KERAS_PIXELS_BLANK = (
    "nasty-all-ignored",
    hard(prediction=[[[[0, 1, 0], [1, 0, 0]]]], target=[[[255, 255]]]),
)
PIXELS_LAST = [
    ("map", maps(267, **LAST, kind="logit")),
    ("map-float32", maps(268, **LAST, kind="logit", **F32)),
    (
        "nasty",
        hard(
 prediction=[[[[1e4, -1e4, 0], [40, 0, 1]]], [[[0, 0, 0], [-1e4, 0, 1]]]],
              target=[[[1, 0]], [[2, 0]]]),
    ),
]  # fmt: skip

OPTAX_HOT = "softmax_cross_entropy"
OPTAX_IDS = "softmax_cross_entropy_with_integer_labels"
LOG_CHANCES = [
    ("rows", maps(271, kind="log")),
    ("map", maps(272, **MAP, kind="log")),
    ("float32", maps(273, kind="log", **F32)),
    ("ignored", maps(274, rows=9, kind="log", ignore=-100)),
    ("nasty", hard(prediction=[[-1e4, 0, -50], [-0.0, -1e-9, -1]], target=[0, -100])),
    ("nasty-all-ignored", hard(prediction=[[-1, -2, -3]], target=[-100])),
]
FOCAL_HOT = [
    ("rows", maps(281, kind="logit", **HOT)),
    ("float32", maps(282, kind="logit", **HOT, **F32)),
    *NASTY_FAR_HOT,
]
FOCAL_IDS = [
    ("rows", maps(283, kind="logit")),
    ("map", maps(284, **MAP, kind="logit")),
    ("float32", maps(285, kind="logit", **F32)),
    *NASTY_FAR,
]
TIES = [
    (
        "nasty-ties",
        hard(
            prediction=[[1, 1, 0], [1, 1, 1], [0, 2, 2], [2, 0, 2], [0, 0, 1]],
            target=[0, 1, 2, 0, 0],
        ),
    ),
    (
        "nasty-ties-float32",
        hard("float32", prediction=[[1, 1, 0], [2, 2, 2]], target=[2, 0]),
    ),
]
KINKS = (
    "nasty-kinks",
    hard(prediction=[[2, 1, 0], [0, 0, 0], [3, 1, 2], [-1, -2, -3]], target=[0, 2, 0, 1]),
)
HINGE_HOT = [
    ("rows", maps(293, kind="logit", dtype="int64", scale=9, **HOT)),
    ("float32", maps(294, kind="logit", **HOT, **F32)),
    ("weighted", maps(295, kind="logit", dtype="int64", scale=9, **HOT, weight=True)),
    *NASTY_FAR_HOT,
    (
        "nasty-kinks",
        hard(prediction=[[2, 1, 0], [0, 0, 0], [-3, -1, -2]], target=np.eye(3).tolist()),
    ),
]
SCORED_WEIGHTED = ("weighted", maps(296, kind="logit", weight=True))
COUNTED = [
    ("rows", hard(
 prediction=[[0.1, 0.2, 0.3, 0.4], [0.5, 0.25, 0.25, 0]], target=[3, 1])),
    ("float32", hard("float32", prediction=[[0.1, 0.2, 0.3, 0.4], [0.5, 0.25, 0.25, 0]],
                     target=[4, 2])),
    ("three", hard(
 prediction=[[0.5, 0.125, 0.375], [0.25, 0.5, 0.25]], target=[1, 3])),
    ("nasty", hard(
 prediction=[[0, 1, 0], [1, 0, 0], [0, 0, 1]], target=[2, 3, 1])),
]  # fmt: skip

CALLS = [
    *torch_calls("cross_entropy", [*LOGITS, *IGNORED, *LOGITS_HOT[1:3]]),
    *weighed("cross_entropy", [LOGITS[0], LOGITS[2], IGNORED[0], *LOGITS_HOT[1:3]]),
    *torch_calls("categorical_crossentropy", LOGITS_HOT),
    *weighed("categorical_crossentropy", LOGITS_HOT[:3]),
    *torch_calls("sparse_categorical_crossentropy", [*LOGITS, *IGNORED]),
    *weighed("sparse_categorical_crossentropy", [LOGITS[1], IGNORED[1]]),
    *torch_calls("pixel_cross_entropy", PIXELS),
    *weighed("pixel_cross_entropy", [PIXELS[0], PIXELS[2]]),
    *(
        Call(
            f"{loss}@keras",
            "keras.losses.CategoricalCrossentropy",
            by_keras("CategoricalCrossentropy"),
            [*CHANCES_HOT, NASTY_SUMS_HOT, WEIGHTED_HOT],
            1e-6,
        )
        for loss in ("cross_entropy", "categorical_crossentropy")
    ),
    *keras_ids(
        "sparse_categorical_crossentropy",
        [*CHANCES, NASTY_SUMS, WEIGHTED],
        [*KERAS_IGNORED, KERAS_BLANK],
    ),
    *keras_ids("pixel_cross_entropy", PIXEL_CHANCES, [KERAS_IGNORED[0], KERAS_PIXELS_BLANK]),
    *(
        Call(f"{loss}@sklearn", "sklearn.metrics.log_loss", log_loss, [*FLAT, WEIGHTED])
        for loss in ("cross_entropy", "sparse_categorical_crossentropy")
    ),
    Call(
        "categorical_crossentropy@sklearn",
        "sklearn.metrics.log_loss",
        log_loss,
        [
            CHANCES_HOT[0],
            WEIGHTED_HOT,
            ("float32", maps(234, **HOT, **F32)),
            ("nasty", hard(prediction=ZEROS, target=np.eye(3)[[0, 1, 2, 0]].tolist())),
        ],
    ),
    *(
        Call(f"{loss}@optax", f"optax.losses.{OPTAX_HOT}", by_optax(OPTAX_HOT), LOGITS_HOT)
        for loss in ("cross_entropy", "categorical_crossentropy")
    ),
    Call(
        "sparse_categorical_crossentropy@optax",
        f"optax.losses.{OPTAX_IDS}",
        by_optax(OPTAX_IDS),
        [*SCORES, PIXELS_LAST[0]],
    ),
    Call(
        "pixel_cross_entropy@optax",
        f"optax.losses.{OPTAX_IDS}",
        by_optax(OPTAX_IDS),
        PIXELS_LAST,
    ),
    *smp_calls("cross_entropy", [*LOGITS[:3], *IGNORED, LOGITS[3]]),
    *smp_calls("sparse_categorical_crossentropy", [*LOGITS[:3], *IGNORED]),
    *smp_calls("pixel_cross_entropy", PIXELS),
    Call("nll@torch", "torch.nn.functional.nll_loss", by_torch("nll_loss"), LOG_CHANCES),
    Call(
        f"nll@torch:class_weights=[{','.join(map(str, WEIGHTS))}]",
        "torch.nn.functional.nll_loss",
        by_torch("nll_loss", weight=WEIGHTS),
        LOG_CHANCES[:4],
    ),
    Call(
        "focal@keras",
        "keras.losses.CategoricalFocalCrossentropy",
        by_keras("CategoricalFocalCrossentropy"),
        [*CHANCES_HOT, NASTY_SUMS_HOT, WEIGHTED_HOT],
        1e-6,
    ),
    Call("focal@monai", "monai.losses.FocalLoss", monai_focal(), FOCAL_HOT, 1e-6),
    Call(
        "focal@monai:axis=1",
        "monai.losses.FocalLoss",
        monai_focal(),
        [("map", maps(286, **MAP, kind="logit", **HOT))],
        1e-6,
    ),
    Call(
        "focal@monai:activation=softmax,alpha=[0.75,0.25,0.25,0.25,0.25]",
        "monai.losses.FocalLoss",
        monai_focal(use_softmax=True, alpha=0.25),
        FOCAL_HOT[:2],
        1e-6,
    ),
    Call("focal@smp", "segmentation_models_pytorch.losses.FocalLoss", smp_focal, FOCAL_IDS),
    Call(
        "poly1@optax",
        "optax.losses.poly_loss_cross_entropy",
        by_optax("poly_loss_cross_entropy", dense=True),
        [*SCORES, LOGITS_HOT[1]],
    ),
    Call(
        "generalized_cross_entropy@keras",
        "keras.losses.CategoricalGeneralizedCrossEntropy",
        by_keras("CategoricalGeneralizedCrossEntropy"),
        [*CHANCES, WEIGHTED],
        1e-6,
    ),
    Call("rps@scoringrules", "scoringrules.rps_score", rps, COUNTED),
    Call(
        "categorical_hinge@keras",
        "keras.losses.CategoricalHinge",
        by_keras("CategoricalHinge"),
        HINGE_HOT,
        1e-6,
    ),
    Call(
        "crammer_singer@sklearn",
        "sklearn.metrics.hinge_loss",
        hinge,
        [*SCORES, SCORED_WEIGHTED, TIES[0], KINKS],
    ),
    *(
        Call(f"{loss}@optax", f"optax.losses.{name}", by_optax(name), [*SCORES, TIES[0], KINKS])
        for loss, name in (
            ("crammer_singer", "multiclass_hinge_loss"),
            ("multiclass_perceptron", "multiclass_perceptron_loss"),
            ("sparsemax", "multiclass_sparsemax_loss"),
        )
    ),
    Call(
        "multi_margin@torch",
        "torch.nn.functional.multi_margin_loss",
        by_torch("multi_margin_loss"),
        [*SCORES, TIES[0], KINKS],
    ),
    Call(
        f"multi_margin@torch:class_weights=[{','.join(map(str, WEIGHTS))}]",
        "torch.nn.functional.multi_margin_loss",
        by_torch("multi_margin_loss", weight=WEIGHTS),
        SCORES[:2],
    ),
    Call(
        "top_k_error@sklearn",
        "sklearn.metrics.top_k_accuracy_score",
        top_k_error,
        [*SCORES, SCORED_WEIGHTED, ("many", maps(297, kind="logit", rows=30, count=6)), *TIES],
    ),
]
