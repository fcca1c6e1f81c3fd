"""`lossctl losses`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from lossctl.cli.console import harmless, show, style
from lossctl.errors import UsageError, nearest

if TYPE_CHECKING:
    from lossctl.losses import Loss


def _complete_loss(_: click.Context, __: click.Parameter, typed: str) -> list[str]:
    from lossctl.losses import all

    return [item.name for item in all() if item.name.startswith(typed.lower())]


def _complete_task(_: click.Context, __: click.Parameter, typed: str) -> list[str]:
    from lossctl.losses import TASKS

    return [task for task in TASKS if task.startswith(typed.lower())]


def _complete_trait(_: click.Context, __: click.Parameter, typed: str) -> list[str]:
    from lossctl.losses.traits import TRAITS

    return [trait for trait in TRAITS if trait.startswith(typed.lower())]


@click.command(
    "losses",
    epilog="""\b
Examples:
  lossctl losses                  all of them, by task, with a guide to choosing
  lossctl losses huber            one: formula, inputs, parameters, conventions, example
  lossctl losses --for segmentation --when imbalanced
  lossctl losses --json           all their facts for programs""",
)
@click.argument("name", required=False, shell_complete=_complete_loss)
@click.option(
    "--for", "task", metavar="TASK", shell_complete=_complete_task,
    help="Only the losses of this task: regression, segmentation, …",
)  # fmt: skip
@click.option(
    "--when", "traits", metavar="TRAIT", multiple=True, shell_complete=_complete_trait,
    help="Only losses with this trait: robust, imbalanced, ordinal, … Repeatable.",
)  # fmt: skip
@click.option(
    "--plugin", "plugins", metavar="FILE.py", multiple=True,
    help="A Python file that registers losses. Repeatable.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="The facts as JSON.")
def command(
    name: str | None,
    task: str | None,
    traits: tuple[str, ...],
    plugins: tuple[str, ...],
    as_json: bool,
) -> None:
    """List the losses by task, or explain one."""
    from lossctl import losses
    from lossctl.render import explain

    for path in plugins:
        losses.load_plugin(path)
    if name and (task or traits):
        raise UsageError("NAME is one loss, and --for and --when choose among all", "leave one out")
    chosen = [losses.get(name)] if name else _chosen(losses.all(), task, traits)
    if as_json:
        show(explain.losses_json(chosen))
    elif name:
        show(explain.loss_page(chosen[0], style()))
    else:
        show(explain.loss_list(chosen, style()))
    for error in losses.broken() if not name else ():
        print(harmless(f"warning: {error.what}; {error.hint}"), file=sys.stderr)


def _chosen(losses: list[Loss], task: str | None, traits: tuple[str, ...]) -> list[Loss]:
    """The losses of the task that have all the traits."""
    from lossctl.losses.traits import TRAITS

    tasks = list(dict.fromkeys(item.task for item in losses))
    if task is not None:
        _known("--for", task, tasks)
    for trait in traits:
        _known("--when", trait, list(TRAITS))
    found = [
        item
        for item in losses
        if (task is None or item.task == task) and set(traits) <= set(item.traits)
    ]
    if not found:
        among = [item for item in losses if task is None or item.task == task]
        offered = sorted({trait for item in among for trait in item.traits})
        raise UsageError(
            f"no loss {f'for {task} ' if task else ''}is {' and '.join(traits)}",
            f"traits that occur there: {', '.join(offered)}",
        )
    return found


def _known(flag: str, word: str, words: list[str]) -> None:
    if word not in words:
        hint = nearest(word, words) or f"one of {', '.join(words)}"
        raise UsageError(f"{flag}: {word!r} is not known", hint)
