"""Feature maps by networks in ONNX files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lossctl
from lossctl.errors import LossctlError

onnx = pytest.importorskip("onnx", reason="onnx is not installed")
pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")

RNG = np.random.default_rng(0)


def value(spec: str, prediction: Any, target: Any) -> float:
    return lossctl.evaluate(spec, prediction, target).losses[0].value


def refused(spec: str, match: str, prediction: Any, target: Any) -> None:
    with pytest.raises(LossctlError, match=match):
        value(spec, prediction, target)


def network(
    path: Path, batch: Any = "N", size: Any = (2, "H", "W"), kind: int = 1, inputs: int = 1
) -> str:
    """Two outputs: a 2 × 2 convolution with whole weights, and its positive part."""
    from onnx import helper, numpy_helper

    weights = numpy_helper.from_array(WEIGHTS.astype("float32"), "weights")
    feeds = [
        helper.make_tensor_value_info(f"image{i}", kind, [batch, *size]) for i in range(inputs)
    ]
    outputs = [
        helper.make_tensor_value_info(name, kind, [batch, 3, "h", "w"]) for name in ("map", "cut")
    ]
    nodes = [
        helper.make_node("Conv", ["image0", "weights"], ["map"]),
        helper.make_node("Relu", ["map"], ["cut"]),
    ]
    if inputs > 1:
        nodes = [helper.make_node("Add", ["image0", "image1"], ["sum"]), *nodes]
    graph = helper.make_graph(nodes, "features", feeds, outputs, [weights])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.save(model, str(path))
    return str(path)


WEIGHTS = np.arange(-12, 12).reshape(3, 2, 2, 2)
WHOLE = RNG.integers(0, 256, (2, 20, 2, 5, 4)).astype(float)


def features(images: Any) -> Any:
    """The same, of whole numbers, exactly."""
    maps = sum(
        np.einsum("oc,nchw->nohw", WEIGHTS[:, :, i, j], images[:, :, i : i + 4, j : j + 3])
        for i in range(2)
        for j in range(2)
    )
    return np.stack([maps, np.maximum(maps, 0)], axis=1)


@pytest.mark.parametrize(("batch", "size"), [("N", (2, "H", "W")), (1, (2, 5, 4))])
def test_features_of_a_network(tmp_path: Path, batch: Any, size: Any) -> None:
    model = network(tmp_path / "net.onnx", batch, size)
    expected = np.square(features(WHOLE[0]) - features(WHOLE[1])).sum(axis=(1, 2, 3, 4))
    found = lossctl.evaluate(f"perceptual:model={model}", *WHOLE, per_sample=True).losses[0]
    assert found.per_sample is not None
    assert (found.per_sample == expected).all()
    assert found.value == pytest.approx(expected.mean(), rel=1e-14)
    few = lossctl.evaluate("perceptual", *WHOLE[:, 7:9], model=model, per_sample=True).losses[0]
    assert few.per_sample is not None
    assert (few.per_sample == expected[7:9]).all()


def test_a_network_that_changes_is_loaded_again(tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    spec = f"perceptual:model={network(path)}"
    first = value(spec, *WHOLE)
    path.write_bytes(b"not a network at all")
    refused(spec, "cannot be loaded as an ONNX network", *WHOLE)
    network(path)
    assert value(spec, *WHOLE) == first


def test_nan_goes_through_a_network(tmp_path: Path) -> None:
    model = network(tmp_path / "net.onnx")
    images = WHOLE[0].copy()
    images[3, 0, 0, 0] = np.nan
    losses = lossctl.losses.get("perceptual")(prediction=images, target=WHOLE[1], model=model)
    assert np.flatnonzero(np.isnan(losses)).tolist() == [3]


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"batch": 8}, "takes only batches of 8"),
        ({"inputs": 2}, "takes 2 inputs"),
        ({"kind": 11}, r"takes tensor\(double\)|cannot be loaded"),
        ({"size": (2, 9, 4)}, r"\(N, 2, 5, 4\) does not fit the network's input \(N, 2, 9, 4\)"),
        ({"size": (2, 5)}, "does not fit the network's input|cannot be loaded"),
        ({"size": (3, "H", "W")}, r"does not fit the network's input \(N, 3, any, any\)|cannot be"),
        ({"size": ("C", "H", "W")}, None),
    ],
)
def test_networks_that_do_not_fit(tmp_path: Path, options: Any, match: str | None) -> None:
    spec = f"perceptual:model={network(tmp_path / 'net.onnx', **options)}"
    if match is None:  # the file says nothing of channels, and the network finds out
        images = np.ones((1, 7, 5, 4))
        refused(spec, r"the network fails on images of shape \(7, 5, 4\)", images, images)
    else:
        refused(spec, match, *WHOLE)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    refused(f"perceptual:model={tmp_path}/none.onnx", "none.onnx: No such file", *WHOLE)
    refused(f"perceptual:model={tmp_path}", "cannot be loaded as an ONNX network", *WHOLE)


def test_without_onnxruntime(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_runtime(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "onnxruntime":
            raise ImportError("no such module")
        return real(name, *args, **kwargs)

    from lossctl.losses import packages

    real = packages.import_module
    monkeypatch.setattr(packages, "import_module", no_runtime)
    refused("perceptual:model=net.onnx", r"pip install 'lossctl\[onnx\]'", *WHOLE)
