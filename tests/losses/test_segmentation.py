"""Segmentation: refusals, limits and laws."""

from __future__ import annotations

import math
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import lossctl

RNG = np.random.default_rng(7)
MASK = RNG.random((6, 5, 4))
TRUTH = RNG.integers(0, 2, (6, 5, 4))
RAW = RNG.random((6, 3, 5, 4))
CLASSES = RAW / RAW.sum(axis=1, keepdims=True)
IDS = RNG.integers(0, 3, (6, 5, 4))
ONE_HOT = np.moveaxis(np.eye(3)[IDS], -1, 1)
ROW = ("row", [[0.5, 0.25]], [[1, 0]])


def evaluate(spec: str, prediction: Any, target: Any, **options: Any) -> Any:
    return lossctl.evaluate(spec, prediction=prediction, target=target, **options).losses[0]


def value(spec: str, prediction: Any, target: Any, **options: Any) -> float:
    return float(evaluate(spec, prediction, target, **options).value)


def equal(found: float, wanted: float, rel: float = 1e-13) -> None:
    assert found == pytest.approx(wanted, rel=rel, abs=1e-15)


# ---- refusals ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "prediction", "target", "said"),
    [
        ("dice_ce", MASK, TRUTH, "one mask for each sample.*use dice_bce"),
        ("dice_ce", CLASSES[:, :1], IDS * 0, "use dice_bce"),
        ("dice_bce", MASK, TRUTH + 1, "has 2, neither 0 nor 1"),
        ("dice_focal:alpha=[1,2]", CLASSES, IDS, "3 classes, but alpha has 2"),
        ("hausdorff_dt", [0.5, 0.25], [1, 0], "no pixels between which to measure"),
        ("boundary", CLASSES, IDS + 1, "classes 0 to 2"),
        ("hausdorff_dt", MASK, TRUTH / 2, "neither 0 nor 1"),
        ("unet_weighted_ce", CLASSES, ONE_HOT, "do not fit|no map of class ids"),
        ("unet_weighted_ce", CLASSES[..., 0, 0], IDS[:, 0, 0], "no map of class ids"),
        ("unet_weighted_ce:class_weights=[1,2]", CLASSES, IDS, "class_weights has 2"),
        ("generalized_dice:ignore_index=1,axis=1", CLASSES, ONE_HOT, "is no class"),
        ("dice", MASK, TRUTH * 255, "divide masks of 0 and 255 by 255"),
        ("dice", MASK, TRUTH + 0.5, "outside \\[0, 1\\]"),
        ("lovasz_softmax", MASK, TRUTH, "for one mask use lovasz_hinge"),
    ],
)
def test_refusals(spec: str, prediction: Any, target: Any, said: str) -> None:
    with pytest.raises(lossctl.DataError, match=f"(?s){said}"):
        value(spec, prediction, target)


@pytest.mark.parametrize("number", [-1, 0.5])
def test_objects_are_numbered(number: float) -> None:
    instances = np.full(IDS.shape, number)
    with pytest.raises(lossctl.DataError, match="numbers no object"):
        value("unet_weighted_ce", CLASSES, IDS, instances=instances)


def test_distances_need_scipy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scipy.ndimage", None)
    with pytest.raises(lossctl.LossctlError, match="boundary needs scipy"):
        value("boundary", MASK, TRUTH)


# ---- losses of the overlap ---------------------------------------------------------------


def test_what_a_class_that_is_absent_costs() -> None:
    prediction = [[[[1.0, 0.5]], [[0.0, 0.5]]]]
    ids = [[[0, 0]]]
    of_zero = 1 - 3 / 3.5
    equal(value("dice", prediction, ids), (of_zero + 1) / 2)
    equal(value("dice:absent=zero", prediction, ids), of_zero / 2)
    equal(value("dice:absent=skip", prediction, ids), of_zero)
    equal(value("dice:background=false", prediction, ids), 1)
    equal(value("dice:absent=zero,over=dataset", prediction, ids), of_zero / 2)
    found = evaluate("dice:absent=skip,background=false", prediction, ids, per_sample=True)
    assert math.isnan(found.per_sample[0])
    assert found.valueless == 1


def test_where_everything_is_ignored_the_overlap_has_no_value() -> None:
    ids = np.full((6, 5, 4), 9)
    for spec in ("dice", "jaccard", "generalized_dice", "dice_ce", "dice_focal", "dice_bce",
                 "dice:over=dataset", "generalized_dice:over=dataset",
                 "unet_weighted_ce"):  # fmt: skip
        joint = "," if ":" in spec else ":"
        assert math.isnan(value(f"{spec}{joint}ignore_index=9", CLASSES, ids)), spec


