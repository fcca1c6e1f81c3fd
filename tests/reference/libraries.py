"""The same losses by the libraries' own calls, in float64.

A function here gives the library's numbers for a case, or None where the library has no such
parameter. It never redoes a library's arithmetic: where a library lacks a loss, its parts may be
called (``log_softmax``), and the name says so.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

os.environ["KERAS_BACKEND"] = "torch"

import jax
import keras
import monai.losses
import numpy as np
import optax
import scipy.linalg
import scipy.spatial.distance
import scipy.special
import scipy.stats
import sklearn.metrics
import torch
import torch.nn.functional as F
import torchmetrics.functional
from numpy.typing import NDArray

jax.config.update("jax_enable_x64", True)

KERAS = 1e-6  # its torch backend falls to float32 where an operand is a Python number

Array = NDArray[Any]
Arrays = Mapping[str, Array]
Params = Mapping[str, Any]

PACKAGES = {"sklearn": "scikit-learn"}
VERSIONED = ("jax", "keras", "monai", "numpy", "optax", "scikit-learn", "scipy", "torch")


def versions() -> dict[str, str]:
    return {name: version(name) for name in (*VERSIONED, "mpmath", "torchmetrics")}


@dataclass
class Answer:
    """``elements`` has an entry for each term of the loss; ``mean`` is the library's own mean.

    ``accuracy`` is the relative error the call is known to have (an epsilon, a clip), where that
    is worse than float64's.
    """

    call: str
    elements: Array | None = None
    mean: float | None = None
    accuracy: float = 0.0

    @property
    def source(self) -> str:
        package = self.call.split(".")[0]
        return f"{package} {version(PACKAGES.get(package, package))} {self.call}"


Library = Callable[[Arrays, Params], "Answer | None"]


def tensor(array: Array) -> torch.Tensor:
    return torch.tensor(array.astype(np.float64))


def both(inputs: Arrays) -> tuple[torch.Tensor, torch.Tensor]:
    return tensor(inputs["prediction"]), tensor(inputs["target"])


def floats(inputs: Arrays) -> tuple[Array, Array]:
    """Prediction and target, one column for each sample."""
    p, y = (inputs[name].astype(float) for name in ("prediction", "target"))
    return p.reshape(len(p), -1).T, y.reshape(len(y), -1).T


# Regression and likelihoods ----------------------------------------------------------------------


def torch_pair(name: str, **renamed: str) -> Library:
    """torch.nn.functional's losses of two tensors; ``renamed`` maps their parameters to ours."""

    def call(inputs: Arrays, params: Params) -> Answer:
        options = {theirs: params[ours] for theirs, ours in renamed.items() if ours in params}
        elements = getattr(F, name)(*both(inputs), reduction="none", **options)
        return Answer(f"torch.nn.functional.{name}", elements.numpy())

    return call


def log_cosh(inputs: Arrays, params: Params) -> Answer:
    p, y = floats(inputs)
    elements = np.asarray(optax.losses.log_cosh(p, y)).T
    return Answer("optax.losses.log_cosh", elements, accuracy=1e-6)


def sklearn_columns(name: str, square: bool = False, **options: str) -> Library:
    """scikit-learn's regression metrics of each sample: ``raw_values`` over columns."""

    def call(inputs: Arrays, params: Params) -> Answer | None:
        chosen = {theirs: params[ours] for theirs, ours in options.items() if ours in params}
        if any(isinstance(value, list) for value in chosen.values()):
            return None
        p, y = floats(inputs)
        flat = getattr(sklearn.metrics, name)(y.reshape(-1), p.reshape(-1), **chosen)
        if len(p) == 1:  # one element a sample: each sample's metric is its element
            if square:
                return Answer(f"sklearn.metrics.{name}", mean=float(flat))
            raw = getattr(sklearn.metrics, name)(y, p, multioutput="raw_values", **chosen)
            return Answer(f"sklearn.metrics.{name}", raw[:, None], float(flat))
        return Answer(f"sklearn.metrics.{name}", mean=float(flat))

    return call


def smape(inputs: Arrays, params: Params) -> Answer:
    value = torchmetrics.functional.symmetric_mean_absolute_percentage_error(*both(inputs))
    return Answer(
        "torchmetrics.functional.symmetric_mean_absolute_percentage_error", mean=value.item()
    )


