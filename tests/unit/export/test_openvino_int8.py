"""Which values an int8 OpenVINO file rounds, and with which ranges, on small networks made here."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import openvino
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import fx, nn

from bench.bundle.cpu_class import PORTABLE
from bench.bundle.evaluation_pack import EvaluationPack
from bench.bundle.recipe import Recipe
from bench.bundle.signature import Tensor
from bench.bundle.variants import Precision
from export import to_openvino
from export.calibration import CalibrationInputs
from export.exporter import Exported, ExportRequest
from export.quantisation.simulation import Range
from export.sources.source import OnnxBase
from export.to_openvino import export

IMAGES = 4
INPUT = Tensor(name="image", dtype="float32", shape=(1, 3, 8, 8))
OUTPUT = Tensor(name="logits", dtype="float32", shape=(1, 2))


class Scaled(nn.Module):
    """A convolution whose channels are scaled by their means, as squeeze-and-excitation does."""

    def __init__(self, activation: nn.Module) -> None:
        super().__init__()
        self.first, self.scale = nn.Conv2d(3, 8, 1), nn.Conv2d(8, 8, 1)
        self.last, self.head = nn.Conv2d(8, 4, 1), nn.Linear(4, 2)
        self.active = activation

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        value = self.active(self.first(image))
        scaled = value * torch.sigmoid(self.scale(value.mean([2, 3], keepdim=True)))
        logits: torch.Tensor = self.head(self.active(self.last(scaled)).mean([2, 3]))
        return logits


class Twice(nn.Module):
    """A convolution that runs twice."""

    def __init__(self) -> None:
        super().__init__()
        self.layer, self.active = nn.Conv2d(3, 3, 1), nn.ReLU()

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        value: torch.Tensor = self.active(self.layer(self.active(self.layer(image))))
        return value.mean([2, 3])[:, :2]


class Separable(nn.Module):
    """A depthwise convolution between two others."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.depthwise = nn.Conv2d(3, 8, 1), nn.Conv2d(8, 8, 3, groups=8)
        self.last, self.active = nn.Conv2d(8, 2, 1), nn.ReLU6()

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        value = self.active(self.depthwise(self.active(self.first(image))))
        logits: torch.Tensor = self.last(value).mean([2, 3])
        return logits


def exported(
    module: nn.Module,
    ranges: dict[str, Range],
    folder: Path,
    cpu: str = PORTABLE,
    base: OnnxBase | None = None,
    corrected: bool = True,
) -> Exported:
    torch.manual_seed(0)
    network = fx.symbolic_trace(module).eval().requires_grad_(False)
    images = np.random.default_rng(5).integers(0, 256, (IMAGES, 8, 8), dtype=np.uint8)
    pack = EvaluationPack(images, np.zeros(IMAGES, np.int64), np.zeros((IMAGES, 1), np.float32))
    request = ExportRequest(
        make_network=lambda: network,
        base=base,
        inputs=(INPUT,),
        outputs=(OUTPUT,),
        precision=Precision.INT8,
        calibration=CalibrationInputs(pack, (INPUT,), IMAGES),
        folder=folder,
        recipe=Recipe(corrected=corrected),
        find_ranges=lambda: ranges,
        cpu=cpu,
    )
    return export(request)


def quantised(
    module: nn.Module, ranges: dict[str, Range], folder: Path, cpu: str = PORTABLE
) -> openvino.Model:
    return openvino.Core().read_model(str(exported(module, ranges, folder, cpu).entry))


def roundings(model: openvino.Model, is_read_by: Callable[[openvino.Node], bool]) -> list[openvino.Node]:
    """Return the roundings of activations that some operator of this kind reads."""
    return [
        node
        for node in model.get_ordered_ops()
        if node.get_type_name() == "FakeQuantize"
        and any(is_read_by(port.get_node()) for port in node.output(0).get_target_inputs())
    ]


@pytest.mark.parametrize("activation", [nn.SiLU(), nn.Hardswish()], ids=lambda module: type(module).__name__)
def test_neither_products_nor_the_means_of_values_in_fp32_round_what_they_read(
    activation: nn.Module, tmp_path: Path
) -> None:
    made = quantised(Scaled(activation), {}, tmp_path)

    assert not roundings(made, lambda node: node.get_type_name() in ("Multiply", "ReduceMean"))
    assert roundings(made, lambda node: node.get_type_name() == "Convolution")


def test_what_layers_read_has_the_ranges_that_the_weights_were_corrected_for(tmp_path: Path) -> None:
    made = quantised(Scaled(nn.SiLU()), {"mul": Range(-0.28, 3.0)}, tmp_path)

    (rounding,) = roundings(made, lambda node: node.get_friendly_name().startswith("__module.last/"))
    ends = [float(port.get_source_output().get_node().data.ravel()[0]) for port in rounding.inputs()[1:]]
    step = 3.28 / 255
    assert ends == pytest.approx([-22 * step, 233 * step] * 2)


