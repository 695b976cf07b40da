"""Small model files of one layer, as other people's files are: made by onnx's own helpers."""

from pathlib import Path

import numpy as np
import onnx

_HELPER, _FLOAT = onnx.helper, onnx.TensorProto.FLOAT


def write_onnx(
    path: Path,
    shape: tuple[int | str, ...] = (1, 3, 8, 8),
    classes: int = 5,
    seed: int = 0,
    noise: float = 0.0,
    input_name: str = "images",
) -> Path:
    """Write a mean over each channel and a linear layer, which give logits [n, classes].

    Equal seeds give equal weights, but for `noise`, the spread of what is added to them.
    """
    weight = np.random.default_rng(seed).normal(size=(int(shape[1]), classes))
    weight += np.random.default_rng(seed + 1).normal(scale=noise, size=weight.shape) if noise else 0
    nodes = [
        _HELPER.make_node("GlobalAveragePool", [input_name], ["pooled"]),
        _HELPER.make_node("Flatten", ["pooled"], ["features"]),
        _HELPER.make_node("MatMul", ["features", "weight"], ["logits"]),
    ]
    graph = _HELPER.make_graph(
        nodes,
        "small",
        [_HELPER.make_tensor_value_info(input_name, _FLOAT, list(shape))],
        [_HELPER.make_tensor_value_info("logits", _FLOAT, [shape[0], classes])],
        [onnx.numpy_helper.from_array(weight.astype(np.float32), "weight")],
    )
    model = _HELPER.make_model(graph, opset_imports=[_HELPER.make_opsetid("", 13)], ir_version=8)
    onnx.save(model, path)
    return path
