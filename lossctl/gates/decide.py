"""What each kind of gate decides, from the figures of an evaluation."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from lossctl.errors import DataError, counted
from lossctl.gates import judge
from lossctl.gates.expression import QUANTILES
from lossctl.gates.gate import Allowance, Gate
from lossctl.gates.judge import show_group
from lossctl.reduce import student
from lossctl.reduce.significance import holm
from lossctl.report import GateResult, LossResult, Summary

_UNKNOWN = 1e-5
"""Where the spread of a difference is lost in rounding, it is below this share of the models'."""


class Cell(NamedTuple):
    """What was found of one group, or of all samples."""

    group: Mapping[str, Any]  # empty for all samples
    own: Summary
    base: Summary | None = None  # the baseline's
    apart: Summary | None = None  # what they differ by
    saved: float = math.nan  # the figure in the baseline's saved report

    def baseline(self, figure: str) -> float:
        """The baseline's figure."""
        return self.saved if self.base is None else judge.figure(self.base, figure)


class Check(NamedTuple):
    """One thing that a gate checks, and what came of it."""

    passed: bool
    value: float
    limit: float
    text: str
    cell: Cell | None
    baseline: float | None = None
    p: float | None = None
    counts: bool = False  # its text says the number of samples


class Spread(NamedTuple):
    """The standard error of a difference from a multiple of the baseline."""

    error: float
    freedom: float


def decide(gate: Gate, cells: Sequence[Cell], loss: LossResult) -> GateResult:
    """Whether a gate has passed.

    Args:
        gate: What must hold.
        cells: All samples, or each group.
        loss: The candidate's loss, with its groups.

    Raises:
        DataError: It cannot be evaluated.
    """
    if not cells:
        raise DataError("there is no group", f"look at the column {', '.join(gate.group)}")
    spoken_of = _all_cells(loss)[1:] if gate.fail_if and gate.fail_if.groups else []
    _check_quantiles(gate, [*cells, *spoken_of])
    checks = list(_checks(gate, cells))
    if gate.fail_if is not None:
        found = judge.of_report(gate.fail_if, [loss])
        text = f"{found.message}; fails if {gate.fail_if.text}"
        cell = next((one for one in _all_cells(loss) if one.group == found.group), None)
        checks.append(Check(found.passed, found.value, found.limit, text, cell))
    shown = [check for check in checks if not check.passed] or checks
    first = shown[0]
    n = None if first.cell is None else first.cell.own.n
    count = "" if n is None or any(check.counts for check in shown) else f"; n = {n:,}"
    return GateResult(
        gate=gate.name,
        passed=all(check.passed for check in checks),
        value=first.value,
        limit=first.limit,
        message="; ".join(check.text for check in shown) + count,
        group=dict(first.cell.group) if first.cell else {},
        loss=gate.loss,
        n=n,
        baseline=first.baseline,
        p=first.p,
    )


def _all_cells(loss: LossResult) -> list[Cell]:
    return [Cell({}, loss.summary), *(Cell(one.group, one.summary) for one in loss.groups or ())]


def _check_quantiles(gate: Gate, cells: Sequence[Cell]) -> None:
    """A quantile that was not kept is no reason to fail a model."""
    for name in gate.figures:
        if name in QUANTILES and any(one.own.n and not one.own.quantiles for one in cells):
            raise DataError(
                f"there is no {name} of each group: with many groups quantiles are kept of all "
                "samples alone",
                "group by a column with fewer values, or use mean or max",
            )


def _checks(gate: Gate, cells: Sequence[Cell]) -> list[Check]:
    found = []
    if gate.most is not None:
        found.append(_limit(gate, cells, gate.most, above=True))
    if gate.least is not None:
        found.append(_limit(gate, cells, gate.least, above=False))
    if gate.alpha is not None and gate.margin is not None:
        found.append(_not_inferior(gate, cells, gate.alpha, gate.margin))
    elif gate.alpha is not None:
        found.append(_worse(gate, cells, gate.alpha))
    elif gate.max_regression is not None:
        found.append(_regression(gate, cells, gate.max_regression))
    if gate.samples is not None:
        found.append(_samples(gate.samples, cells))
    return found


