"""Right, comparable losses of saved predictions, with their uncertainty.

    report = lossctl.evaluate("huber:delta=2", prediction=p, target=t)
    report.losses[0].value

Importing this package imports nothing else; names are loaded when they are used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from lossctl._version import __version__

if TYPE_CHECKING:
    from lossctl import losses
    from lossctl.comparing import compare
    from lossctl.errors import DataError, LossctlError, SpecError, UsageError
    from lossctl.evaluation import evaluate
    from lossctl.gates.runner import gate
    from lossctl.report import Comparison, Report, Verdict
    from lossctl.verifying import Verification, verify

__all__ = [
    "Comparison",
    "DataError",
    "LossctlError",
    "Report",
    "SpecError",
    "UsageError",
    "Verdict",
    "Verification",
    "__version__",
    "compare",
    "evaluate",
    "gate",
    "losses",
    "verify",
]

_HOME = {
    "DataError": "lossctl.errors",
    "LossctlError": "lossctl.errors",
    "SpecError": "lossctl.errors",
    "UsageError": "lossctl.errors",
    "Comparison": "lossctl.report",
    "Report": "lossctl.report",
    "Verdict": "lossctl.report",
    "compare": "lossctl.comparing",
    "evaluate": "lossctl.evaluation",
    "gate": "lossctl.gates.runner",
    "Verification": "lossctl.verifying",
    "verify": "lossctl.verifying",
}


def __dir__() -> list[str]:
    return __all__


def __getattr__(name: str) -> Any:
    if name == "losses":
        return import_module("lossctl.losses")
    if name in _HOME:
        found = getattr(import_module(_HOME[name]), name)
        globals()[name] = found  # a submodule of the same name must not take its place
        return found
    raise AttributeError(f"module 'lossctl' has no attribute {name!r}")
