"""What the tests and the programs that freeze share: the files, and when two numbers agree."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from tests.reference.inputs import Array, Arrays, build

FROZEN = Path(__file__).with_name("frozen")
SMALL = 60  # rows up to which the per-sample values are kept
TOLERANCE = {"float16": 1e-6, "float32": 1e-6, "complex64": 1e-6}


def frozen(folder: Path) -> list[dict[str, Any]]:
    """The cases of all files of a folder."""
    files = sorted(folder.glob("*.json"))
    return [case for file in files for case in json.loads(file.read_text("utf-8"))["cases"]]


def tolerance(arrays: Arrays) -> float:
    """What the coarsest of the inputs' types allows."""
    return max(TOLERANCE.get(array.dtype.name, 1e-12) for array in arrays.values())


def encode(value: Any) -> float | str:
    number = float(value)
    return number if math.isfinite(number) else str(number)


@lru_cache(maxsize=4)
def arrays(key: str) -> Arrays:
    return build(json.loads(key))


def inputs_of(case: Mapping[str, Any]) -> dict[str, Any]:
    return arrays(json.dumps(case["inputs"]))


def close(found: Array, wanted: Array, rtol: float) -> Array:
    """Equal infinities and NaNs agree."""
    # Where terms of order 1 cancel to exactly 0 their rounding is left; no relative error exists.
    slack = np.where(wanted == 0, rtol / 10, 0.0)
    with np.errstate(invalid="ignore"):
        near = np.abs(found - wanted) <= rtol * np.abs(wanted) + slack
    near &= np.isfinite(found) & np.isfinite(wanted)
    return np.asarray(near | (found == wanted) | (np.isnan(found) & np.isnan(wanted)))


def agree(found: Any, wanted: Any, rtol: float) -> None:
    found, wanted = np.asarray(found, float), np.asarray(wanted, float)
    assert found.shape == wanted.shape
    near = close(found, wanted, rtol)
    assert near.all(), f"found {found[~near]}, the reference is {wanted[~near]}"
