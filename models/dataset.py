"""Labelled images in three splits, as every source returns them. It knows nothing of files or networks."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.positive import Positive
from user_files.decoding import FULL_WHITE

Images = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Split:
    """Images with a label each."""

    images: Images
    """At network size: uint8 [n, side, side] grey or [n, side, side, 3] RGB."""
    labels: Labels
    """The number of each image's class: int64 [n]."""
    sources_sha256: str | None = None
    """The SHA-256 of the images as they were before they were resized, in this order: the same for networks
    of other sizes. None where it was not taken."""

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class Dataset:
    """Images that are ready for training."""

    name: str
    """The data set's name."""
    classes: tuple[str, ...]
    """The name of each class, in the order of the labels."""
    train: Split
    validation: Split
    test: Split
    notes: tuple[str, ...] = ()
    """Sentences on how the images were split."""
    warnings: tuple[str, ...] = ()
    """Sentences on what is probably not meant so, such as files that were left out."""
    white: int = FULL_WHITE
    """The value that counts as white in images of 16 bits: it became 255."""
    positive: Positive | None = None
    """The positive class; None unless there are two classes."""
