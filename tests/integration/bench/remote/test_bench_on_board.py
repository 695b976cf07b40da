"""From a bundle to a report over a real SSH connection, and nothing left behind."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from making.command_line import EDGEFIT, SHORTLY, edgefit_here
from making.ssh_server import SshServer

from bench.report.files import read_report
from user_files.hashes import sha256_of

# Long enough to be interrupted in the middle.
HERE = ("--profile", "laptop-cpu", "--only", "onnx-fp32", "--quick")
BRIEFLY = (*SHORTLY, "--only", "onnx-fp32")
_SECONDS = 120


def bench(
    bundle: Path, board: SshServer, wheelhouse: Path, *words: str | Path
) -> subprocess.CompletedProcess[str]:
    return edgefit_here("bench", bundle, "--on", board.target, "--wheelhouse", wheelhouse, *words)


def until(is_so: Callable[[], bool]) -> None:
    """Wait for something that another process does."""
    deadline = time.monotonic() + _SECONDS
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def job_of(board: SshServer) -> int:
    """Return the process that measures on the board, once there is one."""
    until(lambda: pid_of(board) is not None)
    pid = pid_of(board)
    assert pid is not None
    return pid


def pid_of(board: SshServer) -> int | None:
    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or []
        if "bench.remote.job_process" in words and words[-1].startswith(str(board.store)):
            return int(process.pid)
    return None


def has_started(board: SshServer) -> bool:
    return any("latency" in path.read_text() for path in board.store.glob("jobs/*/events.jsonl"))


@contextmanager
def started(bundle: Path, board: SshServer, wheelhouse: Path) -> Iterator[subprocess.Popen[str]]:
    """Start a command, and go on once latency is measured on the board."""
    words = ["bench", bundle, "--on", board.target, "--wheelhouse", wheelhouse, *HERE]
    with subprocess.Popen([*EDGEFIT, *map(str, words)], stderr=subprocess.PIPE, text=True) as running:
        until(lambda: has_started(board))
        yield running


@contextmanager
def paused(process: int) -> Iterator[None]:
    """Have a process wait until the block ends, however long that takes here."""
    os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process, signal.SIGCONT)


def test_a_report_comes_back_and_clean_leaves_nothing(
    first_use: Path, used_board: SshServer, wheelhouse: Path
) -> None:
    out, said = first_use / "report.json", (first_use / "said.txt").read_text()

    second = bench(first_use / "bundle", used_board, wheelhouse, *BRIEFLY, "--json")
    stored = {path.name for path in used_board.store.iterdir()}
    cleaned = edgefit_here("clean", "--on", used_board.target)

    assert second.returncode == 0, second.stderr
    report = read_report(out)
    assert {run.variant: run.status for run in report.runs if run.is_variant} == {"onnx-fp32": "completed"}
    assert [run.completed.output_differences for run in report.runs if run.is_variant and run.completed] == [
        (0.0, 0.0, 0.0)
    ]
    assert "sending" in said
    assert "evaluation images, which may show patients" in said
    assert "nothing is sent" in second.stderr
    assert json.loads(second.stdout)["host"] == json.loads(out.read_text())["host"]
    assert "jobs" in stored
    assert cleaned.returncode == 0, cleaned.stderr
    assert not list(used_board.home.iterdir())


def test_a_broken_connection_is_made_again(
    bundle_folder: Path, used_board: SshServer, wheelhouse: Path
) -> None:
    with started(bundle_folder, used_board, wheelhouse) as running:
        with paused(job_of(used_board)):
            used_board.cut()
        _, stderr = running.communicate(timeout=_SECONDS)

    assert running.returncode == 0, stderr
    assert "the connection broke" in stderr
    assert "edgefit tries to reconnect" in stderr


def test_ctrl_c_stops_the_board_and_the_same_command_resumes(
    bundle_folder: Path, used_board: SshServer, wheelhouse: Path
) -> None:
    with started(bundle_folder, used_board, wheelhouse) as running:
        job = job_of(used_board)
        running.send_signal(signal.SIGINT)
        _, stderr = running.communicate(timeout=_SECONDS)
    is_over = not psutil.pid_exists(job) or psutil.Process(job).status() == psutil.STATUS_ZOMBIE
    again = bench(bundle_folder, used_board, wheelhouse, *HERE)

    assert running.returncode == 130, stderr
    assert "the same command resumes the measurement" in stderr
    assert is_over
    assert again.returncode == 0, again.stderr
    assert "the board resumes the interrupted measurement" in again.stderr


def lose_power(board: SshServer, sent: Path) -> None:
    """Leave what a loss of power leaves of files that were not synced: nothing, or zeros at their end."""
    (job,) = board.store.glob("jobs/*")
    (journal,) = board.store.glob("cache/journals/*.jsonl")
    for name in ("ended.json", "report.json", "request.json"):
        (job / name).write_bytes(b"")
    for path in (job / "events.jsonl", journal):
        path.write_bytes(path.read_bytes() + bytes(100))
    (board.store / "blobs" / sha256_of(sent)).write_bytes(b"")


@pytest.mark.slow
def test_a_killed_measurement_is_resumed_whatever_a_loss_of_power_left(
    bundle_folder: Path, used_board: SshServer, wheelhouse: Path
) -> None:
    with started(bundle_folder, used_board, wheelhouse) as running:
        os.kill(job_of(used_board), signal.SIGKILL)
        _, stderr = running.communicate(timeout=_SECONDS)
    model = bundle_folder / "onnx-fp32" / "model.onnx"
    lose_power(used_board, model)
    again = bench(bundle_folder, used_board, wheelhouse, *HERE)

    assert running.returncode == 5, stderr
    assert "the measurement's process died" in stderr
    assert again.returncode == 0, again.stderr
    assert "the board resumes the interrupted measurement" in again.stderr
    assert "of its journal is incomplete or damaged" in " ".join(again.stderr.split())
    assert (used_board.store / "blobs" / sha256_of(model)).read_bytes() == model.read_bytes()


@pytest.mark.slow
def test_a_measurement_goes_on_without_its_laptop_and_the_same_command_returns_to_it(
    bundle_folder: Path, used_board: SshServer, wheelhouse: Path
) -> None:
    with started(bundle_folder, used_board, wheelhouse) as running:
        running.kill()
    again = bench(bundle_folder, used_board, wheelhouse, *HERE)

    assert again.returncode == 0, again.stderr
    assert "for an earlier command" in again.stderr
    assert "resumes" not in again.stderr


def test_torchscript_needs_its_runtime_requested(
    bundle_folder: Path, board: SshServer, wheelhouse: Path
) -> None:
    words = ("--profile", "laptop-cpu", "--quick", "--wheelhouse", wheelhouse)
    named = edgefit_here("bench", bundle_folder, "--on", board.target, *words, "--only", "torchscript-fp32")

    assert named.returncode == 3
    assert "edgefit installs it only on request" in named.stderr
    assert "--with torchscript" in named.stderr


def test_an_unknown_runtime_is_refused(bundle_folder: Path, board: SshServer) -> None:
    done = edgefit_here("bench", bundle_folder, "--on", board.target, "--with", "torchscrip", *HERE)

    assert done.returncode == 2
    assert "--with torchscrip: 'torchscrip' is not a format; choose from" in done.stderr


def test_a_second_command_does_not_disturb_the_first(
    bundle_folder: Path, used_board: SshServer, wheelhouse: Path
) -> None:
    with started(bundle_folder, used_board, wheelhouse) as running:
        with paused(job_of(used_board)):
            other = bench(bundle_folder, used_board, wheelhouse, *HERE, "--name", "another")
            cleaned = edgefit_here("clean", "--on", used_board.target)
        _, stderr = running.communicate(timeout=_SECONDS)

    assert other.returncode == 5
    assert "another measurement runs on this board" in other.stderr
    assert cleaned.returncode == 5
    assert running.returncode == 0, stderr


def test_each_of_two_boards_has_its_own_result(
    bundle_folder: Path, used_board: SshServer, wheelhouse: Path, tmp_path: Path
) -> None:
    out = tmp_path / "report.json"
    words = ("--wheelhouse", wheelhouse, "--out", out, "--json", *BRIEFLY)

    done = edgefit_here(
        "bench", bundle_folder, "--on", used_board.target, "--on", "ssh://nobody.invalid", *words
    )

    assert done.returncode == 5
    assert (tmp_path / "report-board.json").is_file()
    assert not (tmp_path / "report-nobody.invalid.json").exists()
    boards = json.loads(done.stdout)["boards"]
    assert [board["target"] for board in boards] == ["ssh://board", "ssh://nobody.invalid"]
    assert "the host name 'nobody.invalid' is not known" in boards[1]["failed"]["error"]
