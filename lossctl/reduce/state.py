"""The state that sums statistics over samples; the same for every loss.

A state holds, for each group (one, where there are none), exact sums of a few columns and
of their products. The columns are the statistics, and where they cannot be derived the
statistics' weights, the per-sample loss and the sample weight. States of blocks merge into
the state of the whole, without regard to order; values, spreads and intervals follow from
the state alone.
"""

from __future__ import annotations

import math
from itertools import combinations
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from lossctl.reduce import exact
from lossctl.reduce.grouping import Flags, Floats, Grouping, Indices, Whole
from lossctl.reduce.quantiles import Quantiles

MOST_COLUMNS = 40
"""Beyond this many columns their products are not kept, and there is no interval."""
_LEAST_SQUARED = 1e-154  # the square of a smaller number is subnormal, or 0
_HEADROOM = 64  # bits of scale that keep a sum of floats from overflowing
MOST_GROUPS = 256
"""Beyond this many groups, quantiles are kept for the whole alone."""


Rows: TypeAlias = Grouping | Whole
"""A block's rows, by group or all together."""


class Columns(NamedTuple):
    """Which columns a state sums, and how the rest is derived from them."""

    statistics: int
    unit_weight: tuple[float, ...] | None  # of each statistic, where it is the same for all
    derived: bool  # the per-sample loss is the one statistic over its weight
    weighted: bool  # by sample
    unpaired: bool = False  # each statistic is of samples of its own
    single: bool = False  # no sample has a loss of its own; the losses here are zeros
    signed: bool = False  # the loss is a difference, of which the signs are counted
    centred: tuple[int, ...] = ()  # statistics of which Σ w (x − x̄)² is kept exactly
    described: bool = True  # not only the value is wanted, but spreads and extremes too

    @property
    def own_weights(self) -> bool:
        """Whether the statistics' weights are columns."""
        return self.unit_weight is None

    @property
    def per_sample(self) -> bool:
        """Whether samples have losses of their own."""
        return not (self.unpaired or self.single)

    @property
    def size(self) -> int:
        """How many columns there are."""
        own = self.statistics if self.own_weights else 0
        return self.statistics + own + (not self.derived) + self.weighted

    @property
    def loss(self) -> int:
        """The index of the per-sample loss, or of the statistic that it derives from."""
        own = self.statistics if self.own_weights else 0
        return 0 if self.derived else self.statistics + own


class Block(NamedTuple):
    """The per-sample figures of the samples that take part, on the way into a state."""

    columns: Columns
    statistics: Floats  # (n, K)
    weights: Floats | None  # (n, K); None where they are the same for all samples
    losses: Floats  # (n,)
    valued: Flags | None  # (n,), which samples have a loss; None where all have
    sample_weights: Floats | None  # (n,), above 0

    def take(self, rows: Indices) -> Block:
        """The rows, in this order."""
        losses = self.losses[rows]
        # a statistic of weight 1 is the loss itself, and is not picked twice
        same = self.columns.derived and self.columns.unit_weight == (1.0,)
        return Block(
            self.columns,
            losses[:, None] if same else self.statistics[rows],
            None if self.weights is None else self.weights[rows],
            losses,
            None if self.valued is None else self.valued[rows],
            None if self.sample_weights is None else self.sample_weights[rows],
        )

    def sorted_by(self, grouping: Grouping) -> Block:
        """The rows, group by group."""
        found = self._replace(sample_weights=None).take(grouping.order)
        if self.sample_weights is None:
            return found
        return found._replace(sample_weights=grouping.sorted_weights)

    def table(self) -> Floats:
        """The columns to sum (n, columns), and a last one that counts the rows with a value."""
        count = np.ones(len(self.losses)) if self.valued is None else self.valued * 1.0
        return np.stack([*map(_finite, self.sums()), count], axis=1)

    def sums(self) -> list[Floats]:
        """The columns to sum, in the order that `Columns` gives them."""
        found = list(self.statistics.T)
        if self.weights is not None:
            found += list(self.weights.T)
        if not self.columns.derived:
            found.append(self._where_valued(self.losses))
        if self.sample_weights is not None:
            found = [column * self.sample_weights for column in found]
            found.append(self._where_valued(self.sample_weights))
        return found

    def _where_valued(self, column: Floats) -> Floats:
        return column if self.valued is None else np.where(self.valued, column, 0)


