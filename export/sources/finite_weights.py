"""Refuses weights that are not numbers: nan or infinite, as training that diverged leaves them.

The outputs may hide them, for max(nan, 0) is 0 in some runtimes. Other constants, such as the mask of
attention, may be infinite.
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from bench.errors import InputError

if TYPE_CHECKING:
    import onnx
    import openvino
    import torch

_IN_ONNX = ("Conv", "ConvTranspose", "Gemm", "MatMul", "BatchNormalization")
_IN_OPENVINO = ("Convolution", "GroupConvolution", "ConvolutionBackpropData", "MatMul")
_STATISTICS = ("running_mean", "running_var")

Named = tuple[str, npt.NDArray[np.generic]]


def refuse_not_finite(source: str, weights: Iterable[Named]) -> None:
    """Raise InputError, with the tensor's name, for the first of a source's weights that are not finite."""
    for name, values in weights:
        if not np.issubdtype(values.dtype, np.floating):
            continue
        wrong = values[~np.isfinite(values)]
        if wrong.size:
            raise InputError(
                f"{source}: {wrong.size} of {values.size} values of '{name}' are no finite numbers (the "
                f"first is {wrong.flat[0]}), as after training that diverged; give weights from before that"
            )


def of_network(network: "torch.nn.Module") -> Iterator[Named]:
    """Yield a network's parameters, and the statistics of its batch norms."""
    import torch

    for name, parameter in network.named_parameters():
        if parameter.dtype in (torch.float16, torch.float32, torch.float64):
            yield name, parameter.detach().cpu().numpy()
    for name, buffer in network.named_buffers():
        if name.endswith(_STATISTICS):
            yield name, buffer.detach().cpu().numpy()


def of_onnx(graph: "onnx.GraphProto") -> Iterator[Named]:
    """Yield what layers and batch norms of a graph read, those in the bodies of loops and branches too."""
    from onnx import numpy_helper

    read = {name for node in graph.node if node.op_type in _IN_ONNX for name in node.input}
    for tensor in graph.initializer:
        if tensor.name in read:
            yield tensor.name, numpy_helper.to_array(tensor)
    for node in graph.node:
        for attribute in node.attribute:
            for body in (attribute.g, *attribute.graphs):
                yield from of_onnx(body)


def of_openvino(model: "openvino.Model") -> Iterator[Named]:
    """Yield the weights of a model's layers."""
    for operator in model.get_ops():
        if operator.get_type_name() not in _IN_OPENVINO:
            continue
        node = operator.input_value(1).get_node()
        while node.get_input_size():
            node = node.input_value(0).get_node()
        if node.get_type_name() == "Constant":
            yield node.get_friendly_name(), np.asarray(node.data)


def of_tflite(content: bytes) -> Iterator[Named]:
    """Yield the weights and biases of a LiteRT file's layers."""
    from export.tflite_model import read_tflite

    model = read_tflite(content)
    for position in model.layers():
        yield f"{model.name(position)}.weight", model.weight(position)
        if (bias := model.bias(position)) is not None:
            yield f"{model.name(position)}.bias", bias