def test_a_layer_that_runs_twice_keeps_the_ranges_that_the_library_finds(tmp_path: Path) -> None:
    made = quantised(Twice(), {"active": Range(0.0, 1e-4), "active_1": Range(0.0, 1e-4)}, tmp_path)

    highest = [
        float(node.input_value(2).get_node().data.max())
        for node in roundings(made, lambda node: node.get_type_name() == "Convolution")
    ]
    assert min(highest) > 1e-2


def is_depthwise(node: openvino.Node) -> bool:
    return str(node.get_type_name()) == "GroupConvolution"


def depthwise_weights(model: openvino.Model) -> openvino.Type:
    (depthwise,) = filter(is_depthwise, model.get_ops())
    node = depthwise.input_value(1).get_node()
    while node.get_input_size():
        node = node.input_value(0).get_node()
    return node.get_element_type()


def test_a_depthwise_layer_reads_fp32_where_the_file_is_for_cpus_without_vnni(tmp_path: Path) -> None:
    made = exported(Separable(), {}, tmp_path)
    model = openvino.Core().read_model(str(made.entry))

    assert made.excluded_modules == ("depthwise",)
    assert not roundings(model, is_depthwise)
    assert len(roundings(model, lambda node: node.get_type_name() == "Convolution")) == 2
    assert depthwise_weights(model) == openvino.Type.i8


@pytest.mark.parametrize("cpu", ["x86-vnni", "arm"])
def test_a_depthwise_layer_reads_int8_where_no_cpu_adds_in_16_bits(cpu: str, tmp_path: Path) -> None:
    made = exported(Separable(), {}, tmp_path, cpu=cpu)

    assert made.excluded_modules == ()
    assert len(roundings(openvino.Core().read_model(str(made.entry)), is_depthwise)) == 1


def test_a_depthwise_layer_reads_int8_where_its_values_in_fp32_leave_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = 8 * 8 * 8 * 4
    for most, count in ((values, 0), (values - 1, 1)):
        monkeypatch.setattr(to_openvino, "_MOST_BYTES_IN_FP32", most)
        (folder := tmp_path / str(most)).mkdir()
        assert len(roundings(quantised(Separable(), {}, folder), is_depthwise)) == count


def test_all_channels_that_a_depthwise_layer_reads_have_the_range_of_the_correction(tmp_path: Path) -> None:
    made = quantised(Separable(), {"active": Range(0.0, 6.0)}, tmp_path, cpu="x86-vnni")

    (rounding,) = roundings(made, is_depthwise)
    ends = [port.get_source_output().get_node().data for port in rounding.inputs()[1:]]
    assert [end.ravel().tolist() for end in ends] == [[0.0], [6.0]] * 2


class SharedDepthwise(nn.Module):
    """A depthwise convolution that runs twice."""

    def __init__(self) -> None:
        super().__init__()
        self.depthwise, self.last, self.active = nn.Conv2d(3, 3, 3, groups=3), nn.Conv2d(3, 2, 1), nn.ReLU6()

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        value = self.active(self.depthwise(self.active(self.depthwise(image))))
        logits: torch.Tensor = self.last(value).mean([2, 3])
        return logits


def test_a_depthwise_layer_that_runs_twice_stays_in_int8(tmp_path: Path) -> None:
    made = exported(SharedDepthwise(), {}, tmp_path)

    assert made.excluded_modules == ()
    assert len(roundings(openvino.Core().read_model(str(made.entry)), is_depthwise)) == 2


def test_a_grouped_layer_stays_in_int8(tmp_path: Path) -> None:
    module = Separable()
    module.depthwise = nn.Conv2d(8, 8, 3, groups=4)

    assert exported(module, {}, tmp_path).excluded_modules == ()


def test_a_depthwise_layer_of_an_onnx_file_is_listed_by_its_name(tmp_path: Path) -> None:
    shapes = {"first": (8, 3, 1, 1), "block.depthwise": (8, 1, 3, 3), "last": (2, 8, 1, 1)}
    generator = np.random.default_rng(0)
    nodes, value = [], INPUT.name
    for layer, shape in shapes.items():
        groups = 8 if shape[1] == 1 else 1
        nodes += [
            helper.make_node("Conv", [value, f"{layer}.weight"], [layer], group=groups),
            helper.make_node("Relu", [layer], [f"{layer}.relu"]),
        ]
        value = f"{layer}.relu"
    nodes += [helper.make_node("ReduceMean", [value, "axes"], [OUTPUT.name], keepdims=0)]
    stored = [
        numpy_helper.from_array(generator.normal(size=shape).astype(np.float32), f"{layer}.weight")
        for layer, shape in shapes.items()
    ]
    ends = [
        helper.make_tensor_value_info(tensor.name, TensorProto.FLOAT, tensor.shape)
        for tensor in (INPUT, OUTPUT)
    ]
    axes = numpy_helper.from_array(np.array([2, 3]), "axes")
    graph = helper.make_graph(nodes, "small", ends[:1], ends[1:], [*stored, axes])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)

    made = exported(Separable(), {}, tmp_path, base=OnnxBase(model), corrected=False)

    assert made.excluded_modules == ("block.depthwise",)
