"""Boxes: the definitions, at 50 digits, from the corners' coordinates."""

from __future__ import annotations

from collections.abc import Callable

from mpmath import mp, mpf

from tests.reference.exact.parts import Arrays, Number, Params, Terms, row_terms

Box = list[Number]


def area(box: Box) -> Number:
    return max(box[2] - box[0], mpf(0)) * max(box[3] - box[1], mpf(0))


def overlap(a: Box, b: Box, params: Params) -> tuple[Number, Number]:
    """1 − IoU, and the union."""
    inner = [max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])]
    union = area(a) + area(b) - area(inner)
    epsilon = mpf(params.get("epsilon", 0))
    if union + epsilon == 0:
        return mpf(a != b), union
    return 1 - area(inner) / (union + epsilon), union


def around(a: Box, b: Box) -> Box:
    return [min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3])]


def share(part: Number, whole: Number, params: Params) -> Number:
    below = whole + mpf(params.get("epsilon", 0))
    return part / below if below else mpf(0)


def iou(a: Box, b: Box, params: Params) -> Number:
    return overlap(a, b, params)[0]


def giou(a: Box, b: Box, params: Params) -> Number:
    value, union = overlap(a, b, params)
    whole = area(around(a, b))
    return value + share(whole - union, whole, params)


def diou(a: Box, b: Box, params: Params) -> Number:
    outer = around(a, b)
    centres = [((box[0] + box[2]) / 2, (box[1] + box[3]) / 2) for box in (a, b)]
    distance = sum((p - q) ** 2 for p, q in zip(*centres, strict=True))
    diagonal = (outer[2] - outer[0]) ** 2 + (outer[3] - outer[1]) ** 2
    return overlap(a, b, params)[0] + share(distance, diagonal, params)


def aspect(box: Box) -> Number | None:
    width, height = box[2] - box[0], box[3] - box[1]
    if width == height == 0:
        return None
    return mp.pi / 2 if height == 0 else mp.atan(width / height)


def ciou(a: Box, b: Box, params: Params) -> Number:
    angles = aspect(a), aspect(b)
    known = None not in angles
    v = 4 / mp.pi**2 * (angles[0] - angles[1]) ** 2 if known else mpf(0)
    return diou(a, b, params) + v * share(v, overlap(a, b, params)[0] + v, params)


REFERENCES: dict[str, Callable[[Arrays, Params], Terms]] = {
    "iou_box": row_terms(iou),
    "giou": row_terms(giou),
    "diou": row_terms(diou),
    "ciou": row_terms(ciou),
}
