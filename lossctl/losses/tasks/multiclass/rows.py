"""Rows of classes: scores and targets side by side, and the costs that follow from log p.

The arrays of the classes are kept class by class where these are few, sample by sample where
they are many: either way the sums over classes run over contiguous memory.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from lossctl.losses.classes import (
    AXIS,
    CLASS_WEIGHTS,
    CLIP,
    CLIP_EPSILON,
    FROM_LOGITS,
    IGNORE_INDEX,
    KERAS_CLIP,
    LABEL_SMOOTHING,
    NO_LIMITS,
    Limits,
    at_class,
    class_axis,
    class_ids,
    each_class,
)
from lossctl.losses.definition import (
    Array,
    ArrayModule,
    Elements,
    Input,
    InvalidInput,
    Param,
)
from lossctl.losses.domains import PROBABILITY, SUM_TOLERANCE
from lossctl.losses.numerics import log_softmax, log_softmax_at, ordered_sum, weighed
from lossctl.losses.shared import shared
from lossctl.spec import Value

Numbers = float | tuple[float, ...] | None

_FEW = 32  # classes up to which the class axis comes first

PREDICTION_SHAPE = "(N, C, …) or (N, …, C)"
TARGET = Input(
    "target",
    "(N, …) or (N, C, …)",
    labels=True,
    help="class ids, or one-hot or soft targets of prediction's shape",
)
HARD_TARGET = TARGET._replace(help="class ids, or one-hot targets of prediction's shape")
UNIT = "nats"

PROBABILITIES = Input("prediction", PREDICTION_SHAPE, domain=PROBABILITY, unless="from_logits")
INPUTS = (PROBABILITIES, TARGET)
SCORES = Input("prediction", PREDICTION_SHAPE, help="one score for each class")

NORMALIZE = Param("normalize", False, "divide each row of probabilities by its sum first")
WEIGH = Param(
    "weigh",
    "rows",
    "what class_weights multiply: rows, each row's loss, by Σ_c w_c y_c; terms, each class's term "
    "of it, after label smoothing",
    choices=("rows", "terms"),
)
DIVIDE_BY = Param(
    "divide_by",
    "weights",
    "what the mean divides by: weights, the class weights of the rows that take part; count, how "
    "many these are; all, how many rows there are, ignored ones too; mixed, weights for class "
    "ids and count for soft targets",
    choices=("weights", "count", "all", "mixed"),
)

FAMILY = (
    FROM_LOGITS,
    LABEL_SMOOTHING,
    CLASS_WEIGHTS,
    WEIGH,
    DIVIDE_BY,
    IGNORE_INDEX,
    AXIS,
    CLIP,
    CLIP_EPSILON,
    NORMALIZE,
)
KERAS: dict[str, Value] = {"clip": KERAS_CLIP, "normalize": True}
KERAS_NOTE = "each row is divided by its sum, then clipped at 1e-7 in float32"

_NOT_PROBABILITIES = (
    "if these are logits, say so: from_logits=true; if only unscaled: normalize=true"
)
_NOT_SHARES = (
    "one-hot and soft targets sum to 1 over the classes; for several labels at once use bce"
)


class Rows(NamedTuple):
    """Scores and targets; what all classes have is (C, n, …) where `along` is 0, else (n, …, C).

    Of `share` and `ids` one is None: a target holds distributions or class ids.
    """

    scores: Array
    share: Array | None
    ids: Array | None
    keep: Array | None  # (n, …), which rows take part; None for all
    unknown: Array | None  # (n, …), whose target is NaN; None for none
    along: int

    @property
    def classes(self) -> int:
        """C."""
        return int(self.scores.shape[self.along])

    def own(self, xp: ArrayModule, values: Array) -> Array:
        """Of the values of all classes those of the target's."""
        return at_class(xp, values, self.ids, self.along)

    def among(self, xp: ArrayModule, values: Array) -> Array:
        """Values (n, …) shaped to meet those of all classes."""
        return xp.expand_dims(values, self.along)

    def spread(self, numbers: Array) -> Array:
        """Numbers (C,) shaped to meet the values of all classes."""
        return numbers.reshape(-1, *[1] * (self.scores.ndim - 1)) if self.along == 0 else numbers

    def is_target(self, xp: ArrayModule) -> Array:
        """Which class is the target's id, of all classes."""
        return self.spread(xp.arange(self.classes)) == self.among(xp, self.ids)

    def shares(self, xp: ArrayModule, label_smoothing: float = 0.0) -> Array:
        """The target's distributions, one-hot where it holds ids."""
        share = self.is_target(xp).astype(self.scores.dtype) if self.share is None else self.share
        if not label_smoothing:
            return share
        return (1 - label_smoothing) * share + label_smoothing / self.classes

    def factors(self, xp: ArrayModule, numbers: float | tuple[float, ...], name: str) -> Array:
        """A parameter's numbers, one for each class, as an array (C,)."""
        return each_class(xp, numbers, self.classes, "float64", name)

    def with_unknown(self, xp: ArrayModule, values: Array, more: Array | None = None) -> Array:
        """The values (n, …), NaN where the target is NaN, or where `more` is true."""
        for unknown in (self.unknown, more):
            if unknown is not None:
                values = xp.where(unknown, xp.nan, values)
        return values

    def no_scores(self, xp: ArrayModule) -> Array | None:
        """Which rows (n, …) have NaN among their scores; None for none."""
        unknown = xp.isnan(self.scores).any(axis=self.along)
        return unknown if bool(unknown.any()) else None

    def result(
        self,
        xp: ArrayModule,
        values: Array,
        class_weights: Numbers,
        divide_by: str = "weights",
        *,
        weighted: bool = False,
    ) -> Array | Elements:
        """The values (n, …) of the rows with the weights that they have in the mean.

        Args:
            xp: The array module.
            values: The losses.
            class_weights: The parameter.
            divide_by: The parameter.
            weighted: Whether the class weights are in the values already.
        """
        own = None
        if class_weights is not None:
            weights = self.factors(xp, class_weights, "class_weights")
            if self.share is None:
                own = self.with_unknown(xp, weights[self.ids])
            else:
                own = ordered_sum(xp, self.share * self.spread(weights), self.along)
            if divide_by == "mixed":
                divide_by = "weights" if self.share is None else "count"
            if divide_by in ("count", "all"):
                values = values if weighted else weighed(xp, own, values)
                own = None
        if divide_by == "all":
            return values if self.keep is None else xp.where(self.keep, values, 0)
        if self.keep is not None:
            own = self.keep.astype("float64") if own is None else xp.where(self.keep, own, 0)
        if own is None:
            return values
        if weighted and divide_by == "weights":
            values = values / own  # which the mean multiplies by; a row of weight 0 is left out
        return Elements(values, own)


