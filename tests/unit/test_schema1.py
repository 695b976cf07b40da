"""Files of schema 1, which commit 958dad5 wrote into tests/data/schema1, are read for ever."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from making.repository import ROOT
from typer.testing import CliRunner

from bench.bundle.manifest import read_bundle
from bench.bundle.variants import Precision
from bench.errors import InputError, ReportMismatchError
from bench.report.files import read_report
from bench.report.schema import Report, Run, Summary
from bench.report.schema1 import to_schema_2
from device_profiles.loading import load_profile
from edgefit.app import app
from models.run_folder import read_run
from user_files.hashes import sha256_of

FOLDER = ROOT / "tests" / "data" / "schema1"


def assert_row_unchanged(before: dict[str, Any], run: Run) -> None:
    """Hold a row against the one of schema 1 that it was made from: what it is, and every figure."""
    assert (run.config.provider, run.config.threads) == (before["provider"], before["threads"])
    assert (run.format, run.runtime, run.size_bytes) == (
        before["format"],
        before["runtime"],
        before["size_bytes"],
    )
    assert run.variant == {"yardstick": "control"}.get(before["variant"], before["variant"])
    assert run.provenance == {"stand-in": "proxy"}.get(before["standing"], before["standing"])
    assert (run.status, run.reason, run.warnings) == (
        before["status"],
        before["reason"],
        tuple(before["warnings"]),
    )
    assert run.projection_reason == before["projection_reason"]
    assert run.summary is not None
    assert_times_unchanged(before, run.summary)
    ratio = run.summary.relative_to_control
    assert (None if ratio is None else ratio.ratio) == before["per_yardstick"]
    ratio = run.summary.relative_to_fp32
    assert (None if ratio is None else ratio.ratio) == before["per_fp32"]
    accuracy = None if run.accuracy is None else run.accuracy.model_dump(mode="json")
    assert (accuracy is None) == (before["accuracy"] is None)
    if accuracy is not None:
        assert accuracy.items() >= before["accuracy"].items()
        assert accuracy["balanced_accuracy"] is not None  # schema 1 did not have it
    assert run.completed is not None
    memory = run.completed.memory
    for part in ("runtime", "loaded", "peak", "device", "proportional"):
        size_bytes, size_mib = getattr(memory, f"{part}_bytes"), before["memory_mb"][part]
        assert size_bytes == (None if size_mib is None else size_mib * 2**20)
    assert run.completed.predictions_cached_at == before["answers_from"]
    assert sum(len(process.blocks) for process in run.completed.processes) == sum(
        len(process["blocks"]) for process in before["raw"]["processes"]
    )
    assert [block.ns for process in run.completed.processes for block in process.blocks] == [
        tuple(block["ns"]) for process in before["raw"]["processes"] for block in process["blocks"]
    ]


def assert_times_unchanged(before: dict[str, Any], summary: Summary) -> None:
    """Hold a row's times in ns against those in ms that it was made from."""
    latency, old = summary.latency, before["latency_ms"]
    times = {f"{name}_ns": old[name] for name in ("p50", "p90", "p95", "p99", "mean", "min", "max")}
    times |= {f"{name}_upper_ns": bound for name, bound in old["upper"].items()}
    for key, value_ms in times.items():
        assert getattr(latency, key) == (None if value_ms is None else pytest.approx(value_ms * 1e6))
    assert (latency.samples, latency.processes) == (old["samples"], old["processes"])
    assert (latency.relative_range, latency.unsupported) == (old["spread"], old["unsupported"])
    assert latency.p50_ci95_ns == old["p50_ci95"] is None
    assert summary.import_ns == pytest.approx(before["import_ms"] * 1e6)
    assert summary.load_ns == pytest.approx(before["load_ms"] * 1e6)
    assert summary.first_inference_ns == pytest.approx(before["first_inference_ms"] * 1e6)
    assert summary.file_cache == before["file_cache"]


