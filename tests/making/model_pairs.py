"""ONNX files with known differences, for checks of two model files."""

from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, numpy_helper, save

CLASSES = 5
_CHANNELS = 8


def classifier(
    path: Path,
    convolutions: int = 1,
    side: int = 16,
    change: float = 0.0,
    outputs: int = 1,
    name: str = "scores",
    has_external_data: bool = False,
) -> Path:
    """Write a classifier whose class varies over random images.

    `convolutions` cost time and change no class. `change` is added to the weights of class 0. A second output
    holds the features. `has_external_data`: whether the weights lie in a file of their own.
    """
    random = np.random.default_rng(0)
    features = _CHANNELS * side * side
    first = random.normal(0, 0.3, (_CHANNELS, 3, 3, 3)).astype(np.float32)
    same = np.zeros((_CHANNELS, _CHANNELS, 3, 3), dtype=np.float32)
    same[range(_CHANNELS), range(_CHANNELS), 1, 1] = 1
    last = random.normal(0, 0.02, (features, CLASSES)).astype(np.float32)
    last[:, 0] += change
    nodes = [helper.make_node("Conv", ["images", "first"], ["x0"], pads=[1] * 4)]
    nodes += [
        helper.make_node("Conv", [f"x{index}", "same"], [f"x{index + 1}"], pads=[1] * 4)
        for index in range(convolutions)
    ]
    nodes += [
        helper.make_node("Flatten", [f"x{convolutions}"], ["features"]),
        helper.make_node("MatMul", ["features", "last"], [name]),
    ]
    shapes = {name: [1, CLASSES], "features": [1, features]}
    graph = helper.make_graph(
        nodes,
        "classifier",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, side, side])],
        [
            helper.make_tensor_value_info(output, TensorProto.FLOAT, shape)
            for output, shape in list(shapes.items())[:outputs]
        ],
        [
            numpy_helper.from_array(values, key)
            for key, values in (("first", first), ("same", same), ("last", last))
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    path.parent.mkdir(parents=True, exist_ok=True)
    data = f"{path.name}.data"
    save(model, path, save_as_external_data=has_external_data, location=data, size_threshold=0)
    return path
