"""Why an ssh process ended, or has no answer: by its exit code, and by what it and the board printed. Pure.

Whatever ssh itself cannot do ends it with code 255. Any other code is that of the board's login: its shell
reads a login script before it runs edgefit's command, and such a script may wait, end the login, or start
another program.
"""

from collections.abc import Mapping
from enum import Enum

from bench.errors import BoardError, LinkLostError
from bench.remote.targets import Target
from user_files.printable import printable

_SSH_FAILED = 255
_NOT_EXECUTABLE, _NOT_FOUND = 126, 127
_LONGEST_LINE = 200
# What ssh prints at this level of its log without being an error.
_LOG = (
    "debug1: ",
    "debug2: ",
    "debug3: ",
    "Authenticated to ",
    "Transferred: sent ",
    "Bytes per second: ",
    "Warning:",
)
# ssh is logged in, and the board's shell begins.
_LOGGED_IN = "debug1: Sending command: "
_SCRIPT = "a login script of the board (~/.bashrc, or another that its shell reads)"
_REMEDY = (
    "put this line before it: case $- in *i*) ;; *) return;; esac. Then this must print a version:"
    " ssh {login} python3 --version"
)


class Stuck(Enum):
    """Why no command runs after a login: known by what happens when its input is closed."""

    WAITS_FOR_INPUT = f"{_SCRIPT} waits for input, as the command read does; {_REMEDY}"
    """The command runs then."""

    IS_REPLACED = (
        f"{_SCRIPT} starts another program in place of edgefit's command, such as exec zsh, or asks a"
        f" question, or sends its output elsewhere; {_REMEDY}"
    )
    """The login ends then, without the command."""

    WAITS = (
        f"{_SCRIPT} waits for something, and edgefit's command has not begun; {_REMEDY}. If the board is only"
        " slow, run the command again"
    )
    """Nothing happens then."""


def has_log(configuration: Mapping[str, str]) -> bool:
    """Return whether ssh will say in its log when it has logged in."""
    return configuration.get("loglevel", "").startswith("DEBUG")


def is_logged_in(stderr: str) -> bool:
    """Return whether ssh has logged in, by its log."""
    return _LOGGED_IN in stderr


def stuck_error(target: Target, stuck: Stuck, waited_s: float, printed: str) -> LinkLostError:
    """Return the error for a login after which no command ran for a while; `printed`: by the board."""
    said = _in_brackets(_last_line(printed))
    return LinkLostError(
        f"{target.name}: no answer within {waited_s:.0f} s of the login{said}: {_filled(stuck.value, target)}"
    )


def connection_error(target: Target, exit_code: int | None, stderr: str, printed: str) -> BoardError:
    """Return the error for an ssh that ended before the board's Python answered.

    `printed`: the end of what the board printed. It is a LinkLostError where trying again later may help.
    """
    if exit_code is not None and exit_code >= 0 and exit_code != _SSH_FAILED:
        return _login_error(target, exit_code, _lines(stderr) or _lines(printed))
    errors, last = "\n".join(_lines(stderr)), _last_line(stderr) or _ending(exit_code)
    for sign, remedy in _REMEDIES.items():
        if sign in errors:
            return BoardError(f"{target.name}: {_filled(remedy, target)} ({last})")
    for sign, remedy in _REMEDIES_OF_NOW.items():
        if sign in errors:
            return LinkLostError(f"{target.name}: {_filled(remedy, target)} ({last})")
    return LinkLostError(f"{target.name}: the connection broke ({last})")


def configuration_error(target: Target, program: str, exit_code: int, stderr: str) -> BoardError:
    """Return the error for a command that does not print how it would connect (`ssh -G`)."""
    errors, last = "\n".join(_lines(stderr)), _last_line(stderr) or _ending(exit_code)
    for sign, remedy in _REMEDIES.items():
        if sign in errors:
            return BoardError(f"{target.name}: {_filled(remedy, target)} ({last})")
    return BoardError(
        f"{target.name}: {program} -G does not print how it would connect ({last}), so edgefit cannot see"
        " whether it checks the board's host key; name OpenSSH's ssh in EDGEFIT_SSH"
    )


def flood_error(target: Target, log: str) -> BoardError:
    """Return the error for a board that wrote to its error output without end."""
    return BoardError(
        f"{target.name}: the board wrote megabytes to its error output{_in_brackets(_last_line(log))}; look"
        f" at what its login scripts print, and which machine answers at this address: ssh {target.login}"
    )


