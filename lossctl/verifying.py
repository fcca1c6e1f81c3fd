"""Does a saved report still hold? Evaluate again what it says, and compare the numbers."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from lossctl.errors import DataError, LossctlError, SpecError, UsageError
from lossctl.report import SCHEMA

if TYPE_CHECKING:
    from lossctl.evaluation import Progress
    from lossctl.report import Report

TOLERANCE = 1e-12
"""How far numbers of two versions may lie apart, relatively; one version's not at all."""

_KINDS = {"lossctl": "version", "by": "data", "n": "data", "data": "data"}
"""Of the signature's fields; the others are parameters."""


class Changed(NamedTuple):
    """Something that the numbers depend on, and that is not what it was."""

    kind: str  # "version", "parameters" or "data"
    name: str  # the signature's field, or the input whose columns are others
    reported: str
    now: str


class Figure(NamedTuple):
    """A number that is not what the report says; None where it is not finite, or not there."""

    loss: str
    group: Mapping[str, Any]  # empty for all samples
    figure: str
    reported: float | str | None
    now: float | str | None


class Failure(NamedTuple):
    """A report that could not be evaluated again."""

    report: str  # its file
    error: LossctlError

    @property
    def holds(self) -> bool:
        """What could not be evaluated does not hold."""
        return False

    def to_dict(self) -> dict[str, Any]:
        """As plain values."""
        error = "; ".join(filter(None, (self.error.what, self.error.hint)))
        return {"report": self.report, "holds": self.holds, "error": error}


class Verification(NamedTuple):
    """What became of a report that was evaluated again."""

    report: str  # its file
    reported_version: str
    version: str
    samples: int
    losses: tuple[str, ...]
    changed: tuple[Changed, ...]
    figures: tuple[Figure, ...]
    notes: tuple[str, ...] = ()

    @property
    def exact(self) -> bool:
        """Whether the numbers were compared to the last bit: they are of the same version."""
        return self.version == self.reported_version

    @property
    def holds(self) -> bool:
        """Whether the numbers are the same, of the same data with the same parameters."""
        return not self.figures and all(item.kind == "version" for item in self.changed)

    def to_dict(self) -> dict[str, Any]:
        """As plain values."""
        return {
            "report": self.report,
            "holds": self.holds,
            "exact": self.exact,
            "reported_version": self.reported_version,
            "version": self.version,
            "samples": self.samples,
            "losses": list(self.losses),
            "changed": [item._asdict() for item in self.changed],
            "figures": [{**item._asdict(), "group": dict(item.group)} for item in self.figures],
            "notes": list(self.notes),
        }


