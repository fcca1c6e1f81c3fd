"""Blocks on threads, their states merged in the order of the rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from lossctl.align.inputs import Opened
from lossctl.align.rows import Batch, Task, block_rows
from lossctl.backend import Backend
from lossctl.errors import DataError, counted
from lossctl.losses.definition import InvalidInput
from lossctl.ordered import ordered
from lossctl.plan import Plan
from lossctl.reduce import digest
from lossctl.reduce.block import BlockResult, Worker
from lossctl.reduce.figures import Layout
from lossctl.reduce.grouping import Floats, Indices
from lossctl.reduce.groups import group_codes
from lossctl.reduce.outcome import Outcome
from lossctl.reduce.quantiles import EXACT
from lossctl.reduce.resample import Draws, Resampling
from lossctl.reduce.state import State
from lossctl.sources.coded import Values, concatenated

if TYPE_CHECKING:
    from lossctl.reduce.clusters import Clusters

MOST_RESAMPLED_GROUPS = 1000


class Rows(NamedTuple):
    """Per-sample losses of consecutive samples, on the way to a file."""

    start: int  # the first sample
    samples: int  # those without a loss included
    losses: tuple[Floats, ...]  # (samples,) each; NaN where there is none
    key: Values | None  # (samples,)
    by: tuple[Values, ...]  # (samples,) each


class Sink(Protocol):
    """Takes per-sample losses in the order of the samples."""

    def write(self, rows: Rows) -> None:
        """Take in the next samples."""
        ...


class Placed(NamedTuple):
    """One of the samples that are to be listed."""

    rank: float  # the largest come first
    sample: int
    key: Any
    values: tuple[float, ...]  # of all losses


@dataclass(eq=False, repr=False)
class LossTotals:
    """What all blocks of one loss came to."""

    layout: Layout | None = None
    state: State | None = None
    grouped: State | None = None
    per_sample: list[Floats] = field(default_factory=list)
    worst: list[Placed] = field(default_factory=list)
    infinite: str = ""  # where the first loss stands that is not finite
    replicates: Floats | None = None  # (groups, resamples, columns)
    flips: Floats | None = None  # the same, for permutations
    ranked: list[tuple[Indices, Floats]] = field(default_factory=list)  # groups, differences
    clusters: Clusters | None = None
    number: float | None = None  # of all rows together
    numbers: dict[int, float] = field(default_factory=dict)  # … and of each group's, by its code

    @cached_property
    def ranked_of(self) -> dict[int, Floats]:
        """The differences of each group, by its number, once all blocks are here."""
        codes, losses = map(np.concatenate, zip(*self.ranked))
        order = np.argsort(codes, kind="stable")
        present, starts = np.unique(codes[order], return_index=True)
        return dict(zip(present.tolist(), np.split(losses[order], starts[1:])))


@dataclass(eq=False, repr=False)
class Totals:
    """What all blocks came to."""

    losses: list[LossTotals]
    samples: int = 0
    skipped: int = 0
    groups: dict[tuple[Any, ...], int] = field(default_factory=dict)
    clusters: dict[tuple[Any, ...], int] = field(default_factory=dict)
    sizes: dict[int, int] = field(default_factory=dict)  # of the groups, where all rows were held
    lengths: dict[str, int] = field(default_factory=dict)
    squeezed: set[str] = field(default_factory=set)
    digest: str = ""

    @cached_property
    def clusters_of(self) -> dict[tuple[Any, ...], list[int]]:
        """The numbers of each group's clusters, once all blocks are here."""
        found: dict[tuple[Any, ...], list[int]] = {}
        for key, number in self.clusters.items():
            found.setdefault(key[:-1], []).append(number)
        return found


