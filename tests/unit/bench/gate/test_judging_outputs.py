"""The gate's rules for the outputs of two model files: classes by their interval, other values by SQNR."""

import numpy as np
import pytest
from making.checks import checked, model_report, random_inputs, scores, values_of
from making.compared_report import Row

from bench.bundle.model_set import InputsRecord
from bench.gate.findings import Finding, Quantity, Verdict
from bench.gate.judging_outputs import JudgedOutputs, judge_outputs
from bench.gate.options import Limits
from bench.measurements import OutputValues
from bench.report.schema import Report
from bench.statistics.accuracy import MIN_AGREEMENT, least_agreement


def judged(
    candidate: tuple[OutputValues, ...], baseline: tuple[OutputValues, ...], limits: Limits | None = None
) -> JudgedOutputs:
    count = len(baseline[0].values) if baseline else 1
    return judge_outputs(candidate, baseline, random_inputs(count), limits or Limits())


def boxes(error: float = 0.0, count: int = 4) -> tuple[OutputValues, ...]:
    """An output that is no class: four axes, with a relative error."""
    image = np.linspace(1, 2, 12).reshape(1, 3, 2, 2)
    return values_of([[image * (1 + error * (-1) ** index)] for index in range(count)], "boxes")


@pytest.mark.parametrize(
    ("flips", "verdict"),
    [
        (0, Verdict.SAME),
        (1, Verdict.UNDECIDED),
        (7, Verdict.UNDECIDED),
        (8, Verdict.WORSE),
        (128, Verdict.WORSE),
    ],
)
def test_classes_are_judged_by_the_interval_of_their_agreement(flips: int, verdict: Verdict) -> None:
    outputs = judged(scores(flips), scores())

    assert outputs.verdict is verdict
    assert outputs.flips == flips
    assert outputs.value == pytest.approx(1 - flips / 128)


def test_the_sentence_says_what_was_compared_and_on_how_many_inputs() -> None:
    same, flipped = judged(scores(), scores()), judged(scores(8), scores())

    assert same.sentence.startswith("the same values on all 128 random inputs (3 classes occur)")
    assert flipped.sentence.startswith(
        "8 of 128 random inputs changed class, 93.8% the same (88.2% to 96.8%), the limit is 97 %"
    )
    assert "not decided, compare more inputs" in judged(scores(1), scores()).sentence


def test_few_inputs_must_all_keep_their_class_and_the_sentence_says_what_they_show() -> None:
    same, flipped = judged(scores(count=8), scores(count=8)), judged(scores(1, 8), scores(count=8))

    assert (same.verdict, flipped.verdict) == (Verdict.SAME, Verdict.UNDECIDED)
    assert "so few show no more than 67.6%" in same.sentence
    assert "so few" not in judged(scores(), scores()).sentence
    assert least_agreement(128) == MIN_AGREEMENT


def test_one_class_decides_nothing_if_the_values_differ() -> None:
    def constant(*logits: float) -> tuple[OutputValues, ...]:
        return values_of([[np.array([logits])]] * 128, "scores")

    near, far = (judged(constant(*other), constant(1, 5)) for other in ((1.1, 5.1), (1, 9)))

    assert (near.verdict, far.verdict) == (Verdict.SAME, Verdict.UNDECIDED)
    assert "(1 class occurs)" in near.sentence
    assert "only one class occurs, and the values differ" in far.sentence


def test_without_a_limit_every_class_may_change() -> None:
    anything = Limits(min_agreement=0, min_sqnr_db=-1000)

    assert judged(scores(128), scores(), anything).verdict is Verdict.SAME
    assert judged(boxes(5.0), boxes(), anything).verdict is Verdict.SAME


@pytest.mark.parametrize(
    ("error", "verdict"), [(0.0, Verdict.SAME), (0.09, Verdict.SAME), (0.11, Verdict.WORSE)]
)
def test_values_that_are_no_classes_are_judged_by_their_sqnr(error: float, verdict: Verdict) -> None:
    outputs = judged(boxes(error), boxes())

    assert outputs.verdict is verdict
    assert outputs.flips is None
    if error:
        assert outputs.value == pytest.approx(-20 * np.log10(error), abs=0.1)
        assert "dB, the limit is 20 dB; on 4 random inputs" in outputs.sentence
    else:
        assert outputs.sentence == "the same values on 4 random inputs"


def test_values_of_which_a_sample_was_kept_are_said_to_be_a_sample() -> None:
    large = values_of([[np.ones((1, 2, 10, 10))]], "map")

    assert judged(large, large).sentence == "the same values on 1 random input, in 128 of 200 values of each"


def test_one_value_is_a_score_if_the_baseline_gives_both_classes_else_any_number() -> None:
    def ages(*years: float) -> tuple[OutputValues, ...]:
        return values_of([[np.array([[year]])] for year in years], "age")

    assert judged(ages(50, 60), ages(30, 40)).verdict is Verdict.WORSE
    assert judged(ages(-3, 3), ages(-1, 1)).flips == 0


def test_an_output_that_was_zero_and_is_not_is_worse() -> None:
    zeros, ones = (values_of([[np.full((1, 1, 2, 2), value)]], "map") for value in (0.0, 1.0))

    assert judged(ones, zeros).verdict is Verdict.WORSE
    assert judged(zeros, zeros).verdict is Verdict.SAME


