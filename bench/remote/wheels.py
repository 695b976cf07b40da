"""Downloads the wheels that a board needs: for its Python, C library and processor, not this machine's.

pip chooses and downloads them. This module resolves their dependencies, because pip evaluates environment
markers for this machine (pip issue 11664): on a laptop with CUDA that is gigabytes that no board can use.
"""

import hashlib
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

from packaging.markers import default_environment
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name, parse_wheel_filename

from bench.errors import BoardError
from bench.filesystem.disk_errors import raise_if_full
from bench.filesystem.temporary_folder import refuse_other_place
from bench.progress import Progress
from bench.remote.wheel_files import by_distribution, metadata_of
from bench.runtimes.formats import FORMATS
from bench.system.python_process import python_command, python_environment
from user_files.hashes import sha256_of
from user_files.reading import naming

# What the device part imports (bench/, device_profiles/, user_files/); the command line has more packages.
DEVICE_PART = ("numpy", "psutil", "pydantic", "pyyaml")
# The oldest glibc that a manylinux tag names.
_OLDEST_GLIBC_MINOR = 5
_MOST_ROUNDS = 12
_IMPORTED = {
    canonicalize_name(row.needs): row.imports_of_required
    for row in FORMATS.values()
    if row.imports_of_required is not None
}


@dataclass(frozen=True)
class Platform:
    """What wheels must support."""

    python: str
    """The version of Python, such as 3.11."""

    glibc: str
    """The version of the C library, such as 2.36."""

    machine: str
    """The processor's architecture, such as aarch64."""

    @property
    def label(self) -> str:
        """What to call it."""
        return f"Python {self.python}, {self.machine}, glibc {self.glibc}"

    def runs_wheels_of(self, other: "Platform") -> bool:
        """Return whether wheels for another platform run on this one: that one's glibc may be older."""
        newer = version_numbers(self.glibc) >= version_numbers(other.glibc)
        return newer and (self.python, self.machine) == (other.python, other.machine)

    @property
    def pip_options(self) -> list[str]:
        """The options with which pip chooses wheels for it."""
        interpreter = f"cp{self.python.replace('.', '')}"
        minor = int(self.glibc.partition(".")[2])
        minors = range(minor, _OLDEST_GLIBC_MINOR - 1, -1)
        tags = [*(f"manylinux_2_{number}" for number in minors), "manylinux2014", "manylinux2010", "linux"]
        return [
            *("--implementation", "cp", "--python-version", self.python),
            *(word for abi in (interpreter, "abi3", "none") for word in ("--abi", abi)),
            *(word for tag in tags for word in ("--platform", f"{tag}_{self.machine}")),
        ]

    @property
    def markers(self) -> dict[str, str]:
        """The environment for which a requirement's markers are evaluated (PEP 508)."""
        return {
            **{name: str(value) for name, value in default_environment().items()},
            "implementation_name": "cpython",
            "os_name": "posix",
            "platform_machine": self.machine,
            "platform_python_implementation": "CPython",
            "platform_system": "Linux",
            "python_version": self.python,
            "python_full_version": f"{self.python}.0",
            "sys_platform": "linux",
        }


def version_numbers(version: str) -> tuple[int, ...]:
    """Return a version as numbers, which compare as versions do: 2.9 is older than 2.36."""
    return tuple(int(part) for part in version.split("."))


def device_requirements(extras: Iterable[str], constraints: Sequence[str] = ()) -> list[str]:
    """Return what edgefit's device part needs with some of its extras, as `pyproject.toml` says.

    `constraints`: requirements that narrow those of the same name.
    """
    extras = tuple(extras)
    requirements = [Requirement(text) for text in metadata.requires("edgefit") or ()]
    needed = [requirement for requirement in requirements if _is_needed(requirement, extras)]
    return [*(f"{requirement.name}{requirement.specifier}" for requirement in needed), *constraints]


def _is_needed(requirement: Requirement, extras: Sequence[str]) -> bool:
    """Return whether the device part needs a requirement of edgefit with some of its extras."""
    marker = requirement.marker
    if marker is None:
        return canonicalize_name(requirement.name) in DEVICE_PART
    return any(marker.evaluate({"extra": extra}) for extra in extras)


def download_wheels(
    platform: Platform,
    requirements: Sequence[str],
    folder: Path,
    progress: Progress,
    provided: Iterable[str] = (),
) -> list[Path]:
    """Put the wheels that `requirements` need on `platform` into `folder`, and return them by name.

    `provided`: distributions that the board has already. Raises BoardError where no wheel supports it.
    """
    wheels: dict[str, Path] = {}
    demands: dict[str, _Demand] = {}
    provided_names = {canonicalize_name(name) for name in provided}
    pending = [Requirement(text) for text in requirements]
    for _ in range(_MOST_ROUNDS):
        pending = [need for need in pending if canonicalize_name(need.name) not in provided_names]
        changed = _add_demands(demands, pending)
        if not changed:
            return sorted(wheels.values())
        outdated = [name for name in changed if not _satisfies(wheels.get(name), demands[name].specifier)]
        progress.begin(f"wheels for {platform.label}", len(demands))
        progress.advance(len(demands) - len(outdated), note=", ".join(outdated))
        for wheel in filter(None, (wheels.get(name) for name in outdated)):
            wheel.unlink()
        wheels |= _download(platform, [f"{name}{demands[name].specifier}" for name in outdated], folder)
        pending = [need for name in changed for need in _needs(wheels[name], platform, demands[name].extras)]
    raise BoardError(
        f"wheels for {platform.label}: the requirements of {', '.join(demands)} contradict each other;"
        " another version of a runtime may help"
    )


