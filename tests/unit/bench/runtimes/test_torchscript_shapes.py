"""TorchScript modules of every kind run: their arguments, their outputs, and the proof of what ran."""

import warnings
from pathlib import Path

import pytest
import torch
from making.running_models import RanModel, run_model
from torch import Tensor, nn

from bench.bundle.signature import Shapes, StatedInput
from bench.bundle.variants import Precision
from bench.errors import InputError

IMAGE = torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(0))
IMAGE_SHAPE = (1, 3, 8, 8)


def network() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 5)
    ).eval()


class TwoInputs(nn.Module):
    """An embedding and a mask."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding, self.linear = nn.Embedding(2, 6), nn.Linear(6, 3)

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Return logits for each id."""
        logits: Tensor = self.linear(self.embedding(ids) * mask)
        return logits


class Bytes(nn.Module):
    """A network that takes NHWC images of bytes."""

    def __init__(self) -> None:
        super().__init__()
        self.network = network()

    def forward(self, image: Tensor) -> Tensor:
        """Return logits."""
        logits: Tensor = self.network(image.permute(0, 3, 1, 2).float() / 255)
        return logits


class Dictionary(nn.Module):
    """A network that returns a dictionary with a tuple in it."""

    def __init__(self) -> None:
        super().__init__()
        self.network = network()

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        """Return logits and a mean."""
        return {"logits": self.network(image), "mean": image.mean()}


class Scripted(nn.Module):
    """A network with a branch and an optional argument."""

    def __init__(self) -> None:
        super().__init__()
        self.network = network()

    def forward(self, image: Tensor, scale: Tensor | None = None) -> tuple[Tensor, float]:
        """Return logits and a number."""
        logits = self.network(image)
        if scale is not None:
            logits = logits * scale
        return logits, float(logits.sum())


class Counted(nn.Module):
    """A module that takes a number."""

    def forward(self, x: Tensor, count: int) -> Tensor:
        """Return a multiple."""
        return x * count


