"""Multi-class classification: one of C classes, as class ids or as distributions.

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
    CLIP_ALWAYS,
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
    limits,
    with_unknown,
)
from lossctl.losses.definition import (
    Array,
    ArrayModule,
    Convention,
    Elements,
    Example,
    Input,
    InvalidInput,
    Param,
    loss,
)
from lossctl.losses.domains import LOG_PROBABILITY, PROBABILITY, SUM_TOLERANCE
from lossctl.losses.numerics import log_softmax, one_minus_exp, ordered_sum, weighed
from lossctl.spec import Value

_FEW = 32  # classes up to which the class axis comes first

_PREDICTION_SHAPE = "(N, C, …) or (N, …, C)"
_TARGET = Input(
    "target",
    "(N, …) or (N, C, …)",
    labels=True,
    help="class ids, or one-hot or soft targets of prediction's shape",
)
_INPUTS = (
    Input("prediction", _PREDICTION_SHAPE, domain=PROBABILITY, unless="from_logits"),
    _TARGET,
)
_NORMALIZE = Param("normalize", False, "divide each row of probabilities by its sum first")
_PARAMS = (
    FROM_LOGITS,
    LABEL_SMOOTHING,
    CLASS_WEIGHTS,
    IGNORE_INDEX,
    AXIS,
    CLIP,
    CLIP_EPSILON,
    _NORMALIZE,
)
_KERAS: dict[str, Value] = {"clip": KERAS_CLIP, "normalize": True}
_KERAS_NOTE = "each row is divided by its sum, then clipped at 1e-7 in float32"
_TORCH = Convention(
    "torch.nn.functional.cross_entropy",
    {"from_logits": True, "ignore_index": -100},
    note="takes logits; leaves out the id −100; class_weights agree for class ids without "
    "label smoothing, where torch weighs the smoothed or soft classes one by one",
)
_UNIT = "nats"
_ROWS = [[0.05, 0.95, 0.0], [0.1, 0.8, 0.1]]


class _Scores(NamedTuple):
    """What is predicted for the classes: (C, n, …) where `along` is 0, (n, …, C) where −1."""

    values: Array
    along: int
    kind: str  # logits, probabilities or logs
    bounds: Limits
    clip_logits: bool

    def log(self, xp: ArrayModule) -> Array:
        """log p of every class."""
        if self.kind == "logits":
            return self._clipped(xp, log_softmax(xp, self.values, self.along))
        return self._logs(xp, self.values)

    def log_at(self, xp: ArrayModule, ids: Array) -> Array:
        """log p of the classes `ids` (n, …)."""
        own = at_class(xp, self.values, ids, self.along)
        if self.kind != "logits":
            return self._logs(xp, own)
        peak = self.values.max(axis=self.along)
        odds = xp.exp(self.values - xp.expand_dims(peak, self.along))
        # The sum goes without its own term, which is 1 where p is next to 1: log1p of the
        # rest then keeps all digits. Elsewhere 1 − exp(own − peak) is far from the rest.
        positions, flat = xp.arange(ids.size), ids.reshape(-1)
        if self.along == 0:
            odds.reshape(len(odds), -1)[flat, positions] = 0
        else:
            odds.reshape(-1, odds.shape[-1])[positions, flat] = 0
        rest = ordered_sum(xp, odds, self.along)
        return self._clipped(xp, (own - peak) - xp.log1p(rest + (xp.exp(own - peak) - 1)))

    def _logs(self, xp: ArrayModule, values: Array) -> Array:
        return values if self.kind == "logs" else self.bounds.clip_log(xp, xp.log(values))

    def _clipped(self, xp: ArrayModule, log_p: Array) -> Array:
        return self.bounds.clip_log(xp, log_p) if self.clip_logits else log_p

    def checked(
        self, xp: ArrayModule, keep: Array | None, normalize: bool
    ) -> tuple[_Scores, Array | None]:
        """The scores, rows that take part summing to 1, and which of them hold NaN (n, …).

        Raises:
            InvalidInput: A row of probabilities does not sum to 1.
        """
        if self.kind == "logits":  # a NaN spreads by itself
            return self, None
        total = ordered_sum(xp, self.values, self.along)
        scores = self
        if self.kind == "probabilities":
            good = total > 0 if normalize else xp.abs(total - 1) <= SUM_TOLERANCE
            _require_sums(xp, good, total, keep, "prediction", _NOT_PROBABILITIES)
            if normalize:
                scores = self._replace(values=self.values / xp.expand_dims(total, self.along))
        unknown = xp.isnan(total)
        return scores, unknown if bool(unknown.any()) else None


_NOT_PROBABILITIES = (
    "if these are logits, say so: from_logits=true; if only unscaled: normalize=true"
)
_NOT_SHARES = (
    "one-hot and soft targets sum to 1 over the classes; for several labels at once use bce"
)


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


def _spread(numbers: Array, ndim: int, along: int) -> Array:
    """Numbers (C,) shaped to multiply arrays of all classes."""
    return numbers.reshape(-1, *[1] * (ndim - 1)) if along == 0 else numbers


def _expected(
    xp: ArrayModule,
    prediction: Array,
    target: Array,
    *,
    kind: str,
    cost: Callable[[Array], Array],
    alpha: float | tuple[float, ...] | None = None,
    bounds: Limits = NO_LIMITS,
    focal: bool = False,
    normalize: bool = False,
    label_smoothing: float = 0.0,
    class_weights: float | tuple[float, ...] | None = None,
    ignore_index: int | None = None,
    axis: int | None = None,
) -> Array | Elements:
    """Σ_c y_c alpha_c cost(log p_c), with the weight Σ_c w_c y_c where there are weights."""
    soft = target.ndim == prediction.ndim
    found = class_axis(prediction.shape, target.shape, axis, soft)
    classes = prediction.shape[found]
    along = 0 if classes <= _FEW else -1
    # In float32 the difference of two logits errs by 1e-6, and so does its exponential; the
    # focal loss's power multiplies errors.
    dtype = "float64" if kind == "logits" or focal else prediction.dtype

    def arranged(values: Array) -> Array:
        return xp.ascontiguousarray(xp.moveaxis(values, found, along), dtype=dtype)

    def factors(numbers: float | tuple[float, ...], name: str) -> Array:
        return each_class(xp, numbers, classes, dtype, name)

    weights: Array = None
    if soft:
        share = arranged(target)
        keep = _shares_kept(xp, share, along, ignore_index)
        if class_weights is not None:
            spread = _spread(factors(class_weights, "class_weights"), share.ndim, along)
            weights = ordered_sum(xp, share * spread, along)
    else:
        ids, keep = class_ids(xp, target, classes, ignore_index)
        if class_weights is not None:
            weights = with_unknown(xp, target, factors(class_weights, "class_weights")[ids])
    scores = _Scores(arranged(prediction), along, kind, bounds, focal)
    scores, unknown = scores.checked(xp, keep, normalize)
    scale = None
    if alpha is not None:
        scale = factors(alpha if isinstance(alpha, tuple) else (alpha,) * classes, "alpha")

    if soft or label_smoothing:
        costs = cost(scores.log(xp))
        if scale is not None:
            costs = weighed(xp, _spread(scale, costs.ndim, along), costs)
        if soft:
            if label_smoothing:
                share = (1 - label_smoothing) * share + label_smoothing / classes
            values = ordered_sum(xp, weighed(xp, share, costs), along)
        else:
            values = label_smoothing / classes * ordered_sum(xp, costs, along)
            if label_smoothing < 1:
                values = values + (1 - label_smoothing) * at_class(xp, costs, ids, along)
    else:
        values = cost(scores.log_at(xp, ids))
        if scale is not None:
            values = weighed(xp, scale[ids], values)

    if not soft:
        values = with_unknown(xp, target, values)
    if unknown is not None:
        values = xp.where(unknown, xp.nan, values)
    if keep is not None:
        weights = keep.astype(dtype) if weights is None else xp.where(keep, weights, 0)
    return values if weights is None else Elements(values, weights)


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


def exponential(xp: ArrayModule, sums: Array, weights: Array, **_: Any) -> Array:
    """exp of the mean."""
    return xp.exp(sums / weights)


@loss(
    name="perplexity",
    summary="Perplexity",
    formula="exp(mean cross entropy); per sample, of the sample's own mean",
    inputs=_INPUTS,
    params=(FROM_LOGITS, IGNORE_INDEX, AXIS, CLIP, CLIP_EPSILON, _NORMALIZE),
    use="Language models, over tokens (N, T, C): as if so many tokens were equally likely. It "
    "compares only on the same vocabulary; padding goes by ignore_index.",
    traits=("proper", "calibration"),
    reference="Jelinek et al. 1977, Perplexity, a measure of the difficulty of speech recognition",
    example=Example({"prediction": _ROWS, "target": [1, 1]}, 1.1470786693528088),
    finish=exponential,
)
@loss(
    summary="Cross entropy",
    formula="−Σ_c y_c log p_c; of logits, p = softmax z",
    unit=_UNIT,
    inputs=_INPUTS,
    params=_PARAMS,
    use="The likelihood of one class among C, for probabilities that must be right; one certain "
    "and wrong prediction makes it infinite.",
    traits=("convex", "proper", "calibration"),
    reference="Good 1952, Rational Decisions, J. R. Stat. Soc. B 14; Bishop 2006, PRML, 4.3.4",
    example=Example({"prediction": _ROWS, "target": [1, 1]}, 0.13721842285088015),
    conventions={
        "torch": _TORCH,
        "keras": Convention("keras.losses.CategoricalCrossentropy", _KERAS, note=_KERAS_NOTE),
        "sklearn": Convention(
            "sklearn.metrics.log_loss",
            {"clip_epsilon": True},
            note="probabilities are clipped at the machine epsilon of their type",
        ),
        "optax": Convention(
            "optax.losses.softmax_cross_entropy", {"from_logits": True}, note="takes logits"
        ),
    },
)
def cross_entropy(
    xp: ArrayModule,
    prediction: Array,
    target: Array,
    *,
    from_logits: bool,
    clip: float | tuple[float, ...],
    clip_epsilon: bool,
    **shared: Any,
) -> Array | Elements:
    return _expected(
        xp,
        prediction,
        target,
        kind="logits" if from_logits else "probabilities",
        cost=lambda log_p: 0 - log_p,
        bounds=limits(xp, clip, clip_epsilon, prediction.dtype),
        **shared,
    )


@loss(
    aliases=("cce",),
    summary="Cross entropy against one-hot or soft targets",
    formula="−Σ_c y_c log p_c, y one-hot or soft",
    unit=_UNIT,
    inputs=_INPUTS,
    params=_PARAMS,
    use="As cross_entropy, where the target must not be class ids.",
    traits=("convex", "proper", "calibration"),
    reference="As keras.losses.CategoricalCrossentropy, without its clipping",
    example=Example({"prediction": _ROWS, "target": [[0, 1, 0], [0, 0, 1]]}, 1.176939193690798),
    conventions={
        "keras": Convention("keras.losses.CategoricalCrossentropy", _KERAS, note=_KERAS_NOTE)
    },
)
def categorical_crossentropy(
    xp: ArrayModule, prediction: Array, target: Array, **params: Any
) -> Array | Elements:
    if target.ndim != prediction.ndim:
        raise InvalidInput(
            "target",
            None,
            "holds class ids; categorical_crossentropy takes one-hot or soft targets",
            "use cross_entropy or sparse_categorical_crossentropy",
        )
    return cross_entropy(xp, prediction, target, **params)


@loss(
    aliases=("scce",),
    summary="Cross entropy against class ids",
    formula="−log p_y, y a class id",
    unit=_UNIT,
    inputs=_INPUTS,
    params=_PARAMS,
    use="As cross_entropy, where the target must be class ids.",
    traits=("convex", "proper", "calibration"),
    reference="As keras.losses.SparseCategoricalCrossentropy, without its clipping",
    example=Example({"prediction": _ROWS, "target": [1, 2]}, 1.176939193690798),
    conventions={
        "keras": Convention("keras.losses.SparseCategoricalCrossentropy", _KERAS, note=_KERAS_NOTE)
    },
)
def sparse_categorical_crossentropy(
    xp: ArrayModule, prediction: Array, target: Array, **params: Any
) -> Array | Elements:
    if target.ndim == prediction.ndim:
        raise InvalidInput(
            "target",
            None,
            "has prediction's shape; sparse_categorical_crossentropy takes class ids",
            "use cross_entropy or categorical_crossentropy",
        )
    return cross_entropy(xp, prediction, target, **params)


@loss(
    summary="Cross entropy over the pixels of class maps",
    formula="−Σ_c y_c log p_c at each pixel of (N, H, W)",
    unit=_UNIT,
    inputs=(
        Input("prediction", "(N, C, H, W) or (N, H, W, C)", PROBABILITY, unless="from_logits"),
        Input(
            "target",
            "(N, H, W) or (N, C, H, W) or (N, H, W, C)",
            labels=True,
            help="class ids, or one-hot or soft targets of prediction's shape",
        ),
    ),
    params=_PARAMS,
    use="Segmentation by pixel; large classes rule it (class_weights), the void class goes by "
    "ignore_index.",
    traits=("convex", "proper", "calibration"),
    reference="Long et al. 2015, Fully Convolutional Networks for Semantic Segmentation",
    example=Example(
        {"prediction": [[[[0.9, 0.7]], [[0.1, 0.3]]]], "target": [[[0, 1]]]}, 0.6546666599918812
    ),
    conventions={"torch": _TORCH},
)
def pixel_cross_entropy(
    xp: ArrayModule, prediction: Array, target: Array, **params: Any
) -> Array | Elements:
    return cross_entropy(xp, prediction, target, **params)


@loss(
    summary="Negative log likelihood of log-probabilities",
    formula="−log p_y; prediction is log p",
    unit=_UNIT,
    inputs=(Input("prediction", _PREDICTION_SHAPE, domain=LOG_PROBABILITY), _TARGET),
    params=(CLASS_WEIGHTS, IGNORE_INDEX, AXIS),
    use="As cross_entropy, of log-probabilities (a log-softmax's output), which are taken as "
    "they are.",
    traits=("convex", "proper", "calibration"),
    reference="As torch.nn.functional.nll_loss",
    example=Example({"prediction": [[-1.5, -0.25], [-0.5, -1.0]], "target": [1, 1]}, 0.625),
    conventions={
        "torch": Convention(
            "torch.nn.functional.nll_loss", {"ignore_index": -100}, note="leaves out the id −100"
        )
    },
)
def nll(xp: ArrayModule, prediction: Array, target: Array, **params: Any) -> Array | Elements:
    return _expected(xp, prediction, target, kind="logs", cost=lambda log_p: 0 - log_p, **params)


@loss(
    summary="Focal loss",
    formula="α_y (1 − p_y)^γ (−log p_y); soft targets: Σ_c y_c of it",
    unit=_UNIT,
    inputs=_INPUTS,
    params=(
        Param("gamma", 2.0, "how much easy examples are faded; 0 is cross_entropy", least=0),
        Param(
            "alpha",
            None,
            "a factor for each class, or one for all; part of the loss, not of the mean's weights",
            kind="numbers",
            least=0,
        ),
        *(CLIP_ALWAYS if item is CLIP else item for item in _PARAMS),
    ),
    use="Many easy examples or rare classes: the hard ones rule. Not calibrated: its best "
    "probabilities are flatter than the true ones.",
    traits=("imbalanced",),
    reference="Lin et al. 2017, Focal Loss for Dense Object Detection, with a softmax",
    example=Example(
        {"prediction": [[0.1, 0.7, 0.2], [0.5, 0.2, 0.3]], "target": [1, 2]}, 0.3110237095370973
    ),
    conventions={
        "keras": Convention(
            "keras.losses.CategoricalFocalCrossentropy",
            {"alpha": 0.25, **_KERAS},
            note=f"alpha is one factor for all; {_KERAS_NOTE}",
        )
    },
)
def focal(
    xp: ArrayModule,
    prediction: Array,
    target: Array,
    *,
    gamma: float,
    alpha: float | tuple[float, ...] | None,
    from_logits: bool,
    clip: float | tuple[float, ...],
    clip_epsilon: bool,
    **shared: Any,
) -> Array | Elements:
    return _expected(
        xp,
        prediction,
        target,
        kind="logits" if from_logits else "probabilities",
        cost=lambda log_p: one_minus_exp(xp, log_p) ** gamma * (0 - log_p),
        alpha=alpha,
        bounds=limits(xp, clip, clip_epsilon, prediction.dtype),
        focal=True,
        **shared,
    )
