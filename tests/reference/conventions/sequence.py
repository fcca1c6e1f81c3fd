"""Sequences: the libraries' own calls."""

from __future__ import annotations

import keras
import numpy as np
import optax
import torch
import torch.nn.functional as F

from tests.reference.cases import given, key
from tests.reference.conventions import Call
from tests.reference.inputs import Array, Arrays, Key

Labelled = list[tuple[str, Key]]

LOGITS = [
    [[2, 0.5, -1], [0.25, 1, 3], [1.5, -2, 0], [0, 1, 0.75]],
    [[1, 0.125, -1], [-0.25, 1, 2], [1.5, 2, 0], [0, 1, -0.75]],
    [[0, 0.5, 1], [0.75, 1, -3], [0.5, -2, 0], [2, 1, 0.25]],
]
TYPES = {"prediction": "float64", "target": "int64"}


def spoken(seed: int, **arguments: object) -> Key:
    return key("sequences", seed, kind="logit", **arguments)


def torch_ctc(inputs: Arrays, reduction: str = "mean") -> float:
    logs, target = torch.tensor(inputs["prediction"]), torch.tensor(inputs["target"])
    count, steps = logs.shape[:2]
    frames = inputs.get("prediction_lengths", np.full(count, steps))
    labels = inputs.get("target_lengths", np.full(count, target.shape[1]))
    loss = F.ctc_loss(
        logs.movedim(0, 1), target, torch.tensor(frames), torch.tensor(labels), reduction=reduction
    )
    return loss.item()


def torch_from_logits(inputs: Arrays) -> float:
    logs = F.log_softmax(torch.tensor(inputs["prediction"]), -1).numpy()
    return torch_ctc({**inputs, "prediction": logs})


def keras_ctc(inputs: Arrays) -> float:
    weight: Array | None = inputs.get("weight")
    loss = keras.losses.CTC()(inputs["target"], inputs["prediction"], sample_weight=weight)
    return float(loss)


def optax_ctc(inputs: Arrays) -> Array:
    """Its paddings are 1 where the lengths end."""
    logits, target = inputs["prediction"], inputs["target"]
    count, steps = logits.shape[:2]
    frames = inputs.get("prediction_lengths", np.full(count, steps))
    labels = inputs.get("target_lengths", np.full(count, target.shape[1]))
    late = np.arange(steps) >= frames[:, None]
    unused = np.arange(target.shape[1]) >= labels[:, None]
    return np.asarray(optax.losses.ctc_loss(logits, late * 1.0, target, unused * 1.0))


# A target that needs more time steps than there are, no labels at all, a repeated label.
INFEASIBLE = given(
    TYPES, prediction=LOGITS, target=[[1, 1, 1], [1, 2, 2], [2, 1, 2]], prediction_lengths=[4, 3, 3]
)
EMPTY = given(TYPES, prediction=LOGITS, target=[[1, 1], [2, 0], [1, 2]], target_lengths=[2, 1, 0])
MANY_LABELS = given(
    TYPES, prediction=LOGITS, target=[[1, 2, 1, 2, 1, 2], [2] * 6, [1, 2, 2, 1, 1, 2]]
)
FAR = {"prediction": {"1": 1e4, "30": -1e4, "50": 1e4}}

OPTAX: Labelled = [
    ("plain", spoken(1)),
    ("lengths", spoken(2, lengths=True, rows=6)),
    ("float32", spoken(3, dtype="float32", lengths=True)),
    ("nasty-infeasible", INFEASIBLE),
    ("nasty-empty", EMPTY),
    ("nasty-many-labels", MANY_LABELS),
]

CALLS = [
    Call(
        "ctc@torch",
        "torch.nn.functional.ctc_loss",
        torch_ctc,
        [
            ("plain", key("sequences", 4)),
            ("lengths", key("sequences", 5, lengths=True, rows=7, steps=8)),
            ("float32", key("sequences", 6, dtype="float32", lengths=True)),
        ],
    ),
    Call(
        "ctc@torch:from_logits=true",
        "torch.nn.functional.ctc_loss of log_softmax",
        torch_from_logits,
        [
            ("lengths", spoken(7, lengths=True)),
            ("nasty-empty", EMPTY),
            ("nasty-infeasible", INFEASIBLE),
            ("nasty-far", spoken(8, put=FAR)),
        ],
    ),
    Call(
        "ctc@torch:normalize=none",
        "torch.nn.functional.ctc_loss(reduction='sum')",
        lambda inputs: torch_ctc(inputs, "sum"),
        [("sum", key("sequences", 9, lengths=True))],
        options={"reduction": "sum"},
    ),
    Call(
        "ctc@keras",
        "keras.losses.CTC",
        keras_ctc,
        [
            ("plain", spoken(10)),
            ("float32", spoken(11, dtype="float32", rows=6, steps=7)),
            ("weighted", spoken(12, weight=True)),
            ("padded", given(TYPES, prediction=LOGITS, target=[[1, 1], [2, 0], [0, 0]])),
            (
                "nasty-infeasible",
                given(TYPES, prediction=LOGITS, target=[[1, 1, 1], [1, 2, 0], [2, 0, 0]]),
            ),
        ],
        rtol=1e-6,
    ),
    Call("ctc@optax", "optax.losses.ctc_loss", optax_ctc, OPTAX),
]
