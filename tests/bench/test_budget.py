"""The profile's budget: what a row breaks is said, and what cannot be judged too."""

from making.tiny_report import EVALUATION, completed, process

from bench.bundle.variants import Precision
from bench.devices.projection.projected import Factor, projected
from bench.measurements import Completed
from bench.report.summaries import References, Summary, summarise
from bench.run.budget import over_budget, projected_over_budget
from bench.run.rows import raw_of
from device_profiles.settings import Budget

LIMIT = Budget(p95_ms=100, source="limits, for tests")


def summary_of(outcome: Completed) -> Summary:
    raw = raw_of(outcome)
    assert raw is not None
    return summarise(raw, Precision.FP32, EVALUATION, References())


def test_a_p95_over_the_budget_is_said() -> None:
    many = completed(1, processes=(process(150, passes=50),))

    assert over_budget(summary_of(many), 1, LIMIT, "measured")[0].startswith("p95 latency 2")


def test_with_too_few_samples_for_a_p95_the_median_is_judged() -> None:
    assert over_budget(summary_of(completed(150)), 1, LIMIT, "measured") == [
        "p50 latency 151.5 ms is over the budget's 100 ms"
    ]


def test_what_cannot_be_judged_is_said() -> None:
    found = over_budget(summary_of(completed(10)), 1, LIMIT, "measured")

    assert found == ["p95 latency is not judged against the budget: 4 samples are too few for a p95"]


def test_the_latency_of_a_proxy_is_not_the_devices_and_is_not_judged() -> None:
    assert over_budget(summary_of(completed(150)), 1, LIMIT, "proxy") == []


def test_a_projection_is_over_the_budget_if_all_of_it_is() -> None:
    beyond = projected("a basis", "fp32", 150, [Factor(what="a step", value=1, reach=1.2)])
    around = projected("a basis", "fp32", 110, [Factor(what="a step", value=1, reach=1.2)])

    assert projected_over_budget(beyond, LIMIT) == [
        "projected latency 125 to 180 ms is over the budget's 100 ms"
    ]
    assert projected_over_budget(around, LIMIT) == []