def test_all_outputs_are_compared_and_the_worst_decides() -> None:
    outputs = judged(boxes(0.5) + scores(count=4), boxes() + scores(count=4))

    assert outputs.verdict is Verdict.WORSE
    assert outputs.sentence.endswith("; 2 outputs were compared, 'boxes' differs most")
    in_another_order = judged(scores(count=4) + boxes(), boxes() + scores(count=4))
    assert in_another_order.verdict is Verdict.SAME
    assert in_another_order.sentence.endswith("; 2 outputs were compared")


def test_another_number_of_outputs_and_another_shape_are_worse() -> None:
    two, wide = scores(count=4) + boxes(), values_of([[np.ones((1, 4))]] * 4, "scores")

    assert judged(two, scores(count=4)).sentence == "2 outputs (scores, boxes), was 1 (scores)"
    assert judged(wide, scores(count=4)).sentence == "the output 'scores' has the shape [1, 4], was [1, 3]"
    assert {judged(other, scores(count=4)).verdict for other in (two, wide)} == {Verdict.WORSE}


def test_an_output_whose_shape_changes_is_compared_if_it_changes_equally() -> None:
    changing = values_of([[np.ones((1, count))] for count in (1, 2)], "found")
    otherwise = values_of([[np.ones((1, count))] for count in (2, 1)], "found")

    assert judged(changing, changing).verdict is Verdict.SAME
    assert judged(otherwise, changing).verdict is Verdict.WORSE
    assert "'found' has another number of values than the baseline's" in judged(otherwise, changing).sentence


def test_only_the_output_that_is_named_is_judged() -> None:
    new, old = boxes(0.5) + scores(count=4), boxes() + scores(count=4)
    named = {name: judged(new, old, Limits(judged_output=name)) for name in ("boxes", "scores")}

    assert {name: outputs.verdict for name, outputs in named.items()} == {
        "boxes": Verdict.WORSE,
        "scores": Verdict.SAME,
    }


def test_what_holds_no_numbers_is_incomparable() -> None:
    assert judged((), ()).verdict is Verdict.INCOMPARABLE
    nothing = values_of([[np.ones((0, 6))]] * 2, "found")
    assert judged(nothing, nothing).sentence == (
        "the output 'found' has no values for any input, so nothing is compared"
    )


def test_items_of_a_batch_are_counted() -> None:
    batches = values_of([[np.eye(3)]] * 50, "scores")

    assert judged(batches, batches).sentence.startswith(
        "the same values on all 150 items of 50 random inputs"
    )


def outputs_finding(candidate: tuple[OutputValues, ...], inputs: InputsRecord | None = None) -> Finding:
    report = model_report("new.onnx", candidate, inputs=inputs)
    document = checked(report, model_report("old.onnx", scores()))
    return next(finding for finding in document.findings if finding.quantity is Quantity.OUTPUTS)


def test_two_reports_of_one_model_file_each_are_a_pair_whatever_the_names() -> None:
    document = checked(model_report("new.onnx", scores(20)), model_report("old.onnx", scores()))

    assert {finding.case for finding in document.findings} == {"new.onnx"}
    assert document.exit_code == 10
    assert outputs_finding(scores(20)).verdict is Verdict.WORSE
    assert any("128 random inputs, which is weak evidence" in note for note in document.notes)


def test_reports_with_other_inputs_compare_latency_and_no_outputs() -> None:
    finding = outputs_finding(scores(), random_inputs(sha256="3" * 64))

    assert finding.verdict is Verdict.INCOMPARABLE
    assert "run with different inputs; check the two model files instead" in finding.sentence


def test_reports_of_models_that_take_other_inputs_compare_all_but_outputs() -> None:
    inputs = random_inputs(sha256="3" * 64)
    large = model_report("new.onnx", scores(), side=9, inputs=inputs)

    found = {one.quantity: one for one in checked(large, model_report("old.onnx", scores())).findings}

    assert found[Quantity.OUTPUTS].verdict is Verdict.INCOMPARABLE
    assert "float32 [1, 3, 9, 9], was images: float32 [1, 3, 8, 8]" in found[Quantity.OUTPUTS].sentence
    assert {found[one].verdict for one in (Quantity.LATENCY, Quantity.MEMORY, Quantity.SIZE)} == {
        Verdict.SAME
    }


def test_a_file_that_was_run_at_another_shape_has_no_latency_and_memory_to_compare() -> None:
    def run_at(side: int) -> Report:
        report = model_report("m.onnx", scores(), side=side, inputs=random_inputs(sha256=str(side) * 64))
        assert report.models is not None
        (model,) = report.models.models
        axes: tuple[int | str, ...] = (1, 3, "height", "width")
        stated = model.inputs[0].model_copy(update={"shape": axes})
        signature = model.signature.model_copy(update={"inputs": (stated,)})
        models = (model.model_copy(update={"signature": signature}),)
        return report.model_copy(update={"models": report.models.model_copy(update={"models": models})})

    found = {one.quantity: one for one in checked(run_at(9), run_at(8)).findings}

    for quantity in (Quantity.LATENCY, Quantity.MEMORY):
        assert found[quantity].verdict is Verdict.INCOMPARABLE
        assert (
            "not comparable: shape of inputs 'images: float32 [1, 3, 9, 9]', was" in found[quantity].sentence
        )
    assert found[Quantity.SIZE].verdict is Verdict.SAME


def test_a_slower_model_file_blocks() -> None:
    document = checked(model_report("model.onnx", scores(), Row(20)), model_report("model.onnx", scores()))

    assert [finding.quantity for finding in document.blocking] == [Quantity.LATENCY]
