"""What is known of the losses, as JSON (schema `losses-1.json`)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from lossctl.losses.definition import REQUIRED
from lossctl.render.example import commands
from lossctl.render.json_text import pretty, strict

if TYPE_CHECKING:
    from lossctl.losses.definition import Loss
    from lossctl.spec import Value

SCHEMA = "lossctl.losses/1"


def losses_json(losses: Iterable[Loss]) -> str:
    """The losses in one document; for one loss a list of one."""
    facts = [loss_dict(loss) for loss in losses]
    return pretty(strict({"schema": SCHEMA, "losses": facts}))


def loss_dict(loss: Loss) -> dict[str, Any]:
    """All facts of a loss as plain values."""
    example = loss.example
    return {
        "name": loss.name,
        "aliases": list(loss.aliases),
        "task": loss.task,
        "summary": loss.summary,
        "formula": loss.formula,
        "unit": loss.unit,
        "inputs": [
            {
                "name": item.name,
                "shape": item.shape,
                "domain": item.domain.text if item.domain else None,
                "unless": item.unless or None,
                "optional": item.optional,
                "constant": item.constant,
                "labels": item.labels,
                "help": item.help,
            }
            for item in loss.inputs
        ],
        "alternatives": [list(names) for names in loss.alternatives],
        "unpaired": loss.unpaired,
        "params": [
            {
                "name": param.name,
                "required": param.default == REQUIRED,
                "default": None if param.default == REQUIRED else param.default,
                "kind": param.kind,
                "bounds": param.bounds,
                "choices": list(param.choices),
                "unit": param.unit,
                "help": param.help,
            }
            for param in loss.params
        ],
        "conventions": [
            {
                "name": name,
                "call": convention.call,
                "params": dict(convention.params),
                "reduction": convention.reduction,
                "note": convention.note,
                "row_means": convention.row_means,
                "multiplies": convention.multiplies,
                "empty": convention.empty,
            }
            for name, convention in loss.conventions.items()
        ],
        "traits": list(loss.traits),
        "use": loss.use,
        "reference": loss.reference,
        "example": {
            "inputs": dict(example.inputs),
            "params": dict(example.params),
            "reduction": example.reduction,
            "value": example.value,
            "command": " && ".join(commands(loss)),
        },
        "finish": loss.finish is not None,
        "finish_when": _condition(loss.finish_when),
        "whole": loss.whole or _condition(loss.whole_when),
        "single": loss.single or _condition(loss.whole_when),
        "memory": loss.memory or None,
        "curve": loss.curve or None,
        "contrast": dict(loss.contrast) or None,
        "origin": loss.origin or None,
    }


def _condition(condition: tuple[str, Value] | None) -> dict[str, Any] | None:
    return condition and {"param": condition[0], "value": condition[1]}