def test_ignored_pixels_do_not_count() -> None:
    ids = IDS.copy()
    ids[:, 4:] = 9
    for name in ("dice", "jaccard", "generalized_dice", "mcc_loss", "dice_ce", "dice_bce",
                 "dice_focal"):  # fmt: skip
        found = value(f"{name}:ignore_index=9", CLASSES, ids)
        equal(found, value(name, CLASSES[:, :, :4], IDS[:, :4]))


def test_tversky_between_dice_and_jaccard() -> None:
    equal(value("tversky", MASK, TRUTH), value("dice", MASK, TRUTH))
    equal(value("tversky:alpha=1,beta=1", MASK, TRUTH), value("jaccard", MASK, TRUTH))
    swapped = value("tversky:alpha=0.3,beta=0.7,alpha_weighs=false_negatives", MASK, TRUTH)
    equal(swapped, value("tversky:alpha=0.7,beta=0.3", MASK, TRUTH))


def test_masks_that_overlap_go_through_the_sigmoid() -> None:
    logits = 3 * RNG.standard_normal((6, 3, 5, 4))
    truth = RNG.integers(0, 2, logits.shape)
    p = 1 / (1 + np.exp(-logits))
    found = value("dice:from_logits=true,multilabel=true,axis=1", logits, truth)
    equal(found, value("dice:axis=1", p, truth), rel=1e-12)
    found = value("dice_bce:from_logits=true,axis=1", logits, truth)
    equal(found, value("dice_bce:axis=1", p, truth), rel=1e-12)


@settings(deadline=None, max_examples=40)
@given(y=arrays(float, (1, 6), elements=st.floats(0, 1, width=16)))
def test_the_minimum_reaches_a_soft_target(y: Any) -> None:
    for name in ("dice", "jaccard", "tversky"):
        assert value(f"{name}:intersection=minimum", y, y) == 0
        assert value(name, y, y) >= -1e-15


def test_generalized_dice_knows_its_limits() -> None:
    one = value("generalized_dice", MASK, TRUTH)
    for weights in ("simple", "uniform"):
        equal(value(f"generalized_dice:weights={weights}", MASK, TRUTH), one)
    equal(one, value("dice", MASK, TRUTH))  # with one mask the weights cancel
    uniform = value("generalized_dice:weights=uniform", CLASSES, IDS)
    equal(uniform, value("dice:average=micro", CLASSES, IDS))
    equal(
        value("generalized_dice:weights=uniform,combine=mean", CLASSES, IDS),
        value("dice", CLASSES, IDS),
    )
    nothing = np.zeros((2, 4), int)
    assert value("generalized_dice", MASK[:2, 0], nothing) == 1
    assert value("generalized_dice:none_present=zero", MASK[:2, 0], nothing) == 0
    assert value("generalized_dice", nothing, nothing) == 0


def test_generalized_dice_over_the_data_set() -> None:
    found = evaluate("generalized_dice:over=dataset", CLASSES, IDS, per_sample=True)
    pooled = np.moveaxis(CLASSES, 0, 1).reshape(1, 3, -1)
    equal(found.value, value("generalized_dice", pooled, IDS.reshape(1, -1)))
    alone = evaluate("generalized_dice", CLASSES, IDS, per_sample=True)
    assert found.per_sample == pytest.approx(alone.per_sample, rel=1e-13)


def test_lovasz_of_one_image_has_one_number() -> None:
    found = value("lovasz_softmax:per_image=false", CLASSES, IDS)
    pooled = np.moveaxis(CLASSES, 0, 1).reshape(1, 3, -1)
    equal(found, value("lovasz_softmax", pooled, IDS.reshape(1, -1)))
    with pytest.raises(lossctl.UsageError, match="one number of all rows"):
        evaluate("lovasz_softmax:per_image=false", CLASSES, IDS, per_sample=True)


# ---- sums --------------------------------------------------------------------------------


def test_sums_are_the_sums_of_their_parts() -> None:
    for spec, parts, prediction, target in (
        ("dice_bce", "dice+bce", MASK, TRUTH),
        ("dice_ce", "dice+cross_entropy", CLASSES, IDS),
        ("dice_ce:label_smoothing=0.2", "dice+cross_entropy:label_smoothing=0.2", CLASSES, IDS),
        ("dice_focal", "dice+focal", CLASSES, IDS),
        ("dice_focal:gamma=0.5", "dice+binary_focal:gamma=0.5", MASK, TRUTH),
        ("dice_focal:gamma=0", "dice+bce", MASK, TRUTH),
    ):
        found = evaluate(spec, prediction, target, per_sample=True)
        wanted = evaluate(parts, prediction, target, per_sample=True)
        assert found.per_sample == pytest.approx(wanted.per_sample, rel=1e-13), spec
    one = value("dice_focal:one_vs_rest=true,axis=1", CLASSES, ONE_HOT)
    equal(one, value("dice:axis=1", CLASSES, ONE_HOT) + value("binary_focal", CLASSES, ONE_HOT))


