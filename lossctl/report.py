"""The frozen result of an evaluation: all that a renderer may see.

Annotations are not postponed here: named tuples would compile each of their texts, at every start.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

SCHEMA = "lossctl.eval/1"
GATE_SCHEMA = "lossctl.gate/1"
COMPARE_SCHEMA = "lossctl.compare/1"
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


class InputInfo(NamedTuple):
    """Where an input came from and what was found there."""

    source: str  # a path, `-`, or `(array)`
    columns: tuple[str, ...]  # empty where the source has no names (NPY)
    shape: tuple[int, ...]  # (samples, …)
    dtype: str


class Interval(NamedTuple):
    """A confidence interval of a value."""

    level: float
    low: float
    high: float
    method: str  # "t", "delta", "cluster", "bca" or "percentile"


class Evidence(NamedTuple):
    """What is known of a difference between two models, beside the figures of its samples.

    Of each of the two losses the same is known, where the difference is judged by Student's t.
    """

    error: float  # the standard error
    freedom: float  # its degrees of freedom
    below: int  # samples whose loss the candidate lowers
    equal: int  # … leaves as it is
    above: int  # … raises
    leans: int  # where the test points: -1 to lower losses, 1 to higher ones, 0 nowhere
    p: float  # of the test that was asked for, two-sided


class Summary(NamedTuple):
    """The reduced loss of some samples, and how their per-sample losses are distributed.

    Non-finite figures stay as they are; a figure that does not exist is NaN.
    """

    value: float
    n: int  # samples that have a value
    sum: float
    mean: float
    std: float  # with n − 1
    min: float
    max: float
    quantiles: dict[float, float]  # empty where they were not asked for
    nonfinite: int
    interval: Interval | None
    evidence: Evidence | None = None  # of a difference


class Group(NamedTuple):
    """The figures of the samples that agree in the columns named by `--by`."""

    group: dict[str, Any]
    summary: Summary

    @property
    def value(self) -> float:
        """The reduced loss of the group."""
        return self.summary.value

    @property
    def n(self) -> int:
        """The group's samples that have a value."""
        return self.summary.n


class Worst(NamedTuple):
    """One of the samples with the largest losses."""

    sample: int  # from 0
    key: Any  # of the join; None where there is none
    value: float
    values: tuple[float, ...] = ()  # of every loss


class LossResult(NamedTuple):
    """One loss's figures."""

    loss: str  # as typed
    name: str
    spec: str  # canonical, with the parameters that were given
    convention: str | None
    reduction: str
    unit: str
    summary: Summary
    valueless: int = 0  # samples of which nothing was left to evaluate
    components: tuple[float, ...] = ()  # one by one, where the loss was asked for that
    groups: tuple[Group, ...] | None = None
    worst: tuple[Worst, ...] | None = None
    per_sample: "npt.NDArray[Any] | None" = None

    @property
    def value(self) -> float:
        """The reduced loss."""
        return self.summary.value

    @property
    def n(self) -> int:
        """The samples that have a value."""
        return self.summary.n


class Change(NamedTuple):
    """One of the samples whose losses differ most between two models."""

    sample: int  # from 0
    key: Any  # of the join; None where there is none
    baseline: float
    value: float  # the candidate's

    @property
    def difference(self) -> float:
        """The candidate's loss less the baseline's."""
        return self.value - self.baseline


BETTER, WORSE, SAME, MIXED, UNTESTED = (
    "better", "worse", "no difference shown", "mixed", "not tested",
)  # fmt: skip
"""The verdicts. Mixed: the test points one way (more samples, higher ranks), the mean another."""


