"""One block: from its arrays to the states and the per-sample losses of every loss."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from lossctl.align.inputs import Opened
from lossctl.align.rows import Batch
from lossctl.backend import Backend
from lossctl.losses import Bound, Part
from lossctl.losses.definition import Input, InvalidInput
from lossctl.losses.shapes import fit
from lossctl.plan import Plan
from lossctl.reduce import clusters, digest, samples
from lossctl.reduce.figures import Layout
from lossctl.reduce.resample import Draws, Share
from lossctl.reduce.samples import SampleSums
from lossctl.reduce.state import Block, Columns, Flags, Floats, Grouping, Indices, State

AnyArray = npt.NDArray[Any]
Codes = npt.NDArray[np.intp]
Sums = list[tuple[float, Part, SampleSums]]  # of the parts of a loss, with their factors


class Missing(NamedTuple):
    """NaN in one input of a block."""

    name: str
    rows: int  # that hold any
    row: int  # the first of them, in the block
    column: int | None  # where in the row, if it is a table's column


class Outcome(NamedTuple):
    """The figures of one loss for one block."""

    layout: Layout
    state: State
    grouped: State | None
    losses: Floats | None  # (rows that were kept,), where they are wanted one by one
    infinite: int | None  # the first of them whose loss is not finite
    replicates: Floats | None = None  # (groups, resamples, columns)
    flips: Floats | None = None  # the same for permutations, of differences alone
    clusters: Floats | None = None  # (clusters, columns)


@dataclass(eq=False, repr=False)
class BlockResult:
    """What a block comes to."""

    rows: int
    kept: AnyArray | None  # the rows that were evaluated, where some were skipped
    missing: list[Missing]
    outcomes: list[Outcome | None] = field(default_factory=list)  # None for whole-file losses
    groups: list[tuple[Any, ...]] = field(default_factory=list)  # of the grouped states
    clusters: list[tuple[Any, ...]] = field(default_factory=list)  # each after its group
    squeezed: frozenset[str] = frozenset()
    digest: bytes = b""
    batch: Batch | None = None  # where its arrays are needed further on


@dataclass(eq=False, repr=False)
class WholeResult:
    """What the losses come to that need all rows at once, by their place in the plan."""

    groups: list[tuple[Any, ...]]
    sizes: list[int]  # of the groups
    outcomes: dict[int, Outcome] = field(default_factory=dict)
    values: dict[int, float] = field(default_factory=dict)  # of those that are one number
    grouped: dict[int, list[float]] = field(default_factory=dict)
    squeezed: frozenset[str] = frozenset()


class Around(NamedTuple):
    """The weights and groups of a block's samples."""

    weight: Floats | None
    kept: AnyArray | None  # which of the block's rows they are, where some were skipped
    codes: Codes | None = None  # each sample's group
    grouping: Grouping | None = None
    groups: int = 0
    clusters: Codes | None = None  # each sample's cluster
    draws: tuple[tuple[Draws, list[Share]], ...] = ()  # each with what is to be resampled


