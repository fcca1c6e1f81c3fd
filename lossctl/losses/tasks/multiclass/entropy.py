"""Cross entropy, its special cases and what follows from it."""

from __future__ import annotations

from typing import Any

from lossctl.losses.classes import (
    AXIS,
    CLASS_WEIGHTS,
    CLIP,
    CLIP_EPSILON,
    FROM_LOGITS,
    IGNORE_INDEX,
    limits,
)
from lossctl.losses.definition import (
    Array,
    ArrayModule,
    Convention,
    Elements,
    Example,
    Input,
    InvalidInput,
    loss,
)
from lossctl.losses.domains import LOG_PROBABILITY, PROBABILITY
from lossctl.losses.tasks.multiclass.rows import (
    FAMILY,
    INPUTS,
    KERAS,
    KERAS_NOTE,
    NORMALIZE,
    PREDICTION_SHAPE,
    TARGET,
    UNIT,
    expected,
)


def _keras(call: str) -> Convention:
    return Convention(f"keras.losses.{call}", KERAS, note=KERAS_NOTE, multiplies=True, empty=0.0)


_TORCH = Convention(
    "torch.nn.functional.cross_entropy",
    {"from_logits": True, "ignore_index": -100, "weigh": "terms", "divide_by": "mixed"},
    note="takes logits; leaves out the id −100; class weights multiply each class's term, and "
    "the mean divides by their sum for class ids, by the count for soft targets (a row of "
    "weight 0 is left out, with label smoothing too)",
)
_SKLEARN = Convention(
    "sklearn.metrics.log_loss",
    {"clip_epsilon": True},
    note="probabilities are clipped at the machine epsilon of their type",
)
_OPTAX = Convention(
    "optax.losses.softmax_cross_entropy",
    {"from_logits": True},
    note="takes logits; a value for each row, here their mean",
)
_OPTAX_IDS = _OPTAX._replace(call="optax.losses.softmax_cross_entropy_with_integer_labels")
_SMP = Convention(
    "segmentation_models_pytorch.losses.SoftCrossEntropyLoss",
    {"from_logits": True, "ignore_index": -100, "divide_by": "all"},
    note="takes logits; the mean counts ignored rows as 0; its smooth_factor, which must be "
    "given, is label_smoothing",
)
_ROWS = [[0.05, 0.95, 0.0], [0.1, 0.8, 0.1]]
_CERTAIN = [[0.0, 1.0, 0.0], [0.1, 0.8, 0.1]]


def exponential(xp: ArrayModule, sums: Array, weights: Array, **_: Any) -> Array:
    """exp of the mean."""
    return xp.exp(sums / weights)


@loss(
    name="perplexity",
    summary="Perplexity",
    formula="exp(mean cross entropy); per sample, of the sample's own mean",
    inputs=INPUTS,
    params=(FROM_LOGITS, IGNORE_INDEX, AXIS, CLIP, CLIP_EPSILON, NORMALIZE),
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
    unit=UNIT,
    inputs=INPUTS,
    params=FAMILY,
    use="The likelihood of one class among C, for probabilities that must be right; one certain "
    "and wrong prediction makes it infinite.",
    traits=("convex", "nonnegative", "proper", "calibration"),
    reference="Good 1952, Rational Decisions, J. R. Stat. Soc. B 14; Bishop 2006, PRML, 4.3.4",
    example=Example({"prediction": _ROWS, "target": [1, 1]}, 0.13721842285088015),
    conventions={
        "torch": _TORCH,
        "keras": _keras("CategoricalCrossentropy"),
        "sklearn": _SKLEARN,
        "optax": _OPTAX,
        "smp": _SMP,
    },
    contrast={"prediction": _CERTAIN, "target": [0, 1]},
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
    return expected(
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
    unit=UNIT,
    inputs=INPUTS,
    params=FAMILY,
    use="As cross_entropy, where the target must not be class ids.",
    traits=("convex", "nonnegative", "proper", "calibration"),
    reference="As keras.losses.CategoricalCrossentropy, without its clipping",
    example=Example({"prediction": _ROWS, "target": [[0, 1, 0], [0, 0, 1]]}, 1.176939193690798),
    conventions={
        "torch": _TORCH,
        "keras": _keras("CategoricalCrossentropy"),
        "sklearn": _SKLEARN,
        "optax": _OPTAX,
    },
    contrast={"prediction": _CERTAIN, "target": [[1, 0, 0], [0, 1, 0]]},
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
    unit=UNIT,
    inputs=INPUTS,
    params=FAMILY,
    use="As cross_entropy, where the target must be class ids.",
    traits=("convex", "nonnegative", "proper", "calibration"),
    reference="As keras.losses.SparseCategoricalCrossentropy, without its clipping",
    example=Example({"prediction": _ROWS, "target": [1, 2]}, 1.176939193690798),
    conventions={
        "torch": _TORCH,
        "keras": _keras("SparseCategoricalCrossentropy"),
        "sklearn": _SKLEARN,
        "optax": _OPTAX_IDS,
        "smp": _SMP,
    },
    contrast={"prediction": _CERTAIN, "target": [0, 1]},
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
    unit=UNIT,
    inputs=(
        Input("prediction", "(N, C, H, W) or (N, H, W, C)", PROBABILITY, unless="from_logits"),
        Input(
            "target",
            "(N, H, W) or (N, C, H, W) or (N, H, W, C)",
            labels=True,
            help="class ids, or one-hot or soft targets of prediction's shape",
        ),
    ),
    params=FAMILY,
    use="Segmentation by pixel; large classes rule it (class_weights), the void class goes by "
    "ignore_index.",
    traits=("convex", "nonnegative", "proper", "calibration"),
    reference="Long et al. 2015, Fully Convolutional Networks for Semantic Segmentation",
    example=Example(
        {"prediction": [[[[0.9, 0.7]], [[0.1, 0.3]]]], "target": [[[0, 1]]]}, 0.6546666599918812
    ),
    conventions={
        "torch": _TORCH,
        "keras": _keras("SparseCategoricalCrossentropy"),
        "optax": _OPTAX_IDS,
        "smp": _SMP,
    },
    contrast={"prediction": [[[[0.0, 0.7]], [[1.0, 0.3]]]], "target": [[[0, 1]]]},
)
def pixel_cross_entropy(
    xp: ArrayModule, prediction: Array, target: Array, **params: Any
) -> Array | Elements:
    return cross_entropy(xp, prediction, target, **params)


@loss(
    summary="Negative log likelihood of log-probabilities",
    formula="−log p_y; prediction is log p",
    unit=UNIT,
    inputs=(Input("prediction", PREDICTION_SHAPE, domain=LOG_PROBABILITY), TARGET),
    params=(CLASS_WEIGHTS, IGNORE_INDEX, AXIS),
    use="As cross_entropy, of log-probabilities (a log-softmax's output), which are taken as "
    "they are.",
    traits=("convex", "nonnegative", "proper", "calibration"),
    reference="As torch.nn.functional.nll_loss",
    example=Example({"prediction": [[-1.5, -0.25], [-0.5, -1.0]], "target": [1, 1]}, 0.625),
    conventions={
        "torch": Convention(
            "torch.nn.functional.nll_loss", {"ignore_index": -100}, note="leaves out the id −100"
        )
    },
)
def nll(xp: ArrayModule, prediction: Array, target: Array, **params: Any) -> Array | Elements:
    return expected(xp, prediction, target, kind="logs", cost=lambda log_p: 0 - log_p, **params)
