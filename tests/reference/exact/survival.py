"""Survival: the definitions, at 50 digits."""

from __future__ import annotations

from collections.abc import Callable

from mpmath import mp, mpf

from tests.reference.exact.parts import Arrays, Params, Terms, mean, numbers


def cox_ph(inputs: Arrays, params: Params) -> Terms:
    """Event by event, over who was still at risk; Efron's mean is over the turns of a tie."""
    hazards = [mp.exp(risk) for risk in numbers(inputs["prediction"])]
    times, events = numbers(inputs["time"]), numbers(inputs["event"])
    values = []
    for hazard, time, event in zip(hazards, times, events, strict=True):
        rows = list(zip(hazards, times, events, strict=True))
        at_risk = mp.fsum(h for h, t, _ in rows if t >= time)
        tied = [h for h, t, e in rows if t == time and e == 1]
        if event == 0:
            values.append([mpf(0)])
        elif params.get("ties") == "efron":
            turns = [at_risk - mpf(k) / len(tied) * mp.fsum(tied) for k in range(len(tied))]
            values.append([mean([mp.log(turn) for turn in turns]) - mp.log(hazard)])
        else:
            values.append([mp.log(at_risk / hazard)])
    return Terms(values, [[event] for event in events])


REFERENCES: dict[str, Callable[[Arrays, Params], Terms]] = {"cox_ph": cox_ph}
