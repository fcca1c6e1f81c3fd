"""The gates of a file: `lossctl.toml`, or `[tool.lossctl]` of `pyproject.toml`.

What stands at the top are defaults; each `[[gate]]` says what must hold, and may override
them. Paths are relative to the file. Everything that can be checked without the data is
checked here, and an error names the file, the line and the key.
"""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, NoReturn

from lossctl.errors import LossctlError, SpecError, UsageError, nearest
from lossctl.gates import saved
from lossctl.gates.expression import FIGURES, Expression
from lossctl.gates.expression import parse as parse_expression
from lossctl.gates.lines import Path, lines_of, nearest_line
from lossctl.plan import LEAST_RESAMPLES, MOST_RESAMPLES
from lossctl.sources.formats import has_kind
from lossctl.sources.reference import Reference, parse_reference

FILES = ("lossctl.toml", "pyproject.toml")
SECTION = ("tool", "lossctl")  # of the second


class Key(NamedTuple):
    """What a key takes, and what it is for."""

    kind: str
    meaning: str
    words: tuple[str, ...] = ()  # of which it is one


DEFAULTS: Mapping[str, Key] = {
    "prediction": Key("reference", "the prediction: `PATH[::COLUMNS]`"),
    "target": Key("reference", "the target; without it a column of the prediction's file"),
    "inputs": Key("table", 'the other inputs of a loss by name: `{variance = "var.npy"}`'),
    "weight": Key("column", "sample weights: a column, or a reference"),
    "on": Key("text", "the key column by which tables are joined; `row` pairs them by position"),
    "unmatched": Key("word", "what a join does with rows without a partner", ("error", "drop")),
    "nan": Key("word", "what happens to NaN in the inputs", ("error", "skip", "propagate")),
    "reduction": Key(
        "word", "how the value comes of the elements", ("mean", "sum", "batchmean", "samplemean")
    ),
    "convention": Key("text", "whose definition, for losses that name none"),
    "cluster": Key("column", "a column: rows that agree in it are not independent"),
    "bootstrap": Key("resamples", "how many resamples make the intervals of `low` and `high`"),
    "seed": Key("whole", "of the resamples; 0 unless given"),
    "confidence": Key("level", "the level of the intervals; 0.95 unless given"),
    "dtype": Key("word", "the type to compute in", ("float32", "float64")),
    "plugins": Key("texts", "Python files that register losses"),
    "baseline": Key("reference", "a prediction to compare with, or a saved `lossctl eval --json`"),
}
"""The keys at the top of the file, which every gate may override."""
OWN: Mapping[str, Key] = {
    "name": Key("text", "what the gate is called; made of the rest unless given"),
    "loss": Key("text", "the loss, as `-l` takes it"),
    "figure": Key("word", "what of the loss is held against the limits", tuple(FIGURES)),
    "max": Key("number", "fails above this"),
    "min": Key("number", "fails below this"),
    "samples": Key("count", "fails with fewer samples, in any group where there are groups"),
    "group": Key("texts", "a column, or a list: everything must hold in every group"),
    "max_regression": Key("allowance", 'fails where the baseline is exceeded by more: 0.5, "2%"'),
    "alpha": Key("level", "the level at which a change for the worse must be shown"),
    "margin": Key("allowance", "with alpha: fails unless shown to be worse by less than this"),
    "fail_if": Key("text", "fails where this holds: an expression of `--fail-if`"),
}
"""The keys of a `[[gate]]` alone."""

_INTERVAL_FIGURES = ("low", "high")
_UNSETTABLE = ("reference", "column", "text", "word")
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")


class Allowance(NamedTuple):
    """How much worse than a baseline is accepted, absolutely or of the baseline's size."""

    amount: float
    share: bool = False

    def of(self, baseline: float) -> float:
        """In the loss's unit."""
        return self.amount * abs(baseline) if self.share else self.amount

    def __str__(self) -> str:
        return f"{self.amount * 100:.6g} %" if self.share else f"{self.amount:.6g}"


