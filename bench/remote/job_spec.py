"""What a board needs for a job: formats, environment, code and what is measured, each file by its content.

It is pure but for reading what is sent. board sends it.
"""

import hashlib
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from bench.errors import InputError, MissingRuntimeError
from bench.remote.agent_messages import JobSpec
from bench.remote.job_files import File, Subject, job_files, offers_of
from bench.remote.job_folder import JobRequest
from bench.remote.probe import BoardProbe
from bench.remote.shipped_code import code_archive
from bench.remote.wheels import Platform, device_requirements, environment_key
from bench.run.request import BenchmarkRequest
from bench.runtimes.formats import FORMATS
from bench.units import BYTES_PER_MIB
from device_profiles.profile import Profile
from user_files.hashes import sha256_of

_OLDEST_NUMPY = (1, 26)
# Wheels unpacked, with their bytecode: 47 MiB of onnxruntime and what it needs made 147.
_UNPACKED = 4.0
_RESERVE_BYTES = 32 * BYTES_PER_MIB


@dataclass(frozen=True)
class Selection:
    """The formats that run on a board, and those that do not."""

    formats: tuple[str, ...]
    """The formats that run there."""

    from_system: tuple[str, ...]
    """Those of them whose runtime is a package of the board's system."""

    excluded: Mapping[str, str]
    """The formats that do not run there, each with the reason."""


@dataclass(frozen=True)
class Environment:
    """The environment that a job runs in."""

    wheels: tuple[Path, ...]
    """The wheels that are unpacked in it."""

    with_system_packages: bool
    """Whether it sees the packages of the board's system."""

    imports: tuple[str, ...]
    """The modules that must be importable in it."""

    python: str
    """The version of the board's Python, such as 3.11."""

    @cached_property
    def key(self) -> str:
        """What tells it from other environments."""
        return environment_key(self.wheels, self.with_system_packages, self.python)

    @cached_property
    def files(self) -> list[File]:
        """Its wheels, as files to be sent."""
        return [File(sha256_of(wheel), wheel) for wheel in self.wheels]

    @property
    def hashes(self) -> tuple[str, ...]:
        """The SHA-256 of each wheel."""
        return tuple(file.sha256 for file in self.files)

    @property
    def needed_bytes(self) -> int:
        """How much of a board's disk it takes until it is unpacked and the wheels are removed."""
        return int(_UNPACKED * sum(file.size_bytes for file in self.files))


@dataclass(frozen=True)
class Job:
    """Everything that a board needs to measure."""

    subject: str
    """The SHA-256 of what is measured."""

    request: JobRequest
    """What the job's process reads."""

    environment: Environment
    """The environment that the job runs in."""

    code: File
    """The archive with edgefit's code."""

    files: Mapping[str, File]
    """The files of what is measured, by their paths in the job's folder of files."""

    @cached_property
    def key(self) -> str:
        """What tells it from other jobs: neither when it was requested, nor whether it is resumed."""
        request = self.request.model_dump_json(exclude={"benchmark": {"created", "resume"}})
        parts = (self.subject, request, self.environment.key, self.code.sha256)
        return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]

    @property
    def needed_bytes(self) -> int:
        """How much of a board's disk it takes where nothing of it is there."""
        files_bytes = sum(file.size_bytes for file in self.files.values())
        return files_bytes + self.environment.needed_bytes + _RESERVE_BYTES

    def spec(self, environment: str, resume: bool) -> JobSpec:
        """Return what the agent needs to start it.

        `environment`: the key of an environment on the board that holds its wheels, and perhaps others.
        """
        benchmark = self.request.benchmark.model_copy(update={"resume": resume})
        return JobSpec(
            environment=environment,
            code=self.code.sha256,
            files={path: file.sha256 for path, file in self.files.items()},
            request=self.request.model_copy(update={"benchmark": benchmark}),
        )