def poisson(inputs: Arrays, params: Params) -> Answer | None:
    p, y = both(inputs)
    log_input = params.get("log_input", False)
    if params.get("full"):
        if torch.any(y != torch.floor(y)):
            return None
        rate = torch.exp(p) if log_input else p
        elements = -scipy.stats.poisson.logpmf(y.numpy(), rate.numpy())
        return Answer("scipy.stats.poisson.logpmf", elements)
    loss = F.poisson_nll_loss(p, y, log_input=log_input, eps=0.0, reduction="none")
    return Answer("torch.nn.functional.poisson_nll_loss", loss.numpy())


def gaussian_nll(inputs: Arrays, params: Params) -> Answer:
    p, y = both(inputs)
    v = (
        tensor(inputs["variance"])
        if "variance" in inputs
        else torch.full_like(p, params["variance"])
    )
    full = params.get("full", True)
    loss = F.gaussian_nll_loss(p, y, v, full=full, eps=1e-300, reduction="none")
    return Answer("torch.nn.functional.gaussian_nll_loss", loss.numpy())


# Binary ------------------------------------------------------------------------------------------


def smoothed(y: torch.Tensor, params: Params) -> torch.Tensor:
    smoothing = params.get("label_smoothing", 0.0)
    return (1 - smoothing) * y + smoothing / 2


def entropy(p: torch.Tensor, y: torch.Tensor, from_logits: bool) -> tuple[str, torch.Tensor]:
    name = "binary_cross_entropy" + ("_with_logits" if from_logits else "")
    return f"torch.nn.functional.{name}", getattr(F, name)(p, y, reduction="none")


def bce(inputs: Arrays, params: Params) -> Answer | None:
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


def hinge(inputs: Arrays, params: Params) -> Answer | None:
    p, y = both(inputs)
    y = torch.where(y > 0, 1.0, -1.0).double()
    margin = float(params.get("margin", 1))
    loss = F.margin_ranking_loss(p, torch.zeros_like(p), y, margin=margin, reduction="none")
    return Answer("torch.nn.functional.margin_ranking_loss", loss.numpy())


def squared_hinge(inputs: Arrays, params: Params) -> Answer | None:
    if "margin" in params:
        return None
    p, y = both(inputs)
    loss = keras.losses.squared_hinge(y[..., None], p[..., None])
    return Answer("keras.losses.squared_hinge", loss.numpy(), accuracy=KERAS)


def brier(inputs: Arrays, params: Params) -> Answer | None:
    p, y = inputs["prediction"].astype(float), inputs["target"]
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


# Classes -----------------------------------------------------------------------------------------


def class_first(inputs: Arrays, params: Params) -> tuple[torch.Tensor, torch.Tensor]:
    p, y = inputs["prediction"].astype(float), inputs["target"]
    axis = params.get("axis")
    if axis is None:
        (axis,) = [a for a in range(1, p.ndim) if p.shape[:a] + p.shape[a + 1 :] == y.shape] or [1]
    p = np.moveaxis(p, axis, 1)
    if y.ndim == p.ndim:
        return torch.tensor(p), torch.tensor(np.moveaxis(y, axis, 1).astype(float))
    return torch.tensor(p), torch.tensor(y.astype(np.int64))


def cross_entropy(inputs: Arrays, params: Params) -> Answer:
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


# Distributions -----------------------------------------------------------------------------------


def row_pair(inputs: Arrays, params: Params) -> tuple[Array, Array]:
    p, t = inputs["prediction"].astype(float), inputs["target"].astype(float)
    p = np.exp(p) if params.get("log_prediction") else p
    t = np.exp(t) if params.get("log_target") else t
    return p, t


def per_base(value: Array, params: Params) -> Array:
    return value / np.log(params["base"]) if "base" in params else value


def relative_entropy(*orders: tuple[int, int]) -> Library:
    def call(inputs: Arrays, params: Params) -> Answer:
        pair = row_pair(inputs, params)
        parts = [scipy.special.rel_entr(pair[a], pair[b]).sum(-1) for a, b in orders]
        return Answer("scipy.special.rel_entr", per_base(np.sum(parts, 0), params))

    return call


