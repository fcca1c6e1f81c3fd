"""All that is known of one loss. Only the plot and the conventions' values need NumPy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lossctl.losses.definition import REQUIRED
from lossctl.render.contrast import contrast
from lossctl.render.curve import plot
from lossctl.render.example import commands
from lossctl.render.screen import line
from lossctl.render.sections import Row, lines, section, task_title
from lossctl.render.text import number
from lossctl.spec import format_value

if TYPE_CHECKING:
    from lossctl.losses.definition import Input, Loss, Param
    from lossctl.render.options import Style
    from lossctl.spec import Value


def loss_page(loss: Loss, style: Style) -> str:
    """One loss: what it is, what it takes, whose it is, and an example to run."""
    also = f"also: {', '.join(loss.aliases)}" if loss.aliases else ""
    origin = f"from {loss.origin}" if loss.origin else ""
    head = [
        line(f"{loss.name}: {loss.summary}", style, "bold"),
        line("; ".join(filter(None, (task_title(loss.task), also, origin))), style, "dim"),
    ]
    sections = [
        section(
            "Formula", [(text,) for text in (*loss.formula.splitlines(), *_measured(loss))], style
        ),
        section("When to use", [(loss.use,), (", ".join(loss.traits),)], style),
        section("Inputs", [*map(_input, loss.inputs), *_needed(loss)], style),
        section("Parameters", list(map(_param, loss.params)), style),
        section("Conventions", _conventions(loss), style),
        section("Same arrays, different numbers", contrast(loss), style),
        lines("Example", [*commands(loss), f"value: {number(loss.example.value)}"], style),
        lines("Curve", plot(loss, style.unicode), style),
        section("Reference", [(loss.reference,)], style),
    ]
    return "\n\n".join(["\n".join(head), *filter(None, sections)])


def _measured(loss: Loss) -> list[str]:
    """The unit, and what the value needs that a mean does not."""
    found = [f"unit: {loss.unit}"] if loss.unit else []
    if loss.finish is not None:
        found.append(
            "the value is computed from the mean statistics of all samples"
            f"{_when(loss.finish_when)}; it is not the mean of single samples' losses"
        )
    if loss.whole or loss.whole_when is not None:
        beside = f", and beside them {loss.memory}" if loss.memory else ""
        found.append(f"needs all rows at once, in memory{beside}{_when(loss.whole_when)}")
    if loss.single or loss.whole_when is not None:
        found.append(f"one number of all rows: no per-sample losses{_when(loss.whole_when)}")
    if loss.unpaired:
        found.append("the inputs are samples of their own, of any lengths")
    return found


def _when(condition: tuple[str, Value] | None) -> str:
    return f" where {condition[0]}={format_value(condition[1])}" if condition else ""


def _input(item: Input) -> Row:
    domain = item.domain.text if item.domain else ""
    remarks = (
        domain,
        f"any number if {item.unless}=true" if domain and item.unless else "",
        "whole numbers" if item.labels and not (domain or item.help) else "",
        "optional" if item.optional else "",
        f"or one number for all: {item.name}=…" if item.constant else "",
        item.help,
    )
    return item.name, item.shape, "; ".join(filter(None, remarks))


def _needed(loss: Loss) -> list[Row]:
    sets = (" and ".join(names) for names in loss.alternatives)
    return [("needed", "", ", or ".join(sets))] if loss.alternatives else []


def _param(param: Param) -> Row:
    default = "required" if param.default == REQUIRED else f"= {format_value(param.default)}"
    bounds = param.bounds if param.kind != "flag" else ""
    unit = f"unit: {param.unit}" if param.unit else ""
    return param.name, default, "; ".join(filter(None, (param.help, bounds, unit)))


def _conventions(loss: Loss) -> list[Row]:
    rows: list[Row] = []
    for name, convention in loss.conventions.items():
        params = (f"{key}={format_value(value)}" for key, value in convention.params.items())
        mean = convention.reduction == "mean"
        reduction = "" if mean else f"--reduction {convention.reduction}"
        rows.append((f"{loss.name}@{name}", convention.call))
        rules = (
            "a sum adds means over the last axis" if convention.row_means else "",
            "sample weights multiply, the mean divides by the count"
            if convention.multiplies
            else "",
            ""
            if convention.empty != convention.empty
            else f"{convention.empty:g} where all is ignored",
        )
        # on a line of its own, so that the call's long name is not folded for it
        rows.append(("", "; ".join(filter(None, (convention.note, *params, reduction, *rules)))))
    return [row for row in rows if row[1]]
