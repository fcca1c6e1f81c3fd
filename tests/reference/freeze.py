"""Computes the reference values and writes them to frozen/<task>.json. Run by hand.

    python -m venv refs
    refs/bin/pip install -r tests/reference/requirements.txt
    refs/bin/python -m tests.reference.freeze [TASK|LOSS …] [--check]
    refs/bin/python -m tests.reference.freeze --conventions [TASK…] [--check]

A task's name freezes that task's cases, a loss's name tries these only and writes nothing; all
tasks by default. ``--check`` writes nothing. ``--conventions`` freezes what ``conventions/`` calls.

Every case is computed at 50 digits by ``exact.py`` and, where a library has the loss, by the
library's own call in ``libraries.py``, in float64. Where the two agree to a tenth of the case's
tolerance, the library's number is frozen. Where the library's own arithmetic (an epsilon, a clip)
is worse than that, the 50-digit number is frozen and the library has to agree within its own
precision. If any case disagrees, the run fails and writes nothing.

References of float32 and float16 inputs are made of those values, in float64 and better.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import mpmath
import numpy as np
from mpmath import mp

import lossctl
from tests.reference import conventions, exact, libraries
from tests.reference.cases import Case, all_cases, by_loss
from tests.reference.compare import FROZEN, SMALL, encode, tolerance
from tests.reference.inputs import Arrays, build, digest

EXACT = f"mpmath {mpmath.__version__} at {mp.dps} digits"
ROUNDING = 1e-15  # what may be left of terms of order 1 that cancel to exactly 0


class Disagreement(Exception):
    pass


def difference(found: Sequence[Any], wanted: Sequence[Any]) -> float:
    """The largest relative difference; equal infinities and NaNs differ by 0."""
    worst = 0.0
    for a, b in zip(found, wanted, strict=True):
        x, y = float(a), float(b)
        if x == y or (math.isnan(x) and math.isnan(y)):
            continue
        if not (math.isfinite(x) and math.isfinite(y)):
            return math.inf
        if b != 0:
            worst = max(worst, float(abs(x - b) / abs(b)))
        elif abs(x) > ROUNDING:
            return math.inf
    return worst


def by_library(case: Case, arrays: Arrays, terms: exact.Terms) -> tuple[Any, Any, Any] | None:
    """The library's answer, its value and its per-sample values (None where it has not got one)."""
    library = libraries.call_of(case.loss) if case.in_library else None
    answer = library(arrays, case.params) if library else None
    if answer is None:
        return None
    value = per_sample = None
    if answer.elements is not None:
        shape = [len(row) for row in terms.values]
        rows = np.split(np.asarray(answer.elements, float).reshape(-1), np.cumsum(shape)[:-1])
        own = exact.Terms(
            [list(map(mp.mpf, row.tolist())) for row in rows], terms.weights, terms.finish
        )
        reduced = exact.reduce(own, case.reduction, arrays.get("weight"))
        per_sample = reduced.per_sample if len(shape) <= SMALL else None
        value = reduced.value if terms.dataset is None else None
    if answer.mean is not None and case.reduction == "mean" and "weight" not in arrays:
        value = mp.mpf(answer.mean)
    return answer, value, per_sample


