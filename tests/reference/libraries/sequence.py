"""Sequences: by the libraries' own calls."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F

from tests.reference.libraries import Answer, Arrays, Library, Params, tensor


def ctc(inputs: Arrays, params: Params) -> Answer:
    p, y = tensor(inputs["prediction"]), torch.tensor(inputs["target"].astype(np.int64))
    count, steps = p.shape[:2]
    lengths = inputs.get("prediction_lengths", np.full(count, steps))
    sizes = inputs.get("target_lengths", np.full(count, y.shape[1]))
    logs = F.log_softmax(p, -1) if params.get("from_logits") else p
    loss = F.ctc_loss(
        logs.movedim(0, 1),
        y,
        torch.tensor(lengths),
        torch.tensor(sizes),
        blank=int(params.get("blank", 0)),
        zero_infinity=params.get("zero_infinity", False),
        reduction="none",
    )
    if params.get("normalize") == "labels":
        loss = loss / torch.tensor(sizes).clamp(min=1)
    return Answer("torch.nn.functional.ctc_loss", loss.numpy())


LIBRARIES: dict[str, Library] = {
    "ctc": ctc,
}
