"""The report, from what all blocks came to."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from lossctl._version import __version__
from lossctl.align.inputs import Opened, Wanted
from lossctl.errors import DataError, counted
from lossctl.losses import Bound
from lossctl.plan import Plan
from lossctl.reduce import digest
from lossctl.reduce.block import Worker
from lossctl.reduce.engine import LossTotals, Totals
from lossctl.reduce.figures import How, Units, summarise
from lossctl.reduce.resample import Resampling
from lossctl.report import Group, LossResult, Report, Summary, Worst


def assemble(
    plan: Plan, opened: Opened, totals: Totals, worker: Worker, notes: list[str]
) -> Report:
    """The report of an evaluation that has read all its rows."""
    if totals.samples == totals.skipped:
        raise DataError(
            "every sample has NaN or null, so that none is left to evaluate",
            "look at the inputs, or let NaN through with --nan propagate",
        )
    for name, values in worker.held.items():
        if len(values) > 1:
            both = " and ".join(f"{value:g}" for value in sorted(values))
            raise DataError(
                f"{name} holds both {both}: {opened.inputs[name].table.source}",
                "use one coding of the labels, {0, 1} or {−1, 1}",
            )
    for name in sorted(totals.squeezed):
        notes.append(f"{name}: trailing axes of length 1 were squeezed")
    for name, probable in worker.probable.items():
        if probable:
            notes.append(
                f"{name}: every value lies in [0, 1], as probabilities do, and from_logits=true "
                "takes them for logits"
            )
    infos = {}
    for name, wanted in _reported(opened).items():
        infos[name] = wanted.info(totals.lengths.get(name, totals.samples - totals.skipped))
    losses = tuple(_loss(plan, index, found, totals) for index, found in enumerate(totals.losses))
    for bound, item, found in zip(plan.losses, losses, totals.losses):
        if not bound.difference:  # of which both losses are here
            notes += _loss_notes(plan, bound, item, found)
    notes += _interval_notes(plan, totals)
    return Report(
        version=__version__,
        signature=_signature(plan, totals),
        samples=totals.samples,
        skipped=totals.skipped,
        inputs=infos,
        losses=losses,
        notes=tuple(notes),
    )


def _loss_notes(plan: Plan, bound: Bound, item: LossResult, found: LossTotals) -> list[str]:
    """What a reader of a loss's figures should know."""
    notes, name = [], item.loss
    if plan.models:
        name += f" of {plan.names[bound.model or 0]}"
    if found.infinite and plan.nan != "propagate":
        many = counted(item.summary.nonfinite, "sample")
        notes.append(f"{name}: not finite in {many}, first in {found.infinite}")
    if not math.isfinite(item.value) and item.n and not found.infinite and plan.nan != "propagate":
        plain = found.layout is not None and not found.layout.finished
        why = (
            "the sum of the losses is more than a float64 holds"
            if plain
            else "what it is made of is not, or what it is divided by is 0"
        )
        notes.append(f"{name}: not finite: {why}")
    if item.valueless:
        left = counted(item.valueless, "sample")
        notes.append(f"{name}: nothing left to evaluate in {left}")
    return notes


def _interval_notes(plan: Plan, totals: Totals) -> list[str]:
    """How the intervals came about, where it was asked for."""
    if plan.confidence is None or plan.models or not (plan.bootstrap or totals.clusters):
        return []
    units = len({key[-1] for key in totals.clusters})
    found = counted(units, "cluster") if units else "the samples"
    if plan.bootstrap is None:
        return [f"intervals: from {found}, which alone are taken to be independent"]
    method = {"bca": "BCa", "percentile": "percentiles"}[plan.interval]
    return [f"intervals: {method} of {plan.bootstrap:,} resamples of {found}, seed {plan.seed}"]


def _reported(opened: Opened) -> dict[str, Wanted]:
    found = dict(opened.inputs)
    if opened.weight is not None:
        found["weight"] = opened.weight
    return found


def _signature(plan: Plan, totals: Totals) -> str:
    fields = {
        "lossctl": __version__,
        "loss": " ".join(bound.full for bound in plan.losses if bound.model == 0),
        "reduction": ",".join(dict.fromkeys(map(plan.reduction_of, plan.losses))),
        "nan": plan.nan,
        "dtype": plan.dtype or "input",
        **({"models": len(plan.models) + 1, "test": _test(plan)} if plan.models else {}),
        **({"by": _groups_digest(plan, totals)} if plan.by else {}),
        "n": totals.samples - totals.skipped,
        "data": totals.digest if plan.sign else "none",
    }
    return "|".join(f"{name}:{value}" for name, value in fields.items())


def _test(plan: Plan) -> str:
    """The test, with what its chances are drawn by."""
    if plan.test == "bootstrap":
        return f"bootstrap,resamples={plan.bootstrap},seed={plan.seed}"
    if plan.test == "permutation":
        return f"permutation,permutations={plan.permutations},seed={plan.seed}"
    return plan.test


