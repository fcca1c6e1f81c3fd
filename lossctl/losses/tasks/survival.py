"""Survival: times to an event, of which some were not observed."""

from __future__ import annotations

from typing import NamedTuple

from lossctl.losses.definition import (
    Array,
    ArrayModule,
    Domain,
    Elements,
    Example,
    Input,
    Param,
    loss,
)
from lossctl.losses.domains import require


def _check_event(xp: ArrayModule, values: Array, name: str) -> None:
    require(
        xp,
        (values == 0) | (values == 1),
        name,
        "has {value}, neither 0 nor 1",
        "1 where the event was observed at the time, 0 where the observation ended before it",
        values,
    )


EVENT = Domain("{0, 1}", _check_event)


@loss(
    summary="Cox partial likelihood",
    formula="log Σ_{j: tⱼ ≥ tᵢ} exp ŷⱼ − ŷᵢ of each event i",
    unit="nats",
    inputs=(
        Input("prediction", "(N,)", help="the logarithm of the relative risk"),
        Input("time", "(N,)", help="of the event, or of the end of the observation"),
        Input("event", "(N,)", domain=EVENT, help="1 where the event was observed, else 0"),
    ),
    params=(
        Param(
            "ties",
            "breslow",
            "of events at the same time: breslow leaves all of them at risk, efron takes out one "
            "after the other, in equal shares of all",
            choices=("breslow", "efron"),
        ),
    ),
    whole=True,
    memory="the rows in the order of their times, and running sums over them",
    use="Risk scores from censored times: it sees their order in time alone. The mean is per "
    "event, the sum is the negative log partial likelihood; the samples share their risk sets, "
    "which weights and groups leave as they are.",
    traits=("convex", "smooth", "shift"),
    reference="Cox 1972, Regression models and life-tables; Breslow 1974; Efron 1977",
    example=Example(
        {
            "prediction": [0.5, -1.0, 0.0, 1.5, 0.25],
            "time": [2.0, 3.0, 3.0, 5.0, 1.0],
            "event": [1, 1, 1, 0, 1],
        },
        1.9925377070203943,
    ),
)
def cox_ph(xp: ArrayModule, prediction: Array, time: Array, event: Array, *, ties: str) -> Elements:
    # A time that is not known (NaN, let through to be propagated) may be in every risk set.
    unknown = xp.isnan(time)
    time = xp.where(unknown, xp.inf, time)
    risk = xp.where(unknown, xp.nan, prediction.astype("float64", copy=False))
    order = xp.argsort(event, kind="stable")  # at the same time those with an event come last
    order = order[xp.argsort(-time[order], kind="stable")]
    risk, sets = risk[order], _risk_sets(xp, risk[order], time[order])
    died = event[order] == 1
    log_sum = xp.log1p(sets.rest) if ties == "breslow" else _efron(xp, risk, died, sets)
    values = xp.empty_like(risk)
    values[order] = (sets.top - risk) + log_sum
    return Elements(values, event.astype("float64", copy=False))


class _RiskSets(NamedTuple):
    """The risk set of each row, in descending order of time: Σ exp ŷ = exp(top)(1 + rest)."""

    top: Array
    rest: Array
    running: tuple[Array, Array]  # top and rest of the rows up to each
    tie: Array  # each row's time, counted
    last: Array  # the last row of the same time


def _risk_sets(xp: ArrayModule, risk: Array, time: Array) -> _RiskSets:
    running = _running_sums(xp, risk)
    differ = time[1:] != time[:-1]
    tie = xp.concatenate([xp.zeros(1, dtype="int64"), xp.cumsum(differ.astype("int64"))])
    ends = xp.concatenate([xp.flatnonzero(differ), xp.asarray([len(time) - 1])])
    last = ends[tie]
    return _RiskSets(running[0][last], running[1][last], running, tie, last)


def _running_sums(xp: ArrayModule, x: Array) -> tuple[Array, Array]:
    """Of the rows up to each: the largest x, and Σ exp x divided by its exp, less 1.

    Each pass doubles the rows that are in a sum. The largest term is left out of it, so that
    a sum next to it keeps all digits.
    """
    top, rest = x.copy(), xp.zeros_like(x)
    width = 1
    while width < len(x):
        step = top[:-width] - top[width:]  # to the sum of the rows before
        shrink = xp.exp(-xp.abs(step))
        here, before = rest[width:], rest[:-width]
        joined = xp.where(step > 0, before + (1 + here) * shrink, here + (1 + before) * shrink)
        top = xp.concatenate([top[:width], xp.maximum(top[:-width], top[width:])])
        rest = xp.concatenate([rest[:width], joined])
        width *= 2
    return top, rest


def _efron(xp: ArrayModule, risk: Array, died: Array, sets: _RiskSets) -> Array:
    """The mean over l = 0 … d−1 of log(Σ − l/d D) − top, D the d events' part of a tie's Σ."""
    tie = sets.tie
    deaths = xp.bincount(tie, weights=died.astype("float64"))
    share = xp.exp(risk - sets.top)
    dying = xp.bincount(tie, weights=xp.where(died, share, 0))[tie]
    deaths = deaths[tie]
    first = sets.last - deaths.astype("int64") + 1  # of the tie's events, which are its last rows
    before = xp.maximum(first - 1, 0)
    running = [part[before] for part in sets.running]
    others = xp.where(first > 0, (1 + running[1]) * xp.exp(running[0] - sets.top), 0)
    nth = xp.arange(len(risk)) - first
    left = others + dying * (1 - nth / deaths)
    logs = xp.where(nth == 0, xp.log1p(sets.rest), xp.log(left))
    return xp.bincount(tie, weights=xp.where(died, logs, 0))[tie] / deaths
