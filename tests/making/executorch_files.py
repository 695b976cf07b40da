"""Tiny ExecuTorch programs, as edgefit exports them: one convolution, a sum, a pool and a linear layer.

`python -m making.executorch_files FOLDER` writes those of tests/data/executorch anew.
"""

import sys
from pathlib import Path

import numpy as np
import torch
from torch import fx, nn

from bench.bundle.evaluation_pack import EvaluationPack
from bench.bundle.recipe import Recipe
from bench.bundle.signature import Tensor, image_input
from bench.bundle.variants import Precision
from export.calibration import CalibrationInputs
from export.exporter import Exported, ExportRequest

SIDE = 16
IMAGES = 12
# 8×8 outputs of a 3×3 convolution of 3 channels, twice that of 1×1 of 8 channels, and the linear layer.
MACS = 8 * 8 * 8 * 27 + 2 * 8 * 8 * 8 * 8 + 8 * 3
PARAMETERS = 8 * 27 + 8 + 2 * (8 * 8 + 8) + 8 * 3 + 3


class TinyResidual(nn.Module):
    """What a network for images has: strides, ReLU6, a sum, a pool and scores."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.stem = nn.Conv2d(3, 8, 3, stride=2, padding=1)
        self.clip = nn.ReLU6()
        self.first = nn.Conv2d(8, 8, 1)
        self.second = nn.Conv2d(8, 8, 1)
        self.head = nn.Linear(8, 3)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        stem = self.clip(self.stem(image))
        both = self.first(stem) + self.second(stem)
        scores: torch.Tensor = self.head(both.mean(dim=(2, 3)))
        return scores


def images() -> np.ndarray:
    """The images of the calibration, uint8 [n, side, side]."""
    return np.random.default_rng(0).integers(0, 256, (IMAGES, SIDE, SIDE), dtype=np.uint8)


def tiny_network() -> fx.GraphModule:
    return fx.symbolic_trace(TinyResidual().eval())


def request_of(
    precision: Precision, folder: Path, recipe: Recipe | None = None, network: fx.GraphModule | None = None
) -> ExportRequest:
    source = tiny_network() if network is None else network
    pack = EvaluationPack(images(), np.zeros(IMAGES, dtype=np.int64), np.zeros((IMAGES, 3), dtype=np.float32))
    inputs = (image_input(SIDE),)
    return ExportRequest(
        make_network=lambda: source,
        base=None,
        inputs=inputs,
        outputs=(Tensor(name="scores", dtype="float32", shape=(1, 3)),),
        precision=precision,
        calibration=CalibrationInputs(pack, inputs, IMAGES if precision is Precision.INT8 else 0),
        folder=folder,
        recipe=recipe or Recipe(corrected=False),
    )


def export_tiny(precision: Precision, folder: Path, recipe: Recipe | None = None) -> Exported:
    from export.to_executorch import export

    folder.mkdir(parents=True, exist_ok=True)
    return export(request_of(precision, folder, recipe))


def _write(folder: Path) -> None:
    for precision in Precision:
        export_tiny(precision, folder / precision.value).entry.rename(folder / f"{precision.value}.pte")


if __name__ == "__main__":
    _write(Path(sys.argv[1]))