class Engine:
    """Runs a plan over the blocks."""

    def __init__(
        self,
        plan: Plan,
        backend: Backend,
        opened: Opened,
        sink: Sink | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> None:
        self.plan, self.opened, self.sink, self.progress = plan, opened, sink, progress
        self.threads = plan.threads if backend.parallel else 1
        # more rows than quantiles are kept exact for, where that is known from the start
        row_by_row = not plan.unpaired and plan.on is None
        self.many = row_by_row and (opened.first.rows or 0) > EXACT
        self.ranks = plan.test == "wilcoxon"
        self.keep = bool(plan.worst or plan.per_sample or sink or self.ranks)
        self.worker = Worker(plan, backend, opened, keep=self.keep)
        self.pivoted = {loss.pivot for loss in plan.definitions if loss.pivot}
        self.totals = Totals([LossTotals() for _ in plan.losses])
        self._missing: dict[str, tuple[int, str]] = {}  # by input: rows, the first place
        self._digest = 0
        self.full = block_rows(opened)
        # blocks that wait for the losses that need all rows
        self._held: list[tuple[Task, BlockResult]] = []

    def run(self, tasks: Iterable[Task]) -> Totals:
        """Evaluate every block.

        Raises:
            DataError: Values that a loss does not take, or NaN under `--nan error`.
        """
        if self.pivoted:
            tasks = self._pivots(tasks)
        for task, result in ordered(tasks, self._work, self.threads, waiting=2):
            if isinstance(result, InvalidInput):
                if self._missing:
                    continue  # the first thing wrong was a NaN; only their number is open
                raise self._refusal(result, task)
            self._take(task, result)
        if self._missing:
            raise self._missing_error()
        if self._held and self.totals.skipped < self.totals.samples:
            self._whole()
        for loss, reduction in zip(self.totals.losses, self.worker.reductions):
            loss.layout, loss.state = reduction.layout, reduction.total()
            if self.many or self.totals.samples > EXACT:
                for state in filter(None, (loss.state, loss.grouped)):
                    state.compress()
        self.totals.digest = f"{self._digest:016x}"
        return self.totals

    def _pivots(self, tasks: Iterable[Task]) -> Iterator[Task]:
        """Learn from the first block around what to take sums of squares."""
        for task in tasks:
            if not self.worker.pivots:
                batch = task.load()
                self.worker.pivots = {
                    name: centre(batch.inputs[name]) for name in self.pivoted & set(batch.inputs)
                }
                task = task._replace(load=partial(_same, batch))
            yield task

    def _work(self, task: Task) -> tuple[Task, BlockResult | InvalidInput]:
        batch = task.load()
        try:
            return task, self.worker.evaluate(
                batch,
                task.rows,
                check_only=bool(self._missing),
                many=self.many or task.start >= EXACT,
                draws=self._draws(task),
            )
        except InvalidInput as error:
            error.batch = batch  # type: ignore[attr-defined]
            return task, error

    def _draws(self, task: Task) -> list[Draws]:
        """The resamples of a block's rows; clusters are resampled at the end."""
        plan = self.plan
        if plan.cluster is not None:
            return []
        # a first block that is not full is the last, unless a join has thinned it
        alone = task.start == 0 and task.rows < self.full and plan.on is None
        found = []
        if plan.bootstrap is not None:
            how = Resampling(plan.bootstrap, plan.seed)
            found.append(Draws(how, task.start, task.rows, alone, False, bool(plan.models)))
        if plan.test == "permutation":
            how = Resampling(plan.permutations, plan.seed)
            found.append(Draws(how, task.start, task.rows, alone, True, True))
        return found

    def _take(self, task: Task, result: BlockResult) -> None:
        totals = self.totals
        totals.samples += result.rows
        if result.missing and self.plan.nan == "error":
            for item in result.missing:
                rows, first = self._missing.get(item.name, (0, ""))
                first = first or self._place(item.name, task, item.row, item.column, None)
                self._missing[item.name] = (rows + item.rows, first)
        if self.progress:
            self.progress(totals.samples)
        if self._missing:
            return
        self._digest = digest.chain(self._digest, result.digest)
        totals.squeezed |= result.squeezed
        if result.kept is not None:
            totals.skipped += result.rows - len(result.kept)
        for name, count in result.lengths.items():
            totals.lengths[name] = totals.lengths.get(name, 0) + count
        codes = _numbered(totals.groups, result.groups)
        clusters = _numbered(totals.clusters, result.clusters)
        for bound, loss, outcome in zip(self.plan.losses, totals.losses, result.outcomes):
            if outcome is not None:
                self._merge(loss, outcome, codes)
                self._merge_units(loss, outcome, codes, clusters)
                if outcome.infinite is not None and not loss.infinite:
                    model = bound.model or 0
                    loss.infinite = self._sample_place(task, result, outcome.infinite, model)
        if self.plan.whole:
            self._held.append((task, result))
        elif self.keep:
            self._rows(task, result)

    def _whole(self) -> None:
        """Evaluate what needs all rows, and give each block its share of the per-sample losses."""
        batch = joined([held.batch for _, held in self._held])
        try:
            found = self.worker.evaluate_whole(batch)
        except InvalidInput as error:
            error.batch = batch  # type: ignore[attr-defined]
            rows = [
                task.start + (np.arange(held.rows) if held.kept is None else held.kept)
                for task, held in self._held
            ]
            raise self._refusal(error, self._held[0][0], np.concatenate(rows)) from None
        self.totals.squeezed |= found.squeezed
        codes = _numbered(self.totals.groups, found.groups)
        self.totals.sizes = dict(zip(codes.tolist(), found.sizes))
        for index, value in found.values.items():
            self.totals.losses[index].number = value
            self.totals.losses[index].numbers = dict(zip(codes.tolist(), found.grouped[index]))
        for index, outcome in found.outcomes.items():
            self._merge(self.totals.losses[index], outcome, codes)
        start = 0
        for task, result in self._held if self.keep else ():
            assert result.batch is not None
            stop = start + max(map(len, result.batch.inputs.values()))
            for index, outcome in found.outcomes.items():
                assert outcome.losses is not None
                result.outcomes[index] = outcome._replace(losses=outcome.losses[start:stop])
            self._rows(task, result)
            start = stop

    def _merge(self, loss: LossTotals, outcome: Outcome, codes: npt.NDArray[np.intp]) -> None:
        if outcome.grouped is None:
            return
        if loss.grouped is None:
            loss.grouped = State(outcome.grouped.columns, 0, self.plan.quantiles)
        loss.grouped.merge(outcome.grouped, codes)
        if self.many or self.totals.samples > EXACT:
            loss.grouped.compress(beyond=EXACT)

    def _merge_units(
        self, loss: LossTotals, outcome: Outcome, codes: Indices, clusters: Indices
    ) -> None:
        """Take in what intervals are made of, in the order of the blocks."""
        if outcome.clusters is not None:
            if loss.clusters is None:
                from lossctl.reduce.clusters import Clusters

                loss.clusters = Clusters(outcome.clusters.shape[1])
            loss.clusters.add(outcome.clusters, clusters)
        for name in ("replicates", "flips"):
            fresh = getattr(outcome, name)
            if fresh is not None:
                whole = self._with_room(getattr(loss, name), fresh)
                whole[codes if len(codes) == len(fresh) else slice(len(fresh))] += fresh
                setattr(loss, name, whole)

    def _with_room(self, sums: Floats | None, fresh: Floats) -> Floats:
        """The resampled sums with a place for every group there is by now."""
        groups = max(1, len(self.totals.groups))
        if groups > MOST_RESAMPLED_GROUPS:
            raise DataError(
                f"resampling keeps every resample of every group, and there are {groups:,} groups",
                "leave out --bootstrap, or group by a column with fewer values",
            )
        if sums is not None and len(sums) >= groups:
            return sums
        room = np.zeros((groups, *fresh.shape[1:]))
        if sums is not None:
            room[: len(sums)] = sums
        return room

    def _rows(self, task: Task, result: BlockResult) -> None:
        found = []
        for outcome in result.outcomes:
            # the plan refuses the rows of losses that have none
            assert outcome is not None and outcome.losses is not None
            losses = outcome.losses
            if result.kept is not None:
                losses = np.full(result.rows, np.nan)
                losses[result.kept] = outcome.losses
            found.append(losses)
        for index, loss in enumerate(self.totals.losses):
            if self.plan.per_sample:
                loss.per_sample.append(found[index])
            if self.ranks and self.plan.losses[index].difference:
                loss.ranked.append(self._ranked(found[index], result))
            if self.plan.worst:
                loss.worst = self._worst(loss.worst, index, found, task, result)
        if self.sink:
            rows = Rows(task.start, result.rows, tuple(found), result.key, result.by)
            self.sink.write(rows)

    def _ranked(self, losses: Floats, result: BlockResult) -> tuple[Indices, Floats]:
        """The differences that there are, with their groups' numbers."""
        assert result.batch is not None
        rows = losses if result.kept is None else losses[result.kept]
        known = ~np.isnan(rows)
        if not result.batch.by:
            return np.zeros(int(known.sum()), dtype=np.intp), rows[known]
        codes, groups, _ = group_codes(result.batch.by)
        return _numbered(self.totals.groups, groups)[codes[known]], rows[known]

    def _worst(
        self,
        so_far: list[Placed],
        index: int,
        found: list[Floats],
        task: Task,
        result: BlockResult,
    ) -> list[Placed]:
        """The samples with the largest losses; of a difference, with the largest changes."""
        assert self.plan.worst is not None
        losses, count = found[index], self.plan.worst
        ranks = np.abs(losses) if self.plan.losses[index].difference else losses
        known = np.flatnonzero(~np.isnan(ranks))
        if len(known) > count:  # only those that may get in; ties go to the earlier sample
            least = np.partition(ranks[known], len(known) - count)[len(known) - count]
            known = known[ranks[known] >= least]
        fresh = [
            Placed(
                float(ranks[row]),
                task.start + int(row),
                None if result.key is None else result.key[row],
                tuple(float(one[row]) for one in found),
            )
            for row in known
        ]
        return sorted(so_far + fresh, key=lambda item: (-item.rank, item.sample))[:count]

    def _sample_place(self, task: Task, result: BlockResult, row: int, model: int) -> str:
        """Where a sample of a model stands that was evaluated."""
        if result.kept is not None:
            row = int(result.kept[row])
        # a candidate's inputs go by names of their own
        names = self.opened.models[model].values() or self.opened.inputs
        return self._place(next(iter(names)), task, row, None, None)

    def _place(
        self, name: str, task: Task, row: int, column: int | None, batch: Batch | None
    ) -> str:
        wanted = self.opened.weight if name == "weight" else self.opened.inputs.get(name)
        assert wanted is not None
        where = f"row {task.start + row}"
        if self.opened.keys:
            if batch is not None and batch.key is not None:
                key = next(iter(self.opened.keys.values())).columns[0].name
                where = f"{wanted.table.source}, {key} {batch.key[row]!r}"
            else:
                where = f"{wanted.table.source}, joined row {task.start + row}"
        else:
            where = wanted.table.place(task.start + row)
        names = [item.name for item in wanted.columns if item.name]
        if wanted.stacked:
            names = [names[column]] if column is not None and column < len(names) else []
        if names:
            return f"{where}, column {names[0]}"
        return f"{where}, entry {column}" if column is not None else where

    def _refusal(
        self, error: InvalidInput, task: Task, rows: npt.NDArray[Any] | None = None
    ) -> DataError:
        """The error with its place; `rows` are those that its flags speak of, if not the task's."""
        batch: Batch = error.batch  # type: ignore[attr-defined]
        several = len({part.called for bound in self.plan.losses for _, part in bound.parts}) > 1
        name = plain(error.name)
        name = f"{error.loss}: {name}" if several and error.loss else name
        if error.bad is None or error.name not in (*batch.inputs, "weight"):
            return DataError(f"{name} {error.why}", error.hint)
        array = batch.weight if error.name == "weight" else batch.inputs[error.name]
        assert array is not None
        bad = error.bad.reshape(len(error.bad), -1)
        row = int(bad.any(axis=1).argmax())
        entry = int(bad[row].argmax())
        values = array[row].reshape(-1)
        value = values[entry] if values.size == bad.shape[1] else values[0]
        column = entry if values.size > 1 and values.size == bad.shape[1] else None
        why = error.why.replace("{value}", f"{value.item():g}" if "{value}" in error.why else "")
        where = self._place(
            error.name, task, row if rows is None else int(rows[row]) - task.start, column, batch
        )
        return DataError(f"{name} {why}: {where}", error.hint)

    def _missing_error(self) -> DataError:
        found = "; ".join(
            f"{plain(name)} has NaN or null in {counted(rows, 'row')}, first in {first}"
            for name, (rows, first) in self._missing.items()
        )
        rows = "out of the files" if self.plan.unpaired else "out with --nan skip"
        hint = f"leave such rows {rows}, or let NaN through with --nan propagate"
        return DataError(found, hint)


def _numbered(known: dict[tuple[Any, ...], int], keys: list[tuple[Any, ...]]) -> Indices:
    """The numbers of groups or clusters; new ones get the next."""
    return np.array([known.setdefault(key, len(known)) for key in keys], dtype=np.intp)


def plain(name: str) -> str:
    """An input's name, without the number of the candidate that it is of."""
    return name.partition("@")[0]


def _same(batch: Batch) -> Batch:
    """A block that has been loaded."""
    return batch


def centre(array: npt.NDArray[Any]) -> Floats:
    """The mean of the samples that are finite; 0 where none is."""
    wide = array.astype(np.float64)
    known = np.isfinite(wide)
    count = known.sum(axis=0)
    total = np.where(known, wide, 0).sum(axis=0)
    return np.asarray(total / np.maximum(count, 1))


def joined(batches: Sequence[Batch | None]) -> Batch:
    """All blocks as one, without their keys."""
    known = [batch for batch in batches if batch is not None]
    first = known[0]
    inputs = {name: np.concatenate([one.inputs[name] for one in known]) for name in first.inputs}
    weights = [one.weight for one in known if one.weight is not None]
    by = tuple(concatenated(column) for column in zip(*(one.by for one in known)))
    return Batch(inputs, np.concatenate(weights) if weights else None, by, None)
