"""A worker and its parent: what is asked is answered, and every death has its own name."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import psutil
import pytest

from bench.bundle.manifest import read_bundle
from bench.bundle.signature import image_input
from bench.harness import worker_messages
from bench.harness.child_process import ChildDiedError
from bench.harness.worker_process import WORKER_COMMAND, RuntimeMissingError, WorkerProcess
from bench.measurements import FailureKind
from bench.run_config import RunConfig
from bench.runtimes.formats import FORMATS

LIMIT_S = 120.0


@contextmanager
def started(command: Sequence[str] = WORKER_COMMAND) -> Iterator[WorkerProcess]:
    worker = WorkerProcess(command)
    try:
        yield worker
    finally:
        worker.stop()


def load(bundle_folder: Path, variant: str = "onnx-fp32", **changes: object) -> worker_messages.Load:
    bundle = read_bundle(bundle_folder)
    artifact = bundle.select([variant])[0]
    row = FORMATS[artifact.format]
    request = worker_messages.Load(
        module=row.module,
        entry=str(bundle_folder / artifact.entry),
        files=(str(bundle_folder / artifact.entry),),
        config=RunConfig(provider=row.provider, threads=1),
        engine=None,
        cpus=None,
        inputs=artifact.inputs(bundle.manifest.model.image_size),
        pack=str(bundle_folder / "evaluation.npz"),
    )
    return request.model_copy(update=changes)


@pytest.mark.parametrize("variant", ["onnx-fp32", "openvino-fp32", "torchscript-fp32"])
def test_every_runtime_gives_the_reference_logits(bundle_folder: Path, variant: str) -> None:
    pack = read_bundle(bundle_folder).pack()
    with started() as worker:
        worker.ask(load(bundle_folder, variant), LIMIT_S)
        samples = worker.ask(worker_messages.Infer(count=3), LIMIT_S)
        answer = worker.ask(
            worker_messages.Predict(pack=str(bundle_folder / "evaluation.npz"), first=10, count=5), LIMIT_S
        )

    assert isinstance(samples, worker_messages.Inferred)
    assert len(samples.ns) == 3
    assert samples.counters.elapsed_ns >= sum(samples.ns)
    assert isinstance(answer, worker_messages.Predicted)
    assert np.allclose(answer.logits, pack.reference_logits[10:15], atol=1e-5)


def test_memory_grows_from_runtime_to_loaded_and_peak_is_no_less(bundle_folder: Path) -> None:
    with started() as worker:
        loaded = worker.ask(load(bundle_folder, pack=None), LIMIT_S)
        worker.ask(worker_messages.Infer(count=1), LIMIT_S)
        peak = worker.ask(worker_messages.ReadPeak(), LIMIT_S)

    assert isinstance(loaded, worker_messages.Loaded)
    assert isinstance(peak, worker_messages.Peak)
    assert loaded.runtime_bytes <= loaded.loaded_bytes
    assert peak.peak_bytes is not None
    assert peak.peak_bytes >= loaded.loaded_bytes


def test_a_worker_is_pinned_to_the_cpus_it_is_given(bundle_folder: Path) -> None:
    cpu = min(os.sched_getaffinity(0))
    with started() as worker:
        worker.ask(load(bundle_folder, cpus=(cpu,)), LIMIT_S)
        pinned = os.sched_getaffinity(worker.pid)

    assert pinned == {cpu}


@pytest.mark.parametrize(("variables", "kept"), [("", False), ("OMP_THREAD_LIMIT=1", True)])
def test_a_worker_gets_no_variable_that_decides_threads_unless_it_is_kept(
    monkeypatch: pytest.MonkeyPatch, variables: str, kept: bool
) -> None:
    monkeypatch.setenv("OMP_THREAD_LIMIT", "1")
    monkeypatch.setenv("MALLOC_ARENA_MAX", "2")
    worker = WorkerProcess(variables=variables)
    try:
        worker.ask(worker_messages.CheckReady(), LIMIT_S)
        environment = Path(f"/proc/{worker.pid}/environ").read_bytes().split(b"\0")
    finally:
        worker.stop()

    assert (b"OMP_THREAD_LIMIT=1" in environment) is kept
    assert b"MALLOC_ARENA_MAX=2" in environment


def test_what_a_runtime_raises_is_an_error_with_its_words(bundle_folder: Path) -> None:
    (bundle_folder / "onnx-fp32" / "model.onnx").write_bytes(b"no model")
    request = load_unchecked(bundle_folder)
    with started() as worker, pytest.raises(ChildDiedError) as death:
        worker.ask(request, LIMIT_S)

    assert death.value.kind is FailureKind.ERROR
    assert "model.onnx" in death.value.message


def load_unchecked(bundle_folder: Path) -> worker_messages.Load:
    return worker_messages.Load(
        module=FORMATS["onnx"].module,
        entry=str(bundle_folder / "onnx-fp32" / "model.onnx"),
        files=(),
        config=RunConfig(provider="CPUExecutionProvider", threads=1),
        engine=None,
        cpus=None,
        inputs=(image_input(32),),
        pack=None,
    )


def test_a_provider_that_is_not_here_is_missing_and_never_replaced(bundle_folder: Path) -> None:
    with started() as worker, pytest.raises(RuntimeMissingError, match="CUDAExecutionProvider"):
        worker.ask(
            load(bundle_folder, config=RunConfig(provider="CUDAExecutionProvider", threads=1)), LIMIT_S
        )


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (signal.SIGSEGV, FailureKind.CRASH),
        (signal.SIGKILL, FailureKind.KILLED),
        (signal.SIGILL, FailureKind.ILLEGAL_INSTRUCTION),
    ],
)
def test_a_death_by_signal_has_its_name(
    bundle_folder: Path, number: signal.Signals, kind: FailureKind
) -> None:
    with started() as worker:
        worker.ask(load(bundle_folder), LIMIT_S)
        os.kill(worker.pid, number)
        with pytest.raises(ChildDiedError) as death:
            worker.ask(worker_messages.Infer(count=1), LIMIT_S)

    assert death.value.kind is kind
    assert number.name in death.value.message


def test_a_hang_is_ended_at_the_time_limit(bundle_folder: Path) -> None:
    with started() as worker:
        worker.ask(load(bundle_folder), LIMIT_S)
        os.kill(worker.pid, signal.SIGSTOP)
        with pytest.raises(ChildDiedError) as death:
            worker.ask(worker_messages.Infer(count=1), timeout_s=0.2)

    assert death.value.kind is FailureKind.HANG


def proxy(script: str) -> list[str]:
    return [sys.executable, "-c", f"import os, sys; pipe = int(sys.argv[1]); sys.stdin.readline(); {script}"]


@pytest.mark.parametrize(
    ("script", "kind", "words"),
    [
        ("os.write(pipe, b'hello\\n')", FailureKind.GARBAGE, "sent an answer that is not valid"),
        ("sys.stderr.write('out of luck'); sys.exit(7)", FailureKind.EXIT, "out of luck"),
    ],
)
def test_garbage_and_an_early_exit_have_their_names(script: str, kind: FailureKind, words: str) -> None:
    with started(proxy(script)) as worker, pytest.raises(ChildDiedError) as death:
        worker.ask(worker_messages.ReadPeak(), LIMIT_S)

    assert death.value.kind is kind
    assert words in death.value.message


def test_what_is_printed_to_stdout_cannot_be_mistaken_for_an_answer() -> None:
    script = 'print(\'{"kind": "peak", "peak_bytes": 1}\', flush=True); os.write(pipe, b\'%s\\n\')'
    answer = worker_messages.Peak(peak_bytes=2, proportional_bytes=None).model_dump_json()
    with started(proxy(script % answer)) as worker:
        heard = worker.ask(worker_messages.ReadPeak(), LIMIT_S)

    assert heard == worker_messages.Peak(peak_bytes=2, proportional_bytes=None)


def test_what_a_runtime_prints_to_stdout_is_garbage_and_quoted() -> None:
    script = (
        "from bench.harness import worker_messages, start\n"
        "ready = worker_messages.Ready\n"
        "def noisy(**fields):\n    print('chatter')\n    return ready(**fields)\n"
        "worker_messages.Ready = noisy\nstart.main()"
    )
    with started((sys.executable, "-c", script)) as worker, pytest.raises(ChildDiedError) as death:
        worker.ask(worker_messages.CheckReady(), LIMIT_S)

    assert death.value.kind is FailureKind.GARBAGE
    assert "chatter" in death.value.message


def test_a_worker_ends_with_its_parent_amid_an_inference() -> None:
    worker, other = orphan("start.die_with_parent(); "), orphan()

    try:
        assert has_ended(worker)
        assert other.status() != psutil.STATUS_ZOMBIE  # without that line it lives on
    finally:
        for process in (worker, other):
            with suppress(psutil.NoSuchProcess):
                process.kill()


def orphan(preparation: str = "") -> psutil.Process:
    """Start a busy, confined worker from a parent that is then killed."""
    worker = "from pathlib import Path; from bench.harness import start; start.confine(Path.cwd()); "
    worker += f"{preparation}print(1, flush=True); import time; time.sleep(600)"
    script = (
        "import os, subprocess, sys\n"
        "quiet = subprocess.DEVNULL\n"
        f"worker = {worker!r}\n"
        "command = [sys.executable, '-c', worker]\n"
        "child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=quiet)\n"
        "child.stdout.readline()\nprint(child.pid, flush=True)\n"
        "sys.stdin.readline()\nos.kill(os.getpid(), 9)"
    )
    command = [sys.executable, "-c", script]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        found = psutil.Process(int(parent.stdout.readline()))
        assert found.is_running()
        parent.communicate("\n")
    assert parent.returncode == -signal.SIGKILL
    return found


def has_ended(process: psutil.Process) -> bool:
    """Wait for a process that is not ours to end; nobody may be left to reap it in a container."""
    deadline = time.monotonic() + LIMIT_S
    while time.monotonic() < deadline:
        with suppress(psutil.NoSuchProcess):
            if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                time.sleep(0.01)
                continue
        return True
    return False


def test_nothing_of_a_worker_is_left_when_it_is_stopped(bundle_folder: Path) -> None:
    with started() as worker:
        worker.ask(load(bundle_folder), LIMIT_S)
        pid = worker.pid
        folder = Path(os.readlink(f"/proc/{pid}/cwd"))
        assert folder.is_dir()

    assert not psutil.pid_exists(pid)
    assert not folder.parent.exists()
