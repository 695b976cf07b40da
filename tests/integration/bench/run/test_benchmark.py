"""A run of the harness over a real bundle: every case has its row, and one case's death costs only itself."""

import os
import secrets
import signal
import socket
from pathlib import Path
from typing import Any

import pytest
from making.faulty_plan import SHORT, Silent
from making.short_benchmark import PROFILE, measure_no_control, run

from bench.bundle.manifest import Bundle, FailedExport, read_bundle
from bench.filesystem.cache_folder import cache_folder
from bench.harness import alone
from bench.harness.alone import NO_WAIT_VARIABLE
from bench.harness.case_worker import CaseWorker
from bench.install_command import install_command
from bench.measurements import Block, Failed, FailureKind, Stage
from bench.report.schema import Report
from bench.run.benchmark import benchmark
from bench.run.request import BenchmarkRequest
from bench.runtimes.formats import FORMATS, FormatRow
from bench.system.cpus import cpus_here
from device_profiles.facts import RuntimeChoice
from device_profiles.loading import load_profile

BOARD = load_profile("raspberry-pi-4").model_copy(update={"sampling": SHORT, "quick": SHORT})


@pytest.fixture(autouse=True)
def _short_rates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.harness.calibration._SHORT_RATE_S", 0.05)


@pytest.fixture
def no_control(monkeypatch: pytest.MonkeyPatch) -> None:
    """For a test that looks at no control."""
    measure_no_control(monkeypatch)


def two_of(bundle_folder: Path) -> Bundle:
    """The bundle with onnx-fp32 and openvino-fp32 alone: torch takes longest to import."""
    bundle = read_bundle(bundle_folder)
    two = tuple(artifact for artifact in bundle.manifest.artifacts if artifact.format != "torchscript")
    return Bundle(bundle.folder, bundle.manifest.model_copy(update={"artifacts": two}), bundle.sha256)


