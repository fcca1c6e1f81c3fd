"""Survival: by the libraries' own calls."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
from lifelines.fitters.coxph_fitter import SemiParametricPHFitter

from tests.reference.libraries import Answer, Arrays, Library, Params


def cox_ph(inputs: Arrays, params: Params) -> Answer | None:
    """The likelihood that lifelines maximises, with the log risk as the one covariate and β = 1.

    It is Efron's; where no two events share a time, that is Breslow's too.
    """
    order = np.argsort(inputs["time"], kind="stable")
    risk, time = (inputs[name][order].astype(float) for name in ("prediction", "time"))
    event = inputs["event"][order] == 1
    tied = len(np.unique(time[event])) < event.sum()
    if (params.get("ties", "breslow") == "breslow" and tied) or np.abs(risk).max() > 100:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _, _, likelihood = SemiParametricPHFitter()._get_efron_values_single(
            pd.DataFrame({"risk": risk}), pd.Series(time), pd.Series(event),
            pd.Series(np.ones(len(risk))), None, np.ones(1),
        )  # fmt: skip
    return Answer("lifelines.CoxPHFitter", mean=-float(likelihood) / event.sum(), accuracy=1e-11)


LIBRARIES: dict[str, Library] = {"cox_ph": cox_ph}
