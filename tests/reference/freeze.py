"""Computes the reference values and writes them to frozen.json. Run by hand.

    python -m venv refs
    refs/bin/pip install numpy scipy mpmath scikit-learn torch keras jax optax monai torchmetrics
    refs/bin/python -m tests.reference.freeze

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

from tests.reference import exact, libraries
from tests.reference.cases import Case, all_cases, by_loss
from tests.reference.inputs import Arrays, build, digest

FROZEN = Path(__file__).with_name("frozen.json")
EXACT = f"mpmath {mpmath.__version__} at {mp.dps} digits"
SMALL = 60  # rows up to which the per-sample values are kept
TOLERANCE = {"float16": 1e-6, "float32": 1e-6, "complex64": 1e-6}
ROUNDING = 1e-15  # what may be left of terms of order 1 that cancel to exactly 0


class Disagreement(Exception):
    pass


def tolerance(arrays: Arrays) -> float:
    """What the coarsest of the inputs' types allows."""
    return max(TOLERANCE.get(array.dtype.name, 1e-12) for array in arrays.values())


def encode(value: Any) -> float | str:
    number = float(value)
    return number if math.isfinite(number) else str(number)


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
    library = libraries.LIBRARIES.get(case.loss) if case.library else None
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


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("losses", nargs="*", help="try these only, and write nothing")
    chosen = parser.parse_args().losses
    cases = [case for case in all_cases() if not chosen or case.loss in chosen]
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        results = list(pool.map(attempt, cases, chunksize=4))
    failures = [result for result in results if isinstance(result, str)]
    for failure in failures:
        print(failure, file=sys.stderr)
    print(json.dumps(by_loss(cases)))
    if failures or chosen:
        return bool(failures)
    lines = ",\n".join(json.dumps(result, ensure_ascii=False) for result in results)
    versions = json.dumps(libraries.versions())
    FROZEN.write_text(f'{{"versions": {versions},\n"cases": [\n{lines}\n]}}\n', encoding="utf-8")
    print(f"{len(results)} cases, {FROZEN.stat().st_size / 1e6:.2f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
