"""LiteRT files: one conversion for all weights of a network, and files of one's own."""

import copy
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("litert_torch")

import torch
from torch import fx, nn

from bench.bundle.recipe import Recipe
from bench.bundle.signature import Tensor
from bench.bundle.variants import Precision
from bench.run_config import RunConfig
from bench.runtimes.protocol import LoadOptions
from bench.runtimes.run_litert import describe, load
from export import to_litert
from export.calibration import calibration_inputs
from export.exporter import ExportRequest
from export.sources.folding import fold_batch_norms
from export.sources.tflite_file import TfliteFileSource

INPUTS = (Tensor(name="image", dtype="float32", shape=(1, 3, 16, 16)),)
OUTPUTS = (Tensor(name="logits", dtype="float32", shape=(1, 3)),)


class Twice(nn.Module):
    """A convolution that runs twice, one before a hard sigmoid, a depthwise one and a linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, stride=2, padding=1)
        self.again = nn.Conv2d(8, 8, 1)
        self.depthwise = nn.Conv2d(8, 8, 3, padding=1, groups=8)
        self.gate = nn.Conv2d(8, 8, 1)
        self.head = nn.Linear(8, 3)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        values = torch.relu(self.stem(images))
        values = torch.relu(self.again(torch.relu(self.again(values))))
        values = values * torch.nn.functional.hardsigmoid(self.gate(values))
        logits: torch.Tensor = self.head(torch.relu(self.depthwise(values)).mean(dim=(2, 3)))
        return logits


def network(seed: int) -> fx.GraphModule:
    torch.manual_seed(seed)
    return fold_batch_norms(Twice().eval())


def fp32(made: fx.GraphModule, folder: Path) -> Path:
    folder.mkdir()
    request = ExportRequest(
        make_network=lambda: copy.deepcopy(made),
        base=None,
        inputs=INPUTS,
        outputs=OUTPUTS,
        precision=Precision.FP32,
        calibration=calibration_inputs(None, INPUTS, 0),
        folder=folder,
        recipe=Recipe(),
    )
    return to_litert.export(request).entry


def largest_difference(entry: Path, made: fx.GraphModule) -> float:
    image = np.random.default_rng(0).random((1, 3, 16, 16), dtype=np.float32)
    answer = load(entry, LoadOptions(RunConfig(threads=1, provider="cpu"))).infer([image])[0]
    with torch.inference_mode():
        return float(np.abs(answer - made(torch.from_numpy(image)).numpy()).max())


def test_a_network_with_other_weights_is_not_converted_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = network(1), network(2)
    entries = [fp32(first, tmp_path / "first")]
    monkeypatch.setattr(to_litert, "_convert", lambda *_: pytest.fail("it must be converted once"))
    entries.append(fp32(second, tmp_path / "second"))

    assert largest_difference(entries[0], first) < 1e-4
    assert largest_difference(entries[1], second) < 1e-4
    assert largest_difference(entries[0], second) > 1e-3


def test_a_file_of_ones_own_is_taken_with_names_for_its_layers(tmp_path: Path) -> None:
    entry = fp32(network(3), tmp_path / "made")

    base = TfliteFileSource(entry, describe(entry).signature.inputs).base()

    assert b"depthwise" in base.content
    assert str(tmp_path).encode() not in base.content
