"""Counts and likelihoods: by the libraries' own calls."""

from __future__ import annotations

import numpy as np
import scipy.stats
import scoringrules
import torch
import torch.nn.functional as F

from tests.reference.libraries import Answer, Array, Arrays, Library, Params, both, tensor


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


def of(inputs: Arrays, params: Params, *names: str) -> list[Array]:
    """These inputs in float64; of the parameters, where they are constants."""
    shape = inputs["target"].shape
    return [
        inputs[name].astype(float) if name in inputs else np.full(shape, float(params[name]))
        for name in names
    ]


def laplace_nll(inputs: Arrays, params: Params) -> Answer:
    p, y, scale = of(inputs, params, "prediction", "target", "scale")
    return Answer("scipy.stats.laplace.logpdf", -scipy.stats.laplace.logpdf(y, p, scale))


def student_t_nll(inputs: Arrays, params: Params) -> Answer:
    p, y, scale, df = of(inputs, params, "prediction", "target", "scale", "df")
    return Answer("scipy.stats.t.logpdf", -scipy.stats.t.logpdf(y, df, p, scale))


def negative_binomial_nll(inputs: Arrays, params: Params) -> Answer | None:
    p, y, a = of(inputs, params, "prediction", "target", "dispersion")
    if np.any(y != np.floor(y)) or np.any(a == 0):
        return None
    elements = -scipy.stats.nbinom.logpmf(y, 1 / a, 1 / (1 + a * p))
    return Answer("scipy.stats.nbinom.logpmf", elements, accuracy=1e-11)


def crps_gaussian(inputs: Arrays, params: Params) -> Answer:
    p, y, std = of(inputs, params, "prediction", "target", "std")
    return Answer("scoringrules.crps_normal", scoringrules.crps_normal(y, p, std))


def ensemble(name: str) -> Library:
    def call(inputs: Arrays, params: Params) -> Answer:
        p, y = of(inputs, params, "prediction", "target")
        estimator = params.get("estimator", "fair")
        with np.errstate(divide="ignore", invalid="ignore"):
            elements = getattr(scoringrules, name)(y, p, estimator=estimator)
        # differences of the two means, of which some cancel
        return Answer(f"scoringrules.{name}", elements, accuracy=1e-11)

    return call


def interval_score(inputs: Arrays, params: Params) -> Answer:
    low, high, y = of(inputs, params, "lower", "upper", "target")
    elements = scoringrules.interval_score(y, low, high, params["alpha"])
    return Answer("scoringrules.interval_score", elements)


def weighted_interval_score(inputs: Arrays, params: Params) -> Answer:
    p, y = of(inputs, params, "prediction", "target")
    alphas = np.array(params["alphas"])
    count = len(alphas)
    elements = scoringrules.weighted_interval_score(
        y, p[:, count], p[:, :count], p[:, :count:-1], alphas
    )
    return Answer("scoringrules.weighted_interval_score", elements)


LIBRARIES: dict[str, Library] = {
    "poisson": poisson,
    "gaussian_nll": gaussian_nll,
    "laplace_nll": laplace_nll,
    "student_t_nll": student_t_nll,
    "negative_binomial_nll": negative_binomial_nll,
    "crps_gaussian": crps_gaussian,
    "crps_ensemble": ensemble("crps_ensemble"),
    "energy_score": ensemble("es_ensemble"),
    "interval_score": interval_score,
    "weighted_interval_score": weighted_interval_score,
}
