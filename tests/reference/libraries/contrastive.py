"""Contrastive batches: by the libraries' own calls."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import optax
import torch
import torch.nn.functional as F
from monai.losses import ContrastiveLoss

from tests.reference.libraries import Answer, Arrays, Library, Params, tensor


def nt_xent(inputs: Arrays, params: Params) -> Answer | None:
    temperature = float(params.get("temperature", 0.07))
    if "batch" in params:
        return None
    if "left" in inputs:
        sides = tensor(inputs["left"]), tensor(inputs["right"])
        value = ContrastiveLoss(temperature=temperature)(*sides).item()
        # its temperature is a float32
        return Answer("monai.losses.ContrastiveLoss", mean=value, accuracy=1e-8)
    if params.get("average") != "pairs":
        return None
    points = jnp.asarray(inputs["prediction"].astype(np.float64))
    labels = jnp.asarray(inputs["target"].astype(np.int64))
    return Answer(
        "optax.losses.ntxent", mean=float(optax.losses.ntxent(points, labels, temperature))
    )


def matched(inputs: Arrays, params: Params) -> Answer | None:
    """torch's cross entropy of its products of its normalised rows."""
    if "batch" in params:
        return None
    left, right = (F.normalize(tensor(inputs[name]), eps=0.0) for name in ("left", "right"))
    products = left @ right.T / float(params.get("temperature", 0.07))
    ids = torch.arange(len(left))
    sides = (products, products.T) if params.get("symmetric", True) else (products,)
    losses = [F.cross_entropy(side, ids, reduction="none").numpy() for side in sides]
    return Answer(
        "torch.nn.functional.cross_entropy", np.stack(losses, axis=1), accuracy=1e-9
    )  # of small losses torch has few digits


LIBRARIES: dict[str, Library] = {"nt_xent": nt_xent, "info_nce": matched}