def kl(inputs: Arrays, params: Params) -> Answer:
    if params.get("log_prediction") and "base" not in params:
        log_target = params.get("log_target", False)
        loss = F.kl_div(*both(inputs), log_target=log_target, reduction="none").sum(-1)
        return Answer("torch.nn.functional.kl_div", loss.numpy())
    return relative_entropy((1, 0))(inputs, params)


def js(inputs: Arrays, params: Params) -> Answer:
    p, t = row_pair(inputs, params)
    root = scipy.spatial.distance.jensenshannon(p, t, base=params.get("base"), axis=-1)
    return Answer("scipy.spatial.distance.jensenshannon", root**2)


def chi_squared(inputs: Arrays, params: Params) -> Answer | None:
    p, t = row_pair(inputs, params)
    if np.any(p == 0) or abs(p.sum(-1) / t.sum(-1) - 1).max() > 1e-9:
        return None
    return Answer("scipy.stats.chisquare", scipy.stats.chisquare(t, p, axis=-1).statistic)


def total_variation_distance(inputs: Arrays, params: Params) -> Answer:
    p, t = row_pair(inputs, params)
    rows = zip(p.reshape(-1, p.shape[-1]), t.reshape(-1, t.shape[-1]), strict=True)
    halves = [scipy.spatial.distance.cityblock(a, b) / 2 for a, b in rows]
    return Answer("scipy.spatial.distance.cityblock", np.array(halves))


def wasserstein(inputs: Arrays, params: Params) -> Answer:
    p, t = row_pair(inputs, params)
    bins = params.get("positions", list(range(p.shape[-1])))
    rows = zip(p.reshape(-1, len(bins)), t.reshape(-1, len(bins)), strict=True)
    values = [scipy.stats.wasserstein_distance(bins, bins, a, b) for a, b in rows]
    return Answer("scipy.stats.wasserstein_distance", np.array(values))


# Vectors -----------------------------------------------------------------------------------------


def cosine(transform: Callable[[Array], Array]) -> Library:
    def call(inputs: Arrays, params: Params) -> Answer:
        loss = F.cosine_similarity(*both(inputs), dim=-1).numpy()
        return Answer("torch.nn.functional.cosine_similarity", transform(loss))

    return call


def torch_distance(name: str) -> Callable[[torch.Tensor, torch.Tensor], torch.Tensor]:
    if name == "cosine":
        return lambda x, y: 1 - F.cosine_similarity(x, y, dim=-1)
    if name == "euclidean":
        return lambda x, y: F.pairwise_distance(x, y, eps=0.0)
    return lambda x, y: F.mse_loss(x, y, reduction="none").sum(-1)


def triplet(inputs: Arrays, params: Params) -> Answer:
    loss = F.triplet_margin_with_distance_loss(
        *(tensor(inputs[name]) for name in ("anchor", "positive", "negative")),
        distance_function=torch_distance(params.get("distance", "squared_euclidean")),
        margin=float(params.get("margin", 1)),
        swap=params.get("swap", False),
        reduction="none",
    )
    return Answer("torch.nn.functional.triplet_margin_with_distance_loss", loss.numpy())


def margin_ranking(inputs: Arrays, params: Params) -> Answer:
    positive, negative = tensor(inputs["positive"]), tensor(inputs["negative"])
    target = tensor(inputs["target"]) if "target" in inputs else torch.ones_like(positive)
    margin = float(params.get("margin", 0))
    loss = F.margin_ranking_loss(positive, negative, target, margin=margin, reduction="none")
    return Answer("torch.nn.functional.margin_ranking_loss", loss.numpy())


# Segmentation ------------------------------------------------------------------------------------


