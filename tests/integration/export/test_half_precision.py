"""fp16 artifacts of networks whose weights or values half precision cannot hold, in every format."""

import copy
import importlib
from pathlib import Path

import numpy as np
import pytest
import torch
from making.installed_formats import EXPORTED
from torch import fx, nn

from bench.bundle.evaluation_pack import EvaluationPack
from bench.bundle.recipe import Recipe
from bench.bundle.signature import Tensor, image_input
from bench.bundle.variants import Precision
from bench.run_config import RunConfig
from bench.runtimes.formats import FORMATS
from bench.runtimes.installed import load_runtime, row_of
from bench.runtimes.protocol import LoadOptions
from bench.statistics.accuracy import sqnr_db
from export.calibration import CalibrationInputs, calibration_inputs
from export.exporter import Exported, ExportRequest
from export.half_precision import NothingInHalfError
from export.sources.folding import fold_batch_norms

INPUTS = (image_input(8),)
PACK = EvaluationPack(
    np.random.default_rng(0).integers(0, 256, (4, 8, 8), dtype=np.uint8),
    np.zeros(4, dtype=np.int64),
    np.zeros((4, 3), dtype=np.float32),
)
OUTPUTS = (Tensor(name="logits", dtype="float32", shape=(1, 3)),)
STORED = [name for name in EXPORTED if name != "executorch"]
"""The formats that store large weights in half. ExecuTorch stores and computes all layers so."""
IN_HALF = ("executorch",)
"""The formats whose fp16 artifacts are computed in half on every CPU."""
LEAST_DB = dict.fromkeys(IN_HALF, 40)
NAMES = {"ncnn": ("convrelu_1", "convrelu_2", "convrelu_3")}
"""What a format calls the three layers, where it is not as the network does: pnnx fuses and names them."""
CHANNELS = 80  # 80 × 80 weights are more than the fewest that are stored in half


class Chain(nn.Module):
    """A stem and three pointwise convolutions with ReLU between them."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, CHANNELS, 3)
        self.first = nn.Conv2d(CHANNELS, CHANNELS, 1)
        self.second = nn.Conv2d(CHANNELS, CHANNELS, 1)
        self.third = nn.Conv2d(CHANNELS, CHANNELS, 1)
        self.head = nn.Linear(CHANNELS, 3)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        values = torch.relu(self.stem(images))
        for layer in (self.first, self.second, self.third):
            values = torch.relu(layer(values))
        logits: torch.Tensor = self.head(values.mean(dim=(2, 3)))
        return logits


@torch.no_grad()
def network(factor: float) -> fx.GraphModule:
    """Return the same function for every factor: ReLU passes it on, and the next layer divides by it."""
    torch.manual_seed(0)
    folded = fold_batch_norms(Chain().eval())
    folded.get_parameter("first.weight").mul_(factor)
    folded.get_parameter("first.bias").mul_(factor)
    folded.get_parameter("second.weight").div_(factor)
    return folded


def exported(name: str, network: fx.GraphModule, folder: Path) -> Exported:
    request = ExportRequest(
        make_network=lambda: copy.deepcopy(network),
        base=None,
        inputs=INPUTS,
        outputs=OUTPUTS,
        precision=Precision.FP16,
        calibration=calibration_inputs(None, INPUTS, 0),
        folder=folder,
        recipe=Recipe(),
        samples=CalibrationInputs(PACK, INPUTS, len(PACK)),
    )
    made: Exported = importlib.import_module(FORMATS[name].exporter or "").export(request)
    return made


def sqnr_of(name: str, made: Exported, network: fx.GraphModule) -> float:
    options = LoadOptions(RunConfig(threads=1, provider=row_of(name).provider), precision=Precision.FP16)
    session = load_runtime(name).load(made.entry, options)
    images = np.random.default_rng(0).random((8, 1, 3, 8, 8)).astype(np.float32)
    values = np.concatenate([session.infer([image])[0] for image in images])
    session.close()
    with torch.inference_mode():
        reference = network(torch.from_numpy(np.concatenate(list(images)))).numpy()
    ratio = sqnr_db(values, reference)
    return np.inf if ratio is None else ratio


def names_in(name: str) -> tuple[str, ...]:
    return NAMES.get(name, ("first", "second", "third"))


@pytest.mark.parametrize("name", EXPORTED)
@pytest.mark.parametrize("factor", [1e8, 1e-8])
def test_layers_that_half_cannot_hold_stay_in_fp32(name: str, factor: float, tmp_path: Path) -> None:
    scaled = network(factor)

    made = exported(name, scaled, tmp_path)

    assert tuple(sorted(made.excluded_modules)) == names_in(name)[:2]
    (sentence,) = made.warnings
    assert sentence.startswith(
        "2 layers stay in fp32: weights beyond 65504, which half precision cannot hold, in "
    )
    assert sqnr_of(name, made, scaled) > LEAST_DB.get(name, 50)


@torch.no_grad()
def large_valued() -> fx.GraphModule:
    """Return a network whose weights half precision holds, and whose values it does not."""
    scaled = network(1.0)
    for layer, factor in (("stem", 512), ("first", 512), ("second", 1 / 512), ("third", 1 / 512)):
        scaled.get_parameter(f"{layer}.weight").mul_(factor)
    for layer, factor in (("stem", 512), ("first", 512**2), ("second", 512)):
        scaled.get_parameter(f"{layer}.bias").mul_(factor)
    return scaled


@pytest.mark.parametrize("name", EXPORTED)
def test_values_that_half_cannot_hold_are_computed_in_fp32(name: str, tmp_path: Path) -> None:
    large = large_valued()

    made = exported(name, large, tmp_path)

    if name in IN_HALF:
        assert made.excluded_modules == ("first", "second")
        (sentence,) = made.warnings
        assert sentence == (
            "2 layers stay in fp32: values near 65504 or beyond, which half precision cannot hold, in first, "
            "second"
        )
    assert sqnr_of(name, made, large) > LEAST_DB.get(name, 50)


@pytest.mark.parametrize("name", EXPORTED)
def test_an_ordinary_network_keeps_no_layer_in_fp32(name: str, tmp_path: Path) -> None:
    made = exported(name, network(1.0), tmp_path)

    assert made.excluded_modules == ()
    assert made.warnings == ()


@pytest.mark.parametrize("name", STORED)
@torch.no_grad()
def test_an_artifact_without_half_weights_is_refused(name: str, tmp_path: Path) -> None:
    large = network(1.0)
    for layer in ("first", "second", "third"):
        large.get_parameter(f"{layer}.weight").mul_(1e8)

    with pytest.raises(NothingInHalfError, match=f"no layer is left .* in {', '.join(names_in(name))}"):
        exported(name, large, tmp_path)
