"""Libraries that only some losses need, and that come as extras."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from lossctl.errors import LossctlError
from lossctl.losses.definition import ArrayModule


def need(xp: ArrayModule, module: str, extra: str, loss: str) -> Any:
    """Import a module of an extra; of SciPy, for arrays on a device, CuPy's counterpart.

    Args:
        xp: The array module.
        module: For example `scipy.ndimage`.
        extra: The extra that installs it.
        loss: The loss that asks, for the message.

    Raises:
        LossctlError: It is not installed.
    """
    if xp.__name__ == "cupy" and module.startswith("scipy."):
        module = f"cupyx.{module}"
    try:
        return import_module(module)
    except ImportError as error:
        package = module.partition(".")[0]
        raise LossctlError(
            f"{loss} needs {package}, which cannot be imported: {error}",
            f"install it: pip install 'lossctl[{extra}]'",
        ) from None
