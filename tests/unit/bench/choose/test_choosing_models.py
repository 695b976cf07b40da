"""The choice among model files: latency, memory and size decide, and what was not compared is said."""

import pytest
from making.model_report import IMAGE, ModelRow, classified, every_kind, model_report

from bench.choose.choosing import Choice, Criteria, choose
from bench.choose.comparing import Preference
from bench.errors import InputError
from bench.report.comparability import require_one_task
from bench.report.schema import Report
from device_profiles.settings import Budget


def choice_of(*reports: Report, **limits: object) -> Choice:
    prefer = limits.pop("prefer", Preference.LATENCY)
    budget = Budget.model_validate({"source": "the command line", **limits})
    assert isinstance(prefer, Preference)
    ((choice, _),) = choose(reports, Criteria(budget, prefer))
    return choice


def reason_of(choice: Choice, name: str) -> str:
    return next(candidate.reason for candidate in choice.candidates if candidate.name == name)


def test_the_fastest_is_chosen_and_accuracy_is_said_not_to_be_compared() -> None:
    choice = choice_of(model_report(every_kind()))

    assert choice.headline == "laptop-cpu: net.int8.onnx, p50 4 ms (4 to 4, measured)"
    assert not choice.accuracy_compared
    assert choice.explanation[0].startswith("accuracy was not compared, because the model files")
    assert choice.front_of == "p50, memory and size"
    assert choice.budget.retention is None


def test_outputs_that_disagree_are_said_beside_the_choice() -> None:
    choice = choice_of(model_report(every_kind()))

    assert choice.explanation[1] == (
        "its outputs differ from those of net.onnx: 'logits' agreement 0.800 on 5 items; "
        "'mask' cosine 0.9983, SQNR 20.8 dB (random values)"
    )


def test_outputs_that_agree_and_the_reference_itself_are_said_too() -> None:
    equal = choice_of(model_report({"a.onnx": ModelRow(9), "b.onnx": ModelRow(4)}))
    reference = choice_of(model_report({"a.onnx": ModelRow(4), "b.onnx": ModelRow(9)}))
    alone = choice_of(model_report({"a.onnx": ModelRow(4)}))

    assert equal.explanation[1] == (
        "its outputs agree with those of a.onnx: agreement 1.000 on 5 items (random values)"
    )
    assert (
        reference.explanation[1]
        == "it is the reference that the outputs of the other files are compared with"
    )
    assert alone.explanation[1].startswith("p50 4 ms")


def test_the_reason_against_another_says_that_its_outputs_differ_or_were_not_compared() -> None:
    rows = {
        "a.onnx": ModelRow(4),
        "b.onnx": ModelRow(9, outputs=(classified(1, 1, 1, 1, 1),)),
        **every_kind(),
    }
    choice = choice_of(model_report(rows))

    assert "its outputs differ from those of a.onnx: agreement 0.400" in reason_of(choice, "b.onnx")
    assert "it was run with other inputs than a.onnx" in reason_of(choice, "bytes.onnx")


def test_of_equally_fast_and_large_files_one_that_agrees_is_chosen() -> None:
    rows = {
        "reference.onnx": ModelRow(9),
        "another.onnx": ModelRow(4, outputs=(classified(1, 1, 1, 1, 1),)),
        "equal.onnx": ModelRow(4),
    }
    choice = choice_of(model_report(rows))

    assert choice.chosen == "equal.onnx"
    assert (
        "a tie in latency with another.onnx: the smallest whose outputs agree with the reference's is chosen"
        in choice.explanation
    )
    assert "its outputs differ from the reference's" in reason_of(choice, "another.onnx")


def test_size_and_a_budget_decide_as_for_variants() -> None:
    report = model_report(every_kind())

    assert choice_of(report, prefer=Preference.SIZE).chosen == "net.int8.onnx"
    none = choice_of(report, size_mb=1.0)
    assert none.headline == "laptop-cpu: no model meets the budget"
    assert none.explanation[0].startswith("accuracy was not compared")


def test_a_file_that_was_measured_again_with_others_counts_once() -> None:
    first = model_report({"a.onnx": ModelRow(9)}, created="2026-01-01T00:00:00+00:00")
    later = model_report({"a.onnx": ModelRow(5), "bb.onnx": ModelRow(7)}, created="2026-01-02T00:00:00+00:00")

    choice = choice_of(first, later)

    assert choice.chosen == "a.onnx"
    assert [candidate.result for candidate in choice.candidates].count("not ranked") == 1


def test_reports_with_the_same_different_inputs_are_one_task() -> None:
    wide = IMAGE.model_copy(update={"shape": (1, 3, 64, 64)})
    both = {"a.onnx": ModelRow(4), "b.onnx": ModelRow(9, inputs=(wide,))}

    require_one_task([model_report(both), model_report(both)])
    with pytest.raises(InputError, match="models with different inputs cannot be compared"):
        require_one_task([model_report({"a.onnx": ModelRow(4)}), model_report(both)])
