"""Two candidates held against each other in what is preferred, and why that may not be decided."""

import pytest
from making.compared_report import Row, bundle, made_report, outcome
from making.tiny_report import HOST, MS

from bench.choose.candidates import Candidate
from bench.choose.comparing import Preference, Relation, compare
from bench.devices.projection.projected import Projected
from bench.measurements import Energy, Outcome
from bench.report.schema import Report
from bench.run_config import RunConfig

RANGE = Projected(
    low_ns=10 * MS, high_ns=20 * MS, basis="a run", basis_precision="fp32", basis_ns=MS, factors=()
)


def candidate(report: Report, variant: str = "onnx-fp32", **changes: object) -> Candidate:
    run = next(run for run in report.runs if run.variant == variant)
    return Candidate(variant, report, run.model_copy(update=changes))


def two(**changes: object) -> tuple[Candidate, Candidate]:
    """A candidate of one report, and one of a report that is changed."""
    return candidate(made_report({"onnx-fp32": Row(10)})), candidate(
        made_report({"onnx-fp32": Row(10)}, **changes)  # type: ignore[arg-type]
    )


def test_memory_and_size_are_compared_exactly() -> None:
    report = made_report({"onnx-fp32": Row(10), "onnx-int8": Row(10, mib=50, size=3_000_000)})
    one, other = candidate(report), candidate(report, "onnx-int8")

    assert compare(one, other, Preference.MEMORY).ratio == pytest.approx(2)
    assert compare(one, other, Preference.SIZE).ratio == pytest.approx(3)
    assert compare(one, other, Preference.SIZE).is_exact


def test_energy_is_compared_where_it_was_measured() -> None:
    meter = Energy(method="rapl", domain="package", inferences=10, seconds=1, joules=2, idle_watts=1)
    twice = meter.model_copy(update={"joules": 4.0})
    rows: dict[str, Row | Outcome] = {
        "onnx-fp32": outcome(Row(10)).model_copy(update={"energy": twice}),
        "onnx-int8": outcome(Row(10), "int8").model_copy(update={"energy": meter}),
        "onnx-fp16": Row(10),
    }
    report = made_report(rows)
    more, less = candidate(report), candidate(report, "onnx-int8")

    assert compare(more, less, Preference.ENERGY).ratio == pytest.approx(2)
    assert compare(candidate(report, "onnx-fp16"), less, Preference.ENERGY).relation is Relation.WORSE
    assert compare(less, candidate(report, "onnx-fp16"), Preference.ENERGY).relation is Relation.BETTER


@pytest.mark.parametrize(
    ("changes", "because"),
    [
        ({"host": HOST.model_copy(update={"cpu": "Another"})}, "under other conditions: CPU"),
        ({"runs": ()}, "control workload's runtime"),
    ],
)
def test_latencies_of_other_machines_are_not_decided(changes: dict[str, object], because: str) -> None:
    one, other = two()
    moved = Candidate(other.name, other.report.model_copy(update=changes), other.run)

    found = compare(one, moved, Preference.LATENCY)

    assert found.relation is Relation.UNDECIDED
    assert found.because is not None
    assert because in found.because


def test_latencies_with_other_threads_are_not_decided() -> None:
    one, other = two()
    threaded = Candidate(
        other.name,
        other.report,
        other.run.model_copy(update={"config": RunConfig(provider="cpu", threads=7)}),
    )

    because = compare(one, threaded, Preference.LATENCY).because

    assert because == "measured with other options: threads '2', was '7'"


def test_reports_of_two_runtimes_are_compared_though_their_providers_have_other_names() -> None:
    one, other = two()
    elsewhere = other.run.model_copy(update={"config": other.run.config.model_copy(update={"provider": "X"})})

    found = compare(one, Candidate(other.name, other.report, elsewhere), Preference.LATENCY)

    assert found.because is None
    assert found.relation is Relation.TIE


def test_reports_are_compared_through_their_controls_where_both_have_one() -> None:
    one, other = two()
    none = made_report({"onnx-fp32": Row(10)})
    bare = none.model_copy(update={"runs": none.runs[:1]})

    assert compare(one, other, Preference.LATENCY).relation is Relation.TIE
    found = compare(candidate(bare), candidate(bare.model_copy()), Preference.LATENCY)
    assert found.because is not None
    assert "has no control workload" in found.because


def test_a_range_and_a_figure_of_a_proxy_are_not_decided() -> None:
    report = made_report({"onnx-fp32": Row(10)}, provenance="proxy")
    range_, figure = candidate(report, projection=RANGE), candidate(report)

    found = compare(range_, figure, Preference.LATENCY)

    assert found.because == "only one of the two is projected; measure on the device"
    assert compare(range_, range_, Preference.LATENCY).relation is Relation.UNDECIDED


def test_accuracy_on_other_images_is_not_decided() -> None:
    one, other = two(bundle=bundle(pack_sha256="9" * 64))

    assert compare(one, other, Preference.ACCURACY).because == "evaluated on other images"


def test_accuracy_of_what_was_not_judged_is_not_decided() -> None:
    report = made_report({"onnx-fp32": Row(10), "onnx-int8": Row(10, wrong=400)})
    one, other = candidate(report), candidate(report, "onnx-int8")
    assert one.run.completed is not None
    unjudged = one.run.completed.model_copy(update={"logits": None})
    silent = Candidate("silent", report, one.run.model_copy(update={"outcome": unjudged}))

    assert compare(silent, other, Preference.ACCURACY).because == "it was not evaluated"
    assert compare(other, one, Preference.ACCURACY).relation is Relation.WORSE
