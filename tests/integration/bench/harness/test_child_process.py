"""However a child ends, and whatever it sends or prints: one error with its kind, and nothing is left."""

import errno
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from bench.harness import child_process, started_process
from bench.harness.child_process import ChildDiedError, ChildProcess
from bench.harness.started_process import signal_name
from bench.measurements import FailureKind

LIMIT_S = 60.0
# By default these stop a process, or do nothing.
_HARMLESS = (
    signal.SIGCHLD,
    signal.SIGCONT,
    signal.SIGSTOP,
    signal.SIGTSTP,
    signal.SIGTTIN,
    signal.SIGTTOU,
    signal.SIGURG,
    signal.SIGWINCH,
)
# Two that the C library keeps for itself are left out: what started the tests may have blocked them, and
# nothing that goes through that library can undo it.
DEADLY = sorted(signal.valid_signals() - set(_HARMLESS))


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child_process, "_STEP_S", 0.05)


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder for temporary files, which is empty again in the end."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    assert list(folder.iterdir()) == []


def shell(script: str) -> tuple[str, ...]:
    """A child that does this in a shell, where $0 is the number of its pipe, once it has got a line."""
    return ("/bin/sh", "-c", f"read line; {script}")


def python(script: str) -> tuple[str, ...]:
    """A child that does this in Python."""
    start = "import os, sys, time; pipe = int(sys.argv[1]); sys.stdin.readline()"
    return (sys.executable, "-c", f"{start}\n{script}")


def death(
    command: tuple[str, ...], timeout_s: float = LIMIT_S, longest_line: int = 1 << 20
) -> ChildDiedError:
    with ChildProcess(command, {}, longest_line) as child:
        child.send("go")
        with pytest.raises(ChildDiedError) as died:
            child.read_line(timeout_s)
    return died.value


def until_ended(child: ChildProcess) -> None:
    deadline = time.monotonic() + LIMIT_S
    while child.is_running:
        assert time.monotonic() < deadline


def test_every_signal_is_a_death_with_its_name() -> None:
    deaths = {number: death(shell(f"kill -{number} $$; sleep 600")) for number in DEADLY}

    for number, died in deaths.items():
        assert died.message == f"died of {signal_name(number)}"
    kinds = {number: died.kind for number, died in deaths.items() if died.kind is not FailureKind.CRASH}
    assert kinds == {signal.SIGKILL: FailureKind.KILLED, signal.SIGILL: FailureKind.ILLEGAL_INSTRUCTION}


def test_signals_for_real_time_are_counted_from_the_first() -> None:
    names = [signal_name(number) for number in (1, 15, 33, 34, 35, 63, 64)]

    assert names == ["SIGHUP", "SIGTERM", "signal 33", "SIGRTMIN", "SIGRTMIN+1", "SIGRTMIN+29", "SIGRTMAX"]


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("exit 0", "ended with exit code 0 before it answered"),
        ("sleep 600 & exit 3", "ended with exit code 3 before it answered"),
        ("(sleep 600 & sleep 600) & kill -9 $$", "died of SIGKILL"),
        ("printf half >/dev/fd/$0; sleep 600 & kill -SEGV $$", "died of SIGSEGV"),
    ],
)
def test_a_child_that_ends_is_dead_also_while_what_it_started_holds_its_pipe(
    script: str, message: str
) -> None:
    assert death(shell(script)).message == message


def test_what_left_the_session_and_holds_the_pipe_keeps_nobody_waiting(own_folder: Path) -> None:
    note = own_folder.parent / "pid"
    script = (
        f"note = {str(note)!r}\n"
        "if not os.fork():\n"
        "    os.setsid()\n"
        "    open(note, 'w').write(str(os.getpid()))\n"
        "    time.sleep(600)\n"
        "while not os.path.exists(note): pass\n"
        "os._exit(4)"
    )
    try:
        died = death(python(script))
    finally:
        with suppress(OSError, ValueError):
            os.kill(int(note.read_text()), signal.SIGKILL)

    assert died.message == "ended with exit code 4 before it answered"


def test_a_child_that_closes_its_pipe_and_lives_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(started_process, "END_LIMIT_S", 0.2)

    died = death(python("os.close(pipe); time.sleep(600)"))

    assert (died.kind, died.message) == (
        FailureKind.HANG,
        "closed its pipe but did not end, and was ended",
    )


def test_an_endless_line_is_garbage_and_does_not_fill_the_memory() -> None:
    died = death(python("while True: os.write(pipe, b'x' * 65536)"))

    assert (died.kind, died.message) == (
        FailureKind.GARBAGE,
        "sent 1 MiB without a line end and was ended",
    )


def test_a_child_that_sends_a_byte_now_and_then_hangs() -> None:
    died = death(python("while True: os.write(pipe, b'x'); time.sleep(0.01)"), timeout_s=0.3)

    assert (died.kind, died.message) == (FailureKind.HANG, "gave no answer in time and was ended")