def agent_error(target: Target, exit_code: int | None, stderr: str, has_answered: bool) -> LinkLostError:
    """Return the error for an ssh that ended after the board's Python had started the agent."""
    last = _last_line(stderr)
    if has_answered or exit_code is None or exit_code < 0 or exit_code == _SSH_FAILED:
        return LinkLostError(f"{target.name}: the connection broke ({last or _ending(exit_code)})")
    return LinkLostError(
        f"{target.name}: edgefit's agent ended at once with code {exit_code}{_in_brackets(last)};"
        f" {_SCRIPT} may redirect its input, as exec </dev/null does: {_filled(_REMEDY, target)}"
    )


def _last_line(text: str) -> str:
    """Return the last line that is not of ssh's log, safe to print and not too long; or nothing."""
    lines = _lines(text)
    return lines[-1] if lines else ""


def _lines(text: str) -> list[str]:
    """Return the lines that are not of ssh's log, safe to print and not too long."""
    lines = (line.strip() for line in text.splitlines() if not line.startswith(_LOG))
    return [printable(line)[:_LONGEST_LINE] for line in lines if line]


def _login_error(target: Target, exit_code: int, lines: list[str]) -> BoardError:
    said = _in_brackets(lines[-1] if lines else "")
    if any(sign in line for line in lines for sign in _EXPIRED):
        return BoardError(
            f"{target.name}: the account's password has expired there{said}; log in once with: ssh"
            f" {target.login}, and change it"
        )
    if any("Fatal Python error" in line for line in lines):
        return BoardError(f"{target.name}: the board's python3 does not start{said}; install it there anew")
    names_python = any("python3" in line for line in lines)
    if names_python or (not lines and exit_code in (_NOT_EXECUTABLE, _NOT_FOUND)):
        return BoardError(
            f"{target.name}: the board has no python3 for ssh logins{said}; install it there: sudo apt"
            " install python3; or put its folder into the PATH of its ssh logins"
        )
    return LinkLostError(
        f"{target.name}: the login ended with code {exit_code} before edgefit's command began{said}:"
        f" {_SCRIPT} ends it or starts another program, or this account may run no commands (a shell such as"
        " nologin, or ForceCommand);"
        f" {_filled(_REMEDY, target)}"
    )


def _ending(exit_code: int | None) -> str:
    return "ssh printed no reason" if exit_code is None else f"ssh ended with code {exit_code}"


def _in_brackets(text: str) -> str:
    return f" ({text})" if text else ""


def _filled(remedy: str, target: Target) -> str:
    return remedy.format(host=target.host, login=target.login, known_as=target.known_as)


_EXPIRED = ("Password change required", "required to change your password", "password has expired")
# What to do, by what OpenSSH's ssh prints; the first that fits.
_REMEDIES = {
    "REMOTE HOST IDENTIFICATION HAS CHANGED": (
        "the board's host key is not the known one: another machine may be answering, or the board's system"
        " is new. If you know why, remove the old key: ssh-keygen -R {known_as}"
    ),
    "Host key verification failed": (
        "the board's host key is not known here. Look at it and accept it once: ssh {login}"
    ),
    "No matching host key": "the board's host key cannot be checked. Look at it once: ssh {login}",
    "Permission denied": (
        "the board refused the login. Give it your key with ssh-copy-id {login}, or name a key in"
        " ~/.ssh/config"
    ),
    "Too many authentication failures": (
        "the board refused every key that ssh offered. Name the right one in ~/.ssh/config"
    ),
    "Bad configuration option": "ssh does not understand its configuration. Correct the line that it names",
}
# The same for what may be over in a minute, when a board has booted.
_REMEDIES_OF_NOW = {
    "Could not resolve hostname": (
        "the host name '{host}' is not known. Check how it is written, and that the board is in this network"
    ),
    "Connection refused": (
        "nothing listens at the board's ssh port. Switch its ssh server on (Raspberry Pi OS: sudo"
        " raspi-config)"
    ),
    "timed out": "the board does not answer. Check that it is switched on and in this network",
    "No route to host": "the board cannot be reached. Check that it is switched on and in this network",
    "Network is unreachable": "the board cannot be reached. Check that this machine is in a network",
}
