"""The gates of a file: `lossctl.toml`, or `[tool.lossctl]` of `pyproject.toml`.

What stands at the top are defaults; each `[[gate]]` says what must hold, and may override
them. Paths are relative to the file. Everything that can be checked without the data is
checked here, and an error names the file, the line and the key.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lossctl.errors import LossctlError, SpecError, as_json, nearest
from lossctl.gates import checks, saved
from lossctl.gates.expression import Expression
from lossctl.gates.expression import parse as parse_expression
from lossctl.gates.file import Place, load
from lossctl.gates.gate import Config, Gate, Intervals, Options
from lossctl.gates.keys import COLUMN, COMPARING, DEFAULTS, OWN, REFERENCE, TABLE, Key
from lossctl.gates.wording import in_keys
from lossctl.sources.formats import has_kind
from lossctl.sources.reference import Reference, parse_reference

if TYPE_CHECKING:
    from lossctl.losses import Bound


def read(config: str | os.PathLike[str] | Mapping[str, Any] | None = None) -> Config:
    """Read the gates.

    Args:
        config: The file, or its folder, or what it would hold; default: `lossctl.toml` of the
            current folder, else its `pyproject.toml`.

    Raises:
        UsageError: It cannot be read, or says something that makes no sense.
    """
    if isinstance(config, Mapping):
        return _config(Place("(config)"), config)
    return _config(*load(None if config is None else os.fspath(config)))


def _config(place: Place, table: Mapping[str, Any]) -> Config:
    top = {key: value for key, value in table.items() if key != "gate"}
    for key in top:
        if key in OWN:
            place.at(key).refuse(f"{key} belongs to a gate", "write it under [[gate]]")
    listed = _listed(place.at("gate"), table.get("gate", []))
    defaults = _values(place, top, DEFAULTS, "gate")
    if not listed:
        Place(place.path).refuse(
            "there is no gate",
            "write one under [[gate]], or let one be written: lossctl gate --init",
        )
    _load_plugins(place, defaults)
    gates = _named(place, listed, defaults)
    takes = frozenset[str]().union(*(gate.takes for gate in gates))
    inputs = defaults.get("inputs") or {}
    checks.check_inputs(place.at("inputs"), inputs, takes, "no gate's loss takes an")
    return Config(place.path, gates)


def _listed(place: Place, listed: Any) -> Sequence[Mapping[str, Any]]:
    if isinstance(listed, Mapping):
        place.refuse("there may be several gates", "write [[gate]], in two brackets")
    if not isinstance(listed, list) or not all(isinstance(item, Mapping) for item in listed):
        place.refuse("gate must be a list of tables", "write each under [[gate]]")
    found: Sequence[Mapping[str, Any]] = listed
    return found


def _named(
    place: Place, listed: Sequence[Mapping[str, Any]], defaults: Mapping[str, Any]
) -> tuple[Gate, ...]:
    """The gates, each with a name of its own."""
    gates: dict[str, Gate] = {}
    for number, table in enumerate(listed):
        here = place.at("gate", number)
        gate = _gate(here, table, defaults)
        known = gates.get(gate.name)
        if known and "name" not in table and known != gate:  # two questions about one loss
            gate = gate._replace(name=f"{gate.name} (gate {number + 1})")
        if gate.name in gates:
            here.at("name").refuse(
                f"there are two gates {gate.name!r}", "give each a name of its own"
            )
        gates[gate.name] = gate
    return tuple(gates.values())


# ---- values ------------------------------------------------------------------------------


def _values(
    place: Place, table: Mapping[str, Any], keys: Mapping[str, Key], *more: str
) -> dict[str, Any]:
    """The values of a table in the types that the program uses.

    Args:
        place: Where the table stands.
        table: As it was parsed.
        keys: Those that it may have.
        *more: Others that there are, for the hint.
    """
    for key in table:
        if key not in keys:
            known = [*keys, *more]
            hint = nearest(key, known) or f"keys: {', '.join(known)}"
            place.at(key).refuse(f"there is no key {key!r}", hint)
    return {key: _value(place.at(key), key, keys[key], value) for key, value in table.items()}


def _value(place: Place, key: str, facts: Key, value: Any) -> Any:
    if value == "" and facts.kind.clears and key in DEFAULTS:
        return None  # takes a default away
    found = facts.kind.read(value)
    if found is None or (facts.words and found not in facts.words):
        hint = nearest(value, list(facts.words)) if isinstance(value, str) and facts.words else ""
        place.refuse(f"{key} must be {facts.needed}, not {as_json(value)}", hint)
    if facts.kind is REFERENCE:
        return _reference(place, key, found)
    if facts.kind is COLUMN:
        return _column(place, key, found)
    if facts.kind is TABLE:
        return {name: _column(place.at(name), name, text) for name, text in found.items()}
    return found


def _reference(place: Place, key: str, text: str) -> Reference:
    if key == "target" and not re.search(r"[/:.*]", text) and not _exists(place, text):
        return Reference("", text)  # a bare word is a column of the prediction's file
    return _placed(place, key, parse_reference(text))


def _column(place: Place, key: str, text: str) -> Reference:
    """A bare word is a column of a file that is open anyway: a reference without a path."""
    is_path = "::" in text or "/" in text or has_kind(text) or _exists(place, text)
    return _placed(place, key, parse_reference(text)) if is_path else Reference("", text)


def _exists(place: Place, path: str) -> bool:
    return os.path.exists(os.path.join(place.folder, path))


def _placed(place: Place, key: str, found: Reference) -> Reference:
    if found.path == "-":
        place.refuse(f"{key} is standard input, which can be read once", "name a file")
    return found.within(place.folder)


def _load_plugins(place: Place, given: Mapping[str, Any]) -> None:
    from lossctl.losses import load_plugin

    for path in given.get("plugins", ()):
        try:
            load_plugin(os.path.join(place.folder, path))
        except LossctlError as error:
            place.at("plugins").refuse(error.what, error.hint)


# ---- one gate ----------------------------------------------------------------------------


def _gate(place: Place, table: Mapping[str, Any], defaults: Mapping[str, Any]) -> Gate:
    own = _values(place, table, {**OWN, **DEFAULTS})
    _load_plugins(place, own)
    inputs = {**(defaults.get("inputs") or {}), **(own.get("inputs") or {})}
    given = {**defaults, **own, "inputs": inputs}
    expression = _expression(place, own, given)
    bound = _bound(place, own, expression, given.get("convention"))
    gate = _built(own, given, expression, bound)
    checks.check(place, gate, own, given.get("baseline"), bound)
    return gate._replace(name=own.get("name") or _title(gate))


def _expression(
    place: Place, own: Mapping[str, Any], given: Mapping[str, Any]
) -> Expression | None:
    """What `fail_if` says, of the gate's groups where it names none."""
    if "fail_if" not in own:
        return None
    try:
        found = parse_expression(own["fail_if"])
    except SpecError as error:
        told = in_keys(error)
        place.at("fail_if").refuse(told.what, told.hint)
    whole = tuple((column, None) for column in given.get("group", ()))
    return found._replace(groups=found.groups or whole)


