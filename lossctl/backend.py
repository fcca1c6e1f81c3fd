"""The array module that losses are evaluated with. Only this module imports CuPy."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from lossctl.errors import UsageError

Array = Any
NAMES = ("numpy", "cupy")


class Backend(NamedTuple):
    """An array module, and the way to it and back."""

    name: str
    xp: Any
    device: Callable[[Array], Array]  # from host memory
    host: Callable[[Array], Array]  # to host memory
    parallel: bool  # whether blocks may be evaluated on several threads


def load(name: str) -> Backend:
    """The backend of this name.

    Raises:
        UsageError: CuPy is not installed, or finds no GPU.
    """
    if name == "numpy":
        import numpy

        return Backend(name, numpy, lambda array: array, lambda array: array, True)
    return _cupy()


def _cupy() -> Backend:
    try:
        import cupy
    except ImportError as error:
        raise UsageError(
            f"--backend cupy: CuPy cannot be imported ({error})",
            "install it for your CUDA version, for example: pip install 'lossctl[cupy]'",
        ) from None
    try:
        count = cupy.cuda.runtime.getDeviceCount()
    except cupy.cuda.runtime.CUDARuntimeError as error:
        raise UsageError(
            f"--backend cupy: no usable GPU ({error})",
            "check the driver with nvidia-smi, or leave out --backend cupy",
        ) from None
    if count == 0:
        raise UsageError("--backend cupy: there is no GPU", "leave out --backend cupy")
    return Backend("cupy", cupy, cupy.asarray, cupy.asnumpy, False)


def gammaln(xp: Any, x: Array) -> Array:
    """log |Γ(x)|, element by element, of an array of either module."""
    if xp.__name__ == "cupy":
        from cupyx.scipy.special import gammaln as on_device

        return on_device(x)
    # NumPy has no gamma function; math's is exact to the last digits, and its range
    # error at the poles is the infinity that they are.
    return xp.frompyfunc(_lgamma, 1, 1)(x).astype(x.dtype)


def erf(xp: Any, x: Array) -> Array:
    """The error function, element by element, of an array of either module."""
    if xp.__name__ == "cupy":
        from cupyx.scipy.special import erf as on_device

        return on_device(x)
    return xp.frompyfunc(math.erf, 1, 1)(x).astype(x.dtype)  # NumPy has none


def _lgamma(x: float) -> float:
    try:
        return math.lgamma(x)
    except (ValueError, OverflowError):
        return math.inf