@shared
def arrange(
    xp: ArrayModule,
    prediction: Array,
    target: Array,
    *,
    axis: int | None,
    ignore_index: int | None,
    dtype: Any = "float64",
    hard: bool = False,
) -> Rows:
    """Bring prediction and target into the order that sums over classes like.

    Args:
        xp: The array module.
        prediction: Scores (n, C, …) or (n, …, C).
        target: Class ids, or distributions of prediction's shape.
        axis: Where the classes are, if the shapes do not tell.
        ignore_index: The class that is left out.
        dtype: What to compute in.
        hard: Whether distributions must be one-hot; they become ids then.

    Raises:
        InvalidInput: The shapes do not fit, or a target is none.
    """
    soft = target.ndim == prediction.ndim
    found = class_axis(prediction.shape, target.shape, axis, soft)
    along = 0 if prediction.shape[found] <= _FEW else -1

    def arranged(values: Array) -> Array:
        return xp.ascontiguousarray(xp.moveaxis(values, found, along), dtype=dtype)

    scores = arranged(prediction)
    if not soft:
        ids, keep = class_ids(xp, target, prediction.shape[found], ignore_index)
        return Rows(scores, None, ids, keep, _not_known(xp, target), along)
    share = arranged(target)
    keep = _shares_kept(xp, share, along, ignore_index)
    if not hard:
        return Rows(scores, share, None, keep, None, along)
    unknown = _not_known(xp, ordered_sum(xp, share, along))
    bad = (share.max(axis=along) != 1) & ~(False if unknown is None else unknown)
    if bool(bad.any()):
        raise InvalidInput(
            "target", bad, "is neither a class id nor one-hot", "give the class that is right"
        )
    ids = xp.where(share == 1, 1, 0).argmax(axis=along)
    return Rows(scores, None, ids, keep, unknown, along)


def _not_known(xp: ArrayModule, values: Array) -> Array | None:
    """Which values are NaN; None for none."""
    if values.dtype.kind != "f":
        return None
    unknown = xp.isnan(values)
    return unknown if bool(unknown.any()) else None


def _shares_kept(
    xp: ArrayModule, share: Array, along: int, ignore_index: int | None
) -> Array | None:
    """Which rows of a target's distributions are not wholly of the class to leave out.

    Raises:
        InvalidInput: A row is no distribution.
    """
    bad = share < 0
    if bool(bad.any()):
        value = float(share[bad][0])
        raise InvalidInput("target", bad.any(axis=along), f"has {value:g}, below 0", _NOT_SHARES)
    total = ordered_sum(xp, share, along)
    _require_sums(xp, xp.abs(total - 1) <= SUM_TOLERANCE, total, None, "target", _NOT_SHARES)
    if ignore_index is None or not 0 <= ignore_index < share.shape[along]:
        return None
    return xp.take(share, ignore_index, axis=along) != 1


