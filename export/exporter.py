"""What an exporter is to the worker, and what all exporters share. It knows no format.

Each `to_*.py` module is an Exporter.
"""

import importlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from bench.bundle.cpu_class import PORTABLE, TARGETS
from bench.bundle.recipe import RangeMethod, Recipe
from bench.bundle.signature import Tensor
from bench.bundle.variants import Precision
from export.calibration import NO_SAMPLES, CalibrationInputs
from export.half_precision import Halving
from export.sources.source import Base

if TYPE_CHECKING:
    from torch import fx

    from export.quantisation.simulation import Range


def _no_ranges() -> "Mapping[str, Range]":
    return {}


STEM = "model"
# The most calibration images where ranges are found by histogram: 256 images of 224x224 take a minute.
MOST_FOR_HISTOGRAMS = 64
_FEWEST_ELEMENTS = 4096
HALF_METHOD = (
    f"dense weights of {_FEWEST_ELEMENTS} elements and more stored in half precision, "
    "depthwise weights and all others in float; computed in float"
)


@dataclass(frozen=True)
class ExportRequest:
    """One artifact to make."""

    make_network: "Callable[[], fx.GraphModule]"
    """Makes `network`."""
    base: Base | None
    """What the artifact is made from where the source is a file of another format; None: from `network`. Its
    weights are those of the file: an int8 artifact takes those of `network`."""
    inputs: tuple[Tensor, ...]
    """The inputs of one inference, with fixed shapes."""
    outputs: tuple[Tensor, ...]
    """The outputs."""
    precision: Precision
    """The precision to export."""
    calibration: CalibrationInputs
    """The inputs that ranges are found on; empty unless the precision is int8."""
    folder: Path
    """The empty folder that the artifact is written into."""
    recipe: Recipe
    """For int8: how ranges are found and which modules are kept in fp32."""
    cpu: str = PORTABLE
    """For int8: the CPUs that the artifact is made for, a key of cpu_class.TARGETS."""
    samples: CalibrationInputs = NO_SAMPLES
    """Some of the source's inputs, for an exporter that has to see values: the calibration samples."""
    find_ranges: "Callable[[], Mapping[str, Range]]" = _no_ranges
    """Finds `ranges`."""
    make_float_network: "Callable[[], fx.GraphModule] | None" = None
    """Makes the network that `network` was before its weights were corrected: nothing else of it changes, so
    that an exporter can convert one graph for all recipes. None: `network`."""

    @cached_property
    def network(self) -> "fx.GraphModule":
        """The network, batch norms folded, in eval mode: float32 inputs to the outputs.

        All float artifacts of one worker are given the same object, so that an exporter can make what they
        share once. Where the recipe says so, its weights are corrected and trained already, and lie on the
        int8 grid.
        """
        return self.make_network()

    @cached_property
    def float_network(self) -> "fx.GraphModule":
        """The network before its weights were corrected: the same object for all artifacts of one worker."""
        return self.network if self.make_float_network is None else self.make_float_network()

    @cached_property
    def ranges(self) -> "Mapping[str, Range]":
        """The ranges that the weights of `network` were corrected for, by the names of its nodes.

        They are none where weights were not corrected, and where the recipe finds ranges by histograms.
        """
        is_for_them = self.recipe.corrected and self.recipe.ranges is RangeMethod.MIN_MAX
        return self.find_ranges() if is_for_them else {}

    @property
    def weight_level(self) -> int:
        """The largest absolute value that an int8 weight may have."""
        return TARGETS[self.cpu].weight_level


@dataclass(frozen=True)
class Exported:
    """An artifact that was made. ArtifactRecord explains the fields that have the same name there."""

    entry: Path
    """The file that a runtime loads."""
    producer: str
    opset: int | None = None
    engine: str | None = None
    method: str | None = None
    excluded_modules: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def with_layers_in_fp32(exported: Exported, halving: Halving) -> Exported:
    """Note which layers of an fp16 artifact stay in fp32; raises NothingInHalfError if all of them do."""
    in_fp32 = halving.in_fp32
    return replace(exported, excluded_modules=in_fp32, warnings=(halving.sentence,)) if in_fp32 else exported


@runtime_checkable
class Exporter(Protocol):
    """A module that makes artifacts of one format."""

    def export(self, request: ExportRequest) -> Exported:
        """Write the artifact. Any exception means that it cannot be made."""


def import_exporter(module: str) -> Exporter:
    """Import an exporter's module; raises TypeError if the module is no exporter."""
    exporter: object = importlib.import_module(module)
    if not isinstance(exporter, Exporter):
        raise TypeError(f"{module} is not an exporter: it must define the function export(request)")
    return exporter


def is_stored_in_half(shape: Sequence[int]) -> bool:
    """Tell whether an fp16 artifact stores a weight [out, in, …] in half precision: one rule for all formats.

    Depthwise weights have `in` = 1 in every format. On a CPU without half-precision arithmetic, fp16 can only
    mean that weights are stored in half precision and computed in float. Rounding all of them loses accuracy
    for nothing: depthwise weights, the first few layers and biases are 4 % of a MobileNetV2's bytes and cause
    nearly all of the error. With ImageNet weights fine-tuned on PneumoniaMNIST at 96x96 (two networks),
    keeping them in float raised the SQNR from 44 and 35 dB to 60 and 62 dB, and no image of 624 changed its
    class any more (before: 3 and 1). The file has 0.52 of the fp32 bytes instead of 0.50.
    """
    return len(shape) >= 2 and shape[1] > 1 and prod(shape) >= _FEWEST_ELEMENTS


def pools_an_image(axes: Iterable[int]) -> bool:
    """Tell whether a mean over these axes pools the pixels of [n, channels, height, width]: one rule for all
    formats, since int8 holds such means.

    It does not hold others: exporters before ONNX's operator set 17 write a layer norm's variance as a mean.
    Rounding it to 8 bits changed 7 % of a small vision transformer's predictions (timm's test_vit in
    onnxruntime, 300 images of PneumoniaMNIST).
    """
    return sorted(axes) in ([2, 3], [-2, -1])