def freeze(case: Case) -> dict[str, Any]:
    start = time.perf_counter()
    arrays = build(case.inputs)
    rtol = tolerance(arrays)
    terms = exact.terms(case.loss, arrays, case.params)
    reduced = exact.reduce(terms, case.reduction, arrays.get("weight"))
    value, per_sample = reduced.value, reduced.per_sample
    source, check = EXACT, None
    if (found := by_library(case, arrays, terms)) is not None:
        answer, own_value, own_samples = found
        pairs = [(own_value, [value]), (own_samples, per_sample)]
        gaps = [
            difference([own] if isinstance(own, mp.mpf) else own, wanted)
            for own, wanted in pairs
            if own is not None
        ]
        gap = max(gaps, default=0.0)
        if gap > max(rtol / 10, answer.accuracy):
            raise Disagreement(f"{case.id}: {answer.source} differs by {gap:.2e}")
        if gaps and gap <= rtol / 10:
            source = f"{answer.source}"
            check = f"{EXACT}: relative difference {gap:.1e}"
            value = value if own_value is None else own_value
            per_sample = per_sample if own_samples is None else own_samples
        elif gaps:
            check = f"{answer.source}: relative difference {gap:.1e}"
    if case.textbook is not None:
        if abs(value - case.textbook) > 5e-8 * max(1, abs(case.textbook)):
            raise Disagreement(f"{case.id}: {value} is not {case.textbook}")
        source = f"textbook: {case.textbook}"
    record: dict[str, Any] = {
        "id": case.id,
        "loss": case.loss,
        "spec": case.spec,
        "inputs": case.inputs,
        "digest": digest(arrays),
        "reduction": case.reduction,
        "value": encode(value),
        "source": source,
        "rtol": rtol,
    }
    if check:
        record["check"] = check
    if per_sample is not None and len(per_sample) <= SMALL:
        record["per_sample"] = [encode(v) for v in per_sample]
    seconds = time.perf_counter() - start
    if seconds > 10:
        print(f"{case.id}: {seconds:.0f} s", file=sys.stderr)
    return record


def attempt(case: Case) -> dict[str, Any] | str:
    try:
        return freeze(case)
    except Disagreement as problem:
        return str(problem)
    except Exception as problem:  # name the case, whatever it was
        return f"{case.id}: {type(problem).__name__}: {problem}"


def write(path: Path, records: Sequence[dict[str, Any]]) -> None:
    lines = ",\n".join(json.dumps(record, ensure_ascii=False) for record in records)
    versions = json.dumps(libraries.versions())
    path.parent.mkdir(exist_ok=True)
    path.write_text(f'{{"versions": {versions},\n"cases": [\n{lines}\n]}}\n', encoding="utf-8")
    print(f"{path.name}: {len(records)} cases, {path.stat().st_size / 1e6:.2f} MB")


def freeze_cases(names: Sequence[str], check: bool) -> int:
    """By task, so that one that fails leaves the files of the others written."""
    tasks = set(names) & set(lossctl.losses.TASKS)
    losses = {lossctl.losses.get(name).name for name in names if name not in tasks}
    chosen = tasks | {lossctl.losses.get(name).task for name in losses}
    cases: dict[str, list[Case]] = {}
    for case in all_cases(chosen or None):
        task = lossctl.losses.get(case.loss).task
        if not names or task in tasks or case.loss in losses:
            cases.setdefault(task, []).append(case)
    failed = False
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        for task, own in cases.items():
            results = list(pool.map(attempt, own, chunksize=4))
            failures = [result for result in results if isinstance(result, str)]
            failed |= bool(failures)
            print(task, json.dumps(by_loss(own)))
            for failure in failures:
                print(failure, file=sys.stderr)
            if not (failures or check) and (not names or task in tasks):
                write(FROZEN / f"{task}.json", [result for result in results if result])
    return int(failed)


def freeze_conventions(tasks: Sequence[str], check: bool) -> int:
    """Each task in one process of its own, call after call."""
    unknown = set(tasks) - set(lossctl.losses.TASKS)
    if unknown:
        raise SystemExit(f"no such task: {', '.join(sorted(unknown))}")
    failed = False
    chosen = [task for task in lossctl.losses.TASKS if not tasks or task in tasks]
    context = get_context("spawn")
    with ProcessPoolExecutor(os.cpu_count(), mp_context=context, max_tasks_per_child=1) as pool:
        for task, (records, failures) in zip(chosen, pool.map(conventions.records, chosen)):
            failed |= bool(failures)
            for failure in failures:
                print(failure, file=sys.stderr)
            if check or failures:
                print(f"{task}: {len(records)} calls, {len(failures)} failed")
            elif records:
                write(FROZEN / "conventions" / f"{task}.json", records)
    return int(failed)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="TASK|LOSS", help="freeze these tasks only")
    parser.add_argument("--check", action="store_true", help="write nothing")
    parser.add_argument("--conventions", action="store_true", help="freeze the libraries' calls")
    arguments = parser.parse_args()
    run = freeze_conventions if arguments.conventions else freeze_cases
    return run(arguments.names, arguments.check)


if __name__ == "__main__":
    sys.exit(main())
