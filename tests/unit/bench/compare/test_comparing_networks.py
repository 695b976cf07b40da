"""Networks side by side: what each row is compared with, and what is not compared."""

import pytest
from making.compared_report import Row
from making.model_report import every_kind, model_report
from making.networks import JOINT_RUN, network, two_networks
from making.tiny_report import MS

from bench.compare.comparing import compare_networks
from bench.compare.document import NOTHING_COMPARED, AgainstBaseline, NetworkComparison, NetworkRow
from bench.devices.projection.projected import Projected
from bench.errors import InputError
from bench.measurements import Skipped
from bench.report.schema import Report


def row(comparison: NetworkComparison, name: str) -> NetworkRow:
    return next(row for row in comparison.rows if row.name == name)


def pair(comparison: NetworkComparison, name: str) -> AgainstBaseline:
    against = row(comparison, name).against
    assert against is not None
    return against


def changed_rows(report: Report, **changes: object) -> Report:
    runs = (run.model_copy(update=changes) if run.is_variant else run for run in report.runs)
    return report.model_copy(update={"runs": tuple(runs)})


def test_each_row_is_compared_with_the_same_variant_of_the_first_network() -> None:
    comparison = compare_networks(two_networks())

    assert comparison.baseline == "resnet"
    fp32 = pair(comparison, "mobilenet/onnx-fp32")
    assert fp32.baseline == "resnet/onnx-fp32"
    assert fp32.times_as_small == pytest.approx(44 / 9)
    assert fp32.memory_ratio == pytest.approx(2)
    assert fp32.times_as_fast is not None
    assert fp32.times_as_fast.value == pytest.approx(2, rel=0.05)
    assert fp32.times_as_fast.ci95 is not None
    assert fp32.times_as_fast.ci95[0] < 2 < fp32.times_as_fast.ci95[1]
    assert fp32.times_as_fast.provenance == "measured"
    assert fp32.accuracy is not None
    assert fp32.accuracy.value == pytest.approx(-0.02)
    assert fp32.accuracy.ci95[0] < -0.02 < fp32.accuracy.ci95[1] < 0
    assert pair(comparison, "mobilenet/onnx-int8").baseline == "resnet/onnx-int8"
    assert row(comparison, "resnet/onnx-fp32").is_baseline
    assert comparison.exit_code == 0


def test_a_row_has_its_figures_with_those_of_its_network() -> None:
    figures = row(compare_networks(two_networks()), "mobilenet/onnx-fp32")

    assert (figures.network, figures.case, figures.status) == ("mobilenet", "onnx-fp32", "completed")
    assert (figures.macs, figures.parameters) == (310_000_000, 2_230_000)
    assert figures.accuracy == pytest.approx(0.98)
    assert figures.accuracy_ci95 is not None
    assert figures.accuracy_ci95[0] < 0.98 < figures.accuracy_ci95[1]
    assert (figures.size_bytes, figures.images) == (9_000_000, 1000)


def test_the_front_is_of_all_networks_formats_and_precisions() -> None:
    reports = two_networks()
    worse = network("worse", {"onnx-fp32": Row(30, mib=300, size=50_000_000, wrong=50)})

    comparison = compare_networks([*reports, worse])

    assert [each.name for each in comparison.front] == [
        "resnet/onnx-fp32",
        "resnet/onnx-int8",
        "mobilenet/onnx-fp32",
        "mobilenet/onnx-int8",
    ]
    assert comparison.judged_by == "accuracy"


@pytest.mark.parametrize("baseline", ["mobilenet", "mobilenet/onnx-int8"])
def test_the_baseline_is_a_network_or_a_single_row(baseline: str) -> None:
    comparison = compare_networks(two_networks(), baseline)

    assert pair(comparison, "resnet/onnx-int8").baseline == "mobilenet/onnx-int8"
    fp32 = "mobilenet/onnx-fp32" if baseline == "mobilenet" else "mobilenet/onnx-int8"
    assert pair(comparison, "resnet/onnx-fp32").baseline == fp32
    own = row(comparison, "mobilenet/onnx-fp32")
    assert own.is_baseline is (baseline == "mobilenet")


