"""Which device a machine is: what agrees with a profile, and what differs. Pure: it takes values."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bench.errors import InputError
from bench.system.host import Host
from bench.units import mib
from device_profiles.facts import Match, Memory, Processor
from device_profiles.profile import Profile

# Firmware, kernel and graphics reserve memory: a Pi of 1024 MiB reports 857 to 967 (sbc-bench's results), a
# Jetson of 8192 about 7600.
_SHARE_OF_MEMORY_SHOWN = 0.75


@dataclass(frozen=True)
class ProfileMatch:
    """How a machine compares with a profile's device."""

    profile: str
    """The profile's name."""
    is_device: bool
    """Whether the machine is the device, by the profile's `match`."""
    agrees: tuple[str, ...]
    """What agrees, in words."""
    differs: tuple[str, ...]
    """What differs, in words."""
    distance: tuple[float, ...]
    """How different the machine is; the nearest device has the smallest."""


@dataclass(frozen=True)
class Detection:
    """Which devices a machine is."""

    matches: tuple[ProfileMatch, ...]
    """The devices that match, the one with the fewest differences first."""
    nearest: ProfileMatch | None
    """The nearest device, if none matches."""


def detect(host: Host, profiles: Iterable[Profile]) -> Detection:
    """Compare a machine with every profile of a device."""
    compared = sorted(
        (profile_match(host, profile) for profile in profiles if profile.device == "another"),
        key=lambda match: (len(match.differs), match.distance),
    )
    matches = tuple(match for match in compared if match.is_device)
    nearest = min(compared, key=lambda match: match.distance, default=None)
    return Detection(matches, None if matches else nearest)


def profile_that_is(host: Host, profiles: Sequence[Profile], whose: str) -> Profile:
    """Return the profile that a machine matches; raises InputError if there is none.

    `whose`: the name of the machine in the error.
    """
    detection = detect(host, profiles)
    if detection.matches:
        return next(profile for profile in profiles if profile.name == detection.matches[0].profile)
    near = detection.nearest
    differs = "" if near is None else f" (the nearest is {near.profile}, but {'; '.join(near.differs)})"
    raise InputError(
        f"{whose} matches no profile{differs}; name a profile with --profile, or use "
        "--profile laptop-cpu, which describes any machine"
    )


def profile_match(host: Host, profile: Profile) -> ProfileMatch:
    """Compare a machine with a profile of one device."""
    assert profile.match is not None
    assert profile.processor is not None
    assert profile.memory is not None
    match, processor, memory = profile.match, profile.processor, profile.memory
    compared = [
        *_of_match(host, match),
        _of_core(host, processor),
        _of_cores(host, processor),
        _of_features(host, processor),
        _of_memory(host, memory),
    ]
    return ProfileMatch(
        profile=profile.name,
        is_device=all(same for same, _ in _of_match(host, match)),
        agrees=tuple(sentence for same, sentence in compared if same),
        differs=tuple(sentence for same, sentence in compared if not same),
        distance=_distance(host, processor, memory),
    )


_Compared = tuple[bool, str]


def _of_match(host: Host, match: Match) -> list[_Compared]:
    compared = []
    if match.board:
        board = host.board
        same = board is not None and any(board.startswith(name) for name in match.board)
        here = f"'{board}'" if board else "none"
        expected = "" if same else f", not {_either(match.board)}"
        compared.append((same, f"board model: {here}{expected}"))
    if match.cpu:
        same = any(name in host.cpu for name in match.cpu)
        expected = "" if same else f", not {_either(match.cpu)}"
        compared.append((same, f"CPU: '{host.cpu}'{expected}"))
    return compared


def _either(names: Sequence[str]) -> str:
    return " or ".join(f"'{name}'" for name in names)


def _of_core(host: Host, processor: Processor) -> _Compared:
    if not _same_architecture(host, processor):
        return False, f"architecture: {host.architecture}, not {processor.architecture}"
    if processor.architecture == "aarch64":  # Linux reports the core on Arm, but only a brand on x86
        same = host.cpu == processor.core
        return same, f"core: {host.cpu}" + ("" if same else f", not {processor.core}")
    return True, f"architecture: {host.architecture}"


def architecture_of(host: Host) -> str:
    """Return a machine's architecture by the name that Linux and profiles use."""
    names = {"arm64": "aarch64", "AMD64": "x86_64"}  # the names on macOS and Windows
    return names.get(host.architecture, host.architecture)


def _same_architecture(host: Host, processor: Processor) -> bool:
    return architecture_of(host) == processor.architecture


def _of_cores(host: Host, processor: Processor) -> _Compared:
    same = host.physical_cores == processor.cores.value
    return same, f"cores: {host.physical_cores}" + ("" if same else f", not {processor.cores.value}")


def _of_features(host: Host, processor: Processor) -> _Compared:
    here, there = set(host.cpu_features), set(processor.features.value)
    if here == there:
        return True, f"features: {' '.join(sorted(here))}"
    differing = [f"{' '.join(sorted(there - here))} is missing"] if there - here else []
    differing += [f"{' '.join(sorted(here - there))} is extra"] if here - there else []
    return False, f"features: {', '.join(differing)}"


def _of_memory(host: Host, memory: Memory) -> _Compared:
    here = mib(host.memory_bytes)
    same = any(_SHARE_OF_MEMORY_SHOWN * size <= here <= size for size in memory.sizes_mb.value)
    sizes = " or ".join(str(size) for size in memory.sizes_mb.value)
    return same, f"memory: {here:.0f} MiB" + (f" of {sizes}" if same else f", not {sizes}")


def _distance(host: Host, processor: Processor, memory: Memory) -> tuple[float, ...]:
    """Return how different a device is: first what decides which code runs, then how fast it runs."""
    features = set(host.cpu_features) ^ set(processor.features.value)
    here = mib(host.memory_bytes)
    return (
        not _same_architecture(host, processor),
        len(features),
        host.cpu != processor.core,
        abs(math.log2(host.physical_cores / processor.cores.value)),
        min(abs(math.log2(here / size)) for size in memory.sizes_mb.value),
    )
