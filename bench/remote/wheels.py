"""Gathers the wheels that a board needs: for its Python, its C library and its processor, not this machine's.

pip chooses and downloads them. What a wheel needs in turn is found here, for pip would ask the markers of
this machine (pip issue 11664): on a laptop with CUDA that is gigabytes which no board can use.
"""

import hashlib
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from email.parser import HeaderParser
from importlib import metadata
from pathlib import Path

from packaging.markers import default_environment
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name, parse_wheel_filename
from packaging.version import Version

from bench.errors import BoardError
from bench.filesystem.cache_folder import cache_folder
from bench.filesystem.whole_files import sha256_of
from bench.progress import Progress

# What bench/ and device_profiles/ import; the command line's own packages stay at home.
DEVICE_PART = ("numpy", "psutil", "pydantic", "pyyaml")
# The oldest glibc that a manylinux tag names, and the tag that bears a year.
_OLDEST_GLIBC_MINOR = 5
_ROUNDS = 12


@dataclass(frozen=True)
class Place:
    """Where wheels are to run. `python`: such as 3.11; `glibc`: such as 2.36; `machine`: such as aarch64."""

    python: str
    glibc: str
    machine: str

    @property
    def words(self) -> str:
        """What to call it."""
        return f"Python {self.python}, {self.machine}, glibc {self.glibc}"

    def runs_wheels_of(self, other: "Place") -> bool:
        """Tell whether wheels that were gathered for another place run here: its glibc may be older."""
        newer = numbers_of(self.glibc) >= numbers_of(other.glibc)
        return newer and (self.python, self.machine) == (other.python, other.machine)

    @property
    def pip_options(self) -> list[str]:
        """What tells pip to choose wheels for it."""
        interpreter = f"cp{self.python.replace('.', '')}"
        minor = int(self.glibc.partition(".")[2])
        platforms = [f"manylinux_2_{one}_{self.machine}" for one in range(minor, _OLDEST_GLIBC_MINOR - 1, -1)]
        platforms += [f"{old}_{self.machine}" for old in ("manylinux2014", "manylinux2010", "linux")]
        return [
            *("--implementation", "cp", "--python-version", self.python),
            *(word for abi in (interpreter, "abi3", "none") for word in ("--abi", abi)),
            *(word for one in platforms for word in ("--platform", one)),
        ]

    @property
    def markers(self) -> dict[str, str]:
        """The environment in which a requirement's markers are asked (PEP 508)."""
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


def numbers_of(version: str) -> tuple[int, ...]:
    """Return a version as numbers, which compare as versions do: 2.9 is older than 2.36."""
    return tuple(int(one) for one in version.split("."))


def requirements_of(extras: Iterable[str], constraints: Sequence[str] = ()) -> list[str]:
    """Return what edgefit's device part needs with some of its extras, as `pyproject.toml` says.

    `constraints` are requirements that narrow those of the same name.
    """
    wanted, chosen = [], tuple(extras)
    for text in metadata.requires("edgefit") or ():
        one = Requirement(text)
        is_base = one.marker is None and canonicalize_name(one.name) in DEVICE_PART
        if is_base or any(
            one.marker is not None and one.marker.evaluate({"extra": extra}) for extra in chosen
        ):
            wanted.append(f"{one.name}{one.specifier}")
    return [*wanted, *constraints]


def gather(
    place: Place, requirements: Sequence[str], folder: Path, progress: Progress, provided: Iterable[str] = ()
) -> list[Path]:
    """Put the wheels that `requirements` need at `place` into `folder`, and return them by name.

    `provided`: distributions that are there already. Raises BoardError where something has no wheel for it.
    """
    found: dict[str, Path] = {}
    wanted: dict[str, _Wanted] = {}
    there = {canonicalize_name(name) for name in provided}
    asked = [Requirement(text) for text in requirements]
    for _ in range(_ROUNDS):
        touched = _take_in(wanted, (one for one in asked if canonicalize_name(one.name) not in there))
        if not touched:
            return sorted(found.values())
        missing = [name for name in touched if not _fits(found.get(name), wanted[name].specifier)]
        progress.begin(f"wheels for {place.words}", len(wanted))
        progress.advance(len(wanted) - len(missing), note=", ".join(missing))
        for name in missing:
            if (incompatible_because := found.pop(name, None)) is not None:
                incompatible_because.unlink()
        if missing:
            texts = [f"{name}{wanted[name].specifier}" for name in missing]
            for wheel in _download(place, texts, folder):
                found[canonicalize_name(parse_wheel_filename(wheel.name)[0])] = wheel
        asked = [need for name in touched for need in _needs(found[name], place, wanted[name].extras)]
    raise BoardError(f"wheels for {place.words}: what they need contradicts itself: {', '.join(wanted)}")