def test_an_unknown_baseline_is_refused_with_what_was_meant() -> None:
    with pytest.raises(InputError, match="did you mean 'resnet'"):
        compare_networks(two_networks(), "resnt")


def test_a_variant_that_the_baseline_lacks_or_that_did_not_run_is_said() -> None:
    large = network("large", {"onnx-fp32": Row(10), "onnx-int8": Skipped(reason="no such runtime here")})
    small = network(
        "small", {"onnx-int8": Row(5), "openvino-fp32": Row(6), "torchscript-fp32": Skipped(reason="x")}
    )

    comparison = compare_networks([large, small])

    assert row(comparison, "small/onnx-int8").against_gap == "large/onnx-int8 was skipped"
    assert row(comparison, "small/openvino-fp32").against_gap == "large has no openvino-fp32"
    assert row(comparison, "small/torchscript-fp32").against_gap == "it was skipped"
    assert comparison.exit_code == NOTHING_COMPARED


def test_a_baseline_with_a_single_row_is_compared_with_every_row() -> None:
    large = network("large", {"onnx-fp32": Row(10)})
    small = network("small", {"onnx-int8": Row(5), "openvino-fp32": Row(6)})

    comparison = compare_networks([large, small])

    assert pair(comparison, "small/openvino-fp32").baseline == "large/onnx-fp32"


@pytest.mark.parametrize(
    ("changes", "gap"),
    [
        ({"samples": "8" * 64}, "evaluated on other images"),
        ({"samples": None}, "evaluated on other images"),
        (
            {"samples": "8" * 64, "bundle": {"image_size": 64}},
            r"two sizes (64×64 and 32×32), which are not known",
        ),
        (
            {"samples": "8" * 64, "sources": "a" * 64, "bundle": {"image_size": 64}},
            r"two sizes (64×64 and 32×32), which are not known",
        ),
        (
            {"bundle": {"classes": ("a", "b")}},
            "'large' has the classes 'normal', 'pneumonia'",
        ),
        ({"labels": (0,) * 999 + (1,)}, "the same images have other labels"),
        ({"classes": ("normal", "pneumonia", "other")}, "has the classes"),
    ],
)
def test_accuracy_of_other_images_or_classes_is_not_compared(changes: dict[str, object], gap: str) -> None:
    large = network("large", {"onnx-fp32": Row(20)})
    small = network("small", {"onnx-fp32": Row(10, size=1_000_000)}, **changes)  # type: ignore[arg-type]

    comparison = compare_networks([large, small])

    against = pair(comparison, "small/onnx-fp32")
    assert against.accuracy is None
    assert against.accuracy_gap is not None
    assert gap in against.accuracy_gap
    assert against.agreement is None
    assert against.times_as_fast is not None
    assert any("accuracy of small is not compared" in note for note in comparison.notes)
    assert comparison.judged_by == "nothing"
    assert [each.name for each in comparison.front] == ["small/onnx-fp32"]


def test_networks_of_two_image_sizes_are_compared_on_images_that_were_the_same_before_resizing() -> None:
    large = network("large", {"onnx-fp32": Row(20, wrong=10)}, sources="a" * 64)
    small = network(
        "small",
        {"onnx-fp32": Row(10, wrong=30)},
        samples="8" * 64,
        sources="a" * 64,
        bundle={"image_size": 64},
    )

    comparison = compare_networks([large, small])

    against = pair(comparison, "small/onnx-fp32")
    assert against.accuracy is not None
    assert against.accuracy.value == pytest.approx(-0.02)
    assert against.agreement == pytest.approx(0.98)
    assert comparison.judged_by == "accuracy"
    assert comparison.notes == ("small: another input: 64×64, was 32×32",)


