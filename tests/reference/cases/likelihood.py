"""Counts and likelihoods: the cases."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.reference.cases import BOTH, F32, POSITIVE, SIGNED, Inputs, Plan, given, key

COUNTS = [
    Inputs(
        item.label,
        {
            **item.key,
            "names": {"prediction": list(item.key["names"]["prediction"]), "target": [0, 9]},
            "dtype": {"prediction": item.key.get("dtype", "float64"), "target": "int64"}
            if item.label in ("vector", "float32", "big")
            else item.key.get("dtype", "float64"),
        },
        item.reductions,
    )
    for item in POSITIVE
    if item.label != "mixed"
]
VARIANCE = [
    Inputs(
        item.label,
        {**item.key, "names": {**item.key["names"], "variance": [0.1, 2.5]}},
        item.reductions,
    )
    for item in SIGNED
    if item.label not in ("uint8", "mixed")
]

SMALL = ("float64", "vector", "cube", "float32", "float16", "weighted", "one-row")


def beside(menu: Sequence[Inputs], rows: int = 7, **ranges: list[float]) -> list[Inputs]:
    """The menu's smaller inputs with further ones of these ranges."""

    def extended(found: Any) -> Any:
        names = {**found["names"], **ranges}
        dtype = found.get("dtype", "float64")
        if isinstance(dtype, dict):
            dtype = {**dict.fromkeys(ranges, dtype["prediction"]), **dtype}
        return {"rows": rows, **found, "names": names, "dtype": dtype}

    return [
        Inputs(item.label, extended(item.key), item.reductions)
        for item in menu
        if item.label in SMALL
    ]


SCALE = beside(SIGNED, scale=[0.1, 2.5])
FREEDOM = beside(SIGNED, scale=[0.1, 2.5], df=[0.5, 40.0])
STD = beside(SIGNED, 2, std=[0.1, 2.5])
DISPERSED = beside([item for item in COUNTS if item.label != "cube"], dispersion=[0.01, 3.0])


def members(label: str, seed: int, reductions: Any = ("mean",), **arguments: Any) -> Inputs:
    params = arguments.pop("params", {})
    return Inputs(label, key("ensemble", seed, **arguments), reductions, params)


ENSEMBLES = [
    members("float64", 81, BOTH),
    members("float32", 82, **F32),
    members("float16", 83, dtype="float16"),
    members("two", 84, members=2),
    members("many", 85, members=25, rows=3),
    members("tied", 86, members=9, grid=0.5),
    members("weighted", 87, weight=True),
]
SAMPLES = [
    members("float64", 91, BOTH, variables=[3]),
    members("float32", 92, variables=[3], **F32),
    members("float16", 93, variables=[2], dtype="float16"),
    members("one-variable", 94, variables=[1]),
    members("many", 95, members=12, rows=2, variables=[2]),
    members("tied", 96, members=7, variables=[2], grid=1.0),
    members("weighted", 97, variables=[3], weight=True),
]
INTERVALS = [
    Inputs("float64", key("interval", 101, shape=[3]), BOTH),
    Inputs("vector", key("interval", 102)),
    Inputs("float32", key("interval", 103, shape=[2], **F32)),
    Inputs("float16", key("interval", 104, dtype="float16")),
    Inputs("weighted", key("interval", 105, weight=True)),
]
ONE, FIVE = {"alphas": [0.4]}, {"alphas": [0.02, 0.1, 0.3, 0.5, 0.9]}
QUANTILES = [
    members("float64", 111, BOTH, members=3, ascending=True, params=ONE),
    members("five", 112, BOTH, members=11, ascending=True, params=FIVE),
    members("float32", 113, members=11, ascending=True, params=FIVE, **F32),
    members("float16", 114, members=3, ascending=True, params=ONE, dtype="float16"),
    members("tied", 115, members=11, ascending=True, params=FIVE, grid=0.5),
    members("weighted", 116, members=3, ascending=True, params=ONE, weight=True),
]

