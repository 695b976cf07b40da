"""A row's predictions beside the reference's."""

from bench.report.predictions import Predictions
from bench.report.schema import Evaluation

EVALUATION = Evaluation(
    labels=(0, 0, 1), reference_logits=((2, 1), (2, 1), (1, 2)), positive_class=1, pack_images=3
)


def decided(*values: tuple[float, float]) -> Predictions:
    predictions = Predictions.of(values, EVALUATION)
    assert predictions is not None
    return predictions


def test_predictions_are_paired_image_by_image() -> None:
    paired = decided((2, 1), (1, 2), (1, 2)).paired

    assert paired is not None
    assert (paired.images, paired.only_reference, paired.only_variant) == (3, 1, 0)


def test_a_class_is_compared_on_its_own_images() -> None:
    first, second = decided((2, 1), (1, 2), (1, 2)).by_class("classes")

    assert (first.images, first.recall, first.reference_recall) == (2, 0.5, 1)
    assert (second.images, second.recall, second.reference_recall) == (1, 1, 1)


def test_without_labels_nothing_is_paired_and_without_classes_nothing_is_decided() -> None:
    unlabelled = Predictions.of(((2, 1), (1, 2), (1, 2)), EVALUATION.model_copy(update={"labels": None}))
    output = EVALUATION.output.model_copy(update={"kind": "values", "activation": "none"})

    assert unlabelled is not None
    assert unlabelled.paired is None
    assert Predictions.of(((2, 1),) * 3, EVALUATION.model_copy(update={"output": output})) is None
