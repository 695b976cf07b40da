"""Faults of a board before anything is written there: one sentence, the remedy, and exit code 5."""

import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from making.command_line import edgefit_here
from making.ssh_server import SshServer


def doctor(board: SshServer) -> subprocess.CompletedProcess[str]:
    done = edgefit_here("doctor", "--on", board.target)
    assert "Traceback" not in done.stderr
    return done


def test_doctor_probes_a_board_and_writes_nothing(board: SshServer) -> None:
    done = doctor(board)

    assert done.returncode == 0, done.stderr
    assert "not installed yet" in done.stdout
    assert "edgefit bench BUNDLE --on ssh://board" in done.stdout
    assert not list(board.home.iterdir())


def test_a_refused_key_is_reported(board: SshServer) -> None:
    (board.folder / "key.pub").write_text("")

    done = doctor(board)

    assert done.returncode == 5
    assert "the board refused the login. Give it your key with ssh-copy-id board" in done.stderr


def test_a_changed_host_key_is_never_accepted(board: SshServer) -> None:
    other = (board.folder / "key.pub").read_text().split()
    board.known_hosts.write_text(f"[127.0.0.1]:{board.port} {other[0]} {other[1]}\n")

    done = doctor(board)

    assert done.returncode == 5
    assert "the board's host key is not the known one" in done.stderr
    assert "Accepted publickey" not in board.log


def test_an_unknown_host_key_is_refused_although_the_configuration_would_accept_it(board: SshServer) -> None:
    board.known_hosts.write_text("")
    config = board.folder / "config"
    config.write_text(config.read_text().replace("StrictHostKeyChecking yes", "StrictHostKeyChecking no"))

    done = doctor(board)

    assert done.returncode == 5
    assert "the board's host key is not known here" in done.stderr
    assert "Accepted publickey" not in board.log


def test_a_model_on_the_board_cannot_use_the_keys_of_an_agent_that_would_be_forwarded(
    board: SshServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, seen = board.folder / "config", board.folder / "agent"
    config.write_text(config.read_text() + "  ForwardAgent yes\n")
    board.put_program(
        "python3", f'echo "${{SSH_AUTH_SOCK-none}}" > {shlex.quote(str(seen))}; exec {sys.executable} "$@"'
    )
    with tempfile.TemporaryDirectory() as folder:  # the path of a socket must be short
        agent = subprocess.Popen(["ssh-agent", "-D", "-a", f"{folder}/agent"], stdout=subprocess.DEVNULL)
        monkeypatch.setenv("SSH_AUTH_SOCK", f"{folder}/agent")
        try:
            done = doctor(board)
        finally:
            agent.kill()
            agent.wait()

    assert done.returncode == 0, done.stderr
    assert seen.read_text() == "none\n"


def test_an_unknown_host_is_reported() -> None:
    done = edgefit_here("doctor", "--on", "ssh://nobody.invalid")

    assert done.returncode == 5
    assert "the host name 'nobody.invalid' is not known" in done.stderr


def test_a_closed_port_is_reported(board: SshServer) -> None:
    done = edgefit_here("doctor", "--on", "ssh://board:1")

    assert done.returncode == 5
    assert "nothing listens at the board's ssh port" in done.stderr


def test_a_board_without_python_is_reported(board: SshServer) -> None:
    board.put_program("python3", "echo 'sh: 1: python3: not found' >&2; exit 127")

    done = doctor(board)

    assert done.returncode == 5
    assert "the board has no python3" in done.stderr
    assert "sudo apt install python3" in done.stderr


def test_a_python_that_is_too_old_is_reported(board: SshServer) -> None:
    board.put_program("python3", "echo; echo edgefit-board 3.9.2; cat >/dev/null")

    done = doctor(board)

    assert done.returncode == 5
    assert "the board has Python 3.9.2, and edgefit needs 3.10 or newer" in done.stderr


def test_output_of_a_login_script_is_ignored(board: SshServer) -> None:
    real = (board.programs / "python3").resolve()
    board.put_program("python3", f"echo 'Welcome!'; printf 'no end of line'; exec '{real}' \"$@\"")

    assert doctor(board).returncode == 0


def test_under_voltage_is_a_warning(board: SshServer) -> None:
    board.put_program("vcgencmd", '[ "$1" = get_throttled ] && echo throttled=0x50005 || exit 255')

    done = doctor(board)

    assert done.returncode == 0
    assert "under-voltage" in done.stdout


def test_a_full_disk_is_reported_and_leaves_no_unfinished_file(
    board: SshServer, bundle_folder: Path, wheelhouse: Path
) -> None:
    real = (board.programs / "python3").resolve()
    board.put_program("python3", f"ulimit -f 2000; exec '{real}' \"$@\"")  # no file beyond a megabyte

    done = edgefit_here(
        "bench",
        bundle_folder,
        "--on",
        board.target,
        "--only",
        "onnx-fp32",
        "--wheelhouse",
        wheelhouse,
        *("--profile", "laptop-cpu"),
    )

    assert done.returncode == 5
    assert "File too large" in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(board.store.glob("*/*.part"))


@pytest.mark.parametrize(
    "text",
    [
        "ssh://",
        "ssh://-oProxyCommand=touch x",
        "ssh://$(touch x)",
        "ssh://a;b",
        "ssh://a b",
        "ssh://'board'",
        "ssh://user name@board",
        "ssh://-lroot@board",
        "ssh://board:port",
        "ssh://board:0",
        "ssh://board:99999",
        "ssh://%2doProxyCommand=x",
        "ssh://a%0ab",
    ],
)
def test_an_unsafe_address_is_refused(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    done = edgefit_here("doctor", "--on", text)

    assert done.returncode == 2
    assert "ssh://pi@raspberrypi.local" in done.stderr
    assert not list(tmp_path.iterdir())


def test_clean_says_that_there_is_nothing_to_remove(board: SshServer) -> None:
    done = edgefit_here("clean", "--on", board.target)

    assert done.returncode == 0
    assert "there is nothing to remove" in done.stdout