def needed(place: Place, requirements: Sequence[str], wheels: Sequence[Path]) -> list[Path]:
    """Return those of some wheels that `requirements` need at `place`, each with what it needs in turn."""
    known: dict[str, Path] = {
        canonicalize_name(parse_wheel_filename(wheel.name)[0]): wheel for wheel in wheels
    }
    wanted: dict[str, _Wanted] = {}
    asked = [Requirement(text) for text in requirements]
    while touched := _take_in(wanted, (one for one in asked if canonicalize_name(one.name) in known)):
        asked = [need for name in touched for need in _needs(known[name], place, wanted[name].extras)]
    return sorted(known[name] for name in wanted)


@dataclass(frozen=True)
class _Wanted:
    """What is wanted of a distribution."""

    specifier: SpecifierSet = field(default_factory=SpecifierSet)
    extras: frozenset[str] = frozenset()

    def and_(self, requirement: Requirement) -> "_Wanted":
        return _Wanted(self.specifier & requirement.specifier, self.extras | requirement.extras)


def _take_in(wanted: dict[str, _Wanted], requirements: Iterable[Requirement]) -> list[str]:
    """Add requirements to what is wanted, and return the names of which more is wanted than before."""
    before = dict(wanted)
    for one in requirements:
        name = canonicalize_name(one.name)
        wanted[name] = wanted.get(name, _Wanted()).and_(one)
    return [name for name, now in wanted.items() if before.get(name) != now]


def kept_wheels(
    place: Place, requirements: Sequence[str], progress: Progress, provided: Iterable[str] = ()
) -> list[Path]:
    """Return wheels as `gather` does, out of edgefit's own folder once they have been gathered there."""
    provided = sorted(provided)
    key = hashlib.sha256(repr((place, sorted(requirements), provided)).encode()).hexdigest()[:16]
    folder = cache_folder("wheels") / key
    if not folder.exists():
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".") as part:
            gather(place, requirements, Path(part) / "wheels", progress, provided)
            try:
                (Path(part) / "wheels").rename(folder)
            except OSError:
                if not folder.exists():  # else another command was faster, and gathered the same
                    raise
    return sorted(folder.glob("*.whl"))


def _fits(wheel: Path | None, specifier: SpecifierSet) -> bool:
    return wheel is not None and specifier.contains(_version(wheel), prereleases=True)


def _version(wheel: Path) -> Version:
    return parse_wheel_filename(wheel.name)[1]


def _download(place: Place, requirements: Sequence[str], folder: Path) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    before = set(folder.iterdir())
    options = ["--disable-pip-version-check", "--no-input", "--quiet", "--no-deps", "--only-binary=:all:"]
    command = [sys.executable, "-m", "pip", "download", *options, "--dest", str(folder), *place.pip_options]
    done = subprocess.run(
        [*command, *requirements], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise _why_not(place, requirements, done.stderr)
    return sorted(set(folder.iterdir()) - before)


def _why_not(place: Place, requirements: Sequence[str], said: str) -> BoardError:
    if "No module named pip" in said:
        return BoardError(
            f"wheels are gathered with pip, which this Python has not: {sys.executable} -m ensurepip"
        )
    lines = [line.removeprefix("ERROR: ") for line in said.splitlines() if line.startswith("ERROR: ")]
    missing = re.search(r"No matching distribution found for (\S+)", said)
    if missing is not None:
        return BoardError(
            f"{missing[1]}: is offered as a wheel for {place.words} by no index that pip is set up to ask;"
            " is the index right (pip config list), and can it be reached?"
        )
    return BoardError(f"pip could not download {' '.join(requirements)}: {(lines or [said.strip()])[0]}")


def _needs(wheel: Path, place: Place, extras: Iterable[str]) -> list[Requirement]:
    """Return what a wheel needs at a place with some extras, by its core metadata (Requires-Dist)."""
    places = [{**place.markers, "extra": extra} for extra in ("", *extras)]
    needs = []
    for text in _metadata(wheel).get("Requires-Dist", ()):
        try:
            one = Requirement(text)
        except InvalidRequirement:
            raise BoardError(f"{wheel.name}: its metadata cannot be read: {text}") from None
        if one.marker is None or any(one.marker.evaluate(there) for there in places):
            needs.append(one)
    return needs


def _metadata(wheel: Path) -> Mapping[str, Sequence[str]]:
    with zipfile.ZipFile(wheel) as archive:
        name = next(one for one in archive.namelist() if re.fullmatch(r"[^/]+\.dist-info/METADATA", one))
        message = HeaderParser().parsestr(archive.read(name).decode())
    return {key: message.get_all(key, []) for key in message}


def environment_key(wheels: Iterable[Path], with_system_packages: bool, python: str) -> str:
    """Return what tells one environment from another: its wheels, by their hashes, and its Python."""
    hashes = sorted(sha256_of(wheel) for wheel in wheels)
    return hashlib.sha256(repr((hashes, with_system_packages, python)).encode()).hexdigest()[:32]
