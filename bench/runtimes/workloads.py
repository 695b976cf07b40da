"""The fixed workloads that calibration measures: one operator each, as ONNX files. It runs nothing."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bench.bundle.signature import Tensor, image_input

IMAGE_SIZE = 32
_FOLDER = Path(__file__).with_name("workloads")


@dataclass(frozen=True)
class Workload:
    """An operator `repeats` times over, on a tensor of `shape` with weights of shape `weight`.

    A convolution is pointwise, as in most of a mobile network, and because no algorithm makes it smaller.
    """

    operation: Literal["convolution", "matrix"]
    precision: Literal["fp32", "int8"]
    shape: tuple[int, ...]
    weight: tuple[int, ...]
    repeats: int

    @property
    def name(self) -> str:
        """Its name."""
        return f"{self.operation}-{self.precision}"

    @property
    def inputs(self) -> tuple[Tensor, ...]:
        """What the file takes: an image, which is repeated to `shape`."""
        return (image_input(IMAGE_SIZE),)

    @property
    def file(self) -> Path:
        """The ONNX file."""
        return _FOLDER / f"{self.name}.onnx"

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one inference."""
        columns = math.prod(self.shape) // (
            self.shape[1] if self.operation == "convolution" else self.shape[-1]
        )
        return self.repeats * columns * math.prod(self.weight)


_CONVOLUTION = ((1, 128, 56, 56), (128, 128, 1, 1), 4)
_MATRIX = ((512, 512), (512, 512), 2)
WORKLOADS = (
    Workload("convolution", "fp32", *_CONVOLUTION),
    Workload("convolution", "int8", *_CONVOLUTION),
    Workload("matrix", "fp32", *_MATRIX),
    Workload("matrix", "int8", *_MATRIX),
)
