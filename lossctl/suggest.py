"""Which losses fit two inputs, judged by their shapes, dtypes and values.

Only the first block of rows is looked at. A loss is named only where it takes those rows.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from lossctl import plan as plans
from lossctl.align.inputs import open_inputs
from lossctl.align.rows import in_order
from lossctl.errors import LossctlError, SpecError, UsageError
from lossctl.evaluation import evaluate
from lossctl.losses import get
from lossctl.report import InputInfo
from lossctl.spec import parse

Array = npt.NDArray[Any]

SUM_TOLERANCE = 1e-3  # rows that miss 1 by more are not meant as distributions
RARE = 0.1  # a share of positives below this is imbalanced


class Suggestion(NamedTuple):
    """A loss that fits, and its value on the rows that were looked at."""

    spec: str
    why: str
    value: float


class Kind(NamedTuple):
    """What the inputs look like, and the losses for that."""

    looks: str  # for example "probabilities of yes/no outcomes"
    suggestions: tuple[Suggestion, ...]


Reading = tuple[str, list[str]]  # what the inputs look like, and specs that may fit


class Advice(NamedTuple):
    """What was seen and what fits, the likeliest kind first."""

    inputs: dict[str, InputInfo]
    rows: int  # looked at
    facts: dict[str, str]  # of each input's values
    kinds: tuple[Kind, ...]


def suggest(prediction: Any, target: Any = None, **options: Any) -> Advice:
    """Name the losses that fit a prediction and a target.

    Args:
        prediction: An array (N, …), a data frame, a path or a reference; its file may hold
            the target too.
        target: Likewise, (N, …).
        **options: As `lossctl.evaluate` takes them: `on`, `format`.

    Raises:
        DataError: Inputs that cannot be read.
        UsageError: No loss of a prediction and a target takes these.
    """
    sources = Sources({"prediction": prediction, "target": target}, options)
    batch, infos = sources.first("mse")
    p, t = batch["prediction"], batch["target"]
    known = ~(_missing(p) | _missing(t))
    p, t = p[known], t[known]
    kinds = tuple(
        Kind(looks, found) for looks, specs in _kinds(p, t) if (found := _fitting(sources, specs))
    )
    if not kinds:
        raise UsageError(
            f"no loss of a prediction {p.shape} and a target {t.shape} fits",
            "see all with their inputs: lossctl losses",
        )
    return Advice(infos, len(p), {"prediction": _facts(p), "target": _facts(t)}, kinds)


class Sources(NamedTuple):
    """What the inputs are read from."""

    inputs: dict[str, Any]
    options: dict[str, Any]

    def first(self, spec: str) -> tuple[dict[str, Array], dict[str, InputInfo]]:
        """The first block of what a loss reads, its optional inputs too where they are there."""
        plan = plans.make(spec, self.inputs, sign=False, threads=1, **self.options)
        opened = open_inputs(plan)
        try:
            batch = next(iter(in_order(opened, unpaired=False))).load()
            rows = len(next(iter(batch.inputs.values())))
            infos = {name: wanted.info(rows) for name, wanted in opened.inputs.items()}
            return batch.inputs, infos
        finally:
            opened.close()


def _fitting(sources: Sources, specs: list[str]) -> tuple[Suggestion, ...]:
    """The specs that take the first rows, with their values."""
    found = []
    for spec in specs:
        why = get(parse(spec).terms[0][1].name).use
        try:
            inputs, _ = sources.first(spec)
            arguments: dict[str, Any] = {**inputs, "nan": "skip", "confidence": None}
            value = evaluate(spec, **arguments).losses[0].value
        except SpecError:
            raise  # a mistake in the rules below
        except LossctlError:
            continue
        if not math.isnan(value):
            found.append(Suggestion(spec, why, value))
    return tuple(found)


def _missing(array: Array) -> npt.NDArray[np.bool_]:
    if array.dtype.kind not in "fc":
        return np.zeros(len(array), dtype=bool)
    return np.asarray(np.isnan(array).reshape(len(array), -1).any(axis=1))


def _facts(array: Array) -> str:
    """What the values are, in a few words."""
    if array.dtype.kind == "c" or not array.size:
        return "complex" if array.size else "none without NaN"
    low, high = array.min(), array.max()
    levels = np.unique(array[: 1 << 14]) if _whole(array) else np.array([])
    if 0 < len(levels) <= 3:
        return "only " + ", ".join(f"{level:g}" for level in levels)
    kind = "whole numbers" if _whole(array) else "numbers"
    rows = ", rows sum to 1" if _distribution(array) else ""
    return f"{kind} from {low:.6g} to {high:.6g}{rows}"


def _whole(array: Array) -> bool:
    return array.dtype.kind in "biu" or bool((array == np.floor(array)).all())


def _within(array: Array, low: float, high: float) -> bool:
    return bool(((array >= low) & (array <= high)).all())


def _distribution(array: Array, axis: int = -1) -> bool:
    if array.ndim < 2 or array.shape[axis] < 2 or not _within(array, 0, 1):
        return False
    return bool((abs(array.sum(axis=axis, dtype=float) - 1) < SUM_TOLERANCE).all())


def _kinds(p: Array, t: Array) -> Iterator[Reading]:
    """Every reading of the two arrays, the likeliest first."""
    if not len(p):
        return
    if p.dtype.kind == "c" or t.dtype.kind == "c":
        yield ("density matrices", ["quantum_relative_entropy", "infidelity"])
        return
    if p.shape == t.shape:
        yield from _of_one_shape(p, t)
    else:
        yield from _with_classes(p, t)


def _of_one_shape(p: Array, t: Array) -> Iterator[Reading]:
    two = _whole(t) and _within(t, 0, 1)
    signs = _whole(t) and _within(t, -1, 1) and bool((t == -1).any()) and not (t == 0).any()
    if p.ndim == 2 and _distribution(t) and (_distribution(p) or not _within(p, 0, 1)):
        yield from _distributions(p, t, hard=two)
    elif two and p.ndim >= 3:
        yield from _masks(p, t)
    elif two and p.ndim == 2 and p.shape[1] > 1:
        form = "" if _within(p, 0, 1) else ":from_logits=true"
        specs = [f"bce{form}", f"asymmetric{form}", f"hamming{form}", "label_ranking"]
        yield ("several labels of each sample", specs)
    elif two:
        yield _yes_no(p, t)
    elif signs:
        specs = ["hinge", "logistic", "squared_hinge", "modified_huber", "zero_one:threshold=0"]
        yield ("scores against the classes −1 and 1", specs)
    elif p.ndim >= 3 and min(p.shape[-2:]) > 3:
        yield _images(p, t)
        yield _numbers(p, t)
    elif p.ndim == 2 and p.shape[1] == 4 and _boxes(p) and _boxes(t):
        yield ("boxes (x₁, y₁, x₂, y₂)", ["giou", "diou", "ciou", "iou_box"])
        yield _numbers(p, t)
    elif p.ndim == 2 and p.shape[1] >= 16 and not _whole(t):
        specs = ["cosine_distance", "mse", "mae"]
        yield ("embeddings, or many outputs", specs)
    elif p.ndim == 2 and p.shape[1] > 2 and _whole(t) and _within(t, 0, 5):
        yield ("scores and relevance of lists", ["ndcg_loss", "listnet", "ranknet"])
        yield _numbers(p, t)
    elif _whole(t) and _within(t, 0, math.inf) and _within(p, 1e-300, math.inf):
        yield ("counts", ["poisson_deviance", "poisson", "mae", "rmse"])
        yield _numbers(p, t)
    else:
        yield _numbers(p, t)


def _yes_no(p: Array, t: Array) -> Reading:
    share, rare = float(t.mean()), []
    if 0 < share < RARE:
        rare = ["binary_focal{}", f"weighted_bce:beta={_rounded((1 - share) / share)}{{}}"]
    if _within(p, 0, 1):
        specs = ["bce", "brier", *(item.format("") for item in rare), "zero_one"]
        return ("probabilities of yes/no outcomes", specs)
    logits = [
        item.format(":from_logits=true" if ":" not in item else ",from_logits=true")
        for item in ("bce{}", *rare, "zero_one{}")
    ]
    return ("scores (logits) of yes/no outcomes", [*logits, "hinge", "logistic"])


def _distributions(p: Array, t: Array, hard: bool) -> Iterator[Reading]:
    if hard:
        form = "" if _distribution(p) else ":from_logits=true"
        specs = [f"cross_entropy{form}", *(["brier"] if not form else []), f"focal{form}"]
        yield ("classes against one-hot targets", specs)
    elif _distribution(p):
        specs = ["kl_divergence", "js_divergence", "cross_entropy", "wasserstein", "hellinger"]
        yield ("distributions", specs)
    else:
        specs = ["cross_entropy:from_logits=true"]
        yield ("logits against distributions", specs)


def _masks(p: Array, t: Array) -> Iterator[Reading]:
    axis = ":axis=1" if p.ndim > 3 else ""
    if _within(p, 0, 1):
        specs = [f"dice{axis}", f"jaccard{axis}", "bce", f"tversky{axis}", "binary_focal"]
        yield ("masks of probabilities", specs)
    else:
        join = "," if axis else ":"
        form = "from_logits=true"
        specs = [
            f"dice{axis}{join}{form}",
            f"bce:{form}",
            "lovasz_hinge",
            f"jaccard{axis}{join}{form}",
        ]
        yield ("masks of scores", specs)


def _with_classes(p: Array, t: Array) -> Iterator[Reading]:
    if p.ndim == t.ndim + 1 and _whole(t):
        yield from _class_ids(p, t)
    if p.ndim == 2 and t.ndim == 1 and not _whole(t):
        count = p.shape[1]
        levels = ",".join(f"{(i + 1) / (count + 1):.6g}" for i in range(count))
        specs = ["crps_ensemble", f"pinball:alpha=[{levels}]"]
        yield (f"{count} members or quantiles of a forecast", specs)
    if p.ndim == 3 and t.ndim == 2 and _whole(t):
        form = "" if _within(p, -math.inf, 0) else ":from_logits=true"
        yield "sequences of class scores", [f"ctc{form}"]


def _class_ids(p: Array, t: Array) -> Iterator[Reading]:
    image = p.ndim > 3
    axes = [at for at in range(1, p.ndim) if p.shape[:at] + p.shape[at + 1 :] == t.shape]
    for axis in axes:
        outside = np.unique(t[(t < 0) | (t >= p.shape[axis])])
        if len(outside) > 1:
            return  # no class ids
        left_out = [f"ignore_index={int(value)}" for value in outside]
        said = [f"axis={axis}"] * (len(axes) > 1)
        if _distribution(p, axis):
            names = (
                ["dice", "jaccard", "cross_entropy", "lovasz_softmax"]
                if image
                else ["cross_entropy", "brier", "focal", "top_k_error", "zero_one"]
            )
            looks, form = "probabilities of classes", ""
        elif _within(p, -math.inf, 0) and _distribution(np.exp(p, dtype=float), axis):
            names, looks, form = ["nll"], "log-probabilities of classes", ""
        else:
            names = ["dice", "cross_entropy"] if image else ["cross_entropy", "focal"]
            looks, form = "scores (logits) of classes", "from_logits=true"
        if left_out:
            looks += f", {outside[0]:g} for what is left out"
            names = [name for name in names if _has(name, "ignore_index")]
        params = ",".join([*filter(None, [form]), *said, *left_out])
        yield (looks, [f"{name}:{params}" if params else name for name in names])
        return


def _has(name: str, param: str) -> bool:
    return any(item.name == param for item in get(name).params)


def _images(p: Array, t: Array) -> Reading:
    high = float(max(p.max(), t.max()))
    span = 1 if high <= 1 else 255 if high <= 255 else _rounded(high)
    channels = [at for at in (1, p.ndim - 1) if p.ndim == 4 and p.shape[at] in (1, 3, 4)]
    said = f",channels={'first' if channels[0] == 1 else 'last'}" if channels else ""
    specs = ["mae", f"ssim:data_range={span}{said}", f"psnr:data_range={span}", "mse"]
    return ("images", specs)


def _numbers(p: Array, t: Array) -> Reading:
    error = p.astype(float) - t.astype(float)
    spread = 1.345 * float(np.median(abs(error - np.median(error)))) / 0.6745
    specs = ["rmse", "mae", *([f"huber:delta={_rounded(spread)}"] if spread > 0 else [])]
    if _within(t, 1e-300, math.inf) and _within(p, 1e-300, math.inf):
        wide = float(t.max()) > 100 * float(t.min())
        specs += ["rmsle", "mape"] if wide else ["mape"]
    return ("numbers", [*specs, "log_cosh"])


def _boxes(array: Array) -> bool:
    return bool((array[:, 2] > array[:, 0]).all() and (array[:, 3] > array[:, 1]).all())


def _rounded(value: float) -> str:
    return f"{float(f'{value:.2g}'):g}"