PLANS = [
    Plan(
        "poisson",
        COUNTS,
        variants=[{"log_input": True}, {"full": True}, {"log_input": True, "full": True}],
        on=("vector", "float32"),
        extra=[
            Inputs(
                "fractions-refused",
                given(prediction=[2, 2.5], target=[1.5, 3]),
                params={"full": True, "strict": True},
                in_library=False,
            ),
            Inputs("fractional", COUNTS[0].key, params={"full": True}),
            Inputs("zeros", given(prediction=[0, 0.5, 3], target=[0, 0, 0]), in_library=False),
            Inputs("impossible", given(prediction=[0, 0.5], target=[2, 0]), in_library=False),
            Inputs(
                "log-extremes",
                given(prediction=[-1e4, 30, -700, 2], target=[3, 1e13, 0, 0]),
                params={"log_input": True},
                in_library=False,
            ),
        ],
    ),
    Plan(
        "gaussian_nll",
        VARIANCE,
        variants=[{"full": False}],
        extra=[
            Inputs("constant", SIGNED[0].key, BOTH, {"variance": 0.7}),
            Inputs(
                "uint8",
                key(
                    "fields",
                    12,
                    names={"prediction": [0, 255], "target": [0, 255], "variance": [1, 90]},
                    dtype="uint8",
                ),
                BOTH,
            ),
            Inputs(
                "extremes",
                given(prediction=[1, 1e4, 0], target=[2, -1e4, 1e-3], variance=[1e-8, 1e6, 1e-9]),
                in_library=False,
            ),
        ],
    ),
    Plan(
        "laplace_nll",
        SCALE,
        extra=[
            Inputs("constant", SIGNED[0].key, BOTH, {"scale": 0.7}),
            Inputs(
                "extremes",
                given(prediction=[1, 1e4, 0], target=[2, -1e4, 1e-3], scale=[1e-4, 1e6, 1e-9]),
                in_library=False,
            ),
        ],
    ),
    Plan(
        "student_t_nll",
        FREEDOM,
        extra=[
            Inputs("constant", SIGNED[0].key, BOTH, {"scale": 0.7, "df": 4}),
            Inputs(
                "extremes",
                given(
                    prediction=[1, 1e4, 0, 1e150, -7, 2, 3, 3],
                    target=[2, -1e4, 1e-3, -1e155, 5, 1, 1, 1],
                    scale=[1e-4, 1e6, 1e-9, 1e-8, 1, 1, 0.5, 0.5],
                    df=[1e-3, 1e9, 3, 2, 1e14, 1e18, 31.999, 32.001],
                ),
                in_library=False,
            ),
        ],
    ),
    Plan(
        "negative_binomial_nll",
        DISPERSED,
        extra=[
            Inputs("constant", COUNTS[1].key, BOTH, {"dispersion": 0.7}),
            Inputs("poisson", COUNTS[1].key, BOTH, {"dispersion": 0}),
            Inputs("zeros", given(prediction=[0, 0.5, 3], target=[0, 0, 0], dispersion=[1, 0, 2])),
            Inputs(
                "impossible",
                given(prediction=[0, 0.5, 0], target=[2, 0, 20], dispersion=[0.5, 0.5, 0]),
                in_library=False,
            ),
            Inputs(
                "extremes",
                given(
                    prediction=[1e9, 1e9, 3, 3, 3, 1e-8, 250, 16.5, 1e12],
                    target=[1e9 + 7, 2e9, 4, 15, 16, 2, 260, 15, 0],
                    dispersion=[1e-12, 1e-3, 1e-30, 1e6, 1e6, 1e-9, 1e-14, 0.0625, 1e-9],
                ),
                in_library=False,
            ),
        ],
    ),
    Plan(
        "crps_gaussian",
        STD,
        extra=[
            Inputs("constant", SIGNED[1].key, BOTH, {"std": 0.7}),
            Inputs(
                "extremes",
                given(
                    prediction=[1, 1e4, 0, 3, 5],
                    target=[2, -1e4, 1e-3, 3, -2],
                    std=[1e-4, 1e6, 1e-9, 0, 0],
                ),
                in_library=False,
            ),
        ],
    ),
    Plan(
        "crps_ensemble",
        ENSEMBLES,
        variants=[{"estimator": "nrg"}],
        on=("float64", "float32", "two", "many", "tied"),
        extra=[
            Inputs(
                "extremes",
                given(
                    prediction=[[1e4, -1e4, 3], [1e4, 10001, 10002.5], [1e-9, 0, 0], [2, 2, 2]],
                    target=[0, 1, 0, 2],
                ),
            ),
            members("one-member", 88, members=1, params={"estimator": "nrg"}),
        ],
    ),
    Plan(
        "energy_score",
        SAMPLES,
        variants=[{"estimator": "nrg"}],
        on=("float64", "float32", "one-variable", "many", "tied"),
        extra=[
            Inputs(
                "extremes",
                given(
                    prediction=[[[1e4, -1e4], [3, 0]], [[1e-9, 0], [0, 0]], [[2, 1], [2, 1]]],
                    target=[[0, 0], [0, 0], [2, 1]],
                ),
                in_library=False,
            ),
            members("one-member", 98, members=1, variables=[2], params={"estimator": "nrg"}),
        ],
    ),
    Plan(
        "interval_score",
        INTERVALS,
        base={"alpha": 0.1},
        variants=[{"alpha": 0.9}],
        extra=[
            Inputs(
                "edges",
                given(lower=[0, 1, -1e4], upper=[2, 1, 1e-9], target=[2, 1, 1e4]),
            ),
            Inputs(
                "crossed",
                given(lower=[2, 1.5], upper=[-1, 1], target=[0, 5]),
                params={"crossing": True},
            ),
        ],
    ),
    Plan(
        "weighted_interval_score",
        QUANTILES,
        on=(),
        extra=[
            Inputs(
                "edges",
                given(prediction=[[-1e4, 0, 1e4], [1, 1, 1]], target=[0, 1]),
                params=ONE,
            ),
            Inputs(
                "crossed",
                given(prediction=[[2, 0, -1], [1, 0, 3]], target=[0, 5]),
                params={**ONE, "crossing": True},
            ),
        ],
    ),
]
