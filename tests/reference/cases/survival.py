"""Survival: the cases."""

from __future__ import annotations

from tests.reference.cases import BOTH, F32, Inputs, Plan, given, key

COHORTS = [
    Inputs("float64", key("cohort", 1), BOTH),
    Inputs("tied", key("cohort", 2, rows=25, times=6), BOTH),
    Inputs("float32", key("cohort", 3, rows=12, times=5, **F32)),
    Inputs("float16", key("cohort", 4, rows=12, times=5, dtype="float16")),
    Inputs("one-time", key("cohort", 5, times=1, censored=0.0)),
    Inputs("all-events", key("cohort", 6, censored=0.0)),
    Inputs("weighted", key("cohort", 7, times=4, weight=True), BOTH),
    Inputs("far-apart", key("cohort", 8, rows=20, times=8, scale=40.0)),
    Inputs("large", key("cohort", 9, rows=300, times=40)),
    Inputs(
        "extremes",
        given(
            prediction=[1e4, -1e4, 0, 3e4, 3e4, -1e4, 5],
            time=[4, 1, 2, 5, 5, 3, 3],
            event=[1, 1, 1, 1, 1, 0, 1],
        ),
    ),
    Inputs("one-event", given(prediction=[0.5, 2, -1], time=[1, 2, 3], event=[0, 1, 0])),
]

PLANS = [
    Plan(
        "cox_ph",
        COHORTS,
        variants=[{"ties": "efron"}],
        on=tuple(item.label for item in COHORTS),
    )
]
