"""What is to be done, checked as a whole before a file is opened."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from lossctl import backend as backends
from lossctl.errors import UsageError, nearest
from lossctl.losses import Bound, Loss, each_convention, resolve
from lossctl.ordered import available_cores
from lossctl.sources import Reference, parse_reference
from lossctl.sources.formats import has_kind
from lossctl.sources.table import Format
from lossctl.spec import Spec, parse

if TYPE_CHECKING:
    from lossctl.gates.expression import Expression

REDUCTIONS = {
    "mean": "over elements, Σ weight·value / Σ weight, and then the loss's finish",
    "sum": "over elements; of the per-sample values where the loss has a finish",
    "batchmean": "the sum divided by the number of samples",
    "samplemean": "of the per-sample losses, each sample counting once",
}
NAN_POLICIES = ("error", "skip", "propagate")
UNMATCHED = ("error", "drop")
DTYPES = ("float32", "float64")
METHODS = ("bca", "percentile")
LEAST_RESAMPLES, MOST_RESAMPLES = 100, 1_000_000
MAIN = ("prediction", "target")
"""The inputs whose files are named by position; in them other inputs are looked for too."""

Source = Any  # a Reference, or an array or data frame in memory


class Plan(NamedTuple):
    """An evaluation, ready to run. Made by `make`, which checks it."""

    losses: tuple[Bound, ...]
    inputs: Mapping[str, Source]
    weight: Source | None = None
    by: Mapping[str, Source] = {}
    ungrouped: tuple[str, ...] = ()  # losses, as typed, that are for all samples alone
    cluster: Source | None = None  # the column whose values, not its rows, are independent
    on: str | None = None
    by_row: bool = False  # pair the rows by position, whatever their ids say
    unmatched: str = "error"
    reduction: str | None = None  # each loss's own: its convention's, or the mean
    nan: str = "error"
    gates: tuple[Expression, ...] = ()
    confidence: float | None = 0.95
    bootstrap: int | None = None  # resamples, for intervals made of them
    seed: int = 0
    interval: str = "bca"  # of the bootstrap's two
    worst: int | None = None
    per_sample: bool = False
    described: bool = True  # more is wanted than the values: spreads, extremes, intervals
    quantiles: bool = True
    sign: bool = True  # digest the inputs' values for the signature
    dtype: str | None = None
    backend: str = "numpy"
    threads: int = 1
    format: Format = Format()
    test: str = ""  # of the differences between models, one of `significance.TESTS`
    permutations: int = 9999
    models: tuple[Mapping[str, Source], ...] = ()  # the candidates' inputs, in a comparison
    names: tuple[str, ...] = ()  # what the models are called, the plan's own first

    @property
    def definitions(self) -> tuple[Loss, ...]:
        """Every loss that takes part, once."""
        return tuple(dict.fromkeys(part.loss for bound in self.losses for _, part in bound.parts))

    @property
    def unpaired(self) -> bool:
        """Whether the inputs are samples of their own, of any lengths."""
        several = [loss for loss in self.definitions if len(loss.inputs) > 1]
        return bool(several) and all(loss.unpaired for loss in several)

    @property
    def paths(self) -> list[str]:
        """The paths of all that is read."""
        models = [source for inputs in self.models for source in inputs.values()]
        sources = [
            *self.inputs.values(), *models, self.weight, self.cluster, *self.by.values()
        ]  # fmt: skip
        return [item.path for item in sources if isinstance(item, Reference) and item.path]

    @property
    def whole(self) -> bool:
        """Whether a loss needs all rows at once."""
        return any(bound.whole for bound in self.losses)

    @property
    def single(self) -> bool:
        """Whether a loss has no per-sample losses."""
        return self.unpaired or any(bound.single for bound in self.losses)

    def reduction_of(self, bound: Bound) -> str:
        """How the value of a loss comes of its elements."""
        return self.reduction or bound.rules.reduction


def make(
    losses: str | Sequence[str],
    inputs: Mapping[str, Any],
    *,
    weight: Any = None,
    cluster: Any = None,
    by: Mapping[str, Any] | Sequence[str] | str = (),
    params: Mapping[str, Any] | None = None,
    convention: str | None = None,
    fail_if: str | Sequence[str] = (),
    threads: int | None = None,
    on: str | None = None,
    **options: Any,
) -> Plan:
    """Check everything that can be checked without the data.

    Args:
        losses: One spec or several.
        inputs: By input name: text is a reference, anything else data in memory.
        weight: A column of the prediction's file, a reference, or an array (N,).
        cluster: Likewise; rows that agree in it are not independent of each other.
        by: Columns to group by, or arrays (N,) by name.
        params: Parameters for every loss that has them.
        convention: Whose definition, for the losses that do not name one; "*" for all.
        fail_if: Gates as expressions: what must not hold.
        threads: Default: the cores that this process may use.
        on: The key of a join; "row" pairs the rows by position, whatever their ids say.
        **options: The other fields of `Plan`.

    Raises:
        SpecError: A loss that is not one.
        UsageError: Options that contradict each other, or one that is out of range.
    """
    specs = [losses] if isinstance(losses, str) else list(losses)
    if not specs:
        raise UsageError("no loss is given", "name one: -l mse; see: lossctl losses")
    if convention == "*":
        specs, convention = [_under_all(spec) for spec in specs], None
    specs = [one for spec in specs for one in each_convention(spec)]
    bound = tuple(resolve(spec, params, convention) for spec in specs)
    labels = [item.label for item in bound]
    for label in labels:
        if labels.count(label) > 1:
            raise UsageError(f"the loss {label} is given twice", "give each loss once")
    if isinstance(by, Mapping):
        groups = dict(by)
    elif hasattr(by, "__array__"):  # a series or an array: one group, by its own name
        groups = {str(getattr(by, "name", None) or "group"): by}
    else:
        groups = {name: name for name in ([by] if isinstance(by, str) else by)}
    plan = Plan(
        losses=bound,
        inputs={n: source(n, value) for n, value in inputs.items() if value is not None},
        weight=column(weight),
        cluster=column(cluster),
        by={name: column(value) for name, value in groups.items()},
        threads=available_cores() if threads is None else threads,
        on=None if on == "row" else on,
        by_row=on == "row",
        **options,
    )
    _check_choices(plan)
    _check_inputs(plan)
    _check_together(plan)
    return plan._replace(gates=gates_of(plan, fail_if))


def gates_of(
    plan: Plan, texts: str | Sequence[str], *, differences: bool = False
) -> tuple[Expression, ...]:
    """The gates as expressions, checked against what is to be evaluated.

    Args:
        plan: The evaluation.
        texts: What must not hold.
        differences: Whether they are about what models differ by.

    Raises:
        SpecError: One does not parse.
        UsageError: One is about a loss or a group that is not evaluated.
    """
    texts = [texts] if isinstance(texts, str) else texts
    if not texts:
        return ()
    from lossctl.gates import expression, judge

    figures = expression.DIFFERENCES if differences else expression.FIGURES
    gates = tuple(expression.parse(text, figures) for text in texts)
    judge.check(gates, [(item.label, item.name) for item in plan.losses], plan.by)
    return gates


def _under_all(text: str) -> str:
    """The spec with @* where it names no convention."""
    spec = parse(text)
    terms = (
        (factor, item._replace(convention=item.convention or "*")) for factor, item in spec.terms
    )
    return str(Spec(tuple(terms)))


def source(name: str, value: Any) -> Source:
    """What an input is read from: text is a reference, anything else data in memory."""
    if name not in MAIN:
        return column(value)
    return parse_reference(os.fspath(value)) if isinstance(value, str | os.PathLike) else value


def column(value: Any) -> Source | None:
    """Text is a reference; a bare word is one without a path: a column of a file open anyway."""
    if not isinstance(value, str | os.PathLike):
        return value
    text = os.fspath(value)
    is_path = "::" in text or os.path.exists(text) or "/" in text or has_kind(text)
    return parse_reference(text) if is_path else Reference("", text)


def _check_choices(plan: Plan) -> None:
    for name, value, known in (
        ("reduction", plan.reduction, (None, *REDUCTIONS)),
        ("nan", plan.nan, NAN_POLICIES),
        ("unmatched", plan.unmatched, UNMATCHED),
        ("backend", plan.backend, backends.NAMES),
        ("dtype", plan.dtype, (None, *DTYPES)),
        ("interval", plan.interval, METHODS),
    ):
        if value not in known:
            words = [word for word in known if word]
            hint = nearest(str(value), words) or f"one of {', '.join(words)}"
            raise UsageError(f"--{name}: {value!r} is not known", hint)
    for name, number in (
        ("threads", plan.threads),
        ("worst", plan.worst),
        ("bootstrap", plan.bootstrap),
        ("seed", plan.seed),
    ):
        if number is not None and (not hasattr(number, "__index__") or isinstance(number, bool)):
            raise UsageError(f"--{name}: {number!r} is no whole number", "give 1 or more")
    if plan.threads < 1:
        raise UsageError(f"--threads: {plan.threads} is below 1", "give 1 or more")
    if plan.worst is not None and plan.worst < 1:
        raise UsageError(f"--worst: {plan.worst} is below 1", "give 1 or more")
    if plan.bootstrap is not None and not LEAST_RESAMPLES <= plan.bootstrap <= MOST_RESAMPLES:
        raise UsageError(
            f"--bootstrap: {plan.bootstrap} is not between {LEAST_RESAMPLES} and "
            f"{MOST_RESAMPLES:,}",
            "2000 is a good number",
        )
    if not 0 <= plan.seed < 2**64:
        raise UsageError(f"--seed: {plan.seed} is not between 0 and 2⁶⁴ − 1", "for example 1")
    if plan.confidence is not None and not 0 < plan.confidence < 1:
        raise UsageError(
            f"--confidence: {plan.confidence:g} is not between 0 and 1", "for example 0.95"
        )


def _check_inputs(plan: Plan) -> None:
    known = {item.name for loss in plan.definitions for item in loss.inputs}
    for name, source in plan.inputs.items():
        table = isinstance(source, Reference) or hasattr(source, "columns")
        if name not in known and not (name in MAIN and table):
            losses = " or ".join(loss.name for loss in plan.definitions)
            hint = nearest(name, sorted(known)) or f"inputs: {', '.join(sorted(known))}"
            raise UsageError(f"{losses} takes no input {name!r}", hint)
    if not plan.inputs:
        raise UsageError(
            f"{plan.definitions[0].name} needs {needs(plan.definitions[0])}",
            "give a file that holds them, or each by --input NAME=REF",
        )


def needs(loss: Loss) -> str:
    """The inputs that a loss cannot do without, as text."""
    sets = loss.alternatives or (tuple(i.name for i in loss.inputs if not i.optional),)
    return ", or ".join(" and ".join(names) for names in sets)


def _check_together(plan: Plan) -> None:
    _check_single(plan)
    _check_whole(plan)
    if plan.unpaired or any(loss.unpaired and len(loss.inputs) > 1 for loss in plan.definitions):
        _check_unpaired(plan)
    for bound in plan.losses:
        ways = {part.rules.multiplies for _, part in bound.parts}
        if plan.weight is not None and len(ways) > 1:
            raise UsageError(
                f"in {bound.label} some conventions divide by the weights and others do not",
                "leave out --weight, or give all parts of the sum one convention",
            )
    if plan.unmatched != "error" and plan.on is None:
        raise UsageError("--unmatched says what a join does", "give the key: --on KEY")


def _check_single(plan: Plan) -> None:
    """What needs per-sample losses does not go with a loss that has none."""
    for bound in plan.losses:
        if not bound.single:
            continue
        for flag, given in (
            ("--worst", plan.worst is not None),
            ("--per-sample", plan.per_sample),
            ("--weight", plan.weight is not None and bound.whole),
            (f"--reduction {plan.reduction}", plan.reduction not in (None, "mean")),
        ):
            if given:
                raise UsageError(
                    f"{bound.label} is one number of all rows together and does not go with {flag}",
                    f"leave out {flag}, or evaluate {bound.label} by itself",
                )


def _check_whole(plan: Plan) -> None:
    """Resamples and clusters do not go with a loss whose samples depend on each other."""
    for bound in plan.losses:
        for flag, given in (
            ("--bootstrap", plan.bootstrap is not None),
            ("--cluster", plan.cluster is not None),
        ):
            if given and bound.whole:
                raise UsageError(
                    f"{bound.label} is of all rows together, and {flag} has no interval to make",
                    f"leave out {flag}, or evaluate {bound.label} by itself",
                )


def _check_unpaired(plan: Plan) -> None:
    """What speaks of rows does not go with inputs of different samples."""
    first = next(loss.name for loss in plan.definitions if loss.unpaired)
    different = f"{first} has inputs of different samples"
    if not plan.unpaired:
        raise UsageError(f"{different}, and the other losses do not", f"evaluate {first} by itself")
    if plan.reduction not in (None, "mean"):
        raise UsageError(
            f"{first} is a sum of means over different samples, and has no {plan.reduction}",
            "leave out --reduction",
        )
    for flag, given in (
        ("--weight", plan.weight is not None),
        ("--by", bool(plan.by)),
        ("--cluster", plan.cluster is not None),
        ("--bootstrap", plan.bootstrap is not None),
        ("--worst", plan.worst is not None),
        ("--per-sample", plan.per_sample),
    ):
        if given:
            raise UsageError(f"{different}, and {flag} speaks of one table", f"leave out {flag}")
    if plan.nan == "skip":
        raise UsageError(
            f"{different}, so that there is no sample to skip",
            "leave NaN out of the files, or let it through with --nan propagate",
        )
    if plan.on is not None:
        raise UsageError(f"{different}, so that there is nothing to join", "leave out --on")
