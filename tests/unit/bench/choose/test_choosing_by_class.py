"""Choosing by the recall of each class: a rare class that is lost is a loss, and too few images are said."""

import pytest
from making.compared_report import Row, made_report

from bench.choose.choosing import CandidateResult, Choice, Criteria, choose
from bench.report.schema import Report
from device_profiles.settings import Budget

ILL = (0,) * 400 + (1,) * 4
NAMES = ("healthy", "ill")
NINE = tuple(f"kind {index}" for index in range(9))


def chosen_from(report: Report) -> tuple[Choice, CandidateResult]:
    """The choice, and the result for int8."""
    ((choice, _),) = choose([report], Criteria(Budget(retention=0.99)))
    return choice, next(row for row in choice.candidates if row.name == "onnx-int8")


def report_of(
    answers: tuple[int, ...],
    labels: tuple[int, ...] = ILL,
    reference: tuple[int, ...] | None = None,
    names: tuple[str, ...] = NAMES,
) -> Report:
    """Int8 with these answers, and fp32 with the reference's."""
    rows = {"onnx-int8": Row(4, answers=answers), "onnx-fp32": Row(10, answers=reference or labels)}
    return made_report(rows, labels=labels, reference=reference, classes=names)


def test_a_variant_that_finds_no_ill_image_is_refused_although_99_per_cent_are_right() -> None:
    report = report_of((0,) * 404)

    choice, int8 = chosen_from(report)

    assert report.runs[0].accuracy is not None
    assert report.runs[0].accuracy.top1 == pytest.approx(400 / 404)
    assert (choice.chosen, int8.result) == ("onnx-fp32", "loses accuracy")
    assert int8.reason == (
        "class 'ill': recall 0.00 instead of 1.00 on 4 images (retention 0.000, below 0.98, p = 0.0039)"
    )


def test_it_is_refused_alone_too_and_named_as_the_nearest() -> None:
    report = made_report({"onnx-int8": Row(4, answers=(0,) * 404)}, labels=ILL, classes=NAMES)

    choice, _ = chosen_from(report)

    assert choice.chosen is None
    assert choice.nearest[0].startswith(
        "the limit of one class is met by 0 of 1 candidates; the nearest is onnx-int8: class 'ill': recall 0"
    )


def test_false_alarms_that_go_away_do_not_hide_the_ill_images_that_are_missed() -> None:
    reference = (1,) * 12 + ILL[12:]

    choice, int8 = chosen_from(report_of((0,) * 404, reference=reference))

    assert choice.chosen == "onnx-fp32"
    assert (int8.result, int8.reason[:12]) == ("loses accuracy", "class 'ill':")


def test_the_positive_class_is_named_before_the_retention_that_is_lost_too() -> None:
    labels = (0,) * 300 + (1,) * 100

    _, int8 = chosen_from(report_of((0,) * 400, labels))

    assert int8.reason.startswith("class 'ill': recall 0.00 instead of 1.00 on 100 images")


def test_one_of_nine_classes_whose_recall_halves_is_a_loss() -> None:
    labels = tuple(index for index in range(9) for _ in range(16 if index == 5 else 250))
    missed = [place for place, label in enumerate(labels) if label == 5][:8]
    answers = tuple(0 if place in missed else label for place, label in enumerate(labels))

    choice, int8 = chosen_from(report_of(answers, labels, names=NINE))

    assert (choice.chosen, int8.result) == ("onnx-fp32", "loses accuracy")
    assert int8.reason.startswith("class 'kind 5': recall 0.50 instead of 1.00 on 16 images")


def test_one_image_more_missed_than_found_is_no_loss() -> None:
    choice, int8 = chosen_from(report_of((*ILL[:-1], 0)))

    assert (choice.chosen, int8.result) == ("onnx-int8", "chosen")


def test_of_a_class_with_too_few_images_nothing_is_claimed_and_how_many_would_decide_is_said() -> None:
    choice, _ = chosen_from(report_of(ILL))

    said = [sentence for sentence in choice.explanation if "too few images" in sentence]
    (sentence,) = said
    assert sentence == (
        "too few images to show that a class keeps its recall: 'ill' (4 images); 149 of it, all classified "
        "as before, would show it"
    )


def test_of_enough_images_nothing_is_said() -> None:
    choice, _ = chosen_from(report_of((0,) * 150 + (1,) * 150, (0,) * 150 + (1,) * 150))

    assert not any("too few images" in sentence for sentence in choice.explanation)


def test_a_class_that_is_wholly_missed_on_too_few_images_is_not_shown_to_be_kept() -> None:
    labels = (0,) * 420 + (1,) * 3
    choice, int8 = chosen_from(report_of((0,) * 423, labels))

    assert choice.chosen == "onnx-fp32"
    assert int8.reason.startswith("class 'ill': recall 0.00 instead of 1.00 on 3 images")
