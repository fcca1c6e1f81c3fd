"""One loss of one block: from its statistics to what its state sums."""

from __future__ import annotations

import threading
from math import prod
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from lossctl.losses import Bound, Part
from lossctl.plan import Plan
from lossctl.reduce.figures import Layout
from lossctl.reduce.grouping import Flags, Floats, Grouping, Indices
from lossctl.reduce.resample import Draws, Share
from lossctl.reduce.samples import SampleSums
from lossctl.reduce.state import Block, Columns, State

Sums = list[tuple[float, Part, SampleSums]]  # of the parts of a loss, with their factors


class Around(NamedTuple):
    """The weights and groups of a block's samples."""

    weight: Floats | None
    kept: npt.NDArray[Any] | None  # which of the block's rows they are, where some were skipped
    codes: Indices | None = None  # each sample's group
    grouping: Grouping | None = None
    groups: int = 0
    clusters: Indices | None = None  # each sample's cluster
    draws: tuple[tuple[Draws, list[Share]], ...] = ()  # each with what is to be resampled
    many: bool = False  # there are more samples than quantiles are kept exact for


class Outcome(NamedTuple):
    """What one loss of one block comes to, beside its state."""

    grouped: State | None
    losses: Floats | None  # (rows that were kept,), where they are wanted one by one
    infinite: int | None  # the first of them whose loss is not finite
    replicates: Floats | None = None  # (groups, resamples, columns)
    flips: Floats | None = None  # the same for permutations, of differences alone
    clusters: Floats | None = None  # (clusters, columns)


class Reduction:
    """Sums one loss over blocks, on any thread.

    Each thread has a state of its own, and `total` is what they merge into: the sums are exact,
    and so the same however the blocks were shared out.
    """

    def __init__(self, plan: Plan, bound: Bound, *, keep: bool) -> None:
        self.keep = keep
        grouped = bool(plan.by) and bound.label not in plan.ungrouped
        self.described, self.quantiles = plan.described, plan.quantiles
        self.of_all = plan.quantiles and not grouped  # those of the groups have them all
        self.whole, self.single = bound.whole, bound.single
        self.multiplies = bound.rules.multiplies
        self.layout: Layout | None = None
        self._own = threading.local()
        self._states: list[State] = []

    def add(self, parts: Sums, around: Around) -> Outcome:
        """Take in a block's statistics."""
        weight, codes, grouping = around.weight, around.codes, around.grouping
        if weight is not None and self.multiplies:
            parts = [(factor, part, sums.times(weight)) for factor, part, sums in parts]
            weight = None
        layout = self._layout(parts)
        losses = np.zeros(len(parts[0][2].values)) if self.single else per_sample(parts)
        block, nothing_left = state_block(
            layout,
            [sums for _, _, sums in parts],
            losses,
            weight,
            single=self.single,
            described=self.described,
        )
        if block.valued is not None:
            losses = np.where(block.valued, losses, np.nan)
        state, grouped = self._state(block.columns), None
        if nothing_left is not None:
            state.valueless[0] += int(nothing_left.sum())
        valued, rows = taking_part(block)
        infinite = state.nonfinite[0]
        state.add(valued, None)
        if around.many:
            state.compress()
        if codes is not None:
            grouped = State(
                block.columns, around.groups, self.quantiles and block.columns.per_sample
            )
            if nothing_left is not None:
                np.add.at(grouped.valueless, codes[nothing_left], 1)
            if len(valued.losses):
                if rows is not None:
                    own = codes[rows]
                    grouping = Grouping(own, np.bincount(own), valued.sample_weights)
                grouped.add(valued, grouping)
        first = None
        if state.nonfinite[0] > infinite:
            places = np.flatnonzero(~np.isfinite(valued.losses))
            first = int(places[0]) if rows is None else int(rows[places[0]])
        found = Outcome(grouped, losses if self.keep else None, first)
        if around.clusters is not None or around.draws:
            found = _with_units(found, layout, valued, rows, around)
        return found

    def nothing(self) -> Outcome | None:
        """What a block comes to of which no row is left; None for losses of the whole file."""
        return None if self.whole else Outcome(None, np.zeros(0) if self.keep else None, None)

    def total(self) -> State | None:
        """The state of all that was taken in; None where nothing was."""
        if not self._states:
            return None
        first, *others = self._states
        for other in others:
            first.merge(other)
        self._states = [first]
        return first

    def _layout(self, parts: Sums) -> Layout:
        shapes = tuple((factor, part, sums.values.shape[1:]) for factor, part, sums in parts)
        known = self.layout
        if known is None or [item[2] for item in known.parts] != [item[2] for item in shapes]:
            known = self.layout = Layout(shapes)
        return known

    def _state(self, columns: Columns) -> State:
        """The state of this thread."""
        state: State | None = getattr(self._own, "state", None)
        if state is None:
            state = self._own.state = State(columns, 1, self.of_all and columns.per_sample)
            self._states.append(state)  # which no two threads can do at once
        elif state.columns != columns:
            raise ValueError(f"states of {state.columns} and {columns} do not merge")
        return state


