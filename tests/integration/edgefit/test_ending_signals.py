"""What ends a command ends all that it started, with its own exit code; what must not end it does not."""

import fcntl
import json
import os
import pty
import signal
import subprocess
import termios
from pathlib import Path
from typing import Any

import pytest
from making.command_line import SHORTLY, edgefit_here
from making.repository import ROOT
from making.running_command import LIMIT_S, RunningCommand, ignoring, interrupted_at, running
from making.tiny_report import make_report

from bench.report.files import write_report

MODEL = ROOT / "tests" / "data" / "schema1" / "bundle" / "onnx-int8" / "model.onnx"
BENCH = ("bench", MODEL, *SHORTLY)
WORKER, EXPORTER = "bench.harness.start", "export.start"
CODES = {signal.SIGHUP: 129, signal.SIGINT: 130, signal.SIGTERM: 143}
ENDS = {129: "the terminal hung up", 130: "interrupted", 143: "ended by SIGTERM"}


def heard(command: RunningCommand) -> tuple[str, str]:
    """Wait for the end of a command, and return what it wrote to stdout and stderr."""
    out, errors = command.process.communicate(timeout=LIMIT_S)
    return out, errors


PIPES: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}


def test_signals_that_were_ignored_at_the_start_end_neither_the_command_nor_its_workers() -> None:
    before = ("nohup", *ignoring(signal.SIGINT, signal.SIGTERM))
    with running(*BENCH, "--json", before=before, **PIPES) as command:
        worker = command.wait_for(WORKER)[0]
        ignored = ignored_signals(worker.pid)
        for number in (*CODES, signal.SIGWINCH, signal.SIGSTOP, signal.SIGCONT):
            command.process.send_signal(number)
        out, errors = heard(command)

    assert command.process.returncode == 0, errors
    assert json.loads(out)["runs"][0]["outcome"]["status"] == "completed"
    assert set(CODES) <= ignored


def ignored_signals(pid: int) -> set[int]:
    status = Path(f"/proc/{pid}/status").read_text()
    mask = int(status.split("SigIgn:")[1].split()[0], 16)
    return {number for number in range(1, 65) if mask >> (number - 1) & 1}


# A terminal that is closed sends SIGHUP, as the next test shows.
@pytest.mark.parametrize(
    "number", [pytest.param(signal.SIGHUP, marks=pytest.mark.slow), signal.SIGINT, signal.SIGTERM]
)
def test_a_signal_even_twice_leaves_no_file_and_no_process(tmp_path: Path, number: signal.Signals) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    out = ("--out", tmp_path / "r.json", "--json")
    with running(*BENCH, *out, env={"TMPDIR": str(temporary)}, **PIPES) as command:
        command.wait_for(WORKER, count=2)
        command.process.send_signal(number)
        command.process.send_signal(number)
        said, errors = heard(command)
        left = command.left()

    code = CODES[number]
    assert command.process.returncode == code
    message = f"{ENDS[code]}; no unfinished output is left"
    assert json.loads(said) == {"error": message, "exit_code": code}
    assert errors.endswith(f"\nedgefit: {message}\n")
    assert "Traceback" not in errors
    assert left == []
    assert list(temporary.iterdir()) == []
    assert [path.name for path in tmp_path.iterdir()] == ["temporary"]


def test_a_terminal_that_is_closed_ends_the_command_amid_its_progress_bar() -> None:
    terminal, other_end = pty.openpty()

    def take_terminal() -> None:
        os.setsid()
        fcntl.ioctl(other_end, termios.TIOCSCTTY, 0)

    with running(
        *BENCH, stdin=other_end, stdout=other_end, stderr=other_end, preexec_fn=take_terminal
    ) as command:
        os.close(other_end)
        command.wait_for(WORKER, count=2)
        command.process.send_signal(signal.SIGWINCH)
        os.close(terminal)
        command.process.wait(LIMIT_S)
        left = command.left()

    assert command.process.returncode == 129
    assert left == []


@pytest.mark.parametrize(("number", "times"), [(signal.SIGINT, 2), (signal.SIGTERM, 3)])
def test_a_signal_while_an_output_is_written_leaves_the_old_one(
    tmp_path: Path, number: signal.Signals, times: int
) -> None:
    report, table = tmp_path / "r.json", tmp_path / "r.csv"
    write_report(report, make_report())
    edgefit_here("report", report, "--csv", table)
    old = table.read_bytes()
    command = [*interrupted_at("fsync", number, times), "report", str(report), str(report)]

    done = subprocess.run([*command, "--csv", str(table)], capture_output=True, text=True, check=False)

    assert done.returncode == CODES[number], done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["r.csv", "r.json"]
    assert table.read_bytes() == old


@pytest.mark.slow
def test_an_export_that_is_ended_leaves_no_bundle_and_no_worker(run_folder: Path, tmp_path: Path) -> None:
    with running("export", run_folder, "--out", tmp_path / "bundle", **PIPES) as command:
        command.wait_for(EXPORTER)
        command.process.send_signal(signal.SIGHUP)
        _, errors = heard(command)
        left = command.left()

    assert command.process.returncode == 129, errors
    assert left == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize("number", CODES)
def test_a_training_that_is_ended_leaves_no_run(tmp_path: Path, number: signal.Signals) -> None:
    words = ("finetune", "--data", "synthetic", "--weights", "bundled", "--image-size", "32")
    with running(*words, "--out", tmp_path / "run", **PIPES) as command:
        while not list(tmp_path.iterdir()):
            assert command.process.poll() is None
        command.process.send_signal(number)
        _, errors = heard(command)

    assert command.process.returncode == CODES[number], errors
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "module", "count", "number"),
    [
        pytest.param(BENCH, WORKER, 3, signal.SIGKILL, id="bench"),
        *(
            pytest.param(*stage, marks=pytest.mark.slow)
            for stage in (
                (BENCH, "bench.harness.importing", 1, signal.SIGQUIT),
                (BENCH, WORKER, 1, signal.SIGKILL),
                (BENCH, WORKER, 5, signal.SIGQUIT),
                (("check", MODEL, "--baseline", MODEL), WORKER, 4, signal.SIGKILL),
                (("inspect", MODEL), WORKER, 1, signal.SIGKILL),
                (("doctor",), WORKER, 1, signal.SIGKILL),
            )
        ),
    ],
)
def test_no_worker_outlives_a_killed_command(
    words: tuple[str, ...], module: str, count: int, number: signal.Signals
) -> None:
    with running(*words, **PIPES) as command:
        command.wait_for(module, count)
        command.process.send_signal(number)
        heard(command)
        left = command.left()

    assert command.process.returncode == -number
    assert left == []


@pytest.mark.parametrize("count", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_no_exporter_outlives_a_killed_command(run_folder: Path, tmp_path: Path, count: int) -> None:
    with running("export", run_folder, "--out", tmp_path / "bundle", **PIPES) as command:
        command.wait_for(EXPORTER, count)
        command.process.kill()
        heard(command)
        left = command.left()

    assert left == []
