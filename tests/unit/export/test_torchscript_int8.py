"""int8 TorchScript of networks whose values lie far apart, as each of torch's engines runs it."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, fx, nn
from torch.nn import functional as F

from bench.bundle.evaluation_pack import EvaluationPack
from bench.bundle.recipe import RangeMethod, Recipe
from bench.bundle.signature import Tensor as Described
from bench.bundle.variants import Precision
from bench.runtimes.quantised_engines import ENGINES
from bench.statistics.accuracy import sqnr_db
from export import to_torchscript
from export.calibration import CalibrationInputs
from export.exporter import ExportRequest
from export.torchscript_ranges import Sum, widened

SIDE, CHANNELS, IMAGES = 12, 8, 16
INPUTS = (Described(name="image", dtype="float32", shape=(1, 3, SIDE, SIDE)),)
PACK = EvaluationPack(
    np.random.default_rng(0).integers(0, 256, (IMAGES, SIDE, SIDE, 3), dtype=np.uint8),
    None,
    np.zeros((IMAGES, 1), np.float32),
)


ENGINES_HERE = sorted(set(ENGINES) & set(torch.backends.quantized.supported_engines))


class Residual(nn.Module):
    """A sum of a layer's input, and of its output times `scale`."""

    def __init__(self, scale: float, shift: float = 0.0) -> None:
        super().__init__()
        self.stem, self.branch = nn.Conv2d(3, CHANNELS, 3), nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1)
        self.last = nn.Conv2d(CHANNELS, 4, 1)
        self.relu = nn.ReLU()
        with torch.no_grad():
            self.branch.weight.mul_(scale)
            self.branch.bias.mul_(scale).add_(shift)  # type: ignore[union-attr]

    def forward(self, images: Tensor) -> Tensor:
        value = self.relu(self.stem(images))
        summed: Tensor = self.last(self.relu(value + self.branch(value)))
        return summed.flatten(1)


class Dense(nn.Module):
    """Two layers whose outputs lie far apart, joined, normalised and read by a third."""

    def __init__(self) -> None:
        super().__init__()
        self.small, self.large = nn.Conv2d(3, CHANNELS, 3), nn.Conv2d(3, CHANNELS, 3)
        self.relu, self.last = nn.ReLU(), nn.Conv2d(2 * CHANNELS, 4, 1)
        self.deviation = torch.tensor([1.0] * CHANNELS + [300.0] * CHANNELS)
        with torch.no_grad():
            self.large.weight.mul_(300)

    def forward(self, images: Tensor) -> Tensor:
        both = torch.cat([self.small(images), self.large(images)], 1)
        both = F.batch_norm(both, 0 * self.deviation, self.deviation**2)
        logits: Tensor = self.last(self.relu(both))
        return logits.flatten(1)


class Shifted(nn.Module):
    """A batch norm that makes most values negative, and a ReLU after it."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.last = nn.Conv2d(3, 2 * CHANNELS, 3), nn.Conv2d(2 * CHANNELS, 4, 1)
        self.relu, self.mean = nn.ReLU(), torch.tensor([50.0, 0.0] * CHANNELS)

    def forward(self, images: Tensor) -> Tensor:
        value = F.batch_norm(F.tanh(self.stem(images)), self.mean, torch.ones_like(self.mean))
        logits: Tensor = self.last(self.relu(value))
        return logits.flatten(1)


class Pooled(nn.Module):
    """A layer that reads means of values of which few are large, as squeeze-and-excitation does."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.pool = nn.Conv2d(3, CHANNELS, 3), nn.AdaptiveAvgPool2d(1)
        self.squeeze = nn.Conv2d(CHANNELS, 4, 1)
        with torch.no_grad():
            self.stem.weight.mul_(20)
            self.stem.bias.sub_(20)  # type: ignore[union-attr]

    def forward(self, images: Tensor) -> Tensor:
        value = nn.functional.hardswish(self.stem(images))
        logits: Tensor = self.squeeze(self.pool(value))
        return logits.flatten(1)


