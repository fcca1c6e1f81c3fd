"""Images: by the libraries' own calls."""

from __future__ import annotations

import monai.losses
import monai.metrics
import monai.metrics.regression
import torch
import torch.nn.functional as F
import torchmetrics.functional

from tests.reference.libraries import Answer, Arrays, Library, Params, both, tensor


def total_variation(inputs: Arrays, params: Params) -> Answer | None:
    if params.get("power", 2) != 1 or params.get("normalize", "none") != "none":
        return None
    images = tensor(inputs["prediction"])
    if images.ndim == 3:
        images = images[:, None]
    elif params["channels"] == "last":
        images = images.movedim(-1, 1)
    loss = torchmetrics.functional.image.total_variation(images, reduction="none")
    return Answer("torchmetrics.functional.image.total_variation", loss.numpy())


def perceptual(inputs: Arrays, params: Params) -> Answer:
    loss = F.mse_loss(*both(inputs), reduction="none").flatten(1).sum(1)
    return Answer("torch.nn.functional.mse_loss", loss.numpy())


def as_planes(images: torch.Tensor, params: Params) -> torch.Tensor:
    if images.ndim == 3:
        return images[:, None]
    return images.movedim(-1, 1) if params["channels"] == "last" else images


def ssim(inputs: Arrays, params: Params) -> Answer:
    pair = (as_planes(images, params) for images in both(inputs))
    found = monai.losses.SSIMLoss(
        2,
        data_range=float(params["data_range"]),
        win_size=params.get("window", 11),
        kernel_sigma=params.get("sigma", 1.5),
        reduction="none",
    )(*pair)
    return Answer("monai.losses.SSIMLoss", found.numpy().ravel(), accuracy=3e-5)


def ms_ssim(inputs: Arrays, params: Params) -> Answer | None:
    pair = [as_planes(images, params) for images in both(inputs)]
    exponents = params.get("exponents", [0.0448, 0.2856, 0.3001, 0.2363, 0.1333])
    exponents = exponents if isinstance(exponents, list) else [exponents]
    # what monai takes for too small an image is at times large enough
    size = (params.get("window", 11) - 1) * max(1, len(exponents) - 1) ** 2
    if pair[0].shape[1] > 1 or min(pair[0].shape[2:]) <= size:
        return None
    found = monai.metrics.regression.compute_ms_ssim(
        *pair,
        2,
        data_range=float(params["data_range"]),
        kernel_size=params.get("window", 11),
        kernel_sigma=params.get("sigma", 1.5),
        weights=exponents,
    )
    call = "monai.metrics.regression.compute_ms_ssim"
    return Answer(call, 1 - found.numpy().ravel(), accuracy=3e-5)


def psnr(inputs: Arrays, params: Params) -> Answer:
    metric = monai.metrics.PSNRMetric(params["data_range"], reduction="none")
    return Answer("monai.metrics.PSNRMetric", -metric(*both(inputs)).numpy().ravel())


def style_gram(inputs: Arrays, params: Params) -> Answer:
    def gram(maps: torch.Tensor) -> torch.Tensor:
        maps = (maps.movedim(-1, 1) if params["channels"] == "last" else maps).flatten(2)
        return maps @ maps.mT / maps[0].numel()

    loss = F.mse_loss(*(gram(maps) for maps in both(inputs)), reduction="none").sum((1, 2))
    return Answer("torch.matmul", loss.numpy())


LIBRARIES: dict[str, Library] = {
    "total_variation": total_variation,
    "perceptual": perceptual,
    "ssim": ssim,
    "ms_ssim": ms_ssim,
    "psnr": psnr,
    "style_gram": style_gram,
}
