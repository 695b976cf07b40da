"""How far int8 layers are from their exact sums, with the largest weights and random inputs, in one runtime.

A program of its own, for it also runs on emulated CPUs: `saturation.py RUNTIME`, a key of RUNNERS. It prints,
by kind of layer and largest weight, the largest error in steps of the output's grid.
"""

import json
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

Output = npt.NDArray[np.float32]

LEVELS = (64, 127)
_SIDE = 8
# Input channels, output channels, side of the kernel (None: fully connected), groups.
LAYERS: dict[str, tuple[int, int, int | None, int]] = {
    "stem": (3, 32, 3, 1),
    "pointwise": (64, 32, 1, 1),
    "dense": (32, 32, 3, 1),
    "depthwise": (64, 64, 3, 64),
    "linear": (64, 32, None, 1),
}
_STEP, _WEIGHT_STEP, _ZERO = 1 / 255, 1 / 127, 128


@dataclass(frozen=True)
class Layer:
    """An int8 convolution, or a linear layer where `weights` has two dimensions.

    `images`: uint8 [1, in, side, side], or [1, in]; `weights`: int8; `step`: of the output.
    """

    images: npt.NDArray[np.uint8]
    weights: np.ndarray
    groups: int

    @property
    def is_linear(self) -> bool:
        return self.weights.ndim == 2

    @property
    def padding(self) -> int:
        return int(self.weights.shape[2]) // 2

    @property
    def step(self) -> float:
        largest = np.abs(self.weights.astype(int)).reshape(len(self.weights), -1).sum(1).max()
        return float(largest * _WEIGHT_STEP / 127)


def make(kind: str, level: int) -> Layer:
    """Return a layer whose weights are all as large as they may be, most of them of one sign."""
    inputs, outputs, side, groups = LAYERS[kind]
    kernel, image = ((), ()) if side is None else ((side, side), (_SIDE, _SIDE))
    random = np.random.default_rng(0)
    weights = random.choice([-level, level, level], (outputs, inputs // groups, *kernel)).astype(np.int8)
    return Layer(random.integers(0, 256, (1, inputs, *image)).astype(np.uint8), weights, groups)


def exact(layer: Layer) -> Output:
    """Return the layer's output, computed in float and rounded to its grid."""
    import torch

    images = (torch.from_numpy(layer.images).double()) * _STEP
    weights = torch.from_numpy(layer.weights).double() * _WEIGHT_STEP
    if layer.is_linear:
        sums = torch.nn.functional.linear(images, weights)
    else:
        sums = torch.nn.functional.conv2d(images, weights, padding=layer.padding, groups=layer.groups)
    found: Output = ((sums / layer.step).round().clamp(-_ZERO, _ZERO - 1) * layer.step).numpy()
    return found


def with_torchscript(layer: Layer) -> Output:
    import torch

    images = torch.quantize_per_tensor(torch.from_numpy(layer.images).float() * _STEP, _STEP, 0, torch.quint8)
    channels = len(layer.weights)
    weights = torch._make_per_channel_quantized_tensor(
        torch.from_numpy(layer.weights),
        torch.full((channels,), _WEIGHT_STEP, dtype=torch.double),
        torch.zeros(channels, dtype=torch.long),
        0,
    )
    if layer.is_linear:
        packed = torch.ops.quantized.linear_prepack(weights, None)
        linear: Output = torch.ops.quantized.linear(images, packed, layer.step, _ZERO).dequantize().numpy()
        return linear
    padding = [layer.padding] * 2
    packed = torch.ops.quantized.conv2d_prepack(weights, None, [1, 1], padding, [1, 1], layer.groups)
    found: Output = torch.ops.quantized.conv2d(images, packed, layer.step, _ZERO).dequantize().numpy()
    return found


def with_onnx(layer: Layer) -> Output:
    import onnxruntime

    session = onnxruntime.InferenceSession(_onnx(layer), providers=["CPUExecutionProvider"])
    found: Output = session.run(None, {"images": layer.images.astype(np.float32) * np.float32(_STEP)})[0]
    return found


def with_openvino(layer: Layer) -> Output:
    import openvino

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "layer.onnx"
        path.write_bytes(_onnx(layer))
        compiled = openvino.Core().compile_model(path, "CPU")
    found: Output = compiled(layer.images.astype(np.float32) * np.float32(_STEP))[0]
    return found


def _onnx(layer: Layer) -> bytes:
    from onnx import TensorProto, helper, numpy_helper

    channels = len(layer.weights)
    values = {
        "step": np.float32(_STEP),
        "zero": np.uint8(0),
        "weights": layer.weights,
        "weight_step": np.full(channels, _WEIGHT_STEP, np.float32),
        "weight_zero": np.zeros(channels, np.int8),
        "output_step": np.float32(layer.step),
        "output_zero": np.uint8(_ZERO),
    }
    if layer.is_linear:
        operator = helper.make_node("Gemm", ["x", "w"], ["sums"], transB=1)
    else:
        pads = [layer.padding] * 4
        operator = helper.make_node("Conv", ["x", "w"], ["sums"], pads=pads, group=layer.groups)
    nodes = [
        helper.make_node("QuantizeLinear", ["images", "step", "zero"], ["images_int8"]),
        helper.make_node("DequantizeLinear", ["images_int8", "step", "zero"], ["x"]),
        helper.make_node("DequantizeLinear", ["weights", "weight_step", "weight_zero"], ["w"], axis=0),
        operator,
        helper.make_node("QuantizeLinear", ["sums", "output_step", "output_zero"], ["sums_int8"]),
        helper.make_node("DequantizeLinear", ["sums_int8", "output_step", "output_zero"], ["answer"]),
    ]
    graph = helper.make_graph(
        nodes,
        "layer",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, list(layer.images.shape))],
        [helper.make_tensor_value_info("answer", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in values.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    return bytes(model.SerializeToString())


RUNNERS: dict[str, Callable[[Layer], np.ndarray]] = {
    "torchscript": with_torchscript,
    "onnx": with_onnx,
    "openvino": with_openvino,
}


def errors(runtime: str) -> dict[str, float]:
    """Return the largest error of each layer in steps of its output, by `KIND LEVEL`."""
    found = {}
    for kind in LAYERS:
        for level in LEVELS:
            layer = make(kind, level)
            difference = np.abs(RUNNERS[runtime](layer) - exact(layer)).max()
            found[f"{kind} {level}"] = round(float(difference) / layer.step, 2)
    return found


if __name__ == "__main__":
    print(json.dumps(errors(sys.argv[1])))
