"""What a board needs for a job and what of it has to be sent, by content: wheels, code, the bundle's files.

Pure but for reading what is sent; sending is board's business.
"""

import hashlib
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from bench.bundle.manifest import MANIFEST, Bundle, FileRecord
from bench.errors import InputError, MissingRuntimeError
from bench.filesystem.whole_files import sha256_of
from bench.remote.code_archive import code_archive
from bench.remote.probe import BoardProbe
from bench.remote.request import Request
from bench.remote.wheels import Place, environment_key, requirements_of
from bench.runtimes.table import RUNTIMES
from device_profiles.profile import Profile

# Formats whose runtime is too large to be put on a board unasked.
ON_REQUEST = ("torchscript",)
_OLDEST_NUMPY = (1, 26)
_MIB = 1 << 20
# Wheels unpacked, with their bytecode: 47 MiB of onnxruntime and what it needs made 147.
_UNPACKED = 4.0
_ROOM_BYTES = 32 * _MIB


@dataclass(frozen=True)
class Asked:
    """What is to be measured on a board. `with_formats`: to be installed though they are large; the rest is
    as in benchmark.BenchmarkOptions, and which `tool` asks for it, `created` when.
    """

    bundle: Bundle
    only: tuple[str, ...]
    quick: bool
    name: str | None
    sustained_s: float | None
    with_formats: tuple[str, ...]
    tool: str
    created: str


@dataclass(frozen=True)
class Selection:
    """Which formats run on a board. `left_out`: the others, each with the reason; `own`: those whose runtime
    is the board's own, a package of its system.
    """

    formats: tuple[str, ...]
    own: tuple[str, ...]
    left_out: Mapping[str, str]


@dataclass(frozen=True)
class File:
    """A file to be sent, by its hash."""

    sha256: str
    content: Path | bytes

    @property
    def size_bytes(self) -> int:
        """Its size."""
        return len(self.content) if isinstance(self.content, bytes) else self.content.stat().st_size


@dataclass(frozen=True)
class Environment:
    """The environment that a job runs in. `trial`: the modules that must be importable there."""

    wheels: tuple[Path, ...]
    with_system_packages: bool
    trial: tuple[str, ...]
    python: str

    @property
    def key(self) -> str:
        """What tells it from others."""
        return environment_key(self.wheels, self.with_system_packages, self.python)

    @cached_property
    def files(self) -> list[File]:
        """Its wheels."""
        return [File(sha256_of(wheel), wheel) for wheel in self.wheels]

    @property
    def needs_bytes(self) -> int:
        """What it takes of a board's disk until it is unpacked and the wheels are gone."""
        return int(_UNPACKED * sum(file.size_bytes for file in self.files))


def select(
    bundle: Bundle, only: Sequence[str], asked_for: Sequence[str], own: Container[str] | None
) -> Selection:
    """Decide which formats of a bundle run on a board.

    `asked_for`: formats to be installed though they are large; `own`: the modules that a board has whose
    runtimes are packages of its system, None for one that is brought them. Raises MissingRuntimeError if a
    variant named in `only` cannot run there, InputError if something asked for is no format.
    """
    for name in asked_for:
        if name not in RUNTIMES:
            raise InputError(f"--with {name}: is no format; there are {', '.join(RUNTIMES)}")
    artifacts = bundle.select(only)
    wanted = list(dict.fromkeys(artifact.format for artifact in artifacts))
    left_out = {name: reason for name in wanted if (reason := why_left_out(name, asked_for, own))}
    for artifact in artifacts:
        if only and artifact.format in left_out:
            raise MissingRuntimeError(f"{artifact.variant}: {left_out[artifact.format]}")
    formats = tuple(name for name in wanted if name not in left_out)
    its_own = tuple(name for name in formats if own is not None and name not in asked_for)
    return Selection(formats, its_own, left_out)


