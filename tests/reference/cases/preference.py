"""Preferences: the cases."""

from __future__ import annotations

from typing import Any

from tests.reference.cases import BOTH, F32, Inputs, Plan, given, key

SCORES = {"chosen": [-3, 4], "rejected": [-4, 3]}
LOGS = {
    "policy_chosen": [-40, -10],
    "policy_rejected": [-40, -10],
    "reference_chosen": [-40, -10],
    "reference_rejected": [-40, -10],
}


def fields(seed: int, names: dict[str, Any], **arguments: Any) -> dict[str, Any]:
    return key("fields", seed, names=names, **arguments)


DPO = [
    Inputs("float64", fields(11, LOGS), BOTH),
    Inputs("float32", fields(12, LOGS, **F32)),
    Inputs("float16", fields(13, LOGS, dtype="float16")),
    Inputs("weighted", fields(14, LOGS, weight=True)),
    Inputs("one-row", fields(15, LOGS, rows=1)),
    Inputs(
        "extremes",
        given(
            policy_chosen=[-1e4, -1, -5, -1e-3],
            policy_rejected=[-1, -1e4, -5, -2e-3],
            reference_chosen=[-1, -1e4, -5, -1e-9],
            reference_rejected=[-1e4, -1, -5, -3e3],
        ),
    ),
]

PLANS = [
    Plan(
        "bradley_terry",
        [
            Inputs("float64", fields(1, SCORES, shape=[3]), (*BOTH, "batchmean")),
            Inputs("vector", fields(2, SCORES), BOTH),
            Inputs("float32", fields(3, SCORES, **F32)),
            Inputs("float16", fields(4, SCORES, dtype="float16")),
            Inputs("uint8", fields(5, {"chosen": [0, 9], "rejected": [0, 9]}, dtype="uint8")),
            Inputs("weighted", fields(6, SCORES, weight=True)),
            Inputs(
                "extremes",
                given(chosen=[1e4, -1e4, 300, 0, 40], rejected=[-1e4, 1e4, 1e-9, 0, 1]),
            ),
        ],
    ),
    Plan(
        "dpo",
        DPO,
        variants=[
            {"beta": 0.5},
            {"label_smoothing": 0.1},
            {"variant": "hinge"},
            {"variant": "hinge", "beta": 0.02},
            {"variant": "ipo"},
            {"variant": "ipo", "beta": 2},
        ],
        on=("float64", "float32", "extremes"),
    ),
]
