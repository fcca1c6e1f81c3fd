"""Regression: by the libraries' own calls."""

from __future__ import annotations

from typing import Any

import numpy as np
import optax
import sklearn.metrics
import torchmetrics.functional

from tests.reference.libraries import Answer, Arrays, Library, Params, both, floats, torch_pair


def log_cosh(inputs: Arrays, params: Params) -> Answer:
    p, y = floats(inputs)
    elements = np.asarray(optax.losses.log_cosh(p, y)).T
    return Answer("optax.losses.log_cosh", elements, accuracy=1e-6)


def sklearn_columns(name: str, square: bool = False, **options: str) -> Library:
    """scikit-learn's regression metrics of each sample: ``raw_values`` over columns."""

    def call(inputs: Arrays, params: Params) -> Answer | None:
        chosen = {theirs: params[ours] for theirs, ours in options.items() if ours in params}
        listed = any(isinstance(value, list) for value in chosen.values())
        if listed or not set(params) <= set(options.values()):
            return None
        p, y = floats(inputs)
        flat = getattr(sklearn.metrics, name)(y.reshape(-1), p.reshape(-1), **chosen)
        if len(p) == 1:  # one element a sample: each sample's metric is its element
            if square:
                return Answer(f"sklearn.metrics.{name}", mean=float(flat))
            raw = getattr(sklearn.metrics, name)(y, p, multioutput="raw_values", **chosen)
            return Answer(f"sklearn.metrics.{name}", raw[:, None], float(flat))
        return Answer(f"sklearn.metrics.{name}", mean=float(flat))

    return call


def flat(name: str, **options: Any) -> Library:
    """A metric of scikit-learn over all elements at once."""

    def call(inputs: Arrays, params: Params) -> Answer | None:
        if "outputs" in params:
            return None
        p, y = floats(inputs)
        value = getattr(sklearn.metrics, name)(y.reshape(-1), p.reshape(-1), **options)
        return Answer(f"sklearn.metrics.{name}", mean=float(value))

    return call


def tweedie(inputs: Arrays, params: Params) -> Answer:
    p, y = floats(inputs)
    value = sklearn.metrics.mean_tweedie_deviance(
        y.reshape(-1), p.reshape(-1), power=params["power"]
    )
    # its terms cancel, the more the nearer the power is to 1 or 2
    return Answer("sklearn.metrics.mean_tweedie_deviance", mean=float(value), accuracy=1e-10)


def nmse(inputs: Arrays, params: Params) -> Answer | None:
    if len(inputs["target"]) < 2:
        return None
    average = "uniform_average" if params.get("outputs") == "mean" else "variance_weighted"
    p, y = floats(inputs)
    value = sklearn.metrics.r2_score(y.T, p.T, multioutput=average)
    return Answer("sklearn.metrics.r2_score", mean=1 - value, accuracy=1e-12)


def wape(inputs: Arrays, params: Params) -> Answer:
    value = torchmetrics.functional.weighted_mean_absolute_percentage_error(*both(inputs))
    return Answer(
        "torchmetrics.functional.weighted_mean_absolute_percentage_error", mean=value.item()
    )


def smape(inputs: Arrays, params: Params) -> Answer:
    value = torchmetrics.functional.symmetric_mean_absolute_percentage_error(*both(inputs))
    return Answer(
        "torchmetrics.functional.symmetric_mean_absolute_percentage_error", mean=value.item()
    )


LIBRARIES: dict[str, Library] = {
    "mse": torch_pair("mse_loss"),
    "rmse": sklearn_columns("root_mean_squared_error", square=True),
    "mae": torch_pair("l1_loss"),
    "huber": torch_pair("huber_loss", delta="delta"),
    "smooth_l1": torch_pair("smooth_l1_loss", beta="beta"),
    "log_cosh": log_cosh,
    "pinball": sklearn_columns("mean_pinball_loss", alpha="alpha"),
    "mape": sklearn_columns("mean_absolute_percentage_error"),
    "smape": smape,
    "msle": sklearn_columns("mean_squared_log_error"),
    "rmsle": sklearn_columns("root_mean_squared_log_error", square=True),
    "wape": wape,
    "nmse": nmse,
    "tweedie_deviance": tweedie,
    "poisson_deviance": flat("mean_poisson_deviance"),
    "gamma_deviance": flat("mean_gamma_deviance"),
    "median_absolute_error": flat("median_absolute_error"),
    "max_error": flat("max_error"),
}
