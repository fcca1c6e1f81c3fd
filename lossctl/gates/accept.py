"""`lossctl gate --update`: accept what there is now as the new baselines."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from lossctl.errors import DataError, LossctlError, UsageError, counted
from lossctl.evaluation import Progress
from lossctl.evaluation import run as evaluate
from lossctl.gates import runner
from lossctl.gates.gate import Config, Gate, Intervals
from lossctl.gates.judge import show_group
from lossctl.gates.runner import Pass
from lossctl.gates.wording import in_keys
from lossctl.output.aside import Aside
from lossctl.report import GateResult, Report
from lossctl.sources.formats import kind_of
from lossctl.sources.reference import Reference, scheme_of

_LARGEST = sys.float_info.max


def update(
    config: Config, *, threads: int | None = None, progress: Progress | None = None
) -> list[str]:
    """Rewrite the saved reports, and copy predictions to the baselines' places.

    Whether the gates pass does not matter; that everything can be evaluated does, and that
    what is to be a baseline is finite. The old baselines are not looked at.

    Returns:
        What was done, a line a baseline, and which gates fail with the new ones.

    Raises:
        LossctlError: Something cannot be evaluated or written; nothing is changed then.
    """
    reports: dict[str, list[Gate]] = {}
    copies: dict[str, list[Gate]] = {}
    for item in config.gates:
        if item.baseline is not None:
            (reports if item.saved else copies).setdefault(item.baseline.path, []).append(item)
    if not reports and not copies:
        raise UsageError(f"{config.path}: no gate has a baseline", "there is nothing to update")
    sources = {path: _source(path, gates) for path, gates in copies.items()}
    _check(config.gates, threads, progress)
    said = []
    with Aside() as files:
        for path, gates in reports.items():
            report = _evaluated(path, gates, threads, progress)
            files.write(path, _document(report))
            values = ", ".join(f"{item.loss} {item.value:.6g}" for item in report.losses)
            said.append(f"{path}: {values} ({counted(report.samples, 'sample')})")
        for path, source in sources.items():
            files.copy(source, path)
            said.append(f"{path}: copied from {source}")
        files.commit()
    verdict = runner.run(config, threads=threads, progress=progress)
    return said + [_fails(item) for item in verdict.gates if not item.passed]


def _check(gates: Sequence[Gate], threads: int | None, progress: Progress | None) -> None:
    """Refuse what cannot be evaluated without a baseline, or be one itself."""
    results = runner.outcome([_alone(item) for item in gates], threads, progress).results
    for item in gates:
        found = results[item.name]
        if found.error:
            raise DataError(f"gate {item.name}: {found.error}", "nothing was changed")
        if item.baseline is not None and not found.passed and abs(found.limit) == _LARGEST:
            value = "not a number" if found.value != found.value else f"{found.value:g}"
            where = f" in {show_group(found.group)}" if found.group else ""
            raise DataError(
                f"gate {item.name}: {item.subject} is {value}{where}, which can be no baseline",
                "nothing was changed; look at the predictions",
            )


def _alone(item: Gate) -> Gate:
    """A gate that compares, without its baseline: what was compared must be finite."""
    if item.baseline is None:
        return item
    return item._replace(
        most=_LARGEST, least=-_LARGEST, samples=None,
        baseline=None, saved=False, max_regression=None, alpha=None, margin=None,
    )  # fmt: skip


def _fails(item: GateResult) -> str:
    if item.error:
        return f"gate cannot be evaluated now: {item.gate}: {item.error}"
    return f"gate fails now: {item.gate}: {item.message}"


def _document(report: Report) -> str:
    from lossctl.render.json_text import document
    from lossctl.render.options import Style

    return document(report, Style()) + "\n"


def _evaluated(
    path: str, gates: Sequence[Gate], threads: int | None, progress: Progress | None
) -> Report:
    """What a saved report is to hold: its losses, and those that the gates look at."""
    first = gates[0]
    for item in gates[1:]:
        if item.options != first.options:
            _conflict(path, first, item, "evaluate differently")
    grouped = [item for item in gates if item.columns]
    for item in grouped[1:]:
        if item.columns != grouped[0].columns:
            _conflict(path, grouped[0], item, "have different groups")
    intervals = [item for item in gates if item.needs_intervals]
    for item in intervals[1:]:
        if item.intervals != intervals[0].intervals:
            _conflict(path, intervals[0], item, "have different intervals")
    how = intervals[0].intervals if intervals else Intervals(first.intervals.confidence)
    one = Pass(list(gates), grouped[0].columns if grouped else (), how)
    try:
        plan = runner.make(one, threads)
        return evaluate(plan._replace(quantiles=True, ungrouped=()), None, progress)
    except LossctlError as error:
        raise in_keys(error) from error


def _conflict(path: str, one: Gate, other: Gate, what: str) -> None:
    raise UsageError(
        f"{path}: the gates {one.name!r} and {other.name!r} {what}",
        "give each a saved report of its own",
    )


def _source(path: str, gates: Sequence[Gate]) -> str:
    """The file that is to be copied to a baseline's place."""
    found: dict[Reference, Gate] = {}
    for item in gates:
        found.setdefault(dict(item.options.inputs)["prediction"], item)
    if len(found) > 1:
        first, second, *_ = found.values()
        _conflict(path, first, second, "have different predictions")
    prediction, item = next(iter(found.items()))
    assert item.baseline is not None
    name = f"gate {item.name}"
    for reference in (prediction.path, path):
        if scheme_of(reference) or (os.path.exists(reference) and not os.path.isfile(reference)):
            raise UsageError(f"{name}: {reference} is no single file", "copy it yourself")
    if not os.path.isfile(prediction.path):
        raise DataError(f"{name}: {prediction.path}: no such file", "nothing was changed")
    if prediction.columns != item.baseline.columns:
        raise UsageError(
            f"{name}: prediction names the columns {prediction.columns}, and baseline "
            f"{item.baseline.columns}",
            "name the same columns in both",
        )
    if kind_of(prediction.path, None) != kind_of(path, None):
        raise UsageError(
            f"{name}: {prediction.path} and {path} are of different formats",
            "give the baseline the prediction's extension",
        )
    if os.path.realpath(prediction.path) == os.path.realpath(path):
        raise UsageError(f"{name}: prediction and baseline are one file", "name another")
    if not os.path.isdir(os.path.dirname(path) or "."):
        raise UsageError(f"{name}: there is no folder {os.path.dirname(path)}", "make it first")
    return prediction.path
