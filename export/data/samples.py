"""The samples of an export, in three sets that have none in common. It reads no file and runs no network."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bench.bundle.evaluation_pack import EvaluationPack, Labels
from bench.bundle.input_preprocessing import Preprocess
from bench.bundle.tensor_pack import TensorPack
from models.positive import Positive


@dataclass(frozen=True)
class Samples:
    """Images at network size, or ready inputs, in the order in which they are used."""

    images: npt.NDArray[np.uint8] | None
    """See EvaluationPack."""
    labels: Labels | None
    """See EvaluationPack."""
    preprocess: Preprocess | None = None
    """See EvaluationPack."""
    tensors: TensorPack | None = None
    """See EvaluationPack."""
    sources_sha256: str | None = None
    """The SHA-256 of the images as they were before they were resized, in this order; None where it was not
    taken."""

    def __len__(self) -> int:
        if self.tensors is not None:
            return len(self.tensors)
        return 0 if self.images is None else len(self.images)

    def with_reference(self, values: npt.NDArray[np.float32]) -> EvaluationPack:
        """Return a pack of the samples with the source's outputs, float32 [samples, values]."""
        return EvaluationPack(self.images, self.labels, values, self.preprocess, self.tensors)

    def chosen(self, indices: npt.NDArray[np.int64]) -> "Samples":
        """Return some of the samples, in the order of the indices."""
        return Samples(
            images=None if self.images is None else self.images[indices],
            labels=None if self.labels is None else self.labels[indices],
            preprocess=self.preprocess,
            tensors=None
            if self.tensors is None
            else TensorPack(tuple(array[indices] for array in self.tensors.arrays)),
        )


@dataclass(frozen=True)
class ExportData:
    """What an export calibrates, compares and verifies on. No sample, and no patient that is known, is in two
    sets."""

    name: str
    """Where the samples come from, for people."""
    classes: tuple[str, ...]
    """The names of the classes, or of the labels; empty where nobody named them."""
    positive: Positive | None
    """The class that counts as positive; None unless there are two."""
    calibration: Samples
    """On which int8 is calibrated, in an order of which every prefix is about stratified."""
    held_out: Samples
    """On which int8 recipes are compared."""
    evaluation: Samples
    """On which artifacts are verified and accuracy is measured: the evaluation pack."""
    notes: tuple[str, ...]
    """What a person should know of them: sentences."""

    @property
    def positive_class(self) -> int | None:
        """The label of the positive class; None unless there are two classes."""
        return None if self.positive is None else self.positive.label
