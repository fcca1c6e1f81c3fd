"""Images: the cases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from tests.reference.cases import BIG, BOTH, Inputs, Key, Params, Plan, given, key


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


TWO = ("prediction", "target")


def two(seed: int, low: float, high: float, shape: Sequence[int], **arguments: Any) -> Key:
    names = {name: [low, high] for name in TWO}
    return key("fields", seed, names=names, shape=shape, **arguments)


def within(data_range: float, **params: Any) -> Params:
    return {"data_range": data_range, **params}


def coloured(shape: Sequence[int], channels: str, seed: int, **params: Any) -> Inputs:
    return Inputs(
        f"channels-{channels}",
        two(seed, 0, 1, list(shape), rows=3),
        BOTH,
        {**params, "channels": channels},
    )


# Where 1 − SSIM would lose its digits: images that nearly agree, or are far from 0.
FAINT = two(301, 0.5, 0.5000001, [5, 4], rows=3)
BRIGHT = two(302, 1e6, 1e6 + 1, [5, 4], rows=3)
OPPOSED = two(303, -1, 1, [5, 4], rows=4)
FLAT = given(
    prediction=[[[0.25] * 3] * 3, [[0.5, 0, 1]] * 3, [[0] * 3] * 3],
    target=[[[0.5] * 3] * 3, [[0.5, 0, 1]] * 3, [[0] * 3] * 3],
)
SAME = given(prediction=[[[1, 2], [3, 4]]], target=[[[1, 2], [3, 4]]])
HALVES = within(1, window=2, exponents=[0.3, 0.7])


def alike(loss: str, small: Params, shape: Sequence[int], extra: Sequence[Inputs]) -> Plan:
    """A loss of pairs of images that has a data_range."""
    menu = [
        replace(item, params={**small, "data_range": 255 if item.label == "uint8" else 1})
        for item in pictures(TWO, shape)
        if item.label != "big"
    ]
    return Plan(loss, menu, extra=extra)


PLANS = [
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
    alike(
        "ssim",
        {"window": 3},
        (5, 4),
        [
            Inputs("wide", two(304, 0, 1, [13, 12], rows=2), BOTH, within(1)),
            Inputs(
                "wide-float32", two(305, 0, 1, [11, 12], rows=2, dtype="float32"), params=within(1)
            ),
            Inputs("even", two(306, 0, 2, [4, 5], rows=4), BOTH, within(2, window=4, sigma=0.7)),
            Inputs("faint", FAINT, BOTH, within(1, window=3), in_library=False),
            Inputs("bright", BRIGHT, BOTH, within(1, window=3), in_library=False),
            Inputs("opposed", OPPOSED, BOTH, within(2, window=3)),
            Inputs("flat", FLAT, BOTH, within(1, window=2), in_library=False),
            coloured([2, 4, 5], "first", 307, **within(1, window=3)),
            coloured([4, 5, 3], "last", 308, **within(1, window=3)),
        ],
    ),
    alike(
        "ms_ssim",
        {"window": 2, "exponents": [0.3, 0.7]},
        (6, 5),
        [
            Inputs("five", two(311, 0, 1, [37, 33], rows=2), BOTH, within(1, window=2)),
            Inputs("one", two(312, 0, 1, [4, 4], rows=3), BOTH, within(1, window=3, exponents=1)),
            Inputs("faint", FAINT, BOTH, HALVES, in_library=False),
            Inputs("bright", BRIGHT, BOTH, HALVES, in_library=False),
            Inputs("opposed", OPPOSED, BOTH, HALVES),
            coloured([2, 4, 5], "first", 313, **HALVES),
            coloured([4, 5, 3], "last", 314, **HALVES),
        ],
    ),
    alike(
        "psnr",
        {},
        (5, 4),
        [
            Inputs("big", two(315, 0, 1, [3, 2], rows=BIG), params=within(3)),
            Inputs("faint", FAINT, BOTH, within(1)),
            Inputs("same", SAME, BOTH, within(4), in_library=False),
            Inputs("colours", two(316, 0, 1, [3, 2, 2], rows=3), BOTH, within(0.5)),
        ],
    ),
    Plan(
        "style_gram",
        [
            replace(item, params={"channels": "first"})
            for item in pictures(TWO, (3, 4))
            if item.label != "big"
        ],
        extra=[
            Inputs("maps", two(317, -2, 2, [3, 2, 4], rows=3), BOTH, {"channels": "first"}),
            Inputs("last", two(318, -2, 2, [2, 4, 3], rows=3), BOTH, {"channels": "last"}),
            Inputs("faint", FAINT, BOTH, {"channels": "first"}, in_library=False),
            Inputs("big", two(319, -1, 1, [2, 2], rows=BIG - 60_000), params={"channels": "last"}),
        ],
    ),
    Plan(
        "gradient_difference",
        pictures(TWO, (4, 3)),
        variants=[{"alpha": 2}, {"alpha": 0.5}],
        on=("float64", "float32", "uint8"),
        extra=[
            coloured([2, 4, 3], "first", 320, alpha=1),
            coloured([4, 3, 2], "last", 321, alpha=1.5),
        ],
    ),
]
