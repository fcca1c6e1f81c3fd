"""Embeddings and metric learning: the libraries' own calls."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax.numpy as jnp
import keras
import optax
import torch
import torch.nn.functional as F

from tests.reference.cases import given, key
from tests.reference.conventions import Call
from tests.reference.inputs import Array, Arrays, Key

LABELS = {"target": [-1, 1]}
ROWS = ("prediction", "target")
SIDES = ("left", "right")
TRIPLE = ("anchor", "positive", "negative")
ORDER = ("positive", "negative")


def fields(names: Sequence[str], seed: int, **arguments: Any) -> Key:
    return key("fields", seed, names={name: [-1, 2] for name in names}, **arguments)


def plain(
    names: Sequence[str], shape: Sequence[int] = (4,), **arguments: Any
) -> list[tuple[str, Key]]:
    wide = [3 * size for size in shape]
    return [
        ("float64", fields(names, 1, shape=list(shape), **arguments)),
        ("wide", fields(names, 2, rows=5, shape=wide, **arguments)),
        ("float32", fields(names, 3, shape=list(shape), dtype="float32", **arguments)),
    ]


CUBE = ("cube", fields(ROWS, 4, rows=4, shape=[3, 5]))
ZEROS = {"prediction": [[0, 0], [3, 4], [1, 2]], "target": [[1, 2], [0, 0], [2, 2]]}
SHORT = {"prediction": [[3e-8, 4e-8], [3e-3, 4e-3]], "target": [[4, 3], [1, 7]]}
COSINE = [*plain(ROWS), CUBE, ("nasty-zeros", given(**ZEROS))]
ZERO_PAIRS = given(
    left=[[0, 0], [3, 4], [3e-6, 4e-6], [0, 0]],
    right=[[1, 2], [0, 0], [4, 3], [0, 0]],
    target=[1, -1, 1, 1],
)
SAME = {
    "anchor": [[1, 1], [0, 0], [2, 1]],
    "positive": [[1, 1], [3, 4], [2, 1]],
    "negative": [[1, 1], [0, 0], [2, 1.5]],
}
TRIPLES = [*plain(TRIPLE), ("nasty", given(**SAME)), ("nasty-float32", given("float32", **SAME))]


def tensors(inputs: Arrays, *names: str) -> list[torch.Tensor]:
    return [torch.tensor(inputs[name]) for name in names]


def torch_call(function: Callable[..., Any], *names: str, **options: Any) -> Any:
    return lambda inputs: function(*tensors(inputs, *names), **options).item()


def optax_rows(function: Callable[..., Any], *names: str) -> Callable[[Arrays], Array]:
    """The library's mean where its losses are not one a sample."""

    def run(inputs: Arrays) -> Any:
        found = function(*(jnp.asarray(inputs[name]) for name in names))
        return found if found.ndim == 1 else float(found.mean())

    return run


def keras_cosine(inputs: Arrays) -> float:
    weight: Array | None = inputs.get("weight")
    loss = keras.losses.CosineSimilarity()
    return loss(inputs["target"], inputs["prediction"], sample_weight=weight).item()


CALLS = [
    Call(
        "cosine_proximity@keras",
        "keras.losses.CosineSimilarity",
        keras_cosine,
        [
            *COSINE,
            ("weighted", fields(ROWS, 5, shape=[4], weight=True)),
            ("nasty-short", given(**SHORT)),
        ],
        rtol=1e-6,  # keras computes in its floatx, which is float32
    ),
    Call(
        "cosine_proximity@optax",
        "optax.losses.cosine_similarity",
        optax_rows(optax.losses.cosine_similarity, *ROWS),
        [*COSINE, ("nasty-short", given(**SHORT))],
    ),
    Call(
        "cosine_distance@optax",
        "optax.losses.cosine_distance",
        optax_rows(optax.losses.cosine_distance, *ROWS),
        [
            *(item for item in COSINE if item[0] != "float32"),
            # of small distances the library has few digits in float32
            ("float32", fields(ROWS, 6, rows=4, shape=[2], dtype="float32")),
            ("nasty-short", given(**SHORT)),
        ],
    ),
    Call(
        "cosine_embedding@torch",
        "torch.nn.functional.cosine_embedding_loss",
        torch_call(F.cosine_embedding_loss, *SIDES, "target"),
        [*plain(SIDES, labels=LABELS), ("nasty-zeros", ZERO_PAIRS)],
    ),
    Call(
        "triplet@torch",
        "torch.nn.functional.triplet_margin_loss",
        torch_call(F.triplet_margin_loss, *TRIPLE),
        TRIPLES,
    ),
    Call(
        "triplet@torch:swap=true,margin=0.25",
        "torch.nn.functional.triplet_margin_loss",
        torch_call(F.triplet_margin_loss, *TRIPLE, swap=True, margin=0.25),
        TRIPLES,
    ),
    Call(
        "triplet@optax",
        "optax.losses.triplet_margin_loss",
        optax_rows(optax.losses.triplet_margin_loss, *TRIPLE),
        TRIPLES,
    ),
    Call(
        "margin_ranking@torch",
        "torch.nn.functional.margin_ranking_loss",
        torch_call(F.margin_ranking_loss, *ORDER, "target"),
        [
            *plain(ORDER, (), labels=LABELS),
            ("nasty-ties", given(positive=[1, 2, 1e4], negative=[1, 2, -1e4], target=[1, -1, -1])),
        ],
    ),
    Call(
        "hinge_embedding@torch",
        "torch.nn.functional.hinge_embedding_loss",
        torch_call(F.hinge_embedding_loss, *ROWS),
        [
            *(
                (label, {**inputs, "names": {"prediction": [0, 2]}})
                for label, inputs in plain(ROWS[:1], (), labels=LABELS)
            ),
            ("nasty", given(prediction=[0, 1, -2, 1e4], target=[-1, -1, -1, 1])),
        ],
    ),
]
