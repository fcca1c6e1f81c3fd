"""Every loss against numbers that other programs computed.

``reference/freeze.py`` made ``reference/frozen/*.json`` with the libraries and at 50 digits; here
the inputs are rebuilt from their keys and lossctl has to give the same numbers.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.reference.compare import FROZEN, agree, frozen, inputs_of
from tests.reference.inputs import digest

CASES = frozen(FROZEN)

# The losses that have to be right before anything else is, and their nearest relatives.
REQUIRED = """
    mse rmse mae huber smooth_l1 log_cosh pinball mape smape msle rmsle
    poisson gaussian_nll
    bce weighted_bce balanced_bce binary_focal hinge squared_hinge brier
    cross_entropy categorical_crossentropy sparse_categorical_crossentropy pixel_cross_entropy
    nll perplexity focal
    kl_divergence reverse_kl js_divergence jeffreys hellinger total_variation_distance chi_squared
    bhattacharyya renyi wasserstein
    cosine_proximity cosine_distance contrastive triplet margin_ranking
    dice jaccard tversky focal_tversky lovasz_hinge lovasz_softmax mcc_loss
    total_variation perceptual
    gan_discriminator gan_generator lsgan_discriminator lsgan_generator wasserstein_critic
    wgan_generator hinge_discriminator hinge_generator
    ctc
    quantum_cross_entropy quantum_relative_entropy infidelity trace_distance
"""
# The mean over real plus the mean over fake: samples that do not pair have no values of their own.
UNPAIRED = {"gan_discriminator", "lsgan_discriminator", "wasserstein_critic", "hinge_discriminator"}


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_value(case: dict[str, Any]) -> None:
    import lossctl

    inputs = inputs_of(case)
    assert digest(inputs) == case["digest"], "the inputs are not those that were frozen"
    report = lossctl.evaluate(
        case["spec"], **inputs, reduction=case["reduction"], per_sample="per_sample" in case
    )
    loss = report.losses[0]
    agree(loss.value, case["value"], case["rtol"])
    if "per_sample" in case:
        agree(loss.per_sample, case["per_sample"], case["rtol"])


@pytest.mark.parametrize("name", REQUIRED.split())
def test_required_loss_has_a_reference(name: str) -> None:
    import lossctl

    assert name in {loss.name for loss in lossctl.losses.all()}
    cases = [case for case in CASES if case["loss"] == name and case["rtol"] == 1e-12]
    assert any("per_sample" in case or name in UNPAIRED for case in cases)


def test_frozen_names_are_registered() -> None:
    import lossctl

    registered = {loss.name for loss in lossctl.losses.all()}
    assert {case["loss"] for case in CASES} <= registered
