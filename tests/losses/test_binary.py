"""Binary classification: refusals, limits and laws."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lossctl

RNG = np.random.default_rng(3)
SCORES = RNG.standard_normal((20, 3))
LABELS = (RNG.random((20, 3)) < 0.4).astype(int)
PROBABILITIES = RNG.random((20, 3))
SCORE = st.floats(-1e4, 1e4).map(lambda x: x + 0.0)


def value(spec: str, prediction: Any, target: Any, **options: Any) -> float:
    return lossctl.evaluate(spec, prediction=prediction, target=target, **options).losses[0].value


def equal(found: float, wanted: float) -> None:
    assert found == pytest.approx(wanted, rel=1e-12, abs=1e-300)


@pytest.mark.parametrize(
    ("spec", "prediction", "target", "said"),
    [
        ("zero_one", [0.2, 0.7], [0, 2], "target has 2.*neither 0 nor 1"),
        ("zero_one", [0.2, 0.7], [0.5, 1], "hard targets only"),
        ("zero_one", [0.2, 1.7], [0, 1], r"prediction has 1\.7.*outside \[0, 1\]"),
        ("zero_one", [[0.2, 0.8]], [[0, 2]], "target is not one-hot"),
        ("zero_one", [[0.2, 0.8]], [[1, 1]], "target is not one-hot"),
        ("zero_one", [[0.2, 0.8]], [[0.5, 0.5]], "target is not one-hot"),
        ("zero_one", [[0.2, 0.8]], [2], "target has 2, but prediction has classes 0 to 1"),
        ("zero_one:hard=true", [[1, 2]], [1], "not of prediction's shape .* as hard=true wants"),
        ("hamming", [[0.2, 0.7]], [[0, -1]], "target has -1.*neither 0 nor 1"),
        ("hamming", [[0.2, -0.7]], [[0, 1]], r"prediction has -0\.7.*outside \[0, 1\]"),
        ("hamming:hard=true", [[[1], [2]]], [[1, 2]], None),
        ("brier:multilabel=true", [[0.5, 0.5]], [1], "prediction's shape .* as multilabel=true"),
        ("brier", [0.5, 0.5], [2, 1], r"target has 2.*outside \[0, 1\]"),
        ("bce:ignore_index=-1", [0.5, 0.5], [-1, 2], r"target has 2.*outside \[0, 1\]"),
        ("bce", [0.5, 0.5], [-1, 1], r"target has -1.*outside \[0, 1\]"),
        ("bce:pos_weight=[1,2]", [[0.5] * 3], [[1, 0, 1]], "has not 2 entries on its last axis"),
        ("logistic", [1.0, 2.0], [0, -1], "two words for the negative class"),
        ("perceptron", [1.0, 2.0], [2, 1], "none of −1, 0 and 1"),
    ],
)
def test_refusals(spec: str, prediction: Any, target: Any, said: str | None) -> None:
    if said is None:
        value(spec, prediction, target)
        return
    with pytest.raises(lossctl.DataError, match=said):
        value(spec, prediction, target)


@pytest.mark.parametrize(
    "spec", ["zero_one:threshold=1.5", "binary_focal:p_t=half", "bce:smoothing_to=none"]
)
def test_parameters_out_of_bounds(spec: str) -> None:
    with pytest.raises(lossctl.SpecError, match="must be"):
        value(spec, [0.5], [1])


def test_logistic_is_the_cross_entropy_of_logits() -> None:
    equal(value("soft_margin", SCORES, LABELS), value("bce:from_logits=true", SCORES, LABELS))


@pytest.mark.parametrize("name", ["hinge", "squared_hinge", "logistic", "exponential",
                                  "modified_huber", "perceptron"])  # fmt: skip
def test_labels_are_mapped_or_not(name: str) -> None:
    signs = 2 * LABELS - 1
    assert value(name, SCORES, LABELS) == value(name, SCORES, signs)
    assert value(f"{name}:map_labels=false", SCORES, signs) == value(name, SCORES, signs)
    nothing = {"logistic": math.log(2), "perceptron": 0.0}.get(name, 1.0)
    equal(value(f"{name}:map_labels=false", [3.0, -3.0], [0, 0]), nothing)


def test_perceptron_is_a_hinge_without_margin() -> None:
    assert value("perceptron", SCORES, LABELS) == value("hinge:margin=0", SCORES, LABELS)


@given(scores=st.lists(SCORE, min_size=1, max_size=20), label=st.sampled_from([-1, 1]))
@settings(deadline=None, max_examples=20)
def test_margin_losses_bound_the_error(scores: list[float], label: int) -> None:
    inputs = {"prediction": np.array(scores), "target": np.full(len(scores), label)}
    wrong = np.array(scores) * label < 0
    for name in ("hinge", "squared_hinge", "exponential", "modified_huber"):
        assert (lossctl.losses.get(name)(**inputs) >= wrong).all()
    logistic = lossctl.losses.get("logistic")(**inputs)
    assert (logistic >= wrong * math.log(2)).all()
    assert np.isfinite(logistic).all()


def test_modified_huber_meets_itself_at_its_bends() -> None:
    for at, wanted in ((-1.0, 4.0), (1.0, 0.0), (np.nextafter(-1, -2), 4.0)):
        assert value("modified_huber", [at], [1]) == pytest.approx(wanted, rel=1e-15)


def test_exponential_does_not_overflow_in_float32() -> None:
    score = np.array([-100.0], dtype="float32")
    equal(value("exponential", score, [1]), math.exp(100))


def test_a_margin_that_float32_cannot_hold() -> None:
    score = np.array([0.29999], dtype="float32")
    equal(value("hinge:margin=0.3", score, [1]), 0.3 - float(score[0]))


@pytest.mark.parametrize("p_t", ["mixture", "geometric", "logit"])
def test_p_t_matters_to_soft_targets_only(p_t: str) -> None:
    found = value(f"binary_focal:p_t={p_t}", PROBABILITIES, LABELS)
    equal(found, value("binary_focal", PROBABILITIES, LABELS))
    found = value(f"binary_focal:p_t={p_t},gamma=0", PROBABILITIES, PROBABILITIES[::-1])
    equal(found, value("bce", PROBABILITIES, PROBABILITIES[::-1]))
    steep = value(f"binary_focal:p_t={p_t},from_logits=true", [1e4, -1e4, 1e4], [1, 1, 0.5])
    assert math.isfinite(steep)


def test_smoothing_to_the_other_class_is_twice_that_to_a_half() -> None:
    found = value("bce:label_smoothing=0.1,smoothing_to=other", PROBABILITIES, LABELS)
    equal(found, value("bce:label_smoothing=0.2", PROBABILITIES, LABELS))


def test_ignored_elements_leave_the_mean_or_count_in_it() -> None:
    target = np.array([1.0, -100, 0, -100])
    prediction = [0.25, 0.0, 0.5, 1.0]
    total = math.log(4) + math.log(2)
    equal(value("bce:ignore_index=-100", prediction, target), total / 2)
    equal(value("bce:ignore_index=-100,count_ignored=true", prediction, target), total / 4)
    everything = lossctl.evaluate(
        "bce:ignore_index=-100", prediction=prediction, target=[-100] * 4
    ).losses[0]
    assert math.isnan(everything.value)
    assert everything.valueless == 4


def test_thresholds() -> None:
    prediction, target = [0.0, 0.25, 0.5, 1.0], [0, 0, 0, 0]
    found = [value(f"zero_one:threshold={t}", prediction, target) for t in (0, 0.25, 0.5, 1)]
    assert found == [1.0, 0.75, 0.5, 0.25]
    logits = np.array([-math.inf, -2.0, 0.0, math.inf])
    spec = "zero_one:from_logits=true,threshold="
    assert [value(f"{spec}{t}", logits, target) for t in (0, 0.5, 1)] == [1.0, 0.5, 0.25]


def test_a_threshold_is_of_predictions_type() -> None:
    assert value("zero_one:threshold=0.7", np.array([0.7], dtype="float32"), [1]) == 0


def test_hamming_of_one_label_is_zero_one() -> None:
    column, label = PROBABILITIES[:, 0], LABELS[:, 0]
    assert value("hamming", column, label) == value("zero_one", column, label)


def test_one_hot_targets_are_class_ids() -> None:
    ids = RNG.integers(0, 3, 20)
    found = value("zero_one", PROBABILITIES, np.eye(3)[ids])
    assert found == value("zero_one", PROBABILITIES, ids)
    moved = value("zero_one:axis=1", PROBABILITIES.reshape(10, 3, 2), np.ones((10, 3, 2)) * 0 +
                  np.array([1, 0, 0])[None, :, None])  # fmt: skip
    assert moved == np.mean(PROBABILITIES.reshape(10, 3, 2).argmax(1) != 0)


@pytest.mark.parametrize("spec", ["zero_one", "hamming", "hamming:hard=true", "zero_one:hard=true"])
def test_unknown_predictions_are_not_right(spec: str) -> None:
    found = lossctl.evaluate(
        spec, prediction=[1.0, math.nan, 0.0], target=[1.0, 0.0, math.nan], nan="propagate",
        per_sample=True,
    ).losses[0]  # fmt: skip
    assert np.isnan(found.per_sample).tolist() == [False, True, True]


def test_unknown_classes_are_not_right() -> None:
    prediction = [[0.25, math.nan], [math.inf, -math.inf], [0.5, 0.5]]
    for target in ([0.0, 0.0, math.nan], [[1.0, 0.0], [1.0, 0.0], [math.nan, 0.0]]):
        found = lossctl.evaluate(
            "zero_one", prediction=prediction, target=target, nan="propagate", per_sample=True
        ).losses[0]
        assert np.isnan(found.per_sample).tolist() == [True, False, True]


def test_two_classes_are_halved_on_demand() -> None:
    column, label = PROBABILITIES[:, 0], LABELS[:, 0]
    both = np.stack([1 - column, column], axis=1)
    equal(value("brier:halve_two=true", both, label), value("brier", column, label))
    equal(value("brier", both, label), 2 * value("brier", column, label))
    three = np.stack([1 - column, column / 2, column / 2], axis=1)
    equal(value("brier:halve_two=true", three, label), value("brier", three, label))


def test_a_sample_does_not_depend_on_the_others() -> None:
    for spec in ("bce", "binary_focal", "brier:multilabel=true", "hamming", "bce:ignore_index=0"):
        loss, _, tail = spec.partition(":")
        params = dict(item.split("=") for item in tail.split(",") if item)
        kernel = {name: {"true": True}.get(text, text) for name, text in params.items()}
        if "ignore_index" in kernel:
            kernel["ignore_index"] = 0
        one = lossctl.losses.get(loss)
        whole = one(prediction=PROBABILITIES, target=LABELS, **kernel)
        alone = [
            one(prediction=PROBABILITIES[i : i + 1], target=LABELS[i : i + 1], **kernel)[0]
            for i in range(len(LABELS))
        ]
        assert np.array_equal(whole, alone, equal_nan=True)
