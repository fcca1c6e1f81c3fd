"""The same losses by the libraries' own calls, in float64.

A function here gives the library's numbers for a case, or None where the library has no such
parameter. It never redoes a library's arithmetic: where a library lacks a loss, its parts may be
called (``log_softmax``), and the name says so. A task's module has its losses in LIBRARIES and
imports only the libraries that they need.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

# Before any library that imports torchvision: torchmetrics and segmentation_models_pytorch do.
from tests.reference.libraries import torchvision_ops  # noqa: F401
from tests.reference.modules import entry

os.environ["KERAS_BACKEND"] = "torch"  # read when keras and jax are imported, which is later
os.environ["JAX_ENABLE_X64"] = "true"

KERAS = 1e-6  # its torch backend falls to float32 where an operand is a Python number
Array = NDArray[Any]
Arrays = Mapping[str, Array]
Params = Mapping[str, Any]

PACKAGES = {"sklearn": "scikit-learn"}
VERSIONED = ("jax", "keras", "monai", "numpy", "optax", "scikit-learn", "scipy", "torch")


def versions() -> dict[str, str]:
    return {name: version(name) for name in (*VERSIONED, "mpmath", "torchmetrics")}


def versioned(call: str) -> str:
    """A call with its package's version in front."""
    package = call.split(".")[0]
    return f"{package} {version(PACKAGES.get(package, package))} {call}"


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
        return versioned(self.call)


Library = Callable[[Arrays, Params], "Answer | None"]


def tensor(array: Array) -> torch.Tensor:
    return torch.tensor(array.astype(np.float64))


def both(inputs: Arrays) -> tuple[torch.Tensor, torch.Tensor]:
    return tensor(inputs["prediction"]), tensor(inputs["target"])


def floats(inputs: Arrays) -> tuple[Array, Array]:
    """Prediction and target, one column for each sample."""
    p, y = (inputs[name].astype(float) for name in ("prediction", "target"))
    return p.reshape(len(p), -1).T, y.reshape(len(y), -1).T


def torch_pair(name: str, **renamed: str) -> Library:
    """torch.nn.functional's losses of two tensors; ``renamed`` maps their parameters to ours."""

    def call(inputs: Arrays, params: Params) -> Answer:
        options = {theirs: params[ours] for theirs, ours in renamed.items() if ours in params}
        elements = getattr(F, name)(*both(inputs), reduction="none", **options)
        return Answer(f"torch.nn.functional.{name}", elements.numpy())

    return call


def entropy(p: torch.Tensor, y: torch.Tensor, from_logits: bool) -> tuple[str, torch.Tensor]:
    name = "binary_cross_entropy" + ("_with_logits" if from_logits else "")
    return f"torch.nn.functional.{name}", getattr(F, name)(p, y, reduction="none")


def class_first(inputs: Arrays, params: Params) -> tuple[torch.Tensor, torch.Tensor]:
    p, y = inputs["prediction"].astype(float), inputs["target"]
    axis = params.get("axis")
    if axis is None:
        (axis,) = [a for a in range(1, p.ndim) if p.shape[:a] + p.shape[a + 1 :] == y.shape] or [1]
    p = np.moveaxis(p, axis, 1)
    if y.ndim == p.ndim:
        return torch.tensor(p), torch.tensor(np.moveaxis(y, axis, 1).astype(float))
    return torch.tensor(p), torch.tensor(y.astype(np.int64))


def per_base(value: Array, params: Params) -> Array:
    return value / np.log(params["base"]) if "base" in params else value


def call_of(loss: str) -> Library | None:
    """The library's own call of a loss, if there is one."""
    found: Library | None = entry(__name__, "LIBRARIES", loss)
    return found
