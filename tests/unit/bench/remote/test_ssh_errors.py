"""The cause that is named for an ssh that ended, by its exit code and by what was printed."""

import pytest

from bench.errors import LinkLostError
from bench.remote.ssh_errors import Stuck, agent_error, connection_error, has_log, is_logged_in, stuck_error
from bench.remote.targets import parse_target

TARGET = parse_target("ssh://pi@board:2222")
LOG = """debug1: Authentications that can continue: publickey
Authenticated to board ([10.0.0.7]:2222) using "publickey".
debug1: Sending command: python3 -B -E -c "…"
{}
Transferred: sent 3480, received 3308 bytes, in 0.1 seconds
Bytes per second: sent 62176.7, received 59103.6
debug1: Exit status 1
"""


@pytest.mark.parametrize(
    ("exit_code", "stderr", "reason"),
    [
        (255, "pi@board: Permission denied (publickey).", "ssh-copy-id -p 2222 pi@board, or"),
        (255, "Host key verification failed.", "accept it once: ssh -p 2222 pi@board"),
        (255, "REMOTE HOST IDENTIFICATION HAS CHANGED!", "ssh-keygen -R '[board]:2222'"),
        (255, "Connection closed by 10.0.0.7 port 22", "the connection broke (Connection closed"),
        (
            1,
            "cat: x: Permission denied",
            "the login ended with code 1 before edgefit's command began (cat: x",
        ),
        (1, "open terminal failed: not a terminal", "a login script of the board"),
        (0, "", "the login ended with code 0 before edgefit's command began: a login script of the board"),
        (127, ".bashrc: line 1: exec: screen: not found", "a login script of the board"),
        (127, "sh: 1: python3: not found", "the board has no python3 for ssh logins"),
        (127, "Command 'python3' not found\nAsk your administrator.", "the board has no python3"),
        (126, "-rbash: /usr/bin/python3: Permission denied", "the board has no python3"),
        (127, "", "the board has no python3 for ssh logins; install it"),
        (1, "python3: Command not found.", "the board has no python3 for ssh logins (python3: Command not"),
        (
            1,
            "Fatal Python error: init_fs_encoding\nno frame",
            "the board's python3 does not start (no frame)",
        ),
        (1, "Password change required but no TTY available.", "log in once with: ssh -p 2222 pi@board"),
    ],
)
def test_the_cause_is_named_by_the_exit_code_and_the_last_line(
    exit_code: int, stderr: str, reason: str
) -> None:
    assert reason in str(connection_error(TARGET, exit_code, LOG.format(stderr), ""))


def test_an_account_without_a_shell_is_named_by_what_it_prints() -> None:
    error = connection_error(TARGET, 1, LOG.format(""), "\n\x1b[1mThis account is currently not available.\n")

    assert "(\\x1b[1mThis account is currently not available.)" in str(error)
    assert "this account may run no commands" in str(error)


@pytest.mark.parametrize("stuck", Stuck)
def test_a_login_after_which_nothing_runs_names_the_login_script_and_the_remedy(stuck: Stuck) -> None:
    error = stuck_error(TARGET, stuck, 20.0, "Continue? [y/N] ")

    assert isinstance(error, LinkLostError)
    assert "no answer within 20 s of the login (Continue? [y/N]): a login script of the board" in str(error)
    assert "case $- in *i*) ;; *) return;; esac" in str(error)
    assert "ssh -p 2222 pi@board python3 --version" in str(error)


def test_an_agent_whose_input_ends_at_once_is_not_a_broken_connection() -> None:
    assert "exec </dev/null" in str(agent_error(TARGET, 0, LOG.format(""), has_answered=False))
    assert "the connection broke" in str(agent_error(TARGET, 255, "", has_answered=False))
    assert "the connection broke" in str(agent_error(TARGET, 0, "", has_answered=True))


def test_the_log_says_when_ssh_has_logged_in() -> None:
    assert is_logged_in(LOG)
    assert not is_logged_in('Authenticated to jump ([10.0.0.1]:22) using "publickey".')


def test_another_program_than_openssh_has_no_log() -> None:
    assert has_log({"loglevel": "DEBUG"})
    assert not has_log({"loglevel": "SILENT"})
    assert not has_log({})
