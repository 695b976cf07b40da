"""What a model file refers to is read without the packages of its format."""

from collections.abc import Callable
from pathlib import Path

import onnx
import pytest
from google.protobuf.descriptor import Descriptor
from onnx import ModelProto, TensorProto, helper

from bench.bundle.referred_files import ONNX_FIELDS, referred_files

Place = Callable[[ModelProto], TensorProto]


def _attribute(model: ModelProto) -> onnx.AttributeProto:
    attribute: onnx.AttributeProto = model.graph.node.add(op_type="If").attribute.add(name="a")
    return attribute


PLACES: dict[str, Place] = {
    "initializer": lambda model: model.graph.initializer.add(),
    "sparse values": lambda model: model.graph.sparse_initializer.add().values,
    "sparse indices": lambda model: model.graph.sparse_initializer.add().indices,
    "attribute": lambda model: _attribute(model).t,
    "attributes": lambda model: _attribute(model).tensors.add(),
    "sparse attribute": lambda model: _attribute(model).sparse_tensor.values,
    "sparse attributes": lambda model: _attribute(model).sparse_tensors.add().indices,
    "subgraph": lambda model: _attribute(model).g.initializer.add(),
    "subgraphs": lambda model: _attribute(model).graphs.add().node.add().attribute.add().t,
    "function": lambda model: model.functions.add().node.add().attribute.add().t,
    "function's default": lambda model: model.functions.add().attribute_proto.add().t,
    "training": lambda model: model.training_info.add().algorithm.initializer.add(),
}


def external(tensor: TensorProto, location: str) -> None:
    tensor.external_data.add(key="offset", value="0")
    tensor.external_data.add(key="location", value=location)
    tensor.data_location = TensorProto.EXTERNAL


def saved(model: ModelProto, folder: Path) -> Path:
    path = folder / "model.onnx"
    path.write_bytes(model.SerializeToString())
    return path


def small_model() -> ModelProto:
    node = helper.make_node("Relu", ["x"], ["y"])
    inner = [helper.make_tensor("w", TensorProto.FLOAT, [2], [1.0, 2.0])]
    return helper.make_model(helper.make_graph([node], "small", [], [], inner))


@pytest.mark.parametrize("place", PLACES)
def test_external_data_is_seen_wherever_a_tensor_stands(tmp_path: Path, place: str) -> None:
    model = small_model()
    external(PLACES[place](model), "weights.bin")
    external(model.graph.initializer.add(), "../more.bin")

    assert set(referred_files(saved(model, tmp_path))) == {"weights.bin", "../more.bin"}


def test_every_field_through_which_onnx_reaches_external_data_is_read() -> None:
    messages: dict[str, Descriptor] = {}
    open_ = [ModelProto.DESCRIPTOR]
    while open_:
        message = open_.pop()
        if message.name not in messages:
            messages[message.name] = message
            open_ += [field.message_type for field in message.fields if field.message_type is not None]
    reached: dict[str, dict[int, str]] = {"TensorProto": {13: "StringStringEntryProto"}}
    for _ in messages:
        for name in messages.keys() - {"TensorProto"}:
            fields = [field for field in messages[name].fields if field.message_type is not None]
            kinds = {
                each.number: each.message_type.name for each in fields if each.message_type.name in reached
            }
            if kinds:
                reached[name] = kinds

    assert reached == ONNX_FIELDS


def test_data_in_the_file_itself_refers_to_nothing(tmp_path: Path) -> None:
    assert referred_files(saved(small_model(), tmp_path)) == ()


@pytest.mark.parametrize("embedded", [0, 1])
def test_a_compiled_engine_is_a_file_of_its_own_unless_it_is_embedded(tmp_path: Path, embedded: int) -> None:
    model = small_model()
    node = helper.make_node(
        "EPContext", ["x"], ["z"], domain="com.microsoft", ep_cache_context="net.engine", embed_mode=embedded
    )
    model.graph.node.append(node)

    assert referred_files(saved(model, tmp_path)) == (() if embedded else ("net.engine",))


def _unknown_group(field: int) -> bytes:
    """A group, as protobuf once had them, that holds what looks like a damaged graph: readers skip it."""
    return bytes([field << 3 | 3, 7 << 3 | 2, 1, 0xFF, field << 3 | 4])


@pytest.mark.parametrize(
    "before",
    [
        _unknown_group(5),
        bytes([0x78, 0xFF, 0x01]),  # an unknown number
        bytes([0x7D, 1, 2, 3, 4]),  # four unknown bytes
        bytes([0x79, 1, 2, 3, 4, 5, 6, 7, 8]),  # eight
        b"\x32\x05<net ",  # a comment that looks like OpenVINO
    ],
)
def test_what_a_reader_skips_hides_nothing(tmp_path: Path, before: bytes) -> None:
    model = small_model()
    external(model.graph.initializer.add(), "weights.bin")
    path = tmp_path / "model.onnx"
    path.write_bytes(before + model.SerializeToString())

    assert "weights.bin" in referred_files(path)


def test_a_tag_that_is_written_longer_than_needed_is_read_all_the_same(tmp_path: Path) -> None:
    model = small_model()
    external(model.graph.initializer.add(), "weights.bin")
    graph = model.graph.SerializeToString()
    length = bytes([len(graph) & 0x7F | 0x80, len(graph) >> 7])
    path = tmp_path / "model.onnx"
    path.write_bytes(bytes([7 << 3 | 2 | 0x80, 0x80, 0x80, 0x80, 0x10]) + length + graph)

    assert referred_files(path) == ("weights.bin",)


@pytest.mark.parametrize("content", [b"", b"no model", b"\x3a", b"\x3a\xff\xff", b"\0" * 99, b"PK\x03\x04"])
def test_what_is_no_model_refers_to_nothing(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(content)

    assert referred_files(path) == ()


def test_a_model_that_was_cut_anywhere_is_read_without_a_crash(tmp_path: Path) -> None:
    model = small_model()
    external(model.graph.initializer.add(), "weights.bin")
    whole, path = model.SerializeToString(), tmp_path / "model.onnx"

    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        assert referred_files(path) in ((), ("weights.bin",))


def test_graphs_lie_in_each_other_as_deep_as_they_like(tmp_path: Path) -> None:
    content = b""
    for _ in range(2000):
        for tag in (6 << 3 | 2, 5 << 3 | 2, 1 << 3 | 2):  # a graph in an attribute in a node
            content = bytes([tag]) + _varint(len(content)) + content
    path = tmp_path / "model.onnx"
    path.write_bytes(bytes([7 << 3 | 2]) + _varint(len(content)) + content)

    assert referred_files(path) == ()


def _varint(number: int) -> bytes:
    parts = []
    while number > 0x7F:
        parts.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*parts, number])


def test_ncnn_refers_to_the_weights_of_its_own_stem(tmp_path: Path) -> None:
    path = tmp_path / "model.ncnn.param"
    path.write_text("7767517\n1 1\nInput in0 0 1 in0\n")

    assert referred_files(path) == ("model.ncnn.bin",)


@pytest.mark.parametrize("name", ["model.xml", "model.XML", "network.v2.xml", "model"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_openvino_refers_to_the_weights_of_its_own_stem(tmp_path: Path, name: str, encoding: str) -> None:
    path = tmp_path / name
    path.write_text('<?xml version="1.0"?>\n<net name="n" version="11"></net>', encoding=encoding)

    assert referred_files(path) == (Path(name).with_suffix(".bin").name,)
