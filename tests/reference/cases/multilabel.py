"""Multi-label classification: the cases."""

from __future__ import annotations

from tests.reference.cases import BOTH, F32, FLOATS, LOGITS, Inputs, Plan, across, given, pairs

SCORED = {"shape": [5], "scores": 3.0}
LABELS = [
    Inputs("float64", pairs(101, **SCORED), BOTH),
    Inputs("float32", pairs(102, **SCORED, **F32, target_dtype="uint8")),
    Inputs("float16", pairs(103, **SCORED, dtype="float16", target_dtype="bool")),
    Inputs("whole", pairs(104, **SCORED, dtype="int64", rows=12, target_dtype="int64")),
    Inputs("weighted", pairs(105, **SCORED, weight=True), BOTH),
    Inputs("one-row", pairs(106, **SCORED, rows=1)),
    Inputs("many", pairs(107, shape=[40], scores=3.0, rows=4)),
    Inputs(
        "all or none",
        given(
            prediction=[[1, 2, -1], [0.5, 0, 3], [2, 1, 0]], target=[[1, 1, 1], [0] * 3, [1, 0, 1]]
        ),
    ),
    Inputs(
        "ties",
        given(
            prediction=[[1, 1, 0], [1, 1, 1], [0, 2, 2], [2, 0, 2]],
            target=[[1, 0, 0], [0, 1, 1], [1, 1, 0], [0, 0, 1]],
        ),
        BOTH,
    ),
    *across(
        "far",
        FLOATS,
        prediction=[[1e4, -1e4, 0], [1e4, 9999.5, -1e4], [-1e4, -1e4, 1e4]],
        target=[[0, 1, 0], [0, 1, 0], [0, 1, 1]],
    ),
]
SOFT = [
    Inputs("soft", pairs(108, **SCORED, soft=True), BOTH),
    Inputs("soft-float32", pairs(109, **SCORED, soft=True, **F32, target_dtype="float32")),
    Inputs("cube", pairs(110, shape=[2, 3], scores=3.0, rows=4)),
]
ASYMMETRIC = [
    Inputs("float64", pairs(111, shape=[5]), BOTH),
    Inputs("float32", pairs(112, shape=[5], **F32)),
    Inputs("float16", pairs(113, shape=[2, 2], dtype="float16")),
    Inputs("weighted", pairs(114, shape=[3], weight=True), BOTH),
    Inputs("soft", pairs(115, shape=[3], soft=True)),
    *across(
        "certain", FLOATS, prediction=[[0, 1, 1], [0.25, 0.03125, 0]], target=[[0, 1, 0], [1, 0, 0]]
    ),
    *across("wrong", FLOATS, prediction=[[0, 1], [0.25, 0]], target=[[1, 0], [0, 0.5]]),
]
LOGIT = [
    Inputs(f"logits-{item.label}", item.key, item.reductions, {**LOGITS, **item.params})
    for item in (*LABELS, *SOFT)
]

PLANS = [
    Plan("multilabel_margin", LABELS),
    Plan("multilabel_soft_margin", [*LABELS, *SOFT]),
    Plan(
        "asymmetric",
        [*ASYMMETRIC, *LOGIT],
        variants=[
            {"gamma_neg": 0, "gamma_pos": 0, "clip": 0},
            {"clip": 0},
            {"gamma_neg": 2.5, "gamma_pos": 0.5, "clip": 0.25},
            {"gamma_pos": 0, "clip": 0.125},
        ],
        on=("float64", "float32", "certain-float64", "logits-float64", "logits-far-float64"),
    ),
    Plan("label_ranking", LABELS),
    Plan("coverage_error", LABELS),
]
