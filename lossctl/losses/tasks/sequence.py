"""Sequences: predictions over time against targets that are not aligned with them."""

from __future__ import annotations

from collections.abc import Callable

from lossctl.losses.definition import (
    Array,
    ArrayModule,
    Convention,
    Domain,
    Example,
    Input,
    InvalidInput,
    Param,
    loss,
)
from lossctl.losses.domains import SUM_TOLERANCE, require
from lossctl.losses.numerics import ordered_sum


def _checked_by_kernel(xp: ArrayModule, values: Array, name: str) -> None:
    """Nothing: only the kernel knows which time steps are padding."""


@loss(
    summary="Connectionist temporal classification (CTC)",
    formula="−log p(y|x), p(y|x) = Σ Π_t p_t(π_t) over the paths π that spell y once repeats are\n"
    "merged and then blanks removed; per sequence",
    unit="nats",
    inputs=(
        Input(
            "prediction",
            "(N, T, C)",
            Domain("log-probabilities: Σ_c exp = 1", _checked_by_kernel),
            unless="from_logits",
            help="of each class, the blank among them, at each time step",
        ),
        Input(
            "target",
            "(N, S) or (N,)",
            labels=True,
            ragged=True,
            help="class ids; negative ones at a row's end are padding",
        ),
        Input(
            "prediction_lengths", "(N,)", optional=True, labels=True, help="time steps; default T"
        ),
        Input(
            "target_lengths",
            "(N,)",
            optional=True,
            labels=True,
            help="labels; default all up to the negative padding",
        ),
    ),
    params=(
        Param("from_logits", False, "whether predictions are logits, not log-probabilities"),
        Param("blank", 0, "the class id of the blank", least=0),
        Param("zero_infinity", False, "whether an infinite loss counts as 0, as in torch"),
        Param(
            "infeasible",
            "error",
            "a target that needs more time steps than there are (one for each label, and one "
            "more between equal neighbours): an error, or an infinite loss",
            choices=("error", "infinite"),
        ),
        Param(
            "normalize",
            None,
            "labels: each sequence's loss is divided by the number of its labels, at least 1",
            kind="choice",
            choices=("labels",),
        ),
        Param(
            "padding",
            None,
            "the class id that fills up the rows of targets, beside negative ones",
            kind="integer",
            least=0,
        ),
        Param(
            "log_zero",
            None,
            "a number instead of log 0 = −∞ for what no path may do: makes infinite losses finite",
            kind="number",
            most=0,
        ),
    ),
    stepwise=True,
    use="Transcripts without an alignment (speech, handwriting). It grows with the target's "
    "length: compare over the same sequences. torch's mean divides by the lengths first.",
    traits=("proper", "nonnegative"),
    reference="Graves et al. 2006, Connectionist Temporal Classification, ICML",
    example=Example(
        {
            "prediction": [
                [[2.0, 1.0, 0.0], [0.0, 2.0, 1.0], [1.0, 0.0, 3.0]],
                [[0.5, 0.0, 2.0], [1.0, 0.0, 0.0], [0.0, 3.0, 1.0]],
            ],
            "target": [[1, 2], [2, -1]],
        },
        1.6865304162303394,
        {"from_logits": True},
    ),
    conventions={
        "torch": Convention(
            "torch.nn.functional.ctc_loss",
            {"normalize": "labels", "infeasible": "infinite"},
            note="each loss is divided by the number of its labels (torch's own sum does not: "
            "normalize=none); a target too long for its time steps is infinite",
        ),
        "keras": Convention(
            "keras.losses.CTC",
            {"from_logits": True, "padding": 0, "infeasible": "infinite"},
            note="logits; zeros, the blank's id, at a target's end are padding",
            multiplies=True,
        ),
        "optax": Convention(
            "optax.losses.ctc_loss",
            {"from_logits": True, "infeasible": "infinite", "log_zero": -1e5},
            note="logits; log 0 is −1e5, and so about 1e5 is the loss of a target too long for "
            "its time steps",
        ),
    },
    contrast={
        "prediction": [
            [[2.0, 1.0, 0.0], [0.0, 2.0, 1.0], [1.0, 0.0, 3.0]],
            [[0.5, 0.0, 2.0], [1.0, 0.0, 0.0], [0.0, 3.0, 1.0]],
        ],
        "target": [[1, 1], [2, 2]],
        "from_logits": True,
        "prediction_lengths": [3, 2],
    },
)
def ctc(
    xp: ArrayModule,
    prediction: Array,
    target: Array,
    prediction_lengths: Array | None,
    target_lengths: Array | None,
    *,
    from_logits: bool,
    blank: int,
    zero_infinity: bool,
    infeasible: str,
    normalize: str | None,
    padding: int | None,
    log_zero: float | None,
) -> Array:
    samples, steps, classes = prediction.shape
    if target.ndim == 1:
        target = target[:, None]
    if blank >= classes:
        why = f"has {classes} classes, and none of them is the blank {blank}"
        raise InvalidInput("prediction", None, why, f"give blank= from 0 to {classes - 1}")

    frames, unknown_frames = _lengths(xp, prediction_lengths, samples, steps, *_PREDICTION_STEPS)
    labels, is_label, unknown = _labels(xp, target, target_lengths, classes, blank, padding)
    unknown |= unknown_frames
    if infeasible == "error" and not zero_infinity:
        _require_feasible(xp, labels, is_label, frames, ~unknown)

    never = -xp.inf if log_zero is None else log_zero
    spelled = _log_likelihood(xp, prediction, frames, labels, is_label, blank, from_logits, never)
    losses = xp.where(unknown, xp.nan, 0.0 - spelled)
    if normalize == "labels":
        losses = losses / xp.maximum(is_label.sum(axis=1), 1)
    return xp.where(losses == xp.inf, 0, losses) if zero_infinity else losses


