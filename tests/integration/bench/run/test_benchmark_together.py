"""Several networks measured together: their cases take turns, and each network has a report of its own."""

from datetime import datetime, timezone
from pathlib import Path

from making.changed_bundle import changed, slowed
from making.faulty_plan import Silent
from making.short_benchmark import PROFILE

from bench.bundle.manifest import read_bundle
from bench.report.files import read_report, write_report
from bench.report.schema import Report
from bench.run.benchmark import benchmark_together
from bench.run.model_set import ModelSet
from bench.run.parts import MeasuredSubject
from bench.run.request import BenchmarkRequest
from bench.verify.verifying import verify_file


def positions(report: Report) -> dict[str, list[int]]:
    """The place of each block of the variants and controls in the order of the whole run."""
    rows = {row.case: row.completed for row in report.runs}
    return {
        case: [block.position for process in row.processes for block in process.blocks]
        for case, row in rows.items()
        if row is not None
    }


def test_the_cases_of_all_networks_take_turns_and_each_has_its_report(
    bundle_folder: Path, tmp_path: Path
) -> None:
    first = read_bundle(bundle_folder)
    second = read_bundle(changed(bundle_folder, tmp_path / "slow", {"onnx-fp32": slowed(1)}))
    request = BenchmarkRequest(only=("onnx-fp32",), tool="0", created="2026-01-01T00:00:00+00:00")

    with ModelSet([bundle_folder / "onnx-fp32" / "model.onnx"], {}) as files:
        measured = [MeasuredSubject(first, "quick"), MeasuredSubject(second, "slow"), MeasuredSubject(files)]
        reports = benchmark_together(measured, PROFILE, request, Silent())

    assert [report.name for report in reports] == ["quick", "slow", "model.onnx"]
    assert [row.case for report in reports for row in report.runs if row.is_variant] == [
        "onnx-fp32",
        "onnx-fp32",
        "model.onnx",
    ]
    turns = [positions(report)[report.runs[0].case] for report in reports]
    turns += [positions(reports[0])[control] for control in ("null", "control")]
    assert sorted(turn for case in turns for turn in case) == list(range(15))
    assert all([turn // 5 for turn in case] == [0, 1, 2] for case in turns)
    assert len({report.joint_run for report in reports}) == 1
    assert reports[0].joint_run is not None
    evaluations = [report.evaluation for report in reports[:2]]
    hashes = {each.samples_sha256 for each in evaluations if each is not None}
    assert len(hashes) == 1
    assert None not in hashes
    counts = [report.bundle.counts for report in reports[:2] if report.bundle is not None]
    assert counts[0] is not None
    assert counts[1] is not None
    assert (counts[0].parameters, counts[0].macs) == (122, 24308)
    assert (counts[1].parameters or 0) > 122
    assert reports[2].models is not None
    assert reports[2].models.models[0].counts is not None
    for report in reports:
        write_report(tmp_path / f"{report.name}.json", report)
        assert read_report(tmp_path / f"{report.name}.json") == report
    verified = verify_file(tmp_path / "quick.json", first, "0", datetime.now(timezone.utc))
    assert verified.wrong == ()
