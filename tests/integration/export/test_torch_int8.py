"""int8 of networks that are no MobileNetV2, in every format, as their own runtimes run them."""

import copy
import importlib
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn

from bench.bundle.cpu_class import PORTABLE, TARGETS
from bench.bundle.evaluation_pack import EvaluationPack
from bench.bundle.input_preprocessing import Preprocess
from bench.bundle.recipe import Recipe
from bench.bundle.signature import Tensor as Described
from bench.bundle.variants import Precision
from bench.run_config import RunConfig
from bench.runtimes.formats import FORMATS
from bench.runtimes.installed import load_runtime, row_of
from bench.runtimes.protocol import LoadOptions
from bench.statistics.accuracy import sqnr_db
from bench.statistics.precision import share_of_macs
from export.calibration import CalibrationInputs
from export.exporter import ExportRequest
from export.networks import with_judged_output
from export.quantisation.correction import correct
from export.quantisation.equalisation import equalise
from export.quantisation.simulation import find_ranges
from export.sources.layered import layered_network
from export.sources.torch_network import exported

SHAPE = (1, 1, 16, 24)
IMAGES = 24
INPUTS = (Described(name="image", dtype="float32", shape=SHAPE),)
OUTPUTS = (
    Described(name="scores", dtype="float32", shape=(1, 3)),
    Described(name="tokens", dtype="float32", shape=(1, 24, 16)),
)


class Mixed(nn.Module):
    """Squeeze-and-excitation, a grouped convolution, a dense block and linear layers on tokens."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, 16, 3, stride=2, padding=1)
        self.reduce, self.expand = nn.Conv2d(16, 4, 1), nn.Conv2d(4, 16, 1)
        self.grouped = nn.Conv2d(16, 16, 3, padding=1, groups=4, bias=False)
        self.norm = nn.BatchNorm2d(32)
        self.dense = nn.Conv2d(32, 16, 3, stride=2, padding=1)
        self.first, self.second, self.head = nn.Linear(16, 32), nn.Linear(32, 16), nn.Linear(16, 3)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        value = F.hardswish(self.stem(image))
        scale = F.hardsigmoid(self.expand(F.relu(self.reduce(F.adaptive_avg_pool2d(value, 1)))))
        value = value * scale
        both = torch.cat([value, F.silu(self.grouped(value))], 1)
        value = self.dense(F.relu(self.norm(both)))
        tokens = value.flatten(2).transpose(1, 2)
        tokens = tokens + self.second(F.gelu(self.first(F.layer_norm(tokens, [16]))))
        return self.head(tokens.mean(1)), tokens


@cache
def network() -> fx.GraphModule:
    torch.manual_seed(3)
    made = Mixed().eval().requires_grad_(False)
    return layered_network(exported(made, (torch.zeros(SHAPE),), {}))


@cache
def pack() -> EvaluationPack:
    images = np.random.default_rng(0).integers(0, 256, (IMAGES, *SHAPE[2:]), dtype=np.uint8)
    preprocess = Preprocess(input_size=SHAPE[1:], resize="squash", mean=(0.5,), std=(0.5,), channels="grey")
    return EvaluationPack(images, None, np.zeros((IMAGES, 1), np.float32), preprocess)


@cache
def corrected() -> fx.GraphModule:
    """Return the network with both outputs, its weights rounded as a worker rounds them."""
    inputs = CalibrationInputs(pack(), INPUTS, IMAGES)
    images = torch.from_numpy(inputs.batch(0, IMAGES))
    equal = equalise(with_judged_output(network(), 0), [images])
    ranges = find_ranges(equal, [images])
    rounded = correct(equal, images, ranges, frozenset(), TARGETS[PORTABLE].weight_level)
    both = copy.deepcopy(network())
    both.load_state_dict(rounded.state_dict())
    return both


@pytest.mark.parametrize("name", ["onnx", "openvino", "torchscript"])
def test_int8_keeps_the_outputs_and_runs_four_fifths_of_the_work(name: str, tmp_path: Path) -> None:
    reference = [network()(torch.from_numpy(pack().inputs(index, INPUTS)[0])) for index in range(IMAGES)]
    made = importlib.import_module(FORMATS[name].exporter or "").export(
        ExportRequest(
            make_network=corrected,
            base=None,
            inputs=INPUTS,
            outputs=OUTPUTS,
            precision=Precision.INT8,
            calibration=CalibrationInputs(pack(), INPUTS, IMAGES),
            folder=tmp_path,
            recipe=Recipe(excluded_modules=()),
            cpu=PORTABLE,
        )
    )
    options = LoadOptions(
        RunConfig(threads=1, provider=row_of(name).provider), engine=made.engine, foreign_engine=True
    )
    session = load_runtime(name).load(made.entry, options)

    given = [session.infer(pack().inputs(index, INPUTS)) for index in range(IMAGES)]
    shares = share_of_macs(session.executed(pack().inputs(0, INPUTS)).operators)

    assert shares is not None
    assert shares["int8"] > 0.8
    for output, expected in zip(zip(*given, strict=True), zip(*reference, strict=True), strict=True):
        values = np.concatenate(output).reshape(IMAGES, -1)
        noise = sqnr_db(values, torch.cat(expected).numpy().reshape(IMAGES, -1))
        assert noise is not None
        assert noise > 20
