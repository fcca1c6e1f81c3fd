"""Rows of an Arrow record batch, converted when a worker loads them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from lossctl.errors import DataError
from lossctl.sources.convert import Shape, first_shape, numbers, values
from lossctl.sources.failures import reading
from lossctl.sources.lists import Wants
from lossctl.sources.misfit import MisfitError
from lossctl.sources.parts import Part
from lossctl.sources.table import Arrays, Want
from lossctl.sources.text import listed


class ArrowPiece:
    """Rows of a batch of a part."""

    def __init__(self, part: Part, batch: Any, first: int, names: Wants) -> None:
        self.rows: int = batch.num_rows
        self._part = part
        self._batch = batch
        self._first = first
        self._names = names

    def slice(self, start: int, stop: int) -> ArrowPiece:
        """Narrow to some of its rows."""
        batch = self._batch.slice(start, stop - start)
        return ArrowPiece(self._part, batch, self._first + start, self._names)

    def load(self) -> Arrays:
        """Convert the columns that are wanted."""
        names = self._names
        return converted(self._part, self._batch.column, self._first, names, names.shapes)

    def first_shape(self, name: str) -> Shape:
        """The shape of a column's first list."""
        return shape_in(self._part, self._batch.column(name), self._first, name)


def converted(
    part: Part,
    column: Callable[[str], Any],
    first: int,
    names: Mapping[str, Want],
    shapes: Mapping[str, Shape],
) -> Arrays:
    """Convert columns, and say where what does not fit stands.

    Args:
        part: The part that they belong to.
        column: Gives the Arrow array of a column.
        first: The row of the part at which the arrays begin.
        names: The columns, and what each is read for.
        shapes: What each row is to have; None pads lists.
    """
    arrays: Arrays = {}
    for name, want in names.items():
        try:
            with reading(part.name):
                array = column(name)
                arrays[name] = numbers(array, shapes[name]) if want else values(array)
        except MisfitError as error:
            raise error.located(part, first, name) from None
    return arrays


def shape_in(part: Part, array: Any, first: int, name: str) -> Shape:
    """The shape of the first list in a column that begins at row `first` of a part."""
    try:
        with reading(part.name):
            return first_shape(array)
    except MisfitError as error:
        raise error.located(part, first, name) from None


def unique(names: list[str], source: str) -> None:
    """Refuse a table in which a name stands for two columns."""
    from collections import Counter

    twice = [name for name, times in Counter(names).items() if times > 1]
    if twice:
        raise DataError(
            f"{source}: more than one column is named {listed(twice)}", "give each its own name"
        )