def _log_likelihood(
    xp: ArrayModule,
    prediction: Array,
    frames: Array,
    labels: Array,
    is_label: Array,
    blank: int,
    from_logits: bool,
    never: float,
) -> Array:
    """log p(labels|prediction) by the forward recursion, over time steps, (n,) float64.

    A state is a place in the labels with a blank before, between and behind them: 2S + 1
    per sample, and only those of the present time step are kept. `never` is the log of the
    weight of a path that starts elsewhere or leaves out the blank between equal neighbours.
    """
    samples, steps, classes = prediction.shape
    states = 2 * labels.shape[1] + 1
    spelling = xp.full((samples, states), blank, dtype="int64")
    spelling[:, 1::2] = xp.where(is_label, labels, blank)
    # a blank may be left out between two labels that differ
    skip = xp.full((samples, states), -xp.inf)
    skip[:, 3::2] = xp.where(labels[:, 1:] != labels[:, :-1], 0.0, never)

    # Two impossible states in front spare the first ones a case of their own. Before any
    # time step all is in the first blank: with no labels that is the end, too.
    state = xp.full((samples, states + 2), never)
    state[:, :2] = -xp.inf
    state[:, 2] = 0
    flat = prediction.reshape(-1)
    index = xp.arange(samples)[:, None] * (steps * classes) + spelling
    sums = xp.ones((samples, steps))
    padded = bool((frames < steps).any())
    for step in range(int(frames.max())):
        emission = xp.take(flat, index + step * classes).astype("float64", copy=False)
        row = prediction[:, step]
        if from_logits:
            peak, log_sum = _log_normaliser(xp, row.astype("float64", copy=False))
            emission = (emission - peak) - log_sum
        else:
            sums[:, step] = xp.exp(row).sum(axis=1, dtype="float64")
            # adds 0, or NaN where any class is
            emission = emission + 0 * sums[:, step, None]
        reached = _log_sum(xp, state[:, 2:], state[:, 1:-1], state[:, :-2] + skip) + emission
        if padded:
            reached = xp.where((step < frames)[:, None], reached, state[:, 2:])
        state[:, 2:] = reached

    off = (xp.abs(sums - 1) > SUM_TOLERANCE) & (xp.arange(steps) < frames[:, None])
    if bool(off.any()):
        step = int(xp.argmax(off[int(xp.argmax(off.any(axis=1)))]))
        raise InvalidInput(
            "prediction",
            off,
            f"is not log-probabilities: at time step {step} their exponentials do not sum to 1",
            "if these are logits, say so: from_logits=true; of probabilities give the logarithm",
        )
    end = 2 * is_label.sum(axis=1)[:, None] + 2
    last = xp.take_along_axis(state, xp.concatenate([end, end - 1], axis=1), axis=1)
    return _log_sum(xp, last[:, 0], last[:, 1], -xp.inf)


