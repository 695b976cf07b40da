"""One file that carries a job to a board without a network, and runs there with the board's own Python.

It is an archive that Python runs (zipapp): the agent, and beside it wheels, code and what is measured, by
their hashes. agent.packed is what runs on the board.
"""

import hashlib
import platform
import re
import sys
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from bench.errors import InputError
from bench.filesystem.whole_files import whole_file
from bench.progress import Progress
from bench.record import Record
from bench.remote.agent_messages import JobSpec
from bench.remote.job_files import File, Subject, name_of
from bench.remote.job_spec import (
    Environment,
    Job,
    imports_for,
    make_job,
    requirements_for,
    select_formats,
)
from bench.remote.shipped_code import AGENT_MODULES, agent_module_source
from bench.remote.wheel_cache import cached_wheels
from bench.remote.wheels import Platform, version_numbers
from bench.run.request import BenchmarkRequest
from bench.runtimes.formats import FORMATS
from device_profiles.facts import System
from device_profiles.profile import Profile

_HEADER = b"#!/usr/bin/env python3\n"
_MAIN = """import sys
if sys.version_info < (3, 10):
    version = "%d.%d" % sys.version_info[:2]
    sys.stderr.write("edgefit: this Python is %s; edgefit needs 3.10 or newer\\n" % version)
    sys.exit(5)
from bench.remote.agent.packed import main
sys.exit(main(sys.argv[0]))
"""
# The glibc for a profile that names no system; its wheels run with every newer one.
_GLIBC = "2.35"


@dataclass(frozen=True)
class PackRequest:
    """What is to be packed, and for which boards."""

    subject: Subject
    """What is measured."""

    benchmark: BenchmarkRequest
    """The run, as it would be on this machine."""

    profile: Profile
    """The profile of the boards."""

    with_formats: tuple[str, ...]
    """The formats whose runtime is packed although it is large."""

    pythons: tuple[str, ...]
    """The versions of Python that the boards have; empty for those of the profile's systems."""


class PackedJob(Record):
    """A job for boards with one system, as agent.packed reads it."""

    python: str
    """The version of Python that it is for."""

    glibc: str
    """The oldest C library that it runs with."""

    machine: str
    """The processor's architecture that it is for."""

    own_runtimes: bool
    """Whether the runtimes are packages of the system."""

    job: str
    """The key of the job."""

    environment: str
    """The key of the environment."""

    wheels: tuple[str, ...]
    """The SHA-256 of each wheel of the environment."""

    imports: tuple[str, ...]
    """The modules that must be importable in the environment."""

    needed_bytes: int
    """How much of the board's disk the job takes."""

    spec: JobSpec
    """What the agent needs to start the job."""


class PackIndex(Record):
    """The file pack.json in the archive."""

    report: str
    """The name of the report's file, unless the command on the board names another."""

    systems: tuple[PackedJob, ...]
    """A job for each system."""


def was_a_pack(content: bytes) -> bool:
    """Return whether a file's content is what write_pack writes."""
    return content.startswith(_HEADER)


def write_pack(request: PackRequest, out: Path, progress: Progress) -> Sequence[System]:
    """Write the file `out`, and return the systems that it is for.

    Raises InputError where the profile does not say which Python the boards have, BoardError where wheels are
    missing.
    """
    profile, systems = request.profile, _systems(request)
    machine = profile.processor.architecture if profile.processor is not None else platform.machine()
    jobs = [_job(request, system, machine, progress) for system in systems]
    name = _file_name(request.benchmark.name or name_of(request.subject))
    packed = tuple(_packed_job(job, system, machine) for job, system in zip(jobs, systems, strict=True))
    index = PackIndex(report=f"{name}-{profile.name}.json", systems=packed)
    with whole_file(out) as file:
        write_archive(file, index, _files(jobs), progress)
    return systems


