"""The gate's rules: what each verdict needs, how two reports are compared, and what blocks."""

import math
import re

import numpy as np
import pytest
from making.compared_report import Row, bundle, made_report
from making.tiny_report import HOST

from bench.errors import InputError
from bench.gate.blocking import blocks
from bench.gate.check_reports import check_reports
from bench.gate.document import Checked
from bench.gate.findings import Finding, Quantity, Verdict
from bench.gate.judging import Compared, Side, grown_memory, judge
from bench.gate.judging_times import Times
from bench.gate.options import CheckOptions, Limits
from bench.gate.verdict_rules import judge_memory, judge_value
from bench.measurements import Failed, FailureKind, Skipped, Stage
from bench.report.schema import Report, Run
from bench.run_config import RunConfig
from bench.runtimes.providers import case_id
from bench.statistics.replication import Estimate

CRASH = Failed(stage=Stage.LOAD, kind=FailureKind.CRASH, message="died of SIGSEGV\nlast words")
NOISY = (0.9, 1.1, 0.92, 1.12, 0.9, 1.1, 1.0, 1.0)


def estimate(ratio: float, error: float) -> Estimate:
    return Estimate(math.log(ratio), math.log(ratio), error, 7)


def on_provider(run: Run, provider: str) -> Run:
    config = RunConfig(provider=provider, threads=run.config.threads)
    return run.model_copy(update={"case": case_id(run.variant, provider), "config": config})


@pytest.mark.parametrize(
    ("ratio", "verdict"), [(1.0100, Verdict.SAME), (1.0101, Verdict.WORSE), (0.98, Verdict.BETTER)]
)
def test_bytes_are_worse_beyond_their_limit(ratio: float, verdict: Verdict) -> None:
    assert judge_value(ratio, 0.01) is verdict


def test_memory_of_several_processes_is_worse_only_if_none_overlap() -> None:
    assert judge_memory([100], [110], 0.05) is Verdict.WORSE
    assert judge_memory([100, 101, 99], [110, 109, 111], 0.05) is Verdict.WORSE
    assert judge_memory([100, 112, 99], [110, 109, 111], 0.05) is Verdict.UNDECIDED


def compared(**changes: object) -> Compared:
    side = Side("completed", None, 100, (100,), np.array([[2, 1]] * 100, dtype=np.float32))
    settings: dict[str, object] = {
        "variant": "onnx-int8",
        "provider": "cpu",
        "baseline": side,
        "candidate": side,
        "latency": Times(10, 10, estimate(1, 0.001)),
        "labels": np.zeros(100, dtype=np.int64),
    }
    return Compared(**(settings | changes))  # type: ignore[arg-type]


def verdicts(*found: Compared, **limits: float) -> dict[str, str]:
    return {one.quantity.value: one.verdict.value for one in judge(found, Limits.model_validate(limits))}


def wrong(count: int, images: int = 100) -> Side:
    logits = np.array([[1, 2]] * count + [[2, 1]] * (images - count), dtype=np.float32)
    return Side("completed", None, 100, (100,), logits)


def test_what_is_the_same_on_both_sides_is_the_same_in_everything() -> None:
    assert verdicts(compared()) == {
        "latency": "SAME",
        "memory": "SAME",
        "size": "SAME",
        "accuracy": "SAME",
    }


def test_accuracy_is_worse_below_its_limit_image_by_image() -> None:
    four = judge([compared(candidate=wrong(4))], Limits())[-1]

    assert (four.quantity, four.verdict, four.flips) == (Quantity.ACCURACY, Verdict.WORSE, 4)
    assert four.sentence.startswith(
        "4 of 100 images changed class, 4 fewer right (4 newly wrong, 0 newly right; exact test p = 0.062)"
    )
    assert verdicts(compared(candidate=wrong(4)), min_retention=0.95)["accuracy"] == "SAME"


@pytest.mark.parametrize(("size_bytes", "verdict"), [(99, "BETTER"), (101, "SAME"), (102, "WORSE")])
def test_a_file_is_worse_only_beyond_its_limit(size_bytes: int, verdict: str) -> None:
    candidate = Side("completed", None, size_bytes, (100,), np.array([[2, 1]] * 100, dtype=np.float32))

    assert verdicts(compared(candidate=candidate), max_growth=0.01)["size"] == verdict


def test_images_that_change_class_both_ways_are_flips() -> None:
    first, second = np.array([[1, 2], [2, 1]], dtype=np.float32), np.array([[2, 1], [1, 2]], dtype=np.float32)
    sides = [Side("completed", None, 100, (100,), np.tile(logits, (50, 1))) for logits in (first, second)]
    finding = judge([compared(baseline=sides[0], candidate=sides[1])], Limits())[-1]

    assert finding.baseline == finding.candidate
    assert finding.flips == 100


def test_only_accuracy_has_flips() -> None:
    flips = {finding.quantity: finding.flips for finding in judge([compared()], Limits())}

    assert flips.pop(Quantity.ACCURACY) == 0
    assert set(flips.values()) == {None}


