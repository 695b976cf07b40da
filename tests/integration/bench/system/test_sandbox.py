"""An artifact may be code: what it tries to write outside its worker's folder stays as it was."""

import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from making.confined import (
    HARMLESS,
    LANDLOCK,
    NOTHING,
    WAYS,
    attempts,
    hostile_artifact,
    why_missing,
    worker_without,
)
from making.faulty_plan import SHORT, Silent, case, outcomes_of, plan
from making.short_benchmark import measure_no_control

from bench.bundle.manifest import read_bundle
from bench.bundle.signature import image_input
from bench.filesystem.cache_folder import cache_folder
from bench.harness import worker_messages
from bench.harness.child_process import ChildDiedError
from bench.harness.worker_process import WorkerProcess, compile_runtime, compile_runtimes, probe_confinement
from bench.measurements import Failed, FailureKind, Outcome
from bench.run.benchmark import benchmark
from bench.run.machine_warnings import confinement_warnings
from bench.run.request import BenchmarkRequest
from bench.run_config import RunConfig
from bench.runtimes.formats import FORMATS
from device_profiles.loading import load_profile

LIMIT_S = 120.0
WRITTEN = b"XXXXXX"


def skip_where_missing(way: str) -> None:
    if (reason := why_missing(way)) is not None:
        pytest.skip(f"this kernel confines nothing by {reason}")


