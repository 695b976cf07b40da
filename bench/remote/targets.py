"""The address of a board: `ssh://[user@]host[:port]`, or the same without `ssh://`. It connects to nothing.

A password or a path is no part of an address. An error never shows what may be a password, and offers the
address that was meant only if nothing but the user's own host can be meant.
"""

import re
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv6Address
from urllib.parse import quote, unquote

from bench.errors import InputError
from user_files.printable import printable

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
# `ssh:22` is a port of the host `ssh`.
_SSH = re.compile(r"ssh:(?!\d*$)(/*)", re.IGNORECASE)
_BRACKETS = re.compile(r"\[(?P<host>[^\[\]]*)\](?::(?P<port>.*))?", re.DOTALL)
_ZONE = re.compile(r"[A-Za-z0-9_.-]+")
# `%25` is a percent sign in a URL; but `%251` may mean the interface 1 or the interface 251.
_UNCLEAR_ZONE = re.compile(r"25\d*")
# What stands before the first sign after which a password could stand.
_NO_SECRET = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]*://)?[^\s:/?#=%]*")
_HIGHEST_PORT = 65535
_UNSAFE = " \t'\"`$;&<>|(){}*?!#~"
# A name of a domain, such as CORP\jane, has a backslash.
_UNSAFE_IN = {"user": _UNSAFE + ":", "host": _UNSAFE + "\\:@/%"}
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
    def login(self) -> str:
        """What to type after `ssh` or `ssh-copy-id` to log in there, such as `-p 2222 pi@board`."""
        user = "" if self.user is None else f"{self.user}@"
        port = "" if self.port is None else f"-p {self.port} "
        return port + shlex.quote(user + self.host)

    @property
    def known_as(self) -> str:
        """The name of the board in `known_hosts`, for `ssh-keygen -R`."""
        return shlex.quote(self.host if self.port is None else f"[{self.host}]:{self.port}")

    @property
    def address(self) -> str:
        """The address as a URL."""
        user = "" if self.user is None else f"{quote(self.user, safe='')}@"
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port is None else f":{self.port}"
        return f"ssh://{user}{host}{port}"

    @property
    def name(self) -> str:
        """What to call it beside other boards, and in a file's name."""
        name = re.sub(r"[^\w.-]+", "-", self.host).strip("-.") or "board"
        return name if self.port is None else f"{name}-{self.port}"


class _AddressError(Exception):
    """What is wrong with an address, and the addresses that may be meant; none where it is unclear."""

    def __init__(self, reason: str, *meant: str) -> None:
        super().__init__(reason)
        self.meant = meant


def parse_target(text: str) -> Target:
    """Read a board's address; raises InputError with what is wrong and what would be right."""
    try:
        return _parsed(text)
    except _AddressError as error:
        raise InputError(f"--on '{_shown(text)}': {error}; {_remedy(error.meant)}") from None


def parse_targets(texts: Iterable[str]) -> Sequence[Target]:
    """Read several addresses; raises InputError if two of them are the same board."""
    targets = [parse_target(text) for text in texts]
    names = [target.name.lower() for target in targets]
    for name in names:
        if names.count(name) > 1:
            raise InputError(
                f"--on: '{name}' is named twice, and a board measures one thing at a time; name it once"
            )
    return targets


def _parsed(text: str) -> Target:
    rest = _after_scheme(text).removesuffix("/")
    user, at, place = rest.rpartition("@")
    _refuse_password(user, place)
    _refuse_path(user, place)
    host, port = _host_and_port(user + at, place)
    return Target(text, _host(host), _name("user", user) if at else None, _port(port, user + at + host))


def _remedy(meant: Sequence[str]) -> str:
    """Return what to write: the addresses that may be meant, if all of them can be read."""
    try:
        return f"write {' or '.join(_parsed(text).address for text in meant)}" if meant else _EXAMPLE
    except _AddressError:
        return _EXAMPLE


def _shown(text: str) -> str:
    """Return the beginning of an address, up to where a password could begin."""
    match = _NO_SECRET.match(text)
    beginning = "" if match is None else match[0]
    return printable(beginning) + ("" if beginning == text else "…")


def _after_scheme(text: str) -> str:
    """Return an address without `ssh://`, which may be missing."""
    if len(words := text.split()) > 1 or text != text.strip():
        raise _AddressError("an address stands alone, without a space", *_in_command(words))
    if (slashes := _SSH.match(text)) and len(slashes[1]) != len("//"):
        raise _AddressError("two slashes must follow 'ssh:'", _SSH.sub("ssh://", text))
    if (match := _SCHEME.match(text)) is None:
        return text
    rest = text[match.end() :]
    if match[1].lower() != "ssh":
        reason = f"edgefit reaches boards over SSH, and not over '{match[1]}'"
        raise _AddressError(reason, rest.partition("/")[0])
    return rest