def changed(path: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    """Write a report of schema 1 with a change of its first row."""
    document = json.loads((FOLDER / "report.json").read_text())
    change(document["runs"][0])
    path.write_text(json.dumps(document))
    return path


def test_a_figure_of_schema_1_that_was_changed_by_hand_is_refused(tmp_path: Path) -> None:
    def faster(row: dict[str, Any]) -> None:
        row["latency_ms"]["p50"] /= 2

    with pytest.raises(
        ReportMismatchError, match=r"'summary\.latency\.p50_ns' does not match the measurements"
    ):
        read_report(changed(tmp_path / "r.json", faster))


@pytest.mark.parametrize("damage", [{"p50_ci95": []}, {"p50": "fast"}, {}, {"p50": 1e999}])
def test_a_damaged_report_of_schema_1_is_called_so(tmp_path: Path, damage: dict[str, Any]) -> None:
    def spoil(row: dict[str, Any]) -> None:
        row["latency_ms"] = damage

    with pytest.raises(InputError, match=r"r\.json: this report of schema 1 is damaged"):
        read_report(changed(tmp_path / "r.json", spoil))


@pytest.mark.parametrize("unit", [1.0, 1e6])
def test_the_interval_of_the_median_is_read_in_ms_and_in_ns_as_schema_1_first_had_it(unit: float) -> None:
    document = json.loads((FOLDER / "report.json").read_text())
    document["runs"][0]["latency_ms"]["p50_ci95"] = [1.1 * unit, 1.3 * unit]

    row, *_ = to_schema_2(document)["runs"]

    assert row["summary"]["latency"]["p50_ci95_ns"] == pytest.approx([1.1e6, 1.3e6])


def test_rows_of_schema_1_that_did_not_complete_keep_their_reason_and_what_was_asked_for() -> None:
    document = json.loads((FOLDER / "report.json").read_text())
    nothing = {**document["runs"][0], "raw": None, "latency_ms": None, "accuracy": None, "runtime": None}
    failure = {"stage": "load", "kind": "crash", "message": "died of SIGSEGV"}
    document["runs"][:2] = [
        {**nothing, "status": "failed", "reason": "crash", "failure": failure},
        {**nothing, "variant": "onnx-int8", "status": "skipped", "reason": "no runtime"},
    ]

    report = Report.model_validate_json(json.dumps(to_schema_2(document)))

    failed, skipped = report.runs[:2]
    assert (failed.status, failed.reason) == ("failed", "crash in stage load: died of SIGSEGV")
    assert (skipped.status, skipped.reason) == ("skipped", "no runtime")
    assert (failed.precision, failed.summary) == (Precision.INT8, None)


def test_a_row_of_schema_1_without_an_executed_graph_names_no_precision_that_ran(tmp_path: Path) -> None:
    def without_graph(row: dict[str, Any]) -> None:
        row["raw"]["executed"] = None
        row["precision_ran"] = {**dict.fromkeys(row["precision_ran"]), "requested": "int8"}

    row = read_report(changed(tmp_path / "r.json", without_graph)).runs[0]

    assert row.precision is Precision.INT8
    assert row.summary is not None
    assert row.summary.precision_ran is None


def test_the_memory_limit_of_a_proxy_comes_out_in_bytes() -> None:
    report = read_report(FOLDER / "report-proxy.json")

    assert report.proxy is not None
    assert report.proxy.memory_limit_bytes == 1024 * 2**20
    assert [rate.relative_range for rate in report.proxy.host_rates] == [0.117, 2.978, 0.779]


def test_a_run_folder_is_read_and_its_network_built() -> None:
    run = read_run(FOLDER / "run")

    assert (run.record.schema_, run.record.image_size) == (1, 32)
    assert not run.network().training


def test_a_bundle_is_read_and_names_no_class_of_cpus() -> None:
    bundle = read_bundle(FOLDER / "bundle")

    assert bundle.manifest.schema_ == 1
    assert [each.variant for each in bundle.manifest.artifacts] == [
        "torchscript-int8",
        "onnx-int8",
        "openvino-int8",
    ]
    assert all(each.cpu is None and each.classes == () for each in bundle.manifest.artifacts)


@pytest.mark.parametrize("name", ["report.json", "report-proxy.json"])
def test_a_report_is_read_shown_and_chosen_from(name: str) -> None:
    report = read_report(FOLDER / name)
    runner = CliRunner()

    assert report.schema_ == 2
    assert report.subject.sha256 == sha256_of(FOLDER / "bundle" / "manifest.json")
    assert runner.invoke(app, ["report", str(FOLDER / name), "--quiet"]).exit_code == 0
    chosen = runner.invoke(app, ["choose", str(FOLDER / name), "--json", "--min-retention", "0"])
    assert chosen.exit_code == 0, chosen.output
    assert json.loads(chosen.stdout)


def test_a_calibrated_profile_is_read() -> None:
    profile = load_profile(str(FOLDER / "profile.yaml"))

    assert profile.device == "another"
    assert profile.processor is not None


@pytest.mark.parametrize("name", ["report.json", "report-proxy.json"])
def test_its_figures_come_out_unchanged_in_the_units_of_schema_2(name: str) -> None:
    old, report = json.loads((FOLDER / name).read_text()), read_report(FOLDER / name)

    assert len(report.runs) == len(old["runs"])
    for before, run in zip(old["runs"], report.runs, strict=True):
        assert_row_unchanged(before, run)
    assert report.warnings == tuple(old["warnings"])
    assert report.evaluation is not None
    assert report.evaluation.labels == tuple(old["evaluation"]["labels"])
