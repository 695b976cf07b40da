"""A row's predictions beside the reference's."""

import numpy as np

from bench.report.predictions import Predictions
from bench.report.schema import Evaluation

EVALUATION = Evaluation(
    labels=(0, 0, 1), reference_logits=((2, 1), (2, 1), (1, 2)), positive_class=1, pack_images=3
)


def test_predictions_are_paired_image_by_image() -> None:
    paired = Predictions.of(((2, 1), (1, 2), (1, 2)), EVALUATION).paired

    assert (paired.images, paired.only_reference, paired.only_variant) == (3, 1, 0)


def test_predictions_of_a_class_are_those_of_its_images() -> None:
    predictions = Predictions.of(((2, 1), (1, 2), (1, 2)), EVALUATION).of_class(0)

    assert predictions.labels.tolist() == [0, 0]
    assert np.array_equal(predictions.logits, [[2, 1], [1, 2]])
    assert predictions.paired.images == 2
