"""The address of a board: `ssh://[user@]host[:port]`, as ssh understands it. It connects to nothing."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from bench.errors import InputError
from bench.printable import printable

_SCHEME = "ssh://"
_ADDRESS = re.compile(r"(?:(?P<user>[^@]*)@)?(?P<host>\[[^\]]*\]|[^:\[\]]*)(?::(?P<port>.*))?", re.DOTALL)
_HIGHEST_PORT = 65535
_UNSAFE = " \t'\"`$\\;&<>|(){}*?!#~"
_EXAMPLE = "write ssh://[user@]host[:port], such as ssh://pi@raspberrypi.local"


@dataclass(frozen=True)
class Target:
    """A board's address."""

    text: str
    """The address as it was given."""

    host: str
    """The host: a name of the network or of ~/.ssh/config, or a number."""

    user: str | None = None
    """The user; None for the one that ~/.ssh/config names."""

    port: int | None = None
    """The port; None for the one that ~/.ssh/config names."""

    @property
    def ssh_arguments(self) -> tuple[str, ...]:
        """The arguments for ssh: no shell reads them, and no host can be taken for an option."""
        port = () if self.port is None else ("-p", str(self.port))
        user = () if self.user is None else ("-l", self.user)
        return (*port, *user, "--", self.host)

    @property
    def name(self) -> str:
        """What to call it beside other boards, and in a file's name."""
        name = re.sub(r"[^A-Za-z0-9._-]+", "-", self.host).strip("-.") or "board"
        return name if self.port is None else f"{name}-{self.port}"


def parse_target(text: str) -> Target:
    """Read a board's address; raises InputError with what is wrong and what would be right."""
    match = _ADDRESS.fullmatch(text.removeprefix(_SCHEME).rstrip("/"))
    if match is None or not text.startswith(_SCHEME):
        raise InputError(f"--on '{printable(text)}': this is not an address of a board; {_EXAMPLE}")
    user, host, port = match["user"], match["host"].strip("[]"), match["port"]
    for part, value in (("user", user), ("host", host)):
        if value is not None:
            _refuse_unsafe(text, part, unquote(value))
    return Target(text, unquote(host), None if user is None else unquote(user), _port(text, port))


def parse_targets(texts: Iterable[str]) -> Sequence[Target]:
    """Read several addresses; raises InputError if two of them are the same board."""
    targets = [parse_target(text) for text in texts]
    names = [target.name for target in targets]
    for name in names:
        if names.count(name) > 1:
            raise InputError(
                f"--on: '{name}' is named twice, and a board measures one thing at a time; name it once"
            )
    return targets


def _refuse_unsafe(text: str, part: str, name: str) -> None:
    """Refuse what ssh would take for an option, or put into a command of the user's own configuration."""
    if not name:
        raise InputError(f"--on '{printable(text)}': the {part} is missing; {_EXAMPLE}")
    if name.startswith("-"):
        raise InputError(f"--on '{printable(text)}': a {part}'s name cannot begin with a dash; {_EXAMPLE}")
    for character in name:
        if not character.isprintable() or character in _UNSAFE:
            raise InputError(
                f"--on '{printable(text)}': a {part}'s name cannot contain {character!r}; {_EXAMPLE}"
            )


def _port(text: str, port: str | None) -> int | None:
    if port is None:
        return None
    if not re.fullmatch("[0-9]{1,5}", port) or not 0 < int(port) <= _HIGHEST_PORT:
        raise InputError(
            f"--on '{printable(text)}': '{printable(port)}' is not a port from 1 to {_HIGHEST_PORT};"
            f" {_EXAMPLE}"
        )
    return int(port)
