"""Regression: the cases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from tests.reference.cases import (
    BOTH,
    FLOATS,
    POSITIVE,
    SIGNED,
    Case,
    Inputs,
    Plan,
    across,
    finished,
    given,
    key,
)

ON_EDGE = given(prediction=[2, 0.5, -1, 5], target=[0, 1, 1, 2])
ZEROS: dict[str, Any] = {"prediction": [0, 1, 1, -2, 0.5], "target": [0, 0, 2, 0, 0.25]}

FAR = across("far", FLOATS, prediction=[1e4, -1e4, 30, 5, 0.25], target=[-8, 16, -2, 5.5, 1])

BIG = ("big", "big-float32")
OUTPUTS = ("float64", "float32", "cube", "weighted")
TIES = across("ties", FLOATS, prediction=[1, 2, 2, 0.5], target=[1, 1, 3, 0.5])
SMALL = across("small", ["float64", "float32"], prediction=[1e-8, -1e-5, 1e-3], target=[0] * 3)
FURTHER: dict[str, Any] = {"prediction": [1e4, 1e100, -1e140, 1e-9], "target": [0] * 4}
BORDER: dict[str, Any] = {
    "prediction": [0.1, 0.10000000000000002, 1.1, 1000.1, -0.3, 0.10009765625],
    "target": [0, 0, 1, 1000, -0.2, 0],
}
SHAPES = [2, 0, "-inf", "inf", -2, 0.5, 1.5, 1.9999999, 2.0000001, 1e-9, -1e-9, -50, 4]
POWERS = [0, 1, 2, 3, -1, -3.5, 1.000001, 1.1, 1.9, 1.999999, 2.000001, 2.5, 6]
COUNTS: dict[str, Any] = {"prediction": [0.5, 1, 3, 250, 2], "target": [0, 1, 0, 200, 5]}
NO_RATE: dict[str, Any] = {"prediction": [0, 0.5, 0], "target": [0, 0, 2]}
CLOSE: dict[str, Any] = {
    "prediction": [1.000001, 3e-9, 250.0001, 7.1, 1], "target": [1, 2.9999e-9, 250, 7, 1],
}  # fmt: skip
SIGNS: dict[str, Any] = {"prediction": [0.5, 2, 3, 0.25, 40], "target": [-1, 0, -3.5, 0.25, 39]}
WIDE: dict[str, Any] = {"prediction": [1e-9, 1e12, 1e4, 2e8], "target": [1e9, 1e-12, 1e-4, 1]}
OFFSET: dict[str, Any] = {
    "prediction": [1e8 + 1.5, 1e8 - 2, 1e8 + 7, 1e8], "target": [1e8 + 1, 1e8, 1e8 + 5, 1e8 - 3],
}  # fmt: skip


def near(label: str, *powers: float) -> list[Inputs]:
    """Predictions close to the target, where the deviance's terms cancel."""
    return [item for power in powers
            for item in across(label, ["float64"], params={"power": power}, **CLOSE)]  # fmt: skip


def means(menu: Sequence[Inputs]) -> list[Inputs]:
    """For losses that are one number: the mean alone."""
    return [replace(item, reductions=("mean",)) for item in menu]


FORECASTS = [
    Inputs("float64", key("forecast", 1), BOTH),
    Inputs("float32", key("forecast", 2, dtype="float32"), BOTH),
    Inputs("long", key("forecast", 3, rows=3, horizon=1, steps=40)),
    Inputs("float16", key("forecast", 4, dtype="float16")),
    Inputs("weighted", key("forecast", 5, weight=True), BOTH),
]
FLAT = [
    Inputs(
        "flat",
        given(prediction=[1, 2, 3], target=[1, 1, 3], history=[[4, 4, 4], [2, 2, 2], [0, 1, 3]]),
        ("sum",),
    ),
    Inputs(
        "flat-perfect",
        given(prediction=[1, 2], target=[1, 1], history=[[4, 4, 4], [0, 1, 3]]),
    ),
]

