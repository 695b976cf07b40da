"""What the real exporters make of somebody's model file, as the real runtimes run it."""

from pathlib import Path

import onnx
import openvino
import pytest
import torch
from making import onnx_models, onnx_sources
from making.file_source import FileExport, described
from torch import nn

from bench.bundle.recipe import RangeMethod
from bench.bundle.signature import Tensor
from bench.bundle.variants import Precision, Variant
from bench.errors import InputError
from bench.statistics.precision import share_of_macs
from export.sources.spec import StatedShape
from export.sources.torchscript_file import TorchScriptFileSource

SHAPE = StatedShape(name="", shape=(1, 3, 12, 12))


@pytest.fixture
def torchscript(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(3, 8, 3),
        nn.ReLU(),
        nn.Conv2d(8, 8, 3),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(8, 3),
    ).eval()
    path = tmp_path / "traced.pt"
    torch.jit.trace(network, torch.rand(1, 3, 12, 12)).save(path)  # type: ignore[no-untyped-call]
    return path


@pytest.fixture
def openvino_file(torchscript: Path, tmp_path: Path) -> Path:
    path = tmp_path / "own" / "model.xml"
    path.parent.mkdir()
    module = torch.jit.load(torchscript)  # type: ignore[no-untyped-call]
    model = openvino.convert_model(module, example_input=torch.rand(1, 3, 12, 12))
    openvino.save_model(model, str(path), compress_to_fp16=False)
    return path


def test_the_own_file_is_copied_as_it_is(tmp_path: Path) -> None:
    file = onnx_sources.residual(tmp_path / "mine.onnx", opset=11)
    export = FileExport.of(file, tmp_path)

    artifact = export.make("onnx-fp32")

    assert (tmp_path / artifact.entry).read_bytes() == file.read_bytes()
    assert artifact.opset == 11
    assert artifact.verification.sqnr_db is None  # it is the reference
    assert artifact.signature is not None
    assert [tensor.shape for tensor in artifact.signature.inputs] == [(1, 3, 12, 12)]


@pytest.mark.parametrize("name", ["onnx-int8", "openvino-int8"])
def test_an_older_onnx_file_with_an_open_batch_becomes_int8_by_the_search(name: str, tmp_path: Path) -> None:
    export = FileExport.of(onnx_sources.residual(tmp_path / "mine.onnx", opset=11), tmp_path)

    artifact = export.make(name, export.search())

    assert artifact.search is not None
    assert artifact.search.best.recipe.corrected
    assert artifact.verification.agreement == 1
    assert (artifact.verification.sqnr_db or 0) > 25
    operators = export.executed(artifact).operators
    in_fp32 = [operator for operator in operators if operator.precision == "fp32"]
    assert len(in_fp32) == len(artifact.excluded_modules)
    # OpenVINO has the depthwise layer in fp32 as well.
    assert (share_of_macs(operators) or {})["int8"] > (0.75 if name == "openvino-int8" else 0.8)


def test_only_the_layers_of_a_layer_norm_and_of_attention_that_are_written_out_become_int8(
    tmp_path: Path,
) -> None:
    export = FileExport.of(onnx_sources.attention(tmp_path / "mine.onnx"), tmp_path)

    in_onnx, in_openvino = (export.make(name).entry for name in ("onnx-int8", "openvino-int8"))

    nodes = onnx.load(tmp_path / in_onnx).graph.node
    dequantised = {node.output[0] for node in nodes if node.op_type == "DequantizeLinear"}
    readers = [node for node in nodes if not dequantised.isdisjoint(node.input)]
    of_biases = [node for node in readers if node.op_type == "Add" and node.input[1].endswith(".bias")]
    assert {node.op_type for node in readers if node not in of_biases} == {"MatMul", "Gemm"}
    operators = openvino.Core().read_model(tmp_path / in_openvino).get_ops()
    rounded = [operator.output(0) for operator in operators if operator.get_type_name() == "FakeQuantize"]
    users = [port.get_node() for output in rounded for port in output.get_target_inputs()]
    assert {user.get_type_name() for user in users} == {"MatMul"}


@pytest.mark.parametrize("name", ["onnx-fp16", "onnx-int8", "openvino-fp32", "openvino-int8"])
def test_a_keras_like_file_with_several_outputs_and_a_fixed_batch_is_exported(
    name: str, tmp_path: Path
) -> None:
    export = FileExport.of(onnx_sources.keras_like(tmp_path / "mine.onnx"), tmp_path, judged=1)

    artifact = export.make(name)

    assert artifact.verification.agreement == 1
    assert artifact.signature is not None
    (image,) = artifact.signature.inputs
    assert (image.dtype, image.shape) == ("uint8", (2, 10, 10, 3))
    assert [tensor.shape for tensor in artifact.signature.outputs] == [(2, 8), (2, 4)]


