"""Evaluate the gates of a file, each thing once: the Python face of `lossctl gate`."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from lossctl import comparing
from lossctl import plan as plans
from lossctl._version import __version__
from lossctl.errors import LossctlError
from lossctl.evaluation import Progress
from lossctl.evaluation import run as evaluate
from lossctl.gates import config as configs
from lossctl.gates.decide import Cell, decide
from lossctl.gates.expression import QUANTILES
from lossctl.gates.gate import Config, Gate, Intervals
from lossctl.gates.saved import Identity, Saved
from lossctl.gates.wording import in_keys
from lossctl.plan import Plan
from lossctl.recorded import record
from lossctl.report import GateResult, LossResult, Report, Summary, Verdict
from lossctl.sources.reference import Reference


def gate(
    config: str | os.PathLike[str] | Mapping[str, Any] | None = None,
    *,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Verdict:
    """Evaluate gates: is this model good enough, and is it worse than the one we have?

    Args:
        config: A `lossctl.toml`, a `pyproject.toml` with `[tool.lossctl]`, the folder of one,
            or a mapping of what such a file holds. Default: the current folder's.
        threads: Default: the cores that this process may use.
        progress: Told how many rows are done, of each evaluation anew.

    Returns:
        The verdict; `verdict.passed` says whether every gate has passed. A gate that could not
        be evaluated has not passed, and its result's `error` says why.

    Raises:
        UsageError: The file cannot be read, or says something that makes no sense.
    """
    return run(configs.read(config), threads=threads, progress=progress)


@dataclass(eq=False)
class Pass:
    """Gates that one evaluation serves."""

    gates: list[Gate] = field(default_factory=list)
    by: tuple[str, ...] = ()
    intervals: Intervals | None = None
    baseline: Reference | None = None  # predictions to compare with

    @property
    def losses(self) -> list[str]:
        """Each once, as typed."""
        return list(dict.fromkeys(item.loss for item in self.gates))

    def split(self) -> list[Pass]:
        """By loss and groups, so that what is wrong with one does not touch the others."""
        parts: dict[tuple[str, tuple[str, ...]], list[Gate]] = {}
        for item in self.gates:
            parts.setdefault((item.loss, item.columns), []).append(item)
        return [
            Pass(gates, columns, self.intervals, self.baseline)
            for (_, columns), gates in parts.items()
        ]


class Outcome(NamedTuple):
    """What the gates came to."""

    results: dict[str, GateResult]  # by the gate's name
    reports: list[Report]
    notes: list[str]


def passes(gates: Iterable[Gate]) -> list[Pass]:
    """As few evaluations as serve all gates.

    Gates share one where their inputs, options and baseline are the same. One without groups
    goes along with one that has them, and one that does not look at intervals with one that
    does, unless these are resampled.
    """
    found: dict[Any, list[Pass]] = {}
    for item in sorted(gates, key=lambda one: (not one.columns, not one.needs_intervals)):
        compared = None if item.saved else item.baseline
        wanted = item.intervals if item.needs_intervals else None
        listed = found.setdefault((item.options, compared, item.unpaired), [])
        for one in listed:
            grouped = not item.columns or one.by == item.columns
            if grouped and _agree(one.intervals, wanted):
                one.gates.append(item)
                one.intervals = one.intervals or wanted
                break
        else:
            listed.append(Pass([item], item.columns, wanted, compared))
    return [one for listed in found.values() for one in listed]


def _agree(there: Intervals | None, wanted: Intervals | None) -> bool:
    if there is not None and wanted is not None:
        return there == wanted
    either = there or wanted
    return either is None or either.bootstrap is None


def run(config: Config, *, threads: int | None = None, progress: Progress | None = None) -> Verdict:
    """Evaluate gates that were read."""
    found = outcome(config.gates, threads, progress)
    return Verdict(
        version=__version__,
        config=config.path,
        signatures=tuple(dict.fromkeys(report.signature for report in found.reports)),
        samples=max((report.samples for report in found.reports), default=0),
        gates=tuple(found.results[item.name] for item in config.gates),
        notes=tuple(dict.fromkeys(found.notes)),
    )


def outcome(gates: Sequence[Gate], threads: int | None, progress: Progress | None) -> Outcome:
    """Evaluate gates; what cannot be evaluated is an error of its gates alone."""
    found = Outcome({}, [], [])
    for one in passes(gates):
        try:
            _take(one, threads, progress, found)
        except Exception as error:
            parts = one.split()
            if len(parts) == 1:
                found.results.update(_errors(one.gates, error))
                continue
            for part in parts:
                try:
                    _take(part, threads, progress, found)
                except Exception as own:
                    found.results.update(_errors(part.gates, own))
    return found


def _errors(gates: Iterable[Gate], error: Exception) -> Iterator[tuple[str, GateResult]]:
    why = _why(error)
    for item in gates:
        nan = float("nan")
        yield (
            item.name,
            GateResult(item.name, False, nan, nan, "not evaluated", error=why, loss=item.loss),
        )


def _why(error: Exception) -> str:
    """In one line."""
    if isinstance(error, LossctlError):
        told = in_keys(error)
        return "; ".join(filter(None, (told.what, told.hint)))
    if isinstance(error, MemoryError):
        return "out of memory; use fewer threads"
    if isinstance(error, OSError):
        return " ".join(str(error).split())
    if os.environ.get("LOSSCTL_DEBUG"):
        raise error
    what = " ".join(f"{type(error).__name__}: {error}".split())
    return f"this is a mistake in lossctl, not in your data: {what}; report it"


def _take(one: Pass, threads: int | None, progress: Progress | None, found: Outcome) -> None:
    """Carry out an evaluation and judge its gates."""
    plan = make(one, threads)
    report = evaluate(plan, None, progress)
    found.reports.append(report)
    found.notes.extend(report.notes)
    stride = 1 if one.baseline is None else 3  # the candidate's, the baseline's, their difference
    by_loss = {
        report.losses[first].loss: report.losses[first : first + stride]
        for first in range(0, len(report.losses), stride)
    }
    saved: dict[str, Saved] = {}
    for item in one.gates:
        try:
            found.results[item.name] = _judged(item, plan, report, by_loss[item.loss], saved, found)
        except LossctlError as error:
            found.results.update(_errors([item], error))


def make(one: Pass, threads: int | None) -> Plan:
    """The plan of an evaluation, or of a comparison with the baseline."""
    first = one.gates[0].options
    how = one.intervals or Intervals()
    grouped = {item.loss for item in one.gates if item.columns}
    options: dict[str, Any] = {
        "weight": first.weight,
        "cluster": first.cluster,
        "by": {name: Reference("", name) for name in one.by},
        "ungrouped": tuple(loss for loss in one.losses if loss not in grouped),
        "on": first.on,
        "unmatched": first.unmatched,
        "nan": first.nan,
        "reduction": first.reduction,
        "convention": first.convention,
        "dtype": first.dtype,
        "threads": threads,
        "bootstrap": how.bootstrap,
        "seed": how.seed,
    }
    quantiles = any(name in QUANTILES for item in one.gates for name in item.figures)
    confidence = how.confidence if one.intervals else None
    inputs = inputs_of(one)
    if one.baseline is None:
        return plans.make(one.losses, inputs, quantiles=quantiles, confidence=confidence, **options)
    # the candidate comes first: the columns of weights, groups and clusters are its own
    plan = comparing.make(one.losses, [inputs, {**inputs, "prediction": one.baseline}], **options)
    plan = plan._replace(names=("the prediction", "the baseline"))
    return plan._replace(quantiles=quantiles, confidence=how.confidence)


def inputs_of(one: Pass) -> dict[str, Reference]:
    """The inputs that the losses take; defaults are for those that do."""
    takes = frozenset[str]().union(*(item.takes | item.own_inputs for item in one.gates))
    inputs = dict(one.gates[0].options.inputs)
    return {name: item for name, item in inputs.items() if name == "prediction" or name in takes}


def _judged(
    item: Gate,
    plan: Plan,
    report: Report,
    losses: Sequence[LossResult],
    reports: dict[str, Saved],
    found: Outcome,
) -> GateResult:
    """Hold what was found against what a gate says."""
    own = losses[0]
    if not item.group:
        cells = [_cell({}, [one.summary for one in losses])]
    else:
        cells = [
            _cell(parts[0].group, [one.summary for one in parts])
            for parts in zip(*(one.groups or () for one in losses))
        ]
    if item.saved and item.baseline is not None:
        path = item.baseline.path
        baseline = reports[path] if path in reports else Saved(path)
        reports[path] = baseline
        if baseline.made_by != __version__:
            made_by = baseline.made_by or "of an unknown version"
            found.notes.append(f"{path} was written by lossctl {made_by}; this is {__version__}")
        wanted = _identity(item, plan, report, own)
        if item.group:
            baseline.require_groups(wanted, [one.group for one in cells])
        cells = [
            one._replace(saved=baseline.figure(wanted, item.figure, one.group)) for one in cells
        ]
    return decide(item, cells, own)


def _identity(item: Gate, plan: Plan, report: Report, own: LossResult) -> Identity:
    return Identity(
        loss=own.loss,
        full=item.full,
        reduction=own.reduction,
        nan=plan.nan,
        samples=report.samples - report.skipped,
        n=own.n,
        weighted=plan.weight is not None,
        options=record(plan),
    )


def _cell(group: Mapping[str, Any], found: Sequence[Summary]) -> Cell:
    """The candidate's figures, with the baseline's and the difference's where there are any."""
    own, base, apart = (*found, None, None)[:3]
    assert own is not None
    return Cell(group, own, base, apart)