class Difference(NamedTuple):
    """How one loss of one candidate differs from the baseline's, over some samples."""

    candidate: str
    loss: str  # as typed
    spec: str
    convention: str | None
    reduction: str
    unit: str
    group: dict[str, Any] | None  # None for all samples
    n: int
    baseline: float
    value: float  # the candidate's
    difference: float  # the candidate's less the baseline's: below 0 is better
    relative: float  # the difference over the baseline's size
    interval: Interval | None
    error: float  # the standard error of the difference
    freedom: float  # its degrees of freedom
    p: float  # two-sided
    adjusted: float  # p, corrected for all the tests of the comparison
    verdict: str  # what the corrected p says
    effect: float  # mean over standard deviation of the samples' differences
    wins: int  # samples whose loss the candidate lowers
    ties: int
    losses: int  # … raises
    detectable: float  # the true difference that would be found with a chance of 80 %
    groups: "tuple[Difference, ...] | None" = None
    changed: tuple[Change, ...] | None = None


class Comparison(NamedTuple):
    """What `lossctl compare` found. Two compare where their signatures are equal."""

    version: str
    signature: str
    samples: int  # read and aligned, the skipped among them
    skipped: int  # left out by `--nan skip`
    baseline: str
    candidates: tuple[str, ...]
    # those of the baseline and of all; `prediction@2` is the second candidate's own
    inputs: dict[str, InputInfo]
    test: str
    alpha: float
    correction: str
    tests: int  # that the p-values are corrected for
    clusters: int | None  # that are independent, where the samples are not
    resamples: int | None  # of the bootstrap
    permutations: int | None
    seed: int | None  # of either
    differences: tuple[Difference, ...]  # loss by loss, each candidate's
    notes: tuple[str, ...] = ()
    gates: "tuple[GateResult, ...]" = ()

    @property
    def passed(self) -> bool:
        """Whether every gate has passed."""
        return all(gate.passed for gate in self.gates)

    def to_dict(self) -> dict[str, Any]:
        """The comparison as plain values, as `--json` prints it; what is not finite stays."""
        return {
            "schema": COMPARE_SCHEMA,
            "version": self.version,
            "signature": self.signature,
            "samples": self.samples,
            "skipped": self.skipped,
            "baseline": self.baseline,
            "candidates": list(self.candidates),
            "inputs": {name: _input(info) for name, info in self.inputs.items()},
            "test": self.test,
            "alpha": self.alpha,
            "correction": self.correction,
            "tests": self.tests,
            "clusters": self.clusters,
            "resamples": self.resamples,
            "permutations": self.permutations,
            "seed": self.seed,
            "differences": [_difference(item) for item in self.differences],
            "notes": list(self.notes),
        } | ({"gates": [gate_dict(item) for item in self.gates]} if self.gates else {})

    def to_pandas(self) -> "pd.DataFrame":
        """One row a loss and candidate, and one for each group where there are groups."""
        import pandas as pd

        rows = []
        names: dict[str, str] = {}
        taken = {"candidate", "loss", "low", "high"}
        taken |= {name for item in self.differences for name in _contrast(item)}
        for item in self.differences:
            for column in (column for one in item.groups or () for column in one.group or ()):
                if column not in names:
                    names[column] = free(str(column), "group", taken)
        for item in self.differences:
            for one in item.groups or (item,):
                figures = _contrast(one)
                interval = figures.pop("interval") or {}
                rows.append(
                    {"candidate": one.candidate, "loss": one.loss}
                    | {names[column]: value for column, value in (one.group or {}).items()}
                    | figures
                    | {key: interval[key] for key in ("low", "high") if interval}
                )
        return pd.DataFrame(rows)


class GateResult(NamedTuple):
    """Whether a gate passed, and by what."""

    gate: str  # its name, or the expression that fails it
    passed: bool
    value: float  # what was held against the limit; NaN where there is nothing
    limit: float
    message: str  # in one line, what was found
    group: Mapping[str, Any] = MappingProxyType({})  # in which it was found, if in one
    error: str = ""  # why it could not be evaluated, and so has not passed
    loss: str = ""  # as typed
    n: int | None = None  # samples that have a value, where the value was found
    baseline: float | None = None  # what it was compared with
    p: float | None = None  # of the test, corrected for the number of groups


