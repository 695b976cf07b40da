"""Which operators onnxruntime quantises in an int8 ONNX file, on small graphs made here."""

from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import ModelProto, NodeProto, helper, numpy_helper
from torch import fx, nn

from bench.bundle.evaluation_pack import EvaluationPack
from bench.bundle.recipe import Recipe
from bench.bundle.signature import Tensor
from bench.bundle.variants import Precision
from export.calibration import CalibrationInputs
from export.exporter import ExportRequest
from export.quantisation.simulation import Range
from export.sources.source import OnnxBase
from export.to_onnx import export

IMAGES = 4
INPUT = Tensor(name="image", dtype="float32", shape=(1, 3, 8, 8))
OUTPUT = Tensor(name="logits", dtype="float32", shape=(1, 2))


def graph(activation: str, end: str) -> ModelProto:
    """Return a graph of two convolutions, each with an activation, and an end that gives the logits."""
    nodes = []
    for number, source in enumerate(["image", "active0"]):
        weights = [source, f"layer{number}.weight", f"layer{number}.bias"]
        nodes += [
            helper.make_node("Conv", weights, [f"value{number}"], f"conv{number}"),
            helper.make_node(activation, [f"value{number}"], [f"active{number}"], f"activation{number}"),
        ]
    pooled = "logits" if end == "mean" else "pooled"
    nodes.append(helper.make_node("ReduceMean", ["active1", "axes"], [pooled], "mean", keepdims=0))
    if end == "linear":
        head = ["pooled", "head.weight", "head.bias"]
        nodes.append(helper.make_node("Gemm", head, ["logits"], "head", transB=1))
    if end == "reshaped mean":
        nodes.append(helper.make_node("Reshape", ["pooled", "shape"], ["logits"], "reshape"))
    random = np.random.default_rng(3)
    shapes = {
        "layer0.weight": (8, 3, 1, 1),
        "layer0.bias": (8,),
        "layer1.weight": (2, 8, 1, 1),
        "layer1.bias": (2,),
        "head.weight": (2, 2),
        "head.bias": (2,),
    }
    stored = {name: random.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}
    stored |= {"axes": np.array([2, 3]), "shape": np.array([1, 2])}
    values = [
        helper.make_tensor_value_info(tensor.name, onnx.TensorProto.FLOAT, tensor.sizes)
        for tensor in (INPUT, OUTPUT)
    ]
    read = {name for node in nodes for name in node.input}
    tensors = [numpy_helper.from_array(value, name) for name, value in stored.items() if name in read]
    body = helper.make_graph(nodes, "small", values[:1], values[1:], tensors)
    return helper.make_model(body, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


def quantised(
    model: ModelProto,
    folder: Path,
    make_network: Callable[[], fx.GraphModule] = lambda: pytest.fail("the graph is the file's own"),
    ranges: Mapping[str, Range] | None = None,
    excluded_modules: tuple[str, ...] = (),
) -> ModelProto:
    """Return the graph in int8; `ranges`: those that the weights of the network were corrected for."""
    images = np.random.default_rng(5).integers(0, 256, (IMAGES, 8, 8), dtype=np.uint8)
    pack = EvaluationPack(images, np.zeros(IMAGES, np.int64), np.zeros((IMAGES, 1), np.float32))
    request = ExportRequest(
        make_network=make_network,
        base=OnnxBase(model),
        inputs=(INPUT,),
        outputs=(OUTPUT,),
        precision=Precision.INT8,
        calibration=CalibrationInputs(pack, (INPUT,), IMAGES),
        folder=folder,
        recipe=Recipe(corrected=ranges is not None, excluded_modules=excluded_modules),
        find_ranges=lambda: ranges or {},
    )
    return onnx.load(export(request).entry)


def rounded_values(model: ModelProto) -> list[str]:
    return [node.input[0] for node in model.graph.node if node.op_type == "QuantizeLinear"]


def scales_of(model: ModelProto) -> dict[str, float]:
    """Return the scale of each rounded value."""
    stored = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    return {
        node.input[0]: float(stored[node.input[1]])
        for node in model.graph.node
        if node.op_type == "QuantizeLinear"
    }


@pytest.mark.parametrize("activation", ["Relu", "Clip"])
def test_a_convolution_and_its_relu_are_one_operator_in_int8(activation: str, tmp_path: Path) -> None:
    made = quantised(graph(activation, "linear"), tmp_path)

    kinds = Counter(node.op_type for node in made.graph.node)
    assert kinds[activation] == 0
    assert rounded_values(made) == ["image", "active0", "active1", "pooled_with_axes", "pooled"]


def test_a_mean_of_values_in_fp32_does_not_round_them(tmp_path: Path) -> None:
    made = quantised(graph("HardSwish", "linear"), tmp_path)

    assert rounded_values(made) == ["image", "value0", "active0", "value1", "pooled"]


class TwoLayers(nn.Module):
    """The network of a graph that ends with a mean."""

    def __init__(self, activation: nn.Module) -> None:
        super().__init__()
        self.layer0, self.layer1 = nn.Conv2d(3, 8, 1), nn.Conv2d(8, 2, 1)
        self.active0, self.active1 = activation, nn.Identity()

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        value: torch.Tensor = self.active1(self.layer1(self.active0(self.layer0(image))))
        return value.mean([2, 3])


@pytest.mark.parametrize(
    ("operator", "activation", "ranges"),
    [
        ("HardSwish", nn.Hardswish(), {"layer0": Range(-3.0, 2.0), "active0": Range(-0.375, 2.0)}),
        ("Relu", nn.ReLU(), {"active0": Range(0.0, 2.0)}),
    ],
)
def test_what_layers_read_and_give_has_the_ranges_that_the_weights_were_corrected_for(
    operator: str, activation: nn.Module, ranges: dict[str, Range], tmp_path: Path
) -> None:
    torch.manual_seed(0)
    network = fx.symbolic_trace(TwoLayers(activation)).requires_grad_(False)

    made = quantised(graph(operator, "mean"), tmp_path, lambda: network, ranges)

    scales = scales_of(made)
    tensors = {"layer0": "value0", "active0": "active0"}
    for name, each in ranges.items():
        assert scales[tensors[name]] == pytest.approx((each.high - each.low) / 255)


def test_tensors_beside_weights_that_two_operators_share_keep_the_ranges_that_the_library_finds(
    tmp_path: Path,
) -> None:
    network = fx.symbolic_trace(TwoLayers(nn.ReLU())).requires_grad_(False)
    shared = graph("Relu", "mean")
    weights = ["positive", "layer0.weight", "layer0.bias"]
    shared.graph.node.extend(
        [
            helper.make_node("Relu", ["image"], ["positive"], "relu"),
            helper.make_node("Conv", weights, ["other"], "conv2"),
        ]
    )
    shared.graph.output.append(helper.make_tensor_value_info("other", onnx.TensorProto.FLOAT, (1, 8, 8, 8)))

    made = quantised(shared, tmp_path, lambda: network, {"image": Range(0.0, 1e-4)})

    scales = scales_of(made)
    assert min(scales["image"], scales["positive"]) > 1e-3


@pytest.mark.parametrize(("end", "output"), [("mean", "ReduceMean"), ("reshaped mean", "Reshape")])
def test_a_mean_that_gives_the_outputs_is_not_rounded(end: str, output: str, tmp_path: Path) -> None:
    made = quantised(graph("Relu", end), tmp_path)

    producers = {name: node.op_type for node in made.graph.node for name in node.output}
    assert producers["logits"] == output
    assert not [
        node for node in made.graph.node if node.op_type == "QuantizeLinear" and "pooled" in node.input
    ]


def chain(*layers: NodeProto | tuple[int, int, int]) -> ModelProto:
    """Return a graph of operators in a row: (outputs, kernel, inputs) is a convolution with a Relu."""
    nodes: list[NodeProto] = []
    tensors: list[onnx.TensorProto] = []
    value, random = "image", np.random.default_rng(3)
    for layer in layers:
        name = f"value{len(nodes)}"
        if isinstance(layer, NodeProto):
            node = NodeProto()
            node.CopyFrom(layer)
            node.input[0], node.output[0] = value, name
            nodes.append(node)
            value = name
            continue
        given, kernel, taken = layer
        module = f"layer{len(tensors)}"
        weight = random.normal(size=(given, taken, kernel, kernel)).astype(np.float32)
        tensors.append(numpy_helper.from_array(weight, f"{module}.weight"))
        pads = [kernel // 2] * 4
        nodes.append(helper.make_node("Conv", [value, f"{module}.weight"], [name], module, pads=pads))
        value = f"active{len(nodes)}"
        nodes.append(helper.make_node("Relu", [name], [value], f"{module}_relu"))
    tensors.append(numpy_helper.from_array(np.array([2, 3]), "axes"))
    tensors.append(numpy_helper.from_array(np.ones((2, 16), np.float32), "head.weight"))
    nodes.append(helper.make_node("Gemm", [value, "head.weight"], ["logits"], "head", transB=1))
    values = [
        helper.make_tensor_value_info(tensor.name, onnx.TensorProto.FLOAT, tensor.sizes)
        for tensor in (INPUT, OUTPUT)
    ]
    body = helper.make_graph(nodes, "chain", values[:1], values[1:], tensors)
    return helper.make_model(body, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


MEAN = helper.make_node("ReduceMean", ["", "axes"], [""], "mean", keepdims=0)
MEAN_WITH_AXES = helper.make_node("ReduceMean", ["", "axes"], [""], "mean", keepdims=1)
FLATTEN = helper.make_node("Flatten", [""], [""], "flatten")
GLOBAL_POOL = helper.make_node("GlobalAveragePool", [""], [""], "pool")
POOL = helper.make_node("MaxPool", [""], [""], "pool", kernel_shape=[2, 2], strides=[2, 2])


def session_of(model: ModelProto, written: Path | None = None) -> onnxruntime.InferenceSession:
    """Load a graph; `written`: where onnxruntime writes what it made of it, without what one CPU needs."""
    settings = onnxruntime.SessionOptions()
    settings.log_severity_level = 3
    if written is not None:
        settings.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
        settings.optimized_model_filepath = str(written)
    return onnxruntime.InferenceSession(model.SerializeToString(), settings)


def runs(model: ModelProto, folder: Path) -> ModelProto:
    """Return the graph that onnxruntime executes."""
    session_of(model, folder / "executed.onnx")
    return onnx.load(folder / "executed.onnx")


@pytest.mark.parametrize("end", [(MEAN,), (MEAN_WITH_AXES, FLATTEN), (GLOBAL_POOL, FLATTEN)])
def test_onnxruntime_computes_the_mean_of_an_image_in_int8(
    end: tuple[NodeProto, ...], tmp_path: Path
) -> None:
    made = quantised(chain((16, 3, 3), *end), tmp_path)

    kinds = Counter(node.op_type for node in runs(made, tmp_path).graph.node)
    assert kinds["QLinearGlobalAveragePool"] == 1
    assert kinds["DequantizeLinear"] == 0


@pytest.mark.parametrize("excluded", [("layer0",), ("layer0", "layer1")])
def test_a_pool_behind_a_layer_in_fp32_is_computed_in_fp32(excluded: tuple[str, ...], tmp_path: Path) -> None:
    model = chain((16, 3, 3), POOL, (16, 3, 16), (16, 3, 16), MEAN)
    made = quantised(model, tmp_path, excluded_modules=excluded)

    executed = runs(made, tmp_path).graph.node
    producers = {name: node.op_type for node in executed for name in node.output}
    pool = next(node for node in executed if node.op_type == "MaxPool")
    assert producers[pool.input[0]] in ("Relu", "FusedConv")
    assert Counter(node.op_type for node in executed)["QLinearConv"] == 3 - len(excluded)


def test_a_pool_behind_a_layer_in_int8_is_computed_in_int8(tmp_path: Path) -> None:
    made = quantised(chain((16, 3, 3), POOL, (16, 3, 16), MEAN), tmp_path)

    executed = runs(made, tmp_path).graph.node
    producers = {name: node.op_type for node in executed for name in node.output}
    pool = next(node for node in executed if node.op_type == "MaxPool")
    assert producers[pool.input[0]] == "QLinearConv"


def test_a_layer_in_fp32_reads_what_another_gave_before_it_is_rounded_for_a_sum(tmp_path: Path) -> None:
    model = chain((16, 3, 3), POOL, (16, 3, 16), (16, 3, 16), MEAN)
    pooled, behind = "value2", model.graph.node[6]
    added = helper.make_node("Add", [pooled, behind.output[0]], ["sum"], "add")
    model.graph.node[7].input[0] = "sum"
    model.graph.node.insert(7, added)

    made = quantised(model, tmp_path, excluded_modules=("layer0", "layer1"))

    nodes = {node.name: node for node in made.graph.node}
    assert nodes["layer1"].input[0] == pooled
    assert pooled in rounded_values(made)


@pytest.mark.parametrize(
    ("layer", "channels"),
    [
        ((16, 3, 3), 4),
        ((16, 7, 3), 4),
        ((8, 3, 3), 3),  # the fast kernels give sixteen channels at once
        ((16, 1, 3), 3),
    ],
)
def test_a_first_convolution_reads_four_channels_where_that_is_faster_and_gives_the_same(
    layer: tuple[int, int, int], channels: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = chain(layer, (16, 1, layer[0]), MEAN)
    made = quantised(model, tmp_path)
    monkeypatch.setattr("export.to_onnx.widen_few_channels", lambda model: None)
    plain = quantised(model, tmp_path)

    stored = {tensor.name: tensor.dims for tensor in made.graph.initializer}
    assert stored["layer0.weight_quantized"][1] == channels
    image = np.random.default_rng(7).random((1, 3, 8, 8), dtype=np.float32)
    logits = [session_of(each).run(None, {"image": image})[0] for each in (made, plain)]
    assert np.array_equal(*logits)