class Options(NamedTuple):
    """How a loss is evaluated: gates that agree in this are evaluated together."""

    inputs: tuple[tuple[str, Reference], ...]
    weight: Reference | None = None
    cluster: Reference | None = None
    on: str | None = None
    unmatched: str = "error"
    nan: str = "error"
    reduction: str | None = None
    convention: str | None = None
    dtype: str | None = None


class Intervals(NamedTuple):
    """How intervals are made, for gates that look at their ends."""

    confidence: float = 0.95
    bootstrap: int | None = None
    seed: int = 0


class Gate(NamedTuple):
    """What must hold."""

    name: str
    loss: str  # as typed
    full: str  # with every parameter
    takes: frozenset[str]  # the inputs of the loss
    own_inputs: frozenset[str]  # those that the gate itself names
    unpaired: bool
    options: Options
    intervals: Intervals
    figure: str = "value"
    most: float | None = None
    least: float | None = None
    samples: int | None = None
    group: tuple[str, ...] = ()
    baseline: Reference | None = None  # where something is compared with it
    saved: bool = False  # the baseline is a saved report
    max_regression: Allowance | None = None
    alpha: float | None = None
    margin: Allowance | None = None
    fail_if: Expression | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns to group by."""
        named = (
            tuple(dict.fromkeys(name for name, _ in self.fail_if.groups)) if self.fail_if else ()
        )
        return self.group or named

    @property
    def figures(self) -> tuple[str, ...]:
        """All that is looked at."""
        return (self.figure, *([self.fail_if.figure] if self.fail_if else []))

    @property
    def needs_intervals(self) -> bool:
        """Whether the ends of an interval are looked at."""
        return any(name in _INTERVAL_FIGURES for name in self.figures)


class Config(NamedTuple):
    """The gates of a file."""

    path: str
    gates: tuple[Gate, ...]


@dataclass(frozen=True)
class _Source:
    """The file, for errors."""

    path: str
    lines: Mapping[Path, int]
    prefix: Path = ()

    def error(self, way: Path, what: str, hint: str = "") -> NoReturn:
        line = nearest_line((*self.prefix, *way), dict(self.lines))
        where = self.path if line is None else f"{self.path}:{line}"
        raise UsageError(f"{where}: {what}", hint)

    @property
    def folder(self) -> str:
        """What relative paths are relative to; empty for the current folder."""
        return os.path.dirname(self.path)


def read(config: str | os.PathLike[str] | Mapping[str, Any] | None = None) -> Config:
    """Read the gates.

    Args:
        config: The file, or its folder, or what it would hold; default: `lossctl.toml` of the
            current folder, else its `pyproject.toml`.

    Raises:
        UsageError: It cannot be read, or says something that makes no sense.
    """
    if isinstance(config, Mapping):
        return _config(_Source("(config)", {}), dict(config))
    path = _find(None if config is None else os.fspath(config))
    table, text = parsed(path)
    if os.path.basename(path) != FILES[1]:
        return _config(_Source(path, lines_of(text)), table)
    if not _has_section(table):
        raise UsageError(
            f"{path}: there is no [tool.lossctl]", "write one, or name another file of gates"
        )
    return _config(_Source(path, lines_of(text), SECTION), table["tool"]["lossctl"])


def _find(given: str | None) -> str:
    if given is not None and not os.path.isdir(given):
        return given
    folder = given or ""
    first, second = (os.path.join(folder, name) for name in FILES)
    if os.path.exists(first):
        return first
    if os.path.exists(second) and _has_section(parsed(second)[0]):
        return second
    raise UsageError(
        f"there is no {first}, and no {second} with [tool.lossctl]",
        "write one: lossctl gate --init PREDICTION TARGET -l LOSS",
    )


def parsed(path: str) -> tuple[dict[str, Any], str]:
    """A TOML file, and its text."""
    import tomllib

    try:
        with open(path, encoding="utf-8-sig", newline=None) as file:
            text = file.read()
        return tomllib.loads(text), text
    except OSError as error:
        why = (os.strerror(error.errno) if error.errno else str(error)).lower()
        raise UsageError(f"{path}: {why}", "name a file of gates, or write one: --init") from None
    except UnicodeDecodeError:
        raise UsageError(f"{path}: not text in UTF-8", "TOML is UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        place = re.search(r"\(at line (\d+), column \d+\)$", str(error))
        what = str(error)[: place.start()].strip() if place else str(error)
        where = f"{path}:{place[1]}" if place else path
        raise UsageError(f"{where}: {what[:1].lower()}{what[1:]}", "it must be TOML") from None


def _has_section(table: Mapping[str, Any]) -> bool:
    tool = table.get("tool")
    return isinstance(tool, Mapping) and isinstance(tool.get("lossctl"), Mapping)


def _config(source: _Source, table: dict[str, Any]) -> Config:
    for key in table:
        if key in OWN:
            source.error((key,), f"{key} belongs to a gate", "write it under [[gate]]")
        if key not in DEFAULTS and key != "gate":
            _unknown(source, (key,), key, [*DEFAULTS, "gate"])
    listed = table.get("gate", [])
    if isinstance(listed, Mapping):
        source.error(("gate",), "there may be several gates", "write [[gate]], in two brackets")
    if not isinstance(listed, list) or not all(isinstance(item, Mapping) for item in listed):
        source.error(("gate",), "gate must be a list of tables", "write each under [[gate]]")
    defaults = {
        key: _typed(source, (key,), key, DEFAULTS[key], value)
        for key, value in table.items()
        if key != "gate"
    }
    if not listed:
        raise UsageError(
            f"{source.path}: there is no gate",
            "write one under [[gate]], or let one be written: lossctl gate --init",
        )
    _load_plugins(source, (), defaults)
    gates: dict[str, Gate] = {}
    for number, item in enumerate(listed):
        way = ("gate", number)
        gate = _gate(source, way, dict(item), defaults)
        known = gates.get(gate.name)
        if known and "name" not in item and known != gate:  # two questions about one loss
            gate = gate._replace(name=f"{gate.name} (gate {number + 1})")
        if gate.name in gates:
            source.error(
                (*way, "name"), f"there are two gates {gate.name!r}", "give each a name of its own"
            )
        gates[gate.name] = gate
    takes = frozenset[str]().union(*(gate.takes for gate in gates.values()))
    for name in defaults.get("inputs") or ():
        if name not in takes:
            hint = nearest(name, sorted(takes)) or f"inputs: {', '.join(sorted(takes))}"
            source.error(("inputs", name), f"no gate's loss takes an input {name!r}", hint)
    return Config(source.path, tuple(gates.values()))


def _unknown(source: _Source, way: Path, key: str, known: list[str]) -> NoReturn:
    hint = nearest(key, known) or f"keys: {', '.join(known)}"
    source.error(way, f"there is no key {key!r}", hint)


# ---- the types of the keys ---------------------------------------------------------------


def _typed(source: _Source, way: Path, key: str, facts: Key, value: Any) -> Any:
    """A key's value in the type that the program uses."""
    if value == "" and facts.kind in _UNSETTABLE and key in DEFAULTS:
        return None  # takes a default away
    found = _CHECKS[facts.kind](value)
    if found is None or (facts.words and found not in facts.words):
        needed = f"one of {', '.join(facts.words)}" if facts.words else _NEEDED[facts.kind]
        hint = nearest(value, list(facts.words)) if isinstance(value, str) and facts.words else ""
        source.error(way, f"{key} must be {needed}, not {_shown(value)}", hint)
    if facts.kind == "reference":
        return _reference(source, way, key, found)
    if facts.kind == "column":
        return _column(source, way, key, found)
    if facts.kind == "table":
        return {name: _column(source, (*way, name), name, text) for name, text in found.items()}
    return found


