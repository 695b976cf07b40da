"""A row's logits as arrays, with the reference answers and labels of the same images. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bench.report.schema import Evaluation
from bench.statistics import accuracy
from bench.statistics.accuracy import Labels, Logits, Paired


@dataclass(frozen=True)
class Predictions:
    """What a variant and the fp32 reference answer for the same images, in one order."""

    logits: Logits
    """The variant's."""
    reference: Logits
    """The fp32 reference's."""
    labels: Labels
    """The right classes."""

    @classmethod
    def of(cls, logits: Sequence[Sequence[float]], evaluation: Evaluation) -> "Predictions":
        """Return the predictions for all images of an evaluation."""
        return cls(
            np.asarray(logits, dtype=np.float32),
            np.asarray(evaluation.reference_logits, dtype=np.float32),
            np.asarray(evaluation.labels, dtype=np.int64),
        )

    @property
    def paired(self) -> Paired:
        """Both, compared image by image."""
        return accuracy.pair(self.logits, self.reference, self.labels)

    def of_class(self, label: int) -> "Predictions":
        """Return the predictions for the images of one class."""
        chosen = self.labels == label
        return Predictions(self.logits[chosen], self.reference[chosen], self.labels[chosen])
