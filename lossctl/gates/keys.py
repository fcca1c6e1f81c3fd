"""The keys of a file of gates: what each takes, and what it is for."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from lossctl.gates.expression import FIGURES
from lossctl.gates.gate import Allowance
from lossctl.plan import (
    DTYPES,
    LEAST_RESAMPLES,
    MOST_RESAMPLES,
    NAN_POLICIES,
    REDUCTIONS,
    UNMATCHED,
)

# ---- values in the types that the program uses; None where one is not of the kind ------------


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


# ---- kinds of values -------------------------------------------------------------------------


class Kind(NamedTuple):
    """A kind of values."""

    needed: str  # in words
    read: Callable[[Any], Any]
    clears: bool = False  # whether "" takes a default away


REFERENCE = Kind("a reference PATH[::COLUMNS] in quotes", _text, clears=True)
COLUMN = Kind("a column or a reference in quotes", _text, clears=True)
TABLE = Kind("a table of references by name", _table)
TEXT = Kind("text in quotes", _text, clears=True)
TEXTS = Kind("text in quotes, or a list of such", _texts)
NUMBER = Kind("a number", _number)
COUNT = Kind("a whole number of 1 or more", _count)
WHOLE = Kind("a whole number of 0 or more", _whole)
RESAMPLES = Kind(f"a whole number from {LEAST_RESAMPLES} to {MOST_RESAMPLES:,}", _resamples)
LEVEL = Kind("a number between 0 and 1", _level)
ALLOWANCE = Kind('a number of 0 or more, or a share such as "2%"', _allowance)


class Key(NamedTuple):
    """What a key takes, and what it is for."""

    kind: Kind
    meaning: str
    words: tuple[str, ...] = ()  # of which it is one

    @property
    def needed(self) -> str:
        """What a value must be, in words."""
        return f"one of {', '.join(self.words)}" if self.words else self.kind.needed


def _word(meaning: str, words: tuple[str, ...]) -> Key:
    return Key(TEXT, meaning, words)


DEFAULTS: Mapping[str, Key] = {
    "prediction": Key(REFERENCE, "the prediction: `PATH[::COLUMNS]`"),
    "target": Key(REFERENCE, "the target; without it a column of the prediction's file"),
    "inputs": Key(TABLE, 'the other inputs of a loss by name: `{variance = "var.npy"}`'),
    "weight": Key(COLUMN, "sample weights: a column, or a reference"),
    "on": Key(TEXT, "the key column by which tables are joined; `row` pairs them by position"),
    "unmatched": _word("what a join does with rows without a partner", UNMATCHED),
    "nan": _word("what happens to NaN in the inputs", NAN_POLICIES),
    "reduction": _word("how the value comes of the elements", tuple(REDUCTIONS)),
    "convention": Key(TEXT, "whose definition, for losses that name none"),
    "cluster": Key(COLUMN, "a column: rows that agree in it are not independent"),
    "bootstrap": Key(RESAMPLES, "how many resamples make the intervals of `low` and `high`"),
    "seed": Key(WHOLE, "of the resamples; 0 unless given"),
    "confidence": Key(LEVEL, "the level of the intervals; 0.95 unless given"),
    "dtype": _word("the type to compute in", DTYPES),
    "plugins": Key(TEXTS, "Python files that register losses"),
    "baseline": Key(REFERENCE, "a prediction to compare with, or a saved `lossctl eval --json`"),
}
"""The keys at the top of the file, which every gate may override."""
OWN: Mapping[str, Key] = {
    "name": Key(TEXT, "what the gate is called; made of the rest unless given"),
    "loss": Key(TEXT, "the loss, as `-l` takes it"),
    "figure": _word("what of the loss is held against the limits", tuple(FIGURES)),
    "max": Key(NUMBER, "fails above this"),
    "min": Key(NUMBER, "fails below this"),
    "samples": Key(COUNT, "fails with fewer samples, in any group where there are groups"),
    "group": Key(TEXTS, "a column, or a list: everything must hold in every group"),
    "max_regression": Key(ALLOWANCE, 'fails where the baseline is exceeded by more: 0.5, "2%"'),
    "alpha": Key(LEVEL, "the level at which a change for the worse must be shown"),
    "margin": Key(ALLOWANCE, "with alpha: fails unless shown to be worse by less than this"),
    "fail_if": Key(TEXT, "fails where this holds: an expression of `--fail-if`"),
}
"""The keys of a `[[gate]]` alone."""
CHECKING = ("max", "min", "max_regression", "alpha", "samples", "fail_if")
"""The keys that check something."""
COMPARING = ("max_regression", "alpha", "margin")
"""Those that compare with a baseline."""
