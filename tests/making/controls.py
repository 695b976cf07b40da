"""Makes the control workload's files: `python -m making.controls` from tests/ writes them.

A small network of the kinds of convolution that MobileNet has, always the same: 96×96 in, two logits out,
about 90 million multiply-accumulates. Its weights are constants, for only its time is of interest.
"""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from torch import nn

from bench.bundle.signature import Tensor
from bench.runtimes.formats import FORMATS
from bench.runtimes.installed import CONTROL_IMAGE_SIZE
from making.installed_formats import EXPORTED

WEIGHT = 0.01


class ControlWorkload(nn.Module):
    """Strided, depthwise, pointwise and, four times the same one, full convolutions, then a linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.strided = nn.Conv2d(3, 32, 3, stride=2, padding=1)
        self.depthwise = nn.Conv2d(32, 32, 3, padding=1, groups=32)
        self.pointwise = nn.Conv2d(32, 32, 1)
        self.full = nn.Conv2d(32, 32, 3, padding=1)
        self.head = nn.Linear(32, 2)
        for parameter in self.parameters():
            nn.init.constant_(parameter, WEIGHT)

    def convolutions(self) -> list[tuple[str, nn.Conv2d]]:
        repeated = [("full", self.full)] * 4
        return [
            ("strided", self.strided),
            ("depthwise", self.depthwise),
            ("pointwise", self.pointwise),
            *repeated,
        ]

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        for _, convolution in self.convolutions():
            image = torch.relu(convolution(image))
        logits: torch.Tensor = self.head(image.mean(dim=(2, 3)))
        return logits


def to_torchscript() -> torch.jit.ScriptModule:
    side = CONTROL_IMAGE_SIZE
    image = torch.zeros(1, 3, side, side)
    traced: torch.jit.ScriptModule = torch.jit.trace(ControlWorkload().eval(), image)  # type: ignore[no-untyped-call]
    return traced


def to_onnx() -> onnx.ModelProto:
    """Write the graph by hand, its weights as ConstantOfShape: a kilobyte, whatever exporter comes."""
    helper, network = onnx.helper, ControlWorkload()
    nodes, value = [], "image"
    shapes = {name.replace(".", "_"): parameter.shape for name, parameter in network.named_parameters()}
    fill = onnx.numpy_helper.from_array(np.full(1, WEIGHT, dtype=np.float32))
    for name in shapes:
        nodes.append(helper.make_node("ConstantOfShape", [f"{name}_shape"], [name], value=fill))
    for index, (name, layer) in enumerate(network.convolutions()):
        settings: dict[str, Any] = {"strides": layer.stride, "pads": layer.padding * 2, "group": layer.groups}
        inputs = [value, f"{name}_weight", f"{name}_bias"]
        nodes.append(helper.make_node("Conv", inputs, [f"convolved_{index}"], **settings))
        nodes.append(helper.make_node("Relu", [f"convolved_{index}"], [f"value_{index}"]))
        value = f"value_{index}"
    nodes += [
        helper.make_node("GlobalAveragePool", [value], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["flat"]),
        helper.make_node("Gemm", ["flat", "head_weight", "head_bias"], ["logits"], transB=1),
    ]
    side = CONTROL_IMAGE_SIZE
    graph = helper.make_graph(
        nodes,
        "control",
        [helper.make_tensor_value_info("image", onnx.TensorProto.FLOAT, [1, 3, side, side])],
        [helper.make_tensor_value_info("logits", onnx.TensorProto.FLOAT, [1, 2])],
        [
            helper.make_tensor(f"{name}_shape", onnx.TensorProto.INT64, [len(shape)], shape)
            for name, shape in shapes.items()
        ],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


def to_tflite() -> bytes:
    from export.to_litert import converted

    side = CONTROL_IMAGE_SIZE
    image = Tensor(name="image", dtype="float32", shape=(1, 3, side, side))
    logits = Tensor(name="logits", dtype="float32", shape=(1, 2))
    return converted(torch.fx.symbolic_trace(ControlWorkload().eval()), (image,), (logits,))


def to_ncnn() -> tuple[str, bytes]:
    """Write ncnn's two files by hand, the layers and their weights. ncnn shares no weights between layers."""
    network = ControlWorkload()
    lines, weights = ["Input image 0 1 image"], list[torch.Tensor]()
    for index, (name, layer) in enumerate(network.convolutions()):
        settings = {0: layer.out_channels, 1: layer.kernel_size[0], 3: layer.stride[0], 4: layer.padding[0]}
        settings |= {5: 1, 6: layer.weight.numel()}
        kind = "Convolution" if layer.groups == 1 else "ConvolutionDepthWise"
        if layer.groups > 1:
            settings[7] = layer.groups
        value = f"value_{index - 1}" if index else "image"
        words = " ".join(f"{number}={setting}" for number, setting in settings.items())
        lines.append(f"{kind} {name}_{index} 1 1 {value} convolved_{index} {words}")
        lines.append(f"ReLU relu_{index} 1 1 convolved_{index} value_{index}")
        weights += layer.parameters()
    lines.append(f"Pooling pooling 1 1 value_{index} pooled 0=1 4=1")
    lines.append(f"InnerProduct head 1 1 pooled logits 0=2 1=1 2={network.head.weight.numel()}")
    weights += network.head.parameters()
    # What is stored in float begins with four bytes of 0; biases do not.
    stored = [bytes(4 if weight.dim() > 1 else 0) + weight.detach().numpy().tobytes() for weight in weights]
    return "\n".join(["7767517", f"{len(lines)} {len(lines)}", *lines, ""]), b"".join(stored)


def main() -> None:
    """Write the files of the formats that are installed."""
    for name in EXPORTED:
        file = FORMATS[name].control_file
        assert isinstance(file, Path)
        match file.suffix:
            case ".onnx":
                onnx.save(to_onnx(), file)
            case ".tflite":
                file.write_bytes(to_tflite())
            case ".param":
                text, weights = to_ncnn()
                file.write_text(text)
                file.with_suffix(".bin").write_bytes(weights)
            case _:
                to_torchscript().save(str(file))


if __name__ == "__main__":
    main()
