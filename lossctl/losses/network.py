"""Feature maps of images, by a network in an ONNX file."""

from __future__ import annotations

import os
from functools import lru_cache
from typing import Any

from lossctl.errors import DataError
from lossctl.losses.definition import Array, ArrayModule, InvalidInput
from lossctl.losses.packages import need
from lossctl.losses.shapes import show_shape

_FLOATS = ("tensor(float)", "tensor(double)", "tensor(float16)")


def feature_differences(
    xp: ArrayModule, prediction: Array, target: Array, path: str, loss: str
) -> Array:
    """Σ (φ(target) − φ(prediction))² over all outputs φ of the network, (n,) float64.

    The images go through the network one by one: the number of images that go together would
    change the last digits of what comes out, and with it the size of the blocks.

    Args:
        xp: The array module.
        prediction: Images (n, …) of the network's input shape; they become float32.
        target: Likewise.
        path: The ONNX file.
        loss: The loss that asks, for messages.

    Raises:
        DataError: The file is missing, holds no network, or one of another kind.
        InvalidInput: The images do not have the network's input shape.
        LossctlError: onnxruntime is not installed.
    """
    session = _session(xp, path, loss)
    feed = session.get_inputs()[0]
    for name, images in (("prediction", prediction), ("target", target)):
        _require_shape(feed.shape, images, name, path)
    host = getattr(xp, "asnumpy", lambda array: array)
    pairs = zip(host(prediction.astype("float32")), host(target.astype("float32")))
    values = xp.zeros(prediction.shape[0])
    for row, pair in enumerate(pairs):
        predicted, true = (_features(session, feed.name, image, path) for image in pair)
        values[row] = sum(_squares(a, b) for a, b in zip(predicted, true))
    return values


def _squares(predicted: Array, true: Array) -> float:
    difference = true.astype("float64") - predicted.astype("float64")
    return float((difference * difference).sum())


def _features(session: Any, name: str, image: Array, path: str) -> list[Array]:
    try:
        found: list[Array] = session.run(None, {name: image[None]})
    except Exception as error:
        raise DataError(
            f"{path}: the network fails on images of shape {image.shape}: {_first_line(error)}",
            "give images of the size that the network was made for",
        ) from None
    return found


def _require_shape(wanted: list[int | str | None], images: Array, name: str, path: str) -> None:
    """Refuse images that differ from the network's input in an axis whose length is fixed."""
    shape = images.shape
    fits = len(shape) == len(wanted) and all(
        size == found
        for size, found in zip(wanted[1:], shape[1:])
        if isinstance(size, int) and size > 0
    )
    if not fits:
        free = [str(size) if isinstance(size, int) else "any" for size in wanted[1:]]
        raise InvalidInput(
            name,
            None,
            f"of shape {show_shape(shape)} does not fit the network's input (N, {', '.join(free)})",
            f"give images as {path} takes them, scaled as in its training",
        )


def _session(xp: ArrayModule, path: str, loss: str) -> Any:
    runtime = need(xp, "onnxruntime", "onnx", f"{loss}:model")
    path = os.path.expanduser(path)
    try:
        stat = os.stat(path)
    except OSError as error:
        raise DataError(f"{path}: {error.strerror or error}", "model= names an ONNX file") from None
    return _load(runtime, path, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=4)
def _load(runtime: Any, path: str, modified: int, size: int) -> Any:
    """The network, loaded once for as long as the file does not change.

    One thread: the engine's own are at work already, and sums keep one order.
    """
    options = runtime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4  # errors are raised; nothing is to be printed beside them
    try:
        session = runtime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise DataError(
            f"{path} cannot be loaded as an ONNX network: {_first_line(error)}",
            "model= names an ONNX file, as torch.onnx.export writes them",
        ) from None
    _require_kind(session, path)
    return session


def _require_kind(session: Any, path: str) -> None:
    feeds, outputs = session.get_inputs(), session.get_outputs()
    problem = ""
    if len(feeds) != 1:
        problem = f"takes {len(feeds)} inputs"
    elif feeds[0].type != "tensor(float)":
        problem = f"takes {feeds[0].type}"
    elif not feeds[0].shape:
        problem = "takes a single number"
    elif isinstance(feeds[0].shape[0], int) and feeds[0].shape[0] > 1:
        problem = f"takes only batches of {feeds[0].shape[0]}"
    elif not outputs or any(output.type not in _FLOATS for output in outputs):
        problem = f"gives {', '.join(output.type for output in outputs)}"
    if problem:
        raise DataError(
            f"{path}: the network {problem}",
            "export one that takes images (N, C, H, W) in float32, N free or 1, and gives its "
            "feature maps",
        )


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
