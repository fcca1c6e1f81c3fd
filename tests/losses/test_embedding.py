"""Embeddings: limits of the parameters that libraries bring, and refusals."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import lossctl

RNG = np.random.default_rng(5)
A, B, C = RNG.standard_normal((3, 6, 4))


def value(spec: str, **inputs: Any) -> float:
    return float(lossctl.evaluate(spec, **inputs).losses[0].value)


def test_the_similarity_is_the_negated_proximity() -> None:
    straight = value("cosine_proximity", prediction=A, target=B)
    assert value("cosine_proximity:negate=false", prediction=A, target=B) == -straight


@pytest.mark.parametrize("name", ["cosine_proximity", "cosine_distance"])
def test_zero_vectors_are_orthogonal_or_undefined(name: str) -> None:
    inputs = {"prediction": [[0.0, 0.0], [3.0, 4.0]], "target": [[1.0, 2.0], [3.0, 4.0]]}
    found = lossctl.evaluate(name, **inputs, per_sample=True).losses[0].per_sample
    expected = [0, -1] if name == "cosine_proximity" else [1, 0]
    assert found == pytest.approx(expected, abs=1e-15)
    assert math.isnan(value(f"{name}:zero=undefined", **inputs))


def test_short_vectors_count_for_their_part_of_the_least_length() -> None:
    short, long = [[0.3, 0.4]], [[3.0, 4.0]]
    assert value("cosine_proximity:least_length=1", prediction=short, target=long) == pytest.approx(
        -0.5, rel=1e-15
    )
    assert value("cosine_proximity:least_length=0.5", prediction=short, target=long) == -1


def test_a_small_epsilon_of_cosines_vanishes() -> None:
    label = np.array([1, -1] * 3)
    exact = value("cosine_embedding", left=A, right=B, target=label)
    for epsilon in (1e-6, 1e-9):
        near = value(f"cosine_embedding:epsilon={epsilon}", left=A, right=B, target=label)
        assert near != exact
        assert near == pytest.approx(exact, rel=10 * epsilon)


@pytest.mark.parametrize("swap", ["false", "true"])
def test_the_triplets_offset_and_epsilon(swap: str) -> None:
    inputs = {"anchor": A, "positive": B, "negative": C}
    spec = f"triplet:distance=euclidean,margin=4,swap={swap}"
    offset, epsilon = 0.25, 0.5

    def distance(x: Any, y: Any) -> Any:
        return np.sqrt(np.square(x - y + offset).sum(axis=1) + epsilon)

    far = distance(A, C)
    if swap == "true":
        far = np.minimum(far, distance(B, C))
    expected = np.maximum(distance(A, B) - far + 4, 0).mean()
    found = value(f"{spec},offset={offset},epsilon={epsilon}", **inputs)
    assert found == pytest.approx(expected, rel=1e-13)


def test_an_offset_is_nothing_to_cosines() -> None:
    inputs = {"anchor": A, "positive": B, "negative": C}
    plain = value("triplet:distance=cosine,swap=true", **inputs)
    assert value("triplet:distance=cosine,swap=true,offset=0.5,epsilon=1", **inputs) == plain


def test_pair_labels_are_0_or_1() -> None:
    with pytest.raises(lossctl.DataError, match="target has 2, neither 0 nor 1"):
        value("contrastive", left=A, right=B, target=[0, 1, 2, 0, 1, 1])
    with pytest.raises(lossctl.SpecError, match="similar must be one of 0, 1"):
        value("contrastive:similar=2", left=A, right=B, target=[0, 1, 1, 0, 1, 1])


def test_signs_are_1_or_minus_1() -> None:
    with pytest.raises(lossctl.DataError, match="neither −1 nor 1"):
        value("hinge_embedding", prediction=[1.0, 2.0], target=[1, 0])