class State:
    """Exact sums of groups of samples. `merge` takes in another state of the same loss."""

    def __init__(self, columns: Columns, groups: int, quantiles: bool) -> None:
        size = columns.size
        self.columns = columns
        self.n = np.zeros(groups, dtype=np.int64)  # samples with a value
        self.rows = np.zeros(groups, dtype=np.int64)  # samples that entered any sum
        # of each statistic, where each is of samples of its own
        self.own_rows = np.zeros((groups, columns.statistics), dtype=np.int64)
        self.valueless = np.zeros(groups, dtype=np.int64)  # nothing of them was left to evaluate
        self.unspread = np.zeros(groups, dtype=bool)  # products left the range of floats
        self.nonfinite = np.zeros(groups, dtype=np.int64)
        self.below = np.zeros(groups, dtype=np.int64)  # losses below 0, of a difference
        self.above = np.zeros(groups, dtype=np.int64)
        self.equal = np.zeros(groups, dtype=np.int64)
        self.first = exact.zeros((groups, size))  # Σx
        self.special = np.zeros((groups, size))  # the sum of what is not finite
        products = size if columns.described and size <= MOST_COLUMNS else 0
        self.second = exact.zeros((groups, products, products))  # Σxy
        self.spread = exact.zeros((groups,))  # Σ weight·loss², where there are weights
        self.centred = exact.zeros((groups, len(columns.centred), 3))  # Σw, Σwx and Σwx²
        self.low = np.full(groups, np.inf)
        self.high = np.full(groups, -np.inf)
        self.keeps_quantiles = quantiles
        self.pooled = groups > MOST_GROUPS  # too many groups: one for all of them
        kept = (1 if self.pooled else groups) if quantiles else 0
        self.quantiles = [Quantiles() for _ in range(kept)]

    @property
    def groups(self) -> int:
        """How many groups there are."""
        return len(self.n)

    def grow(self, groups: int) -> None:
        """Make room for groups that appear later in the data."""
        more = groups - self.groups
        if more <= 0:
            return
        fresh = State(self.columns, more, quantiles=False)
        for name in _SUMMED:
            setattr(self, name, np.concatenate([getattr(self, name), getattr(fresh, name)]))
        if self.keeps_quantiles and not self.pooled:
            self.quantiles += [Quantiles() for _ in range(more)]

    def add(self, block: Block, grouping: Grouping | None) -> None:
        """Take in a block. Without a grouping, all of it is group 0."""
        if len(block.losses) == 0:
            return
        rows = grouping or Whole(len(block.losses))
        columns = block.sums()
        totals = [rows.sums(column) for column in columns]
        self._count(block, totals[block.columns.loss], rows)
        finite = [
            self._add_sum(index, column, total, rows)
            for index, (column, total) in enumerate(zip(columns, totals))
        ]
        if not (block.columns.described or block.columns.centred or self.keeps_quantiles):
            return
        if grouping is not None:
            block = block.sorted_by(grouping)
            columns = block.sums()
        if block.columns.described:
            self._add_ends(block, rows)
        if self.second.shape[1]:
            self._add_products(columns, totals, finite, rows)
            if block.sample_weights is not None:
                self._add_spread(block, finite[block.columns.loss], finite[-1], rows)
        for place, index in enumerate(block.columns.centred):
            self._add_centred(place, block.statistics[:, index], block, rows)
        if self.keeps_quantiles:
            self._add_quantiles(block, rows)

    def _count(self, block: Block, total: Floats, rows: Rows) -> None:
        codes = rows.codes
        self.rows[codes] += rows.sizes
        if block.columns.unpaired and block.weights is not None:  # never in groups
            self.own_rows[0] += (block.weights != 0).sum(axis=0)
        self.n[codes] += rows.sizes if block.valued is None else rows.counts(block.valued)
        if not np.isfinite(total).all():  # else every one of them is finite
            infinite = ~np.isfinite(block.losses)
            known = infinite if block.valued is None else infinite & block.valued
            self.nonfinite[codes] += rows.counts(known)
        if block.columns.signed and block.columns.per_sample:
            known = np.ones(len(block.losses), dtype=bool) if block.valued is None else block.valued
            self.below[codes] += rows.counts(known & (block.losses < 0))
            self.above[codes] += rows.counts(known & (block.losses > 0))
            self.equal[codes] += rows.counts(known & (block.losses == 0))

    def _add_sum(self, index: int, column: Floats, total: Floats, rows: Rows) -> Floats:
        """Take in a column's sums; returns those of what is finite in it."""
        codes = rows.codes
        if np.isfinite(total).all():
            self.first[codes, index] += exact.units(total)
            return total
        self.special[codes, index] += rows.sums(np.where(np.isfinite(column), 0, column))
        # what is finite may still add up to more than a float holds
        scaled = rows.sums(np.ldexp(_finite(column), -_HEADROOM))
        self.first[codes, index] += exact.units(scaled) << _HEADROOM
        return np.asarray(np.ldexp(scaled, _HEADROOM))

    # ---- of rows that are sorted by group ----------------------------------------------

    def _add_ends(self, block: Block, rows: Rows) -> None:
        codes, lows, highs = rows.codes, block.losses, block.losses
        if block.valued is not None:
            lows, highs = (np.where(block.valued, block.losses, end) for end in (np.inf, -np.inf))
        self.low[codes] = np.minimum(self.low[codes], rows.ends(np.minimum, lows))
        self.high[codes] = np.maximum(self.high[codes], rows.ends(np.maximum, highs))

    def _add_products(
        self, columns: list[Floats], totals: list[Floats], finite: list[Floats], rows: Rows
    ) -> None:
        # Σxy = Σ(x−a)(y−b) + aΣy + bΣx − nab with a, b the block's means: the first sum is
        # rounded, and small; the rest is exact, of the very Σx that is kept. So a spread of
        # 1e-9 around 1e9 survives.
        codes = rows.codes
        count = exact.Scaled.of_counts(-rows.sizes)
        centred, sums, means = [], [], []
        for column, total, known in zip(columns, totals, finite):
            if known is not total:  # something in it is not finite
                column = np.where(np.isfinite(column), column, 0)
                known = self._within_range(known, codes)
            mean = known / rows.sizes
            centred.append(column - rows.spread_out(mean))
            sums.append(exact.Scaled.of(known))
            means.append(exact.Scaled.of(mean))
        pairs = [*combinations(range(len(columns)), 2), *((i, i) for i in range(len(columns)))]
        for i, j in pairs:  # a column's square comes last, and takes its place
            found = np.multiply(centred[i], centred[j], out=centred[i] if i == j else None)
            product = self._within_range(rows.sorted_sums(found), codes)
            # aΣy + b(Σx − na)
            rest = means[j].times(sums[i].plus(count.times(means[i])))
            shift = means[i].times(sums[j]).plus(rest)
            found = shift.plus(exact.Scaled.of(product)).units(2)
            self.second[codes, i, j] += found
            if i != j:
                self.second[codes, j, i] += found

    def _within_range(self, sums: Floats, codes: Indices) -> Floats:
        """The sums, 0 where they are more than a float holds; there is no spread then."""
        finite = np.isfinite(sums)
        self.unspread[codes] |= ~finite
        return sums if finite.all() else np.where(finite, sums, 0)

    def _add_spread(self, block: Block, weighted: Floats, weight: Floats, rows: Rows) -> None:
        # as above, Σwv² around the block's weighted mean, of the very Σwv and Σw that are kept
        codes = rows.codes
        weights, losses = block.sample_weights, _finite(block.losses)
        assert weights is not None
        if block.valued is not None:
            weights, losses = np.where(block.valued, weights, 0), np.where(block.valued, losses, 0)
        weight, weighted = (self._within_range(one, codes) for one in (weight, weighted))
        mean = np.divide(weighted, weight, out=np.zeros_like(weight), where=weight > 0)
        deviations = weights * np.square(losses - rows.spread_out(mean))
        around = self._within_range(rows.sorted_sums(deviations), codes)
        centre = exact.units(mean)
        self.spread[codes] += (
            (exact.units(around) << exact.SHIFT)
            + 2 * centre * exact.units(weighted)
            - (exact.units(weight) * centre * centre >> exact.SHIFT)
        )

    def _add_centred(self, place: int, column: Floats, block: Block, rows: Rows) -> None:
        # x = c + d with the block's mean c: Σwx = cΣw + Σwd and Σwx² = c²Σw + 2cΣwd + Σwd², in
        # which only the sums of d are rounded, and these are small
        codes = rows.codes
        column = _finite(column)
        weights = np.ones(len(column)) if block.sample_weights is None else block.sample_weights
        weight = self._within_range(rows.sorted_sums(weights), codes)
        weighted = self._within_range(rows.sorted_sums(weights * column), codes)
        mean = np.divide(weighted, weight, out=np.zeros_like(weight), where=weight > 0)
        least = rows.ends(np.minimum, column)
        # around the one value of a constant column nothing is left, not even rounding
        mean = np.where(least == rows.ends(np.maximum, column), least, mean)
        apart = column - rows.spread_out(mean)
        first = exact.units(self._within_range(rows.sorted_sums(weights * apart), codes))
        second = exact.units(self._within_range(rows.sorted_sums(weights * apart * apart), codes))
        centre, mass = exact.units(mean), exact.units(weight)
        self.centred[codes, place, 0] += mass << exact.SHIFT
        self.centred[codes, place, 1] += centre * mass + (first << exact.SHIFT)
        self.centred[codes, place, 2] += (
            (centre * centre * mass >> exact.SHIFT) + 2 * centre * first + (second << exact.SHIFT)
        )

    def _add_quantiles(self, block: Block, rows: Rows) -> None:
        starts, sizes, codes = rows.starts, rows.sizes, rows.codes
        if self.pooled:
            starts, sizes, codes = (np.array([x]) for x in (0, len(block.losses), 0))
        for code, start, size in zip(codes, starts, sizes):
            its = slice(start, start + size)
            keep = slice(None) if block.valued is None else block.valued[its]
            weights = block.sample_weights
            self.quantiles[code].merge(
                Quantiles(block.losses[its][keep], None if weights is None else weights[its][keep])
            )

    # ---- other states -------------------------------------------------------------------

    def merge(self, other: State, codes: Indices | None = None) -> None:
        """Take in the sums of other samples.

        Args:
            other: A state of the same loss.
            codes: Which group here each group there is; default the same.
        """
        where: Any = slice(0, other.groups) if codes is None else codes
        self.grow(other.groups if codes is None else int(codes.max(initial=-1)) + 1)
        if self.columns != other.columns:
            raise ValueError(f"states of {self.columns} and {other.columns} do not merge")
        for name in _SUMMED:
            mine, theirs = getattr(self, name), getattr(other, name)
            combine = _EXTREMES.get(name, np.add)
            mine[where] = combine(mine[where], theirs)
        if self.keeps_quantiles and (other.pooled or len(self.quantiles) > MOST_GROUPS):
            self.quantiles, self.pooled = [self.all_quantiles()], True
        for index, item in enumerate(other.quantiles):
            code = index if codes is None else int(codes[index])
            self.quantiles[0 if self.pooled else code].merge(item)

    def compress(self, beyond: int = 0) -> None:
        """Count the values that quantiles are made of, and let go of them.

        Args:
            beyond: Not before there are more: many values at once are counted sooner.
        """
        if sum(item.held for item in self.quantiles) > beyond:
            for item in self.quantiles:
                item.compress()

    def all_quantiles(self) -> Quantiles:
        """The quantiles of all groups together."""
        found = Quantiles()
        for item in self.quantiles:
            found.merge(item)
        return found

    # ---- what follows from the sums, group by group -------------------------------------

    def totals(self, group: int) -> Floats:
        """The columns' sums."""
        found: Floats = exact.floats(self.first[group]) + self.special[group]
        return found

    def split(self, totals: Floats, group: int) -> tuple[Floats, Floats]:
        """The statistics' sums and the sums of their weights, of the columns' totals."""
        columns = self.columns
        values = totals[: columns.statistics]
        if columns.unit_weight is None:
            return values, totals[columns.statistics : 2 * columns.statistics]
        return values, np.array(columns.unit_weight) * self.weight(totals, group)

    def weight(self, totals: Floats, group: int) -> float:
        """The sum of the sample weights; the number of samples where there are none."""
        return float(totals[-1]) if self.columns.weighted else float(self.n[group])

    def loss_sum(self, totals: Floats) -> float:
        """Σ weight · per-sample loss."""
        return float(totals[self.columns.loss]) / self._scale

    @property
    def _scale(self) -> float:
        unit = self.columns.unit_weight
        return unit[0] if self.columns.derived and unit is not None else 1.0

    def spreads(self, group: int) -> Floats:
        """Σ weight·(x − x̄)² of the statistics that are centred."""
        found = [
            exact.quotient(second * mass - first * first, mass << 2 * exact.SHIFT) if mass else 0.0
            for mass, first, second in self.centred[group]
        ]
        return np.maximum(np.array(found, dtype=np.float64), 0.0)

    def std(self, group: int) -> float:
        """The standard deviation of the per-sample losses, with n − 1.

        With weights the denominator is Σw − Σw²/Σw, which is n − 1 where they are equal.
        """
        n, index = int(self.n[group]), self.columns.loss
        if n < 2 or not self._spreads(group):
            return math.nan
        first = self.first[group, index]
        if not self.columns.weighted:
            total = exact.variance_of_sum(self.second[group, index, index], first, first, n)
            return math.sqrt(max(total / n, 0.0)) / self._scale
        weight, squared = self.first[group, -1], self.second[group, -1, -1]
        numerator = self.spread[group] * weight - (first * first << exact.SHIFT)
        denominator = weight * weight - squared
        if denominator <= 0:
            return math.nan
        return math.sqrt(max(exact.quotient(numerator, denominator << exact.SHIFT), 0.0))

    def variance(self, group: int, gradient: Floats) -> tuple[float, float]:
        """The variance of gradient · (the columns' sums), and its degrees of freedom.

        For unpaired samples the variances of the inputs add, each with its own number of
        samples, and the degrees of freedom are Welch's.
        """
        if not self._spreads(group):
            return math.nan, math.nan
        chosen = np.flatnonzero(gradient)
        if self._vanishes(group, chosen):
            return math.nan, math.nan
        if not self.columns.unpaired:
            n = int(self.rows[group])
            return self._variance(group, gradient, chosen, n), n - 1
        parts, weights = [], 0.0
        for index, n in enumerate(self.own_rows[group].tolist()):
            own = chosen[chosen % self.columns.statistics == index]
            parts.append(self._variance(group, gradient, own, n))
            weights += parts[-1] ** 2 / (n - 1) if n > 1 else math.nan
        total = sum(parts)
        return total, total * total / weights if weights else math.inf

    def _variance(self, group: int, gradient: Floats, chosen: Indices, n: int) -> float:
        """The variance of gradient · (the sums of the chosen columns) over n samples."""
        if n < 2:
            return math.nan
        first, second = self.first[group], self.second[group]
        total = magnitude = 0.0
        for i in chosen:
            for j in chosen:
                covariance = exact.variance_of_sum(second[i, j], first[i], first[j], n)
                term = float(gradient[i] * gradient[j]) * covariance
                total, magnitude = total + term, magnitude + abs(term)
        # nothing but rounding is left: there is a variance, and it is not known
        return math.nan if total < 1e-11 * magnitude else total

    def _vanishes(self, group: int, chosen: Indices) -> bool:
        """Whether the squares of what is summed are less than a float64 holds."""
        n = int(self.rows[group])
        sizes = np.abs(exact.floats(self.first[group][chosen])) / max(n, 1)
        sizes = sizes[sizes > 0]
        return bool(len(sizes)) and float(sizes.max()) < _LEAST_SQUARED

    def _spreads(self, group: int) -> bool:
        """Whether the sums of products say anything."""
        whole = not self.special[group].any() and not self.unspread[group]
        return whole and bool(self.second.shape[1])


_SUMMED = (
    "n", "rows", "own_rows", "valueless", "unspread", "nonfinite", "below", "above", "equal",
    "first", "special", "second", "spread", "centred", "low", "high",
)  # fmt: skip
_EXTREMES: dict[str, Any] = {"low": np.minimum, "high": np.maximum, "unspread": np.logical_or}


def _finite(column: Floats) -> Floats:
    return column if np.isfinite(column.sum()) else np.where(np.isfinite(column), column, 0)