def select_wheels(platform: Platform, requirements: Sequence[str], wheels: Sequence[Path]) -> list[Path]:
    """Return those of some wheels that `requirements` need on `platform`, with their dependencies."""
    available = by_distribution(wheels)
    demands: dict[str, _Demand] = {}
    pending = [Requirement(text) for text in requirements]
    while changed := _add_demands(
        demands, [need for need in pending if canonicalize_name(need.name) in available]
    ):
        pending = [
            need for name in changed for need in _needs(available[name], platform, demands[name].extras)
        ]
    return sorted(available[name] for name in demands)


@dataclass(frozen=True)
class _Demand:
    """The versions and extras of a distribution that are needed."""

    specifier: SpecifierSet = field(default_factory=SpecifierSet)
    extras: frozenset[str] = frozenset()

    def and_(self, requirement: Requirement) -> "_Demand":
        return _Demand(self.specifier & requirement.specifier, self.extras | requirement.extras)


def _add_demands(demands: dict[str, _Demand], requirements: Iterable[Requirement]) -> list[str]:
    """Add requirements to the demands, and return the names of which more is needed than before."""
    before = dict(demands)
    for requirement in requirements:
        name = canonicalize_name(requirement.name)
        demands[name] = demands.get(name, _Demand()).and_(requirement)
    return [name for name, demand in demands.items() if before.get(name) != demand]


def _satisfies(wheel: Path | None, specifier: SpecifierSet) -> bool:
    return wheel is not None and specifier.contains(parse_wheel_filename(wheel.name)[1], prereleases=True)


def _download(platform: Platform, requirements: Sequence[str], folder: Path) -> dict[str, Path]:
    """Download a wheel for each requirement, without its dependencies."""
    if not requirements:
        return {}
    refuse_other_place()  # pip unpacks in the folder for temporary files
    folder.mkdir(parents=True, exist_ok=True)
    before = set(folder.iterdir())
    options = ["--disable-pip-version-check", "--no-input", "--quiet", "--no-deps", "--only-binary=:all:"]
    command = python_command("pip", "download", *options, "--dest", str(folder))
    done = subprocess.run(
        [*command, *platform.pip_options, *requirements],
        env=python_environment({}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if done.returncode:
        for place in (folder, Path(tempfile.gettempdir())):
            with naming(place):
                raise_if_full(place)
        raise _download_error(platform, requirements, done.stderr)
    return by_distribution(set(folder.iterdir()) - before)


def _download_error(platform: Platform, requirements: Sequence[str], stderr: str) -> BoardError:
    if "No module named pip" in stderr:
        return BoardError(
            f"edgefit downloads wheels with pip, and this Python has no pip; run {sys.executable} -m"
            " ensurepip"
        )
    lines = [line.removeprefix("ERROR: ") for line in stderr.splitlines() if line.startswith("ERROR: ")]
    missing = re.search(r"No matching distribution found for (\S+)", stderr)
    if missing is not None:
        return BoardError(
            f"{missing[1]}: no index that pip uses offers a wheel for {platform.label}; check which index"
            " that is (pip config list), and that it can be reached"
        )
    return BoardError(f"pip could not download {' '.join(requirements)}: {(lines or [stderr.strip()])[0]}")


def _needs(wheel: Path, platform: Platform, extras: Iterable[str]) -> list[Requirement]:
    """Return the dependencies of a wheel on a platform with some extras, by its core metadata."""
    environments = [{**platform.markers, "extra": extra} for extra in ("", *extras)]
    needs = []
    for text in metadata_of(wheel).get("Requires-Dist", ()):
        try:
            need = Requirement(text)
        except InvalidRequirement:
            raise BoardError(
                f"{wheel.name}: '{text}' in its metadata is not a valid requirement; use another version"
            ) from None
        if need.marker is None or any(need.marker.evaluate(environment) for environment in environments):
            needs.append(need)
    imported = _IMPORTED.get(canonicalize_name(parse_wheel_filename(wheel.name)[0]))
    return [need for need in needs if imported is None or canonicalize_name(need.name) in imported]


def environment_key(wheels: Iterable[Path], with_system_packages: bool, python: str) -> str:
    """Return what tells one environment from another: its wheels, by their hashes, and its Python."""
    hashes = sorted(sha256_of(wheel) for wheel in wheels)
    return hashlib.sha256(repr((hashes, with_system_packages, python)).encode()).hexdigest()[:32]
