"""The inputs that int8 is calibrated on: those of a pack, made when they are needed."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench.bundle.evaluation_pack import EvaluationPack, read_pack
from bench.bundle.signature import Inputs, Tensor
from export.messages import Steps

_MOST_HELD = 8
_USUAL_INPUT_BYTES = 4 * 3 * 224 * 224


def _ignore(done: int, total: int) -> None:
    """Receive a step, and do nothing."""


@dataclass(frozen=True)
class CalibrationInputs:
    """The inputs of the first `count` samples of a pack."""

    pack: EvaluationPack | None
    """The samples; None for precisions that need none."""
    tensors: tuple[Tensor, ...]
    """The inputs of the source."""
    count: int
    """How many samples are used."""
    steps: Steps = _ignore
    """What receives how many of them have been read."""

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[Inputs]:
        return map(self.inputs, range(self.count))

    def inputs(self, index: int) -> Inputs:
        """Return the inputs of one inference."""
        assert self.pack is not None
        inputs = self.pack.inputs(index, self.tensors)
        self.steps(index + 1, self.count)
        return inputs

    def first(self, most: int) -> "CalibrationInputs":
        """Return at most this many of them, the first ones."""
        return replace(self, count=min(most, self.count))

    def batch(self, first: int, count: int) -> npt.NDArray[np.float32]:
        """Return the only input of several inferences in one batch, from sample `first` on."""
        last = min(first + count, self.count)
        return np.concatenate([self.inputs(index)[0] for index in range(first, last)])


NO_SAMPLES = CalibrationInputs(None, (), 0)


def calibration_inputs(
    pack: str | None, tensors: Sequence[Tensor], most: int, steps: Steps = _ignore
) -> CalibrationInputs:
    """Return the inputs of at most `most` samples of the pack in the file `pack`.

    `steps` receives how many have been read.
    """
    if pack is None:
        return CalibrationInputs(None, tuple(tensors), 0)
    samples = read_pack(Path(pack))
    return CalibrationInputs(samples, tuple(tensors), min(most, len(samples)), steps)


def held_at_once(count: int, inputs: Sequence[Tensor]) -> int:
    """Return of how many of `count` inferences all tensors are held in memory at once: it divides the count.

    They are fewer where inputs are larger than an image at 224x224.
    """
    size, most = sum(tensor.bytes_each for tensor in inputs), _MOST_HELD
    while most > 1 and most * size > _MOST_HELD * _USUAL_INPUT_BYTES:
        most //= 2
    return math.gcd(count, most)
