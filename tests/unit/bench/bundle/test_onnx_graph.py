"""What an ONNX file says of its network is read without the package onnx, and as that package reads it."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
import pytest
from onnx import GraphProto, ModelProto, NodeProto, SparseTensorProto, TensorProto, helper, numpy_helper

from bench.bundle.onnx_graph import DTYPES, read_onnx_graph
from bench.bundle.protobuf import messages_in
from bench.bundle.variants import Precision
from bench.errors import InputError

LIGHT = sorted((Path(onnx.__file__).parent / "backend" / "test" / "data" / "light").glob("*.onnx"))


def saved(model: ModelProto, folder: Path) -> Path:
    path = folder / "model.onnx"
    path.write_bytes(model.SerializeToString())
    return path


def weight(name: str, values: npt.ArrayLike, dtype: str = "float32") -> TensorProto:
    return numpy_helper.from_array(np.asarray(values, dtype), name)


def network(
    nodes: Sequence[NodeProto],
    weights: Sequence[TensorProto] = (),
    inputs: Sequence[str] = ("x",),
    outputs: Sequence[str] = ("y",),
    domains: Sequence[str] = (),
) -> ModelProto:
    def values(names: Sequence[str]) -> list[onnx.ValueInfoProto]:
        return [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 4]) for name in names]

    graph = helper.make_graph(nodes, "network", values(inputs), values(outputs), list(weights))
    opsets = [helper.make_opsetid("", 17), *(helper.make_opsetid(domain, 1) for domain in domains)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8, producer_name="test")


def nodes_of(graph: GraphProto) -> Iterator[NodeProto]:
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            for inner in [*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs]:
                yield from nodes_of(inner)


@pytest.mark.parametrize("path", LIGHT, ids=lambda path: path.stem)
def test_the_networks_in_onnx_itself_are_read_as_onnx_reads_them(path: Path) -> None:
    model = onnx.load(path)
    weights = {tensor.name for tensor in model.graph.initializer}
    constants = [
        attribute.t
        for node in nodes_of(model.graph)
        if node.op_type == "Constant"
        for attribute in node.attribute
    ]
    elements: Counter[str] = Counter()
    for tensor in [*model.graph.initializer, *constants]:
        elements[DTYPES[tensor.data_type]] += numpy_helper.to_array(tensor).size

    graph = read_onnx_graph(path)

    assert graph.ir_version == model.ir_version
    assert graph.opsets == tuple((opset.domain, opset.version) for opset in model.opset_import)
    assert graph.operators == Counter((node.domain, node.op_type) for node in nodes_of(model.graph))
    assert graph.initializer_elements == elements
    assert graph.parameters == elements.total()
    assert graph.inputs == tuple(value.name for value in model.graph.input if value.name not in weights)
    assert graph.outputs == tuple(value.name for value in model.graph.output)


def test_every_element_type_of_onnx_has_a_name() -> None:
    numbers = dict(TensorProto.DataType.items())

    assert set(DTYPES) == set(numbers.values()) - {TensorProto.UNDEFINED}
    for number in (TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.DOUBLE, TensorProto.INT64):
        assert np.dtype(DTYPES[number]) == helper.tensor_dtype_to_np_dtype(number)


def test_metadata_producer_and_opsets_are_read(tmp_path: Path) -> None:
    model = network([helper.make_node("Relu", ["x"], ["y"])], domains=["ai.onnx.ml"])
    model.producer_version = "1.2"
    helper.set_model_props(model, {"names": "{0: 'ä'}", "long": "x" * 100_000, "": ""})

    graph = read_onnx_graph(saved(model, tmp_path))

    assert graph.metadata == {"names": "{0: 'ä'}", "long": "x" * 100_000, "": ""}
    assert graph.producer == "test 1.2"
    assert (graph.opsets, graph.opset) == ((("", 17), ("ai.onnx.ml", 1)), 17)


def test_weights_that_are_listed_as_inputs_are_no_inputs(tmp_path: Path) -> None:
    nodes = [helper.make_node("Gemm", ["x", "w", "s"], ["y"])]
    model = network(nodes, [weight("w", np.ones((4, 4)))], inputs=["w", "x", "s"], outputs=["y", "x"])
    model.graph.sparse_initializer.add(values=weight("s", [1, 2]), indices=weight("", [0, 3], "int64"))

    graph = read_onnx_graph(saved(model, tmp_path))

    assert (graph.inputs, graph.outputs) == (("x",), ("y", "x"))
    assert graph.initializer_elements == {"float32": 18}


def _branch(name: str, nodes: Sequence[NodeProto], weights: Sequence[TensorProto] = ()) -> GraphProto:
    output = helper.make_tensor_value_info(name, TensorProto.FLOAT, None)
    return helper.make_graph(nodes, name, [], [output], list(weights))


def test_subgraphs_count_at_any_depth_and_their_names_are_their_own(tmp_path: Path) -> None:
    inner = _branch("inner", [helper.make_node("Add", ["x", "deep"], ["inner"])], [weight("deep", [1, 2, 3])])
    other = _branch("other", [helper.make_node("Relu", ["x"], ["other"])])
    chosen = helper.make_node("If", ["condition"], ["chosen"], then_branch=inner, else_branch=other)
    body = _branch("body", [chosen, helper.make_node("Identity", ["chosen"], ["body"])], [weight("x", [1])])
    loop = helper.make_node("Loop", ["count", "condition", "x"], ["y"], body=body)
    model = network([loop, helper.make_node("Add", ["y", "y"], ["z"])], outputs=["z"])

    graph = read_onnx_graph(saved(model, tmp_path))

    assert graph.operators == {
        ("", name): count for name, count in {"Loop": 1, "If": 1, "Add": 2, "Relu": 1, "Identity": 1}.items()
    }
    assert graph.operators == Counter((node.domain, node.op_type) for node in nodes_of(model.graph))
    assert graph.parameters == 4
    assert (graph.inputs, graph.outputs) == (("x",), ("z",))


def test_functions_count_by_their_bodies(tmp_path: Path) -> None:
    model = network([helper.make_node("Twice", ["x"], ["y"], domain="own")] * 3, domains=["own"])
    body = [
        helper.make_node("Constant", [], ["two"], value=weight("", [2.0])),
        helper.make_node("Mul", ["x", "two"], ["y"]),
    ]
    model.functions.append(
        helper.make_function("own", "Twice", ["x"], ["y"], body, [helper.make_opsetid("", 17)])
    )

    graph = read_onnx_graph(saved(model, tmp_path))

    assert graph.operators == {("", "Constant"): 1, ("", "Mul"): 1}
    assert graph.custom_domains == ()
    assert graph.parameters == 1


def test_constants_are_parameters_and_other_tensors_of_nodes_are_not(tmp_path: Path) -> None:
    sparse = SparseTensorProto(values=weight("", [1, 2, 3]), indices=weight("", [0, 1, 2], "int64"), dims=[9])
    nodes = [
        helper.make_node("Constant", [], ["a"], value=weight("", np.ones((2, 3)), "float16")),
        helper.make_node("Constant", [], ["b"], sparse_value=sparse, domain="ai.onnx"),
        helper.make_node("ConstantOfShape", ["a"], ["y"], value=weight("", [0.02])),
    ]

    graph = read_onnx_graph(saved(network(nodes), tmp_path))

    assert graph.initializer_elements == {"float16": 6, "float32": 3}
    assert graph.operators == {("", "Constant"): 2, ("", "ConstantOfShape"): 1}


def test_dimensions_are_read_packed_too(tmp_path: Path) -> None:
    model = network([helper.make_node("Relu", ["x"], ["y"])])
    tensor = b"\x0a\x03\x03\x80\x01" + b"\x10\x01"  # dims 3, 128, as writers of proto3 pack them; float32
    graph = model.graph.SerializeToString() + bytes([5 << 3 | 2, len(tensor)]) + tensor
    opset = model.opset_import[0].SerializeToString()
    path = tmp_path / "model.onnx"
    path.write_bytes(
        b"\x08\x08" + bytes([7 << 3 | 2, len(graph)]) + graph + bytes([0x42, len(opset)]) + opset
    )

    assert read_onnx_graph(path).initializer_elements == {"float32": 384}


@pytest.mark.parametrize(
    ("operator", "domain", "quantised"),
    [
        ("QuantizeLinear", "", True),
        ("DequantizeLinear", "", True),
        ("DynamicQuantizeLinear", "", True),
        ("QLinearConv", "", True),
        ("QLinearMatMul", "ai.onnx", True),
        ("ConvInteger", "", True),
        ("MatMulInteger", "", True),
        ("QLinearAdd", "com.microsoft", True),
        ("MatMulIntegerToFloat", "com.microsoft", True),
        ("DynamicQuantizeMatMul", "com.microsoft", True),
        ("QGemm", "com.microsoft", True),
        ("QAttention", "com.microsoft", True),
        ("MatMulNBits", "com.microsoft", True),
        ("QuantizeLinear", "com.example", False),
        ("MatMul", "", False),
        ("Conv", "", False),
        ("BitShift", "", False),
    ],
)
def test_a_network_is_quantised_by_its_operators(
    tmp_path: Path, operator: str, domain: str, quantised: bool
) -> None:
    graph = read_onnx_graph(
        saved(network([helper.make_node(operator, ["x"], ["y"], domain=domain)]), tmp_path)
    )

    assert graph.is_quantised is quantised
    assert graph.precision is (Precision.INT8 if quantised else Precision.FP32)


@pytest.mark.parametrize(
    ("weights", "precision"),
    [
        ({}, Precision.FP32),
        ({"float32": 8}, Precision.FP32),
        ({"float16": 8}, Precision.FP16),
        ({"float16": 8, "float32": 2, "int64": 90}, Precision.FP16),
        ({"float16": 8, "float32": 8}, Precision.FP32),
        ({"float16": 2, "float64": 8}, Precision.FP32),
    ],
)
def test_a_network_is_in_half_if_most_of_its_weights_are(
    tmp_path: Path, weights: dict[str, int], precision: Precision
) -> None:
    tensors = [weight(dtype, np.ones(count), dtype) for dtype, count in weights.items()]

    graph = read_onnx_graph(saved(network([helper.make_node("Relu", ["x"], ["y"])], tensors), tmp_path))

    assert graph.precision is precision
    assert graph.initializer_elements == weights


def test_custom_domains_are_those_that_no_runtime_here_defines(tmp_path: Path) -> None:
    domains = ["", "ai.onnx", "ai.onnx.ml", "com.microsoft", "com.microsoft.nchwc", "z.org", "com.example"]
    nodes = [helper.make_node("Operator", ["x"], ["y"], domain=domain) for domain in domains]

    assert read_onnx_graph(saved(network(nodes), tmp_path)).custom_domains == ("com.example", "z.org")


def test_training_graphs_are_not_counted(tmp_path: Path) -> None:
    model = network([helper.make_node("Relu", ["x"], ["y"])])
    model.training_info.add().algorithm.node.add(op_type="Gradient", domain="ai.onnx.preview.training")

    assert read_onnx_graph(saved(model, tmp_path)).operators == {("", "Relu"): 1}


def test_external_weights_count_by_their_shape(tmp_path: Path) -> None:
    tensor = weight("w", np.ones((300, 400)))
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="weights.bin")

    model = network([helper.make_node("Relu", ["x"], ["y"])], [tensor])

    assert read_onnx_graph(saved(model, tmp_path)).parameters == 120_000


def test_a_model_that_was_cut_anywhere_before_its_metadata_is_damaged(tmp_path: Path) -> None:
    model = network([helper.make_node("Gemm", ["x", "w"], ["y"])], [weight("w", np.ones((4, 4)))])
    whole, path = model.SerializeToString(), tmp_path / "model.onnx"

    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(InputError, match=r"is a damaged ONNX model|is empty"):
            read_onnx_graph(path)


@pytest.mark.parametrize("content", [b"", b"no model", b"\x3a", b"\0" * 99, b"\x08\x08", b"\x3a\x00"])
def test_what_is_no_model_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(content)

    with pytest.raises(InputError, match=str(path)):
        read_onnx_graph(path)


def test_negative_dimensions_are_damage(tmp_path: Path) -> None:
    model = network([helper.make_node("Relu", ["x"], ["y"])])
    model.graph.initializer.add(dims=[-2, 3], data_type=TensorProto.FLOAT)

    with pytest.raises(InputError, match="damaged"):
        read_onnx_graph(saved(model, tmp_path))


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_onnx_graph(tmp_path / "missing.onnx")


def test_an_unknown_element_type_has_its_number(tmp_path: Path) -> None:
    model = network([helper.make_node("Relu", ["x"], ["y"])])
    model.graph.initializer.add(dims=[2], data_type=99)

    assert read_onnx_graph(saved(model, tmp_path)).initializer_elements == {"type 99": 2}


def test_messages_of_an_unknown_kind_are_skipped() -> None:
    assert list(messages_in(b"\x0a\x02\xff\xff", {}, "Unknown")) == []
