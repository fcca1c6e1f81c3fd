"""The libraries' own calls, with their defaults, against ``loss@library``.

A task's module has its CALLS. Labels name what is special about the inputs; one of each
convention's says "nasty" and has the values that clamps and epsilons are for. Three at least are
wanted of each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from tests.reference.compare import SMALL, encode, tolerance
from tests.reference.inputs import Array, Arrays, Key, build, digest
from tests.reference.libraries import versioned
from tests.reference.modules import modules


class Call(NamedTuple):
    """A convention's spec, the library's call, and the inputs of both.

    An array that is named weight goes to ``lossctl.evaluate`` as weight=, and to the library's
    call as it likes.
    """

    spec: str  # "bce@torch:from_logits=true"
    source: str  # the library's call as text, "torch.nn.functional.binary_cross_entropy"
    run: Callable[[Arrays], float | Array]  # an array has a value for each sample
    inputs: Sequence[tuple[str, Key]]  # label and key
    rtol: float | None = None  # what the coarsest input's type allows; say it of a float32 library
    options: Mapping[str, Any] = {}  # further keywords for lossctl.evaluate (reduction, …)


def all_calls(tasks: Iterable[str] | None = None) -> list[Call]:
    """The calls of these tasks; of all by default."""
    return [call for _, module in modules(__name__, tasks) for call in module.CALLS]


class Answered(NamedTuple):
    inputs: Arrays
    value: float
    per_sample: list[float] | None
    rtol: float


def answer(call: Call, key: Key) -> Answered:
    """The library's number; of an array, the mean or the sum."""
    inputs = build(key)
    result = np.asarray(call.run(inputs), float)
    rtol = tolerance(inputs) if call.rtol is None else call.rtol
    if result.ndim == 0:
        return Answered(inputs, float(result), None, rtol)
    reduction = call.options.get("reduction", "mean")
    if result.ndim > 1 or reduction not in ("mean", "sum") or "weight" in inputs:
        raise ValueError("an array is one value for each sample, for an unweighted mean or sum")
    value = result.sum() if reduction == "sum" else result.mean()
    samples = result.tolist() if len(result) <= SMALL else None
    return Answered(inputs, float(value), samples, rtol)


def record(call: Call, label: str, key: Key) -> dict[str, Any]:
    answered = answer(call, key)
    found: dict[str, Any] = {
        "id": f"{call.spec} {label}",
        "spec": call.spec,
        "inputs": key,
        "digest": digest(answered.inputs),
        "options": dict(call.options),
        "value": encode(answered.value),
        "source": versioned(call.source),
        "rtol": answered.rtol,
    }
    if answered.per_sample is not None:
        found["per_sample"] = [encode(value) for value in answered.per_sample]
    return found


def records(task: str) -> tuple[list[dict[str, Any]], list[str]]:
    """A task's records, and what went wrong."""
    found: dict[str, dict[str, Any]] = {}
    failures = []
    for call in all_calls([task]):
        for label, key in call.inputs:
            name = f"{call.spec} {label}"
            if name in found:
                failures.append(f"{name}: two records have this name")
                continue
            try:
                found[name] = record(call, label, key)
            except Exception as problem:  # name the call, whatever it was
                failures.append(f"{name}: {type(problem).__name__}: {problem}")
    return list(found.values()), failures
