"""Regression: refusals, limits and laws."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lossctl
from lossctl.losses.tasks.regression.deviance import unit_deviance

RNG = np.random.default_rng(7)
PREDICTION, TARGET = RNG.standard_normal((2, 40, 3))


def value(spec: str, prediction: Any = PREDICTION, target: Any = TARGET, **options: Any) -> float:
    found = lossctl.evaluate(spec, prediction=prediction, target=target, **options)
    return found.losses[0].value


def equal(found: float, wanted: float) -> None:
    assert found == pytest.approx(wanted, rel=1e-12, abs=1e-300)


@pytest.mark.parametrize(
    ("spec", "inputs", "said"),
    [
        ("msle", {"prediction": [1, -1], "target": [0, 0]}, "prediction has -1, not above −1"),
        ("rmsle", {"prediction": [0, 0], "target": [1, -2]}, "target has -2, not above −1"),
        ("poisson_deviance", {"prediction": [-1], "target": [1]}, "prediction has -1, below 0"),
        ("poisson_deviance", {"prediction": [1], "target": [-1]}, "target has -1, below 0"),
        ("gamma_deviance", {"prediction": [0], "target": [1]}, "prediction has 0, not above 0"),
        ("gamma_deviance", {"prediction": [1], "target": [0]}, "target has 0, not above 0"),
        ("tweedie_deviance:power=1.5", {"prediction": [-1], "target": [1]}, "-1, below 0"),
        ("tweedie_deviance:power=1.5", {"prediction": [1], "target": [-1]}, "-1, below 0"),
        ("tweedie_deviance:power=3", {"prediction": [1], "target": [0]}, "0, not above 0"),
        ("tweedie_deviance:power=3", {"prediction": [0], "target": [1]}, "0, not above 0"),
        ("tweedie_deviance:power=-1", {"prediction": [0], "target": [1]}, "0, not above 0"),
        (
            "mase:seasonality=3",
            {"prediction": [1], "target": [1], "history": [[1, 2, 3]]},
            "history has 3 steps, too few for seasonality=3",
        ),
        (
            "rmsse",
            {"prediction": [1], "target": [1], "history": [[1]]},
            "history has 1 steps?, too few for seasonality=1",
        ),
        ("mase", {"prediction": [1], "target": [1], "history": [1]}, "do not fit"),
    ],
)
def test_values_that_are_refused(spec: str, inputs: dict[str, Any], said: str) -> None:
    arrays = {name: np.asarray(array, float) for name, array in inputs.items()}
    with pytest.raises(lossctl.DataError, match=said):
        lossctl.evaluate(spec, **arrays)


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("tweedie_deviance:power=0.5", "power must be ≤ 0 or ≥ 1, not 0.5"),
        ("tweedie_deviance", "needs the parameter power"),
        ("tweedie_deviance:power=101", "power must be"),
        ("expectile:alpha=1", "alpha must be a number > 0 and < 1"),
        ("charbonnier:epsilon=0", "epsilon must be a number > 0"),
        ("epsilon_insensitive:epsilon=-1", "epsilon must be a number ≥ 0"),
        ("tukey_biweight:c=0", "c must be a number > 0"),
        ("barron:scale=0", "scale must be a number > 0"),
        ("msle:floor=-1", "floor must be a number > -1"),
        ("rmse:outputs=each", "outputs must be one of pooled, mean"),
        ("mape@torch", "has no convention 'torch'"),
    ],
)
def test_parameters_that_are_refused(spec: str, said: str) -> None:
    with pytest.raises(lossctl.SpecError, match=said):
        value(spec, np.ones(3), np.ones(3))


@pytest.mark.parametrize(
    ("one", "other", "factor"),
    [
        ("barron:alpha=2", "mse", 0.5),
        ("expectile", "mse", 0.5),
        ("epsilon_insensitive:epsilon=0", "mae", 1),
        ("squared_epsilon_insensitive:epsilon=0", "mse", 1),
        ("tweedie_deviance:power=0", "mse", 1),
        ("tweedie_deviance@sklearn", "mse", 1),
        ("mape:percent=true", "mape", 100),
    ],
)
def test_losses_that_are_the_same(one: str, other: str, factor: float) -> None:
    equal(value(one), factor * value(other))


def test_barron_is_continuous_in_its_shape() -> None:
    for limit, near in ((2, 2 + 1e-9), (2, 2 - 1e-9), (0, 1e-9), (0, -1e-9), ("-inf", -1e9)):
        assert value(f"barron:alpha={limit}") == pytest.approx(
            value(f"barron:alpha={near}"), rel=1e-6
        )
    charbonnier = value("charbonnier:epsilon=1")
    equal(value("barron:alpha=1"), charbonnier - 1)
    ordered = [value(f"barron:alpha={alpha}") for alpha in ("-inf", -50, -2, 0, 1, 1.99, 2, 3)]
    assert ordered == sorted(ordered)
    assert value("barron:alpha=-inf", [math.inf], [0.0]) == 1
    assert value("barron:alpha=-2", [1e200], [0.0]) == 2
    equal(value("barron:alpha=1", [1e200], [0.0]), 1e200)


def test_tukey_goes_from_half_the_square_to_a_constant() -> None:
    assert value("tukey_biweight:c=1e6") == pytest.approx(value("mse") / 2, rel=1e-9)
    equal(value("tukey_biweight", [1e9, -math.inf], [0.0, 0.0]), 4.685**2 / 6)


@settings(deadline=None, max_examples=80)
@given(
    power=st.one_of(st.floats(-10, 0), st.floats(1, 10), st.sampled_from([-1e-12, 1 + 1e-12, 2.0])),
    log_y=st.floats(-5, 5),
    log_ratio=st.floats(-5, 5),
    factor=st.floats(-3, 3),
)
def test_deviances_scale_and_are_never_negative(
    power: float, log_y: float, log_ratio: float, factor: float
) -> None:
    y, mean = np.exp([log_y]), np.exp([log_y - log_ratio])
    found = unit_deviance(np, mean, y, power)[0]
    assert found >= 0
    scale = math.exp(factor)
    scaled = unit_deviance(np, scale * mean, scale * y, power)[0]
    if abs(log_ratio) > 1e-3:  # else the products' rounding is a part of their difference
        assert scaled == pytest.approx(found * scale ** (2 - power), rel=1e-9)


def test_deviances_of_extreme_values() -> None:
    tiny, huge = 5e-324, 1e300
    y, mean = np.array([tiny, huge, 0.0, huge]), np.array([huge, tiny, huge, huge])
    with np.errstate(all="ignore"):
        for power in (-2.0, 1.0, 1.1, 1.5, 1.9, 2.0, 3.0):
            used = slice(None) if power < 2 else [0, 1, 3]
            found = unit_deviance(np, mean[used], y[used], power)
            assert not np.isnan(found).any(), power
            assert found[-1] == 0
    assert value("gamma_deviance", [1e300], [1e-300]) == pytest.approx(
        2 * (600 * math.log(10) - 1), rel=1e-12
    )
    assert value("poisson_deviance", [0.0, 0.0], [0.0, 2.0]) == math.inf
    assert value("poisson_deviance", [0.0], [0.0]) == 0


def test_nmse_is_one_minus_r_squared() -> None:
    group = np.arange(40) % 3
    found = lossctl.evaluate("nmse", prediction=PREDICTION, target=TARGET, by={"g": group})

    def expected(rows: Any, w: Any = 1.0) -> float:
        y = TARGET[rows]
        centre = np.average(y, axis=0, weights=None if np.ndim(w) == 0 else w[:, 0])
        error, spread = w * (PREDICTION[rows] - y) ** 2, w * (y - centre) ** 2
        return float(error.sum() / spread.sum())

    equal(found.losses[0].value, expected(slice(None)))
    for item in found.losses[0].groups or ():
        equal(item.summary.value, expected(group == item.group["g"]))
    weight = RNG.random(40)
    equal(value("nmse", weight=weight), expected(slice(None), weight[:, None]))
    each = [value("nmse", PREDICTION[:, k], TARGET[:, k]) for k in range(3)]
    equal(value("nmse:outputs=mean"), float(np.mean(each)))


def test_nmse_does_not_cancel() -> None:
    n = 200_000
    noise, error = RNG.standard_normal((2, n))
    level = 1e9
    target = level + noise
    prediction = target + error
    truth = target.astype(np.longdouble)
    error2 = ((prediction - truth) ** 2).sum()
    wanted = float(error2 / ((truth - truth.mean()) ** 2).sum())
    assert value("nmse", prediction, target) == pytest.approx(wanted, rel=1e-12)
    ordered = np.argsort(target)  # so that the first block's mean is far from the others'
    assert value("nmse", prediction[ordered], target[ordered]) == pytest.approx(wanted, rel=1e-12)
    same = np.where(np.arange(n) % 2, 0.1, 1e6 + 0.1)
    found = lossctl.evaluate("nmse", prediction=same + 1, target=same, by={"g": same}).losses[0]
    assert [item.summary.value for item in found.groups or ()] == [math.inf, math.inf]
    assert math.isfinite(found.value)


def test_outputs_apart() -> None:
    columns = [value("rmse", PREDICTION[:, k], TARGET[:, k]) for k in range(3)]
    equal(value("rmse:outputs=mean"), float(np.mean(columns)))
    equal(value("rmse"), float(np.sqrt(np.mean(np.square(columns)))))
    equal(value("rmse:outputs=mean", PREDICTION[:, 0], TARGET[:, 0]), columns[0])
    medians = np.median(np.abs(PREDICTION - TARGET), axis=0)
    equal(value("median_absolute_error:outputs=mean"), float(medians.mean()))
    equal(value("median_absolute_error@sklearn"), float(medians.mean()))


def test_order_statistics_of_groups() -> None:
    group = np.array(["a", "b"] * 20, dtype=object)
    error = np.abs(PREDICTION - TARGET)
    found = lossctl.evaluate(
        ["median_absolute_error", "max_error"], prediction=PREDICTION, target=TARGET,
        by={"g": group},
    )  # fmt: skip
    for loss, figure in zip(found.losses, (np.median, np.max)):
        assert loss.value == figure(error)
        for item in loss.groups or ():
            assert item.summary.value == figure(error[group == item.group["g"]])


@pytest.mark.parametrize("spec", ["nmse", "median_absolute_error", "max_error"])
def test_one_number_has_no_per_sample_losses(spec: str) -> None:
    with pytest.raises(lossctl.UsageError, match="one number of all rows together"):
        value(spec, per_sample=True)


def test_scaled_errors_of_the_naive_forecast_are_one() -> None:
    history = RNG.standard_normal((6, 30))
    for m in (1, 4):
        target, naive = history[:, m:], history[:, :-m]
        for spec in ("mase", "rmsse"):
            found = lossctl.evaluate(
                f"{spec}:seasonality={m}", prediction=naive, target=target, history=history,
                per_sample=True,
            ).losses[0]  # fmt: skip
            assert found.per_sample == pytest.approx(np.ones(6), rel=1e-12)
            equal(found.value, 1)


def test_rmsse_of_m5_is_the_samplemean() -> None:
    history = [[0.0, 1.0], [0.0, 10.0]]
    inputs: dict[str, Any] = {"prediction": [[1.0], [30.0]], "target": [[0.0], [0.0]]}
    found = lossctl.evaluate("rmsse", **inputs, history=history, reduction="samplemean")
    equal(found.losses[0].value, 2)
    equal(lossctl.evaluate("rmsse", **inputs, history=history).losses[0].value, math.sqrt(5))


def test_a_tolerance_is_exact_at_its_border() -> None:
    prediction, target = [0.3, 1.1, 0.1, 0.1 + 2.0**-54], [0.2, 1.0, 0.0, 0.0]
    found = lossctl.evaluate(
        "epsilon_insensitive", prediction=prediction, target=target, per_sample=True
    ).losses[0]
    assert found.per_sample is not None
    assert found.per_sample[:1].tolist() == [0.0]
    assert found.per_sample[1] == pytest.approx(8.3266726846886741e-17, rel=1e-15)
    assert found.per_sample[2] == 0
    assert value("epsilon_insensitive", [math.inf], [0.0]) == math.inf


def test_wape_of_zeros() -> None:
    equal(value("wape", [1.0, 0.0], [0.0, 4.0]), 5 / 4)
    assert value("wape", [0.0], [0.0]) == 0
    assert value("wape", [1.0], [0.0]) == math.inf
    equal(value("wmape", [1.0, 3.0], [2.0, 4.0], weight=[1, 3]), 4 / 14)


def test_conventions_differ_where_they_say_so() -> None:
    zero = {"prediction": [1.0], "target": [0.0]}
    assert value("mape", **zero) == math.inf
    equal(value("mape@sklearn", **zero), 2.0**52)
    equal(value("mape@keras", **zero), 1e9)
    weight = np.array([1.0, 3.0])
    pair = {"prediction": [[1.0, 3.0], [0.0, 2.0]], "target": np.zeros((2, 2))}
    equal(value("mae@torch", **pair, weight=weight), 10 / 8)
    equal(value("mae@keras", **pair, weight=weight), 10 / 4)
    equal(value("mae@keras", **pair, reduction="sum"), 3)
    equal(value("huber@torch", **pair, weight=weight), value("huber@keras", **pair, weight=weight))


def _nmse(prediction: Any, target: Any, weight: Any = None) -> float:
    """By fractions, of the floats as they are."""
    weights = (
        [Fraction(1)] * len(target) if weight is None else [Fraction(float(w)) for w in weight]
    )
    p, y = ([Fraction(float(item)) for item in array] for array in (prediction, target))
    mean = sum(w * item for w, item in zip(weights, y)) / sum(weights)
    error = sum(w * (a - b) ** 2 for w, a, b in zip(weights, p, y))
    return float(error / sum(w * (item - mean) ** 2 for w, item in zip(weights, y)))


def test_nmse_of_groups_far_from_each_other() -> None:
    rng = np.random.default_rng(3)
    target = np.r_[rng.standard_normal(50), 1e6 + 1e-3 * rng.standard_normal(50)]
    prediction, weight = target + 1e-4 * rng.standard_normal(100), rng.random(100)
    group = np.repeat([0, 1], 50)
    for w in (None, weight):
        found = lossctl.evaluate("nmse", prediction, target, weight=w, by={"g": group}).losses[0]
        for one, rows in zip(found.groups or (), (group == 0, group == 1)):
            own = _nmse(prediction[rows], target[rows], None if w is None else w[rows])
            assert one.value == pytest.approx(own, rel=1e-12)
        assert found.value == pytest.approx(_nmse(prediction, target, w), rel=1e-12)


def test_nmse_of_rows_that_are_left_out() -> None:
    found = lossctl.evaluate("nmse", [0, 2, 3, 4], [1e9, 2, 3.1, 4.2], weight=[0, 1, 1, 1])
    assert found.losses[0].value == pytest.approx(_nmse([2, 3, 4], [2, 3.1, 4.2]), rel=1e-12)
    found = lossctl.evaluate("nmse", [np.nan, 2, 3, 4], [1e9, 2, 3.1, 4.2], nan="skip")
    assert found.losses[0].value == pytest.approx(_nmse([2, 3, 4], [2, 3.1, 4.2]), rel=1e-12)


def test_nmse_of_a_target_that_does_not_vary() -> None:
    found = lossctl.evaluate("nmse", [1, 2], [3, 3])
    assert found.losses[0].value == math.inf
    assert found.notes[0].endswith("what it is made of is not, or what it is divided by is 0")
    assert lossctl.evaluate("nmse", [3, 3], [3, 3]).losses[0].value == 0


@pytest.mark.parametrize("seed", range(20))
def test_nmse_of_a_constant_target_with_weights(seed: int) -> None:
    rng = np.random.default_rng(seed)
    target = np.full(100, rng.random())
    found = lossctl.evaluate("nmse", rng.random(100), target, weight=rng.random(100))
    assert found.losses[0].value == math.inf
