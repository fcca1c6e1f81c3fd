"""Runs the libraries' calls as they are installed, against lossctl: what differs, and how many.

refs/bin/python -m tests.reference.conformance [TASK…]
"""

from __future__ import annotations

import argparse
import sys
from typing import Any

import numpy as np

import lossctl
from tests.reference.compare import close
from tests.reference.conventions import Call, all_calls, answer
from tests.reference.inputs import Key
from tests.reference.libraries import versioned


def row(call: Call, label: str, key: Key) -> tuple[str, ...] | None:
    """The call, both numbers and the largest relative difference; None where they agree."""
    name = f"{call.spec} {label}"
    try:
        answered = answer(call, key)
    except Exception as problem:  # of the library, whatever it was
        return name, f"{type(problem).__name__}: {problem}", "", "", call.source
    wanted: list[Any] = [answered.value, *(answered.per_sample or ())]
    samples = answered.per_sample is not None
    try:
        report = lossctl.evaluate(call.spec, **answered.inputs, per_sample=samples, **call.options)
    except lossctl.LossctlError as problem:
        return name, f"{answered.value:.17g}", f"refused: {problem}", "", versioned(call.source)
    loss = report.losses[0]
    found: list[Any] = [loss.value, *(loss.per_sample if samples else ())]
    ours, theirs = np.array(found, float), np.array(wanted, float)
    if ours.shape != theirs.shape:
        return name, f"{len(theirs)} values", f"{len(ours)} values", "", versioned(call.source)
    if close(ours, theirs, answered.rtol).all():
        return None
    with np.errstate(all="ignore"):
        gaps = np.abs(ours - theirs) / np.abs(theirs)
    gaps = np.where(close(ours, theirs, answered.rtol), 0, np.nan_to_num(gaps, nan=np.inf))
    worst = int(gaps.argmax())
    return (
        name,
        f"{theirs[worst]:.17g}",
        f"{ours[worst]:.17g}",
        f"{gaps[worst]:.1e}",
        versioned(call.source),
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tasks", nargs="*", metavar="TASK", choices=[[], *lossctl.losses.TASKS])
    tasks = parser.parse_args().tasks
    rows = [
        row(call, label, key) for call in all_calls(tasks or None) for label, key in call.inputs
    ]
    table = [("call", "library", "lossctl", "difference", "source"), *filter(None, rows)]
    differing = len(table) - 1
    if differing:
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        for line in table:
            print("  ".join(cell.ljust(w) for cell, w in zip(line, widths)).rstrip())
    print(f"{differing} of {len(rows)} differ")
    return int(differing > 0)


if __name__ == "__main__":
    sys.exit(main())
