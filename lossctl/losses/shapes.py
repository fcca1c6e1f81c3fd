"""Do the inputs' shapes fit the loss? Nothing broadcasts.

A declared shape such as `(N, C, …)` is matched letter by letter: a letter stands for one
length and `…` for any number of axes, each the same wherever it appears in the loss.
Alternatives are separated by `or`; the kernel has the last word among them.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from itertools import product

from lossctl.losses.definition import Array, InvalidInput, Loss
from lossctl.losses.shared import shared

Shape = tuple[int, ...]


def fit(loss: Loss, arrays: Mapping[str, Array]) -> tuple[dict[str, Array], list[str]]:
    """Squeeze trailing axes of length 1 where that makes the shapes fit.

    Args:
        loss: Whose inputs declare the shapes.
        arrays: The inputs given, by name, (n, …) each.

    Returns:
        The arrays, and the names of those that were squeezed.

    Raises:
        InvalidInput: No reading of the shapes fits.
    """
    names = tuple(item.name for item in loss.inputs if arrays.get(item.name) is not None)
    shapes = tuple(tuple(arrays[name].shape) for name in names)
    fitting = _fitting(loss, names, shapes)
    if fitting == shapes:
        return dict(arrays), []
    if fitting is not None:
        squeezed = [n for n, old, new in zip(names, shapes, fitting) if old != new]
        fitted = {name: _reshaped(arrays[name], new) for name, new in zip(names, fitting)}
        return {**arrays, **fitted}, squeezed
    found = ", ".join(f"{name} {show_shape(shape)}" for name, shape in zip(names, shapes))
    wanted = ", ".join(f"{name} {loss.input(name).shape}" for name in names)
    others = " or ".join(" and ".join(names) for names in loss.alternatives)
    bare = {tuple(size for size in shape[1:] if size != 1) for shape in shapes}
    hint = f"{loss.name} takes {wanted}"
    if len(bare) == 1:
        hint = f"they differ by axes of length 1 alone: take these out; {hint}"
    raise InvalidInput(
        names[0],
        None,
        f"and the others do not fit: {found}",
        hint + (f"; of its inputs it needs {others}" if others else ""),
    )


@shared  # or no two losses would have the same input
def _reshaped(array: Array, shape: Shape) -> Array:
    return array.reshape(shape)


@lru_cache(maxsize=256)  # all blocks but the last are of one shape
def _fitting(
    loss: Loss, names: tuple[str, ...], shapes: tuple[Shape, ...]
) -> tuple[Shape, ...] | None:
    """The shapes that fit: as given before squeezed, whatever the reading; None for none."""
    patterns = [_alternatives(loss.input(name).shape) for name in names]
    for fitting in product(*([shape, *_squeezed(shape)] for shape in shapes)):
        if any(_match(reading, fitting, loss.unpaired) for reading in product(*patterns)):
            return fitting
    return None


def show_shape(shape: Shape) -> str:
    """The shape as text, with N for the samples."""
    return f"({', '.join(['N', *map(str, shape[1:])])}{',' if len(shape) == 1 else ''})"


def _alternatives(text: str) -> list[list[str]]:
    return [
        [token.strip() for token in part.strip().strip("()").split(",") if token.strip()]
        for part in text.split(" or ")
    ]


def _squeezed(shape: Shape) -> list[Shape]:
    shorter = shape
    while len(shorter) > 1 and shorter[-1] == 1:
        shorter = shorter[:-1]
    return [shorter] if shorter != shape else []


def _match(reading: tuple[list[str], ...], shapes: tuple[Shape, ...], unpaired: bool) -> bool:
    bound: dict[str, Shape] = {}
    for tokens, shape in zip(reading, shapes):
        fixed = len(tokens) - ("…" in tokens)
        rest = len(shape) - fixed
        if rest < 0 or (rest > 0 and "…" not in tokens):
            return False
        position = 0
        for token in tokens:
            size = rest if token == "…" else 1
            part = shape[position : position + size]
            position += size
            if token == "N" and unpaired:
                continue
            if token.isdigit():
                if part != (int(token),):
                    return False
            elif bound.setdefault(token, part) != part:
                return False
    return True
