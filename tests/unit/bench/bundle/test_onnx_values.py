"""Inputs and outputs that an ONNX file states are read as onnx reads them."""

from pathlib import Path

import onnx
import pytest
from making.classifier_file import write_classifier
from onnx import TensorProto, helper

from bench.bundle.onnx_graph import onnx_graph
from bench.bundle.onnx_values import onnx_signature
from bench.bundle.signature import Signature, Tensor

LIGHT = sorted((Path(onnx.__file__).parent / "backend" / "test" / "data" / "light").glob("*.onnx"))


def signature_of(path: Path) -> Signature:
    content = path.read_bytes()
    return onnx_signature(content, onnx_graph(content))


@pytest.mark.parametrize("path", LIGHT, ids=lambda path: path.stem)
def test_weights_among_the_inputs_are_left_out(path: Path) -> None:
    graph = onnx.load(path).graph
    weights = {tensor.name for tensor in graph.initializer}
    (value,) = [value for value in graph.input if value.name not in weights]
    shape = tuple(dim.dim_value for dim in value.type.tensor_type.shape.dim)

    assert signature_of(path).inputs == (Tensor(name=value.name, dtype="float32", shape=shape),)


def test_open_axes_have_their_names_and_a_shape_can_be_missing(tmp_path: Path) -> None:
    path = write_classifier(tmp_path / "m.onnx", ("batch", 3, "height", "width"))
    model = onnx.load(path)
    model.graph.output.append(helper.make_tensor_value_info("r", TensorProto.FLOAT16, None))
    model.graph.input[0].type.tensor_type.shape.dim[2].Clear()
    onnx.save(model, path)

    signature = signature_of(path)

    (tensor,) = signature.inputs
    assert tensor == Tensor(name="images", dtype="float32", shape=("batch", 3, "?", "width"))
    assert signature.outputs[1] == Tensor(name="r", dtype="float16", shape=None)


def test_a_sequence_is_no_tensor(tmp_path: Path) -> None:
    path = write_classifier(tmp_path / "m.onnx")
    model = onnx.load(path)
    model.graph.output.append(helper.make_tensor_sequence_value_info("s", TensorProto.FLOAT, None))
    onnx.save(model, path)

    assert signature_of(path).outputs[1] == Tensor(name="s", dtype="not a tensor", shape=None)
