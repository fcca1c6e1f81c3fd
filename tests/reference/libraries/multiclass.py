"""Multi-class classification: by the libraries' own calls."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import torch
import torch.nn.functional as F
import torchmetrics.functional

from tests.reference.libraries import (
    KERAS,
    Answer,
    Array,
    Arrays,
    Library,
    Params,
    class_first,
)


def cross_entropy(inputs: Arrays, params: Params) -> Answer | None:
    if "weigh" in params or "divide_by" in params:
        return None  # these are conventions' concern
    p, y = class_first(inputs, params)
    clip = params.get("clip", 0)
    if clip:
        p = p.clip(clip, 1 - clip)
    ids = not y.is_floating_point()
    given = params.get("class_weights")
    weight = torch.tensor(given, dtype=torch.float64) if given and ids else None
    options: dict[str, Any] = {}
    if ids:
        options["ignore_index"] = int(params.get("ignore_index", -100))
    if params.get("from_logits") or not ids or "label_smoothing" in params:
        # On log-probabilities, torch's log_softmax changes nothing but the row sums' rounding.
        logits = p if params.get("from_logits") else torch.log(p)
        call, scores = F.cross_entropy, logits
        options["label_smoothing"] = params.get("label_smoothing", 0.0)
        name = "torch.nn.functional.cross_entropy"
    else:
        call, scores, name = F.nll_loss, torch.log(p), "torch.nn.functional.nll_loss"
    elements = call(scores, y, reduction="none", **options)
    own = None if given and not ids else call(scores, y, weight=weight, **options).item()
    if given and options.get("label_smoothing"):
        own = None  # torch weighs the smoothed classes, not the mean
    if y.is_floating_point() and y.ndim > 2:
        own = None
    return Answer(name, elements.numpy(), own)


def nll(inputs: Arrays, params: Params) -> Answer | None:
    p, y = class_first(inputs, params)
    if y.is_floating_point():
        return None
    given = params.get("class_weights")
    weight = torch.tensor(given, dtype=torch.float64) if given else None
    ignored = int(params.get("ignore_index", -100))
    elements = F.nll_loss(p, y, ignore_index=ignored, reduction="none")
    own = F.nll_loss(p, y, weight=weight, ignore_index=ignored)
    return Answer("torch.nn.functional.nll_loss", elements.numpy(), own.item())


def perplexity(inputs: Arrays, params: Params) -> Answer:
    p, y = class_first(inputs, params)
    scores = p if params.get("from_logits") else torch.log(p)
    scores = scores.reshape(*scores.shape[:2], -1).movedim(1, -1)  # (N, T, C)
    ignored = params.get("ignore_index")
    value = torchmetrics.functional.text.perplexity(
        scores, y.reshape(len(y), -1), ignore_index=None if ignored is None else int(ignored)
    )
    return Answer("torchmetrics.functional.text.perplexity", mean=value.item(), accuracy=1e-11)


def focal(inputs: Arrays, params: Params) -> Answer | None:
    if {"activation", "class_mean", "weigh", "class_weights"} & params.keys():
        return None
    p, y = class_first(inputs, params)
    count = p.shape[1]
    y = y if y.is_floating_point() else F.one_hot(y, count).movedim(-1, 1).double()
    alpha = params.get("alpha")
    elements = keras.losses.categorical_focal_crossentropy(
        y.movedim(1, -1),
        p.movedim(1, -1),
        alpha=1.0 if alpha is None else alpha,
        gamma=float(params.get("gamma", 2)),
        from_logits=params.get("from_logits", False),
    )
    loss = elements.numpy()
    return Answer("keras.losses.categorical_focal_crossentropy", loss, accuracy=KERAS)


def class_last(inputs: Arrays, params: Params) -> tuple[Array, Array]:
    """Rows of classes (n, C), and ids (n,) with 0 for what is ignored, or distributions (n, C)."""
    p, y = (array.numpy() for array in class_first(inputs, params))
    p = np.moveaxis(p, 1, -1)
    count = p.shape[-1]
    if y.dtype.kind == "f":
        return p.reshape(-1, count), np.moveaxis(y, 1, -1).reshape(-1, count)
    return p.reshape(-1, count), np.where(y == params.get("ignore_index"), 0, y).reshape(-1)


def dense(y: Array, count: int) -> Array:
    return y if y.ndim == 2 else np.eye(count)[y]


def poly1(inputs: Arrays, params: Params) -> Answer | None:
    import optax

    if not params.get("from_logits") or "label_smoothing" in params:
        return None
    p, y = class_last(inputs, params)
    call = optax.losses.poly_loss_cross_entropy
    loss = call(p, dense(y, p.shape[1]), epsilon=params.get("epsilon", 1.0))
    return Answer("optax.losses.poly_loss_cross_entropy", np.asarray(loss))


def generalized(inputs: Arrays, params: Params) -> Answer | None:
    p, y = class_last(inputs, params)
    if params.get("from_logits") or "label_smoothing" in params or y.ndim == 2:
        return None
    q = params.get("q", 0.7)
    name = "keras.losses.CategoricalGeneralizedCrossEntropy"
    if q >= 1:
        return None
    loss = keras.losses.CategoricalGeneralizedCrossEntropy(q=q, reduction="none")
    elements = keras.ops.convert_to_numpy(loss(torch.tensor(y), torch.tensor(p)))
    return Answer(name, elements, accuracy=1e-5)


def rps(inputs: Arrays, params: Params) -> Answer | None:
    import scoringrules

    p, y = class_last(inputs, params)
    if params.get("from_logits"):
        return None
    loss = scoringrules.rps_score(
        dense(y - params.get("first_class", 0), p.shape[1]), p, onehot=True
    )
    return Answer("scoringrules.rps_score", loss)


def categorical_hinge(inputs: Arrays, params: Params) -> Answer:
    p, y = class_last(inputs, params)
    loss = keras.losses.categorical_hinge(torch.tensor(dense(y, p.shape[1])), torch.tensor(p))
    return Answer("keras.losses.categorical_hinge", loss.numpy(), accuracy=KERAS)


def ids(y: Array) -> Array:
    return y if y.ndim == 1 else y.argmax(1)


def crammer_singer(inputs: Arrays, params: Params) -> Answer | None:
    import optax

    if "margin" in params:
        return None
    p, y = class_last(inputs, params)
    loss = optax.losses.multiclass_hinge_loss(p, ids(y))
    return Answer("optax.losses.multiclass_hinge_loss", np.asarray(loss))


def multi_margin(inputs: Arrays, params: Params) -> Answer:
    p, y = class_last(inputs, params)
    options = {name: params[name] for name in ("p", "margin") if name in params}
    loss = F.multi_margin_loss(torch.tensor(p), torch.tensor(ids(y)), reduction="none", **options)
    if "divide_by" in params:  # the terms that are summed have the weights in them
        weights = np.array(params["class_weights"])
        return Answer("torch.nn.functional.multi_margin_loss", loss.numpy() * weights[ids(y)])
    return Answer("torch.nn.functional.multi_margin_loss", loss.numpy())


def perceptron(inputs: Arrays, params: Params) -> Answer | None:
    import optax

    p, y = class_last(inputs, params)
    if y.ndim == 2:
        return None
    loss = optax.losses.multiclass_perceptron_loss(p, y)
    return Answer("optax.losses.multiclass_perceptron_loss", np.asarray(loss))


def sparsemax(inputs: Arrays, params: Params) -> Answer | None:
    import optax

    p, y = class_last(inputs, params)
    if y.ndim == 2:
        return None
    loss = optax.losses.multiclass_sparsemax_loss(p, y)
    return Answer("optax.losses.multiclass_sparsemax_loss", np.asarray(loss))


def top_k_error(inputs: Arrays, params: Params) -> Answer | None:
    from sklearn.metrics import top_k_accuracy_score

    p, y = class_last(inputs, params)
    if params.get("ties") != "last":
        return None
    options = {"k": params.get("k", 1), "labels": range(p.shape[1])}
    loss = [
        1 - top_k_accuracy_score(ids(y)[n : n + 1], p[n : n + 1], **options) for n in range(len(p))
    ]
    return Answer("sklearn.metrics.top_k_accuracy_score", np.array(loss))


LIBRARIES: dict[str, Library] = {
    "cross_entropy": cross_entropy,
    "categorical_crossentropy": cross_entropy,
    "sparse_categorical_crossentropy": cross_entropy,
    "pixel_cross_entropy": cross_entropy,
    "nll": nll,
    "perplexity": perplexity,
    "focal": focal,
    "poly1": poly1,
    "generalized_cross_entropy": generalized,
    "rps": rps,
    "squared_emd": rps,
    "categorical_hinge": categorical_hinge,
    "crammer_singer": crammer_singer,
    "multi_margin": multi_margin,
    "multiclass_perceptron": perceptron,
    "sparsemax": sparsemax,
    "top_k_error": top_k_error,
}
