"""Errors of an evaluation, in the words of a file of gates.

An evaluation speaks of the options of `lossctl eval`; a file says the same things by its keys.
"""

from __future__ import annotations

import re

from lossctl.errors import LossctlError
from lossctl.gates.keys import DEFAULTS

_KEYS = {
    **{f"--{name}": name for name in DEFAULTS},
    "--input": "inputs",
    "--plugin": "plugins",
    "--by": "group",
    "--fail-if": "fail_if",
}
# what follows an option is its value where the clause ends after it, or where it is in capitals
_OPTION = re.compile(r"(?<![^\s(])(--[a-z][a-z-]*)(?: ([^\s;,)]+?(?=[;,)]|:\s|$)|[A-Z]+\b))?")
_BETWEEN = re.compile(r"(; or |, or |; )")  # clauses of a hint
_NO_KEY = "a file of gates has no key for that: save the data as Parquet, or as CSV with a header"


def in_keys(error: LossctlError) -> LossctlError:
    """The same error, which names the keys of the file where it named options."""
    return type(error)(_translated(error.what), _possible(error.hint))


def _translated(text: str) -> str:
    return text if "lossctl " in text else _OPTION.sub(_key, text)


def _key(found: re.Match[str]) -> str:
    flag, value = found.groups()
    key = _KEYS.get(flag)
    if key is None:
        return found[0]
    if value is None or key == "fail_if":
        return found[0].replace(flag, key, 1)
    value = value.strip("'")
    name, sign, reference = value.partition("=")
    if key == "inputs" and sign:
        given = f'{name} = "{reference}"'
        return given if name in DEFAULTS else f"inputs = {{{given}}}"
    if key == "prediction" and "::" not in value:
        value = f"PATH::{value}"  # a bare word would be a path
    return f'{key} = "{value}"'


def _possible(hint: str) -> str:
    """A hint without what no key can say, such as `--no-header`."""
    first, *rest = _BETWEEN.split(hint)
    kept = ""
    for sign, clause in zip(["", *rest[::2]], [first, *rest[1::2]]):
        if "lossctl " in clause or {found[1] for found in _OPTION.finditer(clause)} <= set(_KEYS):
            kept += (sign if kept else "") + _translated(clause)
    return kept or (_NO_KEY if hint else "")
