"""What a loss declares beside its formula, and what the engine makes of it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import lossctl
from lossctl.losses.definition import (
    REGISTRY,
    Convention,
    Elements,
    Example,
    Input,
    Param,
    Sums,
    loss,
)

ONE = Example({"prediction": [1.0], "target": [0.0]}, 1.0)
FACTS: dict[str, Any] = {
    "summary": "s", "formula": "f", "use": "u", "reference": "r", "task": "regression",
    "example": ONE,
}  # fmt: skip
N = 70_001  # more than a block


@pytest.fixture(autouse=True)
def losses() -> Iterator[None]:
    lossctl.losses.all()
    known = dict(REGISTRY)

    @loss(name="to_the_mean", whole=True, **FACTS)
    def to_the_mean(xp: Any, prediction: Any, target: Any) -> Any:
        return abs(prediction - target.mean())

    @loss(name="middle", whole=True, single=True, **FACTS)
    def middle(xp: Any, prediction: Any, target: Any) -> Any:
        return xp.median(abs(prediction - target))

    @loss(name="scatter", single=True, pivot="target", finish=scatter_of, **FACTS)
    def scatter(xp: Any, prediction: Any, target: Any, *, pivot: Any) -> Any:
        centred = target - pivot
        return Sums(xp.stack([centred, centred * centred], axis=-1))

    @loss(
        name="ruled",
        params=(Param("ignore", None, "left out", kind="integer"), Param("scale", 1.0, "factor")),
        conventions={
            "rows": Convention("a", row_means=True),
            "times": Convention("b", {"scale": 2.0}, multiplies=True, empty=0.0),
            "sums": Convention("c", reduction="sum"),
        },
        **FACTS,
    )
    def ruled(xp: Any, prediction: Any, target: Any, *, ignore: int | None, scale: float) -> Any:
        values = scale * abs(prediction - target)
        return values if ignore is None else Elements(values, (target != ignore) * 1.0)

    @loss(
        name="formed",
        inputs=(Input("prediction", unless="from_logits"), Input("target")),
        params=(Param("from_logits", False, "logits"), Param("scale", 1.0, "factor")),
        conventions={"one": Convention("a", {"from_logits": True, "scale": 3.0})},
        **FACTS,
    )
    def formed(xp: Any, prediction: Any, target: Any, *, from_logits: bool, scale: float) -> Any:
        return scale * (prediction - target) * (-1 if from_logits else 1)

    yield
    REGISTRY.clear()
    REGISTRY.update(known)


def scatter_of(xp: Any, sums: Any, weights: Any) -> Any:
    total, squares, n = sums[..., 0], sums[..., 1], weights[..., 0]
    return squares / n - (total / n) ** 2


def data(n: int = N) -> dict[str, Any]:
    rng = np.random.default_rng(n)
    return {"prediction": rng.standard_normal(n), "target": rng.standard_normal(n) + 1}


def test_a_loss_of_all_rows_has_per_sample_losses() -> None:
    given = data()
    group = np.arange(N) % 3
    expected = abs(given["prediction"] - given["target"].mean())
    for threads in (1, 3):
        found = lossctl.evaluate(
            ["to_the_mean", "mae"], **given, by={"g": group}, per_sample=True, worst=2,
            threads=threads,
        ).losses  # fmt: skip
        assert found[0].value == pytest.approx(expected.mean(), rel=1e-12)
        assert found[0].per_sample == pytest.approx(expected, rel=1e-12)
        assert [item.sample for item in found[0].worst or ()] == np.argsort(-expected)[:2].tolist()
        assert found[0].summary.interval is None, "the samples depend on each other"
        assert found[0].summary.quantiles[0.5] == pytest.approx(np.median(expected))
        assert found[1].summary.interval is not None
        for item in found[0].groups or ():
            own = expected[group == item.group["g"]]
            assert item.summary.value == pytest.approx(own.mean(), rel=1e-12)
    alone = lossctl.evaluate("mae", **given).losses[0]
    assert found[1].value == alone.value, "its company changes no bit of a loss"
    weight = np.arange(N) % 2
    weighted = lossctl.evaluate("to_the_mean", **given, weight=weight).losses[0]
    assert weighted.value == pytest.approx(expected[1::2].mean(), rel=1e-12)


def test_a_loss_of_all_rows_skips_nan() -> None:
    given = data(9)
    given["prediction"][4] = np.nan
    kept = np.arange(9) != 4
    found = lossctl.evaluate("to_the_mean", **given, nan="skip", per_sample=True).losses[0]
    expected = abs(given["prediction"][kept] - given["target"][kept].mean())
    assert found.per_sample is not None
    assert math.isnan(found.per_sample[4])
    assert found.per_sample[kept] == pytest.approx(expected)


def test_one_number_of_all_rows_and_of_each_group() -> None:
    given = data()
    group = np.where(np.arange(N) < 10, "first", "rest").astype(object)
    error = abs(given["prediction"] - given["target"])
    found = lossctl.evaluate("middle", **given, by={"g": group}).losses[0]
    assert found.value == np.median(error)
    assert math.isnan(found.summary.mean)
    assert [(g.group["g"], g.summary.n) for g in found.groups or ()] == [
        ("first", 10), ("rest", N - 10),
    ]  # fmt: skip
    assert [g.summary.value for g in found.groups or ()] == [
        np.median(error[:10]), np.median(error[10:]),
    ]  # fmt: skip
    total = lossctl.evaluate("2*middle+0.5*mae", **given).losses[0]
    assert total.value == pytest.approx(2 * np.median(error) + 0.5 * error.mean(), rel=1e-12)


def test_a_loss_of_all_rows_says_where_a_value_is_that_it_refuses() -> None:
    prediction = np.full((5, 2, 3), 1 / 2)
    prediction[1] = np.nan
    target = np.array([[0, 0, 0], [0, 0, 0], [0, 0, 0], [0, 0, 9], [0, 0, 0]])
    with pytest.raises(lossctl.DataError, match=r"has 9, but prediction .*: row 3, entry 2"):
        lossctl.evaluate(
            "lovasz_softmax:per_image=false", prediction=prediction, target=target, nan="skip"
        )


@pytest.mark.parametrize(
    "options", [{"worst": 1}, {"per_sample": True}, {"reduction": "sum"}, {"weight": [1.0] * 9}]
)
def test_one_number_has_no_per_sample_losses(options: dict[str, Any]) -> None:
    with pytest.raises(lossctl.UsageError, match="middle is one number of all rows together"):
        lossctl.evaluate("middle", **data(9), **options)


def test_sums_around_a_pivot_do_not_cancel() -> None:
    given = data()
    expected = given["target"].var()
    given["target"] = given["target"] + 1e9
    expected = given["target"].var()  # NumPy takes the mean first
    for threads in (1, 3):
        found = lossctl.evaluate("scatter", **given, threads=threads).losses[0]
        assert found.value == pytest.approx(expected, rel=1e-12)
    assert math.isnan(found.summary.mean)
    assert math.isnan(found.summary.std)
    assert found.summary.quantiles == {}
    assert found.n == N
    assert found.summary.interval is not None
    weighted = lossctl.evaluate("scatter", **given, weight=np.full(N, 2.0)).losses[0]
    assert weighted.value == pytest.approx(expected, rel=1e-12)


def test_row_means_change_sums_alone() -> None:
    given = {"prediction": [[1.0, 3.0], [0.0, 2.0]], "target": np.zeros((2, 2))}

    def value(spec: str, reduction: str) -> float:
        return lossctl.evaluate(spec, **given, reduction=reduction).losses[0].value

    assert value("ruled", "mean") == value("ruled@rows", "mean") == 1.5
    assert (value("ruled", "sum"), value("ruled@rows", "sum")) == (6, 3)
    both = lossctl.evaluate(["ruled", "ruled@rows"], **given, reduction="sum")
    assert [item.value for item in both.losses] == [6, 3]


def test_weights_that_multiply_do_not_divide() -> None:
    given: dict[str, Any] = {
        "prediction": [1.0, math.inf, 3.0], "target": [0.0, 0.0, 0.0], "weight": [2.0, 0.0, 1.0],
    }  # fmt: skip
    found = lossctl.evaluate(["ruled", "ruled@times"], **given, per_sample=True, by=[])
    assert [item.value for item in found.losses] == [5 / 3, pytest.approx(2 * 5 / 3)]
    assert found.losses[1].per_sample is not None
    assert found.losses[1].per_sample.tolist() == [4, 0, 6]
    assert found.losses[1].n == 3
    grouped = lossctl.evaluate("ruled@times", **given, by={"g": [0, 1, 1]}).losses[0]
    assert [item.summary.value for item in grouped.groups or ()] == [4, 3]
    with pytest.raises(lossctl.UsageError, match="some conventions divide by the weights"):
        lossctl.evaluate("ruled+ruled@times", **given)


def test_the_reduction_of_a_convention_is_a_default() -> None:
    given = {"prediction": [1.0, 2.0], "target": [0.0, 0.0]}
    found = lossctl.evaluate(["ruled", "ruled@sums"], **given)
    assert [item.value for item in found.losses] == [1.5, 3]
    assert [item.reduction for item in found.losses] == ["mean", "sum"]
    assert "reduction:mean,sum" in found.signature
    assert lossctl.evaluate("ruled@sums", **given, reduction="mean").losses[0].value == 1.5


def test_where_everything_is_ignored() -> None:
    given = {"prediction": [1.0, 2.0], "target": [7, 7]}
    found = lossctl.evaluate(["ruled:ignore=7", "ruled@times:ignore=7"], **given)
    assert math.isnan(found.losses[0].value)
    assert found.losses[1].value == 0


def test_every_convention_at_once() -> None:
    given = {"prediction": [1.0, 2.0], "target": [0.0, 0.0]}
    found = lossctl.evaluate("ruled@*:scale=4", **given)
    assert [item.loss for item in found.losses] == [
        "ruled:scale=4", "ruled@rows:scale=4", "ruled@times:scale=4", "ruled@sums:scale=4",
    ]  # fmt: skip
    assert [item.value for item in found.losses] == [6, 6, 6, 12]
    same = lossctl.evaluate("ruled:scale=4", **given, convention="*")
    assert [item.loss for item in same.losses] == [item.loss for item in found.losses]
    with pytest.raises(lossctl.SpecError, match="@\\* stands in a sum"):
        lossctl.evaluate("ruled@*+mae", **given)


def test_every_convention_reads_the_same_kind_of_values() -> None:
    given = {"prediction": [1.0, 2.0], "target": [0.0, 0.0]}
    found = lossctl.evaluate("formed@*", **given)
    assert [item.loss for item in found.losses] == ["formed", "formed@one:from_logits=false"]
    assert [item.value for item in found.losses] == [1.5, 4.5]
    found = lossctl.evaluate("formed@*:from_logits=true", **given)
    assert [item.value for item in found.losses] == [-1.5, -4.5]


def test_one_convention_for_all_losses_that_name_none() -> None:
    given = {"prediction": [1.0, 2.0], "target": [0.0, 0.0]}
    found = lossctl.evaluate(["ruled", "ruled@sums"], **given, convention="times")
    assert [item.value for item in found.losses] == [3, 3]
    assert [item.convention for item in found.losses] == ["times", "sums"]
    assert found.losses[0].loss == "ruled"
    with pytest.raises(lossctl.SpecError, match="has no convention 'torch'") as caught:
        lossctl.evaluate("ruled", **given, convention="torch")
    assert "rows, times, sums" in str(caught.value)
