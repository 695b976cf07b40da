"""What an exporter is to the worker. It knows no format; each `to_*.py` module is an Exporter."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from bench.bundle.cpu_class import PORTABLE, TARGETS
from bench.bundle.recipe import Recipe
from bench.bundle.variants import Precision

if TYPE_CHECKING:
    from torch import fx

INPUT = "image"
OUTPUT = "logits"
STEM = "model"
# Calibration images, at most, where ranges are found by histogram: 256 at 224x224 take a minute.
MOST_FOR_HISTOGRAMS = 64


@dataclass(frozen=True)
class ExportRequest:
    """One artifact to make in the empty `folder`.

    `network`: eval mode, batch norms folded, float32 [1, 3, image_size, image_size] in [0, 1] to logits. It
    is the same object for every precision of one worker, so that what they share can be made once.
    `calibration`: training images, uint8 [n, side, side] or [n, side, side, 3]; none but for int8.
    `recipe` tells an int8 exporter how to find ranges and what to leave in float; the network is corrected or
    refined already where the recipe says so, its weights on the int8 grid. `cpu`: what int8 is made for, see
    cpu_class.TARGETS.
    """

    network: "fx.GraphModule"
    image_size: int
    precision: Precision
    calibration: npt.NDArray[np.uint8]
    folder: Path
    recipe: Recipe
    cpu: str = PORTABLE

    @property
    def weight_level(self) -> int:
        """The largest absolute value that an int8 weight may have."""
        return TARGETS[self.cpu].weight_level


@dataclass(frozen=True)
class Exported:
    """What was made: `entry` is the file a runtime loads; for the rest see ArtifactRecord."""

    entry: Path
    producer: str
    opset: int | None = None
    engine: str | None = None
    method: str | None = None
    excluded_modules: tuple[str, ...] = ()


class Exporter(Protocol):
    """A module that makes artifacts of one format."""

    def export(self, request: ExportRequest) -> Exported:
        """Write the artifact; whatever cannot be done is raised."""
