"""A gate as it was read from a file, and all that it says of its evaluation."""

from __future__ import annotations

from typing import NamedTuple

from lossctl.gates.expression import Expression
from lossctl.sources.reference import Reference

ENDS = ("low", "high")
"""The figures that are ends of an interval."""


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
    def subject(self) -> str:
        """What is held against limits: `mae`, `p95(mae)`."""
        return self.loss if self.figure == "value" else f"{self.figure}({self.loss})"

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
        return any(name in ENDS for name in self.figures)


class Config(NamedTuple):
    """The gates of a file."""

    path: str
    gates: tuple[Gate, ...]