def _groups_digest(plan: Plan, totals: Totals) -> str:
    """The columns of the groups, and a digest of the groups and of how many samples each has."""
    states = [item.grouped for item in totals.losses if item.grouped is not None]
    found = 0
    for group, code in sorted(totals.groups.items(), key=lambda item: _sort_key(item[0])):
        sizes = [int(state.rows[code]) for state in states]
        sizes += [totals.sizes[code]] if totals.sizes else []
        found = digest.chain(found, repr((group, sizes)).encode())
    return f"{','.join(plan.by)}:{found:016x}"


def _loss(plan: Plan, index: int, found: LossTotals, totals: Totals) -> LossResult:
    bound = plan.losses[index]
    first = bound.parts[0][1]
    common: dict[str, Any] = {
        "loss": bound.label,
        "name": bound.name,
        "spec": str(bound.spec),
        "convention": first.convention if len(bound.parts) == 1 else None,
        "reduction": plan.reduction_of(bound),
        "unit": first.loss.unit if len(bound.parts) == 1 else "",
    }
    if found.number is not None:
        return _of_all_rows(plan, found, totals, common)
    state, layout = found.state, found.layout
    assert state is not None and layout is not None
    how = How(
        plan.reduction_of(bound),
        # samples whose losses depend on each other's have no interval
        None if bound.whole else plan.confidence,
        plan.interval,
        None if plan.bootstrap is None else Resampling(plan.bootstrap, plan.seed),
        bound.rules.empty,
        # the errors of both losses tell what that of any multiple's difference is
        plan.test if bound.difference or plan.test == "t" else "",
        Resampling(plan.permutations, plan.seed),
    )
    pooled = found.grouped or state
    quantiles = pooled.all_quantiles() if plan.quantiles else None
    summary = summarise(
        state, layout, 0, how=how, quantiles=quantiles, units=_units(how, found, totals, None)
    )
    if state.columns.weighted and state.weight(state.totals(0), 0) == 0:
        raise DataError("the weights sum to 0", "give weights of which at least one is above 0")
    groups = None
    if found.grouped is not None:
        own = found.grouped.quantiles if plan.quantiles and not found.grouped.pooled else None
        groups = tuple(
            Group(
                dict(zip(plan.by, group)),
                summarise(
                    found.grouped,
                    layout,
                    code,
                    how=how,
                    quantiles=own[code] if own else None,
                    units=_units(how, found, totals, group),
                ),
            )
            for group, code in sorted(totals.groups.items(), key=lambda item: _sort_key(item[0]))
        )
    components: tuple[float, ...] = ()
    if len(bound.parts) == 1 and first.params.get("average") == "none":
        sums = state.split(state.totals(0), 0)
        components = tuple(np.asarray(layout.components(*sums)).reshape(-1).tolist())
    per_sample = np.concatenate(found.per_sample) if plan.per_sample else None
    return LossResult(
        **common,
        summary=summary,
        valueless=int(state.valueless[0]),
        components=components,
        groups=groups,
        worst=None
        if plan.worst is None
        else tuple(
            Worst(item.sample, item.key, item.values[index], item.values) for item in found.worst
        ),
        per_sample=per_sample,
    )


def _units(how: How, found: LossTotals, totals: Totals, group: tuple[Any, ...] | None) -> Units:
    """What the uncertainty of all samples, or of a group's, is judged by."""
    if how.confidence is None and not how.test:
        return Units()
    replicates, flips, clusters = found.replicates, found.flips, found.clusters
    if group is None:
        return Units(
            None if replicates is None else replicates.sum(axis=0),
            None if clusters is None else clusters.of_all(totals.clusters),
            None if flips is None else flips.sum(axis=0),
            np.concatenate([losses for _, losses in found.ranked]) if found.ranked else None,
        )
    code = totals.groups[group]
    return Units(
        None if replicates is None else replicates[code],
        None if clusters is None else clusters.of_group(totals.clusters_of.get(group, [])),
        None if flips is None else flips[code],
        found.ranked_of.get(code) if found.ranked else None,
    )


def _of_all_rows(
    plan: Plan, found: LossTotals, totals: Totals, common: dict[str, Any]
) -> LossResult:
    """The result of a loss that is one number of all rows, and one of each group's."""
    assert found.number is not None
    groups = None
    if plan.by and common["loss"] not in plan.ungrouped:
        groups = tuple(
            Group(dict(zip(plan.by, group)), _only(found.numbers[code], totals.sizes[code]))
            for group, code in sorted(totals.groups.items(), key=lambda item: _sort_key(item[0]))
        )
    summary = _only(found.number, totals.samples - totals.skipped)
    return LossResult(**common, summary=summary, groups=groups)


def _sort_key(group: tuple[Any, ...]) -> list[tuple[bool, str, Any]]:
    """Null last, numbers by value, text by its letters."""
    return [
        (item is None, "" if isinstance(item, int | float) else type(item).__name__, item)
        if item is not None
        else (True, "", 0)
        for item in group
    ]


def _only(value: float, n: int) -> Summary:
    """The figures of a loss that is one number of all rows."""
    nan = math.nan
    return Summary(value, n, nan, nan, nan, nan, nan, {}, int(not math.isfinite(value)), None)