def why_left_out(name: str, asked_for: Sequence[str], own: Container[str] | None) -> str | None:
    """Return why a format's runtime does not run on a board, though it may be asked for; None if it does."""
    package = RUNTIMES[name].needs
    if name in asked_for:
        return None
    if own is not None:
        if package in own:
            return None
        return f"{package} is no package of this board's Python, whose own build of it is what runs there"
    if name in ON_REQUEST:
        return f"{package} is not put on a board unasked, as it takes hundreds of megabytes: --with {name}"
    return None


def place_of(board: BoardProbe) -> Place:
    """Return where wheels for a board are to run."""
    assert board.facts.libc is not None
    return Place(board.python, board.facts.libc[1], board.facts.architecture)


def provided_by(board: BoardProbe) -> tuple[str, ...]:
    """Return what a board's own packages provide: numpy, if the runtimes of its system were built with it."""
    if not board.uses_system_packages or "numpy" not in board.facts.modules:
        return ()
    version = board.facts.modules["numpy"].split(".")[:2]
    is_new = all(one.isdecimal() for one in version) and tuple(int(one) for one in version) >= _OLDEST_NUMPY
    return ("numpy",) if is_new else ()


def requirements_for(chosen: Selection, has_own: bool) -> list[str]:
    """Return what is to be brought to a board. `has_own`: its runtimes are packages of its system.

    Those may be built with numpy 1, and then fail with 2; others run with both.
    """
    brought = (RUNTIMES[name].extra for name in chosen.formats if name not in chosen.own)
    return requirements_of(brought, ("numpy<2",) if has_own else ())


def trial_of(formats: Iterable[str]) -> tuple[str, ...]:
    """Return the modules that must be importable on a board before anything is measured."""
    return ("numpy", "psutil", "pydantic", "yaml", *(RUNTIMES[name].needs for name in formats))


def _files_of(bundle: Bundle, held: Sequence[str]) -> dict[str, File]:
    """Return the files of a bundle that a board needs, by their paths in it."""
    records: list[FileRecord] = bundle.manifest.files(held)
    files = {record.path: File(record.sha256, bundle.folder / record.path) for record in records}
    return {MANIFEST: File(bundle.sha256, bundle.folder / MANIFEST), **files}


@dataclass(frozen=True)
class Job:
    """All that a board needs to measure: `files` of the bundle by their paths in it, `bundle` its hash."""

    bundle: str
    request: Request
    environment: Environment
    code: File
    files: Mapping[str, File]

    @cached_property
    def key(self) -> str:
        """What tells it from others; when and by which command it was asked for does not matter."""
        asked = self.request.model_dump_json(exclude={"created", "resume"})
        parts = (self.bundle, asked, self.environment.key, self.code.sha256)
        return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]

    @property
    def needs_bytes(self) -> int:
        """What it takes of a board's disk that has nothing of it."""
        sent = sum(file.size_bytes for file in self.files.values())
        return sent + self.environment.needs_bytes + _ROOM_BYTES

    def spec(self, environment: str, resume: bool) -> dict[str, Any]:
        """Return what its start is told: see agent.jobs.start. `environment`: the one there that will do."""
        request = self.request.model_copy(update={"resume": resume})
        return {
            "environment": environment,
            "code": self.code.sha256,
            "files": {path: file.sha256 for path, file in self.files.items()},
            "request": request.model_dump(mode="json", by_alias=True),
        }


def job_of(asked: Asked, profile: Profile, chosen: Selection, environment: Environment) -> Job:
    """Return the job that does what is asked for, of the formats that were chosen."""
    held = tuple(one.variant for one in asked.bundle.select(asked.only) if one.format in chosen.formats)
    request = Request(
        profile=profile,
        held=held,
        left_out=dict(chosen.left_out),
        only=asked.only,
        quick=asked.quick,
        name=asked.name,
        sustained_s=asked.sustained_s,
        resume=False,
        tool=asked.tool,
        created=asked.created,
    )
    code = File(*code_archive())
    return Job(asked.bundle.sha256, request, environment, code, _files_of(asked.bundle, held))
