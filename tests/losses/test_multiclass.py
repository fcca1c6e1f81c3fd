"""Multi-class classification: refusals, limits and laws."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import lossctl

RNG = np.random.default_rng(5)
LOGITS = RNG.standard_normal((300, 5)) * 2
CHANCES = np.exp(LOGITS) / np.exp(LOGITS).sum(axis=1, keepdims=True)
IDS = RNG.integers(0, 5, 300)
HOT = np.eye(5)[IDS]
SOFT = CHANCES[::-1].copy()
WEIGHTS = "class_weights=[1,2.5,0.75,3,1.25]"

OF_CHANCES = (
    "cross_entropy", "categorical_crossentropy", "sparse_categorical_crossentropy", "perplexity",
    "focal", "focal:activation=sigmoid", "poly1", "generalized_cross_entropy",
    "symmetric_cross_entropy", "rps", "squared_emd",
)  # fmt: skip
OF_SCORES = (
    "categorical_hinge", "crammer_singer", "multi_margin", "multi_margin:p=2",
    "multiclass_perceptron", "sparsemax", "top_k_error", "top_k_error:k=2,ties=last",
)  # fmt: skip
SCORES = arrays.arrays(np.float64, (4, 3), elements=st.floats(-50, 50))


def value(spec: str, prediction: Any, target: Any, **options: Any) -> float:
    return lossctl.evaluate(spec, prediction=prediction, target=target, **options).losses[0].value


def samples(spec: str, prediction: Any, target: Any) -> Any:
    given = {"prediction": prediction, "target": target, "per_sample": True}
    return lossctl.evaluate(spec, **given).losses[0].per_sample


def with_(spec: str, more: str) -> str:
    return f"{spec}{',' if ':' in spec else ':'}{more}"


def equal(found: Any, wanted: Any) -> None:
    assert found == pytest.approx(wanted, rel=1e-12, abs=1e-15)


@pytest.mark.parametrize(
    ("spec", "prediction", "target", "said"),
    [
        ("categorical_crossentropy", [[0.5, 0.5]], [1], "holds class ids; categorical_crossent"),
        ("sparse_categorical_crossentropy", [[0.5, 0.5]], [[0, 1]], "has prediction's shape; spar"),
        ("squared_emd", [[0.5, 0.5]], [1], "holds class ids; squared_emd takes distributions"),
        ("poly1", [[0.5, 0.25]], [1], "prediction sums to 0.75 over its classes"),
        ("rps", [[0.5, 0.25]], [1], "prediction sums to 0.75 over its classes"),
        ("symmetric_cross_entropy", [[0.5, 0.5]], [[0.5, 0.25]], "target sums to 0.75 over its"),
        ("sparsemax", [[0.5, 0.5]], [[-0.5, 1.5]], r"target has -0\.5, below 0"),
        ("crammer_singer", [[1, 2]], [[0.5, 0.5]], "is neither a class id nor one-hot"),
        ("multi_margin", [[1, 2]], [[0.5, 0.5]], "is neither a class id nor one-hot"),
        ("top_k_error", [[1, 2]], [[0.25, 0.75]], "is neither a class id nor one-hot"),
        ("multi_margin", [[1, 2]], [2], "has 2, but prediction has classes 0 to 1"),
        ("multi_margin", [[1, 2]], [-1], "has -1, but prediction has classes 0 to 1"),
        ("sparsemax", [[1, 2]], [0.5], r"has 0\.5, which is no class id"),
        ("rps:first_class=1", [[0.5, 0.5]], [0], "has 0, but the classes count from 1 to 2"),
        ("rps:first_class=1", [[0.5, 0.5]], [3], "has 3, but the classes count from 1 to 2"),
        ("categorical_hinge:" + WEIGHTS, [[1, 2]], [0], "2 classes, but class_weights has 5"),
        ("focal:activation=sigmoid,alpha=[0,1,0]", [[0.5, 0.5]], [0], "2 classes, but alpha has 3"),
        ("cross_entropy", [[[0.5] * 2] * 2], [[[0.5] * 2] * 2], "classes on axis 1 or 2"),
    ],
)
def test_refused_inputs(spec: str, prediction: Any, target: Any, said: str) -> None:
    with pytest.raises(lossctl.DataError, match=said):
        value(spec, prediction, target)


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("focal:activation=sigmoid,alpha=2", "alpha must be ≤ 1, not 2"),
        ("focal:activation=tanh", "activation must be one of softmax, sigmoid"),
        ("multi_margin:p=3", "p must be one of 1, 2"),
        ("multi_margin:margin=-1", "margin must be a number ≥ 0"),
        ("top_k_error:k=0", "k must be a whole number ≥ 1"),
        ("top_k_error:ties=random", "ties must be one of against, first, last"),
        ("generalized_cross_entropy:q=0", "q must be a number > 0 and ≤ 1"),
        ("symmetric_cross_entropy:log_zero=0", "log_zero must be a number < 0"),
        ("cross_entropy:divide_by=rows", "divide_by must be one of weights, count, all, mixed"),
        ("cross_entropy:weigh=all", "weigh must be one of rows, terms"),
        ("rps:first_class=2", "first_class must be one of 0, 1"),
    ],
)
def test_refused_parameters(spec: str, said: str) -> None:
    with pytest.raises(lossctl.SpecError, match=said):
        value(spec, [[0.5, 0.5]], [1])


def test_limits() -> None:
    equal(value("poly1:epsilon=0", CHANCES, IDS), value("cross_entropy", CHANCES, IDS))
    found = value("generalized_cross_entropy:q=1e-9", CHANCES, IDS)
    assert found == pytest.approx(value("cross_entropy", CHANCES, IDS), rel=1e-6)
    equal(value("generalized_cross_entropy:q=1", CHANCES, IDS), 1 - (CHANCES * HOT).sum(1).mean())
    for loss in ("focal:gamma=0", "symmetric_cross_entropy:alpha=1,beta=0"):
        equal(value(loss, CHANCES, SOFT), value("cross_entropy", CHANCES, SOFT))
    equal(value("top_k_error:k=5", LOGITS, IDS), 0)
    equal(value("top_k_error", LOGITS, IDS), (LOGITS.argmax(1) != IDS).mean())
    equal(
        value("crammer_singer:margin=0", LOGITS, IDS), value("multiclass_perceptron", LOGITS, IDS)
    )
    two = LOGITS[:, :2]
    lead = two[:, 1] - two[:, 0]
    equal(value("crammer_singer", two, IDS > 2), value("hinge", lead, np.where(IDS > 2, 1, -1)))
    equal(2 * value("multi_margin", two, IDS > 2), value("crammer_singer", two, IDS > 2))
    sigmoid = value("focal:activation=sigmoid,from_logits=true,class_mean=true", LOGITS, HOT)
    equal(sigmoid, value("binary_focal:from_logits=true", LOGITS, HOT))
    balanced = "alpha=0.25,gamma=1,from_logits=true"
    equal(
        value(f"focal:activation=sigmoid,class_mean=true,{balanced}", LOGITS, HOT),
        value(f"binary_focal:{balanced}", LOGITS, HOT),
    )


def test_sparsemax_is_the_nearest_point_of_the_simplex() -> None:
    equal(value("sparsemax", [[3.0, 2.0, 0.0]], [0]), 0)  # a lead of 1
    equal(value("sparsemax", [[0.0, 0.0]], [[0.5, 0.5]]), 0)
    equal(value("sparsemax", [[7.0, 7.0, 7.0]], [1]), (1 - 1 / 3) / 2)
    far = samples("sparsemax", [[1e8, 0.0], [1e8, 0.0]], [0, 1])
    assert far.tolist() == [0, 1e8]


def test_ranked_scores_know_the_order() -> None:
    near, far = samples("rps", np.eye(4)[[1, 3]], [0, 0])
    assert (near, far) == (1, 3)
    equal(value("rps", CHANCES, HOT), value("squared_emd", CHANCES, HOT))
    equal(value("squared_emd", CHANCES, SOFT), value("squared_emd", SOFT, CHANCES))
    equal(value("rps:first_class=1", CHANCES, IDS + 1), value("rps", CHANCES, IDS))
    ids = np.where(IDS == 2, 0, IDS + 1)
    ignoring = value("rps:first_class=1,ignore_index=0", CHANCES, ids)
    equal(ignoring, value("rps", CHANCES[IDS != 2], IDS[IDS != 2]))
    equal(
        value("rps:first_class=1,ignore_index=0", CHANCES, ids.astype("uint8")),
        value("rps:first_class=1,ignore_index=0", CHANCES, ids.astype("float64")),
    )


def test_ties_are_broken_as_said() -> None:
    given = {"prediction": [[1.0, 1.0, 0.0]] * 2, "target": [0, 1]}
    assert samples("top_k_error", **given).tolist() == [1, 1]
    assert samples("top_k_error:ties=first", **given).tolist() == [0, 1]
    assert samples("top_k_error:ties=last", **given).tolist() == [1, 0]
    assert samples("top_k_error:k=2", **given).tolist() == [0, 0]


@pytest.mark.parametrize("spec", [*OF_CHANCES, *OF_SCORES])
def test_a_sample_does_not_depend_on_its_company(spec: str) -> None:
    dense = spec in ("categorical_crossentropy", "squared_emd")
    target = HOT if dense else IDS
    many = np.concatenate([CHANCES] * 9, axis=1) / 9  # beyond the classes kept class by class
    for prediction, truth in ((CHANCES, target), (many, np.eye(45)[IDS] if dense else IDS)):
        whole = samples(spec, prediction, truth)
        for part in (slice(0, 1), slice(7, 9), slice(10, 300, 3)):
            assert samples(spec, prediction[part], truth[part]).tolist() == whole[part].tolist()


@pytest.mark.parametrize("spec", [*OF_CHANCES, *OF_SCORES])
def test_ids_and_one_hot_are_the_same_target(spec: str) -> None:
    if not spec.endswith("categorical_crossentropy") and spec != "squared_emd":
        for more in ("ignore_index=1", f"ignore_index=1,{WEIGHTS}"):
            if "perplexity" not in spec or "class_weights" not in more:
                full = with_(spec, more)
                equal(value(full, CHANCES, IDS), value(full, CHANCES, HOT))


@pytest.mark.parametrize("spec", ["cross_entropy", "multi_margin", *OF_SCORES, "rps", "focal"])
def test_the_class_axis_may_be_anywhere(spec: str) -> None:
    prediction = CHANCES.reshape(50, 6, 5)
    target = IDS.reshape(50, 6)
    last = value(spec, prediction, target)
    equal(value(spec, np.moveaxis(prediction, -1, 1), target), last)
    equal(value(spec, CHANCES, IDS), last)


@pytest.mark.parametrize("spec", ["crammer_singer", "multi_margin", "sparsemax", "top_k_error"])
def test_nan_spreads_over_its_row_alone(spec: str) -> None:
    prediction = LOGITS[:8].copy()
    prediction[2, IDS[2]] = prediction[4, (IDS[4] + 1) % 5] = np.nan
    for target in (IDS[:8].astype(float), HOT[:8].copy()):
        target[6] = np.nan
        found = lossctl.evaluate(
            spec, prediction=prediction, target=target, nan="propagate", per_sample=True
        ).losses[0]  # fmt: skip
        assert np.flatnonzero(np.isnan(found.per_sample)).tolist() == [2, 4, 6]


def test_what_the_mean_divides_by() -> None:
    weights = np.array([1, 2.5, 0.75, 3, 1.25])
    costs = -np.log((CHANCES * HOT).sum(1))
    own, kept = weights[IDS], IDS != 2

    def mean(more: str, target: Any = IDS) -> float:
        return value(f"cross_entropy:{WEIGHTS},{more}", CHANCES, target)

    equal(mean("ignore_index=2"), (own * costs)[kept].sum() / own[kept].sum())
    equal(mean("ignore_index=2,divide_by=count"), (own * costs)[kept].mean())
    equal(mean("ignore_index=2,divide_by=all"), (own * costs)[kept].sum() / 300)
    equal(mean("weigh=terms,divide_by=mixed"), (own * costs).sum() / own.sum())
    equal(mean("weigh=terms,divide_by=mixed", HOT), (own * costs).mean())
    spread = 0.9 * own * costs - 0.1 / 5 * (weights * np.log(CHANCES)).sum(1)
    smoothed = mean("weigh=terms,label_smoothing=0.1,ignore_index=2")
    equal(smoothed, spread[kept].sum() / own[kept].sum())
    total = value(
        f"cross_entropy:{WEIGHTS},weigh=terms,label_smoothing=0.1", CHANCES, IDS, reduction="sum"
    )
    equal(total, spread.sum())
    none = "cross_entropy:class_weights=[1,0,1,1,1],weigh=terms,label_smoothing=0.1"
    left = IDS != 1  # a class of weight 0, with its own smoothed rows
    equal(value(none, CHANCES, IDS), value(none, CHANCES[left], IDS[left]))


def test_where_everything_is_ignored() -> None:
    given = {"prediction": [[1.0, 2.0], [0.0, 1.0]], "target": [-100, -100]}
    assert math.isnan(value("cross_entropy@torch", **given))
    assert value("cross_entropy@smp:label_smoothing=0.1", **given) == 0
    chances = {"prediction": [[0.5, 0.5]], "target": [7]}
    assert value("sparse_categorical_crossentropy@keras:ignore_index=7", **chances) == 0


def test_all_conventions_at_once() -> None:
    found = lossctl.evaluate("cross_entropy@*", prediction=CHANCES, target=IDS)
    values = [item.value for item in found.losses]
    assert len(values) == 6
    assert values == pytest.approx([values[0]] * 6, rel=1e-6)


@settings(deadline=None, max_examples=30)
@given(scores=SCORES, shift=st.floats(-50, 50))
def test_only_differences_of_scores_count(scores: Any, shift: float) -> None:
    moved = scores + shift
    for loss in ("crammer_singer", "multi_margin", "multiclass_perceptron", "sparsemax"):
        found, wanted = value(loss, moved, [0, 1, 2, 1]), value(loss, scores, [0, 1, 2, 1])
        assert found == pytest.approx(wanted, rel=1e-9, abs=1e-12)


@settings(deadline=None, max_examples=30)
@given(scores=SCORES)
def test_the_margins_are_ordered(scores: Any) -> None:
    """The perceptron is below the hinge of one rival, and that below the sum over all."""
    target = [0, 1, 2, 1]
    behind = samples("multiclass_perceptron", scores, target)
    hinge = samples("crammer_singer", scores, target)
    every = samples("multi_margin", scores, target) * 3
    assert (behind <= hinge).all()
    assert (hinge <= every * (1 + 1e-15) + 1e-15).all()
    sparse = samples("sparsemax", scores, target)
    entropy = samples("cross_entropy:from_logits=true", scores, target)
    assert (behind <= sparse + 0.5 + 1e-12).all()
    assert (sparse <= entropy + 1e-9).all()
