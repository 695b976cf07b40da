"""Whether an extra's packages are installed, from edgefit's metadata. It imports none of them."""

import re
from importlib import metadata

from bench.errors import MissingRuntimeError

_REQUIREMENT = re.compile(
    r"^(?P<name>[\w.-]+)(\[(?P<extras>[\w,-]+)\])?.*;.*extra == ['\"](?P<extra>\w+)['\"]"
)


def require_extra(extra: str, command: str) -> None:
    """Raise MissingRuntimeError, with the install command, if packages of an extra are missing."""
    missing = [name for name in _packages(extra) if not _is_installed(name)]
    if missing:
        raise MissingRuntimeError(
            f"{command} needs packages that are missing: {', '.join(missing)}; install them with: "
            f"pip install 'edgefit[{extra}]'"
        )


def _packages(extra: str) -> list[str]:
    """Return the names of an extra's packages; the metadata lists those of nested extras too."""
    matches = (_REQUIREMENT.match(line) for line in metadata.requires("edgefit") or [])
    return [match["name"] for match in matches if match is not None and match["extra"] == extra]


def _is_installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True
