"""Faults of a board before anything is written there: one sentence, the remedy, and exit code 5."""

import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from making.command_line import edgefit_here
from making.ssh_server import SshServer

from bench.errors import BoardError, LinkLostError
from bench.remote.board import probe_board
from bench.remote.targets import parse_target


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


def shorten_the_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have edgefit wait a second for a board's shell."""
    for name in ("_COMMAND_LIMIT_S", "_LEAST_AFTER_LOGIN_S"):
        monkeypatch.setattr(f"bench.remote.ssh.{name}", 1.0)


def log_in_with(board: SshServer, script: str) -> None:
    """Have the board run a shell script before each command, as a shell reads a login script."""
    key = (board.folder / "key.pub").read_text()
    (board.folder / "key.pub").write_text(f'command="login" {key}')
    board.put_program("login", f'{script}\neval "$SSH_ORIGINAL_COMMAND"')


@pytest.mark.parametrize(
    ("script", "cause"),
    [
        ("read -r answer", "waits for input"),
        ("printf 'Continue? [y/N] '; read -r answer; [ $answer ] || exit 1", "(Continue? [y/N]): a login"),
        ("exec sh", "starts another program in place of edgefit's command"),
        ("exec >/dev/null", "sends its output elsewhere"),
        ("sleep 20", "waits for something"),
        ("sleep 20 & while kill -0 $!; do echo noise; done", "waits for something"),
    ],
)
def test_a_login_script_that_waits_or_replaces_the_shell_is_named(
    board: SshServer, script: str, cause: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    log_in_with(board, script)
    shorten_the_wait(monkeypatch)
    if cause == "waits for something":  # nothing that edgefit does has an effect
        monkeypatch.setattr("bench.remote.ssh._REACTION_LIMIT_S", 1.0)

    with pytest.raises(LinkLostError) as error:
        probe_board(parse_target(board.target))

    assert cause in str(error.value)
    assert "a login script of the board" in str(error.value)


@pytest.mark.parametrize(
    ("script", "cause"),
    [
        ("exit 3", "the login ended with code 3"),
        ("exit 0", "the login ended with code 0"),
        ("exec false", "this account may run no commands"),
        (
            "echo 'This account is currently not available.'; exit 1",
            "(This account is currently not available.)",
        ),
        ("set -e; cd /nowhere", "nowhere"),
        ("exec </dev/null", "may redirect its input"),
        ("PATH=/nowhere", "the board has no python3 for ssh logins"),
        ("alias python3=/nowhere/python3", "the board has no python3 for ssh logins"),
    ],
)
def test_a_login_script_that_ends_the_login_is_named(board: SshServer, script: str, cause: str) -> None:
    log_in_with(board, script)

    with pytest.raises(BoardError) as error:
        probe_board(parse_target(board.target))

    assert cause in str(error.value)


@pytest.mark.parametrize(
    "script",
    [
        "cd /nowhere",
        "umask 777",
        "stty -echo; clear; set -x",
        "export PYTHONHOME=/nowhere PYTHONPATH=/nowhere PYTHONSTARTUP=/nowhere",
        "head -c 3000000 /dev/zero; echo; head -c 3000000 /dev/zero | tr '\\0' '\\n'",
        "trap 'echo bye' EXIT",
    ],
)
def test_a_login_script_that_lets_the_command_run_does_not_matter(board: SshServer, script: str) -> None:
    log_in_with(board, script)

    assert probe_board(parse_target(board.target)).facts.may_write


def test_a_person_has_time_to_type_a_password(board: SshServer, monkeypatch: pytest.MonkeyPatch) -> None:
    shorten_the_wait(monkeypatch)
    config = board.folder / "config"
    jump = shlex.quote(f"sleep 2; exec ssh -F {shlex.quote(str(config))} -W 127.0.0.1:{board.port} jump")
    text = config.read_text()
    config.write_text(f"{text}  ProxyCommand sh -c {jump}\n{text.replace('Host board', 'Host jump')}")

    assert probe_board(parse_target(board.target)).facts.may_write


def test_a_login_script_is_named_although_another_program_than_ssh_connects(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ssh = tmp_path / "ssh"
    says_how = '[ "$word" = -G ] && exec ssh -q -F /dev/null "$@"'  # and has no log
    ssh.write_text(f"#!/bin/sh\nfor word; do {says_how}; done\nexec cat\n")
    ssh.chmod(0o755)
    monkeypatch.setenv("EDGEFIT_SSH", str(ssh))
    shorten_the_wait(monkeypatch)

    with pytest.raises(LinkLostError, match="a login script of the board"):
        probe_board(parse_target("ssh://board"))


def test_a_password_reaches_neither_ssh_nor_the_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ssh, arguments = tmp_path / "ssh", tmp_path / "arguments"
    says_how = '[ "$word" = -G ] && exec ssh -F /dev/null "$@"'
    ssh.write_text(f'#!/bin/sh\necho "$@" >> {shlex.quote(str(arguments))}\nfor word; do {says_how}; done\n')
    ssh.chmod(0o755)
    monkeypatch.setenv("EDGEFIT_SSH", str(ssh))

    refused = edgefit_here("doctor", "--on", "ssh://pi:hunter2@board")
    edgefit_here("doctor", "--on", "CORP\\jane@board")

    assert refused.returncode == 2
    assert "write ssh://pi@board" in refused.stderr
    assert "hunter2" not in refused.stdout + refused.stderr
    assert "hunter2" not in arguments.read_text()
    assert "-l CORP\\jane -- board" in arguments.read_text()


def test_a_folder_from_which_no_program_can_run_is_refused_before_anything_is_sent(
    board: SshServer, bundle_folder: Path, wheelhouse: Path
) -> None:
    cache = board.home / ".cache"
    mount = f"mount -t tmpfs -o noexec none {shlex.quote(str(cache))}"
    if subprocess.run(["unshare", "-rm", "mount", "-t", "tmpfs", "none", "/mnt"], check=False).returncode:
        pytest.skip("no file system can be mounted here")
    cache.mkdir()
    inside = shlex.quote(f'{mount} && exec {shlex.quote(sys.executable)} "$@"')
    board.put_program("python3", f'exec unshare -rm sh -c {inside} sh "$@"')

    done = edgefit_here(
        *("bench", bundle_folder, "--on", board.target, "--only", "onnx-fp32"),
        *("--wheelhouse", wheelhouse, "--profile", "laptop-cpu"),
    )

    assert done.returncode == 5
    assert "mounted with noexec" in done.stderr
    assert "export XDG_CACHE_HOME=" in done.stderr
    assert "sending" not in done.stderr
    assert doctor(board).returncode == 5


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
