"""Contrastive batches: the libraries' own calls."""

from __future__ import annotations

import jax.numpy as jnp
import keras
import numpy as np
import optax
import torch
from monai.losses import BarlowTwinsLoss, ContrastiveLoss

from tests.reference.cases import given
from tests.reference.cases.contrastive import NEARLY, ORTHOGONAL, points, views
from tests.reference.conventions import Call
from tests.reference.inputs import Array, Arrays

# Of length 1 as exactly as float32 has it, and few bits: what keras multiplies does not round.
UNIT = [[1, 0], [0.6, 0.8], [0, 1], [0.8, 0.6], [-1, 0], [0, -1], [0.6, 0.8]]
SIDES = [
    ("float64", views(1)),
    ("wide", views(2, rows=5, shape=[12])),
    ("float32", views(3, dtype="float32")),
]
SHORT = [[1e-9, 0, 0], [0, 0, 0], [3, 4, 0], [0, 1e-12, 1e-12]]


def monai_contrastive(inputs: Arrays) -> float:
    return ContrastiveLoss()(*(torch.tensor(inputs[name]) for name in ("left", "right"))).item()


def monai_barlow(inputs: Arrays) -> float:
    return BarlowTwinsLoss()(*(torch.tensor(inputs[name]) for name in ("left", "right"))).item()


def optax_ntxent(inputs: Arrays) -> float:
    labels = jnp.asarray(inputs["target"].astype(np.int64))
    return float(optax.losses.ntxent(jnp.asarray(inputs["prediction"]), labels))


def keras_circle(inputs: Arrays) -> float:
    weight: Array | None = inputs.get("weight")
    loss = keras.losses.Circle()
    return loss(inputs["target"], inputs["prediction"], sample_weight=weight).item()


CALLS = [
    Call(
        "nt_xent@monai",
        "monai.losses.ContrastiveLoss",
        monai_contrastive,
        [
            *SIDES,
            ("one-row", views(4, rows=1, shape=[3])),
            ("nasty-zeros", given(left=ORTHOGONAL, right=NEARLY)),
            ("nasty-short", given(left=SHORT, right=NEARLY)),
        ],
    ),
    Call(
        "nt_xent@optax",
        "optax.losses.ntxent",
        optax_ntxent,
        [
            ("float64", points(5)),
            ("wide", points(6, rows=6, shape=[12], labels={"target": [3, 5]})),
            ("float32", points(7, dtype="float32")),
            ("one-label", points(8, rows=4, labels={"target": [7]})),
            ("nasty-short", given(prediction=[*NEARLY, *SHORT], target=[0, 1, 2, 0, 1, 0, 2, 2])),
            (
                "nasty-short-float32",
                given(
                    {"prediction": "float32", "target": "int64"},
                    prediction=[[1e-4, 0], [0, 2], [1e-5, 1e-5], [0, 0]],
                    target=[0, 0, 1, 1],
                ),
            ),
            ("nasty-no-positive", given(prediction=NEARLY, target=[0, 1, 2, 3])),
        ],
    ),
    Call(
        "circle@keras",
        "keras.losses.Circle",
        keras_circle,
        [
            ("float64", given(prediction=UNIT, target=[0, 0, 1, 1, 2, 2, 1])),
            ("float32", given("float32", prediction=UNIT, target=[0, 1, 1, 0, 2, 2, 0])),
            ("longer", points(9, rows=12, shape=[2], names={"prediction": [-0.75, 0.75]})),
            (
                "weighted",
                points(10, rows=8, shape=[2], names={"prediction": [-0.75, 0.75]}, weight=True),
            ),
            ("nasty-alone", given(prediction=UNIT[:4], target=[0, 1, 0, 2])),
            ("nasty-separated", given(prediction=[[1, 0], [1, 0], [-1, 0]], target=[0, 0, 1])),
            ("nasty-one-label", given(prediction=UNIT[:3], target=[4, 4, 4])),
            ("nasty-long", given(prediction=[[2, 0], [1, 1], [0, 3]], target=[1, 1, 0])),
        ],
        rtol=1e-6,  # keras computes in its floatx, which is float32
    ),
    Call(
        "barlow_twins@monai",
        "monai.losses.BarlowTwinsLoss",
        monai_barlow,
        [
            *SIDES,
            (
                "nasty-constant",
                given(left=[[1, 2], [1, 4], [1, 3]], right=[[1, 5], [2, 0], [4, 1]]),
            ),
            ("nasty-same", given(left=NEARLY, right=NEARLY)),
        ],
    ),
]
