"""What LiteRT's exporter makes of layers in int8: what pads, what moves, and the last layer."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

pytest.importorskip("litert_torch")

import torch
from torch import fx, nn

from bench.bundle.evaluation_pack import EvaluationPack
from bench.bundle.recipe import Recipe
from bench.bundle.signature import Tensor, image_input
from bench.bundle.variants import Precision
from bench.run_config import RunConfig
from bench.runtimes.protocol import LoadOptions
from bench.runtimes.run_litert import load
from bench.statistics.accuracy import sqnr_db
from export.calibration import CalibrationInputs
from export.exporter import ExportRequest
from export.quantisation.simulation import Range
from export.tflite_model import TfliteModel, read_tflite
from export.to_litert import export

SIDE, IMAGES = 16, 8
INPUTS = (image_input(SIDE),)
PACK = EvaluationPack(
    np.random.default_rng(0).integers(0, 128, (IMAGES, SIDE, SIDE), dtype=np.uint8),
    np.zeros(IMAGES, dtype=np.int64),
    np.zeros((IMAGES, 3), dtype=np.float32),
)


class Pooled(nn.Module):
    """As a ResNet begins: the borders of what is pooled are padded with infinite values."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.stem = nn.Conv2d(3, 8, 3, stride=2, padding=1)
        self.pool = nn.MaxPool2d(3, stride=2, padding=1)
        self.layer = nn.Conv2d(8, 8, 1)
        self.head = nn.Linear(8, 3)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        pooled = self.pool(torch.relu(self.stem(images * 4 - 1)))
        logits: torch.Tensor = self.head(torch.relu(self.layer(pooled)).mean(dim=(2, 3)))
        return logits


def int8(
    folder: Path, excluded: tuple[str, ...] = (), ranges: Mapping[str, Range] | None = None
) -> tuple[Path, nn.Module]:
    """Return the int8 file of a network, and the network."""
    network = fx.symbolic_trace(Pooled().eval()).requires_grad_(False)
    folder.mkdir()
    request = ExportRequest(
        make_network=lambda: network,
        base=None,
        inputs=INPUTS,
        outputs=(Tensor(name="logits", dtype="float32", shape=(1, 3)),),
        precision=Precision.INT8,
        calibration=CalibrationInputs(PACK, INPUTS, IMAGES),
        folder=folder,
        recipe=Recipe(corrected=ranges is not None, excluded_modules=excluded),
        find_ranges=lambda: ranges or {},
    )
    return export(request).entry, network


def logits(entry: Path, images: list[npt.NDArray[np.float32]], exact: bool) -> npt.NDArray[np.float32]:
    session = load(entry, LoadOptions(RunConfig(threads=1, provider="cpu"), exact=exact))
    return np.concatenate([session.infer([image])[0] for image in images])


def seen() -> list[npt.NDArray[np.float32]]:
    return [PACK.inputs(index, INPUTS)[0] for index in range(IMAGES)]


def model_of(entry: Path) -> TfliteModel:
    return read_tflite(entry.read_bytes())


@pytest.mark.parametrize("excluded", [(), ("stem",)])
def test_what_pads_a_pool_is_in_int8_so_that_all_kernels_agree(
    excluded: tuple[str, ...], tmp_path: Path
) -> None:
    entry, network = int8(tmp_path / "made", excluded)
    expected = np.concatenate([network(torch.from_numpy(image)).numpy() for image in seen()])

    for exact in (False, True):  # XNNPACK's kernels, and LiteRT's own
        noise = sqnr_db(logits(entry, seen(), exact), expected)
        assert noise is not None
        assert noise > 25


def test_scores_beyond_those_of_calibration_are_not_clipped(tmp_path: Path) -> None:
    entry, network = int8(tmp_path / "made")
    brighter = [np.full((1, 3, SIDE, SIDE), 0.5, np.float32)]
    expected = network(torch.from_numpy(brighter[0])).numpy()

    model = model_of(entry)
    last = next(position for position in model.layers() if model.kind(position) == "FULLY_CONNECTED")
    assert model.weight(last).dtype == np.int8
    assert model.bias(last).dtype == np.float32  # type: ignore[union-attr]
    assert np.abs(logits(entry, brighter, exact=False) - expected).max() < 0.1 * np.abs(expected).max()


def test_values_between_two_layers_in_float_are_moved_in_float(tmp_path: Path) -> None:
    entry, _ = int8(tmp_path / "made", ("stem",))

    model = model_of(entry)
    kinds = [model.kind(position) for position in range(len(model))]
    assert "TRANSPOSE" in kinds
    assert kinds.count("QUANTIZE") == 1  # behind the stem, and not before it
    assert kinds.index("QUANTIZE") > kinds.index("CONV_2D")


def test_ranges_that_weights_were_corrected_for_are_taken(tmp_path: Path) -> None:
    entry, _ = int8(tmp_path / "made", ranges={"stem": Range(0.0, 51.0)})

    model = model_of(entry)
    stem = next(model.layers())
    assert model.tensor(model.outputs(stem)[0]).quantization.scale[0] == pytest.approx(0.2)
