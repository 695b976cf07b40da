"""A model's own graph as each runtime reads it: operators, multiply-accumulates, weights."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from making.classifier_file import PARAMETERS, macs, write_classifier
from making.installed_formats import MEASURED
from onnx import NodeProto, TensorProto, helper, numpy_helper

from bench.bundle.model_graph import ModelGraph, operator_counts
from bench.bundle.signature import Tensor, image_input
from bench.bundle.variants import Precision
from bench.runtimes.formats import FORMATS
from bench.runtimes.installed import CONTROL_IMAGE_SIZE, load_runtime

# By hand: 48×48 outputs; 3×3×3 and 32 weights of the first, 3×3 of the depthwise, 32 of the pointwise, four
# times 3×3×32 of the full one; then the linear layer.
CONTROL_MACS = 48 * 48 * 32 * (27 + 9 + 32 + 4 * 288) + 32 * 2
# The full convolution's weights are used four times, and each convolution has a bias.
CONTROL_PARAMETERS = 32 * (27 + 9 + 32 + 288) + 32 * 2 + 4 * 32 + 2
READERS = [name for name in MEASURED if FORMATS[name].control_file is not None]


def counted(graph: ModelGraph) -> dict[str, tuple[int, int | None]]:
    return {operator.operator: (operator.count, operator.macs) for operator in graph.operators}


@pytest.mark.parametrize("name", READERS)
def test_every_runtime_counts_the_controls_multiply_accumulates(name: str) -> None:
    file = FORMATS[name].control_file
    assert file is not None

    graph = load_runtime(name).read_graph(file, [image_input(CONTROL_IMAGE_SIZE)])

    assert graph.macs == CONTROL_MACS
    assert graph.uncounted == ()
    assert graph.precision is Precision.FP32
    # OpenVINO reads the ONNX control, and computes its weights from a piece of them; LiteRT's file has equal
    # biases once, and ncnn's repeats weights.
    if name not in ("openvino", "litert", "ncnn"):
        assert graph.parameters == CONTROL_PARAMETERS


@pytest.mark.parametrize("name", READERS)
def test_without_inputs_operators_and_weights_are_there_and_nothing_runs(name: str) -> None:
    file = FORMATS[name].control_file
    assert file is not None

    graph = load_runtime(name).read_graph(file, None)

    assert graph.macs is None
    assert sum(operator.count for operator in graph.operators) >= 8


def test_onnx_graph_has_the_files_operators_and_facts(tmp_path: Path) -> None:
    path = write_classifier(tmp_path / "m.onnx", ("batch", 3, "height", "width"))
    shapes = [Tensor(name="images", dtype="float32", shape=(1, 3, 20, 32))]

    graph = load_runtime("onnx").read_graph(path, shapes)

    assert counted(graph) == {
        "Conv": (1, macs(20, 32) - 8),
        "Gemm": (1, 8),
        **dict.fromkeys(("Flatten", "GlobalAveragePool", "Relu", "Softmax"), (1, 0)),
    }
    assert graph.operators[0].operator == "Conv"
    assert graph.parameters == PARAMETERS
    assert (graph.producer, graph.ir_version, graph.opsets[0].version) == ("test", 8, 17)


def test_openvino_counts_weights_and_no_settings(tmp_path: Path) -> None:
    path = write_classifier(tmp_path / "m.onnx")

    graph = load_runtime("openvino").read_graph(
        path, [Tensor(name="images", dtype="float32", shape=(1, 3, 32, 32))]
    )

    assert graph.parameters == PARAMETERS
    assert graph.macs == macs(32, 32)


def saved(path: Path, node: NodeProto, shape: list[int], **stored: tuple[int, ...]) -> Path:
    graph = helper.make_graph(
        [node],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.ones(size, dtype=np.float32), name) for name, size in stored.items()],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path


@pytest.mark.parametrize("name", ["onnx", "openvino"])
@pytest.mark.parametrize(
    ("node", "shape", "weights", "expected"),
    [
        # Each of 6×5×5 input elements is multiplied with the 2×2×2 weights of its channel.
        (
            helper.make_node("ConvTranspose", ["x", "w"], ["y"], strides=[2, 2], group=3),
            [1, 6, 5, 5],
            (6, 2, 2, 2),
            6 * 5 * 5 * 2 * 2 * 2,
        ),
        (helper.make_node("Gemm", ["x", "w"], ["y"], transA=1), [7, 3], (7, 5), 3 * 5 * 7),
        (helper.make_node("MatMul", ["x", "w"], ["y"]), [2, 4, 7], (7, 5), 2 * 4 * 5 * 7),
        (helper.make_node("Conv", ["x", "w"], ["y"], group=2), [1, 4, 6, 6], (8, 2, 3, 3), 4 * 4 * 8 * 18),
    ],
    ids=lambda value: value.op_type if isinstance(value, NodeProto) else None,
)
def test_transposed_grouped_and_batched_products_are_counted(
    tmp_path: Path, name: str, node: NodeProto, shape: list[int], weights: tuple[int, ...], expected: int
) -> None:
    path = saved(tmp_path / "m.onnx", node, shape, w=weights)

    graph = load_runtime(name).read_graph(path, [Tensor(name="x", dtype="float32", shape=tuple(shape))])

    assert graph.macs == expected


def test_an_operator_that_multiplies_and_is_not_counted_is_named(tmp_path: Path) -> None:
    node = helper.make_node("LSTM", ["x", "w", "r"], ["y"], hidden_size=2)
    path = saved(tmp_path / "m.onnx", node, [1, 1, 3], w=(1, 8, 3), r=(1, 8, 2))

    graph = load_runtime("onnx").read_graph(path, [Tensor(name="x", dtype="float32", shape=(1, 1, 3))])

    assert graph.uncounted == ("LSTM",)
    assert graph.macs is None


def test_operators_come_by_multiply_accumulates_then_by_count() -> None:
    operators = operator_counts(
        {"Add": 1, "Conv": 2, "Gemm": 1, "Relu": 3}, {"Conv": 5, "Gemm": 9, "Made": 1}
    )

    assert [operator.operator for operator in operators] == ["Gemm", "Conv", "Made", "Relu", "Add"]
    assert operators[2].count == 0


def test_torchscript_counts_attention_transposed_convolutions_and_branches() -> None:
    import torch

    from bench.runtimes.graph_torchscript import graph_of

    class Network(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.up = torch.nn.ConvTranspose2d(3, 4, 2, stride=2)

        def forward(self, x: torch.Tensor, is_wide: bool = False) -> torch.Tensor:
            tokens = self.up(x).flatten(2)
            return torch.nn.functional.scaled_dot_product_attention(tokens, tokens, tokens)

    module = torch.jit.script(Network().eval())

    graph = graph_of(module, Precision.FP32, [np.ones((1, 3, 2, 2), dtype=np.float32)])

    assert counted(graph)["aten::conv_transpose2d"] == (1, 3 * 2 * 2 * 4 * 2 * 2)
    assert counted(graph)["aten::scaled_dot_product_attention"] == (1, 2 * 4 * 16 * 4)
    assert graph.parameters == 3 * 4 * 2 * 2 + 4
