"""Distributions: the libraries' own calls."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import keras
import optax
import torch
import torch.nn.functional as F

from tests.reference.cases import given, key
from tests.reference.conventions import Call
from tests.reference.inputs import Array, Arrays, Key

HALF = -0.6931471805599453
INFINITE = {
    "prediction": [[0.0, float("-inf")], [HALF, HALF]],
    "target": [[0.5, 0.5], [1.0, 0.0]],
}
BOTH_ZERO = {**INFINITE, "target": [[1.0, 0.0], [0.25, 0.75]]}


def mixtures(seed: int, **arguments: Any) -> Key:
    return key("distributions", seed, **arguments)


def logs(seed: int, **arguments: Any) -> Key:
    return mixtures(seed, logs=["prediction"], **arguments)


LOGS = [
    ("rows", logs(1)),
    ("cube", logs(2, rows=4, shape=[3, 5])),
    ("float32", logs(3, dtype="float32")),
    ("zeros", logs(4, zeros=["target"])),
    ("nasty-infinite", given(**INFINITE)),
    ("nasty-both-zero", given(**BOTH_ZERO)),
    ("nasty-both-zero-float32", given("float32", **BOTH_ZERO)),
]
BOTH_LOGS = [
    ("rows", mixtures(5, logs=["prediction", "target"])),
    ("nasty", given(prediction=[[HALF, HALF]], target=[[0.0, float("-inf")]])),
]
ROWS = [
    ("rows", mixtures(6)),
    ("cube", mixtures(7, rows=4, shape=[3, 5])),
    ("float32", mixtures(8, dtype="float32")),
    ("weighted", mixtures(9, weight=True)),
    (
        "nasty",
        given(prediction=[[1, 0, 0], [0, 0.5, 0.5]], target=[[0, 0.5, 0.5], [0, 0.25, 0.75]]),
    ),
    ("nasty-zeros", mixtures(10, zeros=["prediction", "target"])),
]


def torch_kl(inputs: Arrays) -> float:
    return F.kl_div(torch.tensor(inputs["prediction"]), torch.tensor(inputs["target"])).item()


def torch_kl_of_logs(inputs: Arrays) -> float:
    sides = torch.tensor(inputs["prediction"]), torch.tensor(inputs["target"])
    return F.kl_div(*sides, log_target=True).item()


def keras_kl(inputs: Arrays) -> float:
    weight: Array | None = inputs.get("weight")
    loss = keras.losses.KLDivergence()
    return loss(inputs["target"], inputs["prediction"], sample_weight=weight).item()


def optax_kl(inputs: Arrays) -> float:
    sides = jnp.asarray(inputs["prediction"]), jnp.asarray(inputs["target"])
    return float(optax.losses.kl_divergence(*sides).mean())


def optax_kl_of_logs(inputs: Arrays) -> float:
    sides = jnp.asarray(inputs["prediction"]), jnp.asarray(inputs["target"])
    return float(optax.losses.kl_divergence_with_log_targets(*sides).mean())


CALLS = [
    Call("kl_divergence@torch", "torch.nn.functional.kl_div", torch_kl, LOGS),
    Call(
        "kl_divergence@torch:log_target=true",
        "torch.nn.functional.kl_div",
        torch_kl_of_logs,
        BOTH_LOGS,
    ),
    # keras computes in its floatx, which is float32
    Call("kl_divergence@keras", "keras.losses.KLDivergence", keras_kl, ROWS, rtol=1e-6),
    Call("kl_divergence@optax", "optax.losses.kl_divergence", optax_kl, LOGS),
    Call(
        "kl_divergence@optax:log_target=true",
        "optax.losses.kl_divergence_with_log_targets",
        optax_kl_of_logs,
        BOTH_LOGS,
    ),
]