class Worker:
    """Evaluates blocks, on any thread."""

    def __init__(self, plan: Plan, backend: Backend, opened: Opened, *, keep: bool) -> None:
        self.plan, self.backend, self.keep = plan, backend, keep
        self.uses, self.models = opened.uses, opened.models
        self.held: dict[str, set[float]] = {}  # which of exclusive values there are, by input
        self.probable: dict[str, bool] = {}  # logits by input that might be probabilities
        self.pivots: dict[str, Floats] = {}  # by input: around what sums of squares are taken
        inputs = {item.name: item for loss in opened.uses for item in loss.inputs}
        self.inputs: dict[str, Input] = inputs

    def evaluate(
        self,
        batch: Batch,
        rows: int,
        *,
        check_only: bool,
        many: bool = False,
        draws: Sequence[Draws] = (),
    ) -> BlockResult:
        """Evaluate a block.

        Args:
            batch: Its arrays.
            rows: Its samples.
            check_only: Only count NaN, which the whole is going to be refused for.
            many: There are more samples than quantiles are kept exact for.
            draws: The resamples and the permutations of its rows, where there are any.

        Raises:
            InvalidInput: Values that a loss does not take. Its `bad` has the block's rows.
        """
        missing, keep = self._missing(batch)
        result = BlockResult(rows, None, missing)
        if (missing and self.plan.nan == "error") or check_only:
            return result
        if self.plan.sign:
            result.digest = digest.block(batch, [item.name for item in missing])
        if missing and self.plan.nan == "skip":
            result.kept = np.flatnonzero(keep)
            batch = _take(batch, result.kept)
        try:
            with np.errstate(all="ignore"):
                self._evaluate(batch, result, draws)
        except InvalidInput as error:
            if error.bad is not None:
                error.bad = np.asarray(self.backend.host(error.bad))
                if result.kept is not None:
                    bad = np.zeros((rows, *error.bad.shape[1:]), dtype=bool)
                    bad[result.kept] = error.bad
                    error.bad = bad
            raise
        if many:
            for outcome in filter(None, result.outcomes):
                outcome.state.compress()
        result.batch = batch
        return result

    def _missing(self, batch: Batch) -> tuple[list[Missing], Flags]:
        arrays = dict(batch.inputs)
        if batch.weight is not None:
            arrays["weight"] = batch.weight
        rows = max(map(len, arrays.values()))
        found: list[Missing] = []
        keep: Flags = np.ones(rows, dtype=bool)
        for name, array in arrays.items():
            if array.dtype.kind not in "fc" or not array.size:
                continue
            with np.errstate(all="ignore"):
                if not np.isnan(array.sum()):  # ∞ − ∞ is looked at closely below
                    continue
            where = np.isnan(array).reshape(len(array), -1)
            bad: Flags = np.asarray(where.any(axis=1))
            if bad.any():
                row = int(bad.argmax())
                column = int(where[row].argmax()) if array.ndim == 2 else None
                found.append(Missing(name, int(bad.sum()), row, column))
                if len(bad) == rows:  # unpaired inputs are never skipped
                    keep &= ~bad
        return found, keep

    def _evaluate(self, batch: Batch, result: BlockResult, draws: Sequence[Draws]) -> None:
        if max(map(len, batch.inputs.values())) == 0:
            return
        around = self._around(batch, result, result.kept)
        around = around._replace(draws=tuple((one, []) for one in draws))
        arrays = {name: self._convert(name, array) for name, array in batch.inputs.items()}
        known: dict[Any, SampleSums] = {}
        squeezed: set[str] = set()
        for bound in self.plan.losses:
            found = None if bound.whole else self._sums(bound, arrays, known, squeezed)
            its = self._its(bound, around)
            result.outcomes.append(None if found is None else self._outcome(bound, found, its))
        for drawn, shares in around.draws:
            drawn.fill(shares)
        result.squeezed = frozenset(squeezed)

    def _its(self, bound: Bound, around: Around) -> Around:
        """What belongs to the samples of one loss, which may be for all of them alone."""
        if bound.label in self.plan.ungrouped:
            return around._replace(codes=None, grouping=None, groups=0)
        return around

    def _around(self, batch: Batch, result: BlockResult, kept: AnyArray | None) -> Around:
        """What belongs to the block's samples beside their inputs; names groups and clusters."""
        around = Around(self._weight(batch), kept)
        if batch.by:
            codes, result.groups = group_codes(batch.by)
            around = around._replace(
                codes=codes, grouping=Grouping.of(codes, around.weight), groups=len(result.groups)
            )
        if batch.cluster is not None:
            codes, result.clusters = group_codes((*batch.by, batch.cluster))
            if any(key[-1] is None for key in result.clusters):
                raise InvalidInput("cluster", None, "is null in some row", "give every row one")
            around = around._replace(clusters=codes)
        return around

    def _sums(
        self,
        bound: Bound,
        arrays: Mapping[str, Any],
        known: dict[Any, SampleSums],
        squeezed: set[str],
    ) -> Sums:
        """The statistics of each part, evaluated once where losses share them."""
        rows = max(map(len, arrays.values()))
        found = []
        for factor, part in bound.parts:
            if part.key not in known:
                known[part.key] = self._summed(part, arrays, rows, squeezed)
            found.append((factor, part, known[part.key]))
        return found

    def _summed(
        self, part: Part, arrays: Mapping[str, Any], rows: int, squeezed: set[str]
    ) -> SampleSums:
        try:
            return self._sums_of(part, arrays, rows, squeezed)
        except InvalidInput as error:
            error.loss = part.called
            raise

    def _sums_of(
        self, part: Part, arrays: Mapping[str, Any], rows: int, squeezed: set[str]
    ) -> SampleSums:
        fitted, names = self._fit(part, arrays)
        squeezed |= set(names)
        pivot = part.loss.pivot
        context = {"pivot": self.backend.device(self.pivots[pivot])} if pivot else {}
        found = samples.summed(self.backend, part, fitted, rows, **context)
        whole = part.loss.whole_for(part.params) and part.loss.single_for(part.params)
        own = max(len(array) for array in fitted.values() if hasattr(array, "shape"))
        return samples.checked(part, found, 1 if whole else own)

    def evaluate_whole(self, batch: Batch) -> WholeResult:
        """Evaluate the losses that need all rows at once.

        Raises:
            InvalidInput: Values that a loss does not take.
        """
        named = BlockResult(0, None, [])
        around = self._around(batch, named, None)
        arrays = {name: self._convert(name, array) for name, array in batch.inputs.items()}
        sizes = [] if around.codes is None else np.bincount(around.codes).tolist()
        result = WholeResult(named.groups, sizes)
        squeezed: set[str] = set()
        with np.errstate(all="ignore"):
            for index, bound in enumerate(self.plan.losses):
                if bound.whole and not bound.single:
                    found = self._sums(bound, arrays, {}, squeezed)
                    result.outcomes[index] = self._outcome(bound, found, self._its(bound, around))
                elif bound.whole:
                    result.values[index] = self._number(bound, arrays, squeezed)
                    result.grouped[index] = [
                        self._number(
                            bound,
                            {name: array[around.codes == code] for name, array in arrays.items()},
                            squeezed,
                        )
                        for code in range(self._its(bound, around).groups)
                    ]
        result.squeezed = frozenset(squeezed)
        return result

    def _number(self, bound: Bound, arrays: Mapping[str, Any], squeezed: set[str]) -> float:
        """The one number that a loss is of all these rows."""
        total = 0.0
        for factor, part, sums in self._sums(bound, arrays, {}, squeezed):
            values = sums.values.sum(axis=0)
            weights = (sums.weights * np.ones_like(sums.values)).sum(axis=0)
            found = part.rules.empty  # where nothing is left to evaluate
            if weights.any():
                found = float(samples.finish(part, np, values, weights, 0))
            total += factor * found
        return total

    def _fit(self, part: Part, arrays: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
        """The loss's own inputs, shapes fitted and domains checked."""
        names = self.models[part.model]
        given = {
            name: arrays[names.get(name, name)]
            for name in self.uses[part.loss]
            if names.get(name, name) in arrays
        }
        try:
            return self._checked(part, given)
        except InvalidInput as error:
            error.name = names.get(error.name, error.name)
            raise

    def _checked(self, part: Part, given: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
        loss = part.loss
        fitted, squeezed = fit(loss, given)
        for item in loss.inputs:
            if item.name not in fitted:
                fitted[item.name] = part.params.get(item.name)
                continue
            if item.domain is None:
                continue
            if item.unless and part.params.get(item.unless):
                self._doubt(item, fitted[item.name])
                continue
            item.domain.check(self.backend.xp, fitted[item.name], item.name)
            for value in item.domain.exclusive:
                if bool((fitted[item.name] == value).any()):
                    self.held.setdefault(item.name, set()).add(value)
        return fitted, squeezed

    def _doubt(self, item: Input, values: Any) -> None:
        """Find out whether values that are said to be logits all look like probabilities."""
        if item.unless == "from_logits" and self.probable.setdefault(item.name, True):
            inside = bool((values >= 0).all()) and bool((values <= 1).all())
            if not inside:  # only ever set to false, so that no thread undoes another's finding
                self.probable[item.name] = False

    def _convert(self, name: str, array: AnyArray) -> Any:
        """To the dtype that the losses compute in, on the device."""
        kind, size = array.dtype.kind, array.dtype.itemsize
        name = name.partition("@")[0]  # a candidate's
        if kind == "c" and not self.inputs[name].complex:
            raise InvalidInput(
                name, None, "holds complex numbers", "give their real parts or absolute values"
            )
        if self.inputs[name].labels:
            target = array.dtype
        elif self.plan.dtype is not None and kind != "c":
            target = np.dtype(self.plan.dtype)
        elif kind in "biu":
            target = np.dtype(np.float64)
        elif kind == "f" and size == 2:
            target = np.dtype(np.float32)
        elif kind == "f" and size > 8:
            target = np.dtype(np.float64)
        else:
            target = array.dtype
        return self.backend.device(_read_only(array.astype(target, copy=False)))

    def _weight(self, batch: Batch) -> Floats | None:
        if batch.weight is None:
            return None
        weight = batch.weight.astype(np.float64)
        bad = ~((weight >= 0) & np.isfinite(weight))
        if bad.any():
            raise InvalidInput(
                "weight", bad, "has {value}, which is no weight", "weights are finite and ≥ 0"
            )
        return weight

    def _outcome(self, bound: Bound, parts: Sums, around: Around) -> Outcome:
        weight, codes, grouping = around.weight, around.codes, around.grouping
        if weight is not None and bound.rules.multiplies:
            parts = [(factor, part, sums.times(weight)) for factor, part, sums in parts]
            weight, grouping = None, grouping and grouping._replace(weights=None)
        layout = Layout(tuple((f, part, sums.values.shape[1:]) for f, part, sums in parts))
        losses = np.zeros(len(parts[0][2].values)) if bound.single else per_sample(parts)
        block, nothing_left = state_block(
            layout,
            [sums for _, _, sums in parts],
            losses,
            weight,
            single=bound.single,
            products=self.plan.spreads,
        )
        if block.valued is not None:
            losses = np.where(block.valued, losses, np.nan)
        quantiles = self.plan.quantiles and block.columns.described
        state = State(block.columns, 1, quantiles and codes is None)
        grouped = None if codes is None else State(block.columns, around.groups, quantiles)
        if nothing_left is not None:
            state.valueless[0] += int(nothing_left.sum())
            if grouped is not None and codes is not None:
                np.add.at(grouped.valueless, codes[nothing_left], 1)
        block, rows = taking_part(block)
        state.add(block, None)
        if grouped is not None and codes is not None and len(block.losses):
            grouped.add(
                block, grouping if rows is None else Grouping.of(codes[rows], block.sample_weights)
            )
        first = None
        if state.nonfinite[0]:
            infinite = np.flatnonzero(~np.isfinite(block.losses))
            first = int(infinite[0]) if rows is None else int(rows[infinite[0]])
        found = Outcome(layout, state, grouped, losses if self.keep else None, first)
        if around.clusters is not None or around.draws:
            found = _with_units(found, block, rows, around)
        return found


def _with_units(found: Outcome, block: Block, rows: Indices | None, around: Around) -> Outcome:
    """The outcome with what its intervals are made of: sums by cluster, or by resample."""
    table = block.table()

    def own(codes: Codes) -> Codes:
        return codes if rows is None else codes[rows]

    if around.clusters is not None:
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
        if draws.differences and not found.layout.signed:
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
    products: bool,
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
        weights = np.concatenate(full, axis=1)
        # samples of different inputs make no sample together, and have no loss of their own
        valued = np.zeros(n, dtype=bool) if unpaired else _all_present(full)
        nothing_left = None if unpaired or valued.all() else ~valued
        valued = None if valued.all() else valued
    derived = (
        unit is not None and statistics.shape[1] == 1 and not layout.finished
        and weight is None and layout.parts[0][0] == 1
    )  # fmt: skip
    columns = Columns(
        statistics.shape[1], unit, derived, weight is not None, unpaired, single, layout.signed,
        layout.centred, products,
    )  # fmt: skip
    return Block(columns, statistics, weights, losses, valued, weight), nothing_left


def _all_present(weights: list[Floats]) -> Flags:
    """Which samples have something left for every part of the loss."""
    return np.asarray(np.logical_and.reduce([(item != 0).any(axis=1) for item in weights]))


def taking_part(block: Block) -> tuple[Block, Indices | None]:
    """The rows that enter any sum, and which they are (None for all).

    A sample of weight 0, or of which every element is left out, takes no part.
    """
    enters = np.ones(len(block.losses), dtype=bool)
    if block.sample_weights is not None:
        enters &= block.sample_weights != 0
    if block.weights is not None:
        enters &= (block.weights != 0).any(axis=1)
    if enters.all():
        return block, None
    rows = np.flatnonzero(enters)
    kept = block.take(rows)
    if kept.valued is not None and kept.valued.all():
        kept = kept._replace(valued=None)
    return kept, rows


def _read_only(array: AnyArray) -> AnyArray:
    """The array for kernels, which may not write into what other losses read too."""
    found = array.view()
    found.flags.writeable = False
    return found


def _take(batch: Batch, rows: AnyArray) -> Batch:
    def take(array: AnyArray) -> AnyArray:
        return array[rows[rows < len(array)]] if len(array) else array

    return Batch(
        {name: take(array) for name, array in batch.inputs.items()},
        None if batch.weight is None else take(batch.weight),
        tuple(take(array) for array in batch.by),
        None if batch.key is None else take(batch.key),
        None if batch.cluster is None else take(batch.cluster),
    )


def group_codes(by: tuple[AnyArray, ...]) -> tuple[npt.NDArray[np.intp], list[tuple[Any, ...]]]:
    """Each row's group, as a number, and the groups that the numbers stand for."""
    codes = np.zeros(len(by[0]), dtype=np.intp)
    values: list[list[Any]] = []
    for array in by:
        own, unique = _codes(array)
        codes = codes * len(unique) + own
        values.append(unique)
    present, codes = np.unique(codes, return_inverse=True)
    groups = []
    for code in present.tolist():
        group: list[Any] = []
        for unique in reversed(values):
            code, index = divmod(code, len(unique))
            group.append(unique[index])
        groups.append(tuple(reversed(group)))
    return codes.astype(np.intp), groups


def _plain(item: Any) -> Any:
    """A group's value: null for NaN, and 1 for 1.0, which is what CSV makes of it."""
    if isinstance(item, float):
        return None if item != item else int(item) if item.is_integer() else item
    return item


def _codes(array: AnyArray) -> tuple[npt.NDArray[np.intp], list[Any]]:
    if array.dtype.kind != "O":
        unique, codes = np.unique(array, return_inverse=True)
        return codes.astype(np.intp), [_plain(item) for item in unique.tolist()]
    numbers: dict[Any, int] = {}
    codes = np.fromiter(
        (numbers.setdefault(item, len(numbers)) for item in array.tolist()),
        dtype=np.intp,
        count=len(array),
    )
    return codes, list(numbers)