def overlap(name: str) -> Library:
    """monai's Dice and Tversky losses; micro merges the classes into the pixels."""

    def call(inputs: Arrays, params: Params) -> Answer | None:
        if "ignore_index" in params:
            return None
        if inputs["prediction"].shape == inputs["target"].shape and inputs["target"].ndim <= 3:
            p, y = (x.unsqueeze(1) for x in both(inputs))
        else:
            p, y = class_first(inputs, params)
            y = y if y.is_floating_point() else F.one_hot(y, p.shape[1]).movedim(-1, 1).double()
        from_logits = params.get("from_logits", False)
        if from_logits:
            p = torch.sigmoid(p) if p.shape[1] == 1 else torch.softmax(p, 1)
        if params.get("average", "macro") == "micro":
            p, y = (x.reshape(len(x), 1, -1) for x in (p, y))
        smooth = float(params.get("smooth", 0))
        pooled = params.get("over", "sample") == "dataset"
        options: dict[str, Any] = {"reduction": "none", "batch": pooled}
        if name == "dice" or name == "jaccard":
            factor = 2 if name == "jaccard" else 1  # monai doubles both sides of the ratio
            make: Any = monai.losses.DiceLoss
            options["jaccard"] = name == "jaccard"
            options["squared_pred"] = params.get("squared", False)
            options["smooth_nr"] = options["smooth_dr"] = factor * smooth
        else:
            make = monai.losses.TverskyLoss
            options["smooth_nr"] = options["smooth_dr"] = smooth
            options["alpha"] = float(params.get("alpha", 0.5))
            options["beta"] = float(params.get("beta", 0.5))
        loss = make(**options)(p, y)
        if name == "focal_tversky":
            loss = loss ** float(params.get("gamma", 0.75))
        call = f"monai.losses.{make.__name__}"
        if pooled:
            return Answer(call, mean=loss.mean().item())
        return Answer(call, loss.reshape(len(p), -1).mean(1).numpy())

    return call


def mcc(inputs: Arrays, params: Params) -> Answer | None:
    """Hard masks only: scikit-learn's coefficient of each sample."""
    p, y = inputs["prediction"], inputs["target"]
    if p.shape != y.shape or np.any((p != 0) & (p != 1)) or params:
        return None
    scores = [
        1 - sklearn.metrics.matthews_corrcoef(b.reshape(-1), a.reshape(-1))
        for a, b in zip(p, y, strict=True)
    ]
    return Answer("sklearn.metrics.matthews_corrcoef", np.array(scores))


# The rest ----------------------------------------------------------------------------------------


def total_variation(inputs: Arrays, params: Params) -> Answer | None:
    if params.get("power", 2) != 1 or params.get("normalize", "none") != "none":
        return None
    images = tensor(inputs["prediction"])
    if images.ndim == 3:
        images = images[:, None]
    elif params["channels"] == "last":
        images = images.movedim(-1, 1)
    loss = torchmetrics.functional.image.total_variation(images, reduction="none")
    return Answer("torchmetrics.functional.image.total_variation", loss.numpy())


def perceptual(inputs: Arrays, params: Params) -> Answer:
    loss = F.mse_loss(*both(inputs), reduction="none").flatten(1).sum(1)
    return Answer("torch.nn.functional.mse_loss", loss.numpy())


def against(d: torch.Tensor, label: float, params: Params) -> torch.Tensor:
    return entropy(d, torch.full_like(d, label), params.get("from_logits", False))[1]


def gan_discriminator(inputs: Arrays, params: Params) -> Answer:
    real, fake = tensor(inputs["real"]), tensor(inputs["fake"])
    loss = against(real, 1.0, params).mean() + against(fake, 0.0, params).mean()
    name, _ = entropy(fake, fake.clip(0, 1), params.get("from_logits", False))
    return Answer(name, mean=loss.item())


def gan_generator(inputs: Arrays, params: Params) -> Answer:
    fake = tensor(inputs["fake"])
    name, _ = entropy(fake, fake.clip(0, 1), params.get("from_logits", False))
    if params.get("variant", "non_saturating") == "minimax":
        return Answer(name, -against(fake, 0.0, params).numpy())
    return Answer(name, against(fake, 1.0, params).numpy())


def squares(d: Array, label: float) -> torch.Tensor:
    scores = tensor(d)
    return F.mse_loss(scores, torch.full_like(scores, label), reduction="none")


def lsgan_discriminator(inputs: Arrays, params: Params) -> Answer:
    value = squares(inputs["real"], 1).mean() / 2 + squares(inputs["fake"], 0).mean() / 2
    return Answer("torch.nn.functional.mse_loss", mean=value.item())


def lsgan_generator(inputs: Arrays, params: Params) -> Answer:
    return Answer("torch.nn.functional.mse_loss", squares(inputs["fake"], 1).numpy() / 2)


