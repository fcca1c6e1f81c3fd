"""Binary classification: the cases."""

from __future__ import annotations

from tests.reference.cases import (
    BIG,
    BOTH,
    FLOATS,
    IDS,
    LOGITS,
    ONE_HOT,
    POWER_OF_TWO,
    Case,
    Inputs,
    Plan,
    across,
    given,
    maps,
    pairs,
)

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
        in_library=False,
    ),
]
CERTAIN = [
    *across("certain", FLOATS, prediction=[0, 1, 0.25, 0.75], target=[0, 1, 1, 0]),
    *across("wrong", FLOATS, prediction=[0, 0.5, 1], target=[1, 1, 1]),
    Inputs("certain-int", given("uint8", prediction=[0, 1, 1], target=[0, 1, 1]), in_library=False),
    Inputs(
        "tiny",
        given(
            prediction=[1e-300, 1e-20, 1e-20, 1 - 2.0**-52, 1 - 2.0**-40, 0.9999],
            target=[1, 0, 1, 1, 0, 1],
        ),
        in_library=False,
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

IGNORED = given(
    prediction=[[0.25, 0.5, 0.875], [0.125, 0, 1], [0.75, 0.375, 0.625]],
    target=[[0, -1, 1], [-1, -1, -1], [1, -1, 0]],
)
LABELS = given(
    "int64",
    prediction=[[2, 0, 1], [1, 1, 3], [0, 2, 0], [1, 0, 0]],
    target=[[2, 0, 1], [1, 0, 3], [1, 1, 1], [9, 0, 1]],
)
TIED = given(
    prediction=[[0.25, 0.5, 0.5], [0.5, 0.5, 0.25], [1, 1, 1], [0, 0.5, 0.25]],
    target=[1, 1, 0, 2],
)
BOUNDARY = [
    Inputs("boundary", given(prediction=[0.5, 0.5, 0, 1, 0.375], target=[0, 1, 0, 1, 1]), BOTH),
    Inputs("boundary-float32", given("float32", prediction=[0.5, 0.5, 0.25], target=[0, 1, 1])),
    Inputs(
        "boundary-logits",
        given(prediction=[0, 0, 1e-9, -1e-9, 1e4, -1e4], target=[0, 1, 1, 0, 1, 1]),
        BOTH,
        LOGITS,
    ),
]
DECISIONS = [
    *(item for item in PROBABILITIES if item.label not in ("float64", "float32", "weighted")),
    Inputs("maps", pairs(38, rows=5, shape=[2, 3]), BOTH),
    Inputs("float32", pairs(25, dtype="float32", target_dtype="float32")),
    Inputs("weighted", pairs(28, weight=True), BOTH),
    Inputs("logits", pairs(32, scores=4), BOTH, LOGITS),
    *BOUNDARY,
]
CLASSES = [
    Inputs("ids", IDS[0].key, BOTH),
    Inputs("ids-float32", IDS[1].key),
    Inputs("ids-float16", IDS[2].key),
    Inputs("ids-map", IDS[4].key),
    Inputs("ids-ignored", IDS[8].key, BOTH, IDS[8].params),
    Inputs("ids-blank", IDS[12].key, BOTH, IDS[12].params),
    Inputs("ids-tied", TIED, BOTH),
    Inputs("onehot", ONE_HOT[0].key, BOTH),
    Inputs("onehot-map", ONE_HOT[6].key, BOTH, ONE_HOT[6].params),
]
UNMAPPED = Inputs("unmapped", MARGINS[1].key, BOTH, {"map_labels": False})

PLANS = [
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
            *(
                Inputs(
                    f"smoothed-to-{other}",
                    pairs(37, scores=4, soft=True),
                    params={**LOGITS, "label_smoothing": 0.25, "smoothing_to": other},
                )
                for other in ("half", "other")
            ),
            Inputs("ignored", IGNORED, BOTH, {"ignore_index": -1}),
            Inputs("ignored-counted", IGNORED, BOTH, {"ignore_index": -1, "count_ignored": True}),
            Inputs("ignored-class", PROBABILITIES[1].key, params={"ignore_index": 0}),
        ],
    ),
    Plan("weighted_bce", CLASSES_2, {"beta": 2.5}, [{"beta": 0.3}]),
    Plan("balanced_bce", CLASSES_2, {"beta": 0.7}, [{"beta": 0.3}]),
    Plan(
        "binary_focal",
        CLASSES_2,
        variants=[{"gamma": 0}, {"gamma": 0.5}, {"alpha": 0.25}, {"gamma": 3, "alpha": 0.6}],
        on=("float64", "float32", "logits"),
        extra=[
            Inputs(f"{label}-{p_t}", key, ("mean",), {**params, "p_t": p_t}, False)
            for p_t in ("mixture", "geometric", "logit")
            for label, key, params in (
                ("soft", SOFT[0].key, {"gamma": 1.5}),
                ("soft-logits", pairs(39, scores=6, soft=True), LOGITS),
                ("hard", PROBABILITIES[1].key, {"alpha": 0.25}),
                ("hard-logits-float32", SCORES[1].key, LOGITS),
                ("certain", given(prediction=[0, 1, 0.25, 0.75], target=[0, 1, 1, 0]), {}),
            )
        ],
    ),
    Plan(
        "hinge",
        MARGINS,
        variants=[{"margin": 0.5}, {"margin": 2}],
        extra=[
            UNMAPPED,
            Inputs(
                "near-the-margin",
                given("float32", prediction=[0.299, -0.2999, 0.3001], target=[1, -1, 1]),
                params={"margin": 0.3},
            ),
        ],
    ),
    Plan("squared_hinge", MARGINS, variants=[{"margin": 0.3}], extra=[UNMAPPED]),
    Plan("logistic", MARGINS, extra=[UNMAPPED]),
    Plan("exponential", MARGINS, extra=[UNMAPPED]),
    Plan(
        "modified_huber",
        MARGINS,
        extra=[UNMAPPED, Inputs("bends", given(prediction=[1, -1, -1.5, 1.5], target=[1] * 4))],
    ),
    Plan("perceptron", MARGINS, extra=[UNMAPPED]),
    Plan(
        "brier",
        BRIER,
        extra=[
            Inputs("ignored", IGNORED, params={"ignore_index": -1, "multilabel": True}),
            Inputs("multilabel", PROBABILITIES[0].key, BOTH, {"multilabel": True}),
            *(
                Inputs(f"halved-{count}", maps(82, count=count), BOTH, {"halve_two": True})
                for count in (2, 3)
            ),
        ],
    ),
    Plan(
        "zero_one",
        [*DECISIONS, *CLASSES],
        variants=[{"threshold": 0.375}, {"threshold": 0}, {"threshold": 1}],
        on=("vector", "float32", "logits", "boundary-logits"),
        extra=[
            Inputs("labels", LABELS, BOTH, {"hard": True}),
            Inputs("labels-ignored", LABELS, BOTH, {"hard": True, "ignore_index": 1}),
            Inputs("labels-vector", MARGINS[3].key, params={"hard": True}),
        ],
    ),
    Plan(
        "hamming",
        [*DECISIONS, Inputs("matrix", PROBABILITIES[0].key, BOTH)],
        variants=[{"threshold": 0.375}, {"threshold": 0}, {"threshold": 1}],
        on=("matrix", "float32", "logits", "boundary-logits"),
        extra=[
            Inputs("labels", LABELS, BOTH, {"hard": True}),
            Inputs("labels-ignored", LABELS, BOTH, {"hard": True, "ignore_index": 1}),
            Inputs("ignored", IGNORED, BOTH, {"ignore_index": -1}),
        ],
    ),
]

CASES = [
    Case("bce", "textbook", given(prediction=[0.4, 0.6], target=[0, 1]), textbook=0.5108256),
]
