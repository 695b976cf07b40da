"""Small ONNX models of unusual shapes, one function each. Their file is written where the caller says."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 17
Shape = Sequence[int | str] | None
Value = onnx.ValueInfoProto


def tensor(name: str, shape: Shape, dtype: int = TensorProto.FLOAT) -> Value:
    """Return an input or output."""
    return helper.make_tensor_value_info(name, dtype, shape)


def weight(name: str, *shape: int, dtype: type = np.float32) -> onnx.TensorProto:
    """Return a weight that is the same every time."""
    values = np.random.default_rng(len(name)).standard_normal(shape)
    return numpy_helper.from_array((values * (10 if dtype is np.int8 else 1)).astype(dtype), name)


def constant(name: str, values: object, dtype: type = np.int64) -> onnx.TensorProto:
    """Return a constant with these values."""
    return numpy_helper.from_array(np.array(values, dtype=dtype), name)


def write(
    path: Path,
    nodes: Sequence[onnx.NodeProto],
    inputs: Sequence[Value],
    outputs: Sequence[Value],
    weights: Sequence[onnx.TensorProto] = (),
    opset: int = OPSET,
    domains: Sequence[str] = (),
    ir_version: int = 8,
) -> Path:
    """Write a model and return its path."""
    graph = helper.make_graph(list(nodes), "g", list(inputs), list(outputs), list(weights))
    opsets = [helper.make_opsetid("", opset), *(helper.make_opsetid(domain, 1) for domain in domains)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=ir_version)
    path.write_bytes(model.SerializeToString())
    return path


node = helper.make_node


def classifier(
    path: Path,
    shape: Sequence[int | str] = (1, 3, 8, 8),
    classes: int = 5,
    end: str | None = None,
    batch: int | str = 1,
) -> Path:
    """Write an NCHW convolution, a global pooling and a linear layer, with the activation `end` behind it."""
    channels = shape[1]
    assert isinstance(channels, int)
    nodes = [
        node("Conv", ["image", "w"], ["features"], name="conv", pads=[1, 1, 1, 1]),
        node("GlobalAveragePool", ["features"], ["pooled"]),
        node("Flatten", ["pooled"], ["flat"]),
        node("Gemm", ["flat", "m"], ["logits"], name="gemm"),
    ]
    if end is not None:
        nodes.append(node(end, ["logits"], ["scores"]))
    output = "logits" if end is None else "scores"
    weights = [weight("w", 4, channels, 3, 3), weight("m", 4, classes)]
    return write(path, nodes, [tensor("image", shape)], [tensor(output, (batch, classes))], weights)


def cast_classifier(path: Path, dtype: int, shape: Sequence[int] = (1, 6, 10, 3)) -> Path:
    """Write an NHWC model whose input has another type than float."""
    nodes = [
        node("Cast", ["image"], ["float"], to=TensorProto.FLOAT),
        node("Transpose", ["float"], ["nchw"], perm=[0, 3, 1, 2]),
        node("Conv", ["nchw", "w"], ["features"], name="conv"),
        node("GlobalAveragePool", ["features"], ["pooled"]),
    ]
    weights = [weight("w", 4, shape[3], 3, 3)]
    return write(path, nodes, [tensor("image", shape, dtype)], [tensor("pooled", (1, 4, 1, 1))], weights)


def float16_classifier(path: Path) -> Path:
    """Write a linear layer in half precision."""
    half = TensorProto.FLOAT16
    weights = [weight("m", 6, 3, dtype=np.float16)]
    return write(
        path,
        [node("MatMul", ["x", "m"], ["y"])],
        [tensor("x", (1, 6), half)],
        [tensor("y", (1, 3), half)],
        weights,
    )


def float64_classifier(path: Path) -> Path:
    """Write a linear layer in double precision."""
    double = TensorProto.DOUBLE
    weights = [weight("m", 6, 3, dtype=np.float64)]
    return write(
        path,
        [node("MatMul", ["x", "m"], ["y"])],
        [tensor("x", (1, 6), double)],
        [tensor("y", (1, 3), double)],
        weights,
    )


def several(path: Path) -> Path:
    """Write a model with two inputs and three outputs, one of them a scalar."""
    nodes = [
        node("Gather", ["table", "ids"], ["embedded"]),
        node("Mul", ["embedded", "mask"], ["masked"]),
        node("MatMul", ["masked", "m"], ["logits"], name="matmul"),
        node("ReduceSum", ["logits"], ["total"], keepdims=0),
    ]
    return write(
        path,
        nodes,
        [tensor("ids", (1, 4), TensorProto.INT64), tensor("mask", (1, 4, 1))],
        [tensor("masked", (1, 4, 6)), tensor("logits", (1, 4, 3)), tensor("total", ())],
        [weight("table", 2, 6), weight("m", 6, 3)],
    )


def listed_weights(path: Path) -> Path:
    """Write a file of IR version 3, which lists weights among its inputs."""
    return write(
        path,
        [node("MatMul", ["x", "m"], ["y"])],
        [tensor("x", (1, 6)), tensor("m", (6, 3))],
        [tensor("y", (1, 3))],
        [weight("m", 6, 3)],
        opset=9,
        ir_version=3,
    )


def with_branches(path: Path) -> Path:
    """Write a model with an If, whose branches hold matrix products."""

    def branch(name: str) -> onnx.GraphProto:
        nodes = [node("MatMul", ["x", name], [f"{name}_y"])]
        return helper.make_graph(nodes, name, [], [tensor(f"{name}_y", (1, 3))])

    nodes = [
        node("ReduceSum", ["x"], ["sum"], keepdims=0),
        node("Greater", ["sum", "limit"], ["is_large"]),
        node("If", ["is_large"], ["y"], then_branch=branch("a"), else_branch=branch("b")),
    ]
    weights = [weight("a", 6, 3), weight("b", 6, 3), constant("limit", 3.0, np.float32)]
    return write(path, nodes, [tensor("x", (1, 6))], [tensor("y", (1, 3))], weights)


def with_loop(path: Path) -> Path:
    """Write a model whose Loop runs three times and collects a value each time."""
    body = helper.make_graph(
        [
            node("Identity", ["condition"], ["condition_out"]),
            node("Mul", ["state", "two"], ["next"]),
            node("Identity", ["next"], ["collected"]),
        ],
        "body",
        [
            tensor("iteration", (), TensorProto.INT64),
            tensor("condition", (), TensorProto.BOOL),
            tensor("state", (1, 2)),
        ],
        [
            tensor("condition_out", (), TensorProto.BOOL),
            tensor("next", (1, 2)),
            tensor("collected", (1, 2)),
        ],
        [constant("two", 2.0, np.float32)],
    )
    nodes = [node("Loop", ["three", "", "x"], ["last", "all"], body=body)]
    return write(
        path,
        nodes,
        [tensor("x", (1, 2))],
        [tensor("last", (1, 2)), tensor("all", None)],
        [constant("three", 3)],
    )


def zip_map(path: Path) -> Path:
    """Write what scikit-learn's converter writes: a label as a string, and a map for each item."""
    label = tensor("label", (1,), TensorProto.STRING)
    probabilities = helper.make_value_info(
        "probabilities",
        helper.make_sequence_type_proto(
            helper.make_map_type_proto(
                TensorProto.STRING, helper.make_tensor_type_proto(TensorProto.FLOAT, shape=())
            )
        ),
    )
    nodes = [
        node("MatMul", ["x", "m"], ["scores"]),
        node("Softmax", ["scores"], ["soft"]),
        node("ArgMax", ["soft"], ["index"], axis=1, keepdims=0),
        node("ArrayFeatureExtractor", ["names", "index"], ["row"], domain="ai.onnx.ml"),
        node("Reshape", ["row", "one"], ["label"]),
        node("ZipMap", ["soft"], ["probabilities"], domain="ai.onnx.ml", classlabels_strings=["cat", "dog"]),
    ]
    names = numpy_helper.from_array(np.array(["cat", "dog"], dtype=object), "names")
    weights = [weight("m", 3, 2), names, constant("one", [1])]
    return write(path, nodes, [tensor("x", (1, 3))], [label, probabilities], weights, domains=["ai.onnx.ml"])


