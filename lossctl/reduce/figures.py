"""The figures of a report, from a state: the value, its interval, and the description."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from lossctl.losses import Part
from lossctl.reduce import intervals, resample, samples
from lossctl.reduce.grouping import Floats
from lossctl.reduce.intervals import Spread
from lossctl.reduce.quantiles import Quantiles
from lossctl.reduce.resample import Resampling
from lossctl.reduce.state import Columns, State
from lossctl.report import QUANTILES, Evidence, Interval, Summary


class Layout(NamedTuple):
    """Where each part of a loss has its statistics among the state's columns."""

    parts: tuple[tuple[float, Part, tuple[int, ...]], ...]  # factor, part, shape of the state

    @property
    def finished(self) -> bool:
        """Whether a part has a finish, so that the value is no plain mean."""
        return any(part.loss.finish_for(part.params) for _, part, _ in self.parts)

    @property
    def signed(self) -> bool:
        """Whether it is a difference between models."""
        return len({part.model for _, part, _ in self.parts}) > 1

    @property
    def centred(self) -> tuple[int, ...]:
        """The statistics whose spread a finish takes."""
        found: list[int] = []
        start = 0
        for _, part, shape in self.parts:
            stop = start + math.prod(shape)
            if part.loss.spread is not None:
                places = np.arange(start, stop).reshape(shape)[..., part.loss.spread]
                found += places.reshape(-1).tolist()
            start = stop
        return tuple(found)

    def components(self, values: Floats, weights: Floats) -> Floats:
        """The components of the one part."""
        _, part, shape = self.parts[0]
        return np.asarray(
            samples.components(part, np, values.reshape(shape), weights.reshape(shape))
        )

    def value(self, values: Floats, weights: Floats, spreads: Floats | None = None) -> float:
        """The loss of summed statistics, and of the spreads of those that are centred."""
        total, start, first = 0.0, 0, 0
        for factor, part, shape in self.parts:
            stop = start + math.prod(shape)
            sums = values[start:stop].reshape(shape)
            weight = weights[start:stop].reshape(shape)
            spread = None
            if spreads is not None and part.loss.spread is not None:
                count = math.prod(shape[:-1])
                spread = spreads[first : first + count].reshape(shape[:-1])
                first += count
            total += factor * float(samples.finish(part, np, sums, weight, lead=0, spread=spread))
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
    # what two models differ by is summed sample by sample where that is the same: models that
    # are nearly alike would leave only rounding between the sums of each
    unit = state.columns.unit_weight
    apart = layout.signed and not layout.finished and state.columns.per_sample and unit is not None
    plain = apart and set(unit or ()) == {1.0} and state.columns.statistics == len(layout.parts)
    centred = state.columns.centred
    own, spreads = state.totals(group), state.spreads(group) if centred else None

    def value(totals: Floats) -> float:
        if reduction == "mean" and not apart:
            # other sums than the state's have no exact spread, and the finish does without
            exact = spreads if centred and np.array_equal(totals, own) else None
            return layout.value(*state.split(totals, group), exact)
        if reduction in ("mean", "samplemean") or layout.finished or plain:
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
    flips: Floats | None = None  # the same, each row with a sign, for a permutation test
    losses: Floats | None = None  # (n,), for a test of ranks


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
    described = state.columns.per_sample
    quantiles = quantiles if described else None
    # unpaired samples have no losses of their own to count
    n = int((state.rows if state.columns.unpaired else state.n)[group])
    totals = state.totals(group)
    value = reduced(state, layout, group, how.reduction)
    loss_sum, weight = state.loss_sum(totals), state.weight(totals, group)
    low, high = float(state.low[group]), float(state.high[group])
    with np.errstate(all="ignore"):
        measured = Measured(state, layout, group, value, totals, how, units)
        return Summary(
            value=value(totals) if state.rows[group] else how.nothing,
            n=n,
            sum=loss_sum if described else math.nan,
            mean=loss_sum / weight if weight and described else math.nan,
            std=state.std(group) if described else math.nan,
            min=low if low <= high and described else math.nan,
            max=high if low <= high and described else math.nan,
            quantiles={} if quantiles is None else quantiles.query(QUANTILES, low, high),
            nonfinite=int(state.nonfinite[group]),
            interval=measured.interval() if how.confidence is not None else None,
            evidence=measured.evidence() if how.test else None,
        )


class How(NamedTuple):
    """How a loss is reduced, and its interval made."""

    reduction: str
    confidence: float | None
    method: str = "bca"  # of resamples
    resamples: Resampling | None = None
    empty: float = math.nan  # the mean where there is nothing
    test: str = ""  # of a difference
    permutations: Resampling | None = None

    @property
    def nothing(self) -> float:
        """The value where there is nothing; a sum of nothing is 0."""
        return 0.0 if self.reduction == "sum" else self.empty