def test_an_endless_stderr_is_garbage_and_only_its_end_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child_process, "_MOST_PRINTED", 1 << 20)

    died = death(shell("while true; do echo a line like any other >&2; done"))

    assert died.kind is FailureKind.GARBAGE
    assert died.message.startswith("printed 1 MiB and was ended\na line like any other\n")
    assert len(died.message.splitlines()) <= 7


def test_the_last_line_of_a_long_stderr_is_quoted() -> None:
    died = death(python("sys.stderr.write('x' * (5 << 20) + '\\nthe last line\\n'); sys.exit(7)"))

    assert died.message.endswith("\nthe last line")
    assert len(died.message) < 1 << 17


def test_a_request_that_a_stopped_child_does_not_take_is_a_hang(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child_process, "_SEND_LIMIT_S", 0.2)

    with ChildProcess(shell("sleep 600"), {}) as child:
        child.send("go")
        with pytest.raises(ChildDiedError, match="did not take its request in time") as died:
            child.send("x" * (1 << 20))

    assert died.value.kind is FailureKind.HANG


def test_a_long_request_arrives_whole() -> None:
    with ChildProcess(python("os.write(pipe, b'%d\\n' % len(sys.stdin.readline()))"), {}) as child:
        child.send("go")
        child.send("x" * (1 << 20))

        assert child.read_line(LIMIT_S) == b"1048577"


def test_time_for_which_this_process_was_stopped_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SimpleNamespace(now=0.0)

    def monotonic() -> float:
        clock.now += 1000.0  # as after Ctrl-Z and, much later, fg
        return float(clock.now)

    with ChildProcess(python("time.sleep(0.3); os.write(pipe, b'done\\n')"), {}) as child:
        child.send("go")
        monkeypatch.setattr(child_process, "time", SimpleNamespace(monotonic=monotonic))

        assert child.read_line(LIMIT_S) == b"done"
        assert child.stopped_s > 900


@pytest.mark.parametrize(
    ("number", "remedy"), [(errno.EAGAIN, "ulimit -u"), (errno.ENOMEM, "memory"), (errno.EMFILE, "ulimit -n")]
)
def test_a_child_that_cannot_be_started_counts_as_dead(
    monkeypatch: pytest.MonkeyPatch, number: int, remedy: str
) -> None:
    def refuse(*_words: object, **_named: object) -> None:
        raise OSError(number, os.strerror(number))

    open_before = psutil.Process().num_fds()
    monkeypatch.setattr(subprocess, "Popen", refuse)
    with ChildProcess(shell("exit"), {}) as child:
        assert child.has_output
        assert not child.is_running
        with pytest.raises(ChildDiedError, match="could not be started") as died:
            child.send("go")

    assert died.value.kind is FailureKind.ERROR
    assert remedy in died.value.message
    assert psutil.Process().num_fds() == open_before


def test_a_full_folder_for_temporary_files_counts_as_a_death(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_words: object, **_named: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(tempfile, "TemporaryDirectory", full)

    with ChildProcess(shell("exit"), {}) as child, pytest.raises(ChildDiedError, match="TMPDIR"):
        child.send("go")


def test_what_the_system_cannot_end_stops_nobody_from_ending_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first, second = (ChildProcess(shell("sleep 600"), {}) for _ in range(2))
    wait, kill = subprocess.Popen.wait, os.killpg

    def wait_for(process: "subprocess.Popen[bytes]", timeout: float | None = None) -> int:
        if process.pid == first.pid:  # it waits for a device, as SIGKILL cannot end it
            raise subprocess.TimeoutExpired("a child", timeout or 0)
        return wait(process, timeout)

    with monkeypatch.context() as patch:
        patch.setattr(subprocess.Popen, "wait", wait_for)
        patch.setattr(os, "killpg", lambda pid, number: pid == first.pid or kill(pid, number))
        stuck = first.end(FailureKind.HANG, "gave no answer in time and was ended")
        child_process._stop([first, second])

        assert stuck.message == (
            "gave no answer in time and was ended; it still waits for a device 10 s after the system was to "
            "kill it"
        )
        assert not second.is_running
        assert first.is_running
    first.stop()
    until_ended(first)
    first.stop()


def test_a_child_is_reaped_after_its_session_is_killed_and_its_number_never_used_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    killed: list[int] = []
    kill = os.killpg

    def note(pid: int, number: int) -> None:
        assert psutil.Process(pid).status() == psutil.STATUS_ZOMBIE  # it still has its number
        killed.append(pid)
        kill(pid, number)

    monkeypatch.setattr(os, "killpg", note)
    with ChildProcess(shell("exit 1"), {}) as child:
        pid = child.pid
        child.send("go")
        until_ended(child)
        with pytest.raises(ChildDiedError, match="exit code 1"):
            child.read_line(LIMIT_S)
        child.stop()

    assert killed == [pid]


def test_where_the_system_reaps_children_their_end_is_noticed() -> None:
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        died = death(shell("exit 1"))
    finally:
        signal.signal(signal.SIGCHLD, before)

    assert (died.kind, died.message) == (FailureKind.EXIT, "ended before it answered, and nobody knows how")
