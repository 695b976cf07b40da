"""The ssh command for a board: the engineer's own, with options that edgefit needs whatever it says.

ssh takes the first value of an option (`-o`) and the last of a flag (`-T`). So edgefit's options stand before
the engineer's words, and its flags after them. In the end ssh itself says what holds (`ssh -G`); if that is
not what edgefit needs, nothing is connected.
"""

import os
import shlex
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from bench.errors import BoardError, InputError
from bench.remote.ssh_errors import configuration_error, has_log
from bench.remote.targets import Target
from user_files.printable import printable

IGNORE_INTERRUPTS = ("sh", "-c", 'trap "" INT; exec "$@"', "sh")
"""Runs what follows without Ctrl-C, which goes to every process of the terminal: ssh must outlive it, so that
the board can still be reached."""

# A connection that is dead for half a minute is given up; otherwise a laptop that slept would wait for ever.
# The log says when ssh has logged in: before that it may be asking for a password.
# The rest overrules what ssh's configuration may do besides: run another command here or there, forward
# ports, or take any key of a machine that is called localhost.
_OPTIONS = (
    *("-o", "ConnectTimeout=20", "-o", "ServerAliveInterval=10", "-o", "ServerAliveCountMax=3"),
    *("-o", "LogLevel=DEBUG1", "-o", "RemoteCommand=none", "-o", "ClearAllForwardings=yes"),
    *("-o", "PermitLocalCommand=no", "-o", "NoHostAuthenticationForLocalhost=no", "-o", "Tunnel=no"),
)
# No terminal; and for the models that run there neither keys of an agent, nor a window here, nor a ticket.
# A shared connection (-S) is not used, because whoever made it may not have checked the board's key.
_FLAGS = ("-T", "-a", "-x", "-k", "-S", "none")
_CHECKS_ALWAYS = ("true", "yes")
# What `ssh -G` must print; an older ssh does not print all of them.
_NEEDED: Mapping[str, tuple[str, ...]] = {
    "StrictHostKeyChecking": ("ask", *_CHECKS_ALWAYS),
    "NoHostAuthenticationForLocalhost": ("no",),
    "PermitLocalCommand": ("no",),
    "RemoteCommand": ("none",),
    "SessionType": ("default",),
    "StdinNull": ("no",),
    "ForkAfterAuthentication": ("no",),
    "RequestTTY": ("false", "no"),
    "ControlPath": ("none",),
    "ForwardAgent": ("no",),
    "ForwardX11": ("no",),
    "GSSAPIDelegateCredentials": ("no",),
    "Tunnel": ("false", "no"),
}
_HOST_KEYS = "StrictHostKeyChecking"
_NO_FILES = ("/dev/null", "none")
_SSH_NAMES = ("ssh", "ssh.exe")
_LIMIT_S = 20.0


@dataclass(frozen=True)
class SshCommand:
    """A command that connects to a board and runs another command there."""

    words: tuple[str, ...]
    """The program and its arguments."""

    has_log: bool
    """Whether ssh says in its log when it has logged in."""


def ssh_command(target: Target, command: str) -> SshCommand:
    """Return the command that runs `command` on a board.

    Raises InputError where EDGEFIT_SSH or ssh's configuration leads to a connection that edgefit must not
    make, BoardError where ssh cannot read its configuration.
    """
    own = _own_words()
    last = (*_FLAGS, *target.ssh_arguments, command)
    theirs = _configuration(_arranged(own, _OPTIONS, last), target)
    level = "yes" if theirs.get(_HOST_KEYS.lower()) in _CHECKS_ALWAYS else "ask"
    words = _arranged(own, (*_OPTIONS, "-o", f"{_HOST_KEYS}={level}"), last)
    configuration = _configuration(words, target)
    _refuse_other(configuration, target)
    return SshCommand((*words.program, *words.arguments), has_log(configuration))


