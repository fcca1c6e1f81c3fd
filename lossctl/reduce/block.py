"""One block: from its arrays to the states and the per-sample losses of every loss."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from lossctl.align.inputs import Opened
from lossctl.align.rows import Batch
from lossctl.backend import Backend
from lossctl.losses import Bound, Part
from lossctl.losses.definition import Input, InvalidInput
from lossctl.losses.shapes import fit
from lossctl.losses.shared import one_block
from lossctl.plan import Plan
from lossctl.reduce import digest, samples
from lossctl.reduce.arrays import Arrays
from lossctl.reduce.grouping import Flags, Floats, Grouping
from lossctl.reduce.groups import Numbered, group_codes
from lossctl.reduce.outcome import Around, Outcome, Reduction, Sums
from lossctl.reduce.resample import Draws
from lossctl.reduce.samples import SampleSums
from lossctl.sources.coded import Values

AnyArray = npt.NDArray[Any]


class Missing(NamedTuple):
    """NaN in one input of a block."""

    name: str
    rows: int  # that hold any
    row: int  # the first of them, in the block
    column: int | None  # where in the row, if it is a table's column


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
    lengths: dict[str, int] = field(default_factory=dict)  # the rows that count, by input
    digest: bytes = b""
    batch: Batch | None = None  # where its arrays are needed further on: the kept rows
    key: Values | None = None  # of all its rows, where they are needed further on
    by: tuple[Values, ...] = ()  # the same


@dataclass(eq=False, repr=False)
class WholeResult:
    """What the losses come to that need all rows at once, by their place in the plan."""

    groups: list[tuple[Any, ...]]
    sizes: list[int]  # of the groups
    outcomes: dict[int, Outcome] = field(default_factory=dict)
    values: dict[int, float] = field(default_factory=dict)  # of those that are one number
    grouped: dict[int, list[float]] = field(default_factory=dict)
    squeezed: frozenset[str] = frozenset()


class Worker:
    """Evaluates blocks, on any thread."""

    def __init__(self, plan: Plan, backend: Backend, opened: Opened, *, keep: bool) -> None:
        self.plan, self.backend = plan, backend
        self.hold = keep or plan.whole
        self.reductions = [Reduction(plan, bound, keep=keep) for bound in plan.losses]
        self.keys = {id(part): part.key for bound in plan.losses for _, part in bound.parts}
        self.last = {  # the last of the losses that each part is of
            self.keys[id(part)]: index
            for index, bound in enumerate(plan.losses)
            for _, part in bound.parts
        }
        # one loss alone has nothing to share, and a use for the memory
        self.block = one_block if len(set(self.keys.values())) > 1 else nullcontext
        self.uses, self.models = opened.uses, opened.models
        self.held: dict[str, set[float]] = {}  # which of exclusive values there are, by input
        self.probable: dict[str, bool] = {}  # logits by input that might be probabilities
        self.pivots: dict[str, Floats] = {}  # by input: around what sums of squares are taken

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
        with np.errstate(all="ignore"):
            missing, keep = self._missing(batch)
            result = BlockResult(rows, None, missing)
            if self.hold:
                result.key, result.by = batch.key, batch.by
            if (missing and self.plan.nan == "error") or check_only:
                return result
            if self.plan.sign:
                result.digest = digest.block(batch, [item.name for item in missing])
            if keep is not None and self.plan.nan == "skip":
                result.kept = np.flatnonzero(keep)
                batch = _take(batch, result.kept)
            try:
                self._evaluate(batch, result, draws, many)
            except InvalidInput as error:
                error.bad = self._bad(error.bad, rows, result.kept)
                raise
        result.lengths = {name: len(array) for name, array in batch.inputs.items()}
        if self.hold:  # else the next block finds this memory free, and in the cache
            result.batch = batch
        return result

    def _bad(self, bad: Any, rows: int, kept: AnyArray | None) -> AnyArray | None:
        """The flags of what an error speaks of, on the host, for all rows of the block."""
        if bad is None:
            return None
        found = np.asarray(self.backend.host(bad))
        if kept is None:
            return found
        whole = np.zeros((rows, *found.shape[1:]), dtype=bool)
        whole[kept] = found
        return whole

    def _missing(self, batch: Batch) -> tuple[list[Missing], Flags | None]:
        """The inputs that hold NaN, and which rows hold none (None where all do)."""
        arrays = dict(batch.inputs)
        if batch.weight is not None:
            arrays["weight"] = batch.weight
        rows = max(map(len, arrays.values()))
        found: list[Missing] = []
        keep: Flags | None = None
        for name, array in arrays.items():
            if array.dtype.kind not in "fc" or not array.size:
                continue
            # NaN wins over all numbers, and is their maximum; complex ones are quicker to add
            reduce = np.maximum.reduce if array.dtype.kind == "f" else np.add.reduce
            if not np.isnan(reduce(array, axis=None)):  # a sum may be ∞ − ∞: look closely
                continue
            where = np.isnan(array).reshape(len(array), -1)
            bad: Flags = np.asarray(where.any(axis=1))
            if bad.any():
                row = int(bad.argmax())
                column = int(where[row].argmax()) if array.ndim == 2 else None
                found.append(Missing(name, int(bad.sum()), row, column))
                if len(bad) == rows:  # unpaired inputs are never skipped
                    keep = ~bad if keep is None else keep & ~bad
        return found, keep

    def _evaluate(
        self, batch: Batch, result: BlockResult, draws: Sequence[Draws], many: bool
    ) -> None:
        arrays = Arrays(batch.inputs, self.backend, self.plan.dtype)
        if arrays.rows == 0:
            result.outcomes = [reduction.nothing() for reduction in self.reductions]
            return
        around = self._around(batch, result, result.kept)
        around = around._replace(draws=tuple((one, []) for one in draws), many=many)
        known: dict[Any, SampleSums] = {}
        squeezed: set[str] = set()
        with self.block():
            for index in range(len(self.reductions)):
                outcome = self._outcome(index, arrays, around, known, squeezed)
                result.outcomes.append(outcome)
                # what no later loss shares is memory for its arrays, and is in the cache
                known = {key: sums for key, sums in known.items() if self.last[key] > index}
        for drawn, shares in around.draws:
            drawn.fill(shares)
        result.squeezed = frozenset(squeezed)

    def _outcome(
        self,
        index: int,
        arrays: Arrays,
        around: Around,
        known: dict[Any, SampleSums],
        squeezed: set[str],
    ) -> Outcome | None:
        """What one of the losses comes to; None for those of the whole file."""
        bound, reduction = self.plan.losses[index], self.reductions[index]
        if reduction.whole:
            return None
        found = self._sums(bound, arrays, known, squeezed)
        return reduction.add(found, self._its(bound, around))

    def _its(self, bound: Bound, around: Around) -> Around:
        """What belongs to the samples of one loss, which may be for all of them alone."""
        if bound.label in self.plan.ungrouped:
            return around._replace(codes=None, grouping=None, groups=0)
        return around

    def _around(self, batch: Batch, result: BlockResult, kept: AnyArray | None) -> Around:
        """What belongs to the block's samples beside their inputs; names groups and clusters."""
        around = Around(self._weight(batch), kept)
        if batch.by:
            codes, result.groups, sizes = _groups_of("--by", batch.by)
            grouping = Grouping(codes, sizes, around.weight)
            around = around._replace(codes=codes, grouping=grouping, groups=len(result.groups))
        if batch.cluster is not None:
            codes, result.clusters, _ = _groups_of("--cluster", (*batch.by, batch.cluster))
            if any(key[-1] is None for key in result.clusters):
                raise InvalidInput("--cluster", None, "is null in some row", "give every row one")
            around = around._replace(clusters=codes)
        return around

    def _sums(
        self,
        bound: Bound,
        arrays: Arrays,
        known: dict[Any, SampleSums],
        squeezed: set[str],
    ) -> Sums:
        """The statistics of each part, evaluated once where losses share them."""
        found = []
        for factor, part in bound.parts:
            key = self.keys[id(part)]
            if key not in known:
                known[key] = self._summed(part, arrays, squeezed)
            found.append((factor, part, known[key]))
        return found

    def _summed(self, part: Part, arrays: Arrays, squeezed: set[str]) -> SampleSums:
        try:
            return self._sums_of(part, arrays, squeezed)
        except InvalidInput as error:
            error.loss = part.called
            raise

    def _sums_of(self, part: Part, arrays: Arrays, squeezed: set[str]) -> SampleSums:
        fitted, names = self._fit(part, arrays)
        squeezed |= set(names)
        pivot = part.loss.pivot
        context = {"pivot": self.backend.device(self.pivots[pivot])} if pivot else {}
        found = samples.summed(self.backend, part, fitted, arrays.rows, **context)
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
        arrays = Arrays(batch.inputs, self.backend, self.plan.dtype)
        sizes = [] if around.codes is None else np.bincount(around.codes).tolist()
        result = WholeResult(named.groups, sizes)
        squeezed: set[str] = set()
        with np.errstate(all="ignore"):
            for index, bound in enumerate(self.plan.losses):
                if bound.whole and not bound.single:
                    found = self._sums(bound, arrays, {}, squeezed)
                    its = self._its(bound, around)
                    result.outcomes[index] = self.reductions[index].add(found, its)
                elif bound.whole:
                    result.values[index] = self._number(bound, arrays, squeezed)
                    result.grouped[index] = [
                        self._number(bound, arrays.at(np.asarray(around.codes == code)), squeezed)
                        for code in range(self._its(bound, around).groups)
                    ]
        result.squeezed = frozenset(squeezed)
        return result

    def _number(self, bound: Bound, arrays: Arrays, squeezed: set[str]) -> float:
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

    def _fit(self, part: Part, arrays: Arrays) -> tuple[dict[str, Any], list[str]]:
        """The loss's own inputs, shapes fitted and domains checked."""
        names = self.models[part.model]
        try:
            given = {
                name: arrays.get(names.get(name, name), part.loss.input(name))
                for name in self.uses[part.loss]
                if names.get(name, name) in arrays.given
            }
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


def _groups_of(name: str, columns: tuple[Values, ...]) -> Numbered:
    """The groups of rows, or their clusters; raises InvalidInput where a row has no one value."""
    try:
        return group_codes(columns)
    except TypeError:  # a list or an object, which is not hashable
        raise InvalidInput(
            name,
            None,
            "holds lists or objects, of which no groups can be made",
            "name a column of numbers, text or dates",
        ) from None


def _take(batch: Batch, rows: AnyArray) -> Batch:
    def take(array: AnyArray) -> AnyArray:
        return array[rows[rows < len(array)]] if len(array) else array

    return Batch(
        {name: take(array) for name, array in batch.inputs.items()},
        None if batch.weight is None else take(batch.weight),
        tuple(column[rows] for column in batch.by),
        None if batch.key is None else batch.key[rows],
        None if batch.cluster is None else batch.cluster[rows],
    )
