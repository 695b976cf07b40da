"""The command that adds an extra to this installation of edgefit. It imports nothing of edgefit.

It reads how edgefit was installed: PEP 610's `direct_url.json`, and whether pipx made the environment.
"""

import json
import re
import shlex
import sys
from importlib import metadata
from pathlib import Path
from urllib.parse import unquote, urlsplit

_NAME = "edgefit"
_REQUIREMENT = re.compile(r"^(?P<name>[\w.-]+).*;.*extra == ['\"](?P<extra>[\w-]+)['\"]")
_DEVELOPERS = ("dev", "docs")
_ON_A_BOARD = "edgefit bench --on BOARD, or edgefit pack, on the machine where edgefit is installed"


def install_command(extra: str) -> str:
    """Return the command that installs an extra beside what is installed here."""
    try:
        distribution = metadata.distribution(_NAME)
    except metadata.PackageNotFoundError:
        return _without_installation(extra)
    # pipx makes its environment anew, so that extras which the command does not name are lost.
    is_pipx = (Path(sys.prefix) / "pipx_metadata.json").is_file()
    extras = ",".join(_with_installed(extra) if is_pipx else [extra])
    installer = "pipx install --force" if is_pipx else "pip install"
    return f"{installer} {_requirement(extras, distribution.read_text('direct_url.json'))}"


def missing_packages(extra: str) -> list[str]:
    """Return the names of an extra's packages that are not installed."""
    return [name for name in _packages()[extra] if not _is_installed(name)]


def _without_installation(extra: str) -> str:
    """Return what installs an extra where edgefit's packages lie without having been installed."""
    folder = Path(__file__).resolve().parents[1]
    if (folder / "pyproject.toml").is_file():
        return f"pip install {shlex.quote(f'{folder}[{extra}]')}"
    return _ON_A_BOARD


def _requirement(extras: str, direct_url: str | None) -> str:
    """Return edgefit with extras as an argument of pip; `direct_url` is None if it came from an index."""
    if direct_url is None:
        return shlex.quote(f"{_NAME}[{extras}]")
    origin = json.loads(direct_url)
    url = urlsplit(origin["url"])
    if url.scheme == "file" and "vcs_info" not in origin:
        editable = "--editable " if origin.get("dir_info", {}).get("editable") else ""
        return editable + shlex.quote(f"{unquote(url.path)}[{extras}]")
    version_control = origin.get("vcs_info", {})
    prefix = f"{version_control['vcs']}+" if version_control else ""
    revision = f"@{version_control['requested_revision']}" if "requested_revision" in version_control else ""
    return shlex.quote(f"{_NAME}[{extras}] @ {prefix}{origin['url']}{revision}")


def _with_installed(extra: str) -> list[str]:
    """Return the extra and those whose packages are installed, without any that another one includes."""
    packages = {name: set(needs) for name, needs in _packages().items() if name not in _DEVELOPERS}
    chosen = [name for name in packages if name == extra or all(map(_is_installed, packages[name]))]
    return [name for name in chosen if not any(packages[name] < packages[other] for other in chosen)]


def _packages() -> dict[str, list[str]]:
    """Return the packages of each extra; the metadata lists those of nested extras too."""
    found: dict[str, list[str]] = {}
    for match in map(_REQUIREMENT.match, metadata.requires(_NAME) or []):
        if match is not None:
            found.setdefault(match["extra"], []).append(match["name"])
    return found


def _is_installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True
