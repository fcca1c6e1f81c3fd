"""Binary classification: by the libraries' own calls."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
import optax
import sklearn.metrics
import torch
import torch.nn.functional as F
from sklearn._loss.loss import ExponentialLoss
from sklearn.linear_model._sgd_fast import ModifiedHuber

from tests.reference.libraries import (
    KERAS,
    Answer,
    Array,
    Arrays,
    Library,
    Params,
    both,
    entropy,
)


def smoothed(y: torch.Tensor, params: Params) -> torch.Tensor:
    smoothing = params.get("label_smoothing", 0.0)
    other = 1 - y if params.get("smoothing_to") == "other" else 0.5
    return (1 - smoothing) * y + smoothing * other


def bce(inputs: Arrays, params: Params) -> Answer | None:
    if "ignore_index" in params:
        return None
    p, y = both(inputs)
    y = smoothed(y, params)
    from_logits = params.get("from_logits", False)
    if "pos_weight" in params:
        if not from_logits:
            return None
        weight = torch.tensor(float(params["pos_weight"]), dtype=torch.float64)
        loss = F.binary_cross_entropy_with_logits(p, y, pos_weight=weight, reduction="none")
        return Answer("torch.nn.functional.binary_cross_entropy_with_logits", loss.numpy())
    clip = params.get("clip", 0)
    name, loss = entropy(p.clip(clip, 1 - clip) if clip else p, y, from_logits)
    return Answer(name, loss.numpy())


def weighted_entropy(
    positive: Callable[[float], float], negative: Callable[[float], float]
) -> Library:
    """torch's cross entropy with its weight argument: for hard targets."""

    def call(inputs: Arrays, params: Params) -> Answer | None:
        p, y = both(inputs)
        if torch.any((y != 0) & (y != 1)):
            return None
        beta = params["beta"]
        weight = torch.where(y == 1, *(y.new_tensor(f(beta)) for f in (positive, negative)))
        name = "binary_cross_entropy" + ("_with_logits" if params.get("from_logits") else "")
        loss = getattr(F, name)(p, y, weight=weight, reduction="none")
        return Answer(f"torch.nn.functional.{name}", loss.numpy())

    return call


def binary_focal(inputs: Arrays, params: Params) -> Answer | None:
    gamma, alpha = float(params.get("gamma", 2)), params.get("alpha")
    if "p_t" in params:
        return None
    if params.get("from_logits"):
        z, y = (inputs[name].astype(float) for name in ("prediction", "target"))
        loss = optax.losses.sigmoid_focal_loss(z, y, alpha=alpha, gamma=gamma)
        return Answer("optax.losses.sigmoid_focal_loss", np.asarray(loss), accuracy=1e-11)
    p, y = both(inputs)
    loss = keras.losses.binary_focal_crossentropy(
        y[..., None],
        p[..., None],
        apply_class_balancing=alpha is not None,
        alpha=alpha or 0.25,
        gamma=gamma,
    )
    return Answer("keras.losses.binary_focal_crossentropy", loss.numpy(), accuracy=KERAS)


def labels(y: torch.Tensor, params: Params) -> torch.Tensor:
    return torch.where(y > 0, 1.0, -1.0).double() if params.get("map_labels", True) else y


def hinge(inputs: Arrays, params: Params) -> Answer | None:
    p, y = both(inputs)
    y = labels(y, params)
    margin = float(params.get("margin", 1))
    loss = F.margin_ranking_loss(p, torch.zeros_like(p), y, margin=margin, reduction="none")
    return Answer("torch.nn.functional.margin_ranking_loss", loss.numpy())


def squared_hinge(inputs: Arrays, params: Params) -> Answer | None:
    if "margin" in params or "map_labels" in params:
        return None
    p, y = both(inputs)
    loss = keras.losses.squared_hinge(y[..., None], p[..., None])
    return Answer("keras.losses.squared_hinge", loss.numpy(), accuracy=KERAS)


