"""What is squeezed, and what is taken as it is."""

from __future__ import annotations

import math

import numpy as np
import pytest

import lossctl


def value(spec: str, prediction: object, target: object) -> float:
    return lossctl.evaluate(spec, prediction=prediction, target=target).losses[0].value


def test_shapes_that_fit_are_not_squeezed() -> None:
    p = [[[1], [2]], [[3], [-4]]]
    t = [[[2], [-1]], [[1], [-5]]]
    assert value("cosine_proximity", p, t) == pytest.approx(-0.5)  # along an axis of length 1
    rng = np.random.default_rng(0)
    masks, truth = rng.random((2, 3, 4, 1)), (rng.random((2, 3, 4, 1)) < 0.5) * 1
    narrow = value("dice:axis=1", masks, truth)
    wide = value("dice:axis=1", np.tile(masks, 2), np.tile(truth, 2))
    assert narrow == pytest.approx(wide)  # a column twice is the same overlap


def test_one_column_is_no_choice_among_classes() -> None:
    for target in ([[1], [1]], [1, 1]):
        assert value("zero_one", [[0.1], [0.2]], target) == 1
        assert value("zero_one:from_logits=true", [[-5.0], [3.0]], target) == 0.5


def test_one_column_of_quantiles() -> None:
    assert value("pinball:alpha=[0.1]", [[1.0], [2.0], [3.0]], [2.0, 2.0, 2.0]) == pytest.approx(
        1 / 3
    )


def test_axes_of_length_one_are_named_in_the_refusal() -> None:
    with pytest.raises(lossctl.DataError, match="differ by axes of length 1 alone"):
        value("bce", np.full((2, 1, 3), 0.5), np.ones((2, 3)))


def test_a_sum_of_nothing_is_zero() -> None:
    found = lossctl.evaluate(
        ["cross_entropy:ignore_index=9"], [[0.5, 0.5]], [9], reduction="sum"
    ).losses[0]
    assert found.value == 0
    found = lossctl.evaluate(["cross_entropy:ignore_index=9"], [[0.5, 0.5]], [9]).losses[0]
    assert math.isnan(found.value)
