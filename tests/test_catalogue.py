"""Every name that the field knows a loss by, and every page that speaks of losses."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lossctl import losses
from lossctl.losses.traits import TRAITS

DOCS = Path(__file__).parent.parent / "lossctl" / "docs"

_LISTED = """
mse l2 mean_squared_error rmse mae l1 mean_absolute_error huber smooth_l1 log_cosh pinball quantile
mape smape msle rmsle wape wmape nmse expectile epsilon_insensitive squared_epsilon_insensitive
charbonnier tukey_biweight barron tweedie_deviance poisson_deviance gamma_deviance
median_absolute_error max_error mase rmsse
poisson poisson_nll gaussian_nll laplace_nll student_t_nll negative_binomial_nll crps_gaussian
crps_ensemble energy_score interval_score weighted_interval_score
bce binary_crossentropy log_loss weighted_bce wce balanced_bce binary_focal sigmoid_focal hinge
squared_hinge logistic soft_margin exponential modified_huber perceptron brier zero_one hamming
cross_entropy categorical_crossentropy cce sparse_categorical_crossentropy scce
pixel_cross_entropy nll perplexity focal poly1 generalized_cross_entropy symmetric_cross_entropy
categorical_hinge crammer_singer multi_margin multiclass_perceptron sparsemax top_k_error rps
squared_emd multilabel_margin multilabel_soft_margin asymmetric label_ranking coverage_error
kl_divergence reverse_kl js_divergence jeffreys hellinger total_variation_distance chi_squared
bhattacharyya renyi wasserstein emd wasserstein_samples energy_distance mmd_rbf
cosine_proximity cosine_similarity cosine_distance contrastive triplet margin_ranking
cosine_embedding hinge_embedding nt_xent info_nce supcon n_pairs multi_similarity circle
barlow_twins vicreg
ranknet pairwise_hinge bpr listnet ranking_softmax listmle ndcg_loss approx_ndcg
dice jaccard iou tversky focal_tversky generalized_dice lovasz_hinge lovasz_softmax mcc_loss
dice_bce dice_ce dice_focal unet_weighted_ce hausdorff_dt boundary
iou_box giou diou ciou
total_variation perceptual ssim ms_ssim psnr style_gram gradient_difference
gan_discriminator gan_generator lsgan_discriminator lsgan_generator wasserstein_critic
wgan_generator hinge_discriminator hinge_generator
ctc dtw soft_dtw
quantum_cross_entropy quantum_relative_entropy infidelity trace_distance
bradley_terry dpo
cox_ph
"""
NAMES = _LISTED.split()


@pytest.mark.parametrize("name", NAMES)
def test_the_name_finds_a_loss(name: str) -> None:
    found = losses.get(name)
    assert name == found.name or name in found.aliases


def test_traits_are_of_one_vocabulary() -> None:
    used = {trait for item in losses.all() for trait in item.traits}
    assert used <= set(TRAITS), used - set(TRAITS)
    assert set(TRAITS) <= used, "a trait that no loss has helps nobody"


@pytest.mark.parametrize("page", sorted(DOCS.glob("*.md")), ids=lambda path: path.stem)
def test_pages_name_losses_that_there_are(page: Path) -> None:
    if page.stem != "choosing":
        return
    words = re.findall(r"`([a-z][a-z0-9_]*)`", page.read_text("utf-8"))
    assert words
    for word in words:
        assert losses.get(word)


def test_the_guide_speaks_of_every_kind_of_task() -> None:
    text = (DOCS / "choosing.md").read_text("utf-8")
    named = {losses.get(word).task for word in re.findall(r"`([a-z][a-z0-9_]*)`", text)}
    unspoken = {"adversarial", "quantum", "preference"}  # one does not choose there
    assert named | unspoken >= {item.task for item in losses.all()}
