"""Contrastive batches: the cases."""

from __future__ import annotations

from typing import Any

from tests.reference.cases import BOTH, Inputs, Key, Plan, given, key

SIDES = {"left": [-1.0, 1.5], "right": [-1.0, 1.5]}
POINTS = {"prediction": [-1.0, 1.5]}


def views(seed: int, **arguments: Any) -> Key:
    return key("fields", seed, **{"names": SIDES, "shape": [4], **arguments})


def points(seed: int, **arguments: Any) -> Key:
    return key(
        "fields",
        seed,
        **{"names": POINTS, "shape": [4], "labels": {"target": [0, 1, 2]}, "rows": 9, **arguments},
    )


ORTHOGONAL = [[1, 0, 0], [0, 0, 0], [0, 2, 0], [0, 0, -3]]
NEARLY = [[1, 1e-3, 0], [0, 1, 0], [0, 2, 1e-5], [0, 1e-4, -3]]


def scaled(factor: float) -> list[list[float]]:
    return [[factor * v for v in row] for row in NEARLY]


VIEWS = [
    Inputs("float64", views(301), BOTH),
    Inputs("float32", views(302, shape=[3], dtype="float32")),
    Inputs("float16", views(303, shape=[3], dtype="float16")),
    Inputs("wide", views(304, rows=5, shape=[12])),
    Inputs("one-row", views(305, rows=1)),
    Inputs("zero", given(left=ORTHOGONAL, right=NEARLY), in_library=False),
]
SCALES = [
    Inputs("huge", given(left=scaled(1e180), right=NEARLY), in_library=False),
    Inputs("tiny", given(left=scaled(1e-180), right=NEARLY), in_library=False),
]
WEIGHTED = [Inputs("weighted", views(306, weight=True))]
LABELLED = [
    Inputs("labels", points(311), BOTH),
    Inputs("labels-float32", points(312, dtype="float32", label_dtype="int32")),
    Inputs("labels-wide", points(313, rows=6, shape=[12], labels={"target": [3, 5]})),
    Inputs("labels-weighted", points(314, weight=True)),
    Inputs("labels-alone", given(prediction=NEARLY, target=[5, 2, 5, 9])),
    Inputs("labels-one", points(316, rows=4, labels={"target": [7]})),
    Inputs("labels-equal", given(prediction=[*NEARLY, *NEARLY], target=[0, 0, 1, 1, 0, 2, 1, 1])),
]
BATCHED = {"batch": 3}
FINE = {"temperature": 0.5}

PLANS = [
    Plan("nt_xent", [*VIEWS, *SCALES, *WEIGHTED], variants=[BATCHED, FINE]),
    Plan(
        "nt_xent",
        LABELLED,
        variants=[{"batch": 4}, {"average": "pairs"}, {"temperature": 0.2, "average": "pairs"}],
        on=("labels", "labels-float32"),
    ),
    Plan(
        "info_nce",
        [*VIEWS, *SCALES, *WEIGHTED],
        variants=[BATCHED, FINE, {"symmetric": False}],
    ),
    Plan("supcon", LABELLED, variants=[{"batch": 4}, FINE], on=("labels", "labels-float32")),
    Plan("n_pairs", [*VIEWS, *WEIGHTED], variants=[BATCHED, {"normalize": True}]),
    Plan(
        "n_pairs",
        LABELLED,
        variants=[{"batch": 4}, {"normalize": True}],
        on=("labels", "labels-float32"),
    ),
    Plan(
        "multi_similarity",
        LABELLED,
        variants=[{"batch": 4}, {"alpha": 1, "beta": 10, "base": 0.2}],
        on=("labels", "labels-float32"),
    ),
    Plan(
        "circle",
        LABELLED,
        variants=[{"batch": 4}, {"gamma": 32, "margin": 0.25}, {"gamma": 4, "normalize": False}],
        on=("labels", "labels-float32"),
    ),
    Plan(
        "barlow_twins",
        [
            *(
                Inputs(item.label, item.key, in_library=item.in_library)
                for item in VIEWS
                if item.label != "one-row"
            ),
            Inputs(
                "constant",
                given(left=[[0.1, 1], [0.1, 2], [0.1, 4]], right=[[1, 3], [2, 0], [0, 4]]),
            ),
            Inputs(
                "nearly",
                given(
                    left=[[1e6 + 1, 1], [1e6 + 2, -5], [1e6 - 3, 4]],
                    right=[[1, 1.001], [2, -4.999], [-3, 4]],
                ),
            ),
        ],
        variants=[{"lambda": 1}, {"epsilon": 1e-3, "ddof": 1}, {"ddof": 1}, {"batch": 4}],
    ),
    Plan(
        "vicreg",
        [
            Inputs(item.label, item.key, in_library=item.in_library)
            for item in VIEWS
            if item.label != "one-row"
        ],
        variants=[
            {"epsilon": 0, "gamma": 2},
            {"per_feature": True},
            {"invariance": 1, "variance": 0.5, "covariance": 3},
            {"batch": 4},
        ],
    ),
]