def _systems(request: PackRequest) -> Sequence[System]:
    profile = request.profile
    if profile.proxy_only is not None:
        raise InputError(f"--for {profile.name}: {profile.proxy_only}")
    systems = profile.systems or _this_system(profile)
    if not request.pythons and not systems:
        raise InputError(
            f"--for {profile.name}: this profile names no system of the device; add --python with the version"
            " of the board's python3"
        )
    return [_system(python, systems) for python in request.pythons] or systems


def _system(python: str, systems: Sequence[System]) -> System:
    """Return a system with this Python, which is otherwise as old as the oldest of some."""
    return System(
        name=f"Python {python}",
        python=python,
        glibc=min((system.glibc for system in systems), key=version_numbers, default=_GLIBC),
        own_runtimes=any(system.own_runtimes for system in systems),
        source="named with --python",
    )


def _this_system(profile: Profile) -> Sequence[System]:
    """Return this machine's system, if the profile is that of whatever machine it is used on."""
    if profile.device != "this-machine" or not (glibc := platform.libc_ver()[1]):
        return ()
    python = "{}.{}".format(*sys.version_info)
    return [System(name="this machine", python=python, glibc=glibc, source="this machine's own")]


def _job(request: PackRequest, system: System, machine: str, progress: Progress) -> Job:
    modules = {row.needs for row in FORMATS.values()} if system.own_runtimes else None
    selection = select_formats(request.subject, request.benchmark.only, request.with_formats, modules)
    requirements = requirements_for(selection, system.own_runtimes)
    wheels = cached_wheels(Platform(system.python, system.glibc, machine), requirements, progress)
    environment = Environment(
        wheels=tuple(wheels),
        with_system_packages=system.own_runtimes,
        # Which runtimes the board's system has is not known here; those that are missing are skipped there.
        imports=imports_for(name for name in selection.formats if name not in selection.from_system),
        python=system.python,
    )
    return make_job(request.subject, request.benchmark, request.profile, selection, environment)


def _packed_job(job: Job, system: System, machine: str) -> PackedJob:
    return PackedJob(
        python=system.python,
        glibc=system.glibc,
        machine=machine,
        own_runtimes=system.own_runtimes,
        job=job.key,
        environment=job.environment.key,
        wheels=job.environment.hashes,
        imports=job.environment.imports,
        needed_bytes=job.needed_bytes,
        spec=job.spec(job.environment.key, resume=False),
    )


def _files(jobs: Sequence[Job]) -> list[File]:
    """Return the files of some jobs, each once."""
    files = [file for job in jobs for file in (*job.environment.files, job.code, *job.files.values())]
    return list({file.sha256: file for file in files}.values())


def write_archive(file: BinaryIO, index: PackIndex, files: Sequence[File], progress: Progress) -> None:
    """Write the archive piece by piece. It is not compressed: its files are already, or cannot be.

    Raises InputError if a file changed meanwhile.
    """
    progress.begin("packing", len(files))
    file.write(_HEADER)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("__main__.py", _MAIN)
        for package in ("bench", "bench/remote", "bench/remote/agent"):
            archive.writestr(f"{package}/__init__.py", "")
        for name in (*AGENT_MODULES, "packed"):
            archive.writestr(f"bench/remote/agent/{name}.py", agent_module_source(name))
        archive.writestr("pack.json", index.model_dump_json(by_alias=True))
        for packed in files:
            _write_blob(archive, packed)
            progress.advance()


def _write_blob(archive: zipfile.ZipFile, file: File) -> None:
    """Write a file into the archive. Raises InputError if it is not what its hash was taken of."""
    member = zipfile.ZipInfo(f"blobs/{file.sha256}")
    member.file_size = file.size_bytes
    digest = hashlib.sha256()
    with archive.open(member, "w") as written:
        for piece in file.pieces():
            digest.update(piece)
            written.write(piece)
    if digest.hexdigest() != file.sha256:  # a board without a network could only refuse it
        raise InputError(f"{file.content!s} changed while it was packed; run the command again")


def _file_name(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.") or "report"
