"""Multi-label classification: the libraries' own calls."""

from __future__ import annotations

import numpy as np
import sklearn.metrics
import torch
import torch.nn.functional as F

from tests.reference.cases import F32, given, pairs
from tests.reference.conventions import Call
from tests.reference.inputs import Array, Arrays
from tests.reference.libraries.multilabel import listed

SCORED = {"shape": [5], "scores": 3.0}
NASTY = [
    (
        "nasty",
        given(
            prediction=[[1e4, -1e4, 0], [1, 1, 1], [0.5, 0.25, 2], [-1e4, 40, 1e4], [1, 2, 2]],
            target=[[0, 1, 0], [1, 0, 1], [0, 0, 0], [1, 1, 1], [0, 1, 0]],
        ),
    ),
    (
        "nasty-float32",
        given({"prediction": "float32"}, prediction=[[1e4, -1e4], [2, 2]], target=[[0, 1], [1, 0]]),
    ),
]
LABELS = [
    ("rows", pairs(301, **SCORED, target_dtype="int64")),
    ("many", pairs(302, shape=[40], scores=3.0, rows=3, target_dtype="int64")),
    ("float32", pairs(303, **SCORED, **F32, target_dtype="int64")),
    *NASTY,
]
WEIGHTED = ("weighted", pairs(304, **SCORED, target_dtype="int64", weight=True))
SOFT = [
    ("soft", pairs(305, **SCORED, soft=True)),
    ("cube", pairs(306, shape=[2, 3], scores=3.0, rows=4)),
]


def margin(inputs: Arrays) -> float:
    target = torch.tensor(listed(inputs["target"]))
    return float(F.multilabel_margin_loss(torch.tensor(inputs["prediction"]), target))


def soft_margin(inputs: Arrays) -> float:
    prediction = torch.tensor(inputs["prediction"])
    target = torch.tensor(inputs["target"]).to(prediction.dtype)
    return float(F.multilabel_soft_margin_loss(prediction, target))


def ranking(inputs: Arrays) -> float:
    weight = inputs.get("weight")
    found: Array = np.asarray(
        sklearn.metrics.label_ranking_loss(
            inputs["target"], inputs["prediction"], sample_weight=weight
        )
    )
    return float(found)


def coverage(inputs: Arrays) -> float:
    weight = inputs.get("weight")
    return float(
        sklearn.metrics.coverage_error(inputs["target"], inputs["prediction"], sample_weight=weight)
    )


CALLS = [
    Call("multilabel_margin@torch", "torch.nn.functional.multilabel_margin_loss", margin, LABELS),
    Call(
        "multilabel_soft_margin@torch",
        "torch.nn.functional.multilabel_soft_margin_loss",
        soft_margin,
        [*LABELS, *SOFT],
    ),
    Call(
        "label_ranking@sklearn",
        "sklearn.metrics.label_ranking_loss",
        ranking,
        [*LABELS, WEIGHTED],
    ),
    Call("coverage_error@sklearn", "sklearn.metrics.coverage_error", coverage, [*LABELS, WEIGHTED]),
]