class Verdict(NamedTuple):
    """What `lossctl gate` found."""

    version: str
    config: str  # the file of the gates
    signatures: tuple[str, ...]  # of the evaluations that the gates needed
    samples: int  # of the largest
    gates: tuple[GateResult, ...]
    notes: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether every gate has passed."""
        return all(gate.passed for gate in self.gates)

    def to_dict(self) -> dict[str, Any]:
        """The verdict as plain values, as `--json` prints it; figures that are not finite stay."""
        return {
            "schema": GATE_SCHEMA,
            "version": self.version,
            "config": self.config,
            "passed": self.passed,
            "signatures": list(self.signatures),
            "samples": self.samples,
            "gates": [gate_dict(item) for item in self.gates],
            "notes": list(self.notes),
        }


class Report(NamedTuple):
    """What `lossctl eval` found. Two reports compare where their signatures are equal."""

    version: str
    signature: str
    samples: int  # read and aligned, the skipped among them
    skipped: int  # left out by `--nan skip`
    inputs: dict[str, InputInfo]
    losses: tuple[LossResult, ...]
    notes: tuple[str, ...] = ()  # what was decided on the way (squeezed, dropped, …)
    gates: tuple[GateResult, ...] = ()
    options: Mapping[str, Any] | None = None  # how to make it again, for `lossctl verify`

    @property
    def passed(self) -> bool:
        """Whether every gate has passed."""
        return all(gate.passed for gate in self.gates)

    def to_dict(self) -> dict[str, Any]:
        """The report as plain values, as `--json` prints it; figures that are not finite stay."""
        found = {
            "schema": SCHEMA,
            "version": self.version,
            "signature": self.signature,
            "samples": self.samples,
            "skipped": self.skipped,
            "inputs": {name: _input(info) for name, info in self.inputs.items()},
            "losses": [_loss(item) for item in self.losses],
            "notes": list(self.notes),
        }
        if self.options is not None:
            found["options"] = dict(self.options)
        if self.gates:
            found["gates"] = [gate_dict(item) for item in self.gates]
        return found

    def to_pandas(self) -> "pd.DataFrame":
        """One row a loss, or one a loss and group where there are groups."""
        import pandas as pd

        rows = []
        names: dict[str, str] = {}
        taken = {"loss", "low", "high"}
        for item in self.losses:
            figures = _summary(item.summary)
            taken |= {*figures, *map(_percentile, figures["quantiles"])}
        for item in self.losses:
            for column in (column for group in item.groups or () for column in group.group):
                if column not in names:
                    names[column] = free(str(column), "group", taken)
        for item in self.losses:
            for group in item.groups or (Group({}, item.summary),):
                figures = _summary(group.summary)
                interval = figures.pop("interval") or {}
                quantiles = figures.pop("quantiles", {})
                rows.append(
                    {"loss": item.loss}
                    | {names[column]: value for column, value in group.group.items()}
                    | figures
                    | {_percentile(level): value for level, value in quantiles.items()}
                    | {key: interval[key] for key in ("low", "high") if interval}
                )
        return pd.DataFrame(rows)


def plain(value: Any) -> Any:
    """A scalar of any type as a string, number, boolean or None; containers stay.

    Dates become ISO 8601. Decimals become strings: a float would not keep their digits.
    """
    if value is None or isinstance(value, str | int | float | dict | list | tuple):
        return value
    if type(value).__name__ in ("NaTType", "NAType"):  # pandas', which is not imported for this
        return None
    if type(value).__name__ == "Decimal" and value.is_nan():
        return None
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    if isinstance(value, complex):
        return str(value).strip("()")
    kind = getattr(getattr(value, "dtype", None), "kind", "")
    if kind in ("m", "M") and not getattr(value, "shape", ()):
        text = str(value)  # not item(), which turns nanoseconds into a bare integer
        return None if text == "NaT" else text
    if kind and hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, set | frozenset):
        return sorted(value, key=repr)
    return str(value)


def named(value: Any) -> Any:
    """What a group or key is called: a value that `json` takes; what is no value is None."""
    value = plain(value)
    if isinstance(value, float) and value != value:
        return None
    if isinstance(value, dict):
        return {str(key): named(item) for key, item in value.items()}
    return [named(item) for item in value] if isinstance(value, list | tuple) else value


def free(name: str, prefix: str, taken: set[str]) -> str:
    """A column's name, prefixed until no other has it; it is taken from now on."""
    while name in taken:
        name = f"{prefix}_{name}"
    taken.add(name)
    return name


