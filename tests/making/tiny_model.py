"""A model file of two operators, made without torch."""

from collections.abc import Sequence
from pathlib import Path

import onnx

SHAPE: Sequence[int | str] = (1, 3, 16, 16)


def make_tiny_model(path: Path, shape: Sequence[int | str] = SHAPE) -> Path:
    """Write an ONNX file with one input, `x`; an axis that is a text is open."""
    kind = onnx.TensorProto.FLOAT
    nodes = [
        onnx.helper.make_node("Relu", ["x"], ["positive"]),
        onnx.helper.make_node("GlobalAveragePool", ["positive"], ["y"]),
    ]
    graph = onnx.helper.make_graph(
        nodes,
        "tiny",
        [onnx.helper.make_tensor_value_info("x", kind, shape)],
        [onnx.helper.make_tensor_value_info("y", kind, (*shape[:2], 1, 1))],
    )
    opset = [onnx.helper.make_opsetid("", 17)]
    onnx.save(onnx.helper.make_model(graph, opset_imports=opset, ir_version=8), path)
    return path
