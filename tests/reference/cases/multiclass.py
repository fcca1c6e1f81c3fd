"""Multi-class classification: the cases."""

from __future__ import annotations

from tests.reference.cases import (
    BIG,
    BOTH,
    F32,
    FLOATS,
    IDS,
    LOGITS,
    MAP,
    ONE_HOT,
    PIXELS,
    POWER_OF_TWO,
    Case,
    Inputs,
    Params,
    Plan,
    across,
    finished,
    given,
    maps,
)

WEIGHTS: Params = {"class_weights": [1, 2.5, 0.75, 3, 1.25]}
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
        in_library=False,
    ),
]
CLASS_CERTAIN = [
    *across("certain", FLOATS, prediction=[[0, 1, 0], [0.25, 0, 0.75]], target=[1, 0]),
    *across("wrong", FLOATS, prediction=[[0, 1, 0], [0.25, 0.25, 0.5]], target=[2, 0]),
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
TERMS: Params = {"weigh": "terms", **WEIGHTS}
SMALL_IDS = [item for item in IDS if item.label != "big"]
SCORES = [
    Inputs(item.label, {**item.key, "kind": "logit"}, item.reductions, item.params)
    for item in SMALL_IDS
]
FAR = {"prediction": [[1e4, -1e4, 0], [1e4, -1e4, 9999.5], [-1e4, -1e4, -9999.25]]}
EDGES = [
    *across("far", FLOATS, **FAR, target=[0, 1, 2]),
    Inputs(
        "ties",
        given(
            prediction=[[1, 1, 0], [1, 1, 1], [0, 2, 2], [2, 0, 2], [0, 0, 1]],
            target=[0, 1, 2, 0, 0],
        ),
        BOTH,
        in_library=False,
    ),
    Inputs("whole", maps(90, kind="logit", dtype="int64", scale=4, rows=12)),
    Inputs("many", maps(91, kind="logit", count=40)),
]
HOT_SCORES = [
    Inputs("onehot", maps(92, kind="logit", target="onehot")),
    Inputs("onehot-map", maps(93, **MAP, kind="logit", target="onehot"), params={"axis": 1}),
]
SOFT_SCORES = [
    Inputs("soft", maps(94, kind="logit", target="soft", target_dtype="float64"), BOTH),
    Inputs("soft-float32", maps(95, kind="logit", target="soft", target_dtype="float32", **F32)),
]
MARGINS = [*SCORES, *EDGES, *HOT_SCORES]
STEEP = [item for item in CLASS_LOGITS if item.label != "logits-map"]
ROBUST = [*SMALL_IDS, *STEEP, *CLASS_CERTAIN]
SOFT = [
    Inputs(f"dense-{item.label}", *(item.key, item.reductions, item.params, item.in_library))
    for item in ONE_HOT
    if item.label != "onehot-big"
]
NEAR = Inputs(
    "near",
    given(prediction=[[1 - 2.0**-40, 2.0**-40, 0], [2.0**-40, 1 - 2.0**-40, 0]], target=[0, 0]),
    in_library=False,
)
TOKENS = finished([*IDS, *CLASS_LOGITS, *CLASS_CERTAIN])

CCE = given(prediction=[[0.05, 0.95, 0], [0.1, 0.8, 0.1]], target=[[0, 1, 0], [0, 0, 1]])

ONE_AGAINST_REST: list[Params] = [
    {"activation": "sigmoid", **more}
    for more in (
        {},
        {"alpha": 0.25, "gamma": 1.5},
        {"alpha": [1, 0.5, 0.25, 0, 0.75], "class_mean": True},
        {**SMOOTH, **WEIGHTS},
        {**TERMS, "gamma": 0},
    )
]

PLANS = [
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
            *(
                Inputs("map-ignored", PIXELS[2].key, BOTH, {**PIXELS[2].params, **more})
                for more in (
                    {**TERMS, "divide_by": "mixed"},
                    {**TERMS, **SMOOTH, "divide_by": "mixed"},
                    {**WEIGHTS, "divide_by": "count"},
                    {**WEIGHTS, **SMOOTH, "divide_by": "all"},
                    {**TERMS, **SMOOTH, "divide_by": "count"},
                    {"divide_by": "all"},
                    {**SMOOTH, "divide_by": "all"},
                )
            ),
            *(
                Inputs("soft", ONE_HOT[4].key, BOTH, {**TERMS, "divide_by": by})
                for by in ("weights", "count", "mixed")
            ),
            Inputs("soft", ONE_HOT[4].key, params=SMOOTH),
            CLIPPED,
            *(
                Inputs(
                    f"dense-{item.label}", item.key, item.reductions, item.params, item.in_library
                )
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
            {"class_mean": True},
            {**TERMS, "divide_by": "count"},
            *ONE_AGAINST_REST,
        ],
        on=("float64", "float32", "logits", "logits-map"),
        extra=[
            Inputs(f"onehot-{item.label}", item.key, item.reductions, item.params)
            for item in ONE_HOT[:2]
        ]
        + [
            Inputs(item.label, item.key, item.reductions, {**item.params, "activation": "sigmoid"})
            for item in (*CLASS_LOGITS, CLASS_CERTAIN[0], CLASS_CERTAIN[3], PIXELS[2])
        ],
        skip=("ignored", "map-ignored", "map-blank"),
    ),
    Plan(
        "poly1",
        [*ROBUST, *SOFT],
        variants=[WEIGHTS, SMOOTH, {"epsilon": 2.5}, {"epsilon": -1}, {"clip": POWER_OF_TWO}],
        extra=[CLIPPED],
    ),
    Plan(
        "generalized_cross_entropy",
        [*ROBUST, *SOFT, NEAR],
        variants=[WEIGHTS, SMOOTH, {"q": 0.125}, {"q": 1}],
    ),
    Plan(
        "symmetric_cross_entropy",
        [*ROBUST, *SOFT],
        variants=[
            WEIGHTS,
            SMOOTH,
            {"alpha": 6, "beta": 0.1},
            {"log_zero": -1},
            {"beta": 0, "clip": POWER_OF_TWO},
        ],
        on=("float64", "float32", "dense-soft", "logits"),
    ),
    Plan("rps", [*ROBUST, NEAR, *SOFT], variants=[WEIGHTS]),
    Plan("squared_emd", ONE_HOT[:-1], variants=[WEIGHTS], on=("float64", "soft")),
    Plan("categorical_hinge", [*MARGINS, *SOFT_SCORES], variants=[WEIGHTS]),
    Plan("crammer_singer", MARGINS, variants=[WEIGHTS, {"margin": 0.25}]),
    Plan(
        "multi_margin",
        MARGINS,
        variants=[
            WEIGHTS,
            {"p": 2},
            {"p": 2, "margin": 2.5},
            {**WEIGHTS, "divide_by": "count"},
        ],
        on=("float64", "float32", "map-ignored"),
    ),
    Plan("multiclass_perceptron", [*MARGINS, *SOFT_SCORES], variants=[WEIGHTS]),
    Plan(
        "sparsemax",
        [
            *MARGINS,
            *SOFT_SCORES,
            Inputs("gentle", maps(96, kind="logit", scale=0.75)),
            Inputs("leading", given(prediction=[[2, 1, 0], [0, 0.5, 1.5]], target=[0, 2])),
        ],
        variants=[WEIGHTS],
    ),
    Plan(
        "top_k_error",
        MARGINS,
        variants=[*({"k": k, "ties": t} for k in (1, 2) for t in ("first", "last"))],
        on=("float64", "ties", "whole"),
        extra=[
            Inputs("ties", EDGES[3].key, params={"k": 2}, in_library=False),
            Inputs("float64", SCORES[0].key, params={"k": 3}),
        ],
    ),
]

CASES = [
    Case(
        "rps",
        "counted from 1",
        given(prediction=[[0.1, 0.2, 0.3, 0.4], [0.5, 0.25, 0.25, 0]], target=[3, 1]),
        {"first_class": 1},
    ),
    Case("categorical_crossentropy", "textbook", CCE, textbook=1.1769392, in_library=False),
    Case(
        "categorical_crossentropy",
        "textbook",
        CCE,
        reduction="sum",
        textbook=2.3538784,
        in_library=False,
    ),
]
