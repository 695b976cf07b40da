"""Images that can be read in any size and by any preprocessing. It knows no kind of data."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from bench.bundle.evaluation_pack import Labels
from bench.bundle.input_preprocessing import Preprocess
from user_files.bits_in_use import BitsInUse


class ReadableImages(Protocol):
    """Images of one data set, which are read when their preprocessing is known."""

    def __len__(self) -> int:
        """Return how many there are."""

    def read(self, indices: Sequence[int], preprocess: Preprocess) -> npt.NDArray[np.uint8]:
        """Return some of the images at network size: uint8 [n, height, width] for a network that takes grey,
        else [n, height, width, 3] in RGB, whatever the network's order is.

        Raises InputError that names the image if it cannot be read.
        """

    def survey(self, indices: Sequence[int]) -> BitsInUse:
        """Return which value is white in those of some images that have 16 bits."""

    def sources_sha256(self, indices: Sequence[int]) -> str:
        """Return the SHA-256 of some images as they are before they are resized, in this order."""


@dataclass(frozen=True)
class LabelledImages:
    """Images with what is known of them, split in three sets that have none in common."""

    name: str
    """Where they come from, for people."""
    images: ReadableImages
    """The images."""
    labels: Labels | None
    """The class of each image [n], or for each label whether it applies [n, labels]; None without labels."""
    classes: tuple[str, ...]
    """The names of the classes, or of the labels; empty where nobody named them."""
    calibration: npt.NDArray[np.int64]
    """The indices of the images for calibration, in an order of which every prefix is about stratified."""
    held_out: npt.NDArray[np.int64]
    """The indices of the images on which recipes are compared, in such an order."""
    evaluation: npt.NDArray[np.int64]
    """The indices of the images on which artifacts are verified, in such an order."""
    notes: tuple[str, ...]
    """What a person should know of them: sentences."""
    warnings: tuple[str, ...] = ()
    """What of the data is probably not meant so: sentences, which are notes as well."""
    positive: str | None = None
    """The class that the data set itself calls positive; None where it calls none so."""

    def survey(self) -> BitsInUse:
        """Return which value is white in the images of the three sets that have 16 bits."""
        return self.images.survey(np.concatenate([self.calibration, self.held_out, self.evaluation]).tolist())