def gate_dict(item: GateResult) -> dict[str, Any]:
    """A gate's result as plain values."""
    found: dict[str, Any] = {
        "gate": item.gate,
        "passed": item.passed,
        "value": item.value,
        "limit": item.limit,
        "message": item.message,
    }
    if item.loss:
        found["loss"] = item.loss
    for name in ("n", "baseline", "p"):
        if getattr(item, name) is not None:
            found[name] = getattr(item, name)
    if item.group:
        found["group"] = {column: named(value) for column, value in item.group.items()}
    if item.error:
        found["error"] = item.error
    return found


def _input(info: InputInfo) -> dict[str, Any]:
    return {
        "source": info.source,
        "columns": list(info.columns),
        "shape": list(info.shape),
        "dtype": info.dtype,
    }


def _percentile(level: str) -> str:
    return f"p{float(level) * 100:g}"


def _interval(interval: Interval | None) -> dict[str, Any] | None:
    return interval and {
        "level": interval.level,
        "low": interval.low,
        "high": interval.high,
        "method": interval.method,
    }


def _contrast(item: Difference) -> dict[str, Any]:
    return {
        "n": item.n,
        "baseline": item.baseline,
        "value": item.value,
        "difference": item.difference,
        "relative": item.relative,
        "interval": _interval(item.interval),
        "error": item.error,
        "freedom": item.freedom,
        "p": item.p,
        "adjusted": item.adjusted,
        "verdict": item.verdict,
        "effect": item.effect,
        "wins": item.wins,
        "ties": item.ties,
        "losses": item.losses,
        "detectable": item.detectable,
    }


def _difference(item: Difference) -> dict[str, Any]:
    found: dict[str, Any] = {
        "candidate": item.candidate,
        "loss": item.loss,
        "spec": item.spec,
        "convention": item.convention,
        "reduction": item.reduction,
        "unit": item.unit,
        **_contrast(item),
    }
    if item.groups is not None:
        found["groups"] = [
            {"group": _keys(one.group or {}), **_contrast(one)} for one in item.groups
        ]
    if item.changed is not None:
        found["changed"] = [
            {
                "sample": one.sample,
                "key": named(one.key),
                "baseline": one.baseline,
                "value": one.value,
                "difference": one.difference,
            }
            for one in item.changed
        ]
    return found


def _keys(group: dict[str, Any]) -> dict[str, Any]:
    return {str(column): named(value) for column, value in group.items()}


def _summary(summary: Summary) -> dict[str, Any]:
    return {
        "value": summary.value,
        "n": summary.n,
        "sum": summary.sum,
        "mean": summary.mean,
        "std": summary.std,
        "min": summary.min,
        "max": summary.max,
        "quantiles": {f"{level:g}": value for level, value in summary.quantiles.items()},
        "nonfinite": summary.nonfinite,
        "interval": _interval(summary.interval),
    }


def _loss(item: LossResult) -> dict[str, Any]:
    found: dict[str, Any] = {
        "loss": item.loss,
        "spec": item.spec,
        "convention": item.convention,
        "reduction": item.reduction,
        "unit": item.unit,
        **_summary(item.summary),
        "valueless": item.valueless,
    }
    if item.components:
        found["components"] = list(item.components)
    if item.groups is not None:
        found["groups"] = [
            {"group": _keys(group.group), **_summary(group.summary)} for group in item.groups
        ]
    if item.worst is not None:
        found["worst"] = [
            {"sample": w.sample, "key": named(w.key), "value": w.value} for w in item.worst
        ]
    if item.per_sample is not None:
        found["per_sample"] = item.per_sample.tolist()
    return found