@dataclass(frozen=True)
class _Words:
    """A command, divided where ssh's own arguments begin."""

    program: tuple[str, ...]
    arguments: tuple[str, ...]


def _own_words() -> Sequence[str]:
    """Return the engineer's command: $EDGEFIT_SSH, split as a shell would split it, else `ssh`."""
    text = os.environ.get("EDGEFIT_SSH", "")
    try:
        command = shlex.split(text) or ["ssh"]
    except ValueError as error:
        # Its text is not shown: it may contain a password.
        raise InputError(f"EDGEFIT_SSH: {error}; quote it as a shell needs it") from None
    if "=" in command[0]:
        raise InputError("EDGEFIT_SSH must begin with a program; set variables before edgefit is started")
    if shutil.which(command[0]) is None:
        raise InputError(
            f"{command[0]}: this program is not installed here, and edgefit needs it to reach boards; install"
            " an OpenSSH client, or name another command in EDGEFIT_SSH"
        )
    return command


def _arranged(own: Sequence[str], options: Sequence[str], last: Sequence[str]) -> _Words:
    """Put options directly after the word that is ssh, before which another program (sshpass) may stand."""
    place = next((index for index, word in enumerate(own) if PurePath(word).name in _SSH_NAMES), 0) + 1
    return _Words(tuple(own[:place]), (*options, *own[place:], *last))


def _configuration(words: _Words, target: Target) -> dict[str, str]:
    """Return what would hold for a connection, by ssh's own word; raises BoardError if it does not say it."""
    try:
        done = subprocess.run(
            [*IGNORE_INTERRUPTS, *words.program, "-G", *words.arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=_LIMIT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise BoardError(
            f"{target.name}: {_named(words)} -G, which prints how ssh would connect, has not ended after"
            f" {_LIMIT_S:.0f} s; look for a command in ssh's configuration (Match exec) that waits"
        ) from None
    if done.returncode:
        raise configuration_error(target, _named(words), done.returncode, done.stderr)
    lines = (line.partition(" ") for line in done.stdout.splitlines())
    return {key.lower(): value.strip() for key, _, value in lines if value}


def _named(words: _Words) -> str:
    return printable(PurePath(words.program[-1]).name)


def _refuse_other(configuration: Mapping[str, str], target: Target) -> None:
    """Raise InputError if ssh would connect otherwise than edgefit needs."""
    if _HOST_KEYS.lower() not in configuration:
        raise InputError(
            f"{target.name}: the command in EDGEFIT_SSH does not print how it would connect, as ssh -G does,"
            " so edgefit cannot see whether it checks the board's host key; name OpenSSH's ssh there"
        )
    for option, values in _NEEDED.items():
        value = configuration.get(option.lower(), values[0])
        if value.lower() not in values:
            raise InputError(
                f"{target.name}: ssh would connect with {option} {printable(value)}, and edgefit needs"
                f" {values[0]}; take this out of EDGEFIT_SSH, or of the program or file that it names"
            )
    if configuration.get("host", target.host).lower() != target.host.lower():
        raise InputError(
            f"{target.name}: the command in EDGEFIT_SSH names a host of its own,"
            f" {printable(configuration['host'])}; leave the host to --on, and name a jump host with -J"
        )
    if not _knows_keys(configuration):
        raise InputError(
            f"{target.name}: no host key is ever known here, because UserKnownHostsFile is"
            f" {printable(configuration['userknownhostsfile'])}; name a file there in ssh's configuration"
        )


def _knows_keys(configuration: Mapping[str, str]) -> bool:
    """Return whether ssh can find a host key that is known: a file of none, or /dev/null, has none."""
    own = configuration.get("userknownhostsfile", "").split() or ["~/.ssh/known_hosts"]
    shared = configuration.get("globalknownhostsfile", "").split()
    command = configuration.get("knownhostscommand", "none")
    has_shared = any(path not in _NO_FILES and Path(path).exists() for path in shared)
    return command != "none" or has_shared or any(path not in _NO_FILES for path in own)