def _log_sum(xp: ArrayModule, a: Array, b: Array, c: Array | float) -> Array:
    """log(exp a + exp b + exp c), to full precision also where the result is near 0."""
    upper = xp.maximum(a, b)
    peak = xp.maximum(upper, c)
    base = xp.where(peak == -xp.inf, 0, peak)
    rest = xp.exp(xp.minimum(a, b) - base) + xp.exp(xp.minimum(upper, c) - base)
    return peak + xp.log1p(rest)


def _log_normaliser(xp: ArrayModule, logits: Array) -> tuple[Array, Array]:
    """The highest logit of each row, and log Σ exp(logit − highest), (n, 1) each.

    The highest itself is left out of the sum, for log1p: a certain row's logarithm is tiny
    and exact, not a rounding of 1.
    """
    peak = logits.max(axis=1, keepdims=True)
    highest = logits == peak
    rest = xp.where(highest, 0, xp.exp(logits - peak)).sum(axis=1, keepdims=True)
    ties = highest.sum(axis=1, keepdims=True) - 1
    return peak, xp.log1p(rest + ties)


def _labels(
    xp: ArrayModule,
    target: Array,
    target_lengths: Array | None,
    classes: int,
    blank: int,
    padding: int | None,
) -> tuple[Array, Array, Array]:
    """The class ids, which of them are no padding (n, S each), and which rows have a NaN."""
    labels, missing = _whole(xp, target, "target")
    places = xp.arange(labels.shape[1])
    if target_lengths is None:
        given = (labels >= 0) & (labels != (-1 if padding is None else padding))
        is_label = places < given.sum(axis=1)[:, None]
        require(
            xp,
            given == is_label,
            "target",
            "has {value} before a class id",
            "what is padding stands at the end of a row",
        )
        unknown = missing.any(axis=1)
    else:
        samples, most = labels.shape
        lengths, unknown = _lengths(xp, target_lengths, samples, most, *_TARGET_LABELS)
        is_label = places < lengths[:, None]
        unknown = unknown | (missing & is_label).any(axis=1)
    passed = ~is_label | missing
    require(
        xp,
        passed | ((labels >= 0) & (labels < classes)),
        "target",
        f"has {{value}}, and the classes go from 0 to {classes - 1}",
        "give class ids; where rows are padded at the end, give target_lengths or pad with -1",
    )
    require(
        xp,
        passed | (labels != blank),
        "target",
        f"has the blank ({blank}) as a label",
        "where it pads a row's end, give target_lengths or pad with -1; blank= names another",
    )
    return labels, is_label, unknown


_PREDICTION_STEPS = ("prediction_lengths", "time steps of the prediction")
_TARGET_STEPS = ("target_lengths", "time steps of the target")
_TARGET_LABELS = ("target_lengths", "labels of the target")


def _lengths(
    xp: ArrayModule,
    given: Array | None,
    samples: int,
    most: int,
    name: str,
    what: str,
    least: int = 0,
) -> tuple[Array, Array]:
    """The lengths, all `most` where none are given, and which are NaN."""
    if given is None:
        return xp.full(samples, most), xp.zeros(samples, dtype=bool)
    lengths, unknown = _whole(xp, given, name)
    hint = f"give lengths from {least} to {most}"
    require(xp, unknown | (lengths >= least), name, f"has {{value}}, below {least}", hint)
    require(xp, lengths <= most, name, f"has {{value}}, more than the {most} {what}", hint)
    return xp.where(unknown, most, lengths), unknown


