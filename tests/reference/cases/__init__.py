"""The cases, as tables: which losses, with which parameters, on which inputs.

A menu is a list of inputs for a family of losses. A plan runs a loss over a menu with its base
parameters, over two of the menu's inputs with each variant of them, and over inputs of its own.

A task's module has its PLANS, and in CASES what no plan makes. What several tasks use is here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import ModuleType
from typing import Any

from tests.reference.modules import modules

Key = dict[str, Any]
Params = dict[str, Any]

BIG = 70_001


@dataclass(frozen=True)
class Case:
    """One evaluation. ``in_library=False`` where libraries clamp, round or refuse the inputs."""

    loss: str
    label: str
    inputs: Key
    params: Params = field(default_factory=dict)
    reduction: str = "mean"
    in_library: bool = True
    textbook: float | None = None

    @property
    def spec(self) -> str:
        text = ",".join(f"{name}={show(value)}" for name, value in self.params.items())
        return f"{self.loss}:{text}" if text else self.loss

    @property
    def id(self) -> str:
        return f"{self.spec} {self.label} {self.reduction}"


def show(value: Any) -> str:
    if isinstance(value, list):
        return f"[{','.join(map(show, value))}]"
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)


@dataclass(frozen=True)
class Inputs:
    label: str
    key: Key
    reductions: tuple[str, ...] = ("mean",)
    params: Params = field(default_factory=dict)
    in_library: bool = True


@dataclass(frozen=True)
class Plan:
    """``variants`` run on the menu's inputs named ``on``; ``extra`` are this loss's own inputs."""

    loss: str
    menu: Sequence[Inputs]
    base: Params = field(default_factory=dict)
    variants: Sequence[Params] = ()
    on: tuple[str, ...] = ("float64", "float32")
    extra: Sequence[Inputs] = ()
    skip: tuple[str, ...] = ()

    def cases(self) -> Iterator[Case]:
        for item in (*self.menu, *self.extra):
            if item.label in self.skip:
                continue
            for reduction in item.reductions:
                params = {**self.base, **item.params}
                yield Case(self.loss, item.label, item.key, params, reduction, item.in_library)
        by_label = {item.label: item for item in self.menu}
        for variant in self.variants:
            for label in self.on:
                item = by_label[label]
                params = {**self.base, **item.params, **variant}
                yield Case(self.loss, label, item.key, params, "mean", item.in_library)


def key(make: str, seed: int, **arguments: Any) -> Key:
    return {"make": make, "seed": seed, **arguments}


def given(dtype: Any = "float64", **arrays: Any) -> Key:
    return {"make": "given", "dtype": dtype, **arrays}


def across(
    label: str, dtypes: Sequence[str], *, params: Params | None = None, **arrays: Any
) -> list[Inputs]:
    """The same written-out prediction in several types, the targets in float64."""
    return [
        Inputs(
            f"{label}-{dtype}",
            given({"prediction": dtype, "target": "float64"}, **arrays),
            params=params or {},
            in_library=False,
        )
        for dtype in dtypes
    ]


FLOATS = ("float64", "float32", "float16")
BOTH = ("mean", "sum")


def real(low: float, high: float, ints: tuple[int, int] = (0, 255)) -> list[Inputs]:
    names = {"prediction": [low, high], "target": [low, high]}
    whole = {"prediction": list(ints), "target": list(ints)}

    def fields(seed: int, **arguments: Any) -> Key:
        return key("fields", seed, **{"names": names, **arguments})

    types = {"prediction": "float32", "target": "int64"}
    return [
        Inputs("float64", fields(1, shape=[3]), (*BOTH, "batchmean")),
        Inputs("vector", fields(2), BOTH),
        Inputs("cube", fields(3, rows=5, shape=[2, 3])),
        Inputs("float32", fields(4, shape=[3], dtype="float32"), BOTH),
        Inputs("float16", fields(5, shape=[3], dtype="float16")),
        Inputs("uint8", fields(6, shape=[3], names=whole, dtype="uint8"), BOTH),
        Inputs("mixed", fields(7, names={**whole, "prediction": names["prediction"]}, dtype=types)),
        Inputs("weighted", fields(8, shape=[3], weight=True), BOTH),
        Inputs("one-row", fields(9, rows=1, shape=[4])),
        Inputs("big", fields(10, rows=BIG)),
        Inputs("big-float32", fields(11, rows=BIG, dtype="float32")),
    ]


SIGNED = real(-3, 3)
POSITIVE = real(0.05, 4, (1, 255))


def finished(menu: Sequence[Inputs]) -> list[Inputs]:
    """For losses with a finish: no batchmean, and no sum of weighted samples."""
    return [
        replace(item, reductions=("mean",) if "weight" in item.key else item.reductions[:2])
        for item in menu
    ]


def pairs(seed: int, **arguments: Any) -> Key:
    return key("binary", seed, **arguments)


LOGITS: Params = {"from_logits": True}
POWER_OF_TWO = 2.0**-10  # 1 − clip is exact


def maps(seed: int, **arguments: Any) -> Key:
    return key("classes", seed, **arguments)


MAP = {"rows": 4, "spatial": [2, 3], "last": False}
F32 = {"dtype": "float32"}
PIXELS = [
    Inputs("map", maps(51, **MAP), (*BOTH, "batchmean")),
    Inputs("map-float32", maps(52, **MAP, **F32, target_dtype="uint8")),
    Inputs(
        "map-ignored",
        maps(53, **MAP, target_dtype="uint8", ignore=255),
        BOTH,
        {"ignore_index": 255},
    ),
    Inputs(
        "map-blank",
        maps(54, **MAP, ignore=-100, blank_rows=[2]),
        BOTH,
        {"ignore_index": -100},
    ),
    Inputs("map-ignored-class", maps(55, **MAP), BOTH, {"ignore_index": 0}),
]
IDS = [
    Inputs("float64", maps(56), BOTH),
    Inputs("float32", maps(57, **F32, target_dtype="int32")),
    Inputs("float16", maps(58, dtype="float16", target_dtype="uint8")),
    Inputs("float-ids", maps(59, target_dtype="float64")),
    Inputs("map-last", maps(60, rows=4, spatial=[2, 3])),
    Inputs("sequence", maps(61, rows=4, spatial=[3]), BOTH),
    Inputs("weighted", maps(62, weight=True), BOTH),
    Inputs("big", maps(63, rows=BIG, count=3)),
    Inputs("ignored", maps(64, rows=9, ignore=-1), BOTH, {"ignore_index": -1}),
    *PIXELS,
]
ONE_HOT = [
    Inputs("float64", maps(71, target="onehot", target_dtype="float64"), BOTH),
    Inputs("float32", maps(72, target="onehot", **F32, target_dtype="float32")),
    Inputs("float16", maps(73, target="onehot", dtype="float16", target_dtype="float16")),
    Inputs("uint8-target", maps(74, target="onehot", target_dtype="uint8")),
    Inputs("soft", maps(75, target="soft", target_dtype="float64"), BOTH),
    Inputs("soft-float32", maps(76, target="soft", **F32, target_dtype="float32")),
    Inputs("map-axis", maps(77, **MAP, target="onehot"), BOTH, {"axis": 1}),
    Inputs(
        "map-last-axis",
        maps(78, rows=4, spatial=[2, 3], target="soft", target_dtype="float64"),
        params={"axis": -1},
    ),
    Inputs("onehot-logits", maps(79, target="onehot", kind="logit"), params=LOGITS),
    Inputs(
        "soft-logits",
        maps(80, target="soft", target_dtype="float64", kind="logit"),
        BOTH,
        params=LOGITS,
    ),
    Inputs(
        "onehot-certain",
        given(prediction=[[0, 1, 0], [0.5, 0, 0.5]], target=[[0, 1, 0], [1, 0, 0]]),
        in_library=False,
    ),
    Inputs(
        "soft-wrong",
        given(prediction=[[0, 1, 0], [0.5, 0, 0.5]], target=[[0.5, 0.5, 0], [1, 0, 0]]),
        in_library=False,
    ),
    Inputs("onehot-big", maps(81, rows=BIG, count=3, target="onehot")),
]


def of_module(module: ModuleType) -> Iterator[Case]:
    for plan in module.PLANS:
        yield from plan.cases()
    yield from getattr(module, "CASES", ())


def all_cases(tasks: Iterable[str] | None = None) -> list[Case]:
    """The cases of these tasks; of all by default."""
    cases: dict[str, Case] = {}
    for case in (case for _, module in modules(__name__, tasks) for case in of_module(module)):
        assert cases.get(case.id, case) == case, f"two cases are called {case.id}"
        cases[case.id] = case
    return list(cases.values())


def by_loss(cases: Sequence[Case]) -> Mapping[str, int]:
    counts: dict[str, int] = {}
    for case in cases:
        counts[case.loss] = counts.get(case.loss, 0) + 1
    return counts
