"""The cases, as tables: which losses, with which parameters, on which inputs.

A menu is a list of inputs for a family of losses. A plan runs a loss over a menu with its base
parameters, over two of the menu's inputs with each variant of them, and over inputs of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

Key = dict[str, Any]
Params = dict[str, Any]

BIG = 70_001


@dataclass(frozen=True)
class Case:
    """One evaluation. ``library=False`` where libraries clamp, round or refuse the inputs."""

    loss: str
    label: str
    inputs: Key
    params: Params = field(default_factory=dict)
    reduction: str = "mean"
    library: bool = True
    textbook: float | None = None

    @property
    def spec(self) -> str:
        text = ",".join(f"{name}={show(value)}" for name, value in self.params.items())
        return f"{self.loss}:{text}" if text else self.loss

    @property
    def id(self) -> str:
        return f"{self.spec} {self.label} {self.reduction}"


def show(value: Any) -> str:
    if isinstance(value, list):
        return f"[{','.join(map(show, value))}]"
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)


@dataclass(frozen=True)
class Inputs:
    label: str
    key: Key
    reductions: tuple[str, ...] = ("mean",)
    params: Params = field(default_factory=dict)
    library: bool = True


@dataclass(frozen=True)
class Plan:
    """``variants`` run on the menu's inputs named ``on``; ``extra`` are this loss's own inputs."""

    loss: str
    menu: Sequence[Inputs]
    base: Params = field(default_factory=dict)
    variants: Sequence[Params] = ()
    on: tuple[str, ...] = ("float64", "float32")
    extra: Sequence[Inputs] = ()
    skip: tuple[str, ...] = ()

    def cases(self) -> Iterator[Case]:
        for item in (*self.menu, *self.extra):
            if item.label in self.skip:
                continue
            for reduction in item.reductions:
                params = {**self.base, **item.params}
                yield Case(self.loss, item.label, item.key, params, reduction, item.library)
        by_label = {item.label: item for item in self.menu}
        for variant in self.variants:
            for label in self.on:
                item = by_label[label]
                params = {**self.base, **item.params, **variant}
                yield Case(self.loss, label, item.key, params, "mean", item.library)


def key(make: str, seed: int, **arguments: Any) -> Key:
    return {"make": make, "seed": seed, **arguments}


def given(dtype: Any = "float64", **arrays: Any) -> Key:
    return {"make": "given", "dtype": dtype, **arrays}


def across(
    label: str, dtypes: Sequence[str], *, params: Params | None = None, **arrays: Any
) -> list[Inputs]:
    """The same written-out prediction in several types, the targets in float64."""
    return [
        Inputs(
            f"{label}-{dtype}",
            given({"prediction": dtype, "target": "float64"}, **arrays),
            params=params or {},
            library=False,
        )
        for dtype in dtypes
    ]


FLOATS = ("float64", "float32", "float16")
BOTH = ("mean", "sum")

# Regression --------------------------------------------------------------------------------------


def real(low: float, high: float, ints: tuple[int, int] = (0, 255)) -> list[Inputs]:
    names = {"prediction": [low, high], "target": [low, high]}
    whole = {"prediction": list(ints), "target": list(ints)}

    def fields(seed: int, **arguments: Any) -> Key:
        return key("fields", seed, **{"names": names, **arguments})

    types = {"prediction": "float32", "target": "int64"}
    return [
        Inputs("float64", fields(1, shape=[3]), (*BOTH, "batchmean")),
        Inputs("vector", fields(2), BOTH),
        Inputs("cube", fields(3, rows=5, shape=[2, 3])),
        Inputs("float32", fields(4, shape=[3], dtype="float32"), BOTH),
        Inputs("float16", fields(5, shape=[3], dtype="float16")),
        Inputs("uint8", fields(6, shape=[3], names=whole, dtype="uint8"), BOTH),
        Inputs("mixed", fields(7, names={**whole, "prediction": names["prediction"]}, dtype=types)),
        Inputs("weighted", fields(8, shape=[3], weight=True), BOTH),
        Inputs("one-row", fields(9, rows=1, shape=[4])),
        Inputs("big", fields(10, rows=BIG)),
        Inputs("big-float32", fields(11, rows=BIG, dtype="float32")),
    ]


SIGNED = real(-3, 3)
POSITIVE = real(0.05, 4, (1, 255))


def finished(menu: Sequence[Inputs]) -> list[Inputs]:
    """For losses with a finish: no batchmean, and no sum of weighted samples."""
    return [
        replace(item, reductions=("mean",) if "weight" in item.key else item.reductions[:2])
        for item in menu
    ]


ON_EDGE = given(prediction=[2, 0.5, -1, 5], target=[0, 1, 1, 2])
ZEROS: dict[str, Any] = {"prediction": [0, 1, 1, -2, 0.5], "target": [0, 0, 2, 0, 0.25]}

FAR = across("far", FLOATS, prediction=[1e4, -1e4, 30, 5, 0.25], target=[-8, 16, -2, 5.5, 1])

REGRESSION = [
    Plan("mse", SIGNED, extra=FAR),
    Plan("rmse", finished(SIGNED), extra=FAR),
    Plan("mae", SIGNED, extra=FAR),
    Plan(
        "huber",
        SIGNED,
        variants=[{"delta": 2}, {"delta": 0.25}],
        extra=[Inputs("edge", ON_EDGE, params={"delta": 2}), *FAR],
    ),
    Plan(
        "smooth_l1",
        SIGNED,
        variants=[{"beta": 2}, {"beta": 0.25}, {"beta": 0}],
        extra=[Inputs("edge", ON_EDGE, params={"beta": 2}), *FAR],
    ),
    Plan(
        "log_cosh",
        SIGNED,
        extra=[
            *FAR,
            *across("near", ["float64", "float32"], prediction=[1e-8, -1e-5, 1e-3], target=[0] * 3),
        ],
    ),
    Plan(
        "pinball",
        SIGNED,
        variants=[{"alpha": 0.1}, {"alpha": 0.9}],
        extra=[
            Inputs(
                label,
                key(
                    "given",
                    0,
                    dtype=dtype,
                    prediction=[[-0.5, 0.25, 1.5], [2, 2.25, 4], [1.5, 0.75, 3], [0.1, 0.7, 0.9]],
                    target=[0.3, 5, -1, 0.8],
                ),
                BOTH,
                {"alpha": [0.1, 0.5, 0.9]},
            )
            for label, dtype in (("quantiles", "float64"), ("quantiles-float32", "float32"))
        ],
    ),
    Plan("mape", POSITIVE, extra=across("zeros", FLOATS, **ZEROS)),
    Plan("smape", POSITIVE, extra=across("zeros", FLOATS, **ZEROS)),
    Plan(
        "msle",
        POSITIVE,
        extra=[
            Inputs("negative", given(prediction=[-0.5, -0.999, 2], target=[0.5, -0.2, -0.75])),
            Inputs(
                "close",
                given(prediction=[1.000001, 3e-9, 250.0001], target=[1, 1e-9, 250]),
                library=False,
            ),
            Inputs(
                "close-float32",
                given("float32", prediction=[1.001, 3e-9, 251], target=[1, 1e-9, 250]),
                library=False,
            ),
        ],
    ),
    Plan("rmsle", finished(POSITIVE)),
]

# Counts and likelihoods --------------------------------------------------------------------------

COUNTS = [
    Inputs(
        item.label,
        {
            **item.key,
            "names": {"prediction": list(item.key["names"]["prediction"]), "target": [0, 9]},
            "dtype": {"prediction": item.key.get("dtype", "float64"), "target": "int64"}
            if item.label in ("vector", "float32", "big")
            else item.key.get("dtype", "float64"),
        },
        item.reductions,
    )
    for item in POSITIVE
    if item.label != "mixed"
]
VARIANCE = [
    Inputs(
        item.label,
        {**item.key, "names": {**item.key["names"], "variance": [0.1, 2.5]}},
        item.reductions,
    )
    for item in SIGNED
    if item.label not in ("uint8", "mixed")
]

LIKELIHOODS = [
    Plan(
        "poisson",
        COUNTS,
        variants=[{"log_input": True}, {"full": True}, {"log_input": True, "full": True}],
        on=("vector", "float32"),
        extra=[
            Inputs("fractional", COUNTS[0].key, params={"full": True}),
            Inputs("zeros", given(prediction=[0, 0.5, 3], target=[0, 0, 0]), library=False),
            Inputs("impossible", given(prediction=[0, 0.5], target=[2, 0]), library=False),
            Inputs(
                "log-extremes",
                given(prediction=[-1e4, 30, -700, 2], target=[3, 1e13, 0, 0]),
                params={"log_input": True},
                library=False,
            ),
        ],
    ),
    Plan(
        "gaussian_nll",
        VARIANCE,
        variants=[{"full": False}],
        extra=[
            Inputs("constant", SIGNED[0].key, BOTH, {"variance": 0.7}),
            Inputs(
                "uint8",
                key(
                    "fields",
                    12,
                    names={"prediction": [0, 255], "target": [0, 255], "variance": [1, 90]},
                    dtype="uint8",
                ),
                BOTH,
            ),
            Inputs(
                "extremes",
                given(prediction=[1, 1e4, 0], target=[2, -1e4, 1e-3], variance=[1e-8, 1e6, 1e-9]),
                library=False,
            ),
        ],
    ),
]

# Binary classification ---------------------------------------------------------------------------


def pairs(seed: int, **arguments: Any) -> Key:
    return key("binary", seed, **arguments)


LOGITS: Params = {"from_logits": True}
PROBABILITIES = [
    Inputs("float64", pairs(21, shape=[3]), BOTH),
    Inputs("vector", pairs(22), (*BOTH, "batchmean")),
    Inputs("bool-target", pairs(23, target_dtype="bool")),
    Inputs("uint8-target", pairs(24, target_dtype="uint8")),
    Inputs("float32", pairs(25, shape=[3], dtype="float32", target_dtype="float32")),
    Inputs("float32-int", pairs(26, dtype="float32", target_dtype="int64")),
    Inputs("float16", pairs(27, dtype="float16", target_dtype="float16")),
    Inputs("weighted", pairs(28, shape=[2], weight=True), BOTH),
    Inputs("big", pairs(29, rows=BIG)),
]
SOFT = [
    Inputs("soft", pairs(30, shape=[2, 3], soft=True)),
    Inputs("soft-float32", pairs(31, soft=True, dtype="float32", target_dtype="float32")),
]
SCORES = [
    Inputs("logits", pairs(32, shape=[3], scores=4), BOTH, LOGITS),
    Inputs(
        "logits-float32", pairs(33, scores=4, dtype="float32", target_dtype="int64"), params=LOGITS
    ),
    Inputs(
        "logits-float16", pairs(34, scores=4, dtype="float16", target_dtype="bool"), params=LOGITS
    ),
    Inputs("logits-int", pairs(35, scores=4, dtype="int64", target_dtype="int64"), params=LOGITS),
    Inputs("logits-big", pairs(36, rows=BIG, scores=6, dtype="float32"), params=LOGITS),
    *across(
        "logits-extremes",
        FLOATS,
        params=LOGITS,
        prediction=[1e4, -1e4, 1e4, -1e4, 16, -24],
        target=[1, 0, 0, 1, 1, 0],
    ),
    Inputs(
        "logits-steep",
        given(prediction=[40, -40, 120, -120, 700, -700], target=[1, 0, 0, 1, 1, 0]),
        params=LOGITS,
        library=False,
    ),
]
CERTAIN = [
    *across("certain", FLOATS, prediction=[0, 1, 0.25, 0.75], target=[0, 1, 1, 0]),
    *across("wrong", FLOATS, prediction=[0, 0.5, 1], target=[1, 1, 1]),
    Inputs("certain-int", given("uint8", prediction=[0, 1, 1], target=[0, 1, 1]), library=False),
    Inputs(
        "tiny",
        given(
            prediction=[1e-300, 1e-20, 1e-20, 1 - 2.0**-52, 1 - 2.0**-40, 0.9999],
            target=[1, 0, 1, 1, 0, 1],
        ),
        library=False,
    ),
]
CLASSES_2 = [*PROBABILITIES, *SOFT, *SCORES, *CERTAIN]
MARGINS = [
    Inputs("float64", pairs(41, shape=[3], scores=3, labels=[-1, 1]), BOTH),
    Inputs("mapped", pairs(42, scores=3), BOTH),
    Inputs("float32", pairs(43, shape=[3], scores=3, dtype="float32", target_dtype="float32")),
    Inputs("float16", pairs(44, scores=3, dtype="float16", labels=[-1, 1], target_dtype="int64")),
    Inputs("uint8-target", pairs(45, scores=3, target_dtype="uint8")),
    Inputs("bool-target", pairs(46, scores=3, target_dtype="bool")),
    Inputs("int8", pairs(47, scores=5, dtype="int8", labels=[-1, 1], target_dtype="int8")),
    Inputs("weighted", pairs(48, shape=[2], scores=3, labels=[-1, 1], weight=True), BOTH),
    Inputs("big", pairs(49, rows=BIG, scores=3, labels=[-1, 1])),
    Inputs(
        "extremes",
        given(prediction=[1e4, -1e4, 1, 1e-9], target=[-1, -1, 1, 1]),
    ),
]
POWER_OF_TWO = 2.0**-10  # 1 − clip is exact

BINARY = [
    Plan(
        "bce",
        CLASSES_2,
        variants=[{"label_smoothing": 0.1}, {"pos_weight": 3}, {"clip": POWER_OF_TWO}],
        on=("float64", "float32", "soft"),
        extra=[
            Inputs("logits", SCORES[0].key, params={**LOGITS, "pos_weight": 2.5}),
            Inputs("logits", SCORES[0].key, params={**LOGITS, "label_smoothing": 0.2}),
            Inputs(
                "logits-smoothed", pairs(37, scores=4), BOTH, {**LOGITS, "label_smoothing": 0.3}
            ),
            Inputs(
                "clipped",
                given(prediction=[0, 1, 1, 0, 0.5], target=[1, 0, 1, 0, 1]),
                params={"clip": POWER_OF_TWO},
            ),
        ],
    ),
    Plan("weighted_bce", CLASSES_2, {"beta": 2.5}, [{"beta": 0.3}]),
    Plan("balanced_bce", CLASSES_2, {"beta": 0.7}, [{"beta": 0.3}]),
    Plan(
        "binary_focal",
        CLASSES_2,
        variants=[{"gamma": 0}, {"gamma": 0.5}, {"alpha": 0.25}, {"gamma": 3, "alpha": 0.6}],
        on=("float64", "float32", "logits"),
    ),
    Plan("hinge", MARGINS, variants=[{"margin": 0.5}, {"margin": 2}]),
    Plan("squared_hinge", MARGINS),
]

# Multi-class -------------------------------------------------------------------------------------


def maps(seed: int, **arguments: Any) -> Key:
    return key("classes", seed, **arguments)


MAP = {"rows": 4, "spatial": [2, 3], "last": False}
F32 = {"dtype": "float32"}
WEIGHTS: Params = {"class_weights": [1, 2.5, 0.75, 3, 1.25]}
PIXELS = [
    Inputs("map", maps(51, **MAP), (*BOTH, "batchmean")),
    Inputs("map-float32", maps(52, **MAP, **F32, target_dtype="uint8")),
    Inputs(
        "map-ignored",
        maps(53, **MAP, target_dtype="uint8", ignore=255),
        BOTH,
        {"ignore_index": 255},
    ),
    Inputs(
        "map-blank",
        maps(54, **MAP, ignore=-100, blank_rows=[2]),
        BOTH,
        {"ignore_index": -100},
    ),
    Inputs("map-ignored-class", maps(55, **MAP), BOTH, {"ignore_index": 0}),
]
IDS = [
    Inputs("float64", maps(56), BOTH),
    Inputs("float32", maps(57, **F32, target_dtype="int32")),
    Inputs("float16", maps(58, dtype="float16", target_dtype="uint8")),
    Inputs("float-ids", maps(59, target_dtype="float64")),
    Inputs("map-last", maps(60, rows=4, spatial=[2, 3])),
    Inputs("sequence", maps(61, rows=4, spatial=[3]), BOTH),
    Inputs("weighted", maps(62, weight=True), BOTH),
    Inputs("big", maps(63, rows=BIG, count=3)),
    Inputs("ignored", maps(64, rows=9, ignore=-1), BOTH, {"ignore_index": -1}),
    *PIXELS,
]
CLASS_LOGITS = [
    Inputs("logits", maps(65, kind="logit"), BOTH, LOGITS),
    Inputs("logits-float32", maps(66, kind="logit", **F32), params=LOGITS),
    Inputs("logits-float16", maps(67, kind="logit", dtype="float16"), params=LOGITS),
    Inputs("logits-int", maps(68, kind="logit", dtype="int64", scale=9), params=LOGITS),
    Inputs("logits-map", maps(69, **MAP, kind="logit"), params=LOGITS),
    *across(
        "logits-extremes",
        FLOATS,
        params=LOGITS,
        prediction=[[1e4, -1e4, 0], [1e4, -1e4, 8], [-1e4, -1e4, -9984], [1e4, 9984, -1e4]],
        target=[0, 1, 2, 0],
    ),
    Inputs(
        "logits-steep",
        given(
            prediction=[[40, 0, 1], [0, 120, 3], [700, 0, -700], [-50, 2, 60]], target=[0, 1, 1, 2]
        ),
        params=LOGITS,
        library=False,
    ),
]
CLASS_CERTAIN = [
    *across("certain", FLOATS, prediction=[[0, 1, 0], [0.25, 0, 0.75]], target=[1, 0]),
    *across("wrong", FLOATS, prediction=[[0, 1, 0], [0.25, 0.25, 0.5]], target=[2, 0]),
]
ONE_HOT = [
    Inputs("float64", maps(71, target="onehot", target_dtype="float64"), BOTH),
    Inputs("float32", maps(72, target="onehot", **F32, target_dtype="float32")),
    Inputs("float16", maps(73, target="onehot", dtype="float16", target_dtype="float16")),
    Inputs("uint8-target", maps(74, target="onehot", target_dtype="uint8")),
    Inputs("soft", maps(75, target="soft", target_dtype="float64"), BOTH),
    Inputs("soft-float32", maps(76, target="soft", **F32, target_dtype="float32")),
    Inputs("map-axis", maps(77, **MAP, target="onehot"), BOTH, {"axis": 1}),
    Inputs(
        "map-last-axis",
        maps(78, rows=4, spatial=[2, 3], target="soft", target_dtype="float64"),
        params={"axis": -1},
    ),
    Inputs("onehot-logits", maps(79, target="onehot", kind="logit"), params=LOGITS),
    Inputs(
        "soft-logits",
        maps(80, target="soft", target_dtype="float64", kind="logit"),
        BOTH,
        params=LOGITS,
    ),
    Inputs(
        "onehot-certain",
        given(prediction=[[0, 1, 0], [0.5, 0, 0.5]], target=[[0, 1, 0], [1, 0, 0]]),
        library=False,
    ),
    Inputs(
        "soft-wrong",
        given(prediction=[[0, 1, 0], [0.5, 0, 0.5]], target=[[0.5, 0.5, 0], [1, 0, 0]]),
        library=False,
    ),
    Inputs("onehot-big", maps(81, rows=BIG, count=3, target="onehot")),
]
SMOOTH: Params = {"label_smoothing": 0.1}
CLIPPED = Inputs(
    "clipped",
    given(prediction=[[0, 1, 0], [0.25, 0, 0.75]], target=[2, 0]),
    params={"clip": POWER_OF_TWO},
)
LOG_PROBABILITIES = [
    Inputs(item.label, {**item.key, "kind": "log"}, item.reductions, item.params) for item in IDS
]
TOKENS = finished([*IDS, *CLASS_LOGITS, *CLASS_CERTAIN])
BRIER = [
    Inputs("probability", PROBABILITIES[1].key, BOTH),
    Inputs("probability-float32", PROBABILITIES[5].key),
    Inputs("probability-float16", PROBABILITIES[6].key),
    Inputs("probability-soft", SOFT[1].key),
    Inputs("probability-bool", PROBABILITIES[2].key),
    Inputs("probability-big", PROBABILITIES[-1].key),
    Inputs("certain-int", given("uint8", prediction=[0, 1, 0], target=[1, 1, 0])),
    Inputs("ids", IDS[0].key, BOTH),
    Inputs("ids-float32", IDS[1].key),
    Inputs("ids-float", IDS[3].key),
    Inputs("ids-big", IDS[7].key),
    *(item for item in ONE_HOT if item.label in ("float64", "float32", "float16", "soft")),
]

MULTICLASS = [
    Plan("brier", BRIER),
    Plan(
        "cross_entropy",
        [*IDS, *CLASS_LOGITS, *CLASS_CERTAIN],
        variants=[WEIGHTS, SMOOTH, {"axis": 1}],
        on=("float64", "float32", "map"),
        extra=[
            Inputs("map-ignored-weights", PIXELS[2].key, BOTH, {**WEIGHTS, **PIXELS[2].params}),
            Inputs("logits", CLASS_LOGITS[0].key, params={**LOGITS, **SMOOTH}),
            Inputs("logits", CLASS_LOGITS[0].key, BOTH, {**LOGITS, **WEIGHTS}),
            Inputs("ignored-smooth", IDS[8].key, BOTH, {**SMOOTH, "ignore_index": -1}),
            Inputs("soft", ONE_HOT[4].key, BOTH, WEIGHTS),
            Inputs("soft", ONE_HOT[4].key, params=SMOOTH),
            CLIPPED,
            *(
                Inputs(f"dense-{item.label}", item.key, item.reductions, item.params, item.library)
                for item in ONE_HOT
            ),
        ],
    ),
    Plan(
        "categorical_crossentropy",
        ONE_HOT,
        variants=[WEIGHTS, SMOOTH, {"clip": POWER_OF_TWO}],
        on=("float64", "float32", "soft"),
    ),
    Plan(
        "sparse_categorical_crossentropy",
        [*IDS, *CLASS_LOGITS, *CLASS_CERTAIN],
        variants=[WEIGHTS, SMOOTH],
        extra=[CLIPPED],
    ),
    Plan(
        "pixel_cross_entropy",
        [
            *PIXELS,
            Inputs("map-last", maps(60, rows=4, spatial=[2, 3])),
            Inputs("float16", maps(70, **MAP, dtype="float16")),
            Inputs("logits-map", CLASS_LOGITS[4].key, BOTH, LOGITS),
            Inputs("logits-float32", maps(82, **MAP, kind="logit", **F32), params=LOGITS),
            Inputs("big", maps(83, rows=BIG, count=3, spatial=[1, 2], last=False)),
        ],
        variants=[WEIGHTS, SMOOTH],
        on=("map", "map-float32", "map-ignored"),
    ),
    Plan("nll", LOG_PROBABILITIES, variants=[WEIGHTS], on=("float64", "float32", "map")),
    Plan("perplexity", TOKENS),
    Plan(
        "focal",
        [
            *(item for item in IDS if "ignore_index" not in item.params),
            *CLASS_LOGITS,
            *CLASS_CERTAIN,
        ],
        variants=[
            {"gamma": 0},
            {"gamma": 0.5},
            {"gamma": 3},
            {"alpha": 0.25},
            {"alpha": [1, 0.5, 0.25, 2, 0.75]},
        ],
        on=("float64", "float32", "logits"),
        extra=[
            Inputs(f"onehot-{item.label}", item.key, item.reductions, item.params)
            for item in ONE_HOT[:2]
        ],
    ),
]

# Distributions -----------------------------------------------------------------------------------


def mixtures(seed: int, **arguments: Any) -> Key:
    return key("distributions", seed, **arguments)


HISTOGRAMS = [
    Inputs("float64", mixtures(91), BOTH),
    Inputs("float32", mixtures(92, dtype="float32")),
    Inputs("float16", mixtures(93, dtype="float16")),
    Inputs("zeros", mixtures(94, zeros=["prediction", "target"])),
    Inputs("target-zeros", mixtures(95, zeros=["target"])),
    Inputs("prediction-zeros", mixtures(96, zeros=["prediction"])),
    Inputs("int-target", mixtures(97, target_dtype="int64")),
    Inputs("rows", mixtures(98, rows=4, shape=[3, 5])),
    Inputs("near", mixtures(104, near=1e-4), library=False),
    Inputs("near-float32", mixtures(105, near=1e-2, dtype="float32"), library=False),
    Inputs("weighted", mixtures(99, weight=True), BOTH),
    Inputs("big", mixtures(100, rows=BIG, shape=[3])),
    Inputs("equal", given(prediction=[[0.25, 0.75, 0]], target=[[0.25, 0.75, 0]])),
    Inputs("disjoint", given(prediction=[[1, 0, 0], [0.5, 0.5, 0]], target=[[0, 0.5, 0.5]] * 2)),
]
LOGS = [
    Inputs("log-prediction", mixtures(101, logs=["prediction"]), params={"log_prediction": True}),
    Inputs("log-target", mixtures(102, logs=["target"]), params={"log_target": True}),
    Inputs(
        "logs-float32",
        mixtures(103, logs=["prediction", "target"], dtype="float32"),
        params={"log_prediction": True, "log_target": True},
    ),
]
PLANNED = ("kl_divergence", "reverse_kl", "jeffreys", "js_divergence")
SMALL_STEP = 2.0**-20
BASES = [{"base": 2}, {"base": 10}]

DISTRIBUTIONS = [
    *(Plan(loss, [*HISTOGRAMS, *LOGS], variants=BASES) for loss in PLANNED),
    *(
        Plan(loss, [*HISTOGRAMS, *LOGS])
        for loss in ("hellinger", "total_variation_distance", "chi_squared")
    ),
    Plan("bhattacharyya", [*HISTOGRAMS, *LOGS]),
    Plan(
        "renyi",
        [*HISTOGRAMS, *LOGS],
        {"alpha": 2},
        [{"alpha": 0.5}, {"alpha": 3}, {"base": 2}],
        on=("float64", "float32", "zeros"),
    ),
    Plan(
        "wasserstein",
        HISTOGRAMS,
        variants=[{"positions": [0, 1, 3, 7, 7.5]}],
        # Rows whose sums differ by rounding have no distance to twelve digits of a small one.
        skip=("near", "near-float32"),
        extra=[
            Inputs(
                f"near-exact-{dtype}",
                given(
                    dtype,
                    prediction=[[0.25, 0.5, 0.25]],
                    target=[[0.25 + SMALL_STEP, 0.5 - 3 * SMALL_STEP, 0.25 + 2 * SMALL_STEP]],
                ),
            )
            for dtype in FLOATS[:2]
        ],
    ),
]

# Vectors -----------------------------------------------------------------------------------------


def vectors(
    names: Sequence[str], labels: Sequence[float] = (), low: float = -1.0, high: float = 2.0
) -> list[Inputs]:
    extra: dict[str, Any] = {"labels": {"target": list(labels)}} if labels else {}

    def fields(seed: int, low: float = low, high: float = high, **arguments: Any) -> Key:
        ranges = {name: [low, high] for name in names}
        return key("fields", seed, names=ranges, **{"shape": [4], **extra, **arguments})

    return [
        Inputs("float64", fields(111), BOTH),
        Inputs("float32", fields(112, dtype="float32")),
        Inputs("float16", fields(113, dtype="float16")),
        Inputs("int8", fields(114, -20, 90, dtype="int8")),
        Inputs("uint8", fields(115, 0, 255, dtype="uint8")),
        Inputs("weighted", fields(116, weight=True), BOTH),
        Inputs("big", fields(117, rows=BIG, shape=[3])),
    ]


ROWS = vectors(("prediction", "target"))
TRIPLES = vectors(("anchor", "positive", "negative"))
LABELLED = vectors(("left", "right"), (0, 1))
ORDERED = vectors(("positive", "negative"))
TINY: dict[str, list[list[float]]] = {
    "prediction": [[1, 2, -0.5], [1, 2, 3]],
    "target": [[2, 1, 1], [-1, 0.5, 3]],
}


def scaled(factor: float) -> dict[str, Any]:
    return {name: [[factor * v for v in row] for row in rows] for name, rows in TINY.items()}


COSINE = [
    *ROWS,
    Inputs("rows", key("fields", 118, names=ROWS[0].key["names"], rows=4, shape=[3, 5]), BOTH),
    Inputs(
        "zero",
        given(
            prediction=[[0, 0, 0], [1, 2, 3], [0, 0, 0]], target=[[1, 2, 3], [0, 0, 0], [0, 0, 0]]
        ),
        library=False,
    ),
    Inputs("tiny", given(**scaled(1e-200)), library=False),
    Inputs("huge", given(**scaled(1e200)), library=False),
    Inputs("tiny-float32", given("float32", **scaled(1e-30)), library=False),
]
PARALLEL = Inputs(
    "parallel",
    given(
        prediction=[[1, 2, 3], [0.5, -1, 2], [1, 1, 1e-3]],
        target=[[1.001, 2, 2.997], [1.01, -2, 4], [2, 2, -1e-3]],
    ),
    library=False,
)
RANKED = [Inputs(item.label, {**item.key, "shape": []}, item.reductions) for item in ORDERED]

EMBEDDINGS = [
    Plan("cosine_proximity", COSINE),
    Plan("cosine_distance", COSINE, extra=[PARALLEL]),
    Plan(
        "contrastive",
        LABELLED,
        variants=[{"margin": 2}, {"half": False}, {"similar": 0}],
        extra=[
            Inputs(
                "bool-target", vectors(("left", "right"), (0, 1))[0].key | {"label_dtype": "bool"}
            ),
            Inputs(
                "distances",
                key("fields", 119, names={"prediction": [0, 2]}, labels={"target": [0, 1]}),
                BOTH,
            ),
            Inputs(
                "distances-float32",
                key(
                    "fields",
                    120,
                    names={"prediction": [0, 2]},
                    labels={"target": [0, 1]},
                    dtype="float32",
                    label_dtype="int64",
                ),
                params={"margin": 1.5},
            ),
        ],
    ),
    Plan(
        "triplet",
        TRIPLES,
        variants=[
            {"margin": 0.2},
            {"margin": 3, "distance": "euclidean"},
            {"distance": "cosine"},
            {"swap": True},
            {"distance": "euclidean", "swap": True},
        ],
    ),
    Plan(
        "margin_ranking",
        RANKED,
        variants=[{"margin": 0.5}],
        extra=[
            Inputs(
                f"labelled-{item.label}",
                {**item.key, "labels": {"target": [-1, 1]}},
                item.reductions,
                {"margin": 0.25},
            )
            for item in RANKED[:3]
        ],
    ),
]

# Segmentation ------------------------------------------------------------------------------------

MASK = {"rows": 5, "shape": [3, 4]}
MASKS = [
    Inputs("float64", pairs(121, **MASK), BOTH),
    Inputs("float32", pairs(122, **MASK, dtype="float32", target_dtype="uint8")),
    Inputs("float16", pairs(123, **MASK, dtype="float16", target_dtype="bool")),
    Inputs("hard", pairs(124, **MASK, dtype="uint8", target_dtype="uint8")),
    Inputs("empty", pairs(125, **MASK, empty=[1, 3]), BOTH, library=False),
    Inputs("big", pairs(126, rows=BIG, shape=[2, 2])),
    Inputs(
        "sharp",
        given(
            prediction=[[[1 - 1e-9, 2e-9, 1], [1, 1 - 3e-7, 0]], [[0, 1, 0.9999], [0, 0, 1e-12]]],
            target=[[[1, 0, 1], [1, 1, 0]], [[0, 1, 1], [0, 0, 0]]],
        ),
        library=False,
    ),
    Inputs("logits", pairs(127, **MASK, scores=4), params=LOGITS),
    Inputs("logits-float32", pairs(128, **MASK, scores=4, dtype="float32"), params=LOGITS),
    *across(
        "logits-extremes",
        FLOATS,
        params=LOGITS,
        prediction=[[[1e4, -1e4], [1e4, 2]], [[-1e4, -3], [0.5, 1e4]]],
        target=[[[1, 0], [0, 1]], [[1, 0], [1, 1]]],
    ),
]
CLASS_MASKS = [
    Inputs("classes", maps(129, **MAP), BOTH),
    Inputs("classes-last", maps(130, rows=4, spatial=[2, 3], target_dtype="uint8")),
    Inputs(
        "classes-onehot",
        maps(131, **MAP, target="onehot", target_dtype="uint8"),
        params={"axis": 1},
    ),
    Inputs("classes-float32", maps(132, **MAP, **F32)),
    Inputs("classes-absent", maps(133, **MAP, absent=[2, 4])),
    Inputs("classes-logits", maps(134, **MAP, kind="logit"), params=LOGITS),
]
IGNORED = Inputs(
    "classes-ignored",
    maps(135, **MAP, target_dtype="uint8", ignore=255),
    BOTH,
    {"ignore_index": 255},
)
DATASET: Params = {"over": "dataset"}
MICRO: Params = {"average": "micro"}
OVERLAP = [*MASKS, *CLASS_MASKS, IGNORED]
POOLED = [
    Inputs("pooled", MASKS[0].key, BOTH, DATASET),
    Inputs("pooled-empty", MASKS[4].key, params=DATASET, library=False),
    Inputs("pooled-big", MASKS[5].key, params=DATASET),
    Inputs("pooled-classes", CLASS_MASKS[0].key, BOTH, DATASET),
    Inputs("pooled-micro", CLASS_MASKS[0].key, params={**DATASET, **MICRO}),
    Inputs("pooled-ignored", IGNORED.key, params={**DATASET, **IGNORED.params}),
    Inputs("micro-ignored", IGNORED.key, params={**MICRO, **IGNORED.params}),
]
ON_MASKS = ("float64", "float32", "classes", "empty")
SMOOTHED: Params = {"smooth": 1}

FACES = [item for item in MASKS if "from_logits" not in item.params and item.label != "big"]
SCORED = [
    Inputs("float64", pairs(141, **MASK, scores=3), BOTH),
    Inputs("float32", pairs(142, **MASK, scores=3, dtype="float32", target_dtype="uint8")),
    Inputs("float16", pairs(143, **MASK, scores=3, dtype="float16", target_dtype="bool")),
    Inputs("int", pairs(144, **MASK, scores=5, dtype="int64", target_dtype="int64")),
    Inputs("empty", pairs(145, **MASK, scores=3, empty=[1])),
    Inputs("big", pairs(146, rows=BIG, shape=[1, 2], scores=3)),
    *across(
        "extremes",
        FLOATS,
        prediction=[[[1e4, -1e4], [1e4, 2]], [[-1e4, -3], [0.5, 1e4]]],
        target=[[[1, 0], [0, 1]], [[1, 0], [1, 1]]],
    ),
]
PER_DATASET: Params = {"per_image": False}

SEGMENTATION = [
    Plan("dice", OVERLAP, variants=[SMOOTHED, {"squared": True}, MICRO], on=ON_MASKS, extra=POOLED),
    Plan("jaccard", OVERLAP, variants=[SMOOTHED, MICRO], on=ON_MASKS, extra=POOLED),
    Plan(
        "tversky",
        OVERLAP,
        variants=[SMOOTHED, MICRO, {"alpha": 0.3, "beta": 0.7}, {"alpha": 0.9}, {"beta": 0.2}],
        on=ON_MASKS,
        extra=POOLED,
    ),
    Plan(
        "focal_tversky",
        OVERLAP,
        variants=[SMOOTHED, {"alpha": 0.3, "beta": 0.7}, {"gamma": 2}],
        on=ON_MASKS,
        extra=[item for item in POOLED if "micro" not in item.label],
    ),
    Plan("mcc_loss", [*FACES, MASKS[6]], extra=[POOLED[0], POOLED[2]]),
    Plan("lovasz_hinge", SCORED, variants=[PER_DATASET]),
    Plan(
        "lovasz_softmax",
        [
            Inputs("float64", maps(147, **MAP), BOTH),
            Inputs("float32", maps(148, **MAP, **F32, target_dtype="uint8")),
            Inputs("float16", maps(149, **MAP, dtype="float16")),
            Inputs("last", maps(150, rows=4, spatial=[2, 3])),
            Inputs("absent", maps(151, **MAP, absent=[2, 4])),
            Inputs("onehot", maps(152, **MAP, target="onehot"), params={"axis": 1}),
            Inputs("big", maps(153, rows=BIG, count=3, spatial=[1, 2], last=False)),
        ],
        variants=[{"classes": "all"}, PER_DATASET, {"classes": "all", **PER_DATASET}],
        on=("float64", "float32", "absent"),
    ),
]

# Images and features -----------------------------------------------------------------------------


def pictures(names: Sequence[str], shape: Sequence[int]) -> list[Inputs]:
    def fields(seed: int, low: float = 0, high: float = 1, **arguments: Any) -> Key:
        ranges = {name: [low, high] for name in names}
        return key("fields", seed, names=ranges, **{"shape": list(shape), **arguments})

    return [
        Inputs("float64", fields(161, rows=5), BOTH),
        Inputs("float32", fields(162, rows=5, dtype="float32")),
        Inputs("float16", fields(163, rows=5, dtype="float16")),
        Inputs("uint8", fields(164, 0, 255, rows=5, dtype="uint8"), BOTH),
        Inputs("weighted", fields(165, rows=5, weight=True), BOTH),
        Inputs("big", fields(166, rows=BIG, shape=[3, 2])),
    ]


IMAGES = [
    Plan(
        "total_variation",
        pictures(("prediction",), (4, 3)),
        variants=[{"power": 1}, {"normalize": "mean"}, {"power": 1, "normalize": "mean"}],
        on=("float64", "float32", "uint8"),
        extra=[
            Inputs(
                f"channels-{channels}-{power}",
                key("fields", seed, rows=4, names={"prediction": [0, 1]}, shape=shape),
                params={"channels": channels, "power": power, **params},
            )
            for seed, channels, shape in ((168, "first", [3, 4, 2]), (169, "last", [4, 2, 3]))
            for power, params in ((1, {}), (2, {"normalize": "mean"}))
        ],
    ),
    Plan(
        "perceptual",
        pictures(("prediction", "target"), (4, 3)),
        extra=[
            Inputs(
                "maps",
                key(
                    "fields", 167, names={"prediction": [-2, 2], "target": [-2, 2]}, shape=[2, 3, 2]
                ),
                BOTH,
            )
        ],
    ),
]

# Adversarial -------------------------------------------------------------------------------------


def critics(names: Sequence[str], low: float, high: float, ints: bool = True) -> list[Inputs]:
    counts = {name: count for name, count in (("real", 7), ("fake", 5)) if name in names}
    many = {name: BIG - 20_000 * (name == "fake") for name in names}
    reductions = BOTH if len(names) == 1 else ("mean",)

    def fields(seed: int, low: float = low, high: float = high, **arguments: Any) -> Key:
        # The two ranges differ, so that a difference of the means is far from 0.
        ranges = {name: [low, high - (high - low) / 4 * (name == "fake")] for name in names}
        return key("fields", seed, names=ranges, **{"rows": counts, **arguments})

    return [
        Inputs("float64", fields(171), reductions),
        Inputs("float32", fields(172, dtype="float32")),
        Inputs("float16", fields(173, dtype="float16")),
        Inputs("big", fields(174, rows=many)),
        *([Inputs("int8", fields(175, -5, 7, dtype="int8"))] if ints else []),
    ]


def judged(names: Sequence[str]) -> list[Inputs]:
    """Inputs of the losses that take probabilities or logits."""
    extreme = {"real": [1e4, 8, -1e4], "fake": [-1e4, 4]}
    sure = {"real": [1, 0.5, 0.75], "fake": [0.25, 0.5]}
    wrong = {"real": [0, 0.5], "fake": [0, 1, 0.5]}
    logits = critics(names, -4, 4)
    return [
        *critics(names, 0.02, 0.98, ints=False),
        *(
            Inputs(f"logits-{item.label}", item.key, item.reductions, LOGITS)
            for item in logits
            if item.label != "big"
        ),
        *(
            Inputs(
                f"logits-extremes-{dtype}",
                given(dtype, **{name: extreme[name] for name in names}),
                params=LOGITS,
                library=False,
            )
            for dtype in FLOATS
        ),
        Inputs("certain", given(**{name: sure[name] for name in names})),
        Inputs("wrong", given(**{name: wrong[name] for name in names}), library=False),
    ]


TWO = ("real", "fake")
ONE = ("fake",)
ADVERSARIAL = [
    Plan("gan_discriminator", judged(TWO)),
    Plan(
        "gan_generator",
        judged(ONE),
        variants=[{"variant": "minimax"}],
        on=("float64", "float32", "logits-float64", "logits-extremes-float64", "wrong"),
    ),
    Plan("lsgan_discriminator", critics(TWO, -2, 2)),
    Plan("lsgan_generator", critics(ONE, -2, 2)),
    Plan("wasserstein_critic", critics(TWO, -2, 4), variants=[{"sign": -1}]),
    Plan("wgan_generator", critics(ONE, -2, 4)),
    Plan("hinge_discriminator", critics(TWO, -2, 2)),
    Plan("hinge_generator", critics(ONE, -2, 4)),
]

# Sequences ---------------------------------------------------------------------------------------


def speech(seed: int, **arguments: Any) -> Key:
    return key("sequences", seed, **arguments)


REPEATED = given(
    {"prediction": "float64", "target": "int64", "target_lengths": "int64"},
    prediction=[
        [[2, 0.5, -1], [0.25, 1, 3], [1.5, -2, 0], [0, 1, 0.75]],
        [[1, 0.125, -1], [-0.25, 1, 2], [1.5, 2, 0], [0, 1, -0.75]],
        [[0, 0.5, 1], [0.75, 1, -3], [0.5, -2, 0], [2, 1, 0.25]],
    ],
    target=[[1, 1], [2, 0], [1, 2]],
    target_lengths=[2, 1, 0],
)
INFEASIBLE = given(
    {"prediction": "float64", "target": "int64"},
    prediction=[[[2, 0.5, -1], [0.25, 1, 3]], [[1, 0.125, -1], [-0.25, 1, 2]]],
    target=[[1, 1], [1, 2]],
)
SEQUENCES = [
    Plan(
        "ctc",
        [
            Inputs("float64", speech(181), BOTH),
            Inputs("lengths", speech(182, lengths=True), BOTH),
            Inputs("float32", speech(183, dtype="float32", lengths=True)),
            Inputs("float16", speech(184, dtype="float16")),
            Inputs("logits", speech(185, kind="logit", lengths=True), BOTH, LOGITS),
            Inputs("logits-float32", speech(186, kind="logit", dtype="float32"), params=LOGITS),
            Inputs("logits-int", speech(187, kind="logit", dtype="int64", scale=6), params=LOGITS),
            Inputs(
                "logits-extremes",
                speech(188, kind="logit", put={"prediction": {"1": 1e4, "30": -1e4, "50": 1e4}}),
                params=LOGITS,
                library=False,
            ),
            Inputs("last-blank", speech(189, blank=3, lengths=True), params={"blank": 3}),
            Inputs("repeated", REPEATED, BOTH, LOGITS),
            Inputs("long", speech(190, rows=40, steps=50, count=12, labels=15, lengths=True)),
            Inputs(
                "many",
                speech(191, rows=1001, steps=5, count=4, labels=2, kind="logit"),
                params=LOGITS,
            ),
            Inputs("infeasible", INFEASIBLE, params={**LOGITS, "infeasible": "infinite"}),
            Inputs("infeasible", INFEASIBLE, params={**LOGITS, "zero_infinity": True}),
        ],
    )
]

# Quantum -----------------------------------------------------------------------------------------

HALF = [[0.5, 0.5], [0.5, 0.5]]
TILTED = [[0.75, 0.25], [0.25, 0.25]]
UP = [[1, 0], [0, 0]]
STATES = [
    Inputs("float64", key("density", 201), BOTH),
    Inputs("qubits", key("density", 202, rows=7, size=2)),
    Inputs("four", key("density", 203, size=4)),
    Inputs("diagonal", key("density", 204, diagonal=True)),
    Inputs("complex64", key("density", 205, dtype="complex64")),
    Inputs("many", key("density", 206, rows=501, size=2)),
    Inputs("pure", given("complex128", prediction=[TILTED] * 2, target=[HALF, UP]), library=False),
]
UNSUPPORTED = Inputs(
    "unsupported",
    given("complex128", prediction=[HALF, TILTED], target=[UP, UP]),
    library=False,
)
SUPPORTED = Inputs(
    "supported",
    given("complex128", prediction=[HALF, UP], target=[HALF, UP]),
    library=False,
)
QUANTUM = [
    Plan(
        "quantum_cross_entropy",
        [*STATES, UNSUPPORTED, SUPPORTED],
        variants=[{"base": 2}],
        on=("float64",),
    ),
    Plan(
        "quantum_relative_entropy",
        [*STATES, UNSUPPORTED, SUPPORTED],
        variants=[{"base": 2}],
        on=("float64",),
    ),
    Plan("infidelity", STATES),
    Plan("trace_distance", [*STATES, UNSUPPORTED]),
]

# Known values ------------------------------------------------------------------------------------

CCE = given(prediction=[[0.05, 0.95, 0], [0.1, 0.8, 0.1]], target=[[0, 1, 0], [0, 0, 1]])
TEXTBOOK = [
    Case("categorical_crossentropy", "textbook", CCE, textbook=1.1769392, library=False),
    Case(
        "categorical_crossentropy",
        "textbook",
        CCE,
        reduction="sum",
        textbook=2.3538784,
        library=False,
    ),
    Case("bce", "textbook", given(prediction=[0.4, 0.6], target=[0, 1]), textbook=0.5108256),
    Case("mae", "textbook", given(prediction=[1, 1], target=[0, 0]), textbook=1),
    Case("mse", "textbook", given(prediction=[1, 1], target=[0, 1]), textbook=0.5),
    Case("huber", "textbook", given(prediction=[0.6, 0.4], target=[0, 1]), textbook=0.18),
]

PLANS = [
    *REGRESSION,
    *LIKELIHOODS,
    *BINARY,
    *MULTICLASS,
    *DISTRIBUTIONS,
    *EMBEDDINGS,
    *SEGMENTATION,
    *IMAGES,
    *ADVERSARIAL,
    *SEQUENCES,
    *QUANTUM,
]


def all_cases() -> list[Case]:
    cases: dict[str, Case] = {}
    for case in (*(case for plan in PLANS for case in plan.cases()), *TEXTBOOK):
        assert cases.get(case.id, case) == case, f"two cases are called {case.id}"
        cases[case.id] = case
    return list(cases.values())


def by_loss(cases: Sequence[Case]) -> Mapping[str, int]:
    counts: dict[str, int] = {}
    for case in cases:
        counts[case.loss] = counts.get(case.loss, 0) + 1
    return counts
