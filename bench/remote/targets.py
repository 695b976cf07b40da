"""Where a board is: `ssh://[user@]host[:port]`, as ssh itself understands it. It reaches nothing."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from bench.errors import InputError

_SCHEME = "ssh://"
_ADDRESS = re.compile(r"(?:(?P<user>[^@]*)@)?(?P<host>\[[^\]]*\]|[^:\[\]]*)(?::(?P<port>.*))?", re.DOTALL)
_HIGHEST_PORT = 65535
_EXAMPLE = "write ssh://[user@]host[:port], such as ssh://pi@raspberrypi.local"


@dataclass(frozen=True)
class Target:
    """A board's address. `host`: a name of ~/.ssh/config too; `user`, `port`: None for what stands there."""

    text: str
    host: str
    user: str | None = None
    port: int | None = None

    @property
    def words(self) -> tuple[str, ...]:
        """What ssh is called with to reach it: no shell reads it, and no host is taken for an option."""
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
    if not text.startswith(_SCHEME):
        raise InputError(f"--on '{_shown(text)}': is no address of a board; {_EXAMPLE}")
    match = _ADDRESS.fullmatch(text.removeprefix(_SCHEME).rstrip("/"))
    if match is None:
        raise InputError(f"--on '{_shown(text)}': is no address of a board; {_EXAMPLE}")
    user, host, port = match["user"], match["host"].strip("[]"), match["port"]
    for part, found in (("user", user), ("host", host)):
        _refuse_unsafe(text, part, found)
    return Target(text, unquote(host), None if user is None else unquote(user), _port(text, port))


def parse_targets(texts: Iterable[str]) -> Sequence[Target]:
    """Read several addresses; the same one twice is a wrong use."""
    targets = [parse_target(text) for text in texts]
    names = [target.name for target in targets]
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"--on: '{name}' is named twice; a board can measure one thing at a time")
    return targets


def _refuse_unsafe(text: str, part: str, found: str | None) -> None:
    """Refuse what ssh would take for an option, or put into a command of the user's own configuration."""
    if found is None:
        return
    name = unquote(found)
    if not name:
        raise InputError(f"--on '{_shown(text)}': has no {part}; {_EXAMPLE}")
    wrong = next((one for one in name if not one.isprintable() or one in " \t'\"`$\\;&<>|(){}*?!#~"), None)
    if wrong is not None:
        raise InputError(f"--on '{_shown(text)}': {wrong!r} cannot stand in a {part}'s name; {_EXAMPLE}")
    if name.startswith("-"):
        raise InputError(f"--on '{_shown(text)}': no {part}'s name begins with a dash; {_EXAMPLE}")


def _port(text: str, port: str | None) -> int | None:
    if port is None:
        return None
    if not re.fullmatch("[0-9]{1,5}", port) or not 0 < int(port) <= _HIGHEST_PORT:
        raise InputError(f"--on '{_shown(text)}': '{_shown(port)}' is no port; {_EXAMPLE}")
    return int(port)


def _shown(text: str) -> str:
    """Return text as it can be shown: nothing in it moves the cursor."""
    return "".join(one if one.isprintable() else repr(one)[1:-1] for one in text)
