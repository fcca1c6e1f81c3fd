"""The backends: every loss on a GPU gives what it gives with NumPy."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import lossctl
from lossctl import backend, losses
from lossctl.losses import Loss
from tests.test_laws import LOSSES, example, spec_of


def why_not() -> str:
    """Why there is no GPU to test on; empty where there is one."""
    try:
        backend.load("cupy")
    except lossctl.UsageError as error:
        return str(error).replace("\n", "; ")
    return ""


REASON = why_not()
on_gpu = pytest.mark.skipif(bool(REASON), reason=REASON or "there is a GPU")


@on_gpu
@pytest.mark.parametrize("loss", LOSSES, ids=lambda item: item.name)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_device_agrees_with_the_host(loss: Loss, dtype: Any) -> None:
    inputs = {
        name: array.astype(dtype) if array.dtype.kind == "f" else array
        for name, array in example(loss).items()
    }
    host = lossctl.evaluate(spec_of(loss), **inputs).losses[0].value
    device = lossctl.evaluate(spec_of(loss), backend="cupy", **inputs).losses[0].value
    assert device == pytest.approx(host, rel=1e-12 if dtype is np.float64 else 1e-5)


@on_gpu
def test_arrays_on_the_device_are_taken(seed: int = 0) -> None:
    import cupy

    values = cupy.random.RandomState(seed).standard_normal(1000)
    found = lossctl.evaluate("mse", prediction=values, target=values * 0, backend="cupy")
    assert found.losses[0].value == pytest.approx(float((values**2).mean()), rel=1e-12)


def test_without_a_gpu_it_is_a_clear_error() -> None:
    if not REASON:
        pytest.skip("there is a GPU")
    with pytest.raises(lossctl.UsageError, match="--backend cupy") as caught:
        lossctl.evaluate("mse", prediction=[1.0], target=[0.0], backend="cupy")
    assert caught.value.hint


@pytest.mark.parametrize("x", [1.0, 2.0, 0.5, 171.0, 1e-3, 1e6, 3.7])
def test_log_gamma(x: float) -> None:
    found = backend.gammaln(np, np.array([x]))[0]
    assert found == pytest.approx(math.lgamma(x), rel=1e-15)


def test_log_gamma_at_its_poles_is_infinite() -> None:
    assert backend.gammaln(np, np.array([0.0, -1.0])).tolist() == [math.inf, math.inf]


def test_kernels_are_told_their_array_module() -> None:
    """No kernel reaches for NumPy itself: it would not run on a device."""
    for loss in losses.all():
        assert "numpy" not in loss.kernel.__globals__
        assert "np" not in loss.kernel.__globals__