def _text(value: Any) -> str | None:
    return value.strip() or None if isinstance(value, str) else None


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value):
        return None
    return float(value)


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


def _whole(value: Any) -> int | None:
    return 0 if value == 0 and type(value) is int else _count(value)


def _resamples(value: Any) -> int | None:
    found = _count(value)
    return found if found and LEAST_RESAMPLES <= found <= MOST_RESAMPLES else None


def _level(value: Any) -> float | None:
    number = _number(value)
    return number if number is not None and 0 < number < 1 else None


def _texts(value: Any) -> list[str] | None:
    found = (
        [_text(item) for item in ([value] if isinstance(value, str) else value)]
        if isinstance(value, str | list)
        else []
    )
    return [item for item in found if item] if found and all(found) else None


def _table(value: Any) -> dict[str, str] | None:
    if not isinstance(value, Mapping) or not all(map(_text, value.values())):
        return None
    return {name: text.strip() for name, text in value.items()}


def _allowance(value: Any) -> Allowance | None:
    if isinstance(value, str):
        match = re.fullmatch(r"\s*(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*%\s*", value, re.IGNORECASE)
        return Allowance(float(match[0].strip(" %\t")) / 100, True) if match else None
    number = _number(value)
    return Allowance(number) if number is not None and 0 <= number < math.inf else None