class Measured(NamedTuple):
    """A value with all that its uncertainty is judged by."""

    state: State
    layout: Layout
    group: int
    value: Callable[[Floats], float]  # of the columns' totals
    totals: Floats
    how: How
    units: Units

    def counted(self, sums: Floats) -> float:
        """The value of sums that bring their own count of samples."""
        if self.how.reduction == "sum" and self.units.clusters is not None:
            return self.value(sums[:-1])  # the number of clusters is given, of samples it is not
        n = float(self.state.n[self.group])
        return self.value(sums[:-1] * (n / sums[-1] if sums[-1] else math.nan))

    def extended(self) -> Floats:
        """The totals with the count of samples."""
        return np.append(self.totals, float(self.state.n[self.group]))

    @property
    def alike(self) -> bool:
        """Whether it is a difference between models that differ in no sample."""
        state, group = self.state, self.group
        known = state.columns.signed and state.columns.per_sample  # else all losses here are 0
        return known and 0 < state.n[group] == state.equal[group]

    def spread(self) -> Spread:
        """The standard error, from clusters where there are any, else from the covariances."""
        clusters = self.units.clusters
        if self.alike:
            n = int(self.state.n[self.group]) if clusters is None else len(clusters)
            return Spread(0.0 if n > 1 else math.nan, n - 1)
        if clusters is not None:
            if not math.isfinite(self.value(self.totals)):  # which the clusters' sums leave out
                return Spread(math.nan, len(clusters) - 1)
            return intervals.of_clusters(self.counted, clusters)
        slope = intervals.gradient(self.value, self.totals)
        variance, freedom = self.state.variance(self.group, slope)
        return Spread(math.sqrt(variance) if variance >= 0 else math.nan, freedom)

    def replicates(self) -> Floats | None:
        """The sums of each resample that is not empty, where there are any."""
        if self.units.clusters is not None and self.how.resamples is not None:
            return resample.of_units(self.units.clusters, self.how.resamples)
        found = self.units.replicates
        # a small group may be missing from a resample of all the rows
        return None if found is None else found[found[:, -1] > 0]

    def interval(self) -> Interval | None:
        """Of resamples where there are any; else t for a mean, the delta method otherwise."""
        assert self.how.confidence is not None
        level, replicates = self.how.confidence, self.replicates()
        if replicates is not None and not self.alike:
            return intervals.resampled(
                self.counted, self.extended(), replicates, level, self.how.method
            )
        method = self.method if replicates is None else self.how.method
        return intervals.around(self.value(self.totals), self.spread(), level, method)

    @property
    def method(self) -> str:
        """What Student's interval is called here."""
        if self.units.clusters is not None:
            return "cluster"
        columns = self.state.columns
        plain = columns.unit_weight is not None and not columns.weighted
        linear = plain and (self.how.reduction != "mean" or not self.layout.finished)
        return "t" if linear else "delta"

    def evidence(self) -> Evidence:
        """Of a difference: its standard error, its signs and the p-value."""
        # samples whose losses depend on each other's have no interval, and no test
        tested = self.how.confidence is not None
        value = self.value(self.totals)
        spread = self.spread() if tested else Spread(math.nan, math.nan)
        leans, p = self._tested(value, spread) if tested else (value, math.nan)
        direction = int(leans > 0) - int(leans < 0)
        return Evidence(spread.error, spread.freedom, *self._signs(), direction, p)

    def _signs(self) -> tuple[int, int, int]:
        """The samples with a difference below 0, of 0 and above."""
        state, group = self.state, self.group
        return int(state.below[group]), int(state.equal[group]), int(state.above[group])

    def _tested(self, value: float, spread: Spread) -> tuple[float, float]:
        """Where the test leans, and its p-value; NaN where it says nothing."""
        from lossctl.reduce import significance

        test = self.how.test
        if test == "t":
            return value, significance.student_p(value, *spread)
        if test == "bootstrap":
            return value, self._bootstrapped() if math.isfinite(value) else math.nan
        if test == "permutation":
            return value, self._permuted()
        below, equal, above = self._signs()
        if below + equal + above < self.state.n[self.group]:
            return 0.0, math.nan  # both losses of a sample are infinite
        if test == "sign":
            return above - below, significance.sign_p(below, above)
        losses = self.units.losses
        ranks = significance.signed_ranks(np.zeros(0) if losses is None else losses)
        return float(ranks.sum()), significance.wilcoxon_p(ranks)

    def _bootstrapped(self) -> float:
        from lossctl.reduce import significance

        replicates = self.replicates()
        if replicates is None:
            return math.nan
        return significance.resampled_p(np.array([self.counted(item) for item in replicates]))

    def _permuted(self) -> float:
        from lossctl.reduce import significance

        flips = self.units.flips
        if self.units.clusters is not None and self.how.permutations is not None:
            flips = resample.of_units(self.units.clusters, self.how.permutations, signs=True)
        if flips is None:
            return math.nan
        columns, totals = self.state.columns, self.totals
        found = [self.value(exchanged(columns, totals, item)) for item in flips]
        how = self.how.permutations
        every = how is not None and len(flips) < how.times
        return significance.permuted_p(self.value(totals), np.array(found), every)


def exchanged(columns: Columns, totals: Floats, flipped: Floats) -> Floats:
    """A difference's totals when the models change places in some rows.

    Args:
        columns: The candidate's statistics come first, then the baseline's.
        totals: The columns' sums.
        flipped: Their sums with −1 for the rows in which the models change places.
    """
    half, found = columns.statistics // 2, totals.copy()
    for start in (0, columns.statistics) if columns.own_weights else (0,):
        theirs, mine = slice(start, start + half), slice(start + half, start + 2 * half)
        middle = (totals[theirs] + totals[mine]) / 2
        apart = (flipped[theirs] - flipped[mine]) / 2
        found[theirs], found[mine] = middle + apart, middle - apart
    found[columns.loss] = flipped[columns.loss]
    return found