def sequence_output(path: Path) -> Path:
    """Write a model that returns a sequence of two tensors, and a tensor."""
    nodes = [
        node("SplitToSequence", ["x"], ["parts"], axis=1),
        node("Relu", ["x"], ["y"]),
    ]
    sequence = helper.make_tensor_sequence_value_info("parts", TensorProto.FLOAT, None)
    return write(path, nodes, [tensor("x", (1, 2))], [sequence, tensor("y", (1, 2))])


def optional_output(path: Path) -> Path:
    """Write a model that returns an optional tensor, and a tensor."""
    nodes = [node("Optional", ["x"], ["maybe"]), node("Relu", ["x"], ["y"])]
    optional = helper.make_value_info(
        "maybe",
        helper.make_optional_type_proto(helper.make_tensor_type_proto(TensorProto.FLOAT, shape=(1, 2))),
    )
    return write(path, nodes, [tensor("x", (1, 2))], [optional, tensor("y", (1, 2))])


def non_zero(path: Path) -> Path:
    """Write a model whose output has as many columns as its input has values above 0.5."""
    nodes = [node("Greater", ["x", "half"], ["is_large"]), node("NonZero", ["is_large"], ["where"])]
    weights = [constant("half", 0.5, np.float32)]
    return write(
        path, nodes, [tensor("x", (1, 20))], [tensor("where", (2, "found"), TensorProto.INT64)], weights
    )


