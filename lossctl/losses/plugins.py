"""Losses of other people: a file, or an installed package with the entry point `lossctl.losses`.

A plugin is a module that uses `@loss` as the modules of `losses.tasks` do. Nothing of it
changes a loss that is there already: a name is given once.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from lossctl.errors import LossctlError
from lossctl.losses.definition import REGISTRY

GROUP = "lossctl.losses"

BROKEN: list[LossctlError] = []
"""The installed packages that cannot be imported; the losses of the others are there."""

_loaded: set[str] = set()


def load_file(path: str) -> None:
    """Register the losses of a Python file.

    Args:
        path: For example `my_losses.py`; its losses' task is the file's name, unless they
            say another.

    Raises:
        LossctlError: There is no such file, it cannot be imported, or it has no loss.
    """
    import hashlib
    from importlib.util import module_from_spec, spec_from_file_location

    file = Path(path)
    if str(file.resolve()) in _loaded:
        return
    if not file.is_file():
        raise LossctlError(f"plugin {path}: there is no such file", "give the path of a .py file")
    found = spec_from_file_location(file.stem, file)
    if found is None or found.loader is None:
        raise LossctlError(f"plugin {path}: not a Python file", "give the path of a .py file")
    module, loader = module_from_spec(found), found.loader

    def run() -> None:
        sys.modules.setdefault(file.stem, module)
        loader.exec_module(module)

    digest = hashlib.sha256(file.read_bytes()).hexdigest()[:12]
    if not _register(f"plugin {path}", f"{file.name}#{digest}", run):
        raise LossctlError(
            f"plugin {path}: it registers no loss", "decorate a kernel with lossctl.losses.loss"
        )
    _loaded.add(str(file.resolve()))


def load_installed() -> None:
    """Register the losses of every installed package that has the entry point, once.

    One that cannot be imported stands in `BROKEN`: it stops only those who look for its losses.
    """
    from importlib.metadata import entry_points

    for point in entry_points(group=GROUP):
        if point.value in _loaded:
            continue
        package = f"{point.dist.name} {point.dist.version}" if point.dist else point.module
        _loaded.add(point.value)
        try:
            _register(f"plugin {package} ({point.value})", package, point.load)
        except LossctlError as error:
            BROKEN.append(error)


def _register(name: str, origin: str, run: Callable[[], Any]) -> bool:
    """Run a plugin and say of its losses where they come from; whether it has any.

    What it registered before it failed is forgotten.
    """
    before = dict(REGISTRY)
    try:
        run()
    except BaseException as error:
        REGISTRY.clear()
        REGISTRY.update(before)
        if isinstance(error, KeyboardInterrupt):
            raise
        what = str(error) if isinstance(error, LossctlError) else f"{type(error).__name__}: {error}"
        raise LossctlError(
            f"{name} cannot be imported: {' '.join(what.split())}", "mend it, or leave it out"
        ) from error
    fresh = {key: item for key, item in REGISTRY.items() if key not in before}
    own = {item: replace(item, origin=origin) for item in set(fresh.values())}
    REGISTRY.update({key: own[item] for key, item in fresh.items()})
    return bool(own)
