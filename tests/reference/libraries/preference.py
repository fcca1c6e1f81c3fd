"""Preferences: by the libraries' own calls."""

from __future__ import annotations

import torch.nn.functional as F

from tests.reference.libraries import Answer, Arrays, Library, Params, tensor


def bradley_terry(inputs: Arrays, params: Params) -> Answer:
    margin = tensor(inputs["chosen"]) - tensor(inputs["rejected"])
    return Answer("torch.nn.functional.logsigmoid", -F.logsigmoid(margin).numpy())


def dpo(inputs: Arrays, params: Params) -> Answer | None:
    """The steps of TRL's DPOTrainer on torch's own parts."""
    if params.get("variant", "sigmoid") != "sigmoid":
        return None
    chosen = tensor(inputs["policy_chosen"]) - tensor(inputs["policy_rejected"])
    reference = tensor(inputs["reference_chosen"]) - tensor(inputs["reference_rejected"])
    logits = params.get("beta", 0.1) * (chosen - reference)
    wrong = params.get("label_smoothing", 0.0)
    loss = -F.logsigmoid(logits) * (1 - wrong) - F.logsigmoid(-logits) * wrong
    return Answer("torch.nn.functional.logsigmoid", loss.numpy())


LIBRARIES: dict[str, Library] = {"bradley_terry": bradley_terry, "dpo": dpo}
