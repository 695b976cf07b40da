"""The table of a paper: what it says of networks whose figures are known."""

from collections.abc import Mapping
from dataclasses import replace

import pytest
from benchmarks.paper_claims import PaperRow, claims, conditions, paper_rows, table
from making.compared_report import Row
from making.networks import network
from making.tiny_run import run_record

from bench.compare.comparing import compare_networks
from bench.compare.document import NetworkComparison
from models.records import MetricEstimate, RunRecord, WeightsRecord

ROWS = {
    "mobilenet_v2": Row(10, mib=100, size=8_900_000),
    "densenet121": Row(20, mib=120, size=27_800_000),
    "mobilenet_v3_small": Row(6, mib=70, size=6_000_000),
    "vgg16": Row(100, mib=700, size=537_000_000),
}
INT8 = {"onnx-int8": Row(5, mib=60, size=2_400_000, wrong=100)}


def run_of(arch: str, kind: str, accuracy: float = 0.95, auc: float = 0.96) -> RunRecord:
    """The record of a run with these figures on the validation images, and lower ones on the test images."""
    run = run_record({})
    evaluation = run.metrics.test.model_copy(
        update={
            "accuracy": MetricEstimate(value=accuracy, ci95=(accuracy - 0.01, accuracy + 0.01)),
            "auc": MetricEstimate(value=auc, ci95=(auc - 0.02, auc + 0.02)),
        }
    )
    test = evaluation.model_copy(update={"accuracy": MetricEstimate(value=0.85, ci95=(0.82, 0.88))})
    metrics = run.metrics.model_copy(update={"validation": evaluation, "test": test})
    weights = WeightsRecord.model_validate({"kind": kind, "name": kind, "sha256": None, "head_kept": False})
    return run.model_copy(update={"arch": arch, "weights": weights, "metrics": metrics})


def made_rows(
    *runs: RunRecord, changed: Mapping[str, Row] | None = None
) -> tuple[list[PaperRow], NetworkComparison]:
    """The rows of these trainings; of MobileNetV2 there is int8 as well."""
    measured = ROWS | dict(changed or {})
    reports = [
        network(run.arch, {"onnx-fp32": measured[run.arch], **(INT8 if run.arch == "mobilenet_v2" else {})})
        for run in runs
    ]
    largest = compare_networks(reports, f"{runs[-1].arch}/onnx-fp32")
    compared = compare_networks(reports, "mobilenet_v2/onnx-fp32")
    accuracy = next(run.accuracy for run in reports[0].runs if run.variant == "onnx-int8")
    assert accuracy is not None
    return paper_rows({run.arch: run for run in runs}, compared, largest, accuracy), compared


def all_three(**of_mobilenet: float) -> list[PaperRow]:
    """MobileNetV2 from ImageNet beside two larger networks from none."""
    others = [run_of("densenet121", "none"), run_of("vgg16", "none")]
    return made_rows(run_of("mobilenet_v2", "imagenet", **of_mobilenet), *others)[0]


def answers(rows: list[PaperRow]) -> list[str]:
    """What was measured of each claim."""
    return [line.split(" | ")[1].removesuffix(" |") for line in claims(rows)[2:]]


def test_the_table_has_a_row_for_each_file_against_the_largest() -> None:
    heading, _, first, int8, *others = table(all_three())

    assert heading.count("|") == first.count("|") == 13
    assert "times as small as VGG-16" in heading
    assert first.startswith("| MobileNetV2, fp32 | ImageNet | 0.950 | 0.850 (0.820 to 0.880) | 0.960 (0.940 ")
    assert first.endswith("| 8.9 | 2.2 | 310.0 | 10.00 (10.00 to 10.00) | 100 | 60.3 | 10.0 (10.0 to 10.0) |")
    assert int8.startswith("| MobileNetV2, int8 | ImageNet | – | 0.900 (0.88")
    assert [line.split(" | ")[1] for line in others] == ["none", "none"]
    assert others[-1].endswith("| 700 | – | – |")


@pytest.mark.parametrize(
    ("accuracy", "auc", "expected"),
    [
        (0.95, 0.96, "accuracy 95.0 %, which is at least that; AUC 0.960, which is at least that"),
        (0.9, 0.96, "accuracy 90.0 %, which is less; AUC 0.960, which is at least that"),
        (0.912, 0.94, "accuracy 91.2 %, which is at least that; AUC 0.940, which is less"),
    ],
)
def test_accuracy_and_auc_are_judged_each(accuracy: float, auc: float, expected: str) -> None:
    answer = answers(all_three(accuracy=accuracy, auc=auc))[0]

    assert f"From ImageNet, on 8 validation images: {expected}." in answer
    assert "accuracy 0.850 (0.820 to 0.880)" in answer
    assert "in int8 accuracy 0.900" in answer
    assert "DenseNet-121, VGG-16 started from none: compare them with MobileNetV2 from none alone." in answer


def test_networks_of_one_start_are_compared_without_a_reservation() -> None:
    rows, _ = made_rows(run_of("mobilenet_v2", "imagenet"), run_of("vgg16", "imagenet"))

    assert "from none" not in answers(rows)[0]


def test_sizes_are_of_the_measured_files_and_of_as_many_classes_as_imagenet_has() -> None:
    _, size, larger, _ = answers(all_three())

    assert size.startswith("With 2 classes 8.9 MB in fp32, in int8 2.4 MB; ")
    assert "14.0 MB in fp32 (computed)" in size
    assert larger == "True of VGG-16 among 2 larger networks: DenseNet-121 has 27.8 MB, VGG-16 has 537.0 MB."


def test_speed_is_judged_for_both_meanings_of_faster() -> None:
    speed = answers(all_three())[3]

    assert (
        "2.0 (2.0 to 2.0) times as fast as DenseNet-121, 10.0 (10.0 to 10.0) times as fast as VGG-16" in speed
    )
    assert "60 % faster may mean 1.6 times as fast, true of DenseNet-121, VGG-16; or " in speed
    assert speed.endswith("60 % less time, true of VGG-16.")


def test_a_speed_whose_interval_does_not_reach_a_claim_is_not_called_true() -> None:
    noise = (0.6, 1.4, 0.7, 1.3, 1.0, 1.0, 0.8, 1.2)
    drifting = replace(ROWS["densenet121"], ms=26, noise=noise)
    rows, _ = made_rows(
        run_of("mobilenet_v2", "none"), run_of("densenet121", "none"), changed={"densenet121": drifting}
    )

    assert "1.6 times as fast, true of DenseNet-121" in answers(rows)[3]
    assert "less time, true of none" in answers(rows)[3]


def test_without_a_larger_network_nothing_is_claimed_of_it() -> None:
    rows, _ = made_rows(run_of("mobilenet_v2", "none"), run_of("mobilenet_v3_small", "none"))

    assert answers(rows)[2:] == [
        "No larger network was measured.",
        "No latency of a larger network was measured.",
    ]


def test_a_network_that_gives_every_image_one_class_is_named() -> None:
    learned, idle = run_of("mobilenet_v2", "none"), run_of("vgg16", "none")
    same = idle.metrics.test.model_copy(update={"confusion": ((0, 4), (0, 4))})
    idle = idle.model_copy(update={"metrics": idle.metrics.model_copy(update={"test": same})})

    text = conditions(*made_rows(learned, idle)[:1], 224, made_rows(learned, idle)[1])

    assert text.endswith("One class was the answer to every test image: VGG-16.")
    assert "at 224×224, batch 1" in text
