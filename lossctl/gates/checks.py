"""What the keys of a gate must be to each other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from lossctl.errors import nearest
from lossctl.gates import saved
from lossctl.gates.file import Place
from lossctl.gates.gate import Gate
from lossctl.gates.keys import CHECKING, COMPARING

if TYPE_CHECKING:
    from lossctl.losses import Bound
    from lossctl.sources.reference import Reference


def check(
    place: Place,
    gate: Gate,
    own: Mapping[str, Any],
    baseline: Reference | None,
    bound: Bound,
) -> None:
    """Refuse a gate that asks for what makes no sense.

    Args:
        place: Where it stands.
        gate: The gate.
        own: The keys that it has itself, and not from the top of the file.
        baseline: The one that is named for it, whether it compares with it or not.
        bound: Its loss.

    Raises:
        UsageError: With the key.
    """
    inputs = own.get("inputs") or {}
    check_inputs(place.at("inputs"), inputs, gate.takes, f"{gate.loss} takes no")
    _check_groups(place, gate)
    _check_limits(place, gate, own)
    compared = [key for key in COMPARING if key in own]
    if compared and baseline is None:
        place.at(compared[0]).refuse(
            f"{compared[0]} compares with a baseline, and there is none",
            'for example: baseline = "baseline.parquet"',
        )
    if not compared and own.get("baseline"):
        place.at("baseline").refuse(
            "nothing is compared with the baseline", "give max_regression, or alpha"
        )
    if gate.baseline is not None:
        _check_margin(place, gate)
        _check_baseline(place, gate, gate.baseline)
        _check_test(place, gate, bound)
    named = set(dict(gate.options.inputs))
    if not named or (named == {"target"} and "prediction" in gate.takes):
        place.refuse("the gate has no prediction", "give it here, or at the top of the file")


def check_inputs(place: Place, names: Mapping[str, Any], takes: frozenset[str], who: str) -> None:
    """Refuse an input that no loss takes.

    Args:
        place: Where the inputs stand.
        names: The inputs by name.
        takes: The names of those that are taken.
        who: The loss, for the message: "mse takes no", "no gate's loss takes an".

    Raises:
        UsageError: With the nearest.
    """
    for name in names:
        if name not in takes:
            hint = nearest(name, sorted(takes)) or f"inputs: {', '.join(sorted(takes))}"
            place.at(name).refuse(f"{who} input {name!r}", hint)


def _check_groups(place: Place, gate: Gate) -> None:
    for column, _ in gate.fail_if.groups if gate.fail_if and gate.group else ():
        if column not in gate.group:
            place.at("group").refuse(
                f"fail_if speaks of groups of {column}, and group does not name it",
                "leave group out, or name the same columns",
            )


def _check_limits(place: Place, gate: Gate, own: Mapping[str, Any]) -> None:
    if gate.most is not None and gate.least is not None and gate.least > gate.most:
        place.at("min").refuse(
            f"min {gate.least:g} is above max {gate.most:g}", "no value is between them"
        )
    if not any(key in own for key in CHECKING):
        place.refuse("the gate has nothing to check", f"give one of {', '.join(CHECKING)}")
    if "figure" in own and not any(key in own for key in ("max", "min", "max_regression")):
        place.at("figure").refuse(
            "figure goes with max, min or max_regression",
            "in fail_if the figure is part of the expression: p95(mae) > 3",
        )


def _check_margin(place: Place, gate: Gate) -> None:
    if gate.margin is None:
        return
    if gate.alpha is None:
        place.at("margin").refuse("margin is for a test, and there is no alpha", "alpha = 0.05")
    if gate.max_regression is not None:
        place.at("margin").refuse(
            "margin and max_regression are two questions", "ask each in a gate of its own"
        )


def _check_baseline(place: Place, gate: Gate, baseline: Reference) -> None:
    if gate.saved:
        if gate.alpha is not None:
            place.at("alpha").refuse(
                f"a test compares sample by sample, and {baseline} holds no samples",
                "name the baseline's predictions, or leave alpha out",
            )
        return
    if saved.is_other(baseline):
        place.at("baseline").refuse(
            f"{baseline} is JSON, but neither a saved report nor lines of predictions",
            "save a report: lossctl eval … --json; or write it: lossctl gate --update",
        )
    if gate.needs_intervals and gate.intervals.bootstrap is not None:
        place.at("baseline").refuse(
            "a comparison resamples differences alone, and the gate looks at an interval's end",
            "leave out bootstrap (bootstrap is for low and high), or ask in a gate of its own",
        )
    if "prediction" not in dict(gate.options.inputs):
        place.at("baseline").refuse(
            "the baseline takes the place of prediction, and there is none", "give prediction"
        )


def _check_test(place: Place, gate: Gate, bound: Bound) -> None:
    if gate.alpha is None:
        return
    if gate.figure != "value":
        place.at("alpha").refuse(
            f"the test is of the loss's value, not of its {gate.figure}",
            "leave out figure, or alpha",
        )
    if bound.single or bound.whole or gate.unpaired:
        place.at("alpha").refuse(
            f"{gate.loss} has no independent paired samples to test",
            "leave out alpha, or test another loss",
        )