def _where(worst: Cell, cells: Sequence[Cell], failing: int = 0) -> str:
    if not worst.group:
        return ""
    more = f" and {failing - 1} more" if failing > 1 else ""
    of = f", the worst of {len(cells)} groups" if not failing and len(cells) > 1 else ""
    return f" in {show_group(worst.group)}{more}{of}"


def _worst(cells: Sequence[Cell], badness: Callable[[Cell], float]) -> Cell:
    """The cell farthest on the failing side; NaN before all."""

    def key(cell: Cell) -> tuple[bool, float]:
        found = badness(cell)
        return (found != found, 0.0 if found != found else found)

    return max(cells, key=key)


def _samples(least: int, cells: Sequence[Cell]) -> Check:
    failing = [one for one in cells if one.own.n < least]
    worst = _worst(cells, lambda one: -one.own.n)
    where = _where(worst, cells, len(failing)).replace("worst", "smallest")
    told = f"fewer than {least:,}" if failing else f"at least {least:,}"
    text = f"{counted(worst.own.n, 'sample')}{where}, {told}"
    return Check(not failing, float(worst.own.n), float(least), text, worst, counts=True)


def _limit(gate: Gate, cells: Sequence[Cell], limit: float, *, above: bool) -> Check:
    def value(cell: Cell) -> float:
        return judge.figure(cell.own, gate.figure)

    def holds(cell: Cell) -> bool:  # not for NaN
        return value(cell) <= limit if above else value(cell) >= limit

    failing = [one for one in cells if not holds(one)]
    worst = _worst(cells, value if above else lambda one: -value(one))
    found = value(worst)
    if failing:
        told = f"{'above' if above else 'below'} {limit:.6g}"
    else:
        told = f"at {'most' if above else 'least'} {limit:.6g}"
    text = _found(gate, found, _where(worst, cells, len(failing)), told)
    return Check(not failing, found, limit, text, worst)


def _found(gate: Gate, value: float, where: str, told: str) -> str:
    """What the figure is, and what follows from it."""
    if value != value:
        return f"{gate.subject} is not a number{where}, which passes no gate"
    return f"{gate.subject} is {value:.6g}{where}, {told}"


def _than(value: float, baseline: float) -> str:
    """The baseline, and how far the value is from it."""
    change = value - baseline
    part = f" ({change / abs(baseline) * 100:+.3g} %)" if baseline else ""
    return f"baseline {baseline:.6g}{part}"


def _regression(gate: Gate, cells: Sequence[Cell], allowed: Allowance) -> Check:
    def limit(cell: Cell) -> float:
        baseline = cell.baseline(gate.figure)
        return baseline + allowed.of(baseline)

    def value(cell: Cell) -> float:
        return judge.figure(cell.own, gate.figure)

    for cell in cells:
        if not math.isfinite(cell.baseline(gate.figure)):
            where = f" in {show_group(cell.group)}" if cell.group else ""
            raise DataError(
                f"the baseline's {gate.subject} is no finite number{where}",
                "give a baseline whose loss is finite",
            )
    failing = [one for one in cells if not value(one) <= limit(one)]
    worst = _worst(cells, lambda one: value(one) - limit(one))
    found, baseline = value(worst), worst.baseline(gate.figure)
    told = "above" if failing else "at most"
    text = _found(
        gate,
        found,
        _where(worst, cells, len(failing)),
        f"{_than(found, baseline)}, {told} the {limit(worst):.6g} allowed",
    )
    return Check(not failing, found, limit(worst), text, worst, baseline)


# ---- tests -------------------------------------------------------------------------------


def spread(cell: Cell, multiple: float) -> Spread:
    """The standard error of the candidate's loss less a multiple of the baseline's.

    The three variances tell the covariance, and with it that of any multiple's difference:
    var(c − m b) = m var(c − b) + (1 − m) var(c) + (m² − m) var(b).
    """
    assert cell.apart is not None and cell.base is not None
    own, base, apart = (one.evidence for one in (cell.own, cell.base, cell.apart))
    assert own is not None and base is not None and apart is not None
    error = apart.error
    if math.isnan(error) and apart.freedom > 0:
        error = _UNKNOWN * math.hypot(own.error, base.error)
    if multiple == 1:
        return Spread(error, apart.freedom)
    variance = (
        multiple * error**2
        + (1 - multiple) * own.error**2
        + (multiple**2 - multiple) * base.error**2
    )
    return Spread(math.sqrt(max(variance, 0.0)), apart.freedom)