def _in_command(words: list[str]) -> Sequence[str]:
    """Return the address in a command such as `ssh -p 2222 pi@host`; none if it has other options."""
    if words and words[0].lower() == "ssh":
        del words[0]
    port, user = _take_option(words, "-p"), _take_option(words, "-l")
    if len(words) != 1 or words[0].startswith("-"):
        return ()
    return ((f"{user}@" if user else "") + words[0] + (f":{port}" if port else ""),)


def _take_option(words: list[str], option: str) -> str:
    """Remove an option from some words, and return its value; nothing if it is missing."""
    for index, word in enumerate(words):
        if word.startswith(option):
            value = word.removeprefix(option) or "".join(words[index + 1 : index + 2])
            del words[index : index + (1 if word != option else 2)]
            return value
    return ""


def _refuse_password(user: str, place: str) -> None:
    if ":" not in unquote(user):
        return
    name = quote(unquote(user).partition(":")[0])
    # With a slash it is unclear where the password ends, and so which word is the host.
    meant = () if "/" in user else (f"{name}@{place.partition('/')[0]}",)
    raise _AddressError(
        "an address cannot contain a password, because other programs would see it; use a key (ssh-copy-id),"
        " or let ssh ask for the password",
        *meant,
    )


def _refuse_path(user: str, place: str) -> None:
    if "/" in user:
        raise _AddressError("an address cannot contain a path, nor a user's name a '/'")
    host, slash, _ = place.partition("/")
    if slash:
        raise _AddressError(
            "an address cannot contain a path; edgefit's folder there is below the board's XDG_CACHE_HOME, or"
            " ~/.cache",
            (f"{user}@" if user else "") + host.removesuffix(":"),
        )


def _host_and_port(before: str, place: str) -> tuple[str, str | None]:
    """Divide `host:port`; `before` is the user with its sign."""
    if place.startswith("["):
        if (match := _BRACKETS.fullmatch(place)) is None:
            raise _AddressError("the brackets around the host are not closed, or no port follows them")
        host, port = match["host"], match["port"]
    elif place.count(":") > 1:
        host, port = _number_without_brackets(before, place), None
    else:
        host, colon, number = place.partition(":")
        port = number if colon else None
    if port == "":
        raise _AddressError("the port is missing after the colon", before + place.removesuffix(":"))
    return host, port


def _number_without_brackets(before: str, place: str) -> str:
    """Return an IPv6 address that stands without brackets, if its last part cannot be a port."""
    number, _, last = place.rpartition(":")
    may_have_port = _is_ipv6(number) and last.isdecimal()
    if _is_ipv6(place) and not may_have_port:
        return place
    if not may_have_port:
        raise _AddressError("this has several colons, and is not an IPv6 address")
    meant = (f"{before}[{number}]:{last}", *([f"{before}[{place}]"] if _is_ipv6(place) else []))
    raise _AddressError("an IPv6 address needs brackets where a port may follow", *meant)


def _is_ipv6(text: str) -> bool:
    number, percent, zone = text.partition("%")
    try:
        IPv6Address(number)
    except AddressValueError:
        return False
    return not percent or _ZONE.fullmatch(zone) is not None


def _host(host: str) -> str:
    number, percent, zone = host.partition("%")
    if ":" not in number:
        return _name("host", host)
    if not _is_ipv6(host):
        raise _AddressError("this is not an IPv6 address")
    if _UNCLEAR_ZONE.fullmatch(zone):
        raise _AddressError("it is not clear which network interface is meant; name it, such as %eth0")
    return number + percent + zone.removeprefix("25")


def _name(part: str, name: str) -> str:
    """Decode a name, and refuse what ssh would take for an option, or a shell for more than a name."""
    try:
        name = unquote(name, errors="strict")
    except UnicodeDecodeError:
        raise _AddressError(f"a percent sign in the {part}'s name encodes no character") from None
    if not name:
        raise _AddressError(f"the {part} is missing")
    if name.startswith("-"):
        raise _AddressError(f"a {part}'s name cannot begin with a dash")
    for character in name:
        if not character.isprintable() or character in _UNSAFE_IN[part]:
            raise _AddressError(f"a {part}'s name cannot contain {character!r}")
    if name.endswith("\\"):
        raise _AddressError(f"a {part}'s name cannot end with a backslash")
    return name


def _port(port: str | None, before: str) -> int | None:
    """Read a port; `before`: the address without it."""
    if port is None:
        return None
    if not re.fullmatch("[0-9]+", port):  # not shown: without a host it is a user's password
        reason = f"what follows the colon is not a port from 1 to {_HIGHEST_PORT}"
        raise _AddressError(reason, *([before] if "@" in before else []))
    if len(port) > len(str(_HIGHEST_PORT)) or not 0 < int(port) <= _HIGHEST_PORT:
        raise _AddressError(f"'{port}' is not a port from 1 to {_HIGHEST_PORT}")
    return int(port)
