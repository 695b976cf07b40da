"""How a machine is measured under a profile: as the device itself, or as its proxy. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from bench.bundle.manifest import ArtifactRecord
from bench.devices.matching import ProfileMatch, profile_match
from bench.run_config import RunOptions
from bench.runtimes.quantised_engines import ENGINES, choose_engine, engine_incompatibility
from bench.system.host import Host
from bench.system.thread_variables import SetVariable, kept_assignments
from bench.units import BYTES_PER_MIB
from device_profiles.facts import Figure
from device_profiles.profile import Profile

Provenance = Literal["measured", "proxy"]


@dataclass(frozen=True)
class MemoryLimit:
    """The memory that a case may have."""

    count: int
    """The limit in bytes."""
    origin: str
    """Where the limit comes from, in words."""


@dataclass(frozen=True)
class Terms:
    """How a machine is measured under a profile."""

    provenance: Provenance
    """measured on the device itself, or proxy on another machine."""
    profile_match: ProfileMatch | None
    """How the machine compares with the device; None if the profile describes any machine."""
    threads: int
    """The number of threads that the profile requests."""
    memory_limit: MemoryLimit | None
    """The limit of a case; None for no limit except the machine's own memory."""

    @property
    def memory_limit_bytes(self) -> int | None:
        """The limit of a case in bytes; None for no limit except the machine's own memory."""
        return None if self.memory_limit is None else self.memory_limit.count

    @property
    def is_another(self) -> bool:
        """Whether the machine is a proxy for another device, to which latencies may be projected."""
        return self.provenance == "proxy" and self.profile_match is not None


def terms_of(profile: Profile, host: Host) -> Terms:
    """Return how a host is measured under a profile."""
    compared = profile_match(host, profile) if profile.device == "another" else None
    is_device = (compared is None or compared.is_device) and profile.proxy_only is None
    provenance: Provenance = "measured" if is_device and host.emulated is None else "proxy"
    return Terms(
        provenance=provenance,
        profile_match=compared,
        threads=threads_of(profile, host, is_device),
        memory_limit=_memory_limit(profile, provenance),
    )


def run_options(terms: Terms, host: Host, variables: Iterable[SetVariable] = ()) -> RunOptions:
    """Return what every case of a run has in common: what the profile requests and this machine can give.

    `variables`: of the environment, see bench.system.thread_variables.
    """
    threads = min(terms.threads, host.most_threads)
    return RunOptions(threads=threads, variables=kept_assignments(variables))


def threads_of(profile: Profile, host: Host, is_device: bool) -> int:
    """Return the threads that a profile requests: its number, its device's cores, or this machine's.

    A machine with slow and fast cores gets one for each fast core.
    """
    if profile.threads != "physical-cores":
        return profile.threads
    if profile.processor is None:
        return host.threads
    cores = profile.processor.cores.value
    return min(cores, host.fast_cores) if is_device and host.has_slow_cores else cores


def fewer_threads(terms: Terms, host: Host) -> list[str]:
    """Warn if this machine has fewer CPUs or cores than the profile requests threads."""
    requested = terms.threads
    if requested > host.most_threads and host.is_limited:
        count = host.most_threads
        sentence = (
            f"the profile requests {requested} threads, but {host.may_use}; edgefit measures with {count} "
            f"thread{'' if count == 1 else 's'}, and a machine without this limit will be faster"
        )
        return [sentence]
    if requested > host.usable_cpus:
        sentence = (
            f"the profile requests {requested} threads, but this machine has {host.usable_cpus} usable CPUs; "
            f"edgefit measures with {host.usable_cpus} threads, and a machine with {requested} CPUs will be "
            "faster"
        )
        return [sentence]
    if requested > host.physical_cores:
        sentence = (
            f"the profile requests {requested} threads, but this machine has {host.physical_cores} cores; "
            f"edgefit measures with hyper-threads, and a machine with {requested} cores will be faster"
        )
        return [sentence]
    return []


def differences(terms: Terms) -> list[str]:
    """Say how a machine that is the device differs from its profile."""
    if terms.profile_match is None or not terms.profile_match.differs:
        return []
    differing = "; ".join(terms.profile_match.differs)
    return [
        f"this {terms.profile_match.profile} differs from its profile ({differing}): write a profile for it"
    ]


def format_incompatible_because(format_name: str, profile: Profile) -> str | None:
    """Return why a profile's device does not run a format; None if it does, or if nothing is known."""
    choice = profile.runtimes.get(format_name)
    if choice is None or choice.providers:
        return None
    return f"{profile.name} does not run {format_name}: {choice.reason}"


def incompatible_because(artifact: ArtifactRecord, profile: Profile) -> str | None:
    """Return why a profile's device cannot run an artifact; None if no reason is known."""
    if (reason := format_incompatible_because(artifact.format, profile)) is not None:
        return reason
    if artifact.engine is None or profile.processor is None:
        return None
    processor = profile.processor
    flags = frozenset(processor.features.value)
    reason = engine_incompatibility(artifact.engine, processor.architecture, flags, machine_name=profile.name)
    best = choose_engine(processor.architecture, flags)
    if reason is None or best is None:
        return reason
    return f"{reason}; export again with --cpu {ENGINES[best].cpu}"


def _memory_limit(profile: Profile, provenance: Provenance) -> MemoryLimit | None:
    if profile.memory_cap_mb is not None:
        return MemoryLimit(profile.memory_cap_mb * BYTES_PER_MIB, "the profile's memory_cap_mb")
    if provenance == "measured" or profile.memory is None:
        return None
    smallest, left = min(profile.memory.sizes_mb.value), profile.memory.left_free_mb
    board = f"{profile.name} with {smallest} MiB"
    if isinstance(left, Figure):
        return MemoryLimit(int(left.value * BYTES_PER_MIB), f"what the system of a {board} leaves free")
    return MemoryLimit(
        smallest * BYTES_PER_MIB, f"all memory of a {board}; what its system leaves free is unknown"
    )
