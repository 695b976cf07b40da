"""ONNX files of a small classifier, written by hand: a convolution, a pool and a linear layer."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

PARAMETERS = 3 * 3 * 3 * 4 + 4 + 4 * 2 + 2


def write_classifier(
    path: Path, shape: Sequence[int | str] = (1, 3, 32, 32), name: str = "images", domain: str = ""
) -> Path:
    """Write a classifier whose input is open where `shape` has a name. `domain`: its last operator's."""
    random = np.random.default_rng(0)
    weights = {"w": (4, 3, 3, 3), "b": (4,), "head": (2, 4), "bias": (2,)}
    graph = helper.make_graph(
        [
            helper.make_node("Conv", [name, "w", "b"], ["c"], strides=[2, 2]),
            helper.make_node("Relu", ["c"], ["r"]),
            helper.make_node("GlobalAveragePool", ["r"], ["p"]),
            helper.make_node("Flatten", ["p"], ["f"]),
            helper.make_node("Gemm", ["f", "head", "bias"], ["g"], transB=1),
            helper.make_node("Softmax" if not domain else "Own", ["g"], ["scores"], domain=domain),
        ],
        "classifier",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, [shape[0], 2])],
        [
            numpy_helper.from_array(random.random(size, dtype=np.float32), key)
            for key, size in weights.items()
        ],
    )
    opsets = [helper.make_opsetid("", 17), *([helper.make_opsetid(domain, 1)] if domain else [])]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8, producer_name="test"), path)
    return path


def macs(height: int, width: int) -> int:
    """Return the multiply-accumulates of one image, by hand."""
    return ((height - 1) // 2) * ((width - 1) // 2) * 4 * 27 + 8
