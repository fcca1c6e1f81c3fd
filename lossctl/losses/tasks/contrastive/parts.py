"""What contrastive losses share.

The rows of a batch are consecutive, and all rows of the file are one batch by default.
Similarities are computed in float64 from float64 unit vectors, some rows at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from lossctl.losses.definition import (
    Array,
    ArrayModule,
    Elements,
    Input,
    Param,
)
from lossctl.losses.pairs import batches, blocks
from lossctl.losses.vectors import unit

BATCH = Param(
    "batch",
    None,
    "consecutive rows that are compared with each other; none is all rows of the file",
    kind="integer",
    least=1,
)


EMBEDDINGS = Input("prediction", "(N, D)", help="the embeddings")


LABELS = Input("target", "(N,)", labels=True, help="rows of one label are positives")


LEFT = Input("left", "(N, D)", help="the embeddings of one view")


RIGHT = Input("right", "(N, D)", help="those of the other view, row by row")


MEMORY = "two copies of all rows in float64 and some 30 MB; its time grows with N·batch"


def normalizing(default: bool) -> Param:
    return Param("normalize", default, "whether embeddings are first brought to length 1")


# Of a block of similarities (rows, batch), which the function may overwrite, of which of them
# are of positives, and of the indices of the anchors themselves: the anchors' losses (rows,).
Cost = Callable[[Array, Array, "tuple[Array, Array]"], Array]


def similarities(
    xp: ArrayModule, anchors: Array, others: Array, scale: float = 1.0
) -> Iterator[tuple[slice, Array]]:
    """Blocks of anchors, and their products with all others."""
    across = xp.ascontiguousarray(others.T)
    for rows in blocks(len(anchors), len(others)):
        yield rows, (anchors[rows] * scale) @ across


def over_anchors(
    xp: ArrayModule, points: Array, labels: Array, batch: int | None, cost: Cost, scale: float = 1.0
) -> tuple[Array, Array]:
    """Each row's loss, and how many positives it has in its batch; the row itself is none."""
    losses, positives = [], []
    for own in batches(len(points), batch):
        z, y = points[own], labels[own]
        for rows, similar in similarities(xp, z, z, scale):
            same = y[rows, None] == y
            row = xp.arange(len(same))
            itself = (row, row + rows.start)
            same[itself] = False
            losses.append(cost(similar, same, itself))
            positives.append(same.sum(axis=1))
    return xp.concatenate(losses), xp.concatenate(positives).astype("float64")


def with_positives(losses: Array, positives: Array) -> Elements:
    """Anchors without a positive have no value."""
    return Elements(losses, (positives > 0).astype("float64"))


def log_sum(xp: ArrayModule, terms: Array) -> Array:
    """log Σ exp of each row, in place of its terms."""
    peak = terms.max(axis=1)
    peak = xp.where(xp.isinf(peak), 0, peak)
    terms -= peak[:, None]
    return xp.log(xp.exp(terms, out=terms).sum(axis=1)) + peak


def points_of(xp: ArrayModule, embeddings: Array, normalize: bool) -> Array:
    return unit(xp, embeddings) if normalize else embeddings.astype("float64", copy=False)
