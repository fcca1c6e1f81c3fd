"""The figures of a report, from a state: the value, its interval, and the description."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from lossctl.losses import Part
from lossctl.reduce import intervals, resample, samples
from lossctl.reduce.intervals import Spread
from lossctl.reduce.quantiles import Quantiles
from lossctl.reduce.resample import Resampling
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


class Units(NamedTuple):
    """What an interval is made of where it is not the state's own covariances."""

    replicates: Floats | None = None  # (resamples, columns and count)
    clusters: Floats | None = None  # (G, columns and count)


def summarise(
    state: State,
    layout: Layout,
    group: int,
    *,
    how: How,
    quantiles: Quantiles | None,
    units: Units,
) -> Summary:
    """All the figures of one group of samples."""
    described = state.columns.described
    quantiles = quantiles if described else None
    # unpaired samples have no losses of their own to count
    n = int((state.rows if state.columns.unpaired else state.n)[group])
    totals = state.totals(group)
    value = reduced(state, layout, group, how.reduction)
    loss_sum, weight = state.loss_sum(totals), state.weight(totals, group)
    low, high = float(state.low[group]), float(state.high[group])
    with np.errstate(all="ignore"):
        return Summary(
            value=value(totals) if state.rows[group] else how.empty,
            n=n,
            sum=loss_sum if described else math.nan,
            mean=loss_sum / weight if weight and described else math.nan,
            std=state.std(group) if described else math.nan,
            min=low if low <= high and described else math.nan,
            max=high if low <= high and described else math.nan,
            quantiles={} if quantiles is None else quantiles.query(QUANTILES, low, high),
            nonfinite=int(state.nonfinite[group]),
            interval=None
            if how.confidence is None
            else _interval(state, layout, group, value, totals, how, units),
        )


class How(NamedTuple):
    """How a loss is reduced, and its interval made."""

    reduction: str
    confidence: float | None
    method: str = "bca"  # of resamples
    resamples: Resampling | None = None
    empty: float = math.nan  # the value where there is nothing


def _interval(
    state: State,
    layout: Layout,
    group: int,
    value: Callable[[Floats], float],
    totals: Floats,
    how: How,
    units: Units,
) -> Interval | None:
    """The interval of resamples or clusters; else t for a mean, the delta method otherwise."""
    assert how.confidence is not None
    n = float(state.n[group])

    def counted(sums: Floats) -> float:
        """The value of sums that bring their own count of samples."""
        if how.reduction == "sum" and units.clusters is not None:
            return value(sums[:-1])  # the number of clusters is given, that of samples is not
        return value(sums[:-1] * (n / sums[-1] if sums[-1] else math.nan))

    extended = np.append(totals, n)
    if units.clusters is not None:
        if how.resamples is None:
            spread = intervals.of_clusters(counted, units.clusters)
            return intervals.around(value(totals), spread, how.confidence, "cluster")
        replicates = resample.of_units(units.clusters, how.resamples)
        return intervals.resampled(counted, extended, replicates, how.confidence, how.method)
    if units.replicates is not None:
        return intervals.resampled(counted, extended, units.replicates, how.confidence, how.method)
    variance, freedom = state.variance(group, intervals.gradient(value, totals))
    plain = state.columns.unit_weight is not None and not state.columns.weighted
    linear = plain and (how.reduction != "mean" or not layout.finished)
    spread = Spread(math.sqrt(variance) if variance >= 0 else math.nan, freedom)
    return intervals.around(value(totals), spread, how.confidence, "t" if linear else "delta")