@contextmanager
def kernel_without(missing: tuple[object, ...], monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have every worker meet a kernel that lacks something."""
    with monkeypatch.context() as patch:
        patch.setattr(WorkerProcess.__init__, "__defaults__", (worker_without(missing), None, "cpu", ""))
        yield


def load(entry: Path, format_: str = "torchscript") -> worker_messages.Load:
    row = FORMATS[format_]
    return worker_messages.Load(
        module=row.module,
        entry=str(entry),
        files=(str(entry),),
        config=RunConfig(provider=row.provider, threads=2),
        engine=None,
        cpus=None,
        inputs=(image_input(32),),
        pack=None,
    )


def load_and_infer(entry: Path, missing: tuple[object, ...], format_: str = "torchscript") -> None:
    worker = WorkerProcess(worker_without(missing))
    try:
        worker.ask(load(entry, format_), LIMIT_S)
        worker.ask(worker_messages.Infer(count=1), LIMIT_S)
    finally:
        worker.stop()


@pytest.mark.parametrize("way", WAYS)
def test_a_confined_process_changes_nothing_outside_its_own_folder(tmp_path: Path, way: str) -> None:
    skip_where_missing(way)

    confinement, could = attempts(tmp_path, WAYS[way])

    allowed = {*HARMLESS, *(() if way == "landlock" else ("signal", "tcp"))}
    assert set(HARMLESS) <= set(could) <= allowed
    assert way.startswith(str(confinement["by"]))
    assert (tmp_path / "outside/victim").read_text() == "whole"
    assert [path.name for path in (tmp_path / "outside").iterdir()] == ["victim"]


def test_the_first_landlock_leaves_emptying_a_file_open_and_says_so(tmp_path: Path) -> None:
    skip_where_missing("landlock")

    confinement, could = attempts(tmp_path, (), landlock=1)

    assert set(could) - set(HARMLESS) == {"truncate", "signal", "tcp"}
    assert "could still truncate a file" in str(confinement["reason"])


def test_a_process_that_nothing_confines_could_do_all_of_it(tmp_path: Path) -> None:
    _, could = attempts(tmp_path, NOTHING)

    assert {"overwrite", "append", "truncate", "create", "unlink", "symlink", "by symlink"} <= set(could)


@pytest.mark.parametrize(
    ("stage", "way"), [("load", "landlock"), ("infer", "landlock"), ("load", "mount namespace")]
)
def test_a_hostile_artifact_writes_no_file(tmp_path: Path, stage: str, way: str) -> None:
    skip_where_missing(way)
    target = tmp_path / "target"
    entry = hostile_artifact(tmp_path / "model.pt", stage, target)

    with pytest.raises(ChildDiedError) as death:
        load_and_infer(entry, WAYS[way])

    assert death.value.kind is FailureKind.ERROR
    assert str(target) in death.value.message
    assert not target.exists()


def test_a_hostile_artifact_fails_alone_and_harms_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if why_missing("landlock") and why_missing("mount namespace"):
        pytest.skip(f"{why_missing('landlock')}; {why_missing('mount namespace')}")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    targets = {
        "bundle": tmp_path / "manifest.json",
        "predictions": cache_folder("predictions") / "predictions.json",
        "home": Path.home() / ".bashrc",
    }
    for target in targets.values():
        target.write_text("whole, and long enough")
    hostile = [
        case(
            tmp_path,
            name,
            format="torchscript",
            entry=hostile_artifact(tmp_path / f"{name}.pt", "infer", target),
        )
        for name, target in targets.items()
    ]

    outcomes = outcomes_of(plan(tmp_path, [case(tmp_path, "healthy"), *hostile]))

    for name, target in targets.items():
        assert is_refused(outcomes[name], target)
        assert target.read_text() == "whole, and long enough"
    assert outcomes["healthy"].status == "completed"


def is_refused(outcome: Outcome, target: Path) -> bool:
    return isinstance(outcome, Failed) and str(target) in outcome.message


def test_a_hostile_artifact_can_write_where_nothing_confines_it(tmp_path: Path) -> None:
    target = tmp_path / "target"

    load_and_infer(hostile_artifact(tmp_path / "model.pt", "load", target), NOTHING)

    assert target.read_bytes() == WRITTEN


def test_a_kernel_that_confines_nothing_is_one_warning(
    bundle_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    profile = load_profile("laptop-cpu").model_copy(update={"sampling": SHORT, "quick": SHORT})
    request = BenchmarkRequest(only=("onnx-fp32",), tool="0", created="now")
    measure_no_control(monkeypatch)
    with kernel_without(NOTHING, monkeypatch):
        report = benchmark(read_bundle(bundle_folder), profile, request, Silent())

    assert report.runs[0].status == "completed"
    assert report.confinement is not None
    assert report.confinement.by is None
    assert report.confinement.reason is not None
    assert "Landlock: Function not implemented" in report.confinement.reason
    said = [*report.warnings, *(warning for run in report.runs for warning in run.warnings)]
    assert sum("nothing keeps artifacts from writing files" in warning for warning in said) == 1


def test_a_run_says_how_its_workers_are_confined(monkeypatch: pytest.MonkeyPatch) -> None:
    skip_where_missing("mount namespace")

    with kernel_without(LANDLOCK, monkeypatch):
        confinement = probe_confinement()

    assert confinement.by == "mount namespace"
    assert confinement_warnings(confinement) == []


def test_a_worker_that_cannot_start_confines_nothing_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(WorkerProcess.__init__, "__defaults__", (("false",), None, "cpu", ""))

    confinement = probe_confinement()

    assert confinement.by is None
    assert "exit code 1" in str(confinement.reason)


@pytest.mark.parametrize("format_", ["onnx", "openvino", "torchscript"])
def test_every_thread_of_a_worker_is_confined(bundle_folder: Path, format_: str) -> None:
    artifact = read_bundle(bundle_folder).select([f"{format_}-fp32"])[0]
    worker = WorkerProcess()
    try:
        worker.ask(load(bundle_folder / artifact.entry, format_), LIMIT_S)
        worker.ask(worker_messages.Infer(count=1), LIMIT_S)
        process = Path("/proc", str(worker.pid))
        own = Path(os.readlink(process / "cwd")).parent
        threads = [task.read_text() for task in (process / "task").glob("*/status")]
        written = [place for place in writable_files(process) if not place.is_relative_to(own)]
    finally:
        worker.stop()

    assert all("NoNewPrivs:\t1" in thread for thread in threads)
    assert {place.name for place in written} <= {"clear_refs"}


def writable_files(process: Path) -> list[Path]:
    """The files, but no pipes, that a process has open for writing."""
    found = []
    for opened in (process / "fd").iterdir():
        flags = int((process / "fdinfo" / opened.name).read_text().split("flags:")[1].split()[0], 8)
        if flags & os.O_ACCMODE and stat.S_ISREG(opened.stat().st_mode):
            found.append(Path(os.readlink(opened)))
    return found


@pytest.mark.parametrize("format_", ["onnx", "openvino", "torchscript"])
def test_no_runtime_leaves_anything_in_the_users_home(
    bundle_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, format_: str
) -> None:
    """onnxruntime and OpenVINO note there what they send their makers, unless they are told not to."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    artifact = read_bundle(bundle_folder).select([f"{format_}-fp32"])[0]

    load_and_infer(bundle_folder / artifact.entry, NOTHING, format_)

    assert list(home.iterdir()) == []


def test_bytecode_is_there_before_workers_that_cannot_write_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    bytecode = tmp_path / "bytecode"
    monkeypatch.setenv("PYTHONPYCACHEPREFIX", str(bytecode))
    compile_runtime.cache_clear()

    compile_runtimes(["onnx"])
    compiled = {path.name.partition(".")[0] for path in bytecode.rglob("*.pyc")}
    shutil.rmtree(bytecode)
    compile_runtimes(["onnx"])

    assert {"worker", "run_onnx", "executed_onnx", "onnxruntime_inference_collection"} <= compiled
    assert not bytecode.exists()  # one process compiles a runtime once
