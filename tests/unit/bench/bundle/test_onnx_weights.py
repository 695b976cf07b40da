"""How many weights an ONNX file holds, against published counts and by hand."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
import pytest
from making.classifier_file import PARAMETERS, write_classifier
from onnx import NodeProto, TensorProto, helper, numpy_helper

from bench.bundle.onnx_weights import onnx_weights

LIGHT = Path(onnx.__file__).parent / "backend" / "test" / "data" / "light"


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("bvlc_alexnet", 60_965_224),
        ("inception_v1", 6_998_552),
        ("squeezenet", 1_235_496),
        ("vgg19", 143_667_240),
    ],
)
def test_weights_that_are_generated_count_as_the_published_network_has_them(name: str, count: int) -> None:
    assert onnx_weights((LIGHT / f"light_{name}.onnx").read_bytes()) == count


def test_stored_weights_count(tmp_path: Path) -> None:
    assert onnx_weights(write_classifier(tmp_path / "m.onnx").read_bytes()) == PARAMETERS


def weights_of(nodes: list[NodeProto], **stored: npt.NDArray[np.generic]) -> int:
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 4]) for name in "xy"]
    tensors = [numpy_helper.from_array(array, name) for name, array in stored.items()]
    graph = helper.make_graph(nodes, "g", values[:1], values[1:], tensors)
    return onnx_weights(helper.make_model(graph).SerializeToString())


FLOATS = np.ones(4, dtype=np.float32)


def test_shapes_single_numbers_and_limits_are_no_weights() -> None:
    nodes = [
        helper.make_node("Mul", ["x", "w"], ["a"]),
        helper.make_node("Reshape", ["a", "shape"], ["b"]),
        helper.make_node("Div", ["b", "single"], ["c"]),
        helper.make_node("Clip", ["c", "low"], ["d"]),
        helper.make_node("BatchNormalization", ["d", "scale", "shift", "mean", "variance"], ["y"]),
    ]

    count = weights_of(
        nodes,
        w=FLOATS,
        shape=np.array([1, 4]),
        single=np.array(2.0, dtype=np.float32),
        low=FLOATS[:1],
        scale=FLOATS,
        shift=FLOATS,
        mean=FLOATS,
        variance=FLOATS,
    )

    assert count == 3 * 4


def test_scales_and_zero_points_are_no_weights_and_quantised_biases_are() -> None:
    nodes = [
        helper.make_node("DequantizeLinear", ["w", "scale", "zero"], ["a"], axis=0),
        helper.make_node("DequantizeLinear", ["b", "scale"], ["c"], axis=0),
        helper.make_node("Gather", ["a", "index"], ["y"]),
    ]

    weights = np.ones((4, 2), dtype=np.int8)
    bias, index = np.ones(4, dtype=np.int32), np.ones(9, dtype=np.int32)

    zero = np.zeros(4, dtype=np.int8)

    assert weights_of(nodes, w=weights, b=bias, index=index, scale=FLOATS, zero=zero) == 8 + 4


def test_constants_count_by_the_name_of_what_they_give() -> None:
    def constant(name: str) -> NodeProto:
        return helper.make_node("Constant", [], [name], value=numpy_helper.from_array(FLOATS))

    nodes = [constant("w"), constant("low"), helper.make_node("Mul", ["x", "w"], ["a"])]
    clipped = [*nodes, helper.make_node("Clip", ["a", "low"], ["y"])]

    assert weights_of(clipped) == 4