def make_job(
    subject: Subject,
    request: BenchmarkRequest,
    profile: Profile,
    selection: Selection,
    environment: Environment,
) -> Job:
    """Return the job that measures the selected formats as `request` says."""
    offers = offers_of(subject, request.only)
    files = job_files(subject, [offer.name for offer in offers if offer.format in selection.formats])
    excluded = {**request.excluded_formats, **selection.excluded}
    benchmark = request.model_copy(update={"excluded_formats": excluded})
    return Job(
        subject=files.sha256,
        request=JobRequest(benchmark=benchmark, profile=profile, subject=files.subject),
        environment=environment,
        code=File(*code_archive()),
        files=files.files,
    )


def select_formats(
    subject: Subject, only: Sequence[str], with_formats: Sequence[str], system_modules: Container[str] | None
) -> Selection:
    """Decide which formats of bundles and model files run on a board.

    `with_formats`: formats whose runtime is installed although it is large; `system_modules`: the modules of
    a board whose runtimes are packages of its system, None for a board that gets them. Raises
    MissingRuntimeError if a model file, or a variant named in `only`, cannot run there; InputError if
    `with_formats` names something else than a format.
    """
    for name in with_formats:
        if name not in FORMATS:
            raise InputError(f"--with {name}: '{name}' is not a format; choose from {', '.join(FORMATS)}")
    offers = offers_of(subject, only)
    names = list(dict.fromkeys(offer.format for offer in offers))
    excluded = {
        name: reason for name in names if (reason := exclusion_reason(name, with_formats, system_modules))
    }
    for offer in offers:
        if offer.is_named and offer.format in excluded:
            raise MissingRuntimeError(f"{offer.name}: {excluded[offer.format]}")
    formats = tuple(name for name in names if name not in excluded)
    from_system = tuple(name for name in formats if system_modules is not None and name not in with_formats)
    return Selection(formats, from_system, excluded)


def exclusion_reason(
    name: str, with_formats: Sequence[str], system_modules: Container[str] | None
) -> str | None:
    """Return why a format does not run on a board; None if it does. See select_formats."""
    package = FORMATS[name].needs
    if name in with_formats:
        return None
    if system_modules is not None:
        if package in system_modules:
            return None
        return (
            f"{package} is not installed in the board's Python; edgefit uses this board's own builds, because"
            f" no index offers them: install its {package} there"
        )
    if FORMATS[name].is_large:
        return (
            f"the wheels of {package} take up to 3 GB, so edgefit installs it only on request; add --with"
            f" {name}"
        )
    return None


def platform_of(board: BoardProbe) -> Platform:
    """Return the platform that wheels for a board must support."""
    assert board.facts.libc is not None
    return Platform(board.python, board.facts.libc[1], board.facts.architecture)


def provided_packages(board: BoardProbe) -> tuple[str, ...]:
    """Return what a board's own packages provide: numpy, if the runtimes of its system were built with it."""
    if not board.uses_system_packages or "numpy" not in board.facts.modules:
        return ()
    version = board.facts.modules["numpy"].split(".")[:2]
    is_new = all(part.isdecimal() for part in version) and tuple(map(int, version)) >= _OLDEST_NUMPY
    return ("numpy",) if is_new else ()


def requirements_for(selection: Selection, has_system_runtimes: bool) -> list[str]:
    """Return the requirements that are installed on a board for a selection.

    A board whose runtimes are packages of its system may have them built with numpy 1. Those fail with
    numpy 2, and the others run with both.
    """
    extras = (FORMATS[name].extra for name in selection.formats if name not in selection.from_system)
    return device_requirements(extras, ("numpy<2",) if has_system_runtimes else ())


def imports_for(formats: Iterable[str]) -> tuple[str, ...]:
    """Return the modules that must be importable on a board before anything is measured."""
    return ("numpy", "psutil", "pydantic", "yaml", *(FORMATS[name].needs for name in formats))
