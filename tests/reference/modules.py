"""The tasks' modules of the packages here: adding a task takes only new files.

A package has a module for each task of ``lossctl.losses.TASKS`` that it knows something about. A
module that is not there is passed over; one that is there and cannot be imported is an error.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any

from lossctl.losses import TASKS, get


def module(package: str, task: str) -> ModuleType | None:
    name = f"{package}.{task}"
    return import_module(name) if find_spec(name) else None


def modules(package: str, tasks: Iterable[str] | None = None) -> Iterator[tuple[str, ModuleType]]:
    """The modules that exist, in the order of the tasks; all tasks by default."""
    for task in TASKS:
        if (tasks is None or task in tasks) and (found := module(package, task)):
            yield task, found


def entry(package: str, table: str, loss: str) -> Any:
    """A loss's entry in the dict of that name in its task's module; None where it has none.

    Only that module is imported, so that an unfinished one stops nobody else.
    """
    found = module(package, get(loss).task)
    return found and getattr(found, table).get(loss)
