"""Sequences: the cases."""

from __future__ import annotations

from typing import Any

from tests.reference.cases import BOTH, LOGITS, Inputs, Key, Plan, given, key


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

PADDED = given(
    {"prediction": "float64", "target": "int64"},
    prediction=REPEATED["prediction"],
    target=[[1, 1], [2, 0], [0, 0]],
)


def moving(seed: int, **arguments: Any) -> Key:
    return key("series", seed, **arguments)


WARPED = [
    Inputs("float64", moving(401), BOTH),
    Inputs("float32", moving(402, dtype="float32")),
    Inputs("float16", moving(403, dtype="float16")),
    Inputs("vectors", moving(404, size=3), BOTH),
    Inputs("lengths", moving(405, steps=5, other=4, lengths=True), BOTH),
    Inputs("lengths-vectors", moving(406, size=2, lengths=True, weight=True), BOTH),
    Inputs("one-step", moving(407, steps=1, other=6), BOTH),
    Inputs("long", moving(408, rows=3, steps=40, other=31)),
    Inputs("many", moving(409, rows=1001, steps=3, other=2)),
    Inputs("int", moving(410, dtype="int64", span=9), BOTH),
    Inputs("far", moving(411, span=1e4), BOTH),
]

PLANS = [
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
                in_library=False,
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
            Inputs("repeated", REPEATED, BOTH, {**LOGITS, "normalize": "labels"}),
            Inputs("padded", PADDED, BOTH, {**LOGITS, "padding": 0}, in_library=False),
            Inputs(
                "infeasible",
                INFEASIBLE,
                params={**LOGITS, "infeasible": "infinite", "log_zero": -40},
                in_library=False,
            ),
        ],
    ),
    Plan("dtw", WARPED),
    Plan("soft_dtw", WARPED, variants=[{"gamma": 0.1}, {"gamma": 0}, {"gamma": 20}]),
]
