"""Sequences: predictions over time against targets that are not aligned with them."""

from __future__ import annotations

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
    ),
    use="Transcripts without an alignment (speech, handwriting). It grows with the target's "
    "length: compare over the same sequences. torch's mean divides by the lengths first.",
    traits=("proper",),
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
        "keras": Convention(
            "keras.losses.CTC",
            {"from_logits": True, "infeasible": "infinite"},
            note="logits; keras takes zeros at a target's end, the blank's id, for padding",
        ),
        "optax": Convention(
            "optax.losses.ctc_loss",
            {"from_logits": True},
            note="logits; optax gives about 1e5 for a target that the time steps cannot carry",
        ),
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
) -> Array:
    samples, steps, classes = prediction.shape
    if target.ndim == 1:
        target = target[:, None]
    if blank >= classes:
        why = f"has {classes} classes, and none of them is the blank {blank}"
        raise InvalidInput("prediction", None, why, f"give blank= from 0 to {classes - 1}")

    frames, unknown_frames = _lengths(xp, prediction_lengths, "prediction_lengths", samples, steps)
    labels, is_label, unknown = _labels(xp, target, target_lengths, classes, blank)
    unknown |= unknown_frames
    if infeasible == "error" and not zero_infinity:
        _require_feasible(xp, labels, is_label, frames, ~unknown)

    spelled = _log_likelihood(xp, prediction, frames, labels, is_label, blank, from_logits)
    losses = xp.where(unknown, xp.nan, 0.0 - spelled)
    return xp.where(losses == xp.inf, 0, losses) if zero_infinity else losses


def _log_likelihood(
    xp: ArrayModule,
    prediction: Array,
    frames: Array,
    labels: Array,
    is_label: Array,
    blank: int,
    from_logits: bool,
) -> Array:
    """log p(labels|prediction) by the forward recursion, over time steps, (n,) float64.

    A state is a place in the labels with a blank before, between and behind them: 2S + 1
    per sample, and only those of the present time step are kept.
    """
    samples, steps, classes = prediction.shape
    states = 2 * labels.shape[1] + 1
    spelling = xp.full((samples, states), blank, dtype="int64")
    spelling[:, 1::2] = xp.where(is_label, labels, blank)
    # a blank may be left out between two labels that differ
    skip = xp.full((samples, states), -xp.inf)
    skip[:, 3::2] = xp.where(labels[:, 1:] != labels[:, :-1], 0.0, -xp.inf)

    # Two impossible states in front spare the first ones a case of their own. Before any
    # time step all is in the first blank: with no labels that is the end, too.
    state = xp.full((samples, states + 2), -xp.inf)
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
    xp: ArrayModule, target: Array, target_lengths: Array | None, classes: int, blank: int
) -> tuple[Array, Array, Array]:
    """The class ids, which of them are no padding (n, S each), and which rows have a NaN."""
    labels, missing = _whole(xp, target, "target")
    places = xp.arange(labels.shape[1])
    if target_lengths is None:
        given = labels >= 0
        is_label = places < given.sum(axis=1)[:, None]
        require(
            xp,
            given == is_label,
            "target",
            "has {value} before a class id",
            "negative entries are padding, and stand at the end of a row",
        )
        unknown = missing.any(axis=1)
    else:
        lengths, unknown = _lengths(
            xp, target_lengths, "target_lengths", labels.shape[0], labels.shape[1]
        )
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


def _lengths(
    xp: ArrayModule, given: Array | None, name: str, samples: int, most: int
) -> tuple[Array, Array]:
    """The lengths, all `most` where none are given, and which are NaN."""
    if given is None:
        return xp.full(samples, most), xp.zeros(samples, dtype=bool)
    lengths, unknown = _whole(xp, given, name)
    require(xp, lengths >= 0, name, "has {value}, below 0", "lengths count from 0")
    what, axis = (
        ("time steps", "prediction") if name == "prediction_lengths" else ("labels", "target")
    )
    require(
        xp,
        lengths <= most,
        name,
        f"has {{value}}, more than the {most} {what} of the {axis}",
        f"give lengths from 0 to {most}",
    )
    return lengths, unknown


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
