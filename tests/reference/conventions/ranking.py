"""Ranking: the libraries' own calls."""

from __future__ import annotations

from typing import Any

import numpy as np
import optax
import sklearn.metrics

from tests.reference.cases import given, key
from tests.reference.conventions import Call
from tests.reference.inputs import Arrays, Key


def ranked(seed: int, **arguments: Any) -> Key:
    return key("ranked", seed, **arguments)


NASTY = given(
    {"prediction": "float64", "target": "int64"},
    prediction=[[1, 1, 1], [2, 2, 0], [1e4, -1e4, 0], [3, 2, 1]],
    target=[[1, 2, 3], [0, 0, 0], [0, 1, 2], [1, 1, 1]],
)
LISTS = [
    ("float64", ranked(31)),
    ("long", ranked(32, rows=4, length=17)),
    ("soft", ranked(33, soft=True, target_dtype="float64")),
    ("float32", ranked(34, dtype="float32")),
    ("nasty", NASTY),
]
MASKED = [
    ("masked", ranked(35, mask="bool", length=6)),
    ("masked-nasty", ranked(36, mask="bool", blank=[1, 3], irrelevant=[2])),
    (
        "all-masked-nasty",
        given(
            {"prediction": "float64", "target": "int64", "mask": "bool"},
            prediction=[[1, 2], [3, 4]],
            target=[[1, 0], [0, 1]],
            mask=[[False, False], [False, False]],
        ),
    ),
]
SCORED = [
    ("tied", ranked(37, whole=True, length=8)),
    ("weighted", ranked(38, weight=True, whole=True)),
    ("irrelevant-nasty", ranked(39, irrelevant=[0, 4], equal=[2])),
]


def optax_softmax(inputs: Arrays) -> float:
    mask = inputs.get("mask")
    loss = optax.losses.ranking_softmax_loss(
        inputs["prediction"], inputs["target"], where=None if mask is None else np.asarray(mask)
    )
    return float(loss)


def sklearn_ndcg(inputs: Arrays) -> float:
    score = sklearn.metrics.ndcg_score(
        inputs["target"], inputs["prediction"], sample_weight=inputs.get("weight")
    )
    return 1 - float(score)


CALLS = [
    Call(
        "ranking_softmax@optax",
        "optax.losses.ranking_softmax_loss",
        optax_softmax,
        [*LISTS, *MASKED],
    ),
    Call("ndcg_loss@sklearn", "sklearn.metrics.ndcg_score", sklearn_ndcg, [*LISTS, *SCORED]),
]
