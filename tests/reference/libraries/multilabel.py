"""Multi-label classification: by the libraries' own calls."""

from __future__ import annotations

import numpy as np
import torch.nn.functional as F
from sklearn.metrics import coverage_error, label_ranking_loss

from tests.reference.libraries import Answer, Array, Arrays, Library, Params, both, tensor


def listed(target: Array) -> Array:
    """For each row the labels that hold, then −1."""
    order = np.argsort(target != 1, axis=-1, kind="stable")
    return np.where(np.take_along_axis(target, order, axis=-1) == 1, order, -1)


def margin(inputs: Arrays, params: Params) -> Answer:
    p, y = tensor(inputs["prediction"]), tensor(listed(inputs["target"])).long()
    elements = F.multilabel_margin_loss(p, y, reduction="none")
    return Answer("torch.nn.functional.multilabel_margin_loss", elements.numpy())


def soft_margin(inputs: Arrays, params: Params) -> Answer:
    elements = F.multilabel_soft_margin_loss(*both(inputs), reduction="none")
    return Answer("torch.nn.functional.multilabel_soft_margin_loss", elements.numpy())


def ranking(inputs: Arrays, params: Params) -> Answer:
    rows = zip(inputs["target"].astype(int), inputs["prediction"].astype(float), strict=True)
    elements = [label_ranking_loss(y[None], p[None]) for y, p in rows]
    return Answer("sklearn.metrics.label_ranking_loss", np.array(elements))


def coverage(inputs: Arrays, params: Params) -> Answer:
    rows = zip(inputs["target"].astype(int), inputs["prediction"].astype(float), strict=True)
    elements = [coverage_error(y[None], p[None]) for y, p in rows]
    return Answer("sklearn.metrics.coverage_error", np.array(elements))


LIBRARIES: dict[str, Library] = {
    "multilabel_margin": margin,
    "multilabel_soft_margin": soft_margin,
    "label_ranking": ranking,
    "coverage_error": coverage,
}
