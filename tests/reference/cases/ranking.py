"""Ranking: the cases."""

from __future__ import annotations

from typing import Any

from tests.reference.cases import BOTH, Inputs, Key, Plan, given, key


def ranked(seed: int, **arguments: Any) -> Key:
    return key("ranked", seed, **arguments)


LISTS = [
    Inputs("float64", ranked(1), (*BOTH, "batchmean")),
    Inputs("long", ranked(2, rows=5, length=23), BOTH),
    Inputs("soft", ranked(3, soft=True, target_dtype="float64")),
    Inputs("float32", ranked(4, dtype="float32", target_dtype="int32"), BOTH),
    Inputs("soft-float32", ranked(5, dtype="float32", soft=True, target_dtype="float32")),
    Inputs("float16", ranked(6, dtype="float16", target_dtype="uint8")),
    Inputs("binary", ranked(7, grades=2, target_dtype="bool")),
    Inputs("int-scores", ranked(8, dtype="int64", scale=6)),
    Inputs("tied", ranked(9, whole=True, length=7), BOTH),
    Inputs("equal", ranked(10, equal=[1, 4], irrelevant=[2])),
    Inputs("masked", ranked(11, mask="bool", length=6), BOTH),
    Inputs("masked-tied", ranked(12, mask="uint8", length=6, whole=True, equal=[0])),
    Inputs("masked-blank", ranked(13, mask="float64", length=4, blank=[1], irrelevant=[3]), BOTH),
    Inputs("masked-float32", ranked(14, mask="bool", dtype="float32", blank=[0])),
    Inputs("weighted", ranked(15, weight=True, irrelevant=[2]), BOTH),
    Inputs("pair", ranked(16, length=2)),
    Inputs("one-row", ranked(17, rows=1, length=4)),
    Inputs("steep", ranked(18, scale=300.0)),
    Inputs(
        "extremes",
        given(
            {"prediction": "float64", "target": "int64"},
            prediction=[[1e4, -1e4, 0], [-1e4, 1e4, 0], [1e-9, 0, -1e-9], [30, 20, 10]],
            target=[[2, 0, 1], [2, 0, 1], [2, 1, 0], [2, 1, 0]],
        ),
    ),
    Inputs(
        "sorted",
        given(
            {"prediction": "float64", "target": "float64"},
            prediction=[[9e3 + 40, 9e3 + 20, 9e3], [3, 2, 1], [1, 1 + 1e-9, 0]],
            target=[[3, 2, 1], [1, 1 - 1e-9, 0.5], [1, 1 - 1e-9, 0.5]],
        ),
        in_library=False,
    ),
]
SCORES = {"positive": [-3, 3], "negative": [-3, 3]}
DRAWN = [
    Inputs("vector", key("fields", 21, names=SCORES), (*BOTH, "batchmean")),
    Inputs("matrix", key("fields", 22, names=SCORES, shape=[3])),
    Inputs("float32", key("fields", 23, names=SCORES, dtype="float32")),
    Inputs("float16", key("fields", 24, names=SCORES, dtype="float16")),
    Inputs("weighted", key("fields", 25, names=SCORES, shape=[2], weight=True), BOTH),
    Inputs("extremes", given(positive=[1e4, -1e4, 40, 0, 1e-9], negative=[-1e4, 1e4, 0, 0, 0])),
    Inputs(
        "extremes-float32",
        given("float32", positive=[1e4, -1e4, 90, 0], negative=[-1e4, 1e4, 0, 0]),
    ),
]
ON = ("float64", "long", "soft", "masked")
DCG = [
    {"gain": "exponential"},
    {"k": 1},
    {"k": 3},
    {"k": 3, "gain": "exponential", "ties": "first"},
]

PLANS = [
    Plan("ranknet", LISTS),
    Plan("pairwise_hinge", LISTS, variants=[{"margin": 0.3}, {"margin": 0}], on=ON),
    Plan("bpr", DRAWN),
    Plan("listnet", LISTS),
    Plan("ranking_softmax", LISTS),
    Plan("listmle", LISTS),
    Plan(
        "ndcg_loss",
        LISTS,
        variants=[
            *DCG,
            {"ties": "first"},
            {"irrelevant": "zero"},
            {"irrelevant": "one"},
            {"irrelevant": "zero", "k": 2},
        ],
        on=("float64", "soft", "tied", "equal", "masked-tied", "masked-blank"),
    ),
    Plan(
        "approx_ndcg",
        LISTS,
        variants=[{"gain": "linear"}, {"temperature": 1}, {"temperature": 0.01}],
        on=(*ON, "tied", "masked-tied"),
    ),
]
