"""Counts and likelihoods: the libraries' own calls."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import scoringrules
import torch
import torch.nn.functional as F
from torchmetrics.functional.regression import continuous_ranked_probability_score

from tests.reference.cases import given, key
from tests.reference.conventions import Call
from tests.reference.inputs import Array, Arrays, Key

Labelled = list[tuple[str, Key]]


def tensors(inputs: Arrays, *names: str) -> list[torch.Tensor]:
    return [torch.tensor(inputs[name]) for name in names]


def drawn(seed: int, names: dict[str, Any], **dtypes: str) -> Labelled:
    """Two shapes in float64, and float32; ``dtypes`` are those that stay what they are."""
    wide, narrow = (
        {**dict.fromkeys(names, dtype), **dtypes} if dtypes else dtype
        for dtype in ("float64", "float32")
    )
    return [
        ("vector", key("fields", seed, names=names, dtype=wide)),
        ("matrix", key("fields", seed + 1, names=names, shape=[3], dtype=wide)),
        ("float32", key("fields", seed + 2, names=names, shape=[3], dtype=narrow)),
    ]


RATES = {"prediction": [0.05, 4], "target": [0, 9]}
FEW = {"prediction": [0.05, 4], "target": [0, 1]}  # of which little cancels in float32
LOG_RATES = {"prediction": [-3, 2], "target": [0, 9]}
NO_RATE = {"prediction": [0, 0, 2, 1e-8, 30], "target": [0, 3, 0, 1, 25]}
COUNTS = {"prediction": [0.05, 9], "target": [0, 12]}
WHOLE = drawn(11, COUNTS, target="int64")
GAUSSIAN = {"prediction": [-3, 3], "target": [-3, 3], "variance": [0.1, 2.5]}
SCALED = {"prediction": [-3, 3], "target": [-3, 3], "scale": [0.1, 2.5]}
FREE = {**SCALED, "df": [0.5, 40]}
STD = {"prediction": [-3, 3], "target": [-3, 3], "std": [0.1, 2.5]}
DISPERSED = {**COUNTS, "dispersion": [0.05, 1]}
FAR: dict[str, Any] = {"prediction": [0, 1, 1e4, 2], "target": [0, 50, -1e4, 2.25]}


def torch_poisson(inputs: Arrays) -> float:
    return F.poisson_nll_loss(*tensors(inputs, "prediction", "target")).item()


def torch_poisson_sum(inputs: Arrays) -> float:
    both = tensors(inputs, "prediction", "target")
    return F.poisson_nll_loss(*both, reduction="sum").item()


def torch_poisson_rates(inputs: Arrays) -> float:
    return F.poisson_nll_loss(*tensors(inputs, "prediction", "target"), log_input=False).item()


def torch_poisson_full(inputs: Arrays) -> float:
    return F.poisson_nll_loss(*tensors(inputs, "prediction", "target"), full=True).item()


def keras_poisson(inputs: Arrays) -> float:
    prediction, target = tensors(inputs, "prediction", "target")
    return keras.losses.Poisson()(target, prediction, inputs.get("weight")).item()


def keras_poisson_sum(inputs: Arrays) -> float:
    prediction, target = tensors(inputs, "prediction", "target")
    return keras.losses.Poisson(reduction="sum")(target, prediction).item()


def averaged(values: Any) -> Array:
    """Of each sample, as the library gives no reduction."""
    array = np.asarray(values, float)
    return array.reshape(len(array), -1).mean(axis=1)


def quietly(function: Any, *arguments: Any, **options: Any) -> Array:
    with np.errstate(all="ignore"):
        return averaged(function(*arguments, **options))


def scoring_poisson(inputs: Arrays) -> Array:
    return quietly(scoringrules.logs_poisson, inputs["target"], inputs["prediction"])


def torch_gaussian(inputs: Arrays) -> float:
    return F.gaussian_nll_loss(*tensors(inputs, "prediction", "target", "variance")).item()


def torch_gaussian_full(inputs: Arrays) -> float:
    three = tensors(inputs, "prediction", "target", "variance")
    return F.gaussian_nll_loss(*three, full=True).item()


def scoring_normal(inputs: Arrays) -> Array:
    std = np.sqrt(inputs["variance"])
    return quietly(scoringrules.logs_normal, inputs["target"], inputs["prediction"], std)


def scoring_laplace(inputs: Arrays) -> Array:
    given = (inputs["target"], inputs["prediction"], inputs["scale"])
    return quietly(scoringrules.logs_laplace, *given)


def scoring_t(inputs: Arrays) -> Array:
    given = (inputs["target"], inputs["df"], inputs["prediction"], inputs["scale"])
    return quietly(scoringrules.logs_t, *given)


def scoring_negbinom(inputs: Arrays) -> Array:
    size = 1 / inputs["dispersion"]
    return quietly(scoringrules.logs_negbinom, inputs["target"], size, mu=inputs["prediction"])


def scoring_crps(inputs: Arrays) -> Array:
    given = (inputs["target"], inputs["prediction"], inputs["std"])
    return quietly(scoringrules.crps_normal, *given)


def scoring_ensemble(inputs: Arrays) -> Array:
    return averaged(scoringrules.crps_ensemble(inputs["target"], inputs["prediction"]))


def torchmetrics_ensemble(inputs: Arrays) -> float:
    both = tensors(inputs, "prediction", "target")
    return continuous_ranked_probability_score(*both).item()


def scoring_energy(inputs: Arrays) -> Array:
    return averaged(scoringrules.es_ensemble(inputs["target"], inputs["prediction"]))


def scoring_interval(inputs: Arrays) -> Array:
    given = (inputs["target"], inputs["lower"], inputs["upper"])
    return averaged(scoringrules.interval_score(*given, 0.2))


def scoring_weighted(inputs: Arrays) -> Array:
    quantiles = inputs["prediction"]
    return averaged(
        scoringrules.weighted_interval_score(
            inputs["target"],
            quantiles[:, 2],
            quantiles[:, :2],
            quantiles[:, :2:-1],
            np.array([0.2, 0.6]),
        )
    )


def ensembles(seed: int, variables: list[int], members: int = 6, **more: Any) -> Labelled:
    return [
        ("vector", key("ensemble", seed, variables=variables, members=members, **more)),
        ("few", key("ensemble", seed + 1, rows=9, variables=variables, members=members, **more)),
        (
            "float32",
            key(
                "ensemble", seed + 2, variables=variables, members=members, dtype="float32", **more
            ),
        ),
    ]


MEMBERS = [
    *ensembles(51, []),
    ("two", key("ensemble", 54, members=2)),
    ("nasty", given(prediction=[[0, 0, 0], [1e4, -1e4, 3], [1, 1, 2]], target=[0, 1, 1])),
]
CALLS = [
    Call(
        "poisson@torch",
        "torch.nn.functional.poisson_nll_loss",
        torch_poisson,
        [
            *drawn(1, LOG_RATES),
            ("nasty", given(prediction=[-1e4, -700, 0, 20], target=[0, 2, 0, 1e9])),
        ],
    ),
    Call(
        "poisson@torch",
        "torch.nn.functional.poisson_nll_loss",
        torch_poisson_sum,
        [("sum", key("fields", 4, names=LOG_RATES, shape=[3]))],
        options={"reduction": "sum"},
    ),
    Call(
        "poisson@torch:log_input=false",
        "torch.nn.functional.poisson_nll_loss",
        torch_poisson_rates,
        [*drawn(5, RATES), ("nasty", given(**NO_RATE))],
    ),
    Call(
        "poisson@torch:full=true",
        "torch.nn.functional.poisson_nll_loss",
        torch_poisson_full,
        [*drawn(7, LOG_RATES), ("nasty", given(prediction=[0, 1, 2, 3], target=[0, 1, 1.5, 40]))],
    ),
    Call(
        "poisson@keras",
        "keras.losses.Poisson",
        keras_poisson,
        [
            *drawn(8, FEW),
            ("weighted", key("fields", 9, names=FEW, shape=[2], weight=True)),
            ("nasty", given(**NO_RATE)),
            ("nasty-float32", given("float32", **NO_RATE)),
        ],
        rtol=1e-6,
    ),
    Call(
        "poisson@keras",
        "keras.losses.Poisson",
        keras_poisson_sum,
        [("sum", key("fields", 10, names=FEW, shape=[3]))],
        rtol=1e-6,
        options={"reduction": "sum"},
    ),
    Call(
        "poisson@scoringrules",
        "scoringrules.logs_poisson",
        scoring_poisson,
        [
            *WHOLE,
            ("nasty", given(prediction=[0, 0, 2, 800, 1e-8], target=[0, 3, 2.5, 0, 120])),
        ],
    ),
    Call(
        "gaussian_nll@torch",
        "torch.nn.functional.gaussian_nll_loss",
        torch_gaussian,
        [
            *drawn(21, GAUSSIAN),
            ("nasty", given(**FAR, variance=[0, 1e-9, 1e6, 1e-6])),
            ("nasty-float32", given("float32", **FAR, variance=[0, 1e-9, 1e6, 1e-6])),
        ],
    ),
    Call(
        "gaussian_nll@torch:full=true",
        "torch.nn.functional.gaussian_nll_loss",
        torch_gaussian_full,
        drawn(24, GAUSSIAN),
    ),
    Call(
        "gaussian_nll@scoringrules",
        "scoringrules.logs_normal",
        scoring_normal,
        [
            *drawn(27, GAUSSIAN),
            ("nasty", given(**FAR, variance=[1e-9, 1, 1e6, 1e-6])),
            ("nasty-float32", given("float32", prediction=[0, 20], target=[9, 0], variance=[1, 1])),
        ],
    ),
    Call(
        "laplace_nll@scoringrules",
        "scoringrules.logs_laplace",
        scoring_laplace,
        [
            *drawn(31, SCALED),
            ("nasty", given(**FAR, scale=[1e-9, 1, 1e6, 1e-6])),
            ("nasty-float32", given("float32", prediction=[0, 200], target=[9, 0], scale=[1, 1])),
        ],
    ),
    Call(
        "student_t_nll@scoringrules",
        "scoringrules.logs_t",
        scoring_t,
        [
            *drawn(34, FREE),
            ("nasty", given(**FAR, scale=[1e-9, 1, 1e6, 1e-6], df=[1, 300, 3, 0.01])),
            ("nasty-outlier", given(prediction=[0, 1], target=[1e4, 1], scale=[1, 1], df=[200, 1])),
        ],
    ),
    Call(
        "negative_binomial_nll@scoringrules",
        "scoringrules.logs_negbinom",
        scoring_negbinom,
        [
            *drawn(37, DISPERSED, target="int64"),
            (
                "nasty",
                given(
                    prediction=[0, 0, 2, 1e-8, 30, 2, 2],
                    target=[0, 3, 2.5, 120, 25, 0, 3],
                    dispersion=[1, 0.5, 1, 0.1, 1e-3, 1.5, 4],
                ),
            ),
        ],
    ),
    Call(
        "crps_gaussian@scoringrules",
        "scoringrules.crps_normal",
        scoring_crps,
        [*drawn(41, STD), ("nasty", given(**FAR, std=[1e-9, 1, 1e6, 1e-6]))],
    ),
    Call("crps_ensemble@scoringrules", "scoringrules.crps_ensemble", scoring_ensemble, MEMBERS),
    Call(
        "crps_ensemble@torchmetrics",
        "torchmetrics.functional.regression.continuous_ranked_probability_score",
        torchmetrics_ensemble,
        MEMBERS,
    ),
    Call(
        "energy_score@scoringrules",
        "scoringrules.es_ensemble",
        scoring_energy,
        [
            *ensembles(61, [3]),
            (
                "nasty",
                given(
                    prediction=[[[0, 0], [0, 0]], [[1e4, -1e4], [3, 0]], [[1, 1], [1, 2]]],
                    target=[[0, 0], [0, 0], [1, 1]],
                ),
            ),
        ],
    ),
    Call(
        "interval_score@scoringrules:alpha=0.2",
        "scoringrules.interval_score",
        scoring_interval,
        [
            ("vector", key("interval", 71)),
            ("matrix", key("interval", 72, shape=[3])),
            ("float32", key("interval", 73, dtype="float32")),
            ("nasty", given(lower=[1, 2, 0], upper=[1, -1, 0], target=[1, 1e4, 0])),
        ],
    ),
    Call(
        "weighted_interval_score@scoringrules:alphas=[0.2,0.6]",
        "scoringrules.weighted_interval_score",
        scoring_weighted,
        [
            *ensembles(81, [], 5, ascending=True),
            ("nasty", given(prediction=[[0, 0, 0, 0, 0], [2, 1, 3, 0, 4]], target=[0, 1e4])),
        ],
    ),
]