def test_without_labels_two_networks_are_compared_by_their_agreement() -> None:
    large = network("large", {"onnx-fp32": Row(20)})
    small = network("small", {"onnx-fp32": Row(10, wrong=100)})
    unlabelled = []
    for report in (large, small):
        assert report.evaluation is not None
        evaluation = report.evaluation.model_copy(update={"labels": None, "positive_class": None})
        unlabelled.append(report.model_copy(update={"evaluation": evaluation}))

    against = pair(compare_networks(unlabelled), "small/onnx-fp32")

    assert against.accuracy is None
    assert against.accuracy_gap == "the samples have no labels"
    assert against.agreement == pytest.approx(0.9)


def test_a_projected_latency_is_compared_only_with_a_projected_one() -> None:
    projected = Projected(
        low_ns=10 * MS, high_ns=20 * MS, basis="a run", basis_precision="fp32", basis_ns=MS, factors=()
    )
    large, small = network("large", {"onnx-fp32": Row(20)}), network("small", {"onnx-fp32": Row(10)})
    with_range = changed_rows(large, provenance="proxy", projection=projected)
    without = changed_rows(small, provenance="proxy")

    one = compare_networks([with_range, without])
    both = compare_networks([with_range, changed_rows(small, provenance="proxy", projection=projected)])

    assert pair(one, "small/onnx-fp32").times_as_fast is None
    assert pair(one, "small/onnx-fp32").latency_gap == "only one of the two is projected for the device"
    assert "not projected" in (row(one, "small/onnx-fp32").not_ranked or "")
    ratio = pair(both, "small/onnx-fp32").times_as_fast
    assert ratio is not None
    assert (ratio.provenance, ratio.ci95) == ("projected", (0.5, 2.0))


def test_a_proxys_latency_is_not_compared_with_a_measured_one() -> None:
    large, small = network("large", {"onnx-fp32": Row(20)}), network("small", {"onnx-fp32": Row(10)})

    comparison = compare_networks([large, changed_rows(small, provenance="proxy")])

    assert pair(comparison, "small/onnx-fp32").times_as_fast is None
    assert [each.name for each in comparison.front] == ["large/onnx-fp32"]
    assert comparison.exit_code == NOTHING_COMPARED


def test_too_few_processes_give_a_ratio_without_interval() -> None:
    rows = {"onnx-fp32": Row(20, noise=(1.0,))}
    comparison = compare_networks([network("large", rows), network("small", rows)])

    ratio = pair(comparison, "small/onnx-fp32").times_as_fast
    assert ratio is not None
    assert (ratio.value, ratio.ci95) == (1, None)
    assert ratio.because == "its report has too few processes for an interval"


def test_model_files_are_networks_whose_outputs_are_compared_with_the_first() -> None:
    report = model_report(every_kind()).model_copy(update={"joint_run": JOINT_RUN})

    comparison = compare_networks([report])

    first, second, *_ = comparison.rows
    assert comparison.networks[:2] == (first.name, second.name)
    assert first.is_baseline
    assert second.against is not None
    assert second.against.accuracy_gap == "model files are measured without labels"
    assert second.against.agreement == report.runs[1].outputs.agreement  # type: ignore[union-attr]


@pytest.mark.parametrize("joint_run", [None, "6" * 64])
def test_reports_that_were_not_measured_together_are_refused(joint_run: str | None) -> None:
    large, small = two_networks()

    with pytest.raises(InputError, match="'mobilenet' was not measured together with the others"):
        compare_networks([large, small.model_copy(update={"joint_run": joint_run})])


def test_a_single_network_is_refused() -> None:
    with pytest.raises(InputError, match="'resnet' is the only network"):
        compare_networks(two_networks()[:1])


def test_a_comparison_can_be_read_again() -> None:
    comparison = compare_networks(two_networks())

    assert NetworkComparison.model_validate_json(comparison.model_dump_json(by_alias=True)) == comparison
