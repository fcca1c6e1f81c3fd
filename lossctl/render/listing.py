"""The list of losses, with a guide to choosing that is made of their own facts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from lossctl.render.screen import line
from lossctl.render.sections import section, task_title

if TYPE_CHECKING:
    from lossctl.losses.definition import Loss
    from lossctl.render.options import Style

_GUIDED = 2  # losses of a task that the guide speaks of
_TELLING = 1 / 3  # a trait that more of the losses share tells nothing apart


def loss_list(losses: Iterable[Loss], style: Style) -> str:
    """The losses by task, one a line, and how to choose among them."""
    losses = list(losses)
    tasks: dict[str, list[Loss]] = defaultdict(list)
    for loss in losses:
        tasks[loss.task].append(loss)
    # one width for all, so that the summaries stand under each other
    width = max((len(loss.name) for loss in losses), default=0)
    parts = []
    for task, members in tasks.items():
        rows = [(loss.name.ljust(width), _called(loss)) for loss in members]
        parts.append(section(task_title(task), rows, style))
    parts += [_by_task(tasks.values(), width, style), _by_trait(losses, width, style)]
    parts.append(line("One in full, with an example to run: lossctl losses NAME", style, "dim"))
    return "\n\n".join(filter(None, parts))


def _called(loss: Loss) -> str:
    return f"{loss.summary} [{', '.join(loss.aliases)}]" if loss.aliases else loss.summary


def _by_task(tasks: Iterable[list[Loss]], width: int, style: Style) -> str:
    """What the best-known losses of each task are for, and what they are sensitive to."""
    rows = []
    for members in tasks:
        # Best known are those that most libraries have.
        known = sorted(members, key=lambda loss: -len(loss.conventions))[:_GUIDED]
        rows += [(loss.name.ljust(width), loss.use) for loss in members if loss in known]
    return section("Choosing", rows, style)


def _by_trait(losses: Sequence[Loss], width: int, style: Style) -> str:
    traits: dict[str, list[str]] = defaultdict(list)
    for loss in losses:
        for trait in loss.traits:
            traits[trait].append(loss.name)
    rows = [
        (trait.ljust(width), ", ".join(names))
        for trait, names in traits.items()
        if 1 < len(names) < _TELLING * len(losses)
    ]
    return section("Choosing by trait", rows, style)
