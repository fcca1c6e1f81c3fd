"""`lossctl gate --init`: a first file of gates, from predictions that are good enough."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, Sequence
from typing import Any

from lossctl import plan as plans
from lossctl.errors import DataError, UsageError
from lossctl.evaluation import Progress
from lossctl.evaluation import run as evaluate
from lossctl.output.aside import Aside
from lossctl.report import LossResult, Report
from lossctl.sources.reference import parse_reference, scheme_of

ROOM = 0.05  # of a value without an interval


def init(
    path: str,
    losses: Sequence[str],
    inputs: Mapping[str, str],
    *,
    force: bool = False,
    on: str | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
) -> list[str]:
    """Write a file of gates that these predictions pass.

    Args:
        path: Of the file.
        losses: A gate each.
        inputs: References by input name.
        force: Whether to take the place of a file that is there.
        on: The key column.
        threads: Default: the cores that this process may use.
        progress: Told how many rows are done.

    Returns:
        What was done, in lines.

    Raises:
        LossctlError: Something cannot be evaluated, or the file is there.
    """
    if os.path.basename(path) == "pyproject.toml":
        raise UsageError(f"{path} holds more than gates", "name another file: -o lossctl.toml")
    if os.path.exists(path) and not force:
        raise UsageError(f"{path} is there already", "write over it with --force")
    if "-" in inputs.values():
        raise UsageError("standard input can be read once, and gates read it again", "name files")
    plan = plans.make(losses, inputs, on=on, threads=threads, sign=False, quantiles=False)
    report = evaluate(plan, None, progress)
    for item in report.losses:
        if not math.isfinite(item.value):
            raise DataError(
                f"{item.loss} is {item.value:g}, which no limit can be made of",
                "leave it out, or look at the data",
            )
    with Aside() as files:
        files.write(path, _text(path, report, inputs, on))
        files.commit()
    many = "1 gate" if len(report.losses) == 1 else f"{len(report.losses)} gates"
    config = "" if path == "lossctl.toml" else f" {path}"
    return [f"{path}: {many}", f"evaluate them with: lossctl gate{config}"]


def _text(path: str, report: Report, inputs: Mapping[str, str], on: str | None) -> str:
    lines = [
        "# What the predictions must keep to. Evaluate it with: lossctl gate",
        "# Exit status: 0 all gates passed, 1 a gate failed, 2 one could not be evaluated.",
        "",
        "# These hold for every gate; a gate may override them.",
    ]
    for name, reference in inputs.items():
        lines.append(f"{name} = {_quoted(_placed(reference, path))}")
    if on is not None:
        lines.append(f"on = {_quoted(on)}")
    for item in report.losses:
        lines += ["", "[[gate]]", *_gate(item)]
    first = _quoted(report.losses[0].loss)
    extension = os.path.splitext(parse_reference(next(iter(inputs.values()))).path)[1]
    lines += [
        "",
        "# Is it worse than the model that is in use? Name that model's predictions, here or at",
        "# the top. It fails where it is shown to be worse; `lossctl gate --update` accepts the",
        "# predictions as the new baseline.",
        "# [[gate]]",
        '# name = "no worse than the baseline"',
        f"# loss = {first}",
        f'# baseline = "baseline{extension}"',
        "# alpha = 0.05",
        '# max_regression = "1%"  # what may be lost',
        "",
        "# Does it hold in every group of a column?",
        "# [[gate]]",
        f"# loss = {first}",
        '# group = "segment"',
        f"# max = {_rounded(2 * abs(report.losses[0].value)) or 1.0:g}",
    ]
    return "\n".join(lines) + "\n"


def _gate(item: LossResult) -> list[str]:
    interval = item.summary.interval
    if interval is not None and math.isfinite(interval.high):
        high, why = interval.high, f"the upper end of its {interval.level * 100:g} % interval"
    else:
        high = item.value + ROOM * abs(item.value)
        why = f"with {ROOM * 100:g} % of room: it has no interval"
    return [
        f"name = {_quoted(item.loss)}",
        f"loss = {_quoted(item.loss)}",
        f"max = {_rounded(high)!r}  # it is {item.value:.6g}; this is {why}",
        f"samples = {max(item.n, 1)}  # fewer fail: something was lost on the way",
    ]


def _rounded(value: float) -> float:
    """Three digits, rounded up."""
    if value == 0:
        return 0.0
    step = 10.0 ** (math.floor(math.log10(abs(value))) - 2)
    return float(f"{math.ceil(value / step - 1e-9) * step:.3g}")


def _placed(reference: Any, path: str) -> str:
    """A reference as it is seen from the file's folder."""
    found = parse_reference(str(reference))
    folder = os.path.dirname(path)
    if folder and found.path and not scheme_of(found.path) and not os.path.isabs(found.path):
        found = found._replace(path=os.path.relpath(found.path, folder))
    return str(found)


def _quoted(text: str) -> str:
    """A TOML string."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