_CHECKS: Mapping[str, Any] = {
    "reference": _text,
    "column": _text,
    "text": _text,
    "word": _text,
    "number": _number,
    "count": _count,
    "resamples": _resamples,
    "whole": _whole,
    "level": _level,
    "texts": _texts,
    "table": _table,
    "allowance": _allowance,
}
_NEEDED = {
    "reference": "a reference PATH[::COLUMNS] in quotes",
    "column": "a column or a reference in quotes",
    "text": "text in quotes",
    "number": "a number",
    "count": "a whole number of 1 or more",
    "resamples": f"a whole number from {LEAST_RESAMPLES} to {MOST_RESAMPLES:,}",
    "whole": "a whole number of 0 or more",
    "level": "a number between 0 and 1",
    "texts": "text in quotes, or a list of such",
    "table": "a table of references by name",
    "allowance": 'a number of 0 or more, or a share such as "2%"',
}


def _shown(value: Any) -> str:
    try:
        text = json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError):
        text = str(value)
    return text if len(text) <= 60 else f"{text[:59]}…"


# ---- references, relative to the file ----------------------------------------------------


def _reference(source: _Source, way: Path, key: str, text: str) -> Reference:
    if key == "target" and not re.search(r"[/:.*]", text) and not _exists(source, text):
        return Reference("", text)  # a bare word is a column of the prediction's file
    return _placed(source, way, key, parse_reference(text))


def _column(source: _Source, way: Path, key: str, text: str) -> Reference:
    """A bare word is a column of a file that is open anyway: a reference without a path."""
    is_path = "::" in text or "/" in text or has_kind(text) or _exists(source, text)
    return _placed(source, way, key, parse_reference(text)) if is_path else Reference("", text)


def _exists(source: _Source, path: str) -> bool:
    return os.path.exists(os.path.join(source.folder, path))


def _placed(source: _Source, way: Path, key: str, found: Reference) -> Reference:
    if found.path == "-":
        source.error(way, f"{key} is standard input, which can be read once", "name a file")
    if not found.path or _URI.match(found.path):
        return found
    return found._replace(path=os.path.join(source.folder, found.path))


def _load_plugins(source: _Source, way: Path, given: Mapping[str, Any]) -> None:
    from lossctl.losses import load_plugin

    for path in given.get("plugins", ()):
        try:
            load_plugin(os.path.join(source.folder, path))
        except LossctlError as error:
            source.error((*way, "plugins"), error.what, error.hint)


# ---- one gate ----------------------------------------------------------------------------


