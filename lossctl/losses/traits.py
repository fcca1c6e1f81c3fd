"""What losses have in common, in the words by which they are chosen."""

from __future__ import annotations

TRAITS = {
    "asymmetric": "errors to one side, or of one class, cost more than to the other",
    "bounded": "no sample costs more than a fixed limit",
    "calibration": "notices probabilities that are systematically too high or too low",
    "convex": "convex in the prediction",
    "distance": "a metric: symmetric, 0 only for equals, and the triangle inequality holds",
    "imbalanced": "made for classes of very different frequency",
    "multilabel": "several labels of a sample may hold at once",
    "noisy": "made for targets of which some are wrong",
    "nonnegative": "never below 0",
    "ordinal": "knows the order of the classes or bins: near misses cost less",
    "proper": "the honest forecast is the best one",
    "relative": "errors count in proportion to the target",
    "robust": "outliers cost little more than large errors",
    "shift": "adding one constant to all predictions changes nothing",
    "smooth": "differentiable everywhere",
    "symmetric": "prediction and target may be exchanged",
    "uncertainty": "judges the stated uncertainty along with the prediction",
    "zero": "0 where the prediction is the target",
}
"""Trait and meaning. `nonnegative`, `symmetric` and `zero` are claims that tests hold them to."""
