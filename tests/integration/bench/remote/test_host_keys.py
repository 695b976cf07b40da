"""A board's host key is checked whatever EDGEFIT_SSH and ssh's configuration say."""

import shlex
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from making.command_line import edgefit_here
from making.ssh_server import SshServer, ssh_server, ssh_words

from bench.errors import BenchError, BoardError, InputError
from bench.remote.board import probe_board
from bench.remote.ssh_command import ssh_command
from bench.remote.targets import parse_target


@dataclass(frozen=True)
class Impostor:
    """A server that answers in the place of a known board, with a key of its own."""

    server: SshServer
    """The server."""

    config: Path
    """A configuration of ssh that finds it under the name `board`, and switches no check off."""

    unchecked: Path
    """The same, but it switches the check off."""


@pytest.fixture(scope="module")
def impostor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Impostor]:
    folder = tmp_path_factory.mktemp("impostor")
    with ssh_server(folder) as server:
        known = (folder / "key.pub").read_text().split()
        server.known_hosts.write_text(f"[127.0.0.1]:{server.port} {known[0]} {known[1]}\n")
        text = (folder / "config").read_text().replace("  StrictHostKeyChecking yes\n", "")
        config, unchecked = folder / "plain", folder / "unchecked"
        config.write_text(text)
        unchecked.write_text(text + "  StrictHostKeyChecking no\n")
        yield Impostor(server, config, unchecked)


def refusal(words: str, monkeypatch: pytest.MonkeyPatch) -> BenchError:
    monkeypatch.setenv("EDGEFIT_SSH", words)
    with pytest.raises(BenchError) as error:
        probe_board(parse_target("ssh://board"))
    return error.value


