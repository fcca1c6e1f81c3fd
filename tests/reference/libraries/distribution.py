"""Distributions: by the libraries' own calls."""

from __future__ import annotations

import numpy as np
import scipy.spatial.distance
import scipy.special
import scipy.stats
import torch.nn.functional as F

from tests.reference.libraries import Answer, Array, Arrays, Library, Params, both, per_base


def row_pair(inputs: Arrays, params: Params) -> tuple[Array, Array]:
    p, t = inputs["prediction"].astype(float), inputs["target"].astype(float)
    p = np.exp(p) if params.get("log_prediction") else p
    t = np.exp(t) if params.get("log_target") else t
    return p, t


def relative_entropy(*orders: tuple[int, int]) -> Library:
    def call(inputs: Arrays, params: Params) -> Answer:
        pair = row_pair(inputs, params)
        parts = [scipy.special.rel_entr(pair[a], pair[b]).sum(-1) for a, b in orders]
        return Answer("scipy.special.rel_entr", per_base(np.sum(parts, 0), params))

    return call


def kl(inputs: Arrays, params: Params) -> Answer | None:
    if "average" in params or "floor" in params:
        return None
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


def of_samples(name: str) -> Library:
    def call(inputs: Arrays, params: Params) -> Answer:
        x, y = inputs["prediction"].astype(float), inputs["target"].astype(float)
        return Answer(f"scipy.stats.{name}", mean=float(getattr(scipy.stats, name)(x, y)))

    return call


LIBRARIES: dict[str, Library] = {
    "kl_divergence": kl,
    "reverse_kl": relative_entropy((0, 1)),
    "jeffreys": relative_entropy((0, 1), (1, 0)),
    "js_divergence": js,
    "chi_squared": chi_squared,
    "total_variation_distance": total_variation_distance,
    "wasserstein": wasserstein,
    "wasserstein_samples": of_samples("wasserstein_distance"),
    "energy_distance": of_samples("energy_distance"),
}
