"""Boxes: refusals, limits and laws."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lossctl

NAMES = ("iou_box", "giou", "diou", "ciou")
each = pytest.mark.parametrize("name", NAMES)
A = [0.0, 0.0, 2.0, 2.0]


def value(spec: str, prediction: Any, target: Any) -> float:
    return float(lossctl.evaluate(spec, prediction=[prediction], target=[target]).losses[0].value)


def corners(low: int = -20, high: int = 20) -> st.SearchStrategy[list[float]]:
    numbers = st.integers(low, high).map(float)
    return st.tuples(numbers, numbers, numbers, numbers).map(
        lambda c: [min(c[0], c[2]), min(c[1], c[3]), max(c[0], c[2]), max(c[1], c[3])]
    )


@each
def test_refusals(name: str) -> None:
    with pytest.raises(lossctl.DataError, match=r"(?s)prediction has a corner x₂ < x₁.*x \+ w"):
        value(name, [5, 5, 2, 2], A)
    with pytest.raises(lossctl.DataError, match="target has a corner"):
        value(name, A, [0, 5, 2, 2])
    with pytest.raises(lossctl.DataError, match="do not fit"):
        value(name, [0, 0, 1], [0, 0, 1])


@each
def test_boxes_without_area(name: str) -> None:
    point, other, line = [1.0, 1.0, 1.0, 1.0], [2.0, 1.0, 2.0, 1.0], [0.0, 0.0, 2.0, 0.0]
    assert value(name, point, point) == value(name, line, line) == 0
    assert value(name, point, other) >= 1
    assert value(name, A, [1, 1, 1, 1]) >= 1
    assert value("iou_box", line, [1, 0, 4, 0]) == 1


def test_what_boxes_that_miss_cost() -> None:
    near, far = [3.0, 0.0, 5.0, 2.0], [98.0, 0.0, 100.0, 2.0]
    assert value("iou_box", A, near) == value("iou_box", A, far) == 1
    assert value("giou", A, near) == pytest.approx(1 + 1 / 5)
    assert value("giou", A, far) == pytest.approx(1 + 96 / 100)
    assert value("diou", A, near) == pytest.approx(1 + 9 / 29)
    assert value("ciou", A, near) == value("diou", A, near)  # of one shape


@settings(deadline=None, max_examples=25)
@given(a=corners(), b=corners())
def test_laws(a: list[float], b: list[float]) -> None:
    found = {name: value(name, a, b) for name in NAMES}
    for name in NAMES:
        assert value(name, b, a) == pytest.approx(found[name], rel=1e-14)
        assert value(name, a, a) == 0
        moved = [[x + 64 for x in box] for box in (a, b)]
        assert value(name, *moved) == pytest.approx(found[name], rel=1e-13)
        larger = [[4 * x for x in box] for box in (a, b)]
        assert value(name, *larger) == pytest.approx(found[name], rel=1e-14)
    assert 0 <= found["iou_box"] <= 1
    assert found["iou_box"] <= found["giou"] <= 2
    assert found["iou_box"] <= found["diou"] <= min(2, found["ciou"])


@settings(deadline=None, max_examples=60)
@given(a=corners(0, 12), b=corners(0, 12))
def test_areas_are_cells(a: list[float], b: list[float]) -> None:
    """Against counting unit squares."""
    x, y = np.meshgrid(np.arange(12) + 0.5, np.arange(12) + 0.5)

    def cells(box: list[float]) -> Any:
        return (box[0] < x) & (x < box[2]) & (box[1] < y) & (y < box[3])

    union = (cells(a) | cells(b)).sum()
    around = [min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3])]
    outer = cells(around).sum()
    if union:
        outside = 1 - (cells(a) & cells(b)).sum() / union
        assert value("iou_box", a, b) == pytest.approx(outside, rel=1e-13, abs=1e-15)
        wanted = outside + (outer - union) / outer
        assert value("giou", a, b) == pytest.approx(wanted, rel=1e-13, abs=1e-15)


def test_several_boxes_of_a_sample_are_averaged() -> None:
    prediction = [[A, A]]
    target = [[A, [4.0, 0.0, 6.0, 2.0]]]
    found = lossctl.evaluate("iou_box", prediction=prediction, target=target).losses[0]
    assert found.value == 0.5
    assert found.n == 1


def test_nearly_equal_boxes_keep_their_digits() -> None:
    moved = [2.0**-40, 0.0, 2.0, 2.0]
    assert value("iou_box", A, moved) == pytest.approx(2.0**-41, rel=1e-12)
    assert value("giou", A, moved) == pytest.approx(2.0**-41, rel=1e-12)
