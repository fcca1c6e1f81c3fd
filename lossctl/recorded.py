"""What a report says of how it was made, so that it can be made again.

`record` writes a plan down in plain values, `plan_of` makes the plan again.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any

from lossctl.errors import DataError, UsageError
from lossctl.plan import Plan, Source
from lossctl.report import plain
from lossctl.sources import Reference
from lossctl.sources.table import Format

PLAIN = (
    "unmatched",
    "reduction",
    "nan",
    "dtype",
    "backend",
    "confidence",
    "bootstrap",
    "seed",
    "interval",
)
"""The fields of a plan that are plain values already."""

MEMORY = "(array)"
"""Stands for data in memory, as in the report's inputs."""

_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")


def record(plan: Plan) -> dict[str, Any]:
    """All that the numbers depend on, in JSON's own types; data in memory are `MEMORY`."""
    specs = [str(bound.spec) for bound in plan.losses]
    return {
        # of two names of one loss, as typed
        "losses": [
            bound.label if specs.count(spec) > 1 else spec
            for bound, spec in zip(plan.losses, specs)
        ],
        "inputs": {name: _text(source) for name, source in plan.inputs.items()},
        "weight": _named(plan.weight),
        "by": {name: _text(source) for name, source in plan.by.items()},
        "cluster": _named(plan.cluster),
        "on": "row" if plan.by_row else plan.on,
        **{name: plain(getattr(plan, name)) for name in PLAIN},
        "input_format": plan.format.input_format,
        "delimiter": plan.format.delimiter,
        "header": plan.format.header,
    }


def _text(source: Source) -> str:
    return str(source) if isinstance(source, Reference) else MEMORY


def _named(source: Source | None) -> str | None:
    return None if source is None else _text(source)


def plan_of(options: Mapping[str, Any], root: str = ".", threads: int | None = None) -> Plan:
    """The plan that was recorded.

    Args:
        options: From `record`.
        root: The folder that relative paths start from.
        threads: Default: the cores that this process may use.

    Raises:
        UsageError: The data were in memory or came from standard input.
        DataError: The options are not whole.
        SpecError: A loss that there is no more.
    """
    from lossctl import plan as plans

    try:
        losses = list(options["losses"])
        inputs = {name: _source(name, text, root) for name, text in options["inputs"].items()}
        by = {name: _source(f"by {name}", text, root) for name, text in options["by"].items()}
        sides: dict[str, Any] = {
            name: None if options[name] is None else _source(name, options[name], root)
            for name in ("weight", "cluster")
        }
        fields: dict[str, Any] = {name: options[name] for name in ("on", *PLAIN)}
        how = Format(options["input_format"], options["delimiter"], options["header"])
    except (KeyError, TypeError, AttributeError) as error:
        raise DataError(
            f"the report's options are not whole: {type(error).__name__}: {error}",
            "they are written by lossctl eval --json, and not for editing",
        ) from None
    return plans.make(losses, inputs, by=by, threads=threads, format=how, **sides, **fields)


def _source(name: str, text: str, root: str) -> str:
    """A reference as it was typed, from the root on."""
    if text == MEMORY:
        raise UsageError(
            f"{name} was an array in memory, which the report does not hold",
            "only what was read from files can be evaluated again",
        )
    path, sign, columns = text.partition("::")
    if path == "-":
        raise UsageError(
            f"{name} came from standard input, which is gone",
            "only what was read from files can be evaluated again",
        )
    if path and not os.path.isabs(path) and not _URI.match(path) and root != ".":
        path = os.path.join(root, path)
    return f"{path}{sign}{columns}"
