"""Distributions: the cases."""

from __future__ import annotations

from typing import Any

from tests.reference.cases import BIG, BOTH, FLOATS, Inputs, Key, Plan, given, key


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
    Inputs("near", mixtures(104, near=1e-4), in_library=False),
    Inputs("near-float32", mixtures(105, near=1e-2, dtype="float32"), in_library=False),
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
PLANNED = ("reverse_kl", "jeffreys", "js_divergence")
SMALL_STEP = 2.0**-20
BASES = [{"base": 2}, {"base": 10}]


def two(seed: int, rows: tuple[int, int] = (7, 11), **arguments: Any) -> Key:
    names = {"prediction": [-3, 3], "target": [-2, 5]}
    lengths = dict(zip(names, rows))
    return key("fields", seed, **{"names": names, "rows": lengths, **arguments})


SAMPLES = [
    Inputs("float64", two(121)),
    Inputs("float32", two(122, dtype="float32")),
    Inputs("float16", two(123, dtype="float16")),
    Inputs("equal-lengths", two(124, (8, 8))),
    Inputs("longer", two(125, (60, 41))),
    Inputs("ties", given(prediction=[1, 1, 2, 5, 5, 5], target=[1, 2, 2, 5])),
    Inputs("far", given(prediction=[1e8, 1e8 + 1, 3], target=[1e8 + 2, -1e8])),
    Inputs("near", given(prediction=[1, 2, 3], target=[1, 2, 3 + SMALL_STEP]), in_library=False),
    Inputs("uint8", two(126, dtype="uint8", names={"prediction": [0, 90], "target": [3, 255]})),
]

PLANS = [
    Plan(
        "kl_divergence",
        [*HISTOGRAMS, *LOGS],
        variants=[*BASES, {"average": "bins"}, {"floor": SMALL_STEP}],
        on=("float64", "float32", "rows", "prediction-zeros"),
    ),
    Plan(
        "wasserstein_samples", [*SAMPLES, Inputs("same", given(prediction=[1, 2], target=[2, 1]))]
    ),
    Plan("energy_distance", [*SAMPLES, Inputs("same", given(prediction=[1, 2], target=[2, 1]))]),
    Plan(
        "mmd_rbf",
        SAMPLES,
        {"bandwidth": 1.5},
        [{"bandwidth": 0.1}, {"bandwidth": 30}],
        on=("float64", "equal-lengths"),
        skip=("near",),
        extra=[
            Inputs("vectors", two(127, shape=[3])),
            Inputs("vectors-float32", two(128, shape=[3], dtype="float32")),
            Inputs("wide", two(129, shape=[12]), params={"bandwidth": 8}),
            Inputs("two", given(prediction=[1, 2], target=[4, 2])),
        ],
    ),
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