def test_a_loss_that_chance_may_explain_is_not_decided() -> None:
    two = judge([compared(candidate=wrong(2))], Limits())[-1]

    assert two.verdict is Verdict.UNDECIDED
    assert re.search(r"the limit is 0.99; at least 200 images like these would decide it", two.sentence)
    assert (blocks(two, strict=False), blocks(two, strict=True)) == (False, True)


def test_accuracy_is_better_only_if_the_exact_test_says_so() -> None:
    few, many = (
        compared(baseline=wrong(count, 1000), candidate=wrong(0, 1000), labels=np.zeros(1000, dtype=np.int64))
        for count in (5, 12)
    )

    assert verdicts(few)["accuracy"] == "SAME"
    assert verdicts(many)["accuracy"] == "BETTER"


def test_many_changed_predictions_that_hit_mistakes_are_not_better() -> None:
    finding = judge([compared(baseline=wrong(12), candidate=wrong(0))], Limits())[-1]

    assert (finding.quantity, finding.verdict) == (Quantity.ACCURACY, Verdict.UNDECIDED)
    assert "12 of 100 images changed class, 12 more right" in finding.sentence
    assert "the agreement is 0.880 (0.802 to 0.930) and its lower end must reach 0.963" in finding.sentence
    assert finding.sentence.endswith("use it as the new baseline if that is intended")
    assert not blocks(finding, strict=False)


@pytest.mark.parametrize(
    ("baseline", "candidate", "verdict"),
    [
        (Side("completed"), None, Verdict.MISSING),
        (None, Side("completed"), Verdict.NEW),
        (Side("completed"), Side("failed", "crash"), Verdict.BROKE),
        (Side("completed"), Side("skipped", "no runtime"), Verdict.BROKE),
        (Side("failed", "crash"), Side("completed"), Verdict.FIXED),
        (Side("failed", "crash"), Side("failed", "crash"), Verdict.INCOMPARABLE),
    ],
)
def test_a_variant_that_is_not_there_or_does_not_run_is_one_finding(
    baseline: Side | None, candidate: Side | None, verdict: Verdict
) -> None:
    (found,) = judge([compared(baseline=baseline, candidate=candidate)], Limits())

    assert (found.quantity, found.verdict) == (Quantity.CASE, verdict)
    assert blocks(found, strict=False) is (verdict in (Verdict.MISSING, Verdict.BROKE))


def test_what_cannot_be_decided_blocks_only_when_strict() -> None:
    (found, *_) = judge([compared(latency=Times(10, 10, estimate(1.0, 0.05)))], Limits())

    assert found.verdict is Verdict.UNDECIDED
    assert (blocks(found, strict=False), blocks(found, strict=True)) == (False, True)
    assert "not decided: the interval reaches" in found.sentence


def test_what_is_surely_within_the_limit_does_not_block_when_strict() -> None:
    (found, *_) = judge([compared(latency=Times(10, 10, estimate(0.97, 0.02)))], Limits())

    assert found.verdict is Verdict.UNDECIDED
    assert not blocks(found, strict=True)


def test_memory_beyond_its_limit_is_measured_again() -> None:
    grown = Side("completed", None, 100, (106,))
    findings = judge([compared(candidate=grown)], Limits())

    assert [one.quantity for one in grown_memory(findings)] == [Quantity.MEMORY]
    assert grown_memory(judge([compared()], Limits())) == []


def checked(candidate: Report, baseline: Report, **options: object) -> Checked:
    settings: dict[str, object] = {"limits": Limits(max_slowdown=0.15), **options}
    return check_reports(candidate, baseline, CheckOptions(**settings), "0", "now")  # type: ignore[arg-type]


def of(found: Checked, quantity: Quantity) -> Finding:
    return next(one for one in found.findings if one.quantity is quantity)


def test_two_reports_are_compared_in_units_of_their_controls() -> None:
    baseline = made_report({"onnx-fp32": Row(10)}, control=Row(1))
    slow_day = made_report({"onnx-fp32": Row(20)}, control=Row(2))
    slower = made_report({"onnx-fp32": Row(12.5)}, control=Row(1))

    assert of(checked(slow_day, baseline), Quantity.LATENCY).verdict is Verdict.SAME
    assert of(checked(slower, baseline), Quantity.LATENCY).ratio == pytest.approx(1.25)
    assert checked(slower, baseline).exit_code == 10
    assert checked(baseline, slower).exit_code == 0


def test_reports_of_two_hosts_compare_all_but_latency() -> None:
    baseline = made_report({"onnx-fp32": Row(10)})
    host = HOST.model_copy(update={"cpu": "Another CPU", "physical_cores": 8, "kernel": "2"})
    found = checked(made_report({"onnx-fp32": Row(5)}, host=host), baseline)

    latency = of(found, Quantity.LATENCY)
    assert latency.verdict is Verdict.INCOMPARABLE
    assert latency.sentence == "not comparable: CPU 'Another CPU', was 'Test CPU'; cores '8', was '2'"
    assert {of(found, one).verdict for one in (Quantity.MEMORY, Quantity.SIZE, Quantity.ACCURACY)} == {
        Verdict.SAME
    }
    assert found.exit_code == 12


