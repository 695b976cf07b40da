"""What ExecuTorch's exporter makes of a recipe: which layers stay in fp32, and what the weights are."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from making.executorch_files import IMAGES, export_tiny, request_of, tiny_network
from torch import fx, nn

from bench.bundle.recipe import RangeMethod, Recipe
from bench.bundle.variants import Precision
from bench.run_config import RunConfig
from bench.runtimes.installed import load_runtime
from bench.runtimes.protocol import LoadOptions
from export.quantisation.simulation import find_ranges

pytest.importorskip("torchao")

EXCLUDED = Recipe(corrected=False, excluded_modules=("stem",), ranges=RangeMethod.HISTOGRAM)

OPTIONS = LoadOptions(RunConfig(threads=1, provider="cpu"))


def precisions_of(entry: Path) -> list[str]:
    """Return in which precision each operator runs; the first of them is the stem."""
    session = load_runtime("executorch").load(entry, OPTIONS)
    inputs = request_of(Precision.INT8, entry.parent).calibration.inputs(0)
    return [operator.precision for operator in session.executed(inputs).operators]


def test_an_excluded_layer_is_the_only_one_that_stays_in_fp32(tmp_path: Path) -> None:
    exported = export_tiny(Precision.INT8, tmp_path, EXCLUDED)

    assert precisions_of(exported.entry) == ["fp32", "int8", "int8", "int8"]
    assert exported.excluded_modules == ("stem",)
    assert exported.method is not None
    assert "int8 weights of ±64 per channel, histogram ranges" in exported.method


def test_layers_that_the_graph_does_not_have_are_named() -> None:
    from export.executorch_in_int8 import RecipeQuantiser, UnknownLayersError

    quantiser = RecipeQuantiser(tiny_network(), EXCLUDED, 64)

    with pytest.raises(UnknownLayersError, match="left out, or renamed: add, first, head, second"):
        quantiser.annotate(fx.symbolic_trace(nn.Identity()))


def test_a_layer_whose_weights_half_precision_cannot_hold_stays_in_fp32(tmp_path: Path) -> None:
    from export.to_executorch import export

    network = tiny_network()
    weight = network.get_submodule("stem").weight
    assert isinstance(weight, torch.Tensor)
    weight.data[0, 0, 0, 0] = 70_000

    exported = export(request_of(Precision.FP16, tmp_path, network=network))

    assert precisions_of(exported.entry) == ["fp32", "fp16", "fp16", "fp16"]
    assert exported.excluded_modules == ("stem",)
    assert "1 layer stays in fp32" in exported.warnings[0]


def test_ranges_that_weights_were_corrected_for_need_no_images(tmp_path: Path) -> None:
    from export.to_executorch import export

    def scores(known: bool) -> tuple[np.ndarray, list[int]]:
        """Return the scores of a program, and which images its ranges were found on."""
        folder, read = tmp_path / f"{known}", []
        folder.mkdir()
        request = request_of(Precision.INT8, folder, Recipe())
        images = [torch.from_numpy(inputs[0]) for inputs in request.calibration]
        calibration = replace(request.calibration, steps=lambda done, _: read.append(done))
        ranges = find_ranges(request.network, images) if known else {}
        made = export(replace(request, calibration=calibration, find_ranges=lambda: ranges))
        session = load_runtime("executorch").load(made.entry, OPTIONS)
        return np.concatenate([session.infer([image.numpy()])[0] for image in images]), read

    expected, all_images = scores(known=False)
    found, one_image = scores(known=True)

    assert (one_image, len(all_images)) == ([1], IMAGES)
    np.testing.assert_array_equal(found, expected)


class Squeezing(nn.Module):
    """A layer whose output is pooled, and also scaled by what comes of the pool."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.stem = nn.Conv2d(3, 8, 3, stride=2)
        self.clip = nn.ReLU()
        self.squeeze = nn.Conv2d(8, 8, 1)
        self.head = nn.Linear(8, 3)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        stem = self.clip(self.stem(image))
        scale = torch.sigmoid(self.squeeze(stem.mean((2, 3), keepdim=True)))
        scores: torch.Tensor = self.head((stem * scale).mean((2, 3)))
        return scores


def test_a_value_that_int8_and_float_operators_read_is_given_to_both(tmp_path: Path) -> None:
    from export.to_executorch import export

    network = fx.symbolic_trace(Squeezing().eval())
    entry = export(request_of(Precision.INT8, tmp_path, network=network)).entry

    session = load_runtime("executorch").load(entry, OPTIONS)
    inputs = request_of(Precision.INT8, tmp_path).calibration.inputs(0)
    with torch.inference_mode():
        expected = network(torch.from_numpy(inputs[0])).numpy()
    assert abs(session.infer(inputs)[0] - expected).max() < 0.02
