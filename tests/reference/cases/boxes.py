"""Boxes: the cases."""

from __future__ import annotations

from tests.reference.cases import BIG, BOTH, Inputs, Plan, given, key

EDGES = {
    "prediction": [
        [0, 0, 2, 2],  # equal
        [0, 0, 2, 2],  # inside
        [0, 0, 2, 2],  # they touch at an edge
        [0, 0, 2, 2],  # at a corner
        [0, 0, 2, 2],  # across
        [1, 1, 1, 1],  # equal points
        [1, 1, 1, 1],  # other points
        [0, 0, 2, 0],  # lines, equal
        [0, 0, 2, 0],  # lines in line
        [0, 0, 2, 0],  # a line against a box
        [1, 1, 1, 1],  # a point in a box
        [-3, -2, -1, -1],
    ],
    "target": [
        [0, 0, 2, 2],
        [0.5, 0.25, 1, 2],
        [2, 0, 3, 2],
        [2, 2, 3, 5],
        [0.5, -1, 1, 3],
        [1, 1, 1, 1],
        [2, 1, 2, 1],
        [0, 0, 2, 0],
        [1, 0, 4, 0],
        [0, 0, 2, 2],
        [0, 0, 2, 2],
        [5, 4, 9, 4.5],
    ],
}
NEAR = {
    "prediction": [[0, 0, 2, 3], [0, 0, 2, 3], [1e4, 1e4, 2e4, 3e4], [0.1, 0.2, 0.7, 0.9]],
    "target": [
        [1e-9, 0, 2, 3],
        [-1e-9, 1e-9, 2, 3],
        [1e4 + 1e-4, 1e4, 2e4, 3e4 + 1e-3],
        [0.1, 0.2, 0.7000000000000001, 0.9],
    ],
}
BOXES = [
    Inputs("float64", key("boxes", 301), BOTH),
    Inputs("float32", key("boxes", 302, dtype="float32")),
    Inputs("float16", key("boxes", 303, dtype="float16")),
    Inputs("int", key("boxes", 304, dtype="int64")),
    Inputs("several", key("boxes", 305, shape=[3]), BOTH),
    Inputs("far", key("boxes", 306, spread=40.0, size=3.0)),
    Inputs("near", key("boxes", 307, shift=1e-7), in_library=False),
    Inputs("near-float32", key("boxes", 308, shift=1e-3, dtype="float32"), in_library=False),
    Inputs("weighted", key("boxes", 309, weight=True)),
    Inputs("edges", given(**EDGES), in_library=False),
    Inputs("nearly-equal", given(**NEAR), in_library=False),
]
LARGE = Inputs("big", key("boxes", 310, rows=BIG))
EPSILONS = [{"epsilon": 1e-7}, {"epsilon": 0.5}]
PLANS = [
    Plan("iou_box", BOXES, variants=EPSILONS, on=("float64", "edges")),
    Plan("giou", BOXES, variants=EPSILONS, on=("float64", "edges"), extra=[LARGE]),
    Plan("diou", BOXES, variants=EPSILONS, on=("float64", "edges")),
    Plan("ciou", BOXES, variants=EPSILONS, on=("float64", "edges")),
]