def test_another_kernel_of_the_same_machine_is_comparable() -> None:
    other = made_report({"onnx-fp32": Row(10)}, host=HOST.model_copy(update={"kernel": "2"}))

    assert checked(other, made_report({"onnx-fp32": Row(10)})).exit_code == 0


def test_another_provider_is_incomparable_and_no_missing_variant() -> None:
    found = checked(made_report({"onnx-fp32": Row(10, provider="cuda")}), made_report({"onnx-fp32": Row(10)}))

    assert of(found, Quantity.LATENCY).sentence == "not comparable: provider 'cuda', was 'cpu'"


def test_a_report_with_too_few_processes_decides_nothing() -> None:
    quick = made_report({"onnx-fp32": Row(10, noise=(1.0,))}, name="quick one")
    found = of(checked(quick, made_report({"onnx-fp32": Row(10)})), Quantity.LATENCY)

    assert found.verdict is Verdict.UNDECIDED
    assert "'quick one' has too few processes for an interval" in found.sentence
    assert checked(quick, quick).exit_code == 12


def test_of_several_providers_one_that_is_gone_is_missing() -> None:
    report = made_report({"onnx-fp32": Row(10)})
    first, control = report.runs
    cuda, tensorrt = (on_provider(first, name) for name in ("cuda", "tensorrt"))
    before, after = (report.model_copy(update={"runs": (first, run, control)}) for run in (cuda, tensorrt))

    cases = {
        finding.case: finding.verdict
        for finding in checked(after, before).findings
        if finding.quantity is Quantity.CASE
    }

    assert cases == {"onnx-fp32@cuda": Verdict.MISSING, "onnx-fp32@tensorrt": Verdict.NEW}


def test_reports_of_other_evaluation_images_do_not_compare_accuracy() -> None:
    other = made_report({"onnx-fp32": Row(10, wrong=500)}, bundle=bundle(pack_sha256="f" * 64))

    assert of(checked(other, made_report({"onnx-fp32": Row(10)})), Quantity.ACCURACY).verdict is (
        Verdict.INCOMPARABLE
    )


def test_a_quick_report_is_judged_on_the_images_that_both_have() -> None:
    quick = made_report({"onnx-fp32": Row(10, wrong=10)}, images=100)
    found = of(checked(quick, made_report({"onnx-fp32": Row(10)})), Quantity.ACCURACY)

    assert found.ratio == pytest.approx(0.9)


def test_rows_that_came_went_broke_or_recovered_are_findings() -> None:
    baseline = made_report(
        {"onnx-fp32": Row(10), "onnx-int8": Row(4), "openvino-fp32": CRASH, "onnx-fp16": Row(9)}
    )
    candidate = made_report(
        {"onnx-fp32": Row(10), "onnx-int8": CRASH, "openvino-fp32": Row(8), "openvino-int8": Row(3)}
    )

    found = checked(candidate, baseline)

    cases = {one.variant: one.verdict for one in found.findings if one.quantity is Quantity.CASE}
    assert cases == {
        "onnx-int8": Verdict.BROKE,
        "openvino-fp32": Verdict.FIXED,
        "onnx-fp16": Verdict.MISSING,
        "openvino-int8": Verdict.NEW,
    }
    assert {one.verdict for one in found.blocking} == {Verdict.BROKE, Verdict.MISSING}


def test_if_nothing_ran_on_both_sides_nothing_was_comparable() -> None:
    report = made_report({"onnx-fp32": Skipped(reason="no runtime")})

    assert checked(report, report).exit_code == 12


def test_other_classes_are_wrong_input() -> None:
    other = made_report({"onnx-fp32": Row(10)}, bundle=bundle(classes=("normal", "covid")))

    with pytest.raises(InputError, match="'tiny'"):
        checked(other, made_report({"onnx-fp32": Row(10)}))


def test_only_named_variants_are_checked_and_unknown_ones_refused() -> None:
    report = made_report({"onnx-fp32": Row(10), "onnx-int8": Row(4)})

    assert {one.variant for one in checked(report, report, only=("onnx-int8",)).findings} == {"onnx-int8"}
    with pytest.raises(InputError, match="did you mean 'onnx-int8'"):
        checked(report, report, only=("onnx-int4",))


def test_the_interval_of_two_reports_is_that_of_both() -> None:
    noisy = made_report({"onnx-fp32": Row(10, noise=NOISY)})
    found = of(checked(noisy, made_report({"onnx-fp32": Row(10)})), Quantity.LATENCY)

    assert found.interval is not None
    assert found.interval[1] / found.interval[0] > 1.1