def test_every_artifact_has_a_row_with_all_its_interleaved_samples(bundle_folder: Path) -> None:
    report = run(read_bundle(bundle_folder))

    assert [row.variant for row in report.runs[3:]] == ["null", "control"]
    assert [row.status for row in report.runs] == ["completed"] * 5
    for row in report.runs[:3]:
        assert row.completed is not None
        assert [len(block.ns) for block in row.completed.processes[0].blocks] == [4, 4, 4]
        assert row.summary is not None
        assert row.summary.latency.samples == 12
        assert row.accuracy is not None
        assert row.accuracy.agreement == 1.0
        assert row.provenance == "measured"
    measured = [row.completed for row in report.runs if row.completed is not None]
    turns = [[block.position for block in completed.processes[0].blocks] for completed in measured]
    assert sorted(turn for case in turns for turn in case) == list(range(15))
    for case in turns:
        assert [turn // 5 for turn in case] == [0, 1, 2]


@pytest.mark.usefixtures("no_control")
def test_quick_judges_accuracy_on_the_first_images(
    bundle_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bench.run.parts.QUICK_IMAGES", 16)

    report = run(read_bundle(bundle_folder), only=("onnx-fp32",), quick=True)

    assert report.quick
    assert report.evaluation is not None
    assert report.evaluation.images == 16
    assert report.evaluation.pack_images == 40
    assert report.runs[0].accuracy is not None
    assert report.runs[0].accuracy.images == 16


@pytest.mark.usefixtures("no_control")
def test_a_file_that_does_not_load_is_a_failed_row_and_the_rest_goes_on(bundle_folder: Path) -> None:
    bundle = two_of(bundle_folder)
    (bundle_folder / "onnx-fp32" / "model.onnx").write_bytes(b"spoiled after the hashes were checked")

    report = run(bundle)

    assert [row.status for row in report.runs[:2]] == ["failed", "completed"]
    failed = report.runs[0]
    assert isinstance(failed.outcome, Failed)
    assert failed.outcome.stage is Stage.LOAD
    assert failed.summary is None
    assert failed.reason is not None
    assert failed.reason.startswith("error in stage load")


@pytest.mark.usefixtures("no_control")
def test_a_crash_between_blocks_is_a_failed_row_and_the_rest_goes_on(
    bundle_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_block = CaseWorker.run_block

    def crash_when_timed(self: CaseWorker, *arguments: Any) -> Block:
        if self.case.variant == "openvino-fp32":
            os.kill(self._process.pid, signal.SIGSEGV)
        return run_block(self, *arguments)

    monkeypatch.setattr(CaseWorker, "run_block", crash_when_timed)

    report = run(two_of(bundle_folder))

    assert [row.status for row in report.runs[:2]] == ["completed", "failed"]
    assert report.runs[1].reason == "crash in stage timing: died of SIGSEGV"
    assert report.runs[0].summary is not None
    assert report.runs[0].summary.latency.samples == 12


@pytest.mark.usefixtures("no_control")
def test_a_runtime_that_is_missing_here_is_skipped_with_its_remedy(
    bundle_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(
        FORMATS,
        "openvino",
        FormatRow("OpenVINO", "bench.runtimes.run_openvino", "no_such", "openvino", ("CPU",)),
    )

    report = run(two_of(bundle_folder))

    assert [row.status for row in report.runs[:2]] == ["completed", "skipped"]
    assert (
        report.runs[1].reason
        == f"no_such is not installed here; install it with: {install_command('openvino')}"
    )


@pytest.mark.usefixtures("no_control")
def test_this_machine_is_only_a_proxy_of_another_device(bundle_folder: Path) -> None:
    report = run(read_bundle(bundle_folder), BOARD, only=("onnx-fp32",))

    assert {row.provenance for row in report.runs} == {"proxy"}
    assert report.proxy is not None
    assert any(sentence.startswith("architecture: ") for sentence in report.proxy.differs)
    assert {rate.operation for rate in report.proxy.host_rates} == {"convolution", "copy"}
    row = report.runs[0]
    assert "1000 times less" in str(row.projection_reason)  # the tests' network has almost no work
    assert row.nearest_published is not None


@pytest.mark.usefixtures("no_control")
def test_every_provider_that_a_profile_names_is_a_case_of_its_own(
    bundle_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bench.run.proxy.measure_rates", lambda *_arguments: [])
    jetson = load_profile("jetson-orin-nano").model_copy(update={"sampling": SHORT, "quick": SHORT})

    report = run(read_bundle(bundle_folder), jetson, only=("onnx-fp32",))

    rows = [row for row in report.runs if row.is_variant]
    assert [(row.case, row.config.provider, row.status) for row in rows] == [
        ("onnx-fp32@tensorrt", "TensorrtExecutionProvider", "skipped"),
        ("onnx-fp32@cuda", "CUDAExecutionProvider", "skipped"),
        ("onnx-fp32", "CPUExecutionProvider", "completed"),
    ]
    assert "has no provider CUDAExecutionProvider" in str(rows[1].reason)
    assert {row.provenance for row in report.runs} == {"proxy"}


@pytest.mark.usefixtures("no_control")
def test_a_variant_too_large_for_the_device_fails_for_want_of_memory(bundle_folder: Path) -> None:
    board = BOARD.model_copy(update={"memory_cap_mb": 16})

    row = run(read_bundle(bundle_folder), board, only=("onnx-fp32",)).runs[0]

    assert (row.status, row.provenance) == ("failed", "proxy")
    assert isinstance(row.outcome, Failed)
    assert row.outcome.kind is FailureKind.MEMORY
    assert "does not fit into 16 MiB" in row.outcome.message


@pytest.mark.usefixtures("no_control")
def test_where_no_control_group_can_be_made_the_measured_peak_is_judged(
    bundle_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bench.run.benchmark.find_cgroup", lambda: None)
    board = BOARD.model_copy(update={"memory_cap_mb": 16})

    report = run(read_bundle(bundle_folder), board, only=("onnx-fp32",))

    failure = report.runs[0].outcome
    assert isinstance(failure, Failed)
    assert (failure.stage, failure.kind) == (Stage.MEMORY, FailureKind.MEMORY)
    assert "no control group enforced the limit" in failure.message
    assert report.proxy is not None
    assert report.proxy.memory_held_by == "measured peak"


@pytest.mark.usefixtures("no_control")
def test_a_variant_that_the_device_cannot_run_is_skipped_with_the_reason(bundle_folder: Path) -> None:
    choice = RuntimeChoice(providers=(), reason="its Python is too old")
    board = BOARD.model_copy(update={"runtimes": {"onnx": choice}})

    row = run(read_bundle(bundle_folder), board, only=("onnx-fp32",)).runs[0]

    assert (row.status, row.provenance) == ("skipped", "proxy")
    assert row.reason == "raspberry-pi-4 does not run onnx: its Python is too old"


@pytest.mark.usefixtures("no_control")
def test_more_threads_than_cpus_are_reduced_and_the_row_says_so(
    bundle_folder: Path,
) -> None:
    profile = PROFILE.model_copy(update={"threads": 4096})

    row = run(read_bundle(bundle_folder), profile, only=("onnx-fp32",)).runs[0]

    assert row.config.threads == cpus_here().at_once
    assert any("the profile requests 4096 threads" in sentence for sentence in row.warnings)


@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.usefixtures("no_control")
def test_variables_that_decide_threads_are_recorded_and_kept_only_on_request(
    bundle_folder: Path, monkeypatch: pytest.MonkeyPatch, keep: bool
) -> None:
    monkeypatch.setenv("OMP_DYNAMIC", "true")

    report = run(read_bundle(bundle_folder), only=("onnx-fp32",), keep_environment=keep)

    recorded = {variable.name: (variable.value, variable.kept) for variable in report.variables}
    assert recorded["OMP_DYNAMIC"] == ("true", keep)
    assert ("OMP_DYNAMIC=true" in report.runs[0].config.variables) is keep


@pytest.mark.usefixtures("no_control")
def test_a_report_that_cannot_be_delivered_leaves_a_run_that_can_be_resumed(bundle_folder: Path) -> None:
    bundle = read_bundle(bundle_folder)
    request = BenchmarkRequest(only=("onnx-fp32",), tool="0", created="now")

    def full_disk(_report: Report) -> None:
        raise OSError("no space")

    with pytest.raises(OSError, match="no space"):
        benchmark(bundle, PROFILE, request, Silent(), full_disk)
    (journal,) = cache_folder("journals").glob("*.jsonl")
    whole = journal.read_bytes()
    damaged_line = whole.count(b"\n") + 1
    journal.write_bytes(whole + bytes(100))  # as a loss of power may leave it
    watcher = Silent()
    resuming = request.model_copy(update={"resume": True, "created": "later"})
    report = benchmark(bundle, PROFILE, resuming, watcher)

    resumed, dropped, on_time = watcher.sentences
    assert resumed == "resuming a run that has examined 1 case and measured 3 blocks"
    assert dropped.startswith(f"line {damaged_line} of its journal is incomplete or damaged")
    assert dropped.endswith("; it is left out, and measured again")
    assert on_time.startswith("the latency of 1 variant takes up to ")
    assert report.runs[0].status == "completed"


@pytest.mark.usefixtures("no_control")
def test_other_commands_wait_while_it_measures_and_not_until_its_report_is_read(
    bundle_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(NO_WAIT_VARIABLE)
    monkeypatch.setattr(alone, "_NAME", f"\0edgefit-test-{secrets.token_hex(8)}".encode())
    while_measuring, while_reading = [], []

    def is_free() -> bool:
        with socket.socket(socket.AF_UNIX) as another:
            return alone._try_to_take(another)

    class Watching(Silent):
        def begin(self, task: str, total: int) -> None:
            while_measuring.append(is_free())

    request = BenchmarkRequest(only=("onnx-fp32",), tool="0", created="now")
    benchmark(
        read_bundle(bundle_folder),
        PROFILE,
        request,
        Watching(),
        lambda _report: while_reading.append(is_free()),
    )

    assert set(while_measuring) == {False}
    assert while_reading == [True]


@pytest.mark.usefixtures("no_control")
def test_resuming_what_was_not_cut_off_begins_anew_and_says_so(bundle_folder: Path) -> None:
    watcher = Silent()
    request = BenchmarkRequest(only=("onnx-fp32",), resume=True, tool="0", created="now")

    benchmark(read_bundle(bundle_folder), PROFILE, request, watcher)

    assert watcher.sentences[0].startswith("no run of the same with these options was interrupted")


@pytest.mark.usefixtures("no_control")
def test_a_variant_that_could_not_be_exported_has_its_row(bundle_folder: Path) -> None:
    bundle = read_bundle(bundle_folder)
    failed = FailedExport(variant="onnx-int8", stage="verify", message="it is wrong\nby far")
    manifest = bundle.manifest.model_copy(
        update={"artifacts": bundle.manifest.artifacts[1:2], "failed": (failed,)}
    )

    report = run(Bundle(bundle.folder, manifest, bundle.sha256))

    assert [row.status for row in report.runs] == ["completed", "skipped"]
    assert report.runs[1].reason == "its export failed in stage verify: it is wrong"