def test_a_quantised_file_becomes_openvino_as_its_graph_says(tmp_path: Path) -> None:
    export = FileExport.of(onnx_sources.quantised(tmp_path / "mine.onnx"), tmp_path)

    own, converted = export.make("onnx-int8"), export.make("openvino-int8")

    assert own.opset == onnx_models.OPSET
    assert converted.method == "as the source has it"
    assert converted.calibration_images is None
    assert converted.verification.agreement == 1
    assert own.cpu is None  # nobody knows whether its sums saturate elsewhere
    assert {verified.how for verified in own.classes} <= {"measured"}


def test_a_graph_with_control_flow_is_quantised_without_a_network(tmp_path: Path) -> None:
    export = FileExport.of(onnx_models.with_branches(tmp_path / "mine.onnx"), tmp_path)

    sensitivity = export.sensitivity()

    assert "control flow" in str(sensitivity.unmeasured)
    assert sum(layer.noise for layer in sensitivity.layers) == 0


def test_openvino_of_a_torchscript_file_is_quantised_by_nncf(torchscript: Path, tmp_path: Path) -> None:
    export = FileExport.of(torchscript, tmp_path, shapes=[SHAPE])

    assert export.own == Variant("torchscript", Precision.FP32)
    assert [tensor.words for tensor in export.source.outputs] == ["output_0: float32 [1, 3]"]
    own, artifact = export.make("torchscript-fp32"), export.make("openvino-int8", export.search())

    assert own.verification.sqnr_db is None
    assert artifact.search is not None
    assert not any(attempt.recipe.corrected for attempt in artifact.search.attempts)
    assert (share_of_macs(export.executed(artifact).operators) or {})["int8"] > 0.8
    assert artifact.method is not None
    assert "NNCF" in artifact.method


@pytest.mark.parametrize("name", ["openvino-fp32", "openvino-fp16", "openvino-int8"])
def test_an_openvino_file_with_open_shapes_is_exported(
    name: str, openvino_file: Path, tmp_path: Path
) -> None:
    export = FileExport.of(openvino_file, tmp_path, shapes=[SHAPE])

    artifact = export.make(name)

    assert artifact.verification.agreement == 1
    assert artifact.signature is not None
    assert [tensor.shape for tensor in artifact.signature.inputs] == [(1, 3, 12, 12)]


def test_the_layers_of_an_openvino_file_are_known_by_their_work(openvino_file: Path, tmp_path: Path) -> None:
    export = FileExport.of(openvino_file, tmp_path, shapes=[SHAPE])

    sensitivity = export.sensitivity()
    candidates = export.search().candidates

    assert len(sensitivity.layers) == 3
    assert sum(layer.share_of_macs for layer in sensitivity.layers) == pytest.approx(1)
    assert [recipe.ranges for recipe in candidates.recipes] == [RangeMethod.MIN_MAX, RangeMethod.HISTOGRAM]


def test_an_open_batch_is_one_image(tmp_path: Path) -> None:
    description = described(onnx_sources.residual(tmp_path / "mine.onnx"))

    assert [tensor.words for tensor in description.signature.inputs] == ["image: float32 [1, 3, 12, 12]"]
    assert [tensor.words for tensor in description.signature.outputs] == ["scores: float32 [1, 3]"]


def test_inputs_that_the_file_does_not_take_are_refused(torchscript: Path) -> None:
    with pytest.raises(InputError, match="an inference failed that was to show the shapes of its outputs"):
        described(torchscript, [StatedShape(name="", shape=(1, 5, 12, 12))])


class _Branching(torch.nn.Module):
    def forward(self, image: torch.Tensor) -> torch.Tensor:
        if bool(image.sum() > 0):
            return image.mean((2, 3))
        return -image.mean((2, 3))


def test_a_scripted_network_is_converted_with_fixed_shapes(tmp_path: Path) -> None:
    torch.jit.script(_Branching()).save(tmp_path / "net.pt")  # type: ignore[no-untyped-call]
    image = Tensor(name="image", dtype="float32", shape=(1, 3, 12, 12))
    scores = Tensor(name="scores", dtype="float32", shape=(1, 3))

    model = TorchScriptFileSource(tmp_path / "net.pt", [image], [scores]).base().model

    assert model.input(0).partial_shape.is_static
    assert list(model.input(0).shape) == [1, 3, 12, 12]
