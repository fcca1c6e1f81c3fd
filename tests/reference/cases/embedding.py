"""Embeddings and metric learning: the cases."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.reference.cases import BIG, BOTH, Inputs, Key, Plan, given, key


def vectors(
    names: Sequence[str], labels: Sequence[float] = (), low: float = -1.0, high: float = 2.0
) -> list[Inputs]:
    extra: dict[str, Any] = {"labels": {"target": list(labels)}} if labels else {}

    def fields(seed: int, low: float = low, high: float = high, **arguments: Any) -> Key:
        ranges = {name: [low, high] for name in names}
        return key("fields", seed, names=ranges, **{"shape": [4], **extra, **arguments})

    return [
        Inputs("float64", fields(111), BOTH),
        Inputs("float32", fields(112, dtype="float32")),
        Inputs("float16", fields(113, dtype="float16")),
        Inputs("int8", fields(114, -20, 90, dtype="int8")),
        Inputs("uint8", fields(115, 0, 255, dtype="uint8")),
        Inputs("weighted", fields(116, weight=True), BOTH),
        Inputs("big", fields(117, rows=BIG, shape=[3])),
    ]


ROWS = vectors(("prediction", "target"))
TRIPLES = vectors(("anchor", "positive", "negative"))
LABELLED = vectors(("left", "right"), (0, 1))
ORDERED = vectors(("positive", "negative"))
TINY: dict[str, list[list[float]]] = {
    "prediction": [[1, 2, -0.5], [1, 2, 3]],
    "target": [[2, 1, 1], [-1, 0.5, 3]],
}


def scaled(factor: float) -> dict[str, Any]:
    return {name: [[factor * v for v in row] for row in rows] for name, rows in TINY.items()}


COSINE = [
    *ROWS,
    Inputs("rows", key("fields", 118, names=ROWS[0].key["names"], rows=4, shape=[3, 5]), BOTH),
    Inputs(
        "zero",
        given(
            prediction=[[0, 0, 0], [1, 2, 3], [0, 0, 0]], target=[[1, 2, 3], [0, 0, 0], [0, 0, 0]]
        ),
        in_library=False,
    ),
    Inputs("tiny", given(**scaled(1e-200)), in_library=False),
    Inputs("huge", given(**scaled(1e200)), in_library=False),
    Inputs("tiny-float32", given("float32", **scaled(1e-30)), in_library=False),
]
PARALLEL = Inputs(
    "parallel",
    given(
        prediction=[[1, 2, 3], [0.5, -1, 2], [1, 1, 1e-3]],
        target=[[1.001, 2, 2.997], [1.01, -2, 4], [2, 2, -1e-3]],
    ),
    in_library=False,
)
RANKED = [Inputs(item.label, {**item.key, "shape": []}, item.reductions) for item in ORDERED]

PLANS = [
    Plan(
        "cosine_proximity",
        COSINE,
        variants=[{"least_length": 2}, {"negate": False}],
    ),
    Plan("cosine_distance", COSINE, extra=[PARALLEL]),
    Plan(
        "contrastive",
        LABELLED,
        variants=[{"margin": 2}, {"half": False}, {"similar": 0}],
        extra=[
            Inputs(
                "bool-target", vectors(("left", "right"), (0, 1))[0].key | {"label_dtype": "bool"}
            ),
            Inputs(
                "distances",
                key("fields", 119, names={"prediction": [0, 2]}, labels={"target": [0, 1]}),
                BOTH,
            ),
            Inputs(
                "distances-float32",
                key(
                    "fields",
                    120,
                    names={"prediction": [0, 2]},
                    labels={"target": [0, 1]},
                    dtype="float32",
                    label_dtype="int64",
                ),
                params={"margin": 1.5},
            ),
        ],
    ),
    Plan(
        "triplet",
        TRIPLES,
        variants=[
            {"margin": 0.2},
            {"margin": 3, "distance": "euclidean"},
            {"distance": "cosine"},
            {"swap": True},
            {"distance": "euclidean", "swap": True},
            {"distance": "euclidean", "offset": 0.125},
            {"distance": "euclidean", "offset": 0.125, "swap": True},
            {"offset": 0.125, "epsilon": 0.5, "swap": True},
            {"distance": "euclidean", "epsilon": 0.25},
        ],
    ),
    Plan(
        "cosine_embedding",
        vectors(("left", "right"), (-1, 1)),
        variants=[{"margin": 0.25}, {"epsilon": 0.5}],
        extra=[
            Inputs(
                "parallel",
                given(
                    left=PARALLEL.key["prediction"],
                    right=PARALLEL.key["target"],
                    target=[1, 1, 1],
                ),
                in_library=False,
            ),
            Inputs(
                "zero",
                given(left=[[0, 0], [0, 0]], right=[[1, 2], [1, 2]], target=[1, -1]),
                params={"margin": -0.5},
                in_library=False,
            ),
        ],
    ),
    Plan(
        "hinge_embedding",
        [
            Inputs(
                label,
                key(
                    "fields",
                    seed,
                    names={"prediction": [0, 2]},
                    labels={"target": [-1, 1]},
                    **extra,
                ),
                BOTH,
            )
            for label, seed, extra in (
                ("float64", 131, {}),
                ("float32", 132, {"dtype": "float32"}),
                ("weighted", 133, {"weight": True}),
            )
        ],
        variants=[{"margin": 0.5}],
    ),
    Plan(
        "margin_ranking",
        RANKED,
        variants=[{"margin": 0.5}],
        extra=[
            Inputs(
                f"labelled-{item.label}",
                {**item.key, "labels": {"target": [-1, 1]}},
                item.reductions,
                {"margin": 0.25},
            )
            for item in RANKED[:3]
        ],
    ),
]
