"""Adversarial: by the libraries' own calls."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from tests.reference.libraries import Answer, Array, Arrays, Library, Params, entropy, tensor


def against(d: torch.Tensor, label: float, params: Params) -> torch.Tensor:
    return entropy(d, torch.full_like(d, label), params.get("from_logits", False))[1]


def gan_discriminator(inputs: Arrays, params: Params) -> Answer | None:
    if not plain(params):
        return None
    real, fake = tensor(inputs["real"]), tensor(inputs["fake"])
    loss = against(real, 1.0, params).mean() + against(fake, 0.0, params).mean()
    name, _ = entropy(fake, fake.clip(0, 1), params.get("from_logits", False))
    return Answer(name, mean=loss.item())


def gan_generator(inputs: Arrays, params: Params) -> Answer:
    fake = tensor(inputs["fake"])
    name, _ = entropy(fake, fake.clip(0, 1), params.get("from_logits", False))
    if params.get("variant", "non_saturating") == "minimax":
        return Answer(name, -against(fake, 0.0, params).numpy())
    return Answer(name, against(fake, 1.0, params).numpy())


def squares(d: Array, label: float) -> torch.Tensor:
    scores = tensor(d)
    return F.mse_loss(scores, torch.full_like(scores, label), reduction="none")


def plain(params: Params) -> bool:
    return params.get("half", True) and params.get("leak", 1) == 1 and "clip" not in params


def lsgan_discriminator(inputs: Arrays, params: Params) -> Answer | None:
    if not plain(params):
        return None
    value = squares(inputs["real"], 1).mean() / 2 + squares(inputs["fake"], 0).mean() / 2
    return Answer("torch.nn.functional.mse_loss", mean=value.item())


def lsgan_generator(inputs: Arrays, params: Params) -> Answer | None:
    if not plain(params):
        return None
    return Answer("torch.nn.functional.mse_loss", squares(inputs["fake"], 1).numpy() / 2)


LIBRARIES: dict[str, Library] = {
    "gan_discriminator": gan_discriminator,
    "gan_generator": gan_generator,
    "lsgan_discriminator": lsgan_discriminator,
    "lsgan_generator": lsgan_generator,
}