class Shuffled(nn.Module):
    """Channels of two layers shuffled and split, as ShuffleNet does, of which one half is passed on."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, CHANNELS, 3)
        self.layers = nn.ModuleList(nn.Conv2d(CHANNELS, CHANNELS, 1) for _ in range(4))
        self.relu = nn.ReLU()

    def forward(self, images: Tensor) -> Tensor:
        passed = value = self.relu(self.stem(images))
        for layer in self.layers:
            both = torch.cat([passed, 3 * self.relu(layer(value))], 1)
            both = both.reshape(-1, 2, CHANNELS, SIDE - 2, SIDE - 2).transpose(1, 2).flatten(1, 2)
            passed, value = both.chunk(2, dim=1)
        logits: Tensor = passed.flatten(1)
        return logits


def quantised(network: nn.Module, folder: Path, recipe: Recipe) -> tuple[fx.GraphModule, Path]:
    """Return a network's graph, and its int8 file."""
    traced = fx.symbolic_trace(network.eval()).requires_grad_(False)
    request = ExportRequest(
        make_network=lambda: traced,
        base=None,
        inputs=INPUTS,
        outputs=(),
        precision=Precision.INT8,
        calibration=CalibrationInputs(PACK, INPUTS, IMAGES),
        folder=folder,
        recipe=recipe,
    )
    return traced, to_torchscript.export(request).entry


def run(entry: Path, engine: str) -> Tensor:
    torch.backends.quantized.engine = engine
    module = torch.jit.freeze(torch.jit.load(str(entry)).eval())  # type: ignore[no-untyped-call]
    with torch.inference_mode():
        return torch.cat([module(torch.from_numpy(PACK.inputs(index, INPUTS)[0])) for index in range(IMAGES)])


def signals(network: nn.Module, folder: Path, ranges: RangeMethod = RangeMethod.MIN_MAX) -> list[float]:
    """Return the signal to quantisation noise ratio of a network's int8 file with each engine."""
    traced, entry = quantised(network, folder, Recipe(ranges=ranges))
    images = torch.cat([torch.from_numpy(PACK.inputs(index, INPUTS)[0]) for index in range(IMAGES)])
    found = [sqnr_db(run(entry, engine).numpy(), traced(images).numpy()) for engine in ENGINES_HERE]
    return [value for value in found if value is not None]


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(5)


@pytest.mark.parametrize("ranges", list(RangeMethod))
@pytest.mark.parametrize("scale", [0.0, 1e-9, 1e4])
def test_every_engine_adds_tensors_of_any_scale(scale: float, ranges: RangeMethod, tmp_path: Path) -> None:
    assert min(signals(Residual(scale), tmp_path, ranges)) > 25


def test_every_engine_adds_where_relu_leaves_nothing_of_a_sum(tmp_path: Path) -> None:
    traced, entry = quantised(Residual(1.0, -100.0), tmp_path, Recipe())
    expected = traced(torch.zeros(1, 3, SIDE, SIDE))

    for engine in ENGINES_HERE:
        assert float((run(entry, engine) - expected).abs().max()) < 0.01


@pytest.mark.parametrize("make", [Dense, Shifted])
def test_each_tensor_that_a_layer_reads_has_a_range_of_its_own(
    make: Callable[[], nn.Module], tmp_path: Path
) -> None:
    assert min(signals(make(), tmp_path)) > 30


def test_only_what_a_layer_reads_is_rounded_where_channels_are_shuffled(tmp_path: Path) -> None:
    _, entry = quantised(Shuffled(), tmp_path, Recipe())
    graph = torch.jit.load(str(entry)).inlined_graph  # type: ignore[no-untyped-call]

    kinds = [node.kind() for node in graph.nodes()]

    assert kinds.count("aten::quantize_per_tensor") == 4  # the image, and what three layers read


def test_the_mean_of_an_image_is_computed_in_fp32(tmp_path: Path) -> None:
    _, entry = quantised(Pooled(), tmp_path, Recipe())
    graph = torch.jit.load(str(entry)).inlined_graph  # type: ignore[no-untyped-call]

    (pooling,) = (node for node in graph.nodes() if node.kind() == "aten::adaptive_avg_pool2d")

    assert next(pooling.inputs()).node().kind() == "aten::dequantize"


def test_a_scale_grows_only_so_far_that_qnnpack_adds() -> None:
    sums = [Sum(("a", "b"), "c"), Sum(("c", "d"), "e")]

    assert widened({"a": 1.0, "b": 0.5, "c": 1.2, "d": 3.0, "e": 2.0}, sums) == {
        "a": 1.0,
        "b": 0.5,
        "c": 1.2,
        "d": 3.0,
        "e": 2.0,
    }
    assert widened({"a": 1.0, "b": 1e-9, "c": 1e-9, "d": 1.0, "e": 1.0}, sums) == {
        "a": 1.0,
        "b": 2.0**-21,
        "c": 2.0**-7,
        "d": 1.0,
        "e": 1.0,
    }
    assert widened({"a": 1.0, "b": 1.0, "c": 1.0, "d": 1.0, "e": 2.0**20}, sums)["c"] == 2.0**6