def _bound(
    place: Place, own: Mapping[str, Any], expression: Expression | None, convention: str | None
) -> Bound:
    """The gate's loss, of which `fail_if` speaks too."""
    from lossctl.losses import resolve
    from lossctl.spec import parse

    if "loss" not in own and expression is None:
        place.refuse("the gate has no loss", 'for example: loss = "mse"')
    loss = own.get("loss") or (expression.loss if expression else "")
    try:
        everyone = any(item.convention == "*" for _, item in parse(loss).terms)
        if everyone or convention == "*":
            place.refuse(f"{loss}: @* stands for several losses", "a gate is for one")
        bound = resolve(loss, None, convention)
    except SpecError as error:
        place.at("loss" if "loss" in own else "fail_if").refuse(error.what, error.hint)
    if expression and expression.loss not in (loss, bound.name):
        place.at("fail_if").refuse(
            f"fail_if speaks of {expression.loss}, and the gate's loss is {loss}",
            "leave loss out, or name the same",
        )
    return bound


def _built(
    own: Mapping[str, Any], given: Mapping[str, Any], expression: Expression | None, bound: Bound
) -> Gate:
    losses = [part.loss for _, part in bound.parts]
    inputs = {name: given.get(name) for name in ("prediction", "target")} | given["inputs"]
    compared = any(key in own for key in COMPARING)
    baseline = given.get("baseline") if compared else None

    def of(kind: type[Options] | type[Intervals]) -> dict[str, Any]:
        names = set(kind._fields) - {"inputs"}
        return {name: given[name] for name in names if given.get(name) is not None}

    return Gate(
        name="",
        loss=bound.label,
        full=bound.full,
        takes=frozenset(item.name for one in losses for item in one.inputs),
        own_inputs=frozenset({"prediction", "target"} & set(own)) | set(own.get("inputs") or ()),
        unpaired=any(one.unpaired and len(one.inputs) > 1 for one in losses),
        options=Options(
            inputs=tuple((name, found) for name, found in inputs.items() if found), **of(Options)
        ),
        intervals=Intervals(**of(Intervals)),
        figure=own.get("figure", "value"),
        most=own.get("max"),
        least=own.get("min"),
        samples=own.get("samples"),
        group=tuple(own.get("group", ())),
        baseline=baseline,
        saved=baseline is not None and saved.is_report(baseline),
        max_regression=own.get("max_regression"),
        alpha=own.get("alpha"),
        margin=own.get("margin"),
        fail_if=expression,
    )


def _title(gate: Gate) -> str:
    """What a gate without a name is called."""
    found = []
    if gate.most is not None:
        found.append(f"{gate.subject} <= {gate.most:g}")
    if gate.least is not None:
        found.append(f"{gate.subject} >= {gate.least:g}")
    if gate.baseline is not None:
        base = os.path.basename(gate.baseline.path.rstrip("/"))
        found.append(f"{gate.subject} against {base}")
    if gate.fail_if is not None:
        found.append(f"not {gate.fail_if.text}")
    if gate.samples is not None and not found:
        found.append(f"n({gate.loss}) >= {gate.samples}")
    return ", ".join(found) + (f" by {', '.join(gate.group)}" if gate.group else "")
