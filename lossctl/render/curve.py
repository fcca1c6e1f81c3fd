"""The plot of a loss that is a function of one number, in characters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from lossctl.losses.definition import REQUIRED, Elements
from lossctl.render.text import number
from lossctl.spec import LossSpec

if TYPE_CHECKING:
    from lossctl.losses.definition import Loss
    from lossctl.spec import Value

WIDTH, HEIGHT = 48, 10

# A cell of braille is two dots wide and four high; its signs are numbered by these bits.
_BITS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))


class Axis(NamedTuple):
    """What runs along the bottom, and the target that it is held against."""

    label: str
    low: float
    high: float
    target: float


AXES = {
    "error": Axis("prediction − target", -3, 3, 0),
    "margin": Axis("prediction, target 1", -3, 3, 1),
    "probability": Axis("prediction, target 1", 0.01, 0.99, 1),
}


def plot(loss: Loss, unicode: bool = True) -> list[str]:
    """The lines of a plot; none where the loss is not a function of one number.

    Args:
        loss: Its kernel is called, which imports NumPy.
        unicode: Whether the stream takes braille; else the plot is ASCII.
    """
    axis = AXES.get(loss.curve)
    if axis is None:
        return []
    given = _required(loss)
    xs = [axis.low + (axis.high - axis.low) * i / (2 * WIDTH - 1) for i in range(2 * WIDTH)]
    ys = _values(loss, xs, axis.target, loss.validate(given))
    if ys is None:
        return []
    label = [f"of {LossSpec(loss.name, None, tuple(given.items()))}"] if given else []
    return [*draw(ys, axis, unicode), *label]


def _required(loss: Loss) -> dict[str, Value]:
    """The example's values of the parameters that have no default."""
    needed = {param.name for param in loss.params if param.default == REQUIRED}
    return {name: value for name, value in loss.example.params.items() if name in needed}


def _values(
    loss: Loss, xs: Sequence[float], target: float, params: Mapping[str, Value]
) -> list[float] | None:
    import numpy as np

    inputs = dict.fromkeys((item.name for item in loss.inputs), None) | {
        "prediction": np.asarray(xs),
        "target": np.full(len(xs), target),
    }
    with np.errstate(all="ignore"):
        found = loss.kernel(np, **inputs, **params)
    values = found.values if isinstance(found, Elements) else found
    # sums and tuples of statistics are no function of one number
    if not isinstance(values, np.ndarray) or values.shape != (len(xs),):
        return None
    return [float(value) for value in values]


def draw(ys: Sequence[float], axis: Axis, unicode: bool) -> list[str]:
    """Values at even steps as a curve with labelled axes; non-finite ones are left out."""
    finite = [y for y in ys if abs(y) < float("inf")]
    if not finite:
        return []
    low, high = min(0.0, *finite), max(finite)
    across, down = (2, 4) if unicode else (1, 1)
    dots = _dots(ys, low, (high - low) or 1.0, WIDTH * across, HEIGHT * down)
    labels = {0: number(high, 3), HEIGHT - 1: number(low, 3)}
    margin = max(map(len, labels.values()))
    lines = []
    for row in range(HEIGHT):
        signs = "".join(_sign(dots, row, column, unicode) for column in range(WIDTH))
        tick = ("┤" if row in labels else "│") if unicode else "|"
        lines.append(f"{labels.get(row, ''):>{margin}} {tick}{signs}".rstrip())
    rule = "└" + "─" * WIDTH if unicode else "+" + "-" * WIDTH
    left, middle, right = (number(x, 3) for x in (axis.low, (axis.low + axis.high) / 2, axis.high))
    half = WIDTH // 2
    ticks = f"{left:<{half - len(middle) // 2}}{middle}".ljust(WIDTH - len(right)) + right
    indent = " " * (margin + 2)
    return [*lines, f"{' ' * margin} {rule}", indent + ticks, indent + axis.label.center(WIDTH)]


def _dots(
    ys: Sequence[float], low: float, span: float, width: int, height: int
) -> set[tuple[int, int]]:
    """(row, column) of each dot; steep parts are filled from one column to the next."""
    dots: set[tuple[int, int]] = set()
    last: int | None = None
    for i, y in enumerate(ys):
        if not abs(y) < float("inf"):
            last = None
            continue
        row = round((1 - (y - low) / span) * (height - 1))
        column = i * width // len(ys)
        start = row if last is None else last + (row > last) - (row < last)
        for between in range(min(start, row), max(start, row) + 1):
            dots.add((between, column))
        last = row
    return dots


def _sign(dots: set[tuple[int, int]], row: int, column: int, unicode: bool) -> str:
    if not unicode:
        return "*" if (row, column) in dots else " "
    bits = sum(
        bit
        for y, pair in enumerate(_BITS)
        for x, bit in enumerate(pair)
        if (4 * row + y, 2 * column + x) in dots
    )
    return chr(0x2800 + bits) if bits else " "
