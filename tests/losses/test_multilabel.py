"""Multi-label classification: refusals, limits and laws."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lossctl

RNG = np.random.default_rng(6)
SCORES = RNG.standard_normal((200, 6)) * 2
CHANCES = 1 / (1 + np.exp(-SCORES))
LABELS = (RNG.random((200, 6)) < 0.4).astype(int)
OF_SCORES = ("multilabel_margin", "label_ranking", "coverage_error", "multilabel_soft_margin")


def value(spec: str, prediction: Any, target: Any) -> float:
    return lossctl.evaluate(spec, prediction=prediction, target=target).losses[0].value


def samples(spec: str, prediction: Any, target: Any, **options: Any) -> Any:
    given = {"prediction": prediction, "target": target, "per_sample": True}
    return lossctl.evaluate(spec, **given, **options).losses[0].per_sample


def equal(found: float, wanted: float) -> None:
    assert found == pytest.approx(wanted, rel=1e-12, abs=1e-15)


@pytest.mark.parametrize(
    ("spec", "prediction", "target", "said"),
    [
        ("multilabel_margin", [[0.5, 2.0]], [[0.5, 1]], r"target has 0\.5.*neither 0 nor 1"),
        ("label_ranking", [[0.5, 2.0]], [[2, 1]], "target has 2.*neither 0 nor 1"),
        ("coverage_error", [[0.5, 2.0]], [[-1, 1]], "target has -1.*neither 0 nor 1"),
        ("coverage_error", [[0.5, 2.0]], [1], "do not fit"),
        ("multilabel_soft_margin", [[0.5, 2.0]], [[2, 1]], r"target has 2.*outside \[0, 1\]"),
        ("asymmetric", [[0.5, 2.0]], [[0, 1]], r"prediction has 2.*outside \[0, 1\]"),
    ],
)
def test_refused_inputs(spec: str, prediction: Any, target: Any, said: str) -> None:
    with pytest.raises(lossctl.DataError, match=said):
        value(spec, prediction, target)


def test_limits() -> None:
    plain = "asymmetric:gamma_neg=0,gamma_pos=0,clip=0"
    equal(value(plain, CHANCES, LABELS), value("bce", CHANCES, LABELS))
    logits = f"{plain},from_logits=true"
    equal(value(logits, SCORES, LABELS), value("bce:from_logits=true", SCORES, LABELS))
    even = "asymmetric:gamma_neg=2,gamma_pos=2,clip=0"
    equal(value(even, CHANCES, LABELS), value("binary_focal", CHANCES, LABELS))
    equal(
        value("multilabel_soft_margin", SCORES, LABELS),
        value("bce:from_logits=true", SCORES, LABELS),
    )
    one = np.eye(6, dtype=int)[LABELS.argmax(1)]
    equal(value("multilabel_margin", SCORES, one), value("multi_margin", SCORES, one))
    equal(value("coverage_error", [[3.0, 2.0, 1.0]], [[1, 1, 0]]), 2)


def test_asymmetric_forgives_up_to_its_margin() -> None:
    assert value("asymmetric", [[0.05, 0.0, 0.01]], [[0, 0, 0]]) == 0
    assert value("asymmetric:from_logits=true,clip=0,gamma_neg=0", [[1e4]], [[0]]) == 1e4


@pytest.mark.parametrize("spec", ["multilabel_margin", "label_ranking", "coverage_error"])
def test_where_all_labels_hold_or_none(spec: str) -> None:
    found = samples(spec, [[1.0, 2.0], [1.0, 2.0]], [[0, 0], [1, 1]])
    assert found.tolist() == [0, 2 if spec == "coverage_error" else 0]


@pytest.mark.parametrize("spec", [*OF_SCORES, "asymmetric:from_logits=true"])
def test_a_sample_does_not_depend_on_its_company(spec: str) -> None:
    for scores, labels in ((SCORES, LABELS), (np.tile(SCORES, 7), np.tile(LABELS, 7))):
        whole = samples(spec, scores, labels)
        for part in (slice(0, 1), slice(7, 9), slice(10, 200, 3)):
            assert samples(spec, scores[part], labels[part]).tolist() == whole[part].tolist()


@pytest.mark.parametrize("spec", OF_SCORES)
def test_nan_spreads_over_its_row_alone(spec: str) -> None:
    scores, labels = SCORES[:6].copy(), LABELS[:6].astype(float)
    scores[1, 0] = labels[4, 2] = np.nan
    found = samples(spec, scores, labels, nan="propagate")
    assert np.flatnonzero(np.isnan(found)).tolist() == [1, 4]


def test_ranking_losses_by_their_definition() -> None:
    scores = np.round(SCORES)  # with ties
    ranking, coverage = (
        samples("label_ranking", scores, LABELS),
        samples("coverage_error", scores, LABELS),
    )
    for z, y, rank, cover in zip(scores, LABELS, ranking, coverage, strict=True):
        held, others = z[y == 1], z[y == 0]
        if len(held) and len(others):
            assert rank == pytest.approx((held[:, None] <= others).mean(), rel=1e-15)
        assert cover == (sum(z >= held.min()) if len(held) else 0)