def product_of_what_is_found(path: Path) -> Path:
    """Write a matrix product with as many rows as the input has values above 0.5."""
    nodes = [
        node("Greater", ["x", "half"], ["is_large"]),
        node("NonZero", ["is_large"], ["where"]),
        node("Transpose", ["where"], ["rows"], perm=[1, 0]),
        node("Cast", ["rows"], ["float"], to=TensorProto.FLOAT),
        node("MatMul", ["float", "m"], ["y"], name="matmul"),
    ]
    weights = [constant("half", 0.5, np.float32), weight("m", 2, 3)]
    return write(path, nodes, [tensor("x", (1, 20))], [tensor("y", ("found", 3))], weights)


def nothing_found(path: Path) -> Path:
    """Write a model whose output never has a value."""
    nodes = [node("Greater", ["x", "two"], ["is_large"]), node("NonZero", ["is_large"], ["where"])]
    weights = [constant("two", 2.0, np.float32)]
    return write(
        path, nodes, [tensor("x", (1, 20))], [tensor("where", (2, "found"), TensorProto.INT64)], weights
    )


def not_finite(path: Path) -> Path:
    """Write a model that divides by zero."""
    nodes = [node("Div", ["x", "zero"], ["y"])]
    return write(
        path, nodes, [tensor("x", (1, 4))], [tensor("y", (1, 4))], [constant("zero", 0.0, np.float32)]
    )


def without_inputs(path: Path) -> Path:
    """Write a model that takes nothing and gives a constant."""
    return write(path, [node("Relu", ["c"], ["y"])], [], [tensor("y", (1, 3))], [weight("c", 1, 3)])


def empty_input(path: Path) -> Path:
    """Write a matrix product of an input without values."""
    nodes = [node("MatMul", ["x", "m"], ["y"])]
    return write(path, nodes, [tensor("x", (0, 6))], [tensor("y", (0, 3))], [weight("m", 6, 3)])


def text_input(path: Path) -> Path:
    """Write a model that takes strings."""
    nodes = [node("Identity", ["x"], ["y"])]
    text = TensorProto.STRING
    return write(path, nodes, [tensor("x", (1,), text)], [tensor("y", (1,), text)])


def bfloat16_input(path: Path) -> Path:
    """Write a model that takes bfloat16."""
    nodes = [node("Cast", ["x"], ["y"], to=TensorProto.FLOAT)]
    return write(path, nodes, [tensor("x", (1, 4), TensorProto.BFLOAT16)], [tensor("y", (1, 4))])


