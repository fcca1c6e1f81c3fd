"""Ranking: by the libraries' own calls."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import optax
import sklearn.metrics
import torch
import torch.nn.functional as F

from tests.reference.libraries import Answer, Array, Arrays, Library, Params, tensor


def pairs(inputs: Arrays) -> tuple[Array, Array]:
    """The scores of the better and of the other item of every pair."""
    better, other = [], []
    mask = inputs.get("mask", np.ones(inputs["prediction"].shape))
    for scores, relevance, real in zip(inputs["prediction"], inputs["target"], mask, strict=True):
        at = np.flatnonzero(real)
        s, y = scores[at].astype(float), relevance[at].astype(float)
        i, j = np.nonzero(y[:, None] > y)
        better.append(s[i])
        other.append(s[j])
    return np.concatenate(better), np.concatenate(other)


def ranknet(inputs: Arrays, _: Params) -> Answer | None:
    better, other = pairs(inputs)
    if np.abs(better - other).max() > 700:  # it overflows
        return None
    lead = torch.tensor(better - other)
    loss = F.soft_margin_loss(lead, torch.ones_like(lead), reduction="none")
    return Answer("torch.nn.functional.soft_margin_loss", loss.numpy())


def pairwise_hinge(inputs: Arrays, params: Params) -> Answer:
    better, other = map(torch.tensor, pairs(inputs))
    margin = float(params.get("margin", 1))
    loss = F.margin_ranking_loss(
        better, other, torch.ones_like(better), margin=margin, reduction="none"
    )
    return Answer("torch.nn.functional.margin_ranking_loss", loss.numpy())


def bpr(inputs: Arrays, _: Params) -> Answer:
    loss = -F.logsigmoid(tensor(inputs["positive"]) - tensor(inputs["negative"]))
    return Answer("torch.nn.functional.logsigmoid", loss.numpy())


def whole(library: Callable[[Arrays, Params], Answer | None]) -> Library:
    """Of lists without padding."""

    def call(inputs: Arrays, params: Params) -> Answer | None:
        return None if "mask" in inputs else library(inputs, params)

    return call


def listnet(inputs: Arrays, _: Params) -> Answer:
    shares = F.softmax(tensor(inputs["target"]), dim=1)
    loss = F.cross_entropy(tensor(inputs["prediction"]), shares, reduction="none")
    return Answer("torch.nn.functional.cross_entropy", loss.numpy())


def listmle(inputs: Arrays, _: Params) -> Answer:
    order = np.argsort(-inputs["target"].astype(float), axis=1, kind="stable")
    scores = tensor(np.take_along_axis(inputs["prediction"], order, axis=1)).flip(1)
    loss = (torch.logcumsumexp(scores, dim=1) - scores).sum(dim=1)
    return Answer("torch.logcumsumexp", loss.numpy(), accuracy=1e-10)


def ranking_softmax(inputs: Arrays, _: Params) -> Answer | None:
    mask = inputs.get("mask")
    if mask is not None and not mask.any(axis=1).all():
        return None  # its lists without items count in no mean, and are 0 one by one
    loss = optax.losses.ranking_softmax_loss(
        inputs["prediction"].astype(float),
        inputs["target"].astype(float),
        where=None if mask is None else mask.astype(bool),
        reduce_fn=None,
    )
    return Answer("optax.losses.ranking_softmax_loss", np.asarray(loss), accuracy=1e-10)


def ndcg_loss(inputs: Arrays, params: Params) -> Answer | None:
    exponential = params.get("gain") == "exponential"
    if params.get("ties") == "first" or params.get("irrelevant") == "one":
        return None
    relevance = inputs["target"].astype(float)
    kept = relevance.any(axis=1) | (params.get("irrelevant") == "zero")
    score = sklearn.metrics.ndcg_score(
        (2**relevance - 1 if exponential else relevance)[kept],
        inputs["prediction"].astype(float)[kept],
        k=params.get("k"),
    )
    return Answer("sklearn.metrics.ndcg_score", mean=1 - float(score), accuracy=1e-10)


LIBRARIES: dict[str, Library] = {
    "ranknet": ranknet,
    "pairwise_hinge": pairwise_hinge,
    "bpr": bpr,
    "listnet": whole(listnet),
    "ranking_softmax": ranking_softmax,
    "listmle": whole(listmle),
    "ndcg_loss": whole(ndcg_loss),
}
