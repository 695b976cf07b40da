"""What can be wrong with a board before anything is put on it: one sentence, the remedy, and exit code 5."""

import subprocess
from pathlib import Path

import pytest
from making.command_line import edgefit_here
from making.ssh_server import SshServer


def doctor(board: SshServer) -> subprocess.CompletedProcess[str]:
    done = edgefit_here("doctor", "--on", board.target)
    assert "Traceback" not in done.stderr
    return done


def test_doctor_looks_at_a_board_and_puts_nothing_there(board: SshServer) -> None:
    done = doctor(board)

    assert done.returncode == 0, done.stderr
    assert "nothing there yet" in done.stdout
    assert "edgefit bench BUNDLE --on ssh://board" in done.stdout
    assert not list(board.home.iterdir())


def test_a_refused_key_is_told(board: SshServer) -> None:
    (board.folder / "key.pub").write_text("")

    done = doctor(board)

    assert done.returncode == 5
    assert "refused to let you in. Give it your key: ssh-copy-id board" in done.stderr


def test_a_changed_host_key_is_never_taken(board: SshServer) -> None:
    other = (board.folder / "key.pub").read_text().split()
    board.known_hosts.write_text(f"[127.0.0.1]:{board.port} {other[0]} {other[1]}\n")

    done = doctor(board)

    assert done.returncode == 5
    assert "its host key is not the one that is known" in done.stderr
    assert "Accepted publickey" not in board.log


def test_an_unknown_host_key_is_not_taken_though_the_configuration_would(board: SshServer) -> None:
    board.known_hosts.write_text("")
    config = board.folder / "config"
    config.write_text(config.read_text().replace("StrictHostKeyChecking yes", "StrictHostKeyChecking no"))

    done = doctor(board)

    assert done.returncode == 5
    assert "its host key is not known here" in done.stderr
    assert "Accepted publickey" not in board.log


def test_a_host_that_is_not_there_is_told() -> None:
    done = edgefit_here("doctor", "--on", "ssh://nobody.invalid")

    assert done.returncode == 5
    assert "no such host" in done.stderr


def test_a_port_at_which_nothing_answers_is_told(board: SshServer) -> None:
    done = edgefit_here("doctor", "--on", "ssh://board:1")

    assert done.returncode == 5
    assert "nothing answers at its ssh port" in done.stderr


def test_a_board_without_python_is_told(board: SshServer) -> None:
    board.put_program("python3", "echo 'sh: 1: python3: not found' >&2; exit 127")

    done = doctor(board)

    assert done.returncode == 5
    assert "has no python3" in done.stderr
    assert "sudo apt install python3" in done.stderr


def test_a_python_that_is_too_old_is_told(board: SshServer) -> None:
    board.put_program("python3", "echo; echo edgefit-board 3.9.2; cat >/dev/null")

    done = doctor(board)

    assert done.returncode == 5
    assert "has Python 3.9.2; edgefit needs 3.10 or newer" in done.stderr


def test_what_a_login_script_prints_does_no_harm(board: SshServer) -> None:
    real = (board.programs / "python3").resolve()
    board.put_program("python3", f"echo 'Welcome!'; printf 'no end of line'; exec '{real}' \"$@\"")

    assert doctor(board).returncode == 0


def test_under_voltage_is_a_warning(board: SshServer) -> None:
    board.put_program("vcgencmd", '[ "$1" = get_throttled ] && echo throttled=0x50005 || exit 255')

    done = doctor(board)

    assert done.returncode == 0
    assert "under-voltage" in done.stdout


def test_a_disk_that_takes_no_more_is_told_and_nothing_half_made_stays(
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
        "board",
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
def test_an_address_that_could_be_more_than_one_is_refused(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    done = edgefit_here("doctor", "--on", text)

    assert done.returncode == 2
    assert "ssh://pi@raspberrypi.local" in done.stderr
    assert not list(tmp_path.iterdir())


def test_clean_on_a_board_that_has_nothing_says_so(board: SshServer) -> None:
    done = edgefit_here("clean", "--on", board.target)

    assert done.returncode == 0
    assert "nothing of edgefit was there" in done.stdout
