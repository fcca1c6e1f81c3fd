"""Regression: the libraries' own calls."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax.numpy as jnp
import keras
import numpy as np
import optax
import scoringrules
import sklearn.metrics
import torch
import torch.nn.functional as F

from tests.reference.cases import given, key
from tests.reference.conventions import Call
from tests.reference.inputs import Array, Arrays, Key

Labelled = tuple[str, Key]
Run = Callable[[Arrays], float | Array]


def menu(low: float, high: float, nasty: dict[str, Any]) -> list[Labelled]:
    """A vector, a matrix, float32, and what is nasty to the loss, in both types."""
    names = {"prediction": [low, high], "target": [low, high]}
    return [
        ("vector", key("fields", 1, names=names)),
        ("matrix", key("fields", 2, names=names, shape=[3])),
        ("float32", key("fields", 3, names=names, shape=[3], dtype="float32")),
        ("nasty", given(**nasty)),
        ("nasty-float32", given("float32", **nasty)),
    ]


def vectors(items: Sequence[Labelled]) -> list[Labelled]:
    """For calls of one output: the same numbers in one column."""
    return [(label, {name: value for name, value in item.items() if name != "shape"})
            for label, item in items]  # fmt: skip


def weighted(low: float, high: float) -> Labelled:
    names = {"prediction": [low, high], "target": [low, high]}
    return "weighted", key("fields", 4, names=names, shape=[2], weight=True)


PLAIN = menu(
    -3, 3, {"prediction": [1e4, -1e4, 0, 1e-9, 2.5], "target": [-1e4, 1e4, 0, 0, 2.5]}
)  # fmt: skip
WEIGHTED = weighted(-3, 3)
CUBE = ("cube", key("fields", 5, names={"prediction": [-3, 3], "target": [-3, 3]}, rows=4,
                    shape=[2, 3]))  # fmt: skip
EDGES = ("nasty-edges", given(prediction=[2, 1, -1, 0, 3], target=[1, 2, 0, 0, 1]))
ZEROS: dict[str, Any] = {"prediction": [0.0, 1.0, 1e-3, -2.0, 3.0], "target": [0, 0, 0, -4, 1.5]}
RATIOS = menu(0.5, 4, ZEROS)
LOGS = menu(0.5, 4, {"prediction": [0, 1e4, 3, 0.25, 7], "target": [0, 0, 1e3, 0.25, 7.5]})
NEGATIVE = menu(
    -0.5, 4, {"prediction": [0, -5, 3, -0.25, 7], "target": [-1, 2, 1e3, -7, 0]}
)  # fmt: skip
OUTPUTS = ("nasty-outputs", given(prediction=[[3, 0, 1], [0, 0, 1e4]], target=[[0, 0, 1]] * 2))
COUNTS = menu(0.5, 9, {"prediction": [1e-9, 1e4, 3, 0.25, 7], "target": [0, 0, 1e3, 0.25, 7.5]})
AMOUNTS = menu(
    0.5, 9, {"prediction": [1e-3, 1e4, 3, 0.25, 7], "target": [1e2, 1e-3, 1e3, 0.25, 7.5]}
)  # fmt: skip
TIES = ("nasty-ties", given(prediction=[[1, 5], [1, 2], [9, 2], [0, 7]], target=[[0, 0]] * 4))


def tensors(inputs: Arrays) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.tensor(inputs["prediction"]), torch.tensor(inputs["target"])


def by_torch(name: str, **options: Any) -> Run:
    function = getattr(F, name)

    def run(inputs: Arrays) -> float:
        prediction, target = tensors(inputs)
        if "weight" in inputs:  # torch wants one for each element
            weight = torch.tensor(inputs["weight"])[:, None].expand_as(target)
            return float(function(prediction, target, weight=weight, **options))
        return float(function(prediction, target, **options))

    return run


def by_keras(name: str, **options: Any) -> Run:
    def run(inputs: Arrays) -> float:
        prediction, target = tensors(inputs)
        loss = getattr(keras.losses, name)(**options)
        return float(loss(target, prediction, sample_weight=inputs.get("weight")))

    return run


def by_sklearn(name: str, **options: Any) -> Run:
    function = getattr(sklearn.metrics, name)

    def run(inputs: Arrays) -> float:
        if "weight" in inputs:
            options["sample_weight"] = inputs["weight"]
        else:
            options.pop("sample_weight", None)
        return float(function(inputs["target"], inputs["prediction"], **options))

    return run


def by_optax(name: str) -> Run:
    def run(inputs: Arrays) -> Array:
        prediction, target = jnp.asarray(inputs["prediction"]), jnp.asarray(inputs["target"])
        elements = np.asarray(getattr(optax.losses, name)(prediction, target), float)
        return elements.reshape(len(elements), -1).mean(axis=1)

    return run


def by_scoringrules(**options: Any) -> Run:
    def run(inputs: Arrays) -> Array:
        elements = scoringrules.quantile_score(inputs["target"], inputs["prediction"], **options)
        return np.asarray(elements).reshape(len(elements), -1).mean(axis=1)

    return run


SUM = {"reduction": "sum"}


def torch_calls(loss: str, name: str, weights: bool = True) -> list[Call]:
    source, spec = f"torch.nn.functional.{name}", f"{loss}@torch"
    inputs = [*PLAIN, CUBE, EDGES, *([WEIGHTED] if weights else ())]
    sums = [(f"sum-{label}", item) for label, item in (PLAIN[1], CUBE)]
    return [
        Call(spec, source, by_torch(name), inputs),
        Call(spec, source, by_torch(name, reduction="sum"), sums, options=SUM),
    ]


def keras_calls(
    loss: str, name: str, items: Sequence[Labelled] = PLAIN, weights: Labelled = WEIGHTED
) -> list[Call]:
    """Keras computes in its floatx, float32; a vector is one row to it, a column is not."""
    source, spec = f"keras.losses.{name}", f"{loss}@keras"
    column = "column", {**items[0][1], "shape": [1]}
    sums = [(f"sum-{label}", item) for label, item in (items[1], column, weights)]
    return [
        Call(spec, source, by_keras(name), [*items, weights], rtol=1e-6),
        Call(spec, source, by_keras(name, reduction="sum"), sums, rtol=1e-6, options=SUM),
    ]


def sklearn_call(
    loss: str, name: str, inputs: Sequence[Labelled], params: str = "", **options: Any
) -> Call:
    spec = f"{loss}@sklearn:{params}" if params else f"{loss}@sklearn"
    return Call(spec, f"sklearn.metrics.{name}", by_sklearn(name, **options), inputs)


def optax_call(loss: str, name: str) -> Call:
    return Call(f"{loss}@optax", f"optax.losses.{name}", by_optax(name), [*PLAIN, CUBE, EDGES])


RATIO_WEIGHTS, ONE_OUTPUT = weighted(0.5, 4), vectors([weighted(0.5, 9)])

CALLS = [
    *torch_calls("mse", "mse_loss"),
    *keras_calls("mse", "MeanSquaredError"),
    sklearn_call("mse", "mean_squared_error", [*PLAIN, WEIGHTED]),
    optax_call("mse", "squared_error"),
    sklearn_call("rmse", "root_mean_squared_error", [*PLAIN, OUTPUTS, WEIGHTED]),
    *torch_calls("mae", "l1_loss"),
    *keras_calls("mae", "MeanAbsoluteError"),
    sklearn_call("mae", "mean_absolute_error", [*PLAIN, WEIGHTED]),
    *torch_calls("huber", "huber_loss"),
    *keras_calls("huber", "Huber", [*PLAIN, EDGES]),
    optax_call("huber", "huber_loss"),
    *torch_calls("smooth_l1", "smooth_l1_loss", weights=False),
    *keras_calls("log_cosh", "LogCosh"),
    optax_call("log_cosh", "log_cosh"),
    sklearn_call("pinball", "mean_pinball_loss", [*PLAIN, EDGES, WEIGHTED]),
    sklearn_call("pinball", "mean_pinball_loss", [PLAIN[1], EDGES], "alpha=0.9", alpha=0.9),
    Call(
        "pinball@scoringrules:alpha=0.9",
        "scoringrules.quantile_score",
        by_scoringrules(alpha=0.9),
        [*PLAIN, EDGES],
    ),
    *keras_calls("mape", "MeanAbsolutePercentageError", RATIOS, RATIO_WEIGHTS),
    sklearn_call("mape", "mean_absolute_percentage_error", [*RATIOS, RATIO_WEIGHTS]),
    *keras_calls("msle", "MeanSquaredLogarithmicError", NEGATIVE, RATIO_WEIGHTS),
    sklearn_call("msle", "mean_squared_log_error", [*LOGS, RATIO_WEIGHTS]),
    sklearn_call("rmsle", "root_mean_squared_log_error", [*LOGS, RATIO_WEIGHTS]),
    sklearn_call("median_absolute_error", "median_absolute_error", [*PLAIN, OUTPUTS, TIES]),
    sklearn_call("max_error", "max_error", vectors([*PLAIN, EDGES])),
    sklearn_call("tweedie_deviance", "mean_tweedie_deviance", vectors([*PLAIN, WEIGHTED])),
    *(
        sklearn_call(
            "tweedie_deviance",
            "mean_tweedie_deviance",
            vectors(items),
            f"power={power}",
            power=power,
        )
        for power, items in ((1.5, [*COUNTS, *ONE_OUTPUT]), (3, AMOUNTS), (-1.5, AMOUNTS))
    ),
    sklearn_call("poisson_deviance", "mean_poisson_deviance", vectors([*COUNTS, *ONE_OUTPUT])),
    sklearn_call("gamma_deviance", "mean_gamma_deviance", vectors([*AMOUNTS, *ONE_OUTPUT])),
]
