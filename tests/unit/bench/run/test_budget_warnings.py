"""The profile's budget: what a row breaks is said, and what cannot be judged too."""

import numpy as np
import pytest
from making.compared_report import Row, made_report
from making.tiny_report import EVALUATION, MIB, completed, process

from bench.bundle.variants import Precision
from bench.choose.choosing import Criteria, choose
from bench.devices.projection.projected import Factor, projected
from bench.devices.terms import Provenance
from bench.measurements import Completed, ProcessMemory
from bench.report.summaries import References, summarise
from bench.run.budget_warnings import over_budget, projected_over_budget
from bench.statistics.accuracy import Paired
from device_profiles.settings import Budget

LIMIT = Budget(p95_ms=100, source="limits, for tests")


def warnings_of(outcome: Completed, provenance: Provenance = "measured", budget: Budget = LIMIT) -> list[str]:
    latency = summarise(outcome, Precision.FP32, EVALUATION, References()).latency
    return over_budget(latency, outcome.memory.highest_bytes, 1, None, budget, provenance)


@pytest.mark.parametrize("labels", [1, 3])
def test_how_many_images_would_decide_about_retention_is_said(labels: int) -> None:
    latency = summarise(completed(1), Precision.FP32, EVALUATION, References()).latency
    right = np.arange(120)[:, None] % 2 * np.ones((1, labels)) == 1
    paired = Paired.of(right, right)
    budget = Budget(retention=0.99, source="limits, for tests")

    (sentence,) = over_budget(latency, MIB, 1, paired, budget, "measured")

    assert "194 images like these 120 would decide it" in sentence


def test_a_p95_over_the_budget_is_said() -> None:
    many = completed(1, processes=(process(150, passes=50),))

    assert warnings_of(many)[0].startswith("p95 latency 2")


def test_with_too_few_samples_for_a_p95_the_median_is_judged() -> None:
    assert warnings_of(completed(150)) == ["p50 latency 151.5 ms is over the budget's 100 ms"]


def test_what_cannot_be_judged_is_said() -> None:
    assert warnings_of(completed(10)) == [
        "p95 latency is not compared with the budget: 4 samples are too few for a p95"
    ]


def test_the_latency_of_a_proxy_is_not_the_devices_and_is_not_judged() -> None:
    assert warnings_of(completed(150), "proxy") == []


def test_a_projection_is_over_the_budget_if_all_of_it_is() -> None:
    beyond = projected("a basis", "fp32", 150, [Factor(what="a step", value=1, reach=1.2)])
    around = projected("a basis", "fp32", 110, [Factor(what="a step", value=1, reach=1.2)])

    assert projected_over_budget(beyond, LIMIT) == [
        "projected latency 125 to 180 ms is over the budget's 100 ms"
    ]
    assert projected_over_budget(around, LIMIT) == []


MEMORY = Budget(memory_mb=90, source="limits, for tests")


def test_without_a_peak_what_is_resident_after_loading_is_held_against_the_limit_of_memory() -> None:
    no_peak = ProcessMemory(runtime_bytes=1, loaded_bytes=91 * MIB, peak_bytes=None, proportional_bytes=None)

    assert warnings_of(completed(10), budget=MEMORY) == []
    assert warnings_of(completed(10, memory=no_peak), budget=MEMORY) == [
        "peak memory 91 MiB is over the budget's 90 MiB"
    ]


@pytest.mark.parametrize(
    ("wrong", "images", "result"),
    [
        (0, 1000, None),
        (3, 200, "not shown to keep the accuracy"),
        (200, 1000, "loses accuracy"),
    ],
)
def test_the_budgets_warning_and_the_choice_judge_retention_by_one_rule(
    wrong: int, images: int, result: str | None
) -> None:
    report = made_report({"onnx-int8": Row(4, wrong=wrong), "onnx-fp32": Row(10)}, images=images)
    budget = report.profile.budget
    assert budget.retention is not None

    ((choice, _),) = choose([report], Criteria(Budget()))
    (candidate,) = [row for row in choice.candidates if row.name == "onnx-int8"]
    said = [warning for warning in report.runs[0].warnings if "retention" in warning]

    if result is None:
        assert said == []
        assert candidate.result == "chosen"
    else:
        assert candidate.result == result
        verb = "" if result == "loses accuracy" else "is "
        required = f"the budget requires a retention of {budget.retention:g}"
        assert said == [f"{required}, and this variant {verb}{result}: {candidate.reason}"]


def test_a_class_that_is_lost_is_the_first_warning_of_its_row() -> None:
    rows = {"onnx-int8": Row(4, answers=(0,) * 404), "onnx-fp32": Row(10, answers=(0,) * 400 + (1,) * 4)}
    report = made_report(rows, labels=(0,) * 400 + (1,) * 4, classes=("healthy", "ill"))

    assert report.runs[0].warnings[0] == (
        "loses class 'ill': recall 0.00 instead of 1.00 on 4 images: ship another variant"
    )
    assert not any("loses class" in warning for warning in report.runs[1].warnings)
