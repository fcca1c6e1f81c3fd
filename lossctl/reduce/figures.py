"""The figures of a report, from a state: the value, its interval, and the description."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from lossctl.losses import Part
from lossctl.reduce import samples
from lossctl.reduce.quantiles import Quantiles
from lossctl.reduce.state import Floats, State
from lossctl.report import QUANTILES, Interval, Summary


class Layout(NamedTuple):
    """Where each part of a loss has its statistics among the state's columns."""

    parts: tuple[tuple[float, Part, tuple[int, ...]], ...]  # factor, part, shape of the state

    @property
    def finished(self) -> bool:
        """Whether a part has a finish, so that the value is no plain mean."""
        return any(part.loss.finish_for(part.params) for _, part, _ in self.parts)

    def components(self, values: Floats, weights: Floats) -> Floats:
        """The components of the one part."""
        _, part, shape = self.parts[0]
        return np.asarray(
            samples.components(part, np, values.reshape(shape), weights.reshape(shape))
        )

    def value(self, values: Floats, weights: Floats) -> float:
        """The loss of summed statistics."""
        total, start = 0.0, 0
        for factor, part, shape in self.parts:
            stop = start + math.prod(shape)
            sums = values[start:stop].reshape(shape)
            weight = weights[start:stop].reshape(shape)
            total += factor * float(samples.finish(part, np, sums, weight, lead=0))
            start = stop
        return total

    def total(self, values: Floats) -> float:
        """The sum of statistics without a finish."""
        found, start = 0.0, 0
        for factor, _, shape in self.parts:
            stop = start + math.prod(shape)
            found += factor * float(values[start:stop].sum())
            start = stop
        return found


def reduced(state: State, layout: Layout, group: int, reduction: str) -> Callable[[Floats], float]:
    """The value as a function of the columns' totals."""

    def value(totals: Floats) -> float:
        if reduction == "mean":
            return layout.value(*state.split(totals, group))
        if reduction == "samplemean" or layout.finished:
            found = state.loss_sum(totals)
        else:
            found = layout.total(state.split(totals, group)[0])
        if reduction == "sum":
            return found
        weight = state.weight(totals, group)
        return found / weight if weight else math.nan

    return value


def summarise(
    state: State,
    layout: Layout,
    group: int,
    *,
    reduction: str,
    confidence: float | None,
    quantiles: Quantiles | None,
    empty: float = math.nan,
) -> Summary:
    """All the figures of one group of samples; `empty` is the value of none."""
    described = state.columns.described
    quantiles = quantiles if described else None
    # unpaired samples have no losses of their own to count
    n = int((state.rows if state.columns.unpaired else state.n)[group])
    totals = state.totals(group)
    value = reduced(state, layout, group, reduction)
    loss_sum, weight = state.loss_sum(totals), state.weight(totals, group)
    low, high = float(state.low[group]), float(state.high[group])
    with np.errstate(all="ignore"):
        return Summary(
            value=value(totals) if state.rows[group] else empty,
            n=n,
            sum=loss_sum if described else math.nan,
            mean=loss_sum / weight if weight and described else math.nan,
            std=state.std(group) if described else math.nan,
            min=low if low <= high and described else math.nan,
            max=high if low <= high and described else math.nan,
            quantiles={} if quantiles is None else quantiles.query(QUANTILES, low, high),
            nonfinite=int(state.nonfinite[group]),
            interval=None
            if confidence is None
            else _interval(state, layout, group, value, totals, reduction, confidence),
        )


def _interval(
    state: State,
    layout: Layout,
    group: int,
    value: Callable[[Floats], float],
    totals: Floats,
    reduction: str,
    level: float,
) -> Interval | None:
    """The t interval of a mean; of any other value by the delta method."""
    from lossctl.reduce.student import quantile

    centre = value(totals)
    variance, freedom = state.variance(group, _gradient(value, totals))
    if not math.isfinite(variance) or not math.isfinite(centre):
        return None
    half = quantile(0.5 + level / 2, freedom) * math.sqrt(variance)
    plain = state.columns.unit_weight is not None and not state.columns.weighted
    linear = plain and (reduction != "mean" or not layout.finished)
    return Interval(level, centre - half, centre + half, "t" if linear else "delta")


def _gradient(value: Callable[[Floats], float], totals: Floats) -> Floats:
    gradient = np.zeros_like(totals)
    scale = float(np.abs(totals).max(initial=0)) or 1.0
    for index, total in enumerate(totals):
        step = 1e-6 * (abs(total) or scale)
        ahead, behind = totals.copy(), totals.copy()
        ahead[index] += step
        behind[index] -= step
        gradient[index] = (value(ahead) - value(behind)) / (ahead[index] - behind[index])
    return gradient
