"""Two views of each row that agree, and features that differ: losses without negatives."""

from __future__ import annotations

from collections.abc import Callable
from math import nan

from lossctl.losses.definition import (
    Array,
    ArrayModule,
    Convention,
    Example,
    Param,
    loss,
)
from lossctl.losses.pairs import batches
from lossctl.losses.tasks.contrastive.parts import (
    BATCH,
    LEFT,
    RIGHT,
)


def _over_batches(
    xp: ArrayModule, views: tuple[Array, Array], batch: int | None, value: Callable[..., Array]
) -> Array:
    """The mean of the batches' values, each counting by its rows."""
    left, right = views
    rows = len(left)
    parts = [
        value(left[own], right[own]) * ((own.stop - own.start) / rows)
        for own in batches(rows, batch)
    ]
    return xp.stack(parts).sum()


def _centred(xp: ArrayModule, view: Array) -> Array:
    """Columns less their means, in float64; exactly 0 where a column is constant."""
    constant = (view == view[:1]).all(axis=0)
    view = view.astype("float64") - view[:1]
    view -= view.mean(axis=0)
    view -= view.mean(axis=0)  # what the first mean's rounding has left
    view[:, constant] = 0
    return view


@loss(
    summary="Barlow Twins loss",
    formula="Σᵢ (1 − Cᵢᵢ)² + λ Σ_{i≠j} Cᵢⱼ², C the correlations (over rows) of left's features\n"
    "with right's; 0 for a constant feature",
    inputs=(LEFT, RIGHT),
    params=(
        Param("lambda", 0.005, "λ, the weight of what different features share", least=0),
        Param("epsilon", 0.0, "is added to each standard deviation", least=0),
        Param(
            "ddof",
            0,
            "1: the deviations divide by N − 1, though the covariances by N",
            choices=(0, 1),
        ),
        BATCH,
    ),
    whole=True,
    single=True,
    memory="centred copies of both views, and as many numbers as there are pairs of features",
    use="Whether two views agree in each feature while the features differ from each other. It "
    "grows with the number of features, and with few rows chance correlations rule it.",
    traits=("symmetric", "nonnegative"),
    reference="Zbontar et al. 2021, Barlow Twins: Self-Supervised Learning via Redundancy "
    "Reduction, ICML, eq. 1 and 2",
    example=Example(
        {
            "left": [[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]],
            "right": [[3.0, 0.0], [1.0, 0.0], [1.0, 5.0], [-1.0, 5.0]],
        },
        1.0932864376269049,  # (1 − 1/√2)² + 1 + λ(1 + ½)
    ),
    conventions={
        "monai": Convention(
            "monai.losses.BarlowTwinsLoss",
            {"epsilon": 1e-6, "ddof": 1, "lambda": 0.004999999888241291},
            note="deviations over N − 1, covariances over N, 1e-6 added to each deviation; "
            "λ is 0.005 in float32",
        )
    },
)
def barlow_twins(
    xp: ArrayModule,
    left: Array,
    right: Array,
    *,
    epsilon: float,
    ddof: int,
    batch: int | None,
    **named: float,  # lambda, which is no name in Python
) -> Array:
    def value(left: Array, right: Array) -> Array:
        u, u_part = _standardised(xp, left, epsilon, ddof)
        v, v_part = _standardised(xp, right, epsilon, ddof)
        shared = u.T @ v
        cosines = xp.diagonal(shared).copy()
        # 1 − cos from the difference of the columns, which does not cancel; 1 if one is zero
        lacking = 0.5 * (2 - (u_part > 0).astype("float64") - (v_part > 0))
        u -= v
        u *= u
        parts = u_part * v_part
        apart = 0.5 * u.sum(axis=0) + lacking + cosines * (1 - parts)
        shared *= u_part[:, None]
        shared *= v_part
        xp.fill_diagonal(shared, 0)
        return xp.square(apart).sum() + named["lambda"] * xp.square(shared).sum()

    return _over_batches(xp, (left, right), batch, value)


def _standardised(xp: ArrayModule, view: Array, epsilon: float, ddof: int) -> tuple[Array, Array]:
    """Centred columns at length 1, and by how much the deviation that divides is larger (≤ 1).

    Both are 0 for a constant column.
    """
    view = _centred(xp, view)
    rows = len(view)
    size = xp.sqrt((view * view).sum(axis=0))
    constant = size == 0
    view /= xp.where(constant, 1, size)
    if epsilon == 0 and ddof == 0:
        return view, xp.where(constant, 0.0, 1.0)
    divisor = size / (rows - ddof) ** 0.5 + epsilon if rows > ddof else xp.full_like(size, xp.nan)
    return view, xp.where(constant, 0.0, size / rows**0.5 / divisor)


@loss(
    summary="VICReg: variance, invariance and covariance of two views",
    formula="25 · s + 25 · (v(left) + v(right)) + 1 · (c(left) + c(right)): s = 1/N Σ ‖lᵢ − rᵢ‖²,\n"
    "v = 1/D Σⱼ max(0, γ − √(Varⱼ + ε)), c = 1/D Σ_{j≠k} Cov²ⱼₖ, both over N − 1",
    inputs=(LEFT, RIGHT),
    params=(
        Param("invariance", 25.0, "the weight of s, the views' squared distance", least=0),
        Param("variance", 25.0, "the weight of v, the features' lack of spread", least=0),
        Param("covariance", 1.0, "the weight of c, what the features share", least=0),
        Param("gamma", 1.0, "γ, the deviation from which a feature costs nothing", least=0),
        Param("epsilon", 1e-4, "ε, is added to each variance", least=0),
        Param(
            "per_feature",
            False,
            "whether s is divided by D, as in the paper's program but not in its equation",
        ),
        BATCH,
    ),
    whole=True,
    single=True,
    memory="centred copies of both views, and as many numbers as there are pairs of features",
    use="Whether two views agree (s) without all embeddings being the same (v) or all features "
    "saying the same (c). Published numbers mostly have s per feature: say which.",
    traits=("symmetric", "nonnegative"),
    reference="Bardes, Ponce & LeCun 2022, VICReg: Variance-Invariance-Covariance Regularization "
    "for Self-Supervised Learning, ICLR, eq. 1 to 6",
    example=Example(
        {"left": [[0.0, 2.0], [2.0, 0.0]], "right": [[0.0, 3.0], [2.0, 1.0]]},
        33.0,  # 25·1 + 25·0 + 1·(½(2·4) + ½(2·4)): variances 2, covariances −2
    ),
)
def vicreg(
    xp: ArrayModule,
    left: Array,
    right: Array,
    *,
    invariance: float,
    variance: float,
    covariance: float,
    gamma: float,
    epsilon: float,
    per_feature: bool,
    batch: int | None,
) -> Array:
    def value(left: Array, right: Array) -> Array:
        rows, features = left.shape
        apart = xp.square(left.astype("float64") - right).sum() / rows
        total = invariance * (apart / features if per_feature else apart)
        for view in (left, right):
            centred = _centred(xp, view)
            shared = centred.T @ centred / (rows - 1 if rows > 1 else nan)
            spread = xp.sqrt(xp.diagonal(shared) + epsilon)
            total = total + variance * xp.maximum(gamma - spread, 0).mean()
            xp.fill_diagonal(shared, 0)
            total = total + covariance * xp.square(shared).sum() / features
        return total

    return _over_batches(xp, (left, right), batch, value)