class Matrices(nn.Module):
    """Matrix products of two inputs."""

    def forward(self, a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
        """Return both products."""
        return torch.matmul(a, b), torch.bmm(a, b)


class OneLayer(nn.Module):
    """One layer under a name."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor) -> Tensor:
        """Return what the layer gives."""
        given: Tensor = self.layer(x)
        return given


def ran(module: torch.jit.ScriptModule, tmp_path: Path, shapes: Shapes) -> RanModel:
    path = tmp_path / "model.pt"
    module.save(str(path))
    return run_model(path, shapes)


def traced(module: nn.Module, *inputs: Tensor) -> torch.jit.ScriptModule:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.jit.trace(module, inputs, strict=False)  # type: ignore[no-untyped-call,no-any-return]


def test_two_inputs_of_two_types_are_stated_by_their_names(tmp_path: Path) -> None:
    module = traced(TwoInputs(), torch.ones(1, 4, dtype=torch.long), torch.rand(1, 4, 1))

    model = ran(module, tmp_path, {"ids": StatedInput((1, 4), "int64"), "mask": (1, 4, 1)})

    assert [(tensor.name, tensor.dtype) for tensor in model.inputs] == [("ids", "int64"), ("mask", "float32")]
    assert [output.shape for output in model.outputs] == [(1, 4, 3)]


def test_an_input_of_bytes_is_given_bytes(tmp_path: Path) -> None:
    module = traced(Bytes(), torch.zeros(1, 8, 8, 3, dtype=torch.uint8))

    model = ran(module, tmp_path, {"image": StatedInput((1, 8, 8, 3), "uint8")})

    assert [output.shape for output in model.outputs] == [(1, 5)]


def test_dictionaries_tuples_and_numbers_are_outputs_in_order(tmp_path: Path) -> None:
    dictionary = ran(traced(Dictionary(), IMAGE), tmp_path, {"image": IMAGE_SHAPE})
    script: torch.jit.ScriptModule = torch.jit.script(Scripted().eval())
    scripted = ran(script, tmp_path, {"image": IMAGE_SHAPE})

    assert [(output.name, output.shape) for output in dictionary.outputs] == [
        ("output_0", (1, 5)),
        ("output_1", ()),
    ]
    assert [output.shape for output in scripted.outputs] == [(1, 5), ()]


def test_an_argument_with_a_default_is_not_given(tmp_path: Path) -> None:
    script: torch.jit.ScriptModule = torch.jit.script(Scripted().eval())

    model = ran(script, tmp_path, {"image": IMAGE_SHAPE})

    assert [tensor.name for tensor in model.inputs] == ["image"]


def test_an_argument_that_is_no_tensor_is_refused_by_its_name(tmp_path: Path) -> None:
    script: torch.jit.ScriptModule = torch.jit.script(Counted())

    with pytest.raises(InputError, match=r"^model.pt: the input 'count' takes int, no tensor; edgefit gives"):
        ran(script, tmp_path, {"x": (1, 4)})


def test_a_shape_that_is_not_stated_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--shape image:1x3x224x224"):
        ran(traced(Dictionary(), IMAGE), tmp_path, {})


def test_half_precision_is_known_and_computed_in_float_on_a_cpu(tmp_path: Path) -> None:
    model = ran(traced(network(), IMAGE).half(), tmp_path, {"input": IMAGE_SHAPE})

    assert model.description.precision is Precision.FP16
    assert {operator.precision for operator in model.executed.operators} == {"fp32"}


def test_double_precision_stays_double(tmp_path: Path) -> None:
    module = traced(OneLayer(nn.Linear(6, 3).double()), torch.rand(1, 6, dtype=torch.double))

    model = ran(module, tmp_path, {"x": StatedInput((1, 6), "float64")})

    assert [operator.precision for operator in model.executed.operators] == ["fp64"]


def test_dynamic_quantisation_is_known_and_ran_in_int8(tmp_path: Path) -> None:
    layers = nn.Sequential(nn.Linear(6, 3))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        quantised = torch.ao.quantization.quantize_dynamic(layers, dtype=torch.qint8)  # type: ignore[no-untyped-call]

    model = ran(traced(quantised, torch.rand(1, 6)), tmp_path, {"input": (1, 6)})

    assert model.description.precision is Precision.INT8
    assert [(operator.precision, operator.macs) for operator in model.executed.operators] == [("int8", 18)]


@pytest.mark.parametrize(
    ("layer", "shape", "macs"),
    [
        (nn.Conv1d(3, 4, 3), (1, 3, 9), 7 * 4 * 9),
        (nn.Conv3d(2, 4, 3), (1, 2, 5, 5, 5), 27 * 4 * 54),
        (nn.Conv2d(4, 8, 3, groups=2), (1, 4, 8, 8), 36 * 8 * 18),
        (nn.Conv2d(3, 4, 3, padding="same"), IMAGE_SHAPE, 64 * 4 * 27),
        (nn.ConvTranspose2d(3, 5, 2, stride=2), (1, 3, 4, 4), 3 * 16 * 20),
        (nn.Linear(6, 3), (2, 6), 36),
    ],
)
def test_the_proof_counts_the_work_of_unusual_layers(
    layer: nn.Module, shape: tuple[int, ...], macs: int, tmp_path: Path
) -> None:
    model = ran(traced(OneLayer(layer), torch.rand(shape)), tmp_path, {"x": shape})

    assert model.macs == [macs]


def test_products_of_two_inputs_are_counted(tmp_path: Path) -> None:
    shapes = {"a": (2, 3, 4), "b": (2, 4, 5)}

    model = ran(traced(Matrices(), torch.rand(2, 3, 4), torch.rand(2, 4, 5)), tmp_path, shapes)

    assert model.macs == [120, 120]


def test_a_recurrent_layer_is_not_counted_and_one_image_without_a_batch_is(tmp_path: Path) -> None:
    lstm = ran(traced(nn.LSTM(3, 4), torch.rand(5, 1, 3)), tmp_path, {"input": (5, 1, 3)})
    unbatched = ran(traced(OneLayer(nn.Conv2d(3, 4, 3)), IMAGE[0]), tmp_path, {"x": (3, 8, 8)})

    assert lstm.macs == []
    assert unbatched.macs == [4 * 6 * 6 * 27]


class SqueezeExcite(nn.Module):
    """A convolution whose channels are scaled, as MobileNetV3 does it; another convolution follows."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = nn.Conv2d(3, 4, 1), nn.Conv2d(4, 6, 1)
        self.scale = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(4, 4, 1), nn.Hardsigmoid())

    def forward(self, image: Tensor) -> Tensor:
        """Return a feature map."""
        features = nn.functional.hardswish(self.first(image))
        scaled: Tensor = self.last(self.scale(features) * features)
        return scaled


def test_the_work_behind_a_scale_per_channel_is_that_of_the_whole_map(tmp_path: Path) -> None:
    model = ran(traced(SqueezeExcite().eval(), IMAGE), tmp_path, {"image": IMAGE_SHAPE})

    assert [operator.macs for operator in model.executed.operators] == [64 * 12, 16, 64 * 24]
