"""Compare models: the Python face, and the way from evaluations to a comparison."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from math import nan
from typing import Any

from lossctl import plan as plans
from lossctl.errors import DataError, UsageError, counted, nearest
from lossctl.evaluation import Progress, run
from lossctl.plan import Plan
from lossctl.reduce import significance
from lossctl.reduce.resample import Resampling, exhausts
from lossctl.report import (
    BETTER,
    MIXED,
    SAME,
    UNTESTED,
    WORSE,
    Change,
    Comparison,
    Difference,
    Evidence,
    GateResult,
    LossResult,
    Report,
    Summary,
)

RESAMPLES = 2000  # of a bootstrap test, where no number is given


def compare(
    loss: str | Sequence[str],
    baseline: Any,
    candidates: Any,
    target: Any = None,
    *,
    test: str = "t",
    alpha: float = 0.05,
    correction: str = "holm",
    changed: int | None = None,
    fail_if: str | Sequence[str] = (),
    inputs: Mapping[str, Any] | None = None,
    **options: Any,
) -> Comparison:
    """Compare candidates with a baseline, sample by sample.

    Args:
        loss: A spec such as `"huber:delta=2"`, or a list of them.
        baseline: The baseline's prediction: an array (N, …), a data frame, a path or a
            reference; or a mapping of the loss's inputs by name.
        candidates: The same of one candidate, or a list, or a mapping by the names to show (a
            candidate given as a mapping of inputs stands in a list).
        target: The target of all; default: each model's file holds its own, and they must
            be equal.
        test: "t" (paired), "bootstrap", "permutation", "sign" or "wilcoxon".
        alpha: The level of the test, and one less the intervals'.
        correction: Of the p-values, for the number of candidates, losses and groups: "holm",
            "bh" (Benjamini–Hochberg) or "none".
        changed: How many of the samples that changed most to list.
        fail_if: Gates that every candidate has to pass: what must not hold, such as
            `"relative(mse) > 2%"`. See `Comparison.gates`.
        inputs: Other inputs that all models share, by name.
        **options: As `lossctl.evaluate` takes them: `on`, `by`, `weight`, `cluster`, `nan`,
            `reduction`, `bootstrap`, `seed`, `interval`, `convention`, `dtype`, `threads`, ….

    Raises:
        SpecError: A spec that is none.
        UsageError: Options that contradict each other.
        DataError: Inputs that cannot be read, targets that differ, or too few samples.
    """
    named = by_name(candidates)
    shared = {**(inputs or {}), **({} if target is None else {"target": target})}
    models = [{**shared, **_inputs(item)} for item in (baseline, *named.values())]
    plan = make(
        loss, models, test=test, alpha=alpha, correction=correction, changed=changed,
        fail_if=fail_if, **options,
    )  # fmt: skip
    return carry_out(plan, _label(baseline, "baseline"), list(named), alpha, correction)


def by_name(candidates: Any) -> dict[str, Any]:
    """The candidates by the names that they are shown under.

    Raises:
        UsageError: One is given twice.
    """
    if isinstance(candidates, Mapping):
        return {str(name): item for name, item in candidates.items()}
    listed = candidates if isinstance(candidates, list | tuple) else [candidates]
    found: dict[str, Any] = {}
    for number, item in enumerate(listed, 1):
        label = _label(item, f"candidate {number}")
        if label in found:
            raise UsageError(f"the candidate {label} is given twice", "give each once")
        found[label] = item
    return found


def _label(item: Any, otherwise: str) -> str:
    return os.fspath(item) if isinstance(item, str | os.PathLike) else otherwise


def _inputs(item: Any) -> dict[str, Any]:
    return dict(item) if isinstance(item, Mapping) else {"prediction": item}


def make(
    loss: str | Sequence[str],
    models: Sequence[Mapping[str, Any]],
    *,
    test: str = "t",
    alpha: float = 0.05,
    correction: str = "holm",
    changed: int | None = None,
    fail_if: str | Sequence[str] = (),
    **options: Any,
) -> Plan:
    """The plan of a comparison: each loss of each model, and what they differ by.

    Args:
        loss: One spec or several.
        models: Their inputs by name; the first is the baseline.
        test: One of `significance.TESTS`.
        alpha: The level.
        correction: One of `significance.CORRECTIONS`.
        changed: How many changed samples to list.
        fail_if: Gates as expressions, of the figures in `expression.DIFFERENCES`.
        **options: As `plan.make` takes them.

    Raises:
        SpecError: A loss that is not one.
        UsageError: Options that contradict each other, or one that is out of range.
    """
    for flag, word, words in (
        ("test", test, list(significance.TESTS)),
        ("correction", correction, list(significance.CORRECTIONS)),
    ):
        if word not in words:
            hint = nearest(str(word), words) or f"one of {', '.join(words)}"
            raise UsageError(f"--{flag}: {word!r} is not known", hint)
    if not 0 < alpha < 1:
        raise UsageError(f"--alpha: {alpha:g} is not between 0 and 1", "for example 0.05")
    if changed is not None and changed < 1:
        raise UsageError(f"--changed: {changed} is below 1", "give 1 or more")
    if len(models) < 2:
        raise UsageError("there is no candidate to compare", "give BASELINE CANDIDATE")
    if test == "bootstrap" and options.get("bootstrap") is None:
        options["bootstrap"] = RESAMPLES
    base = plans.make(loss, models[0], confidence=1 - alpha, quantiles=False, test=test, **options)
    _check(base, test, changed)
    candidates = tuple(
        {name: plans.source(name, value) for name, value in inputs.items() if value is not None}
        for inputs in models[1:]
    )
    numbers = range(1, len(models))
    losses = tuple(
        variant
        for bound in base.losses
        for variant in (
            bound,
            *(bound.of(number) for number in numbers),
            *(bound.against(number) for number in numbers),
        )
    )
    gates = plans.gates_of(base, fail_if, differences=True)
    names = ("the baseline", *(f"candidate {number}" for number in numbers))
    return base._replace(losses=losses, models=candidates, names=names, worst=changed, gates=gates)


def _check(plan: Plan, test: str, changed: int | None) -> None:
    """What the test and the list of changed samples need of the losses and the options."""
    if plan.unpaired:
        raise UsageError(
            f"{plan.definitions[0].name} has inputs of different samples, which have no pairs",
            "evaluate each model by itself: lossctl eval",
        )
    if plan.cluster is not None and test in ("sign", "wilcoxon"):
        raise UsageError(
            f"--test {test} takes the samples for independent, and --cluster says they are not",
            "use --test t, bootstrap or permutation",
        )
    if plan.weight is not None and test in ("sign", "wilcoxon"):
        raise UsageError(
            f"--test {test} counts every sample once, and --weight says they do not",
            "use --test t, bootstrap or permutation",
        )
    for bound in plan.losses:
        if bound.whole and (test != "t" or plan.bootstrap is not None):
            flag = f"--test {test}" if test != "t" else "--bootstrap"
            raise UsageError(
                f"{bound.label} needs all rows together, so that there are no independent "
                f"samples for {flag}",
                f"leave out {flag}: the difference is shown without a test",
            )
        if bound.single and (test in ("sign", "wilcoxon") or changed is not None):
            flag = "--changed" if changed is not None else f"--test {test}"
            raise UsageError(
                f"{bound.label} is one number of all rows together, and no sample has a loss "
                f"for {flag}",
                f"leave out {flag}, or compare by another loss",
            )


def carry_out(
    plan: Plan,
    baseline: str,
    candidates: Sequence[str],
    alpha: float,
    correction: str,
    progress: Progress | None = None,
) -> Comparison:
    """Run the plan of a comparison.

    Args:
        plan: From `make`.
        baseline: What the baseline is called.
        candidates: What the candidates are called.
        alpha: The level.
        correction: One of `significance.CORRECTIONS`.
        progress: Told how many rows are done.
    """
    report = run(plan._replace(names=(baseline, *candidates)), None, progress)
    found = _differences(plan, report, candidates)
    _require_enough(plan, found)
    family = [item for one in found for item in (one, *(one.groups or ()))]
    adjusted = significance.CORRECTIONS[correction]([item.p for item in family])
    corrected = dict(zip(map(id, family), adjusted))

    def judged(item: Difference) -> Difference:
        p = corrected[id(item)]
        verdict = UNTESTED if math.isnan(p) else SAME if p > alpha else item.verdict
        groups = item.groups and tuple(map(judged, item.groups))
        return item._replace(adjusted=p, verdict=verdict, groups=groups)

    differences = tuple(map(judged, found))
    clusters = next((round(one.freedom) + 1 for one in found if one.freedom > 0), None)
    drawn = plan.bootstrap is not None or plan.test == "permutation"
    return Comparison(
        version=report.version,
        signature=report.signature,
        samples=report.samples,
        skipped=report.skipped,
        baseline=baseline,
        candidates=tuple(candidates),
        inputs=report.inputs,
        test=plan.test,
        alpha=alpha,
        correction=correction,
        tests=sum(not math.isnan(item.p) for item in family),
        clusters=None if plan.cluster is None else clusters,
        resamples=plan.bootstrap,
        permutations=_permutations(plan, report, clusters),
        seed=plan.seed if drawn else None,
        differences=differences,
        gates=_gates(plan, differences),
        notes=(*report.notes, *_notes(plan, baseline, candidates), *_untested(plan, differences)),
    )


def _notes(plan: Plan, baseline: str, candidates: Sequence[str]) -> list[str]:
    found = [
        f"{bound.label} needs all rows together: its samples are not independent, and there is "
        "no test of it"
        for bound in plan.losses
        if bound.whole and bound.model == 0
    ]
    if baseline in candidates:
        found.append(f"{baseline} is the baseline and a candidate")
    return found


def _permutations(plan: Plan, report: Report, clusters: int | None) -> int | None:
    """How many exchanges there were: all that there are, where these are fewer than asked for."""
    if plan.test != "permutation":
        return None
    units = report.samples if plan.on is None else sys.maxsize  # a join may have more blocks
    units = clusters or 0 if plan.cluster is not None else units
    every = exhausts(Resampling(plan.permutations), units)
    return 1 << units if every else plan.permutations


def _untested(plan: Plan, differences: Sequence[Difference]) -> Iterator[str]:
    """Why a finite difference has no test, where nothing else says it."""
    whole = {bound.label for bound in plan.losses if bound.whole}
    for item in differences:
        found = [one for one in (item, *(one for one in item.groups or ())) if math.isnan(one.p)]
        found = [one for one in found if math.isfinite(one.difference) and item.loss not in whole]
        single = sum(one.n < 2 for one in found)
        if single:
            where = counted(single, "group")
            yield f"{item.loss} of {item.candidate}: no test in {where} of 1 sample"
        if len(found) > single:
            yield (
                f"{item.loss} of {item.candidate}: no test where the spread of the differences is "
                "lost: losses too large or too small to square, or models alike up to rounding"
            )


def _require_enough(plan: Plan, found: Sequence[Difference]) -> None:
    """Refuse what no test can speak of.

    Raises:
        DataError: One sample, or one cluster.
    """
    for item in found:
        if item.n < 2:
            raise DataError(
                f"{item.loss} has a value in {counted(item.n, 'sample')}, too few to compare",
                "a test needs 2 samples, and says something from about 30 on",
            )
        if plan.cluster is not None and item.freedom < 1:
            raise DataError(
                "all samples are of one cluster, which leaves nothing to compare it with",
                "give 2 clusters or more, or leave out --cluster",
            )


def _gates(plan: Plan, differences: Sequence[Difference]) -> tuple[GateResult, ...]:
    """Every gate held against every candidate."""
    if not plan.gates:
        return ()
    from lossctl.gates import judge

    losses = [(bound.label, bound.name) for bound in plan.losses if bound.model == 0]
    found = []
    for gate in plan.gates:
        label = losses[judge.place(gate, losses)][0]
        for one in differences:
            if one.loss == label:
                result = judge.of_difference(gate, one)
                several = f"{gate.text} ({one.candidate})"
                found.append(result._replace(gate=several) if len(plan.models) > 1 else result)
    return tuple(found)


def _differences(plan: Plan, report: Report, candidates: Sequence[str]) -> list[Difference]:
    """One for each loss and candidate, in the order in which `make` has planned them."""
    found = []
    stride = 1 + 2 * len(candidates)
    for first in range(0, len(report.losses), stride):
        for number, name in enumerate(candidates, 1):
            places = (first, first + number, first + len(candidates) + number)
            found.append(_difference(name, report, places, 1 - (plan.confidence or 0)))
    return found


def _difference(
    candidate: str, report: Report, places: tuple[int, int, int], alpha: float
) -> Difference:
    """All figures of a candidate's loss.

    Args:
        candidate: Its name.
        report: Of all losses of the plan.
        places: Where the baseline's loss is among them, the candidate's, and their difference.
        alpha: The level.
    """
    base, own, apart = (report.losses[place] for place in places)
    found = _figures(candidate, base, None, base.summary, own.summary, apart.summary, alpha)
    if base.groups is not None and own.groups is not None and apart.groups is not None:
        groups = tuple(
            _figures(candidate, base, one.group, one.summary, two.summary, three.summary, alpha)
            for one, two, three in zip(base.groups, own.groups, apart.groups)
        )
        found = found._replace(groups=groups)
    if apart.worst is not None:
        changed = tuple(
            Change(item.sample, item.key, item.values[places[0]], item.values[places[1]])
            for item in apart.worst
            if item.value
        )
        found = found._replace(changed=changed)
    return found


def _figures(
    candidate: str,
    loss: LossResult,
    group: dict[str, Any] | None,
    base: Summary,
    own: Summary,
    apart: Summary,
    alpha: float,
) -> Difference:
    evidence = apart.evidence or Evidence(nan, nan, 0, 0, 0, 0, nan)
    difference = apart.value
    same = difference == 0
    return Difference(
        candidate=candidate,
        loss=loss.loss,
        spec=loss.spec,
        convention=loss.convention,
        reduction=loss.reduction,
        unit=loss.unit,
        group=group,
        n=apart.n,
        baseline=base.value,
        value=own.value,
        difference=difference,
        relative=difference / abs(base.value) if base.value else 0.0 if same else nan,
        interval=apart.interval,
        error=evidence.error,
        freedom=evidence.freedom,
        p=evidence.p,
        adjusted=nan,
        verdict=_direction(difference, evidence.leans),
        effect=apart.mean / apart.std if apart.std else 0.0 if same else nan,
        wins=evidence.below,
        ties=evidence.equal,
        losses=evidence.above,
        detectable=significance.detectable(evidence.error, evidence.freedom, alpha),
    )


def _direction(difference: float, leans: int) -> str:
    """What is said of a difference that is more than chance."""
    if leans != (difference > 0) - (difference < 0):
        return MIXED
    return BETTER if leans < 0 else WORSE