def _gate(source: _Source, way: Path, table: dict[str, Any], defaults: Mapping[str, Any]) -> Gate:
    for key in table:
        if key not in OWN and key not in DEFAULTS:
            _unknown(source, (*way, key), key, [*OWN, *DEFAULTS])
    own = {
        key: _typed(source, (*way, key), key, OWN.get(key) or DEFAULTS[key], value)
        for key, value in table.items()
    }
    _load_plugins(source, way, own)
    given = {**defaults, **own}
    given["inputs"] = {**(defaults.get("inputs") or {}), **(own.get("inputs") or {})}
    expression = _expression(source, way, own)
    if "loss" not in own and expression is None:
        source.error(way, "the gate has no loss", 'for example: loss = "mse"')
    loss = own.get("loss") or (expression.loss if expression else "")
    bound = _bound(source, way, loss, given.get("convention"), "loss" in own)
    if expression and expression.loss not in (loss, bound.name):
        source.error(
            (*way, "fail_if"),
            f"fail_if speaks of {expression.loss}, and the gate's loss is {loss}",
            "leave loss out, or name the same",
        )
    losses = [part.loss for _, part in bound.parts]
    takes = frozenset(item.name for one in losses for item in one.inputs)
    for name in own.get("inputs") or ():
        if name not in takes:
            hint = nearest(name, sorted(takes)) or f"inputs: {', '.join(sorted(takes))}"
            source.error((*way, "inputs", name), f"{loss} takes no input {name!r}", hint)
    inputs = {name: given.get(name) for name in ("prediction", "target")} | given["inputs"]
    gate = Gate(
        name="",
        loss=loss,
        full=bound.full,
        takes=takes,
        own_inputs=frozenset({"prediction", "target"} & set(own)) | set(own.get("inputs") or ()),
        unpaired=any(one.unpaired and len(one.inputs) > 1 for one in losses),
        options=Options(
            inputs=tuple((name, found) for name, found in inputs.items() if found),
            **{
                key: given[key]
                for key in Options._fields
                if key != "inputs" and given.get(key) is not None
            },
        ),
        intervals=Intervals(
            **{key: given[key] for key in Intervals._fields if given.get(key) is not None}
        ),
        figure=own.get("figure", "value"),
        most=own.get("max"),
        least=own.get("min"),
        samples=own.get("samples"),
        group=tuple(own.get("group", ())),
        max_regression=own.get("max_regression"),
        alpha=own.get("alpha"),
        margin=own.get("margin"),
        fail_if=expression,
    )
    gate = _with_groups(source, way, gate)
    _check_limits(source, way, gate, own)
    gate = _with_baseline(source, way, gate, given, own)
    _check_test(source, way, gate, bound.single or bound.whole)
    named_inputs = dict(gate.options.inputs)
    alone = set(named_inputs) == {"target"} and "prediction" in takes
    if not named_inputs or alone:
        source.error(way, "the gate has no prediction", "give it here, or at the top of the file")
    return gate._replace(name=own.get("name") or _title(gate))


def _expression(source: _Source, way: Path, own: Mapping[str, Any]) -> Expression | None:
    if "fail_if" not in own:
        return None
    try:
        return parse_expression(own["fail_if"])
    except SpecError as error:
        source.error((*way, "fail_if"), error.what.replace("--fail-if", "fail_if", 1), error.hint)


def _bound(source: _Source, way: Path, loss: str, convention: str | None, named: bool) -> Any:
    from lossctl.losses import resolve
    from lossctl.spec import parse

    try:
        everyone = any(item.convention == "*" for _, item in parse(loss).terms)
        if everyone or convention == "*":
            source.error(way, f"{loss}: @* stands for several losses", "a gate is for one")
        return resolve(loss, None, convention)
    except SpecError as error:
        source.error((*way, "loss" if named else "fail_if"), error.what, error.hint)


def _with_groups(source: _Source, way: Path, gate: Gate) -> Gate:
    """The gate with an expression that speaks of its groups."""
    expression = gate.fail_if
    if expression is None or not gate.group:
        return gate
    for column, _ in expression.groups:
        if column not in gate.group:
            source.error(
                (*way, "group"),
                f"fail_if speaks of groups of {column}, and group does not name it",
                "leave group out, or name the same columns",
            )
    whole = tuple((column, None) for column in gate.group)
    return gate._replace(fail_if=expression._replace(groups=expression.groups or whole))