def _p(gate: Gate, cell: Cell, allowed: Allowance | None, *, worse: bool) -> float:
    """One-sided p of the paired t test of the difference against what is allowed.

    Args:
        gate: Which loss.
        cell: What was found.
        allowed: How much worse the candidate may be; None for not at all.
        worse: Whether the test is to show that it is worse by more, or else by less.

    Raises:
        DataError: There are too few samples for a test.
    """
    base = cell.baseline("value")
    excess = cell.own.value - base
    if math.isnan(cell.own.value):
        return math.nan  # which passes no gate
    if not math.isfinite(excess):
        where = f" in {show_group(cell.group)}" if cell.group else ""
        raise DataError(
            f"{gate.loss} is {cell.own.value:.6g}, and the baseline's {base:.6g}{where}: "
            "there is no difference to test",
            "look at the samples: lossctl compare --test sign",
        )
    multiple = 1.0
    if allowed is not None:
        excess -= allowed.of(base)
        multiple += math.copysign(allowed.amount, base) if allowed.share else 0.0
    found = spread(cell, multiple)
    if not found.freedom > 0 or math.isnan(found.error):
        _refuse(gate, cell)
    towards = -excess if worse else excess
    if found.error == 0:
        return 0.0 if towards < 0 else 1.0
    return student.cdf(towards / found.error, found.freedom)


def _refuse(gate: Gate, cell: Cell) -> None:
    where = f" in {show_group(cell.group)}" if cell.group else ""
    if gate.options.cluster is not None:
        raise DataError(
            f"too few clusters for a test{where}: at least 2 are needed",
            "evaluate more, or leave out cluster or alpha",
        )
    if cell.own.n < 2:
        raise DataError(
            f"too few samples for a test{where}: there {'is' if cell.own.n == 1 else 'are'} "
            f"{cell.own.n}, and at least 2 are needed",
            "evaluate more samples, or leave out alpha",
        )
    raise DataError(
        f"{gate.loss} has no standard error here{where}, and so no test",
        "leave out alpha and use max_regression alone",
    )


def _worse(gate: Gate, cells: Sequence[Cell], alpha: float) -> Check:
    """Fails where the candidate is shown to be worse, by more than is allowed."""
    allowed = gate.max_regression
    p_values = holm([_p(gate, one, allowed, worse=True) for one in cells])
    by_cell = {id(cell): p for cell, p in zip(cells, p_values)}
    failing = [one for one in cells if not by_cell[id(one)] > alpha]
    worst = _worst(cells, lambda one: -by_cell[id(one)])
    p = by_cell[id(worst)]
    worse = f"worse by more than {allowed}" if allowed and allowed.amount else "worse"
    told = f"{worse} at level {alpha:g}" if failing else f"not shown {worse} at level {alpha:g}"
    return _tested(gate, cells, worst, len(failing), allowed, p, told, corrected=True)


def _not_inferior(gate: Gate, cells: Sequence[Cell], alpha: float, margin: Allowance) -> Check:
    """Fails unless the candidate is shown to be worse by less than the margin.

    Every group must pass, which alone keeps the chance of passing wrongly below alpha; the
    p-values need no correction.
    """
    by_cell = {id(one): _p(gate, one, margin, worse=False) for one in cells}
    failing = [one for one in cells if not by_cell[id(one)] <= alpha]
    worst = _worst(cells, lambda one: by_cell[id(one)])
    p = by_cell[id(worst)]
    shown = "not shown" if failing else "shown"
    better = f"less than {margin} worse" if margin.amount else "better"
    told = f"{shown} to be {better} at level {alpha:g}"
    return _tested(gate, cells, worst, len(failing), margin, p, told)


def _tested(
    gate: Gate,
    cells: Sequence[Cell],
    worst: Cell,
    failing: int,
    allowed: Allowance | None,
    p: float,
    told: str,
    corrected: bool = False,
) -> Check:
    value, baseline = worst.own.value, worst.baseline("value")
    limit = baseline + (allowed.of(baseline) if allowed else 0.0)
    how = f" (Holm, {len(cells)} groups)" if corrected and len(cells) > 1 else ""
    text = _found(
        gate,
        value,
        _where(worst, cells, failing),
        f"{_than(value, baseline)}, p = {p:.2g}{how}: {told}",
    )
    return Check(not failing, value, limit, text, worst, baseline, p)
