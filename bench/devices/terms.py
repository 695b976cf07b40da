"""On which terms a machine is measured under a profile: as the device itself, or as its proxy. Pure."""

from dataclasses import dataclass
from typing import Literal

from bench.bundle.manifest import ArtifactRecord
from bench.devices.matching import ProfileMatch, profile_match
from bench.runtimes.quantised_engines import ENGINES, choose_engine, engine_incompatibility
from bench.system.host import Host
from device_profiles.facts import Figure
from device_profiles.profile import Profile

_BYTES_PER_MIB = 1 << 20
Provenance = Literal["measured", "proxy"]


@dataclass(frozen=True)
class MemoryLimit:
    """The bytes that a case may have, and what that is, in words."""

    count: int
    words: str


@dataclass(frozen=True)
class Terms:
    """How a machine is held to a profile.

    `profile_match`: None where the profile is that of whatever machine it is used on; `threads`: what the
    profile asks for; `memory_limit`: of a case, None for no limit but the machine's own.
    """

    provenance: Provenance
    profile_match: ProfileMatch | None
    threads: int
    memory_limit: MemoryLimit | None

    @property
    def memory_limit_bytes(self) -> int | None:
        """What a case may have; None for no limit but the machine's own."""
        return None if self.memory_limit is None else self.memory_limit.count

    @property
    def is_another(self) -> bool:
        """Whether the machine stands in for another device, to which latencies may be projected."""
        return self.provenance == "proxy" and self.profile_match is not None


def terms_of(profile: Profile, host: Host) -> Terms:
    """Return the terms on which a host is measured under a profile."""
    compared = profile_match(host, profile) if profile.device == "another" else None
    is_device = (compared is None or compared.is_device) and profile.proxy_only is None
    provenance: Provenance = "measured" if is_device and host.emulated is None else "proxy"
    return Terms(
        provenance=provenance,
        profile_match=compared,
        threads=threads_of(profile, host.physical_cores),
        memory_limit=_memory_limit(profile, provenance),
    )


def threads_of(profile: Profile, physical_cores: int) -> int:
    """Return how many threads a profile asks for: a number, else its device's cores, else this one's."""
    if profile.threads != "physical-cores":
        return profile.threads
    return physical_cores if profile.processor is None else profile.processor.cores.value


def fewer_threads(terms: Terms, host: Host) -> list[str]:
    """Say that here are fewer CPUs or cores than the profile asks threads for."""
    asked = terms.threads
    if asked > host.usable_cpus:
        sentence = (
            f"the profile asks for {asked} threads and here are {host.usable_cpus} usable CPUs: measured "
            f"with {host.usable_cpus} threads; a machine with {asked} will be faster"
        )
        return [sentence]
    if asked > host.physical_cores:
        sentence = (
            f"the profile asks for {asked} threads and here are {host.physical_cores} cores: hyper-threads "
            f"stand in for the others; a machine with {asked} cores will be faster"
        )
        return [sentence]
    return []


def differences(terms: Terms) -> list[str]:
    """Say in what a machine that is the device differs from its profile."""
    if terms.profile_match is None or not terms.profile_match.differs:
        return []
    found = "; ".join(terms.profile_match.differs)
    return [
        f"this {terms.profile_match.profile} differs from its profile ({found}): give it a profile of its own"
    ]


def incompatible_because(artifact: ArtifactRecord, profile: Profile) -> str | None:
    """Return why a profile's device cannot run an artifact; None if nothing is known against it."""
    choice = profile.runtimes.get(artifact.format)  # type: ignore[call-overload]
    if choice is not None and not choice.providers:
        return f"{profile.name} does not run {artifact.format}: {choice.reason}"
    if artifact.engine is None or profile.processor is None:
        return None
    processor = profile.processor
    flags = frozenset(processor.features.value)
    reason = engine_incompatibility(artifact.engine, processor.architecture, flags, called=profile.name)
    best = choose_engine(processor.architecture, flags)
    if reason is None or best is None:
        return reason
    return f"{reason}; export again with --cpu {ENGINES[best].cpu}"


def _memory_limit(profile: Profile, provenance: Provenance) -> MemoryLimit | None:
    if profile.memory_cap_mb is not None:
        return MemoryLimit(profile.memory_cap_mb * _BYTES_PER_MIB, "the profile's memory_cap_mb")
    if provenance == "measured" or profile.memory is None:
        return None
    smallest, left = min(profile.memory.sizes_mb.value), profile.memory.left_free_mb
    board = f"{profile.name} with {smallest} MiB"
    if isinstance(left, Figure):
        return MemoryLimit(int(left.value * _BYTES_PER_MIB), f"what the system of a {board} leaves free")
    return MemoryLimit(smallest * _BYTES_PER_MIB, f"all of a {board}; what its system leaves is not known")
