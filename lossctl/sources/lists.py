"""The length that the lists of a column are to have, and padding where they may differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, cast

from lossctl.errors import DataError
from lossctl.sources.rebatch import ListPiece, Piece
from lossctl.sources.table import Column, Want
from lossctl.sources.text import path_text, plain

if TYPE_CHECKING:
    from collections.abc import Iterable


class Wants(dict[str, Want]):
    """The columns to read.

    Attributes:
        shapes: What each row of a column is to have; None pads lists to the longest.
        unknown: The columns whose first list has not been seen yet.
    """

    def __init__(self, names: Mapping[str, Want], columns: Iterable[Column]) -> None:
        super().__init__(names)
        self.shapes = {column.name: column.shape for column in columns if column.name in names}
        for name, want in names.items():
            if want == Want.RAGGED and self.shapes[name]:
                self.shapes[name] = None
        self.unknown = [
            name for name in names if names[name] == Want.NUMBERS and self.shapes[name] is None
        ]


def settled(pieces: Iterator[Piece], wants: Wants, source: str) -> Iterator[Piece]:
    """Pass pieces on once the first list of each column is known, which sets the shape."""
    held: list[Any] = []
    for piece in pieces:
        if not wants.unknown:
            yield piece
            continue
        held.append(piece)
        for name in list(wants.unknown):
            shape = cast(ListPiece, piece).first_shape(name)
            if shape is not None:
                wants.shapes[name] = shape
                wants.unknown.remove(name)
        while held and not wants.unknown:
            yield held.pop(0)
    if held:
        raise DataError(
            f"{path_text(source)}, column {plain(wants.unknown[0])}: every list is null or empty",
            "name a column that holds numbers",
        )
