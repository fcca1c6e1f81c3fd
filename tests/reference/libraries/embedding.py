"""Embeddings and metric learning: by the libraries' own calls."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F

from tests.reference.libraries import (
    Answer,
    Array,
    Arrays,
    Library,
    Params,
    both,
    tensor,
    torch_pair,
)


def cosine(transform: Callable[[Array], Array]) -> Library:
    def call(inputs: Arrays, params: Params) -> Answer | None:
        if params:
            return None
        loss = F.cosine_similarity(*both(inputs), dim=-1).numpy()
        return Answer("torch.nn.functional.cosine_similarity", transform(loss))

    return call


def torch_distance(name: str) -> Callable[[torch.Tensor, torch.Tensor], torch.Tensor]:
    if name == "cosine":
        return lambda x, y: 1 - F.cosine_similarity(x, y, dim=-1)
    if name == "euclidean":
        return lambda x, y: F.pairwise_distance(x, y, eps=0.0)
    return lambda x, y: F.mse_loss(x, y, reduction="none").sum(-1)


def triplet(inputs: Arrays, params: Params) -> Answer | None:
    if "offset" in params or "epsilon" in params:
        return None
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


def cosine_embedding(inputs: Arrays, params: Params) -> Answer | None:
    if "epsilon" in params:
        return None
    sides = (tensor(inputs[name]) for name in ("left", "right", "target"))
    loss = F.cosine_embedding_loss(*sides, margin=float(params.get("margin", 0)), reduction="none")
    # it adds 1e-12 to squared lengths
    return Answer("torch.nn.functional.cosine_embedding_loss", loss.numpy(), accuracy=1e-9)


LIBRARIES: dict[str, Library] = {
    "cosine_proximity": cosine(lambda similarity: -similarity),
    "cosine_distance": cosine(lambda similarity: 1 - similarity),
    "triplet": triplet,
    "margin_ranking": margin_ranking,
    "cosine_embedding": cosine_embedding,
    "hinge_embedding": torch_pair("hinge_embedding_loss", margin="margin"),
}