def test_far_logits_are_finite() -> None:
    logits = np.where(TRUTH == 1, -1e4, 1e4)
    equal(value("dice_bce:from_logits=true", logits, TRUTH), 1 + 1e4)
    both = np.stack([-logits, logits], axis=1)
    equal(value("dice_ce:from_logits=true", both, TRUTH), 1 + 2e4)
    assert value("dice_bce:from_logits=true", -logits, TRUTH) == 0


# ---- distances ---------------------------------------------------------------------------


def test_a_pixel_far_away_costs_its_distance() -> None:
    target = np.zeros((1, 9, 9))
    target[0, 4, 4] = 1
    prediction = target.copy()
    prediction[0, 4, 8] = 1
    # 4 from the true mask, 1 from the edge of its own
    equal(value("hausdorff_dt", prediction, target), (4**2 + 1) / 81)
    equal(value("hausdorff_dt:alpha=1", prediction, target), (4 + 1) / 81)
    equal(value("boundary", prediction, target), 4 / 81)
    assert value("hausdorff_dt", target, target) == 0
    assert value("boundary", target, target) == 0


def test_a_mask_without_a_boundary_has_no_distances() -> None:
    full, none = np.ones((1, 4, 4)), np.zeros((1, 4, 4))
    for target in (full, none):
        assert value("boundary", MASK[:1, :4], target) == 0
        assert value("hausdorff_dt", 1 - target, target) == 0


def test_the_square_is_turned_and_mirrored_freely() -> None:
    for name in ("hausdorff_dt", "boundary"):
        plain = value(name, MASK, TRUTH)
        equal(value(name, MASK[:, ::-1], TRUTH[:, ::-1]), plain)
        equal(value(name, MASK.swapaxes(1, 2), TRUTH.swapaxes(1, 2)), plain)


@pytest.mark.parametrize("name", ["hausdorff_dt", "boundary", "unet_weighted_ce"])
def test_a_sample_knows_nothing_of_the_others(name: str) -> None:
    found = evaluate(name, CLASSES, IDS, per_sample=True).per_sample
    for at in range(len(IDS)):
        one = slice(at, at + 1)
        assert found[at] == evaluate(name, CLASSES[one], IDS[one]).value


def gap(width: int, **params: Any) -> float:
    """The mean weight of two objects with a gap between them, at p = 1/e."""
    target = np.array([[1, *[0] * width, 1]])
    share = math.exp(-1)
    prediction = np.stack([np.where(target == 1, 1 - share, share)] * 2, axis=1)
    prediction[:, 1] = 1 - prediction[:, 0]
    spec = "".join(f",{key}={number}" for key, number in params.items())
    return value(f"unet_weighted_ce:axis=1{spec}", prediction, target) * (width + 2)


def test_gaps_between_objects_weigh() -> None:
    equal(gap(1), 3 + 10 * math.exp(-4 / 50))
    equal(gap(1, w0=3, sigma=1), 3 + 3 * math.exp(-2))
    equal(gap(2), 4 + 20 * math.exp(-9 / 50))
    assert gap(1, w0=0) == pytest.approx(3)
    equal(gap(1, class_weights="[2,5]"), 2 + 10 + 10 * math.exp(-4 / 50))


def test_without_gaps_it_is_the_cross_entropy() -> None:
    plain = value("cross_entropy", CLASSES, IDS)
    equal(value("unet_weighted_ce:w0=0", CLASSES, IDS), plain)
    one = np.where(IDS > 0, 5, 0)  # one object, in however many pieces
    equal(value("unet_weighted_ce", CLASSES, IDS, instances=one), plain)
    assert value("unet_weighted_ce", CLASSES, IDS, instances=one * IDS) > plain


def test_the_objects_numbers_are_names() -> None:
    instances = IDS.copy()
    wanted = value("unet_weighted_ce", CLASSES, IDS, instances=instances)
    renamed = np.where(instances == 1, 900, instances) + 0.0
    equal(value("unet_weighted_ce", CLASSES, IDS, instances=renamed), wanted)
