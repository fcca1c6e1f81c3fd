"""Evaluate losses: the Python face, and the way from a plan to a report."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lossctl import backend as backends
from lossctl import plan as plans
from lossctl.align.inputs import open_inputs
from lossctl.errors import UsageError, counted, nearest
from lossctl.losses import Loss
from lossctl.plan import Plan
from lossctl.recorded import record
from lossctl.reduce.assemble import assemble
from lossctl.reduce.engine import Engine, Sink
from lossctl.report import GateResult, Report

if TYPE_CHECKING:
    import numpy.typing as npt

Progress = Callable[[int, int | None], None]  # rows done, rows in all if known


def evaluate(
    loss: str | Sequence[str],
    prediction: Any = None,
    target: Any = None,
    *,
    weight: Any = None,
    by: Mapping[str, Any] | Sequence[str] | str = (),
    on: str | None = None,
    unmatched: str = "error",
    reduction: str | None = None,
    convention: str | None = None,
    fail_if: str | Sequence[str] = (),
    nan: str = "error",
    confidence: float | None = 0.95,
    bootstrap: int | None = None,
    seed: int = 0,
    interval: str = "bca",
    cluster: Any = None,
    worst: int | None = None,
    per_sample: bool = False,
    dtype: str | None = None,
    backend: str = "numpy",
    threads: int | None = None,
    **inputs: Any,
) -> Report:
    """Evaluate one loss or several over the same samples.

    Args:
        loss: A spec such as `"huber:delta=2"`, or a list of them.
        prediction: The prediction, (N, …), for the losses that take one.
        target: The target, (N, …), likewise; its column where one table holds both.
        weight: Sample weights (N,), or a column or reference.
        by: Columns to group by, or arrays (N,) by name.
        on: The key column by which tables are joined, instead of by row.
        unmatched: What a join does with rows without a partner: "error" or "drop".
        reduction: "mean", "sum", "batchmean" or "samplemean"; default the convention's, which
            without one is the mean.
        convention: Whose definition, for specs that name none: "torch", "keras", …, or "*" for
            the exact one and all of them.
        fail_if: Gates, such as `"mse > 0.25"`: what must not hold. See `Report.gates`.
        nan: What happens to NaN in the inputs: "error", "skip" (the sample) or "propagate".
        confidence: The level of the intervals; None for none.
        bootstrap: How many resamples to make the intervals of; default none: Student's t for
            means, the delta method for other values.
        seed: Of the resamples, which are the same on any number of threads.
        interval: "bca" or "percentile", of the resamples.
        cluster: A column (N,) or reference; rows that agree in it are not independent of each
            other, and only the clusters are.
        worst: How many of the samples with the largest losses to list.
        per_sample: Whether to keep each sample's loss, (N,) float64.
        dtype: "float32" or "float64" to compute in. By default floats compute in their own
            type, float16 in float32 and integers in float64; sums are float64 always.
        backend: "numpy" or "cupy".
        threads: Default: the cores that this process may use.
        **inputs: The losses' other inputs by name, each an array (N, …), a series, a data frame,
            or a path or reference (`"file.parquet::column"`); and parameters of the losses
            by name.

    Returns:
        The report; `report.losses[0].value` is the first loss's value.

    Raises:
        SpecError: A spec that is none.
        UsageError: Options that contradict each other.
        DataError: Inputs that cannot be read, or that the loss does not take.
    """
    check_keywords(loss, inputs)
    inputs |= {"prediction": prediction, "target": target}
    params = _params(loss, inputs)
    plan = plans.make(
        loss,
        {name: value for name, value in inputs.items() if name not in params},
        weight=weight,
        by=by,
        params=params,
        on=on,
        unmatched=unmatched,
        reduction=reduction,
        convention=convention,
        fail_if=fail_if,
        nan=nan,
        confidence=confidence,
        bootstrap=bootstrap,
        seed=seed,
        interval=interval,
        cluster=cluster,
        worst=worst,
        per_sample=per_sample,
        dtype=dtype,
        backend=backend,
        threads=threads,
    )
    return run(plan)


def check_keywords(loss: str | Sequence[str], given: Iterable[str]) -> None:
    """Refuse a keyword argument of `evaluate` that is a slip of one that there is.

    Others may be inputs of the losses or parameters, which the plan knows.

    Raises:
        UsageError: With the nearest.
    """
    losses = _losses(loss)
    inputs = {item.name for one in losses for item in one.inputs}
    params = {param.name for one in losses for param in one.params}
    known = ["loss", *plans.MAIN, *(evaluate.__kwdefaults__ or ()), *sorted(inputs | params)]
    for name in given:
        if name not in known and (hint := nearest(name, known)):
            raise UsageError(f"there is no option, input or parameter {name!r}", hint)


def _losses(loss: str | Sequence[str]) -> list[Loss]:
    from lossctl.losses import get
    from lossctl.spec import parse

    specs = [loss] if isinstance(loss, str) else loss
    return [get(item.name) for spec in specs for _, item in parse(spec).terms]


def _params(loss: str | Sequence[str], given: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the keyword arguments that are parameters of a loss."""
    losses = _losses(loss)
    names = {param.name for item in losses for param in item.params}
    names |= {
        item.name
        for one in losses
        for item in one.inputs
        if item.constant and isinstance(given.get(item.name), int | float)
    }
    return {name: _plain(value) for name, value in given.items() if name in names}


def _plain(value: Any) -> Any:
    """A parameter's value without NumPy: a number, a word, or a tuple of them."""
    value = value.tolist() if hasattr(value, "tolist") else value
    return tuple(value) if isinstance(value, list) else value


def per_sample(loss: Loss, arguments: Mapping[str, Any]) -> npt.NDArray[Any]:
    """Per-sample losses (N,) of arrays; what calling a `Loss` does."""
    report = evaluate(loss.name, per_sample=True, confidence=None, nan="propagate", **arguments)
    found = report.losses[0].per_sample
    assert found is not None
    return found


def _judged(plan: Plan, report: Report) -> tuple[GateResult, ...]:
    if not plan.gates:
        return ()
    from lossctl.gates import judge

    return tuple(judge.of_report(gate, report.losses) for gate in plan.gates)


def run(plan: Plan, sink: Sink | None = None, progress: Progress | None = None) -> Report:
    """Carry out a plan.

    Args:
        plan: What to evaluate.
        sink: Takes the per-sample losses as they come.
        progress: Told how many rows are done.
    """
    backend = backends.load(plan.backend)
    opened = open_inputs(plan)
    try:
        total = None if plan.unpaired else opened.first.rows
        tell = (lambda done: progress(done, total)) if progress else None
        engine = Engine(plan, backend, opened, sink, tell)
        notes = opened.notes
        if plan.on is not None:
            from lossctl.align.join import Join

            join = Join(opened, plan.unmatched)
            totals = engine.run(join.tasks())
            if join.dropped:
                notes.append(f"left out for want of a partner: {counted(join.dropped, 'row')}")
        else:
            from lossctl.align.rows import in_order

            totals = engine.run(in_order(opened, unpaired=plan.unpaired))
        report = assemble(plan, opened, totals, engine.worker, notes)
        if plan.models:  # whose gates are about the differences
            return report
        return report._replace(gates=_judged(plan, report), options=record(plan))
    finally:
        opened.close()