def _check_limits(source: _Source, way: Path, gate: Gate, own: Mapping[str, Any]) -> None:
    if gate.most is not None and gate.least is not None and gate.least > gate.most:
        source.error(
            (*way, "min"),
            f"min {gate.least:g} is above max {gate.most:g}",
            "no value is between them",
        )
    if not any(key in own for key in _CHECKING):
        source.error(way, "the gate has nothing to check", f"give one of {', '.join(_CHECKING)}")
    if "figure" in own and not any(key in own for key in ("max", "min", "max_regression")):
        source.error(
            (*way, "figure"),
            "figure goes with max, min or max_regression",
            "in fail_if the figure is part of the expression: p95(mae) > 3",
        )


_CHECKING = ("max", "min", "max_regression", "alpha", "samples", "fail_if")


def _with_baseline(
    source: _Source, way: Path, gate: Gate, given: Mapping[str, Any], own: Mapping[str, Any]
) -> Gate:
    compared = [key for key in ("max_regression", "alpha", "margin") if key in own]
    baseline: Reference | None = given.get("baseline")
    if not compared:
        if own.get("baseline"):
            source.error(
                (*way, "baseline"),
                "nothing is compared with the baseline",
                "give max_regression, or alpha",
            )
        return gate
    if baseline is None:
        source.error(
            (*way, compared[0]),
            f"{compared[0]} compares with a baseline, and there is none",
            'for example: baseline = "baseline.parquet"',
        )
    if gate.margin is not None and gate.alpha is None:
        source.error(
            (*way, "margin"), "margin is for a test, and there is no alpha", "alpha = 0.05"
        )
    if gate.margin is not None and gate.max_regression is not None:
        source.error(
            (*way, "margin"),
            "margin and max_regression are two questions",
            "ask each in a gate of its own",
        )
    of_report = saved.is_report(baseline)
    if of_report and gate.alpha is not None:
        source.error(
            (*way, "alpha"),
            f"a test compares sample by sample, and {baseline} holds no samples",
            "name the baseline's predictions, or leave alpha out",
        )
    if not of_report and gate.needs_intervals and gate.intervals.bootstrap is not None:
        source.error(
            (*way, "baseline"),
            "a comparison resamples differences alone, and the gate looks at an interval's end",
            "leave out bootstrap (bootstrap is for low and high), or ask in a gate of its own",
        )
    if not of_report and "prediction" not in dict(gate.options.inputs):
        source.error(
            (*way, "baseline"),
            "the baseline takes the place of prediction, and there is none",
            "give prediction",
        )
    return gate._replace(baseline=baseline, saved=of_report)


def _check_test(source: _Source, way: Path, gate: Gate, of_all_rows: bool) -> None:
    if gate.alpha is None:
        return
    if gate.figure != "value":
        source.error(
            (*way, "alpha"),
            f"the test is of the loss's value, not of its {gate.figure}",
            "leave out figure, or alpha",
        )
    if of_all_rows or gate.unpaired:
        source.error(
            (*way, "alpha"),
            f"{gate.loss} has no independent paired samples to test",
            "leave out alpha, or test another loss",
        )


def _title(gate: Gate) -> str:
    """What a gate without a name is called."""
    subject = gate.loss if gate.figure == "value" else f"{gate.figure}({gate.loss})"
    found = []
    if gate.most is not None:
        found.append(f"{subject} <= {gate.most:g}")
    if gate.least is not None:
        found.append(f"{subject} >= {gate.least:g}")
    if gate.baseline is not None:
        found.append(f"{subject} against {os.path.basename(gate.baseline.path.rstrip('/'))}")
    if gate.fail_if is not None:
        found.append(f"not {gate.fail_if.text}")
    if gate.samples is not None and not found:
        found.append(f"n({gate.loss}) >= {gate.samples}")
    return ", ".join(found) + (f" by {', '.join(gate.group)}" if gate.group else "")
