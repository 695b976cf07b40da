"""Choosing among the variants of bundles of every kind."""

import numpy as np
import numpy.typing as npt
import pytest
from making.source_bundle import KINDS
from making.source_report import source_report

from bench.choose.choosing import Choice, Criteria, choose
from bench.errors import InputError
from bench.render.choice_text import choice_notes
from bench.report.figures import figures_of
from bench.report.schema import Report
from device_profiles.settings import Budget
from edgefit.jobs import choose_for, criteria_of

CRITERIA = Criteria(Budget(source="for tests"))


def chosen(name: str, error: float) -> Choice:
    ((choice, _),) = choose([source_report(KINDS[name], error)], CRITERIA)
    return choice


@pytest.mark.parametrize(
    ("name", "judged_by"), [("unlabelled", "agreement"), ("values", "SQNR"), ("labels", "accuracy")]
)
def test_the_fastest_is_chosen_while_it_answers_as_the_source_does(name: str, judged_by: str) -> None:
    choice = chosen(name, 0.001)

    assert (choice.chosen, choice.judged_by) == ("onnx-int8", judged_by)
    assert choice.accuracy_compared is (judged_by == "accuracy")
    assert any(judged_by in note for note in choice_notes(choice))


@pytest.mark.parametrize("name", ["unlabelled", "values"])
def test_a_variant_that_answers_otherwise_than_the_source_is_not_chosen(name: str) -> None:
    choice = chosen(name, 2.0)
    results = {candidate.name: candidate for candidate in choice.candidates}

    assert choice.chosen == "onnx-fp32"
    assert results["onnx-int8"].result == "loses agreement"
    assert "with the source's" in results["onnx-int8"].reason
    assert not results["onnx-int8"].reason.startswith("loses agreement")
    assert results["torchscript-fp32"].result == "not ranked"
    assert any("accuracy was not compared, because the " in sentence for sentence in choice.explanation)


def test_what_is_not_shown_to_agree_comes_after_what_is() -> None:
    choice = chosen("unlabelled", 0.1)
    (int8,) = (candidate for candidate in choice.candidates if candidate.name == "onnx-int8")

    assert (choice.chosen, int8.result) == ("onnx-fp32", "not shown to agree")


def test_where_nothing_agrees_the_nearest_is_named() -> None:
    report = source_report(KINDS["values"], 2.0)
    only = report.model_copy(update={"runs": report.runs[1:]})

    ((choice, _),) = choose([only], CRITERIA)

    assert choice.chosen is None
    assert "SQNR ≥ 30 dB" in " ".join(choice.explanation)
    (nearest,) = choice.nearest
    assert nearest.startswith("the limit of SQNR is met by 0 of 1 candidates; the nearest is onnx-int8: SQNR")


@pytest.mark.parametrize(
    ("prefer", "min_retention", "option"),
    [("accuracy", None, "--prefer"), ("latency", 0.99, "--min-retention"), ("latency", 0, "--min-retention")],
)
@pytest.mark.parametrize(("name", "because"), [("unlabelled", "no labels"), ("values", "no classes")])
def test_criteria_of_accuracy_are_refused_where_there_is_none(
    prefer: str, min_retention: float | None, option: str, name: str, because: str
) -> None:
    criteria = criteria_of(prefer, None, None, None, min_retention, 0.01, "for tests")

    with pytest.raises(InputError, match=f"{option}: the bundle 'theirs' has no accuracy, .*{because}"):
        choose_for([source_report(KINDS[name])], criteria)


@pytest.mark.parametrize("name", ["labels", "one sigmoid", "seven classes"])
def test_bundles_with_labels_can_be_chosen_by_accuracy(name: str) -> None:
    criteria = criteria_of("accuracy", None, None, None, None, 0.01, "for tests")

    ((choice, _),) = choose_for([source_report(KINDS[name], 0.001)], criteria)

    assert choice.chosen is not None


def with_answers(report: Report, values: npt.NDArray[np.float64]) -> Report:
    """Return the report with other answers of onnx-int8, and the figures that these have."""
    fp32, int8, *others = report.runs
    assert int8.completed is not None
    assert int8.summary is not None
    assert report.evaluation is not None
    answers = tuple(tuple(map(float, row)) for row in values)
    outcome = int8.completed.model_copy(update={"logits": answers})
    summary = int8.summary.model_copy(update={"accuracy": figures_of(answers, report.evaluation)})
    changed = int8.model_copy(update={"outcome": outcome, "summary": summary})
    return report.model_copy(update={"runs": (fp32, changed, *others)})


def test_a_label_that_is_found_less_often_is_not_made_up_for_by_another() -> None:
    """Of the first label, int8 misses images; of the second, it corrects as many of the source's errors."""
    report = source_report(KINDS["labels"], 0.0)
    evaluation = report.evaluation
    assert evaluation is not None
    values, labels = np.array(evaluation.reference_logits), np.array(evaluation.labels)
    missed = np.flatnonzero((labels[:, 0] == 1) & (values[:, 0] > 0.5))[:9]
    corrected = np.flatnonzero((labels[:, 1] == 1) & (values[:, 1] < 0.5))[:9]
    values[missed, 0], values[corrected, 1] = 0.2, 0.8

    ((choice, _),) = choose([with_answers(report, values)], CRITERIA)
    (int8,) = (candidate for candidate in choice.candidates if candidate.name == "onnx-int8")

    assert len(missed) == len(corrected) == 9
    assert choice.chosen == "onnx-fp32"
    assert int8.result == "loses accuracy"
    assert int8.reason.startswith("class 'finding 0': recall 0.73 instead of 0.79 on 159 images")


def test_the_images_that_a_label_does_not_apply_to_are_a_class_too() -> None:
    report = source_report(KINDS["labels"], 0.0)
    evaluation = report.evaluation
    assert evaluation is not None
    values, labels = np.array(evaluation.reference_logits), np.array(evaluation.labels)
    rejected = np.flatnonzero((labels[:, 2] == 0) & (values[:, 2] < 0.5))[:9]
    values[rejected, 2] = 0.8

    ((choice, _),) = choose([with_answers(report, values)], CRITERIA)
    (int8,) = (candidate for candidate in choice.candidates if candidate.name == "onnx-int8")

    assert int8.reason.startswith("class 'not finding 2': recall 0.70 instead of 0.76 on 151 images")