@pytest.mark.parametrize(
    "words",
    [
        "-o StrictHostKeyChecking=no",
        "-o StrictHostKeyChecking=off",
        "-o StrictHostKeyChecking=accept-new",
        "-oStrictHostKeyChecking=no",
        "-o 'StrictHostKeyChecking no'",
        "-o 'stricthostkeychecking = no'",
        "-ostricthostkeychecking=no",
        "-TvoStrictHostKeyChecking=no",
        "-o NoHostAuthenticationForLocalhost=yes",
        "-q -o LogLevel=QUIET -o StrictHostKeyChecking=no",
        "-o StrictHostKeyChecking=no -o StrictHostKeyChecking=no -t -t -A -X",
    ],
)
def test_words_that_switch_the_check_off_do_not_reach_a_board_with_another_key(
    impostor: Impostor, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = refusal(f"ssh -F {shlex.quote(str(impostor.config))} {words}", monkeypatch)

    assert isinstance(error, BoardError)
    assert "Accepted publickey" not in impostor.server.log


def test_a_file_that_switches_the_check_off_does_not_either(
    impostor: Impostor, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = refusal(f"ssh -F {shlex.quote(str(impostor.unchecked))}", monkeypatch)

    assert "the board's host key is not the known one" in str(error)
    assert "Accepted publickey" not in impostor.server.log


def test_a_connection_that_was_shared_without_a_check_is_not_used(
    impostor: Impostor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, control = shlex.quote(str(impostor.unchecked)), f"/tmp/edgefit-control-{impostor.server.port}"
    master = ["ssh", "-F", str(impostor.unchecked), "-M", "-S", control, "-f", "-N", "board"]
    subprocess.run(master, check=True, stderr=subprocess.DEVNULL)
    try:
        errors = [
            refusal(f"ssh -F {config} {words}", monkeypatch)
            for words in (f"-S {control}", f"-o ControlPath={control}", f"-o ControlMaster=auto -S {control}")
        ]
    finally:
        end = ["ssh", "-F", str(impostor.unchecked), "-S", control, "-O", "exit", "board"]
        subprocess.run(end, check=True, stderr=subprocess.DEVNULL)

    assert all("the board's host key is not the known one" in str(error) for error in errors)


def test_another_program_before_ssh_does_not_change_that(
    impostor: Impostor, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = f"env ssh -o StrictHostKeyChecking=no -F {shlex.quote(str(impostor.config))}"

    assert "the board's host key is not the known one" in str(refusal(words, monkeypatch))


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ('exec ssh -o StrictHostKeyChecking=no "$@"', "StrictHostKeyChecking false, and edgefit needs ask"),
        (
            'exec ssh -o StrictHostKeyChecking=accept-new "$@"',
            "StrictHostKeyChecking accept-new, and edgefit",
        ),
        ('exec ssh -o NoHostAuthenticationForLocalhost=yes "$@"', "NoHostAuthenticationForLocalhost yes"),
        ('exec ssh -o PermitLocalCommand=yes "$@"', "PermitLocalCommand yes, and edgefit needs no"),
        ('exec ssh -o "RemoteCommand=touch x" "$@"', "does not print how it would connect"),
        ('exec ssh -N "$@"', "SessionType none, and edgefit needs default"),
        ('exec ssh -n "$@"', "StdinNull yes, and edgefit needs no"),
        ('exec ssh -f "$@"', "and edgefit needs"),
        ('exec ssh other "$@"', "names a host of its own, other"),
        ("exit 0", "does not print how it would connect"),
        ("echo strict; exit 0", "does not print how it would connect"),
        ("exit 3", "-G does not print how it would connect (ssh ended with code 3)"),
        ("echo 'unknown option -G' >&2; exit 1", "how it would connect (unknown option -G)"),
        ('exec ssh -o Nonsense=1 "$@"', "ssh does not understand its configuration"),
    ],
)
def test_a_program_that_would_connect_otherwise_is_refused(
    script: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "connect"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("EDGEFIT_SSH", shlex.quote(str(program)))

    done = edgefit_here("doctor", "--on", "ssh://board.invalid")

    assert done.returncode in (InputError.exit_code, BoardError.exit_code)
    assert reason in done.stderr
    assert "EDGEFIT_SSH" in done.stderr or "configuration" in done.stderr


@pytest.mark.parametrize("file", ["/dev/null", "none"])
def test_a_configuration_in_which_no_key_can_be_known_is_refused(
    file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = f"ssh -F /dev/null -o 'UserKnownHostsFile={file}' -o GlobalKnownHostsFile=/dev/null"
    monkeypatch.setenv("EDGEFIT_SSH", words)

    with pytest.raises(InputError, match=f"^board: no host key .* UserKnownHostsFile is {file}; name a file"):
        ssh_command(parse_target("board"), "true")


def test_a_configuration_that_is_stricter_stays_as_strict(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGEFIT_SSH", "ssh -F /dev/null")
    usual = ssh_command(parse_target("board"), "true").words
    monkeypatch.setenv("EDGEFIT_SSH", "ssh -F /dev/null -o StrictHostKeyChecking=yes")
    strict = ssh_command(parse_target("board"), "true").words

    assert "StrictHostKeyChecking=ask" in usual
    assert "StrictHostKeyChecking=ask" not in strict


def test_a_command_of_ssh_s_configuration_that_waits_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "config"
    config.write_text('Match exec "sleep 60"\n  User nobody\n')
    monkeypatch.setenv("EDGEFIT_SSH", f"ssh -F {shlex.quote(str(config))}")
    monkeypatch.setattr("bench.remote.ssh_command._LIMIT_S", 0.5)

    with pytest.raises(BoardError, match=r"^board: ssh -G, which .* has not ended"):
        ssh_command(parse_target("board"), "true")


def test_a_board_behind_a_jump_host_is_reached_and_its_own_key_is_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ssh_server(tmp_path) as board:
        monkeypatch.setenv("EDGEFIT_SSH", ssh_words(board))
        config = board.folder / "config"
        text = config.read_text()
        config.write_text(f"{text}  ProxyJump jump\n{text.replace('Host board', 'Host jump')}")
        assert probe_board(parse_target(board.target)).facts.may_write

        # The jump host's own key is checked as the configuration says, and the board's in any case.
        jump = "Host jump\n  StrictHostKeyChecking no\n  UserKnownHostsFile /dev/null\n"
        config.write_text(f"{text}  ProxyJump jump\n{jump}{text.replace('Host board', 'Host jump')}")
        board.known_hosts.write_text("")

        assert "host key is not known here" in str(refusal(ssh_words(board), monkeypatch))


def test_a_board_is_reached_through_another_program(
    board: SshServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGEFIT_SSH", f"env LC_ALL=C {ssh_words(board)} -o Compression=yes")

    assert probe_board(parse_target(board.target)).facts.may_write
