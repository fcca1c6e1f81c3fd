"""The command line that evaluates a loss's own example."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from lossctl.render.text import number
from lossctl.spec import LossSpec

if TYPE_CHECKING:
    from lossctl.losses.definition import Loss

CSV, NPZ = "example.csv", "example.npz"


def commands(loss: Loss) -> tuple[str, str]:
    """Two lines for a shell: one writes the example's inputs to a file, one evaluates it.

    Numbers in rows of one length go into CSV, which everybody can read; the others (images,
    matrices, complex numbers, inputs of different lengths) into NPZ.
    """
    inputs = {name: _listed(value) for name, value in loss.example.inputs.items()}
    columns = _columns(inputs)
    write = _npz(inputs) if columns is None else _csv(columns)
    words = ["lossctl", "eval"]
    if columns is None:
        words += [f"{NPZ}::{name}" for name in ("prediction", "target") if name in inputs]
    elif {"prediction", "target"} & set(inputs):
        words.append(CSV)
    for name in inputs:
        wide = columns is not None and name not in columns
        held = f"{name}_*" if wide else name
        if name not in ("prediction", "target"):
            words += ["--input", f"{name}={NPZ if columns is None else CSV}::{held}"]
        elif wide:
            words += [f"--{name}", held]
    words += ["-l", str(LossSpec(loss.name, None, tuple(loss.example.params.items())))]
    if loss.example.reduction != "mean":
        words += ["--reduction", loss.example.reduction]
    return write, shlex.join(words)


def _listed(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else value


def _columns(inputs: Mapping[str, Any]) -> dict[str, list[Any]] | None:
    """The inputs as columns of one table; None where they do not make one."""
    columns: dict[str, list[Any]] = {}
    for name, rows in inputs.items():
        if not isinstance(rows, list | tuple):
            return None
        wide = isinstance(rows[0], list | tuple)
        if not wide:
            columns[name] = list(rows)
            continue
        if any(len(row) != len(rows[0]) for row in rows):
            return None
        for i in range(len(rows[0])):
            columns[f"{name}_{i}"] = [row[i] for row in rows]
    flat = [value for column in columns.values() for value in column]
    one_length = len({len(column) for column in columns.values()}) == 1
    return columns if one_length and all(isinstance(v, int | float) for v in flat) else None


def _csv(columns: Mapping[str, list[Any]]) -> str:
    rows = [columns, *(map(_field, row) for row in zip(*columns.values(), strict=True))]
    text = "".join(",".join(row) + r"\n" for row in rows)  # printf's, not a line's end
    return f"printf '{text}' > {CSV}"


def _field(value: Any) -> str:
    return number(value) if isinstance(value, float) else str(value).lower()


def _npz(inputs: Mapping[str, Any]) -> str:
    arrays = ", ".join(f"{name}={value!r}" for name, value in inputs.items())
    code = f'import numpy; numpy.savez("{NPZ}", {arrays})'
    return f"python -c {shlex.quote(code)}"