def _require_feasible(
    xp: ArrayModule, labels: Array, is_label: Array, frames: Array, known: Array
) -> None:
    """Refuse targets that no path of so many time steps can spell."""
    equal = (labels[:, 1:] == labels[:, :-1]) & is_label[:, 1:]
    length, repeats = is_label.sum(axis=1), equal.sum(axis=1)
    bad = (length + repeats > frames) & known
    if bool(bad.any()):
        row = int(xp.argmax(bad))
        raise InvalidInput(
            "target",
            bad,
            f"has {int(length[row])} labels, {int(repeats[row])} of them repeated at once: too "
            f"long for {int(frames[row])} time steps",
            "count such a target as infinite with infeasible=infinite, or as 0 with "
            "zero_infinity=true",
        )


def _whole(xp: ArrayModule, values: Array, name: str) -> tuple[Array, Array]:
    """The values as int64, and where they are NaN (0 there)."""
    unknown = values != values
    if values.dtype.kind == "f":
        values = xp.where(unknown, 0, values)
        whole = (values == xp.floor(values)) & (xp.abs(values) < 2**53)
        require(xp, whole, name, "has {value}, not a whole number", "give whole numbers")
    return values.astype("int64"), unknown


def _series(name: str, letter: str, help: str) -> tuple[Input, Input]:
    lengths = f"time steps of the {name}; default {letter}"
    return (
        Input(name, f"(N, {letter}) or (N, {letter}, D)", help=help),
        Input(f"{name}_lengths", "(N,)", optional=True, labels=True, help=lengths),
    )


_OF_PREDICTION = _series("prediction", "T", "a number, or D of them, at each time step")
_OF_TARGET = _series("target", "S", "likewise; S and T may differ")
_SERIES = (_OF_PREDICTION[0], _OF_TARGET[0], _OF_PREDICTION[1], _OF_TARGET[1])

Local = Callable[[Array], Array]  # differences (D, m, n) -> (m, n)
Joined = Callable[[Array, Array, Array], Array]  # the costs of three ways to a place -> of all


@loss(
    summary="Dynamic time warping (DTW)",
    formula="min over alignments of Σ |ŷ_i − y_j| of their pairs, of vectors ‖ŷ_i − y_j‖₂;\n"
    "an alignment goes from both starts to both ends by steps of 1 in i, in j or in both",
    unit="target",
    inputs=_SERIES,
    use="Series of the same shape at another or varying speed. It grows with their lengths, and "
    "lets any distortion of time pass: where timing matters, take mae.",
    traits=("symmetric", "zero", "nonnegative"),
    reference="Sakoe & Chiba 1978, Dynamic programming algorithm optimization for spoken word "
    "recognition, IEEE TASSP 26; symmetric steps of weight 1, without a window",
    example=Example(
        {"prediction": [[0, 1, 2], [1, 1, 4]], "target": [[0, 0, 2, 2], [2, 1, 3, 3]]}, 2.0
    ),
)
def dtw(
    xp: ArrayModule,
    prediction: Array,
    target: Array,
    prediction_lengths: Array | None,
    target_lengths: Array | None,
) -> Array:
    def local(differences: Array) -> Array:
        if len(differences) == 1:
            return xp.abs(differences[0])
        return xp.sqrt(ordered_sum(xp, xp.square(differences), axis=0))

    def least(above: Array, before: Array, both: Array) -> Array:
        return xp.minimum(xp.minimum(above, before), both)

    return _warped(xp, prediction, target, prediction_lengths, target_lengths, local, least)