def brier(inputs: Arrays, params: Params) -> Answer | None:
    p, y = inputs["prediction"].astype(float), inputs["target"]
    if params:
        return None
    if y.ndim == 2 and np.any((y != 0) & (y != 1)):
        return None
    if y.ndim == 2:
        y = y.argmax(1)
    elif p.ndim == 1 and np.any((y != 0) & (y != 1)):
        return None
    labels = list(range(p.shape[1])) if p.ndim == 2 else [0, 1]
    total = p.sum(axis=1) if p.ndim == 2 else np.ones(1)
    if np.any(abs(total - 1) > 1e-9):
        return None
    value = sklearn.metrics.brier_score_loss(
        y.astype(int), p, labels=labels, scale_by_half=False if p.ndim == 2 else "auto"
    )
    return Answer("sklearn.metrics.brier_score_loss", mean=float(value))


def logistic(inputs: Arrays, params: Params) -> Answer | None:
    p, y = both(inputs)
    if p.abs().max() > 700:  # it overflows
        return None
    loss = F.soft_margin_loss(p, labels(y, params), reduction="none")
    return Answer("torch.nn.functional.soft_margin_loss", loss.numpy(), accuracy=1e-11)


def exponential(inputs: Arrays, params: Params) -> Answer | None:
    if "map_labels" in params or np.abs(inputs["prediction"]).max() > 700:
        return None  # it has no labels but {0, 1}, and 0·∞ beyond
    p, y = (tensor.numpy().reshape(-1) for tensor in both(inputs))
    loss = ExponentialLoss().loss(y_true=(y > 0).astype(float), raw_prediction=p)
    return Answer("sklearn._loss.loss.ExponentialLoss", loss.reshape(inputs["target"].shape))


def modified_huber(inputs: Arrays, params: Params) -> Answer:
    p, y = both(inputs)
    loss = ModifiedHuber().py_loss
    values = [loss(*pair) for pair in zip(labels(y, params).flatten(), p.flatten(), strict=True)]
    return Answer("sklearn.linear_model._sgd_fast.ModifiedHuber", np.array(values).reshape(p.shape))


def perceptron(inputs: Arrays, params: Params) -> Answer:
    p, y = both(inputs)
    loss = optax.losses.perceptron_loss(p.numpy(), labels(y, params).numpy())
    return Answer("optax.losses.perceptron_loss", np.asarray(loss))


def decided(p: Array, params: Params) -> Array:
    if params.get("hard"):
        return p
    if params.get("from_logits"):
        p = torch.sigmoid(torch.tensor(p)).numpy()
    return (p >= params.get("threshold", 0.5)).astype(int)


def rounds(params: Params) -> bool:
    """Whether the sigmoid of a float reaches a threshold that no probability does."""
    return bool(params.get("from_logits") and params.get("threshold") == 1)


def zero_one(inputs: Arrays, params: Params) -> Answer | None:
    p, y = inputs["prediction"].astype(float), inputs["target"]
    if "ignore_index" in params or p.ndim > 2 or rounds(params):
        return None
    if p.ndim == 2 and not params.get("hard"):
        chosen = p.argmax(axis=1)
        y = y.argmax(axis=1) if y.ndim == 2 else y.astype(int)
    elif p.ndim == 1:
        chosen, y = decided(p, params).astype(int), y.astype(int)
    else:
        return None  # of several labels only where they are 0 and 1
    value = sklearn.metrics.zero_one_loss(y, chosen)
    return Answer("sklearn.metrics.zero_one_loss", mean=float(value))


def hamming(inputs: Arrays, params: Params) -> Answer | None:
    p, y = inputs["prediction"].astype(float), inputs["target"]
    if "ignore_index" in params or p.ndim > 2 or rounds(params):
        return None
    if p.ndim == 2 and params.get("hard"):
        return None
    value = sklearn.metrics.hamming_loss(y.astype(int), decided(p, params).astype(int))
    return Answer("sklearn.metrics.hamming_loss", mean=float(value))


LIBRARIES: dict[str, Library] = {
    "bce": bce,
    "weighted_bce": weighted_entropy(lambda beta: beta, lambda _: 1.0),
    "balanced_bce": weighted_entropy(lambda beta: beta, lambda beta: 1 - beta),
    "binary_focal": binary_focal,
    "hinge": hinge,
    "squared_hinge": squared_hinge,
    "logistic": logistic,
    "exponential": exponential,
    "modified_huber": modified_huber,
    "perceptron": perceptron,
    "brier": brier,
    "zero_one": zero_one,
    "hamming": hamming,
}
