"""One command measures at a time on a machine; another one says for whom it waits, and goes on then."""

import os
import secrets
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from making.faulty_plan import Silent

from bench.harness import alone
from bench.harness.alone import NO_WAIT_VARIABLE

_MEASURE = """
import sys
from contextlib import redirect_stderr
from bench.harness import alone
from edgefit.progress import progress
from edgefit.terminal import set_quiet

set_quiet(len(sys.argv) > 2)
alone._NAME = b"\\0" + sys.argv[1].encode()
with redirect_stderr(sys.stdout), progress() as lines, alone.alone(lines):
    print("measures", flush=True)
    sys.stdin.read()
"""


@contextmanager
def command(machine: str, *options: str, **variables: str) -> Iterator[subprocess.Popen[str]]:
    """Start a command that measures on a machine, in so far as a name is one, until its input ends."""
    environment = {name: value for name, value in os.environ.items() if name != NO_WAIT_VARIABLE}
    process = subprocess.Popen(
        [sys.executable, "-c", _MEASURE, machine, *options],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**environment, **variables},
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            assert stream is not None
            stream.close()


def line_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


@pytest.fixture
def machine() -> str:
    return f"edgefit-test-{secrets.token_hex(8)}"


@pytest.mark.parametrize("options", [(), ("--quiet",)])
@pytest.mark.parametrize("end", [signal.SIGKILL, None])
def test_a_second_command_waits_until_the_first_has_ended_however_that_ends(
    machine: str, end: signal.Signals | None, options: tuple[str, ...]
) -> None:
    with command(machine) as first:
        assert line_of(first) == "measures"
        with command(machine, *options) as second:
            said = line_of(second)
            assert f"another command measures on this machine (process {first.pid}, started at " in said
            assert "Ctrl-C ends the wait" in said

            if end is None:
                assert first.stdin is not None
                first.stdin.close()
            else:
                first.send_signal(end)

            assert line_of(second) == "measures"


def test_of_three_commands_each_measures_in_the_end(machine: str) -> None:
    with command(machine) as first, command(machine) as second, command(machine) as third:
        for process in (first, second, third):
            assert process.stdin is not None
            process.stdin.close()
        lines = [process.stdout.read().splitlines() for process in (first, second, third) if process.stdout]

    assert [output[-1] for output in lines] == ["measures"] * 3


def test_an_interrupt_ends_the_wait(machine: str) -> None:
    with command(machine) as first:
        assert line_of(first) == "measures"
        with command(machine) as second:
            line_of(second)
            second.send_signal(signal.SIGINT)

            assert second.stderr is not None
            assert "KeyboardInterrupt" in second.stderr.read()
        assert first.poll() is None


def test_a_variable_says_not_to_wait(machine: str) -> None:
    with command(machine) as first, command(machine, **{NO_WAIT_VARIABLE: "1"}) as second:
        assert line_of(first) == "measures"
        assert line_of(second) == "measures"


def test_a_process_that_has_the_name_and_does_not_listen_is_said_and_waited_for(machine: str) -> None:
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(b"\0" + machine.encode())
        with command(machine) as waiting:
            assert "(a process that is not seen from here)" in line_of(waiting)
            other.close()
            assert line_of(waiting) == "measures"


def test_a_system_that_gives_no_such_name_is_said_and_measures_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv(NO_WAIT_VARIABLE)
    monkeypatch.setattr(alone, "_NAME", b"\0" + b"x" * 200)  # longer than a name may be
    watching = Silent()

    with pytest.raises(OSError, match="AF_UNIX path too long"), socket.socket(socket.AF_UNIX) as lock:
        lock.bind(alone._NAME)
    with alone.alone(watching):
        pass

    assert "is not known" in watching.sentences[0]