@loss(
    summary="Soft dynamic time warping (soft-DTW)",
    formula="−γ log Σ exp(−cost/γ) over all alignments (see dtw), cost = Σ ‖ŷ_i − y_j‖²;\n"
    "γ = 0: the least cost",
    unit="target²",
    inputs=_SERIES,
    params=(Param("gamma", 1.0, "the smoothing γ, in squared units of the target", least=0),),
    use="As dtw, smooth for training. Below it, not 0 for equal series and often negative: it "
    "orders predictions, under one γ.",
    traits=("symmetric",),
    reference="Cuturi & Blondel 2017, Soft-DTW: a Differentiable Loss Function for Time-Series, "
    "ICML; with the whole square, not half of it",
    # −log(e⁻¹ + e⁻⁵ + e⁻²) and −log(e⁻² + 2e⁻³): the three alignments of two steps with two
    example=Example(
        {"prediction": [[0, 1], [1, 3]], "target": [[0, 2], [2, 2]]}, 1.0609963224002392
    ),
)
def soft_dtw(
    xp: ArrayModule,
    prediction: Array,
    target: Array,
    prediction_lengths: Array | None,
    target_lengths: Array | None,
    *,
    gamma: float,
) -> Array:
    def local(differences: Array) -> Array:
        return ordered_sum(xp, xp.square(differences), axis=0)

    def soft(above: Array, before: Array, both: Array) -> Array:
        if gamma == 0:
            return xp.minimum(xp.minimum(above, before), both)
        return -gamma * _log_sum(xp, -above / gamma, -before / gamma, -both / gamma)

    return _warped(xp, prediction, target, prediction_lengths, target_lengths, local, soft)


def _warped(
    xp: ArrayModule,
    prediction: Array,
    target: Array,
    prediction_lengths: Array | None,
    target_lengths: Array | None,
    local: Local,
    join: Joined,
) -> Array:
    """The cost of aligning each pair of series, (n,) float64."""
    ours, theirs = _samples_last(xp, prediction), _samples_last(xp, target)
    if len(ours) != len(theirs):
        why = f"has {len(ours)} numbers at each time step, and target {len(theirs)}"
        raise InvalidInput("prediction", None, why, "compare series of vectors of one length")
    _, steps, samples = ours.shape
    ends, unknown = _lengths(xp, prediction_lengths, samples, steps, *_PREDICTION_STEPS, least=1)
    others, unknown_others = _lengths(
        xp, target_lengths, samples, theirs.shape[1], *_TARGET_STEPS, least=1
    )
    costs = _accumulated(xp, ours, theirs, ends, others, local, join)
    return xp.where(unknown | unknown_others, xp.nan, costs)


def _samples_last(xp: ArrayModule, series: Array) -> Array:
    """(n, T) or (n, T, D) as (D, T, n) float64, so that a stretch of time is contiguous."""
    samples, steps = series.shape[:2]
    return xp.ascontiguousarray(series.reshape(samples, steps, -1).T, dtype="float64")


def _accumulated(
    xp: ArrayModule,
    ours: Array,
    theirs: Array,
    ends: Array,
    others: Array,
    local: Local,
    join: Joined,
) -> Array:
    """The cost of the way to the last time steps, (n,).

    The places (i, j) with the same i + j do not depend on each other: they are computed
    together, for all samples, and only three such diagonals are kept. On a diagonal, place i
    stands at i + 1, behind one that no way leads to.
    """
    _, steps, samples = ours.shape
    other_steps = theirs.shape[1]
    backward = xp.ascontiguousarray(theirs[:, ::-1])
    column = xp.arange(samples)
    costs = xp.full(samples, xp.inf)
    previous = xp.full((steps + 1, samples), xp.inf)
    before = previous.copy()
    before[0] = 0  # the way begins
    for diagonal in range(steps + other_steps - 1):
        low, high = max(0, diagonal - other_steps + 1), min(steps, diagonal + 1)
        shift = other_steps - 1 - diagonal
        gaps = local(ours[:, low:high] - backward[:, low + shift : high + shift])
        reached = join(previous[low:high], previous[low + 1 : high + 1], before[low:high])
        before, previous = previous, xp.full_like(previous, xp.inf)
        previous[low + 1 : high + 1] = gaps + reached
        ended = ends + others == diagonal + 2
        costs = xp.where(ended, previous[ends, column], costs)
    return costs
