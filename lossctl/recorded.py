"""What a report says of how it was made, so that it can be made again.

`record` writes a plan down in plain values, `plan_of` makes the plan again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from lossctl.errors import DataError, UsageError, as_json
from lossctl.plan import Plan, Source
from lossctl.report import plain
from lossctl.sources import Reference, parse_reference
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

    given = _whole(options)
    inputs = {name: _source(name, text, root) for name, text in given["inputs"].items()}
    by = {name: _source(f"by {name}", text, root) for name, text in given["by"].items()}
    sides: dict[str, Any] = {
        name: None if given[name] is None else _source(name, given[name], root)
        for name in ("weight", "cluster")
    }
    fields: dict[str, Any] = {name: given[name] for name in ("on", *PLAIN)}
    how = Format(given["input_format"], given["delimiter"], given["header"])
    return plans.make(
        given["losses"], inputs, by=by, threads=threads, format=how, **sides, **fields
    )


def _source(name: str, text: str, root: str) -> str:
    """A reference as it was typed, from the root on."""
    if text == MEMORY:
        raise UsageError(
            f"{name} was an array in memory, which the report does not hold",
            "only what was read from files can be evaluated again",
        )
    found = parse_reference(text)
    if found.path == "-":
        raise UsageError(
            f"{name} came from standard input, which is gone",
            "only what was read from files can be evaluated again",
        )
    return str(found.within("" if root == "." else root))


# ---- what was recorded, checked: the plan checks the words ---------------------------------


def _is_text(value: Any) -> bool:
    return value is None or isinstance(value, str)


def _is_number(value: Any) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def _is_list(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _is_table(value: Any) -> bool:
    return isinstance(value, Mapping) and all(isinstance(item, str) for item in value.values())


_CHECKS: Mapping[str, Callable[[Any], bool]] = {
    "losses": _is_list,
    "inputs": _is_table,
    "weight": _is_text,
    "by": _is_table,
    "cluster": _is_text,
    "on": _is_text,
    **dict.fromkeys(PLAIN, _is_text),
    "confidence": _is_number,
    "bootstrap": _is_number,
    "seed": lambda value: value is not None and _is_number(value),
    "input_format": _is_text,
    "delimiter": _is_text,
    "header": lambda value: isinstance(value, bool),
}
"""Of each option, whether a value is of its kind."""


def _whole(options: Mapping[str, Any]) -> Mapping[str, Any]:
    """The options, if each is there and of its kind.

    Raises:
        DataError: With the one that is not.
    """
    for name, holds in _CHECKS.items():
        if name in options and holds(options[name]):
            continue
        found = f"{name} is {as_json(options[name])}" if name in options else f"{name} is missing"
        raise DataError(
            f"the report's options are not whole: {found}",
            "they are written by lossctl eval --json, and not for editing",
        )
    return options