PLANS = [
    Plan("mse", SIGNED, extra=FAR),
    Plan("rmse", finished(SIGNED), variants=[{"outputs": "mean"}], on=OUTPUTS, extra=FAR),
    Plan("mae", SIGNED, extra=FAR),
    Plan(
        "huber",
        SIGNED,
        variants=[{"delta": 2}, {"delta": 0.25}],
        extra=[Inputs("edge", ON_EDGE, params={"delta": 2}), *FAR],
    ),
    Plan(
        "smooth_l1",
        SIGNED,
        variants=[{"beta": 2}, {"beta": 0.25}, {"beta": 0}],
        extra=[Inputs("edge", ON_EDGE, params={"beta": 2}), *FAR],
    ),
    Plan(
        "log_cosh",
        SIGNED,
        extra=[
            *FAR,
            *across("near", ["float64", "float32"], prediction=[1e-8, -1e-5, 1e-3], target=[0] * 3),
        ],
    ),
    Plan(
        "pinball",
        SIGNED,
        variants=[{"alpha": 0.1}, {"alpha": 0.9}],
        extra=[
            Inputs(
                label,
                key(
                    "given",
                    0,
                    dtype=dtype,
                    prediction=[[-0.5, 0.25, 1.5], [2, 2.25, 4], [1.5, 0.75, 3], [0.1, 0.7, 0.9]],
                    target=[0.3, 5, -1, 0.8],
                ),
                BOTH,
                {"alpha": [0.1, 0.5, 0.9]},
            )
            for label, dtype in (("quantiles", "float64"), ("quantiles-float32", "float32"))
        ],
    ),
    Plan(
        "mape",
        POSITIVE,
        variants=[{"percent": True}, {"epsilon": 1.5}, {"percent": True, "epsilon": 0.25}],
        extra=across("zeros", FLOATS, **ZEROS),
    ),
    Plan("smape", POSITIVE, extra=across("zeros", FLOATS, **ZEROS)),
    Plan(
        "msle",
        POSITIVE,
        variants=[{"floor": 1.5}, {"floor": -0.5}],
        extra=[
            Inputs("negative", given(prediction=[-0.5, -0.999, 2], target=[0.5, -0.2, -0.75])),
            Inputs(
                "close",
                given(prediction=[1.000001, 3e-9, 250.0001], target=[1, 1e-9, 250]),
                in_library=False,
            ),
            Inputs(
                "close-float32",
                given("float32", prediction=[1.001, 3e-9, 251], target=[1, 1e-9, 250]),
                in_library=False,
            ),
        ],
    ),
    Plan("rmsle", finished(POSITIVE), variants=[{"outputs": "mean"}], on=OUTPUTS),
    Plan(
        "expectile",
        SIGNED,
        variants=[{"alpha": 0.1}, {"alpha": 0.9}],
        extra=[*FAR, *TIES],
        skip=BIG,
    ),
    *(
        Plan(
            loss,
            SIGNED,
            variants=[{"epsilon": 0}, {"epsilon": 1.25}],
            extra=[*FAR, *TIES, *across("border", ["float64", "float32"], **BORDER)],
            skip=BIG,
        )
        for loss in ("epsilon_insensitive", "squared_epsilon_insensitive")
    ),
    Plan("charbonnier", SIGNED, variants=[{"epsilon": 2}], extra=[*FAR, *TIES, *SMALL], skip=BIG),
    Plan(
        "tukey_biweight",
        SIGNED,
        variants=[{"c": 1}, {"c": 2.5}],
        extra=[*FAR, *TIES, *SMALL, Inputs("edge", ON_EDGE, params={"c": 2})],
        skip=BIG,
    ),
    Plan(
        "barron",
        SIGNED,
        variants=[
            *({"alpha": alpha} for alpha in SHAPES),
            {"scale": 0.3},
            {"alpha": -2, "scale": 0.3},
            {"alpha": "-inf", "scale": 3},
        ],
        extra=[
            *FAR,
            *TIES,
            *SMALL,
            *across("far", ["float64"], params={"alpha": 2}, **FURTHER),
            *across("far", ["float64"], params={"alpha": 0}, **FURTHER),
            *across("far", ["float64"], params={"alpha": "-inf"}, **FURTHER),
            *across("far", ["float64"], params={"alpha": 1.999999999}, **FURTHER),
        ],
        skip=BIG,
    ),
    Plan(
        "tweedie_deviance",
        POSITIVE,
        {"power": 1.5},
        variants=[{"power": power} for power in POWERS],
        extra=[
            *across("zeros", FLOATS, **COUNTS),
            Inputs("zero-rate", given(**NO_RATE), in_library=False),
            *near("close", 1, 1.000001, 1.5, 1.999999, 2, 3, -2, 0),
            *across("signs", FLOATS, params={"power": -1.5}, **SIGNS),
            *across("signs", FLOATS, params={"power": -0.001}, **SIGNS),
            *across("signs", FLOATS, params={"power": 0}, **SIGNS),
            *across("wide", ["float64"], params={"power": 1.9}, **WIDE),
            *across("wide", ["float64"], params={"power": 3}, **WIDE),
        ],
        skip=BIG,
    ),
    Plan(
        "poisson_deviance",
        POSITIVE,
        extra=[
            *across("zeros", FLOATS, **COUNTS),
            Inputs("zero-rate", given(**NO_RATE), in_library=False),
            *across("close", ["float64"], **CLOSE),
            *across("wide", ["float64"], **WIDE),
        ],
        skip=BIG,
    ),
    Plan(
        "gamma_deviance",
        POSITIVE,
        extra=[*across("close", ["float64"], **CLOSE), *across("wide", ["float64"], **WIDE)],
        skip=BIG,
    ),
    Plan("wape", finished(SIGNED), extra=across("zeros", FLOATS, **ZEROS), skip=("big-float32",)),
    Plan(
        "nmse",
        means(SIGNED),
        variants=[{"outputs": "mean"}],
        on=OUTPUTS[:3],
        extra=[
            *across("offset", ["float64"], **OFFSET),
            Inputs("constant", given(prediction=[1, 2, 3], target=[0.1] * 3), in_library=False),
            Inputs("perfect", given(prediction=[0.1] * 3, target=[0.1] * 3), in_library=False),
        ],
        skip=("weighted", "big-float32"),
    ),
    Plan(
        "median_absolute_error",
        means(SIGNED),
        variants=[{"outputs": "mean"}],
        on=OUTPUTS[:3],
        extra=[*FAR, *TIES],
        skip=("weighted", "big-float32"),
    ),
    Plan("max_error", means(SIGNED), extra=[*FAR, *TIES], skip=("weighted", *BIG)),
    *(
        Plan(loss, menu, variants=[{"seasonality": 2}, {"seasonality": 7}], extra=FLAT)
        for loss, menu in (("mase", FORECASTS), ("rmsse", finished(FORECASTS)))
    ),
]

CASES = [
    Case("mae", "textbook", given(prediction=[1, 1], target=[0, 0]), textbook=1),
    Case("mse", "textbook", given(prediction=[1, 1], target=[0, 1]), textbook=0.5),
    Case("huber", "textbook", given(prediction=[0.6, 0.4], target=[0, 1]), textbook=0.18),
]