def ctc(inputs: Arrays, params: Params) -> Answer:
    p, y = tensor(inputs["prediction"]), torch.tensor(inputs["target"].astype(np.int64))
    count, steps = p.shape[:2]
    lengths = inputs.get("prediction_lengths", np.full(count, steps))
    sizes = inputs.get("target_lengths", np.full(count, y.shape[1]))
    logs = F.log_softmax(p, -1) if params.get("from_logits") else p
    loss = F.ctc_loss(
        logs.movedim(0, 1),
        y,
        torch.tensor(lengths),
        torch.tensor(sizes),
        blank=int(params.get("blank", 0)),
        zero_infinity=params.get("zero_infinity", False),
        reduction="none",
    )
    return Answer("torch.nn.functional.ctc_loss", loss.numpy())


def quantum(of_pair: Callable[[Array, Array], Any], call: str, based: bool = True) -> Library:
    def loss(inputs: Arrays, params: Params) -> Answer:
        pairs = zip(inputs["target"], inputs["prediction"], strict=True)
        values = [of_pair(r.astype(complex), s.astype(complex)) for r, s in pairs]
        array = np.real(np.array(values))
        return Answer(call, per_base(array, params) if based else array, accuracy=1e-12)

    return loss


def infidelity(rho: Array, sigma: Array) -> Any:
    root = scipy.linalg.sqrtm(rho)
    return 1 - np.trace(scipy.linalg.sqrtm(root @ sigma @ root)).real ** 2


LIBRARIES: dict[str, Library] = {
    "mse": torch_pair("mse_loss"),
    "rmse": sklearn_columns("root_mean_squared_error", square=True),
    "mae": torch_pair("l1_loss"),
    "huber": torch_pair("huber_loss", delta="delta"),
    "smooth_l1": torch_pair("smooth_l1_loss", beta="beta"),
    "log_cosh": log_cosh,
    "pinball": sklearn_columns("mean_pinball_loss", alpha="alpha"),
    "mape": sklearn_columns("mean_absolute_percentage_error"),
    "smape": smape,
    "msle": sklearn_columns("mean_squared_log_error"),
    "rmsle": sklearn_columns("root_mean_squared_log_error", square=True),
    "poisson": poisson,
    "gaussian_nll": gaussian_nll,
    "bce": bce,
    "weighted_bce": weighted_entropy(lambda beta: beta, lambda _: 1.0),
    "balanced_bce": weighted_entropy(lambda beta: beta, lambda beta: 1 - beta),
    "binary_focal": binary_focal,
    "hinge": hinge,
    "squared_hinge": squared_hinge,
    "brier": brier,
    "cross_entropy": cross_entropy,
    "categorical_crossentropy": cross_entropy,
    "sparse_categorical_crossentropy": cross_entropy,
    "pixel_cross_entropy": cross_entropy,
    "nll": nll,
    "perplexity": perplexity,
    "focal": focal,
    "kl_divergence": kl,
    "reverse_kl": relative_entropy((0, 1)),
    "jeffreys": relative_entropy((0, 1), (1, 0)),
    "js_divergence": js,
    "chi_squared": chi_squared,
    "total_variation_distance": total_variation_distance,
    "wasserstein": wasserstein,
    "cosine_proximity": cosine(lambda similarity: -similarity),
    "cosine_distance": cosine(lambda similarity: 1 - similarity),
    "triplet": triplet,
    "margin_ranking": margin_ranking,
    "dice": overlap("dice"),
    "jaccard": overlap("jaccard"),
    "tversky": overlap("tversky"),
    "focal_tversky": overlap("focal_tversky"),
    "mcc_loss": mcc,
    "total_variation": total_variation,
    "perceptual": perceptual,
    "gan_discriminator": gan_discriminator,
    "gan_generator": gan_generator,
    "lsgan_discriminator": lsgan_discriminator,
    "lsgan_generator": lsgan_generator,
    "ctc": ctc,
    "quantum_cross_entropy": quantum(
        lambda rho, sigma: -np.trace(rho @ scipy.linalg.logm(sigma)), "scipy.linalg.logm"
    ),
    "quantum_relative_entropy": quantum(
        lambda rho, sigma: np.trace(rho @ (scipy.linalg.logm(rho) - scipy.linalg.logm(sigma))),
        "scipy.linalg.logm",
    ),
    "infidelity": quantum(infidelity, "scipy.linalg.sqrtm", based=False),
    "trace_distance": quantum(
        lambda rho, sigma: np.abs(scipy.linalg.eigvalsh(rho - sigma)).sum() / 2,
        "scipy.linalg.eigvalsh",
        based=False,
    ),
}
