"""Samples as a data set lists them, before any is read: labels, splits and patients. It opens nothing."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bench.bundle.evaluation_pack import Labels

Indices = npt.NDArray[np.int64]

CALIBRATION_IMAGES = 256
MOST_HELD_OUT = 512
EVALUATION_IMAGES = 512


@dataclass(frozen=True)
class SampleLimits:
    """How many samples are read at most."""

    calibration: int = CALIBRATION_IMAGES
    """On which int8 is calibrated."""
    held_out: int = MOST_HELD_OUT
    """On which int8 recipes are compared."""
    evaluation: int = EVALUATION_IMAGES
    """On which artifacts are verified."""

    @property
    def total(self) -> int:
        """How many samples are used of a data set that is large enough."""
        return self.calibration + self.held_out + self.evaluation


@dataclass(frozen=True)
class Listing:
    """The samples of a data set, with what is known of each."""

    name: str
    """What the data set is called, for people."""
    where: str
    """The file or folder, for messages."""
    splits: tuple[str, ...]
    """The split of each sample by the data set itself: train, val or test; "" where it has no splits."""
    patients: tuple[str | None, ...]
    """The patient of each sample; None where nothing tells."""
    labels: Labels | None
    """The class of each sample [n], or for each label whether it applies [n, labels]; None without labels."""
    classes: tuple[str, ...] = ()
    """The names of the classes, or of the labels; empty where nobody named them."""
    patients_from: str = "file names"
    """What tells the patients, for people."""
    warnings: tuple[str, ...] = ()
    """What of the data set is probably not meant so: sentences."""
    notes: tuple[str, ...] = ()
    """What else a person should know of the data set: sentences."""
    positive: str | None = None
    """The class that the data set itself calls positive; None where it calls none so."""

    def __len__(self) -> int:
        return len(self.splits)
