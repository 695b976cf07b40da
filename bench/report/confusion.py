"""The confusion matrix of a row's answers, with the names of its classes. Pure."""

from dataclasses import dataclass

from bench.report.predictions import Predictions
from bench.report.schema import BundleRecord, Evaluation
from bench.statistics import accuracy
from bench.statistics.confusion import confusion_matrix

Logits = tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Confusion:
    """How many images of each class are taken for each class."""

    names: tuple[str, ...]
    """The names of the classes."""
    counts: tuple[tuple[int, ...], ...]
    """A row for each class that the images are of, a column for each that they are taken for."""

    def share(self, row: int, column: int) -> float:
        """Return the share of a class's images that are taken for a class; 0 without images."""
        images = sum(self.counts[row])
        return self.counts[row][column] / images if images else 0.0


def confusion_of_logits(
    bundle: BundleRecord, evaluation: Evaluation, logits: Logits, most_classes: int
) -> Confusion | None:
    """Return the matrix of answers; None without labelled classes, and with more than `most_classes`."""
    predictions = Predictions.of(logits, evaluation) if evaluation.output.kind == "classes" else None
    if predictions is None or predictions.labels is None or predictions.logits.shape[1] > most_classes:
        return None
    classes = predictions.logits.shape[1]
    counts = confusion_matrix(accuracy.predictions(predictions.logits), predictions.labels, classes)
    return Confusion(
        tuple(map(bundle.class_name, range(classes))), tuple(tuple(map(int, row)) for row in counts)
    )
