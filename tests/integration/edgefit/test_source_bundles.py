"""Bundles of somebody's model are measured: an NHWC input of bytes with a metric, and two ready arrays."""

import io
from pathlib import Path

import pytest
from making.short_benchmark import run
from making.source_bundle import IMAGES, KINDS, NOT_MADE, make_source_bundle
from rich.console import Console

import edgefit
from bench.bundle.manifest import read_bundle
from bench.errors import InputError
from bench.render.terminal import report_view
from bench.report.files import read_report, write_report
from bench.run_config import RunConfig

SHORT = Path(__file__).parents[2] / "making" / "short.yaml"
METRIC = "def right(y_true, y_score):\n    return (y_score.argmax(axis=1) == y_true).mean()\n"


def test_a_bundle_with_an_nhwc_input_of_bytes_is_measured_with_a_metric(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "their_metric.py").write_text(METRIC)
    monkeypatch.chdir(tmp_path)
    bundle = make_source_bundle(tmp_path / "bundle", KINDS["seven classes"])

    with pytest.raises(InputError, match="has no function 'wrong'"):
        edgefit.bench(bundle, profile=SHORT, metric="their_metric:wrong", progress=False)
    report = edgefit.bench(
        bundle, profile=SHORT, metric="their_metric:right", out=tmp_path / "r.json", progress=False
    )

    fp32, int8, missing = (row for row in report.runs if row.is_variant)
    assert fp32.accuracy is not None
    assert (fp32.accuracy.agreement, fp32.accuracy.sqnr_db, fp32.accuracy.images) == (1.0, None, IMAGES)
    assert int8.accuracy is not None
    verified = read_bundle(bundle).manifest.artifacts[1].verification
    assert int8.accuracy.agreement == verified.agreement
    assert [row.metrics[0].value for row in (fp32, int8)] == pytest.approx(
        [fp32.accuracy.top1, int8.accuracy.top1]
    )
    assert (missing.status, missing.reason) == ("skipped", NOT_MADE)
    assert isinstance(missing.config, RunConfig)
    assert read_report(tmp_path / "r.json").runs == report.runs


def test_a_bundle_of_two_ready_arrays_has_sqnr_and_no_accuracy(tmp_path: Path) -> None:
    bundle = read_bundle(make_source_bundle(tmp_path / "bundle", KINDS["values"]))

    report = run(bundle)

    fp32, int8, *_ = report.runs
    assert fp32.accuracy is not None
    assert int8.accuracy is not None
    assert (fp32.accuracy.sqnr_db, fp32.accuracy.agreement) == (None, None)
    assert int8.accuracy.sqnr_db == pytest.approx(bundle.manifest.artifacts[1].verification.sqnr_db)
    write_report(tmp_path / "r.json", report)
    console = Console(file=io.StringIO(), width=80)
    console.print(report_view(read_report(tmp_path / "r.json"), 80))
    assert isinstance(console.file, io.StringIO)
    assert "exact" in console.file.getvalue()
