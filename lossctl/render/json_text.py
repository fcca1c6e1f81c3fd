"""JSON that every parser reads: UTF-8, no NaN or Infinity, values of any type made plain."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from lossctl.render.text import UNSAFE, number
from lossctl.report import plain

if TYPE_CHECKING:
    from lossctl.render.options import Style
    from lossctl.report import Comparison, Report

LINE_SCHEMA = "lossctl.eval-line/1"

# what they hold names something or says how it was made, and is never rounded
_VERBATIM = ("group", "key", "level", "alpha", "options")
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False)  # made anew by `json.dumps`
_LINE = 88  # an object of scalars up to this length is written on one line


def document(report: Report | Comparison, style: Style) -> str:
    """The whole as one document (schema `eval-1.json` or `compare-1.json`), indented by 2.

    Lists of numbers stay on one line. Numbers have all their digits unless a precision is given.
    """
    found = report.to_dict()
    if style.precision is not None and "options" in found:
        found["options"]["precision"] = style.precision
    return pretty(strict(found, style.precision))


def lines(report: Report, style: Style) -> str:
    """One object a line (schema `eval-line-1.json`), made for `jq`, `grep` and appending to logs.

    - One line a loss, with the version, signature and samples, so that a line can stand alone:
      `jq -r '[.loss, .value] | @tsv'`.
    - Where there are groups, one line a loss and group instead, which `.group` names; the worst
      samples and the components are of the whole, and only the document has them then.
    - Where the losses of single samples were asked for, these lines and no others:
      `{"sample": 0, "mse": 0.25}`, the same as `-o losses.jsonl` writes, so that
      `jq 'select(.mse > 1) | .sample'` works without a case for other lines.
    """
    from lossctl.render.rows import has_samples, sample_columns  # the document needs none

    if has_samples(report):
        return "\n".join(_sample_lines(sample_columns(report), style.precision))
    whole = report.to_dict()
    head = {key: whole[key] for key in ("version", "signature", "samples", "skipped")}
    listed = []
    for loss in whole["losses"]:
        groups = loss.pop("groups", None)
        if not groups:
            listed.append({"schema": LINE_SCHEMA, **head, **loss})
            continue
        about = {key: loss[key] for key in ("loss", "spec", "convention", "reduction", "unit")}
        listed += [{"schema": LINE_SCHEMA, **head, **about, **group} for group in groups]
    return "\n".join(dumps(strict(line, style.precision)) for line in listed)


def _sample_lines(columns: Mapping[str, Any], precision: int | None) -> Iterator[str]:
    """A line a sample. A column is written at once: calling `dumps` a million times is slow."""
    heads = [f"{dumps(name)}: " for name in columns]
    texts = [dumps(strict(values, precision))[1:-1].split(", ") for values in columns.values()]
    for sample, values in enumerate(zip(*texts) if any(columns.values()) else ()):
        losses = ", ".join(map(str.__add__, heads, values))
        yield f'{{"sample": {sample}, {losses}}}'


def strict(value: Any, precision: int | None = None) -> Any:
    """The value in JSON's own types; non-finite numbers are None."""
    if isinstance(value, float):
        if not math.isfinite(value):
            return None
        return float(value) if precision is None else float(number(value, precision))
    if isinstance(value, Mapping):
        return {
            _key(key): strict(item, None if key in _VERBATIM else precision)
            for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [strict(item, precision) for item in value]
    simple = plain(value)
    return simple if simple is value else strict(simple, precision)


def _key(value: Any) -> str:
    simple = plain(value)
    return simple if isinstance(simple, str) else json.dumps(simple)


def dumps(value: Any) -> str:
    """Strict values on one line. What a terminal would obey is escaped, as JSON can everywhere."""
    kind = type(value)
    if kind is int or (kind is float and math.isfinite(value)):  # the most frequent, and quicker so
        return repr(value)
    return UNSAFE.sub(lambda found: json.dumps(found[0])[1:-1], _ENCODER.encode(value))


_named = lru_cache(maxsize=1024)(dumps)  # the same few names in every object


def pretty(value: Any, indent: str = "") -> str:
    """Strict values indented by 2; what holds only scalars stays on a line.

    Not `json.dumps(indent=2)`: that puts each of a million numbers on a line of its own.
    """
    if not isinstance(value, dict | list):
        return dumps(value)
    inside = value.values() if isinstance(value, dict) else value
    nested = any(isinstance(item, dict | list) for item in inside)
    if isinstance(value, list) and not nested:
        return dumps(value)
    inner = indent + "  "
    if isinstance(value, dict):
        items = [f"{_named(key)}: {pretty(item, inner)}" for key, item in value.items()]
        start, end = "{", "}"
        if not nested and len(line := f"{{{', '.join(items)}}}") <= _LINE:
            return line
    else:
        items = [pretty(item, inner) for item in value]
        start, end = "[", "]"
    body = ",\n".join(inner + item for item in items)
    return f"{start}\n{body}\n{indent}{end}"