def _require_sums(
    xp: ArrayModule, good: Array, total: Array, keep: Array | None, name: str, hint: str
) -> None:
    """Refuse rows whose `total` is not good, but for ignored ones and NaN."""
    if keep is not None:
        good = good | ~keep
    bad = ~good & ~xp.isnan(total)
    if bool(bad.any()):
        found = float(total[bad][0])
        raise InvalidInput(name, bad, f"sums to {found:.6g} over its classes, not to 1", hint)


class Chances(NamedTuple):
    """What is predicted for the classes, arranged as in `Rows`, and how log p follows from it."""

    values: Array
    along: int
    kind: str  # logits, probabilities or logs
    bounds: Limits = NO_LIMITS
    clip_logits: bool = False

    def log(self, xp: ArrayModule) -> Array:
        """log p of every class."""
        if self.kind == "logits":
            return self._clipped(xp, log_softmax(xp, self.values, self.along))
        return self._logs(xp, self.values)

    def log_at(self, xp: ArrayModule, ids: Array) -> Array:
        """log p of the classes `ids` (n, …)."""
        if self.kind != "logits":
            return self._logs(xp, at_class(xp, self.values, ids, self.along))
        return self._clipped(xp, log_softmax_at(xp, self.values, ids, self.along))

    def _logs(self, xp: ArrayModule, values: Array) -> Array:
        return values if self.kind == "logs" else self.bounds.clip_log(xp, xp.log(values))

    def _clipped(self, xp: ArrayModule, log_p: Array) -> Array:
        return self.bounds.clip_log(xp, log_p) if self.clip_logits else log_p

    def checked(
        self, xp: ArrayModule, keep: Array | None, normalize: bool = False
    ) -> tuple[Chances, Array | None]:
        """These, rows that take part summing to 1, and which of them hold NaN (n, …).

        Raises:
            InvalidInput: A row of probabilities does not sum to 1.
        """
        if self.kind == "logits":  # a NaN spreads by itself
            return self, None
        total = ordered_sum(xp, self.values, self.along)
        chances = self
        if self.kind == "probabilities":
            good = total > 0 if normalize else xp.abs(total - 1) <= SUM_TOLERANCE
            _require_sums(xp, good, total, keep, "prediction", _NOT_PROBABILITIES)
            if normalize:
                chances = self._replace(values=self.values / xp.expand_dims(total, self.along))
        return chances, _not_known(xp, total)


def expected(
    xp: ArrayModule,
    prediction: Array,
    target: Array,
    *,
    kind: str,
    cost: Callable[[Array], Array],
    alpha: Numbers = None,
    bounds: Limits = NO_LIMITS,
    clip_logits: bool = False,
    wide: bool = False,
    normalize: bool = False,
    label_smoothing: float = 0.0,
    class_weights: Numbers = None,
    weigh: str = "rows",
    divide_by: str = "weights",
    ignore_index: int | None = None,
    axis: int | None = None,
) -> Array | Elements:
    """Σ_c y_c alpha_c cost(log p_c) of each row; `wide` where float32 does not do for the cost."""
    # in float32 the difference of two logits errs by 1e-6, and so does its exponential; where
    # only the target's class counts there is none
    single = target.ndim < prediction.ndim and not label_smoothing
    wide = wide or (kind == "logits" and not single)
    dtype = "float64" if wide else prediction.dtype.name
    rows = arrange(xp, prediction, target, axis=axis, ignore_index=ignore_index, dtype=dtype)
    chances = Chances(rows.scores, rows.along, kind, bounds, clip_logits)
    chances, unknown = chances.checked(xp, rows.keep, normalize)
    scale = None
    if alpha is not None:
        each = alpha if isinstance(alpha, tuple) else (alpha,) * rows.classes
        scale = rows.factors(xp, each, "alpha").astype(dtype)
    terms = False
    if weigh == "terms" and class_weights is not None:
        terms = True
        weights = rows.factors(xp, class_weights, "class_weights").astype(dtype)
        scale = weights if scale is None else scale * weights
    values = _terms(xp, rows, chances, cost, scale, label_smoothing)
    values = rows.with_unknown(xp, values, unknown)
    return rows.result(xp, values, class_weights, divide_by, weighted=terms)


def _terms(
    xp: ArrayModule,
    rows: Rows,
    chances: Chances,
    cost: Callable[[Array], Array],
    scale: Array | None,
    label_smoothing: float,
) -> Array:
    """Σ_c y_c scale_c cost(log p_c) (n, …), with y smoothed."""
    if rows.share is None and not label_smoothing:
        values = cost(chances.log_at(xp, rows.ids))
        return values if scale is None else weighed(xp, scale[rows.ids], values)
    costs = cost(chances.log(xp))
    if scale is not None:
        costs = weighed(xp, rows.spread(scale), costs)
    if rows.share is not None:
        return ordered_sum(xp, weighed(xp, rows.shares(xp, label_smoothing), costs), rows.along)
    values = label_smoothing / rows.classes * ordered_sum(xp, costs, rows.along)
    if label_smoothing == 1:  # 0 · ∞ is 0
        return values
    return values + (1 - label_smoothing) * rows.own(xp, costs)
