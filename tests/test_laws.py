"""Laws that hold for every loss, on samples drawn from the registry's own examples."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lossctl
from lossctl import losses
from lossctl.losses import Loss
from lossctl.losses.definition import REQUIRED
from lossctl.spec import LossSpec

LOSSES = losses.all()
PAIRED = [item for item in LOSSES if not item.unpaired]
each_loss = pytest.mark.parametrize("loss", LOSSES, ids=lambda item: item.name)
each_paired = pytest.mark.parametrize("loss", PAIRED, ids=lambda item: item.name)


def spec_of(loss: Loss) -> str:
    return str(LossSpec(loss.name, None, tuple(loss.example.params.items())))


def example(loss: Loss) -> dict[str, Any]:
    return {name: np.asarray(value) for name, value in loss.example.inputs.items()}


def rows(loss: Loss, indices: list[int]) -> dict[str, Any]:
    """Samples of the example, drawn with repetition."""
    inputs = example(loss)
    size = len(next(iter(inputs.values())))
    return {name: array[[index % size for index in indices]] for name, array in inputs.items()}


def value(loss: Loss, inputs: dict[str, Any], **options: Any) -> float:
    return lossctl.evaluate(spec_of(loss), **inputs, **options).losses[0].value


@each_loss
def test_the_example_has_its_known_value(loss: Loss) -> None:
    found = value(loss, example(loss), reduction=loss.example.reduction)
    assert found == pytest.approx(loss.example.value, rel=1e-12, abs=1e-300)


@each_loss
def test_the_example_tells_something(loss: Loss) -> None:
    assert math.isfinite(loss.example.value)
    assert loss.example.value != 0


@each_loss
def test_the_facts_are_complete(loss: Loss) -> None:
    assert loss.task in losses.TASKS
    for text in (loss.summary, loss.formula, loss.use, loss.reference):
        assert text.strip()
    names = [item.name for item in loss.inputs]
    assert set(loss.example.inputs) <= set(names)
    assert set(loss.example.params) <= {item.name for item in loss.params} | set(names)
    for param in loss.params:
        assert param.help
        default = param.default
        assert default == REQUIRED or param.validate(default, loss.name) == default
    for convention in loss.conventions.values():
        assert convention.call
        assert set(convention.params) <= {item.name for item in loss.params}
    for alias in loss.aliases:
        assert losses.get(alias) is loss


@settings(deadline=None, max_examples=8)
@given(indices=st.lists(st.integers(0, 50), min_size=1, max_size=12), data=st.data())
@each_paired
def test_the_order_of_samples_does_not_matter(loss: Loss, indices: list[int], data: Any) -> None:
    if loss.whole_when is not None and loss.whole_for(_params(loss)):
        return
    shuffled = data.draw(st.permutations(indices))
    straight = value(loss, rows(loss, indices))
    assert value(loss, rows(loss, list(shuffled))) == pytest.approx(straight, rel=1e-12, abs=1e-15)


@settings(deadline=None, max_examples=8)
@given(
    indices=st.lists(st.integers(0, 50), min_size=1, max_size=8),
    repeats=st.lists(st.integers(1, 3), min_size=8, max_size=8),
)
@each_paired
def test_a_weight_of_two_is_the_sample_twice(
    loss: Loss, indices: list[int], repeats: list[int]
) -> None:
    counts = repeats[: len(indices)]
    twice = [index for index, count in zip(indices, counts) for _ in range(count)]
    weighted = value(loss, rows(loss, indices), weight=np.array(counts, dtype=float))
    assert weighted == pytest.approx(value(loss, rows(loss, twice)), rel=1e-12, abs=1e-15)


@each_paired
def test_per_sample_losses_are_the_losses_of_the_samples(loss: Loss) -> None:
    inputs = example(loss)
    report = lossctl.evaluate(spec_of(loss), **inputs, per_sample=True)
    found = report.losses[0].per_sample
    assert found is not None
    for index in range(len(found)):
        alone = {name: array[index : index + 1] for name, array in inputs.items()}
        assert found[index] == pytest.approx(value(loss, alone), rel=1e-12, abs=1e-15)


@each_paired
def test_groups_are_the_losses_of_their_samples(loss: Loss) -> None:
    indices = list(range(7))
    inputs = rows(loss, indices)
    group = np.array(["a", "b", "a", "a", "b", "c", "c"], dtype=object)
    report = lossctl.evaluate(spec_of(loss), **inputs, by={"g": group})
    groups = report.losses[0].groups
    assert groups is not None
    assert [item.group for item in groups] == [{"g": "a"}, {"g": "b"}, {"g": "c"}]
    for item in groups:
        own = {name: array[group == item.group["g"]] for name, array in inputs.items()}
        assert item.summary.value == pytest.approx(value(loss, own), rel=1e-12, abs=1e-15)


@each_paired
@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_narrow_floats_stay_close(loss: Loss, dtype: Any) -> None:
    inputs = {
        name: array.astype(dtype) if array.dtype.kind == "f" else array
        for name, array in example(loss).items()
    }
    wide = {
        name: array.astype(np.float64) if array.dtype.kind == "f" else array
        for name, array in inputs.items()
    }
    try:
        exact = value(loss, wide)
    except lossctl.DataError:  # for a float64 the rounding is an error (a trace of 0.9998)
        return
    assert value(loss, inputs) == pytest.approx(exact, rel=2e-6, abs=1e-9)


@each_paired
def test_nan_goes_through_where_it_may_and_is_refused_where_not(loss: Loss) -> None:
    name, array = next(
        ((n, a) for n, a in example(loss).items() if a.dtype.kind in "fc"), (None, None)
    )
    if name is None or array is None:
        return
    inputs = rows(loss, list(range(4)))
    inputs[name] = inputs[name].copy()
    inputs[name][1] = np.nan
    said = rf"{name} has NaN or null in 1 row, first in row 1"
    with pytest.raises(lossctl.DataError, match=said):
        value(loss, inputs)
    kept = {key: item[[0, 2, 3]] for key, item in inputs.items()}
    assert value(loss, inputs, nan="skip") == pytest.approx(value(loss, kept), rel=1e-12)
    report = lossctl.evaluate(spec_of(loss), **inputs, nan="propagate", per_sample=True)
    assert math.isnan(report.losses[0].per_sample[1])  # type: ignore[index]
    assert math.isnan(report.losses[0].value)


def _params(loss: Loss) -> dict[str, Any]:
    return loss.validate(dict(loss.example.params))