def convolution(path: Path, shape: Sequence[int], kernel: Sequence[int], group: int = 1) -> Path:
    """Write a convolution over as many axes as `kernel` has."""
    nodes = [node("Conv", ["x", "w"], ["y"], name="conv", group=group)]
    weights = [weight("w", 4, shape[1] // group, *kernel)]
    return write(path, nodes, [tensor("x", shape)], [tensor("y", None)], weights)


def transposed_convolution(path: Path) -> Path:
    """Write a transposed convolution."""
    nodes = [node("ConvTranspose", ["x", "w"], ["y"], name="conv", strides=[2, 2])]
    return write(path, nodes, [tensor("x", (1, 3, 4, 4))], [tensor("y", None)], [weight("w", 3, 5, 2, 2)])


def dynamic_weights(path: Path) -> Path:
    """Write a convolution and a matrix product whose weights are inputs."""
    nodes = [
        node("Conv", ["x", "w"], ["features"], name="conv"),
        node("GlobalAveragePool", ["features"], ["pooled"]),
        node("Flatten", ["pooled"], ["flat"]),
        node("MatMul", ["flat", "m"], ["y"], name="matmul"),
    ]
    inputs = [tensor("x", (1, 3, 8, 8)), tensor("w", (4, 3, 3, 3)), tensor("m", (4, 2))]
    return write(path, nodes, inputs, [tensor("y", (1, 2))])


def transposed_gemm(path: Path) -> Path:
    """Write a Gemm with both factors transposed, and a bias."""
    nodes = [node("Gemm", ["x", "m", "b"], ["y"], name="gemm", transA=1, transB=1)]
    weights = [weight("m", 3, 6), weight("b", 3)]
    return write(path, nodes, [tensor("x", (6, 2))], [tensor("y", (2, 3))], weights)


def constant_product(path: Path) -> Path:
    """Write a matrix product of two constants, added to the input."""
    nodes = [node("MatMul", ["a", "b"], ["c"], name="matmul"), node("Add", ["x", "c"], ["y"])]
    return write(
        path, nodes, [tensor("x", (2, 2))], [tensor("y", (2, 2))], [weight("a", 2, 3), weight("b", 3, 2)]
    )


def batched_product(path: Path) -> Path:
    """Write a matrix product of two inputs with several matrices each, as in attention."""
    nodes = [node("MatMul", ["q", "k"], ["y"], name="matmul")]
    return write(path, nodes, [tensor("q", (1, 2, 4, 8)), tensor("k", (1, 2, 8, 4))], [tensor("y", None)])


def vector_product(path: Path) -> Path:
    """Write the product of two vectors, a scalar."""
    nodes = [node("MatMul", ["x", "m"], ["y"], name="matmul")]
    return write(path, nodes, [tensor("x", (6,))], [tensor("y", ())], [weight("m", 6)])


def recurrent(path: Path) -> Path:
    """Write an LSTM."""
    nodes = [node("LSTM", ["x", "w", "r"], ["y", "", ""], hidden_size=4)]
    weights = [weight("w", 1, 16, 3), weight("r", 1, 16, 4)]
    return write(path, nodes, [tensor("x", (5, 1, 3))], [tensor("y", None)], weights)


def dynamic_quantised(path: Path) -> Path:
    """Write what dynamic quantisation writes: integer products with scales that are computed."""
    nodes = [
        node("DynamicQuantizeLinear", ["x"], ["q", "s", "z"]),
        node("MatMulInteger", ["q", "m", "z"], ["i"], name="matmul"),
        node("Cast", ["i"], ["f"], to=TensorProto.FLOAT),
        node("Mul", ["f", "s"], ["y"]),
    ]
    return write(
        path, nodes, [tensor("x", (1, 6))], [tensor("y", (1, 3))], [weight("m", 6, 3, dtype=np.int8)]
    )


def custom_operator(path: Path) -> Path:
    """Write an operator of somebody's own."""
    nodes = [node("Fancy", ["x"], ["y"], domain="com.example")]
    return write(path, nodes, [tensor("x", (1, 3))], [tensor("y", (1, 3))], domains=["com.example"])


def unknown_operator(path: Path) -> Path:
    """Write an operator of ONNX's own domain that does not exist."""
    return write(path, [node("Fancy", ["x"], ["y"])], [tensor("x", (1, 3))], [tensor("y", (1, 3))])


def future_opset(path: Path) -> Path:
    """Write a file for an operator set that does not exist yet."""
    return write(path, [node("Relu", ["x"], ["y"])], [tensor("x", (1, 3))], [tensor("y", (1, 3))], opset=99)


def future_ir(path: Path) -> Path:
    """Write a file of a version of the format that does not exist yet."""
    return write(
        path, [node("Relu", ["x"], ["y"])], [tensor("x", (1, 3))], [tensor("y", (1, 3))], ir_version=99
    )


Maker = Callable[[Path], Path]
