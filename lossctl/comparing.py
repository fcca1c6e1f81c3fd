"""Compare models: the Python face, and the way from evaluations to a comparison."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from math import nan
from typing import Any

from lossctl import plan as plans
from lossctl.errors import UsageError, nearest
from lossctl.evaluation import Progress, run
from lossctl.plan import Plan
from lossctl.reduce import significance
from lossctl.report import Change, Comparison, Difference, Evidence, LossResult, Report, Summary

RESAMPLES = 2000  # of a bootstrap test, where no number is given
CHANGED = 5


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
    **options: Any,
) -> Comparison:
    """Compare candidates with a baseline, sample by sample.

    Args:
        loss: A spec such as `"huber:delta=2"`, or a list of them.
        baseline: The baseline's prediction: an array (N, …), a data frame, a path or a
            reference; or a mapping of the loss's inputs by name.
        candidates: The same of one candidate, or a list, or a mapping by the names to show.
        target: The target of all; default: each model's file holds its own, and they must
            be equal.
        test: "t" (paired), "bootstrap", "permutation", "sign" or "wilcoxon".
        alpha: The level of the test, and one less the intervals'.
        correction: Of the p-values, for the number of candidates, losses and groups: "holm",
            "bh" (Benjamini–Hochberg) or "none".
        changed: How many of the samples that changed most to list.
        **options: As `lossctl.evaluate` takes them: `on`, `by`, `weight`, `cluster`, `nan`,
            `reduction`, `bootstrap`, `seed`, `interval`, `convention`, `dtype`, `threads`, ….

    Raises:
        SpecError: A spec that is none.
        UsageError: Options that contradict each other.
        DataError: Inputs that cannot be read, targets that differ.
    """
    named = _named(candidates)
    models = [_inputs(item, target) for item in (baseline, *named.values())]
    plan = make(
        loss, models, test=test, alpha=alpha, correction=correction, changed=changed, **options
    )
    return carry_out(plan, _label(baseline, "baseline"), list(named), alpha, correction)


def _named(candidates: Any) -> dict[str, Any]:
    """The candidates by the names that they are shown under."""
    if isinstance(candidates, Mapping) and not hasattr(candidates, "columns"):
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


def _inputs(item: Any, target: Any) -> dict[str, Any]:
    inputs = dict(item) if isinstance(item, dict) else {"prediction": item}
    return inputs if target is None else {"target": target, **inputs}


def make(
    loss: str | Sequence[str],
    models: Sequence[Mapping[str, Any]],
    *,
    test: str = "t",
    alpha: float = 0.05,
    correction: str = "holm",
    changed: int | None = None,
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
    if len(models) < 2:
        raise UsageError("there is no candidate to compare", "give BASELINE CANDIDATE")
    if test == "bootstrap" and options.get("bootstrap") is None:
        options["bootstrap"] = RESAMPLES
    base = plans.make(
        loss, models[0], confidence=1 - alpha, quantiles=False, worst=changed, **options
    )
    _check(base, test)
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
    return base._replace(losses=losses, models=candidates, test=test)


def _check(plan: Plan, test: str) -> None:
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
    for bound in plan.losses:
        if (bound.single or bound.whole) and test != "t":
            raise UsageError(
                f"{bound.label} is a loss of all rows together, without independent samples "
                f"for --test {test}",
                "leave out --test, or compare by another loss",
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
    report = run(plan, None, progress)
    found = _differences(plan, report, candidates)
    family = [item for one in found for item in (one, *one.groups)]
    adjusted = significance.CORRECTIONS[correction]([item.p for item in family])
    corrected = dict(zip(map(id, family), adjusted))

    def with_p(item: Difference) -> Difference:
        return item._replace(adjusted=corrected[id(item)], groups=tuple(map(with_p, item.groups)))

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
        differences=tuple(map(with_p, found)),
        notes=report.notes,
    )


def _differences(plan: Plan, report: Report, candidates: Sequence[str]) -> list[Difference]:
    """One for each loss and candidate, in the order in which `make` has planned them."""
    found = []
    stride = 1 + 2 * len(candidates)
    for first in range(0, len(report.losses), stride):
        base = report.losses[first]
        for number, name in enumerate(candidates, 1):
            own = report.losses[first + number]
            apart = report.losses[first + len(candidates) + number]
            places = (first, first + number)
            found.append(_difference(name, base, own, apart, places, 1 - (plan.confidence or 0)))
    return found


def _difference(
    candidate: str,
    base: LossResult,
    own: LossResult,
    apart: LossResult,
    places: tuple[int, int],
    alpha: float,
) -> Difference:
    """All figures of a candidate's loss; `places` are the two losses' among all of the plan."""
    groups = tuple(
        _figures(candidate, base, one.group, one.summary, two.summary, three.summary, alpha)
        for one, two, three in zip(base.groups or (), own.groups or (), apart.groups or ())
    )
    changed = tuple(
        Change(item.sample, item.key, *(item.values[place] for place in places))
        for item in apart.worst or ()
    )
    found = _figures(candidate, base, None, base.summary, own.summary, apart.summary, alpha)
    return found._replace(groups=groups, changed=changed)


def _figures(
    candidate: str,
    loss: LossResult,
    group: dict[str, Any] | None,
    base: Summary,
    own: Summary,
    apart: Summary,
    alpha: float,
) -> Difference:
    evidence = apart.evidence or Evidence(nan, nan, 0, 0, nan)
    ties = 0 if math.isnan(apart.mean) else apart.n - evidence.below - evidence.above
    difference = own.value - base.value
    same = difference == 0
    return Difference(
        candidate=candidate,
        loss=loss.loss,
        spec=loss.spec,
        group=group,
        n=apart.n,
        baseline=base.value,
        value=own.value,
        difference=difference,
        relative=difference / abs(base.value) if base.value else 0.0 if same else nan,
        interval=apart.interval,
        p=evidence.p,
        adjusted=nan,
        effect=apart.mean / apart.std if apart.std else 0.0 if same else nan,
        wins=evidence.below,
        ties=ties,
        losses=evidence.above,
        detectable=significance.detectable(evidence.error, evidence.freedom, alpha),
        error=evidence.error,
        freedom=evidence.freedom,
    )
