"""Segmentation: the cases."""

from __future__ import annotations

from tests.reference.cases import (
    BIG,
    BOTH,
    F32,
    FLOATS,
    LOGITS,
    MAP,
    Inputs,
    Params,
    Plan,
    across,
    given,
    key,
    maps,
    pairs,
)

MASK = {"rows": 5, "shape": [3, 4]}
MASKS = [
    Inputs("float64", pairs(121, **MASK), BOTH),
    Inputs("float32", pairs(122, **MASK, dtype="float32", target_dtype="uint8")),
    Inputs("float16", pairs(123, **MASK, dtype="float16", target_dtype="bool")),
    Inputs("hard", pairs(124, **MASK, dtype="uint8", target_dtype="uint8")),
    Inputs("empty", pairs(125, **MASK, empty=[1, 3]), BOTH, in_library=False),
    Inputs("big", pairs(126, rows=BIG, shape=[2, 2])),
    Inputs(
        "sharp",
        given(
            prediction=[[[1 - 1e-9, 2e-9, 1], [1, 1 - 3e-7, 0]], [[0, 1, 0.9999], [0, 0, 1e-12]]],
            target=[[[1, 0, 1], [1, 1, 0]], [[0, 1, 1], [0, 0, 0]]],
        ),
        in_library=False,
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
    Inputs("pooled-empty", MASKS[4].key, params=DATASET, in_library=False),
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

SOFT_MASKS = Inputs("soft", pairs(161, **MASK, soft=True), in_library=False)
MULTILABEL = Inputs(
    "multilabel",
    pairs(162, rows=4, shape=[3, 2, 3], scores=4, target_dtype="uint8"),
    params={"multilabel": True, "axis": 1, **LOGITS},
    in_library=False,
)
FOREGROUND: Params = {"background": False}
SKIPPED: Params = {"absent": "skip"}
FREE: Params = {"absent": "zero"}
BELOW: Params = {"smooth": 0.5, "smooth_denominator": 2}
LEAST: Params = {"least_denominator": 3}
LEFT_OUT = [  # what all losses of the overlap know, and no library as such
    Inputs("absent-skip", CLASS_MASKS[4].key, BOTH, SKIPPED, in_library=False),
    Inputs("absent-zero", CLASS_MASKS[4].key, BOTH, FREE, in_library=False),
    Inputs("empty-zero", MASKS[4].key, params=FREE, in_library=False),
    Inputs("pooled-skip", CLASS_MASKS[4].key, params={**DATASET, **SKIPPED}, in_library=False),
    Inputs("pooled-zero", CLASS_MASKS[4].key, params={**DATASET, **FREE}, in_library=False),
    Inputs("foreground", CLASS_MASKS[0].key, params=FOREGROUND, in_library=False),
    Inputs(
        "pooled-foreground", CLASS_MASKS[0].key, params={**DATASET, **FOREGROUND}, in_library=False
    ),
    MULTILABEL,
    SOFT_MASKS,
    Inputs("minimum", SOFT_MASKS.key, params={"intersection": "minimum"}, in_library=False),
]
RATIOS = [
    Inputs("below", MASKS[0].key, params=BELOW, in_library=False),
    Inputs("below-pooled", MASKS[4].key, params={**BELOW, **DATASET}, in_library=False),
    Inputs("least", MASKS[0].key, params=LEAST, in_library=False),
    Inputs("least-pooled", MASKS[4].key, params={**LEAST, **DATASET}, in_library=False),
]
SWAPPED: Params = {"alpha": 0.3, "beta": 0.7, "alpha_weighs": "false_negatives"}

BLANK = Inputs("blank", maps(163, **MAP, absent=[1, 2, 3, 4]), params=FOREGROUND, in_library=False)
SIZES = [
    *CLASS_MASKS,
    IGNORED,
    MASKS[0],
    MASKS[1],
    MASKS[4],
    MULTILABEL,
    BLANK,
    Inputs("pooled", CLASS_MASKS[0].key, BOTH, DATASET),
    Inputs("pooled-absent", CLASS_MASKS[4].key, params=DATASET),
    Inputs("pooled-ignored", IGNORED.key, params={**DATASET, **IGNORED.params}),
    Inputs("pooled-mean", CLASS_MASKS[0].key, BOTH, {**DATASET, "combine": "mean"}),
]
SIZED = [
    {"weights": "simple"}, {"weights": "uniform"}, SMOOTHED, {"combine": "mean"},
    {"epsilon": 0.5}, {"none_present": "zero"}, {"combine": "mean", "smooth": 1, "epsilon": 0.5},
]  # fmt: skip

FLAT_MASKS = [MASKS[0], MASKS[1], MASKS[2], MASKS[6], MASKS[7], *MASKS[9:11], SOFT_MASKS]
CLASS_LOGITS = CLASS_MASKS[5]
PIXEL_LOGITS: Params = {"pixel_logits": True}
EACH: Params = {"one_vs_rest": True}
SUMS_OF_CLASSES = [item for item in CLASS_MASKS if item.label != "classes-absent"]
WEIGHTED_MASKS = Inputs("weighted", pairs(165, **MASK, weight=True))

TALL = {"rows": 3, "spatial": [5, 7], "count": 3, "last": False}
GRID = {"rows": 4, "shape": [6, 5]}
DISTANCES = [
    Inputs("float64", pairs(171, **GRID), BOTH),
    Inputs("float32", pairs(172, **GRID, dtype="float32", target_dtype="uint8")),
    Inputs("float16", pairs(173, **GRID, dtype="float16", target_dtype="bool")),
    Inputs("hard", pairs(174, **GRID, dtype="uint8", target_dtype="uint8")),
    Inputs("empty", pairs(175, **GRID, empty=[0, 2])),
    Inputs("line", pairs(176, rows=4, shape=[9])),
    Inputs("weighted", pairs(177, **GRID, weight=True)),
    Inputs("classes", maps(178, **TALL), BOTH),
    Inputs("volume", maps(179, rows=2, count=3, spatial=[2, 4, 3], last=False)),
    Inputs("foreground", maps(180, **TALL), params=FOREGROUND),
    Inputs("classes-last", maps(181, rows=2, spatial=[4, 5], count=3)),
    Inputs("logits", pairs(182, **GRID, scores=4), params=LOGITS),
    Inputs("classes-logits", maps(183, **TALL, kind="logit"), params=LOGITS),
    Inputs(
        "full",
        given(prediction=[[[0.75, 1], [0.6, 0.9]], [[0, 0.25], [1, 0]]], target=[[[1, 1]] * 2] * 2),
    ),
]
BORDERS = [
    Inputs("float64", maps(191, **TALL), BOTH),
    Inputs("float32", maps(192, **TALL, **F32, target_dtype="uint8")),
    Inputs("float16", maps(193, **TALL, dtype="float16", target_dtype="uint8")),
    Inputs("last", maps(194, rows=2, spatial=[6, 5], count=2)),
    Inputs("logits", maps(195, **TALL, kind="logit"), params=LOGITS),
    Inputs("ignored", maps(196, **TALL, ignore=255), BOTH, {"ignore_index": 255}),
    Inputs("background-alone", maps(197, **TALL, absent=[1, 2])),
    Inputs("volume", maps(198, rows=2, spatial=[2, 4, 3], count=3, last=False)),
    Inputs("weighted", maps(199, **TALL, weight=True)),
    Inputs("instances", key("objects", 200), BOTH),
    Inputs("instances-float32", key("objects", 201, rows=2, dtype="float32")),
]

PLANS = [
    Plan(
        "dice",
        OVERLAP,
        variants=[SMOOTHED, {"squared": True}, MICRO],
        on=ON_MASKS,
        extra=[*POOLED, *LEFT_OUT, *RATIOS],
    ),
    Plan(
        "jaccard",
        OVERLAP,
        variants=[SMOOTHED, MICRO],
        on=ON_MASKS,
        extra=[*POOLED, *LEFT_OUT, *RATIOS],
    ),
    Plan(
        "tversky",
        OVERLAP,
        variants=[SMOOTHED, MICRO, {"alpha": 0.3, "beta": 0.7}, {"alpha": 0.9}, {"beta": 0.2}],
        on=ON_MASKS,
        extra=[
            *POOLED,
            *LEFT_OUT,
            *RATIOS,
            Inputs("swapped", MASKS[0].key, params=SWAPPED, in_library=False),
            Inputs("swapped-classes", CLASS_MASKS[0].key, params=SWAPPED, in_library=False),
        ],
    ),
    Plan(
        "focal_tversky",
        OVERLAP,
        variants=[SMOOTHED, {"alpha": 0.3, "beta": 0.7}, {"gamma": 2}],
        on=ON_MASKS,
        extra=[item for item in POOLED if "micro" not in item.label],
    ),
    Plan(
        "mcc_loss",
        [*FACES, MASKS[6]],
        variants=[{"epsilon": 0.5}, {"pseudocount": 0.25}, SMOOTHED],
        on=("float64", "empty"),
        extra=[POOLED[0], POOLED[2], CLASS_MASKS[0], LEFT_OUT[0], LEFT_OUT[5], MULTILABEL],
    ),
    Plan("generalized_dice", SIZES, variants=SIZED, on=("classes", "classes-absent", "blank")),
    Plan(
        "dice_bce",
        [
            *FLAT_MASKS,
            WEIGHTED_MASKS,
            Inputs("multilabel", MULTILABEL.key, params={"axis": 1, **LOGITS}),
            CLASS_MASKS[0],
            IGNORED,
        ],
        variants=[SMOOTHED, {"squared": True}, PIXEL_LOGITS],
        on=("float64", "float32", "classes"),
    ),
    Plan(
        "dice_ce",
        [*CLASS_MASKS, IGNORED],
        variants=[SMOOTHED, {"squared": True}, PIXEL_LOGITS, {"label_smoothing": 0.25}],
        on=("classes", "classes-float32", "classes-logits"),
    ),
    Plan(
        "dice_focal",
        [*FLAT_MASKS, WEIGHTED_MASKS, *CLASS_MASKS, IGNORED],
        variants=[SMOOTHED, EACH, {**EACH, **PIXEL_LOGITS}, {"gamma": 0.5}, {"squared": True}],
        on=("float64", "classes", "classes-logits"),
        extra=[
            Inputs("alpha", MASKS[0].key, params={"alpha": 0.25}),
            Inputs("alphas", CLASS_MASKS[0].key, params={"alpha": [0.5, 1, 2, 0, 3]}),
        ],
    ),
    Plan(
        "hausdorff_dt",
        DISTANCES,
        variants=[{"alpha": 1}, {"alpha": 2.5}],
        on=("float64", "classes"),
    ),
    Plan("boundary", DISTANCES),
    Plan(
        "unet_weighted_ce",
        BORDERS,
        variants=[{"w0": 3, "sigma": 1.5}, {"class_weights": [0.5, 2, 3]}],
        on=("float64", "ignored", "instances"),
    ),
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