def verify(
    path: str | os.PathLike[str],
    root: str | os.PathLike[str] = ".",
    *,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Verification:
    """Evaluate again what a report of `lossctl eval --json` says.

    Args:
        path: The report.
        root: The folder that the report's relative paths start from: the one in which
            `lossctl eval` ran.
        threads: Default: the cores that this process may use.
        progress: Told how many rows are done.

    Returns:
        Whether the numbers hold, and if not, what differs: the version, the parameters or
        the data.

    Raises:
        UsageError: The report is of arrays in memory, or of standard input.
        DataError: It is no report, or what it was made of cannot be read.
    """
    name = os.fspath(path)
    reported = _read(name)
    found = _again(name, reported["options"], os.fspath(root), threads, progress)
    return _compared(name, reported, found)


def verify_all(
    paths: Iterable[str],
    root: str = ".",
    *,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Iterator[Verification | Failure]:
    """Evaluate several reports again; one that cannot be does not stop the others."""
    for path in paths:
        try:
            yield verify(path, root, threads=threads, progress=progress)
        except LossctlError as error:
            yield Failure(path, error)


def _again(
    name: str,
    options: Mapping[str, Any],
    root: str,
    threads: int | None,
    progress: Progress | None,
) -> Report:
    """Evaluate what the options say; errors, which do not know of the report, name it."""
    from lossctl.evaluation import run
    from lossctl.recorded import plan_of

    try:
        return run(plan_of(options, root, threads), None, progress)
    except LossctlError as error:
        hint = error.hint or "its paths start at --root DIR"
        raise type(error)(f"{name}: {error.what}", hint) from error


def _compared(name: str, reported: Mapping[str, Any], found: Report) -> Verification:
    """What of a report is not what was found."""
    from lossctl.render.json_text import strict

    precision = reported["options"].get("precision")
    now = json.loads(json.dumps(strict(found.to_dict(), precision)))
    exact = reported["version"] == now["version"]
    # a rounded number is within half a unit of its last digit
    tolerance = 0.0 if exact else max(TOLERANCE, 10.0**-precision * 5 if precision else 0)
    try:
        changed = tuple(_changed(reported, now))
        figures = tuple(_figures(reported, now, tolerance))
    except (AttributeError, TypeError, KeyError):
        raise _not_whole(name) from None
    same = all(item.kind == "version" for item in changed)
    return Verification(
        name,
        reported["version"],
        found.version,
        found.samples,
        tuple(item["loss"] for item in reported["losses"]),
        changed,
        figures,
        (_why(figures, exact),) if figures and same else (),
    )


def _read(path: str) -> dict[str, Any]:
    """The document, as far as it is needed here."""
    try:
        with open(path, encoding="utf-8") as file:
            found = json.load(file)
    except OSError as error:
        reason = (os.strerror(error.errno) if error.errno else str(error)).lower()
        raise DataError(f"{path}: {reason}", "name a report of lossctl eval --json") from None
    except ValueError as error:
        what = " ".join(str(error).split())
        raise DataError(
            f"{path} is no JSON: {what}", "name a report of lossctl eval --json"
        ) from None
    schema = found.get("schema") if isinstance(found, dict) else None
    if schema != SCHEMA:
        is_ = f"is {schema}" if isinstance(schema, str) else "says no schema"
        raise DataError(f"{path} {is_}, not {SCHEMA}", "name a report of lossctl eval --json")
    if not isinstance(found.get("options"), dict):
        raise UsageError(
            f"{path} does not say how it was made: it has no options",
            "write it anew: lossctl eval … --json",
        )
    texts = [found.get("version"), found.get("signature")]
    losses = found.get("losses")
    whole = all(isinstance(text, str) for text in texts) and isinstance(losses, list)
    whole = whole and isinstance(found["options"].get("precision"), int | None)
    if not whole or not all(isinstance(i, dict) and isinstance(i.get("loss"), str) for i in losses):
        raise _not_whole(path)
    return dict(found)


def _not_whole(path: str) -> DataError:
    return DataError(f"{path} is not whole", "write it anew: lossctl eval … --json")


def _changed(reported: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Changed]:
    """What the signatures say, and the columns that were chosen."""
    before, after = _fields(reported["signature"]), _fields(now["signature"])
    for name in dict.fromkeys((*before, *after)):
        was, is_ = before.get(name, "none"), after.get(name, "none")
        if was != is_:
            yield Changed(_KINDS.get(name, "parameters"), name, was, is_)
    inputs = reported.get("inputs")
    for name, info in inputs.items() if isinstance(inputs, dict) else ():
        was, is_ = (
            ",".join(map(str, one.get("columns", ())))
            for one in (info, now["inputs"].get(name, {}))
        )
        if was != is_:
            yield Changed("data", f"columns of {name}", was, is_)


def _fields(signature: str) -> dict[str, str]:
    pairs = (part.partition(":") for part in signature.split("|"))
    return {name: value for name, _, value in pairs}


def _figures(
    reported: Mapping[str, Any], now: Mapping[str, Any], tolerance: float
) -> Iterator[Figure]:
    """The numbers that differ."""
    for name in ("samples", "skipped"):
        if not _same(reported.get(name), now[name], 0.0):
            yield Figure("", {}, name, reported.get(name), now[name])
    pairs = zip(reported["losses"], now["losses"])
    for before, after in pairs:
        loss = before["loss"]
        for name in ("spec", "convention", "reduction"):
            if before.get(name) != after[name]:
                yield Figure(loss, {}, name, before.get(name), after[name])
        if _losses_of(loss) != _losses_of(after["spec"]):
            yield Figure(loss, {}, "loss", loss, after["loss"])
        yield from _differing(loss, {}, before, after, tolerance)
        old, new = _by_group(before), _by_group(after)
        for key in dict.fromkeys((*old, *new)):
            group = (old.get(key) or new[key])["group"]
            yield from _differing(loss, group, old.get(key, {}), new.get(key, {}), tolerance)
    if len(reported["losses"]) != len(now["losses"]):
        both = len(reported["losses"]), len(now["losses"])
        yield Figure("", {}, "number of losses", *both)


def _losses_of(spec: str) -> list[str]:
    """The names of a spec's losses; a label may leave out what was given beside it."""
    from lossctl.losses import get
    from lossctl.spec import parse

    try:
        return [get(item.name).name for _, item in parse(spec).terms]
    except SpecError:
        return [spec]


def _differing(
    loss: str,
    group: Mapping[str, Any],
    reported: Mapping[str, Any],
    now: Mapping[str, Any],
    tolerance: float,
) -> Iterator[Figure]:
    before, after = _flat(reported), _flat(now)
    for figure in dict.fromkeys((*before, *after)):
        was, is_ = before.get(figure), after.get(figure)
        if not _same(was, is_, tolerance):
            yield Figure(loss, group, figure, was, is_)


def _by_group(loss: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    return {
        json.dumps(item["group"], sort_keys=True): item
        for item in loss.get("groups") or ()
        if isinstance(item, dict) and "group" in item
    }


def _flat(entry: Mapping[str, Any]) -> dict[str, float | str | None]:
    """A loss's or group's figures by name."""
    found: dict[str, float | str | None] = {}
    for name in ("value", "n", "sum", "mean", "std", "min", "max", "nonfinite", "valueless"):
        if name in entry:
            found[name] = entry[name]
    for level, value in (entry.get("quantiles") or {}).items():
        found[f"quantile {level}"] = value
    for name, value in (entry.get("interval") or {}).items():
        found[f"interval {name}"] = value
    for number, value in enumerate(entry.get("components") or ()):
        found[f"component {number}"] = value
    return found


def _same(reported: Any, now: Any, tolerance: float) -> bool:
    if reported == now:
        return True
    apart = _apart(reported, now)
    return apart is not None and apart <= tolerance


def _apart(one: Any, other: Any) -> float | None:
    """The relative difference of two numbers; None where one of them is none."""
    if not all(isinstance(item, int | float) for item in (one, other)):
        return None
    largest = max(abs(one), abs(other))
    if not math.isfinite(largest):
        return None  # strict reports have no such number
    return abs(one - other) / largest if largest else 0.0


def _why(figures: tuple[Figure, ...], exact: bool) -> str:
    """What it means that numbers differ although all that they depend on is the same."""
    if not exact:
        return "parameters and data are the same: the versions compute these numbers differently"
    apart = [_apart(item.reported, item.now) for item in figures]
    if all(item is not None and item <= TOLERANCE for item in apart):
        most = max(item for item in apart if item is not None)
        return (
            f"version, parameters and data are the same, and the numbers to {most:.0e}: "
            "another machine's or library's arithmetic"
        )
    return "version, parameters and data are the same: the report's numbers were changed"
