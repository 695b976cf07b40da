"""The figures of a row's answers, for every kind of output."""

import math

import pytest
from making.source_bundle import KINDS
from making.source_report import IMAGES, evaluation_of

from bench.report.figures import figures_of
from bench.report.predictions import metric_arguments
from bench.report.schema import Accuracy, Evaluation


def figures(name: str) -> tuple[Accuracy, Evaluation]:
    """What a variant gets that answers as the source does."""
    evaluation = evaluation_of(KINDS[name])
    return figures_of(evaluation.reference_logits, evaluation), evaluation


def test_without_labels_there_is_agreement_and_nothing_that_needs_them() -> None:
    found, evaluation = figures("unlabelled")

    assert (found.agreement, found.images, found.decisions, found.sqnr_db) == (1.0, IMAGES, IMAGES, None)
    needs_labels = (found.top1, found.retention, found.mcnemar_p, found.auc, found.macro_auc, found.f1)
    assert needs_labels == (None,) * 6
    assert evaluation.gap == "the samples have no labels"


def test_values_have_a_cosine_and_no_agreement() -> None:
    found, evaluation = figures("values")

    assert (found.agreement, found.decisions, found.flips) == (None, None, ())
    assert found.cosine == pytest.approx(1)
    assert evaluation.gap == "the judged output holds no classes"


def test_the_sqnr_of_values_is_that_of_all_of_them() -> None:
    evaluation = evaluation_of(KINDS["values"])
    louder = tuple(tuple(1.1 * value for value in row) for row in evaluation.reference_logits)

    found = figures_of(louder, evaluation)

    assert found.sqnr_db == pytest.approx(-20 * math.log10(0.1), abs=1e-3)
    assert found.cosine == pytest.approx(1)


def test_one_probability_is_judged_at_one_half_and_has_the_figures_of_two_classes() -> None:
    found, evaluation = figures("one sigmoid")

    assert evaluation.labels is not None
    answers = zip(evaluation.reference_logits, evaluation.labels, strict=True)
    right = [(row[0] > 0.5) == label for row, label in answers]
    assert found.top1 == pytest.approx(sum(right) / IMAGES)
    assert None not in (found.auc, found.sensitivity, found.specificity, found.f1, found.balanced_accuracy)
    assert found.sensitivity is not None
    assert found.specificity is not None
    assert found.balanced_accuracy == pytest.approx((found.sensitivity + found.specificity) / 2)
    assert (found.macro_auc, found.top5, found.missed) == (None, None, ())


def test_several_labels_are_counted_each_and_have_figures_of_their_own() -> None:
    found, _ = figures("labels")

    assert found.decisions == found.decided == 3 * IMAGES
    assert [label.label for label in found.by_label] == [0, 1, 2]
    areas = [label.auc for label in found.by_label]
    assert None not in areas
    assert found.macro_auc == pytest.approx(sum(area for area in areas if area is not None) / 3)
    assert found.f1 == pytest.approx(sum(label.f1 for label in found.by_label) / 3)
    assert (found.auc, found.sensitivity) == (None, None)


def test_a_changed_label_is_a_flip_of_its_own() -> None:
    evaluation = evaluation_of(KINDS["labels"], 2)
    first, second = evaluation.reference_logits
    changed = (first, (*second[:2], 1 - second[2]))

    found = figures_of(changed, evaluation)

    assert found.flips == (5,)
    assert found.agreement == pytest.approx(5 / 6)


def test_more_than_five_classes_have_a_top_5_and_a_macro_auc() -> None:
    many, _ = figures("seven classes")
    few, _ = figures("three classes")

    assert many.top5 is not None
    assert many.top1 is not None
    assert many.top5 > many.top1
    assert many.macro_auc is not None
    assert (few.top5, few.auc) == (None, None)
    assert few.macro_auc is not None


def test_a_metric_gets_scikit_learns_arguments() -> None:
    shapes = {
        name: tuple(array.shape for array in metric_arguments(evaluation.reference_logits, evaluation))
        for name in ("one sigmoid", "labels", "seven classes", "three classes")
        for evaluation in [evaluation_of(KINDS[name])]
    }

    assert shapes == {
        "one sigmoid": ((IMAGES,), (IMAGES,)),
        "labels": ((IMAGES, 3), (IMAGES, 3)),
        "seven classes": ((IMAGES,), (IMAGES, 7)),
        "three classes": ((IMAGES,), (IMAGES, 3)),
    }


def test_of_two_classes_the_positive_one_is_1_whichever_it_is() -> None:
    evaluation = Evaluation(
        labels=(0, 0, 1), reference_logits=((9, 0), (0, 0), (0, 9)), positive_class=0, pack_images=3
    )

    right, scores = metric_arguments(evaluation.reference_logits, evaluation)

    assert right.tolist() == [1, 1, 0]
    assert scores == pytest.approx([1, 0.5, 0], abs=1e-3)