def _with_units(
    found: Outcome, layout: Layout, block: Block, rows: Indices | None, around: Around
) -> Outcome:
    """The outcome with what its intervals are made of: sums by cluster, or by resample."""
    table = block.table()

    def own(codes: Indices) -> Indices:
        return codes if rows is None else codes[rows]

    if around.clusters is not None:
        from lossctl.reduce import clusters

        count = int(around.clusters.max(initial=-1)) + 1
        return found._replace(clusters=clusters.sums(table, own(around.clusters), count))
    # the block's rows that the table has
    place = rows if around.kept is None else around.kept if rows is None else around.kept[rows]
    chosen: list[Any] = [slice(None)]
    places: list[Any] = [slice(None) if place is None else place]
    if around.codes is not None:
        chosen = [np.flatnonzero(own(around.codes) == code) for code in range(around.groups)]
        places = [one if place is None else place[one] for one in chosen]
    for draws, shares in around.draws:
        if draws.differences and not layout.signed:
            continue
        sums = np.zeros((len(chosen), draws.times, table.shape[1]))
        shares += [Share(into, at, table[rows]) for into, at, rows in zip(sums, places, chosen)]
        found = found._replace(flips=sums) if draws.signs else found._replace(replicates=sums)
    return found


def per_sample(parts: Sums) -> Floats:
    """The per-sample losses (n,) of a weighted sum of parts."""
    factor, part, sums = parts[0]
    total = sums.finished(part, np)
    if factor != 1:
        total = factor * total
    for factor, part, sums in parts[1:]:
        total = total + factor * sums.finished(part, np)
    return np.asarray(total)


def state_block(
    layout: Layout,
    sums: list[SampleSums],
    losses: Floats,
    weight: Floats | None,
    *,
    single: bool,
    described: bool,
) -> tuple[Block, Flags | None]:
    """The figures of a block as the columns that a state sums.

    Returns:
        The block, and which samples have nothing left to evaluate (None for none).
    """
    n = len(losses)
    flat = [item.values.reshape(n, -1) for item in sums]
    statistics = flat[0] if len(flat) == 1 else np.concatenate(flat, axis=1)
    valued = nothing_left = weights = unit = None
    unpaired = any(item.unpaired for item in sums)
    if all(isinstance(item.weights, float) for item in sums):
        unit = tuple(
            float(item.weights) for item in sums for _ in range(prod(item.values.shape[1:]))
        )
    else:
        full = [np.broadcast_to(item.weights, item.values.shape).reshape(n, -1) for item in sums]
        weights = full[0] if len(full) == 1 else np.concatenate(full, axis=1)
        # samples of different inputs make no sample together, and have no loss of their own
        valued = np.zeros(n, dtype=bool) if unpaired else _all_present(full)
        valued = None if valued.all() else valued
        nothing_left = None if unpaired or valued is None else ~valued
    derived = (
        unit is not None and statistics.shape[1] == 1 and not layout.finished
        and weight is None and layout.parts[0][0] == 1
    )  # fmt: skip
    columns = Columns(
        statistics.shape[1], unit, derived, weight is not None, unpaired, single, layout.signed,
        layout.centred, described,
    )  # fmt: skip
    return Block(columns, statistics, weights, losses, valued, weight), nothing_left


def _all_present(weights: list[Floats]) -> Flags:
    """Which samples have something left for every part of the loss."""
    present = [_present(item) for item in weights]
    return present[0] if len(present) == 1 else np.asarray(np.logical_and.reduce(present))


def _present(weights: Floats) -> Flags:
    """Which samples have a weight that is not 0."""
    some = weights != 0
    return some[:, 0] if some.shape[1] == 1 else np.asarray(some.any(axis=1))


def taking_part(block: Block) -> tuple[Block, Indices | None]:
    """The rows that enter any sum, and which they are (None for all).

    A sample of weight 0, or of which every element is left out, takes no part.
    """
    if block.sample_weights is None and block.weights is None:
        return block, None
    enters = np.ones(len(block.losses), dtype=bool)
    if block.sample_weights is not None:
        enters &= block.sample_weights != 0
    if block.weights is not None:
        enters &= _present(block.weights)
    if enters.all():
        return block, None
    rows = np.flatnonzero(enters)
    kept = block.take(rows)
    if kept.valued is not None and kept.valued.all():
        kept = kept._replace(valued=None)
    return kept, rows
