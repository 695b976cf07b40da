"""The figures of a row's answers, for every kind of output."""

import json
import math
from pathlib import Path

import pytest
from making.compared_report import Row, made_report
from making.repository import ROOT
from making.source_bundle import KINDS
from making.source_report import IMAGES, evaluation_of

from bench.report.figures import figures_of
from bench.report.files import parse_report, read_report, to_json
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


def test_every_class_has_its_figures_and_scikit_learn_gives_the_same() -> None:
    sklearn = pytest.importorskip("sklearn.metrics")
    evaluation = evaluation_of(KINDS["seven classes"])
    labels, scores = metric_arguments(evaluation.reference_logits, evaluation)
    predicted = scores.argmax(axis=1)
    precision, recall, f1, images = sklearn.precision_recall_fscore_support(labels, predicted)

    found = figures_of(evaluation.reference_logits, evaluation)

    assert [each.recall for each in found.by_class] == pytest.approx(recall)
    assert [each.precision for each in found.by_class] == pytest.approx(precision)
    assert [each.f1 for each in found.by_class] == pytest.approx(f1)
    assert [each.images for each in found.by_class] == images.tolist()
    areas = [sklearn.roc_auc_score(labels == at, scores[:, at]) for at in range(7)]
    assert [each.auc for each in found.by_class] == pytest.approx(areas)
    assert found.macro_auc == pytest.approx(sum(areas) / 7)
    assert found.macro_auc is not None
    assert found.auc_ci95 is not None
    assert found.auc_ci95[0] < found.macro_auc < found.auc_ci95[1]
    matrix = sklearn.confusion_matrix(labels, predicted)
    assert found.confused[0].images == max(
        matrix[row, column] for row in range(7) for column in range(7) if row != column
    )


def test_two_classes_have_an_interval_of_their_auc_and_no_mean() -> None:
    found, _ = figures("one sigmoid")

    assert found.auc is not None
    assert found.auc_ci95 is not None
    assert found.auc_ci95[0] < found.auc < found.auc_ci95[1]
    assert [each.auc for each in found.by_class] == pytest.approx([found.auc] * 2)


def test_a_class_without_images_is_named_and_left_out_of_the_means() -> None:
    evaluation = evaluation_of(KINDS["three classes"])
    assert evaluation.labels is not None
    labels = tuple(0 if label == 2 else int(str(label)) for label in evaluation.labels)

    found = figures_of(evaluation.reference_logits, evaluation.model_copy(update={"labels": labels}))

    assert found.without_images == (2,)
    assert [each.index for each in found.by_class] == [0, 1]
    areas = [each.auc for each in found.by_class if each.auc is not None]
    assert found.macro_auc == pytest.approx(sum(areas) / 2)


def test_of_many_confused_pairs_the_first_50_are_stored_with_how_many_there_are() -> None:
    labels = tuple(range(60))
    logits = tuple(tuple(float(at == (label + 1) % 60) for at in range(60)) for label in labels)
    evaluation = Evaluation(labels=labels, reference_logits=logits, positive_class=None, pack_images=60)

    found = figures_of(logits, evaluation)

    assert (len(found.confused), found.confused_pairs) == (50, 60)
    first = found.confused[0]
    assert (first.index, first.given_index, first.images, first.class_images) == (0, 1, 1, 1)
    assert first.reference_images == 1


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


def test_each_class_has_its_recall_and_the_retention_of_it() -> None:
    report = made_report({"onnx-int8": Row(4, answers=(0,) * 404)}, labels=(0,) * 400 + (1,) * 4)

    found = report.runs[0].accuracy

    assert found is not None
    healthy, ill = found.by_class
    assert (healthy.index, healthy.images, healthy.recall, healthy.reference_recall) == (0, 400, 1, 1)
    assert (ill.index, ill.images, ill.recall, ill.reference_recall, ill.loss_p) == (1, 4, 0, 1, 1 / 16)
    assert ill.retention is not None
    assert ill.retention.value == 0
    assert (found.balanced_accuracy, found.sensitivity) == (0.5, 0)


def test_of_several_labels_images_with_and_without_one_are_two_classes() -> None:
    found, _ = figures("labels")

    assert [(each.index, each.applies) for each in found.by_class[:3]] == [(0, True), (0, False), (1, True)]
    shares = [each.recall for each in found.by_class if each.applies]
    assert shares == pytest.approx([label.sensitivity for label in found.by_label])


def test_reports_of_before_get_the_recall_of_each_class() -> None:
    now = made_report({"onnx-int8": Row(4, wrong=3)}, labels=(0, 1) * 40)
    document = json.loads(to_json(now))
    del document["runs"][0]["summary"]["accuracy"]["by_class"]

    read = parse_report(json.dumps(document).encode(), Path("report.json"))

    assert read.runs[0].accuracy is not None
    assert now.runs[0].accuracy is not None
    assert read.runs[0].accuracy.by_class == now.runs[0].accuracy.by_class != ()


@pytest.mark.parametrize("name", ["report.json", "report-proxy.json"])
def test_reports_of_schema_1_get_it_too(name: str) -> None:
    report = read_report(ROOT / "tests" / "data" / "schema1" / name)

    assert all(
        len(run.accuracy.by_class) == 2 and run.accuracy.balanced_accuracy is not None
        for run in report.runs
        if run.accuracy is not None
    )
