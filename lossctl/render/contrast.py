"""What each convention of a loss makes of the same arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lossctl.errors import LossctlError
from lossctl.losses import each_convention
from lossctl.losses.definition import REQUIRED
from lossctl.render.text import number
from lossctl.spec import LossSpec

if TYPE_CHECKING:
    from lossctl.losses.definition import Loss


def contrast(loss: Loss) -> list[tuple[str, str]]:
    """Rows of a spec and its value, under the inputs; none where there is one definition.

    The inputs are those that tell the conventions apart, or else the example's.
    """
    if not loss.conventions:
        return []
    given = dict(loss.contrast or loss.example.inputs)
    names = {item.name for item in loss.inputs}
    inputs = {name: value for name, value in given.items() if name in names}
    rows = [(name, _shown(value)) for name, value in inputs.items()]
    # what a convention brings must not be hidden by what the example gives
    needed = {param.name for param in loss.params if param.default == REQUIRED}
    known = {key: value for key, value in loss.example.params.items() if key in needed}
    known |= {key: value for key, value in given.items() if key not in names}
    params = tuple(known.items())
    all_of_them = str(LossSpec(loss.name, "*", params))
    return rows + [(spec, _value(spec, inputs)) for spec in each_convention(all_of_them)]


def _shown(value: Any) -> str:
    text = repr(value.tolist() if hasattr(value, "tolist") else value)
    return text if len(text) <= 200 else f"{text[:199]}…"


def _value(spec: str, inputs: dict[str, Any]) -> str:
    from lossctl.evaluation import evaluate

    try:
        return number(evaluate(spec, **inputs, confidence=None).losses[0].value)
    except LossctlError as error:
        return error.what
