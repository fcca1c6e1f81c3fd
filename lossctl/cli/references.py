"""The words by which commands name their inputs."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeVar

import click

from lossctl.errors import UsageError

Command = TypeVar("Command", bound=Callable[..., Any])


def _only(_: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> str | None:
    """The one value of an option; without this the last would silently win."""
    if len(values) > 1:
        given = " and ".join(values)
        raise UsageError(f"{parameter.opts[-1]} is given twice: {given}", "give it once")
    return values[0] if values else None


def once(*names: str, **facts: Any) -> Callable[[Command], Command]:
    """An option that may be given once."""
    return click.option(*names, multiple=True, callback=_only, **facts)


def named(
    prediction_file: str | None,
    target_file: str | None,
    prediction: str | None,
    target: str | None,
) -> dict[str, Any]:
    """The main inputs as references, by input name."""
    found: dict[str, Any] = {}
    for name, path, columns in (
        ("prediction", prediction_file, prediction),
        ("target", target_file, target),
    ):
        if path and columns and "::" in path:
            raise UsageError(
                f"{path} names columns, and so does --{name} {columns}", "name them once"
            )
        if path or columns:
            found[name] = f"{path or ''}::{columns}" if columns else path
    return found


def with_inputs(main: dict[str, Any], inputs: tuple[str, ...]) -> dict[str, Any]:
    """The inputs as they were named, by input name, with those of `--input`."""
    found = dict(main)
    for item in inputs:
        name, sign, reference = item.partition("=")
        if not sign or not name or not reference:
            raise UsageError(f"--input {item}: not NAME=REF", "for example: --input variance=v.npy")
        if name in found:
            raise UsageError(f"the input {name} is given twice", "give it once")
        # a bare word is a column of PREDICTION, as it is for --weight and --by
        bare = name == "target" and not re.search(r"[/:.*]", reference)
        found[name] = f"::{reference}" if bare else reference
    return found
