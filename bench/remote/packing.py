"""One file that carries a job to a board which no network reaches, and runs there with its own Python.

It is an archive that Python runs (zipapp), with the agent, and beside it wheels, code and bundle by their
hashes. What it does there is agent.packed's business.
"""

import io
import json
import platform
import re
import sys
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from bench.errors import InputError
from bench.filesystem.whole_files import write_whole
from bench.progress import Progress
from bench.remote.agent_source import MODULES
from bench.remote.job_spec import Asked, Environment, File, Job, job_of, requirements_for, select, trial_of
from bench.remote.wheels import Place, kept_wheels, numbers_of
from bench.runtimes.table import RUNTIMES
from device_profiles.facts import System
from device_profiles.profile import Profile

_AGENT = "bench.remote.agent"
_HEADER = b"#!/usr/bin/env python3\n"
_MAIN = """import sys
if sys.version_info < (3, 10):
    sys.stderr.write("edgefit: this Python is %d.%d; edgefit needs 3.10 or newer\\n" % sys.version_info[:2])
    sys.exit(5)
from bench.remote.agent.packed import main
sys.exit(main(sys.argv[0]))
"""
# What a profile without systems is packed for: wheels for it run with every newer one.
_GLIBC = "2.35"


@dataclass(frozen=True)
class Packing:
    """What is asked for on boards of a profile. `pythons`: versions instead of those of the profile's
    systems, none for these.
    """

    asked: Asked
    profile: Profile
    pythons: tuple[str, ...]


def was_a_pack(content: bytes) -> bool:
    """Tell whether a file's content is what write_pack writes."""
    return content.startswith(_HEADER)


def write_pack(packing: Packing, out: Path, progress: Progress) -> Sequence[System]:
    """Write the file `out`, and return the systems that it is for.

    Raises InputError where the profile does not tell for which Python, BoardError where wheels are missing.
    """
    asked, profile, systems = packing.asked, packing.profile, _systems(packing)
    machine = profile.processor.architecture if profile.processor is not None else platform.machine()
    jobs = [_job(packing, system, machine, progress) for system in systems]
    about = {
        "report": f"{_file_name(asked.name or asked.bundle.manifest.name)}-{profile.name}.json",
        "systems": [_described(job, one, machine) for job, one in zip(jobs, systems, strict=True)],
    }
    files = {
        file.sha256: file for job in jobs for file in (*job.environment.files, job.code, *job.files.values())
    }
    write_whole(out, _HEADER + _archive(about, list(files.values()), progress))
    return systems


def _systems(packing: Packing) -> Sequence[System]:
    profile = packing.profile
    if profile.proxy_only is not None:
        raise InputError(f"--for {profile.name}: {profile.proxy_only}")
    known = profile.systems or _this_system(profile)
    if not packing.pythons:
        if not known:
            raise InputError(
                f"--for {profile.name}: the profile names no system of the device; say with --python which"
                " version its python3 is"
            )
        return known
    glibc = min((one.glibc for one in known), key=numbers_of, default=_GLIBC)
    own = any(one.own_runtimes for one in known)
    return [
        System(
            name=f"Python {one}", python=one, glibc=glibc, own_runtimes=own, source="asked for with --python"
        )
        for one in packing.pythons
    ]


def _this_system(profile: Profile) -> Sequence[System]:
    """Return this machine's system, if the profile is that of whatever machine it is used on."""
    if profile.device != "this-machine" or not (glibc := platform.libc_ver()[1]):
        return ()
    python = "{}.{}".format(*sys.version_info)
    return [System(name="this machine", python=python, glibc=glibc, source="this machine's own")]


def _job(packing: Packing, system: System, machine: str, progress: Progress) -> Job:
    asked = packing.asked
    own = {row.needs for row in RUNTIMES.values()} if system.own_runtimes else None
    chosen = select(asked.bundle, asked.only, asked.with_formats, own)
    place = Place(system.python, system.glibc, machine)
    wheels = kept_wheels(place, requirements_for(chosen, system.own_runtimes), progress)
    # Which of its own runtimes a board has is not known here; those that are missing are skipped there.
    trial = trial_of(name for name in chosen.formats if name not in chosen.own)
    environment = Environment(tuple(wheels), system.own_runtimes, trial, system.python)
    return job_of(asked, packing.profile, chosen, environment)


def _described(job: Job, system: System, machine: str) -> dict[str, Any]:
    """Return what agent.packed is told of a job."""
    return {
        "python": system.python,
        "glibc": system.glibc,
        "machine": machine,
        "own_runtimes": system.own_runtimes,
        "job": job.key,
        "environment": job.environment.key,
        "wheels": [file.sha256 for file in job.environment.files],
        "trial": list(job.environment.trial),
        "needs_bytes": job.needs_bytes,
        "spec": job.spec(job.environment.key, resume=False),
    }


def _archive(about: dict[str, Any], files: Sequence[File], progress: Progress) -> bytes:
    """Return the archive; what lies in it by its hash is compressed already, or does not compress."""
    progress.begin("packing", len(files))
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("__main__.py", _MAIN)
        for package in ("bench", "bench/remote", "bench/remote/agent"):
            archive.writestr(f"{package}/__init__.py", "")
        for name in (*MODULES, "packed"):
            source = (resources.files(_AGENT) / f"{name}.py").read_text(encoding="utf-8")
            archive.writestr(f"bench/remote/agent/{name}.py", source)
        archive.writestr("pack.json", json.dumps(about))
        for file in files:
            content = file.content if isinstance(file.content, bytes) else file.content.read_bytes()
            archive.writestr(f"blobs/{file.sha256}", content)
            progress.advance()
    return whole.getvalue()


def _file_name(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.") or "report"
