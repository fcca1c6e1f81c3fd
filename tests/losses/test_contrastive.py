"""Contrastive batches: laws, limits and refusals."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lossctl
from lossctl import losses
from lossctl.losses import pairs

LABELLED = ("nt_xent", "supcon", "n_pairs", "multi_similarity", "circle")
PAIRED = ("nt_xent", "info_nce", "n_pairs")
WHOLE = ("barlow_twins", "vicreg")
DIRECTIONAL = ("nt_xent", "supcon", "multi_similarity", "circle")


def embeddings(rows: int = 12, width: int = 5, seed: int = 0) -> Any:
    return np.random.default_rng(seed).standard_normal((rows, width))


def labels(rows: int = 12, count: int = 3) -> Any:
    return np.arange(rows) % count


def result(spec: str, **inputs: Any) -> Any:
    return lossctl.evaluate(spec, **inputs).losses[0]


def views(rows: int = 12) -> dict[str, Any]:
    return {"left": embeddings(rows), "right": embeddings(rows, seed=1)}


def marked(rows: int = 12) -> dict[str, Any]:
    return {"prediction": embeddings(rows), "target": labels(rows)}


@pytest.mark.parametrize("name", LABELLED)
def test_a_batch_is_a_file_of_its_own(name: str) -> None:
    inputs = marked()
    whole = result(f"{name}:batch=5", **inputs, per_sample=True)
    for start, stop in ((0, 5), (5, 10), (10, 12)):
        own = {key: array[start:stop] for key, array in inputs.items()}
        if name != "multi_similarity" and len(set(own["target"])) == len(own["target"]):
            assert np.isnan(whole.per_sample[start:stop]).all()
            continue
        part = result(name, **own, per_sample=True)
        assert whole.per_sample[start:stop] == pytest.approx(
            part.per_sample, rel=1e-12, nan_ok=True
        )


@pytest.mark.parametrize("name", PAIRED + WHOLE)
def test_batches_of_views_count_by_their_rows(name: str) -> None:
    inputs = views(11)
    parts = [
        result(name, **{key: array[start:stop] for key, array in inputs.items()}).value
        for start, stop in ((0, 4), (4, 8), (8, 11))
    ]
    expected = (4 * parts[0] + 4 * parts[1] + 3 * parts[2]) / 11
    assert result(f"{name}:batch=4", **inputs).value == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("name", LABELLED + PAIRED[1:2])
def test_blocks_leave_no_seam(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    inputs = views() if name == "info_nce" else marked()
    whole = result(name, **inputs, per_sample=True).per_sample
    monkeypatch.setattr(pairs, "CELLS", 30)
    blocked = result(name, **inputs, per_sample=True).per_sample
    assert blocked == pytest.approx(whole, rel=1e-12)


@pytest.mark.parametrize("name", LABELLED)
def test_the_order_of_rows_does_not_matter(name: str) -> None:
    inputs = marked()
    order = np.random.default_rng(3).permutation(12)
    turned = {key: array[order] for key, array in inputs.items()}
    straight = result(name, **inputs, per_sample=True)
    assert result(name, **turned).value == pytest.approx(straight.value, rel=1e-12)
    found = result(name, **turned, per_sample=True).per_sample
    assert found == pytest.approx(straight.per_sample[order], rel=1e-12)


@settings(deadline=None, max_examples=20)
@given(scales=st.lists(st.floats(1e-200, 1e200), min_size=6, max_size=6))
@pytest.mark.parametrize("name", DIRECTIONAL)
def test_lengths_do_not_matter(name: str, scales: list[float]) -> None:
    prediction, target = embeddings(6), labels(6, 2)
    plain = result(name, prediction=prediction, target=target).value
    stretched = prediction * np.array(scales)[:, None]
    assert result(name, prediction=stretched, target=target).value == pytest.approx(plain, rel=1e-9)


def test_two_rows_of_each_label_are_two_views() -> None:
    left, right = embeddings(5), embeddings(5, seed=1)
    rows = np.concatenate([left, right])
    ids = np.concatenate([np.arange(5)] * 2)
    by_views = result("nt_xent", left=left, right=right, per_sample=True)
    by_label = result("nt_xent", prediction=rows, target=ids, per_sample=True)
    assert by_views.value == pytest.approx(by_label.value, rel=1e-12)
    both = np.asarray(by_label.per_sample).reshape(2, 5).mean(axis=0)
    assert by_views.per_sample == pytest.approx(both, rel=1e-12)
    # one positive each: the mean over positives is no mean, and the losses are one
    supervised = result("supcon:temperature=0.07", prediction=rows, target=ids)
    assert supervised.value == pytest.approx(by_label.value, rel=1e-12)


def test_the_mean_over_pairs_counts_anchors_by_their_positives() -> None:
    prediction, target = embeddings(6), np.array([0, 0, 0, 0, 1, 1])
    anchors = result("nt_xent", prediction=prediction, target=target, per_sample=True).per_sample
    found = result("nt_xent:average=pairs", prediction=prediction, target=target).value
    assert found == pytest.approx(np.average(anchors, weights=[3, 3, 3, 3, 1, 1]), rel=1e-12)


@pytest.mark.parametrize("name", ["nt_xent", "supcon", "n_pairs", "circle"])
def test_an_anchor_without_a_positive_has_no_value(name: str) -> None:
    target = np.array([0, 0, 1, 2, 2, 2])
    found = result(
        name, prediction=embeddings(6), target=target, per_sample=True, worst=6, by={"g": target}
    )
    assert np.isnan(found.per_sample).tolist() == [False, False, True, False, False, False]
    assert found.summary.n == 5
    assert found.valueless == 1
    assert 2 not in [item.sample for item in found.worst]
    assert found.value == pytest.approx(np.nanmean(found.per_sample), rel=1e-12)


def test_a_row_alone_costs_what_its_negatives_do() -> None:
    found = result("multi_similarity", prediction=embeddings(4), target=[0, 1, 2, 2])
    assert found.summary.n == 4


def test_equal_rows_are_chance() -> None:
    same = np.ones((8, 3))
    assert result("info_nce", left=same, right=same).value == pytest.approx(math.log(8), rel=1e-12)
    assert result("nt_xent", left=same, right=same).value == pytest.approx(math.log(15), rel=1e-12)
    found = result("supcon", prediction=same, target=[0, 0, 0, 0, 1, 1, 1, 1])
    assert found.value == pytest.approx(math.log(7), rel=1e-12)


def test_small_losses_keep_their_digits() -> None:
    left = np.array([[1.0, 0.0], [-1.0, 0.0]])
    found = result("info_nce:temperature=0.05", left=left, right=left).value
    assert found == pytest.approx(math.log1p(math.exp(-40)), rel=1e-12)
    found = result("supcon:temperature=0.05", prediction=np.repeat(left, 2, 0), target=[0, 0, 1, 1])
    assert found.value == pytest.approx(math.log1p(2 * math.exp(-40)), rel=1e-12)


def test_large_products_stay_finite() -> None:
    left = np.array([[100.0, 0.0], [0.0, 100.0]])
    assert result("n_pairs", left=left, right=-left).value == pytest.approx(1e4, rel=1e-12)


def test_barlow_twins_of_uncorrelated_features_is_0() -> None:
    view = np.array([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
    assert result("barlow_twins", left=view, right=3 * view + 5).value == 0
    swapped = result("barlow_twins", left=view, right=-view).value
    assert swapped == pytest.approx(8, rel=1e-12)


def test_a_constant_feature_has_no_correlation() -> None:
    view = np.array([[0.1, 1.0], [0.1, 2.0], [0.1, 4.0]])
    assert result("barlow_twins", left=view, right=view).value == pytest.approx(1, rel=1e-12)


def test_vicreg_of_one_row_has_no_value() -> None:
    assert math.isnan(result("vicreg", left=[[1.0, 2.0]], right=[[1.0, 2.0]]).value)


def test_vicreg_is_its_three_terms() -> None:
    inputs = views()

    def only(**weights: float) -> float:
        named = {"invariance": 0, "variance": 0, "covariance": 0, **weights}
        text = ",".join(f"{name}={value}" for name, value in named.items())
        return float(result(f"vicreg:{text}", **inputs).value)

    total = 25 * only(invariance=1) + 25 * only(variance=1) + only(covariance=1)
    assert result("vicreg", **inputs).value == pytest.approx(total, rel=1e-12)
    apart = np.square(inputs["left"] - inputs["right"]).sum(axis=1).mean()
    assert only(invariance=1) == pytest.approx(apart, rel=1e-12)
    scaled = result("vicreg:variance=0,covariance=0,per_feature=true", **inputs).value
    assert scaled == pytest.approx(25 * apart / 5, rel=1e-12)


@pytest.mark.parametrize("name", WHOLE)
def test_groups_are_their_rows_and_weights_are_refused(name: str) -> None:
    inputs, group = views(), np.arange(12) % 2
    found = result(name, **inputs, by={"g": group})
    for item in found.groups:
        own = {key: array[group == item.group["g"]] for key, array in inputs.items()}
        assert item.summary.value == pytest.approx(result(name, **own).value, rel=1e-12)
    with pytest.raises(lossctl.UsageError, match="weight"):
        result(name, **inputs, weight=np.ones(12))


def test_views_and_labels_do_not_go_together() -> None:
    with pytest.raises(lossctl.LossctlError):
        result("nt_xent", left=embeddings(3))
    with pytest.raises(lossctl.SpecError, match="batch must be a whole number ≥ 1"):
        result("info_nce:batch=0", **views())
    with pytest.raises(lossctl.SpecError, match="temperature must be a number > 0"):
        result("supcon:temperature=0", **marked())


def test_every_batch_loss_says_what_it_holds() -> None:
    for loss in losses.all():
        if loss.task == "contrastive":
            assert loss.whole
            assert loss.memory
