"""Runs a source on the same images, prepared as stated and as each rival has it. It judges nothing."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from bench.bundle.input_preprocessing import Preprocess
from bench.bundle.source_record import OutputRecord
from export.data.images import LabelledImages
from export.data.samples import Samples
from export.preprocessing.judging import Answers, Values, answers_to
from export.preprocessing.rivals import Change, Rival, other_geometries, rivals_of

# Red and blue of a grey image differ by less, on average, whatever compressed it.
_COLOURED = 1.0

RunSamples = Callable[[Samples], Values]
"""Runs the source on samples: its judged output, float32 [samples, values]."""


@dataclass(frozen=True)
class MeasuredRival:
    """A rival with the answers to the images as it prepares them."""

    rival: Rival
    """The rival."""
    answers: Answers
    """How well the answers fit the labels."""


@dataclass(frozen=True)
class _Resized:
    """The images, resized in another way."""

    change: Change
    pixels: npt.NDArray[np.uint8]


class RivalMeasurement:
    """The images on which a preprocessing is checked."""

    def __init__(
        self, images: LabelledImages, indices: npt.NDArray[np.int64], preprocess: Preprocess
    ) -> None:
        """Read some of the images as they are stated to be prepared."""
        self._images, self._indices = images.images, [int(index) for index in indices]
        labels = None if images.labels is None else images.labels[indices]
        self.stated = Samples(self._images.read(self._indices, preprocess), labels, preprocess)
        self._preprocess = preprocess

    def measure(self, output: OutputRecord, run: RunSamples, dtype: str) -> tuple[MeasuredRival, ...]:
        """Run every rival that gives other inputs: other values, channels and ways to resize, apart and
        together, since with one of them wrong the others may tell nothing."""
        labels = self.stated.labels
        assert labels is not None

        def measure(rival: Rival, samples: Samples) -> MeasuredRival:
            answers = answers_to(run(replace(samples, preprocess=rival.preprocess)), labels, output)
            return MeasuredRival(rival, answers)

        rivals = rivals_of(self._preprocess, self._are_coloured(), dtype)
        resized = tuple(self._resized())
        measured = [measure(rival, self.stated) for rival in rivals]
        measured += [
            measure(rival.with_change(other.change), replace(self.stated, images=other.pixels))
            for rival in (Rival(self._preprocess, ()), *rivals)
            for other in resized
        ]
        return tuple(measured)

    def _resized(self) -> Iterator[_Resized]:
        """Yield the images resized in other ways, as far as that makes a difference."""
        seen = [self.stated.images]
        for change in other_geometries(self._preprocess):
            preprocess = self._preprocess.model_copy(update=dict(change.fields))
            pixels = self._images.read(self._indices, preprocess)
            if not any(np.array_equal(pixels, other) for other in seen if other is not None):
                seen.append(pixels)
                yield _Resized(change, pixels)

    def _are_coloured(self) -> bool:
        """Whether red and blue differ in some image."""
        pixels = self.stated.images
        if pixels is None or pixels.ndim == 3:
            return False
        differences = np.abs(pixels[..., 0].astype(np.int16) - pixels[..., 2]).mean(axis=(1, 2))
        return bool(differences.max() > _COLOURED)
