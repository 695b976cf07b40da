"""Which device a machine is: what agrees with a profile, and what differs. Pure: a host and profiles in."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bench.errors import InputError
from bench.system.host import Host
from device_profiles.facts import Match, Memory, Processor
from device_profiles.profile import Profile

_BYTES_PER_MIB = 1 << 20
# What firmware, kernel and graphics keep for themselves: a Pi of 1024 MiB shows 857 to 967 (sbc-bench's
# results), a Jetson of 8192 about 7600.
_SHARE_OF_MEMORY_SHOWN = 0.75


@dataclass(frozen=True)
class ProfileMatch:
    """How a machine compares with a profile's device.

    `is_device`: whether the profile's rule of matching says that it is one; `agrees`, `differs`: in words.
    """

    profile: str
    is_device: bool
    agrees: tuple[str, ...]
    differs: tuple[str, ...]
    distance: tuple[float, ...]


@dataclass(frozen=True)
class Detection:
    """Which devices a machine is, the one with the fewest differences first; `nearest`: if it is none."""

    matches: tuple[ProfileMatch, ...]
    nearest: ProfileMatch | None


def detect(host: Host, profiles: Iterable[Profile]) -> Detection:
    """Compare a machine with every profile of a device."""
    likenesses = sorted(
        (profile_match(host, profile) for profile in profiles if profile.device == "another"),
        key=lambda one: (len(one.differs), one.distance),
    )
    matches = tuple(one for one in likenesses if one.is_device)
    nearest = min(likenesses, key=lambda one: one.distance, default=None)
    return Detection(matches, None if matches else nearest)


def profile_that_is(host: Host, profiles: Sequence[Profile], whose: str) -> Profile:
    """Return the profile of the device that a machine is; raises InputError if it is none of them.

    `whose`: what to call the machine in that sentence.
    """
    found = detect(host, profiles)
    if found.matches:
        return next(profile for profile in profiles if profile.name == found.matches[0].profile)
    near = found.nearest
    differs = "" if near is None else f" (nearest is {near.profile}, but {'; '.join(near.differs)})"
    raise InputError(
        f"{whose}: is no device that has a profile{differs}; name one with --profile, or take"
        " --profile laptop-cpu, which is whatever machine it is used on"
    )


def profile_match(host: Host, profile: Profile) -> ProfileMatch:
    """Compare a machine with one profile, whose device is another."""
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
        same = board is not None and any(board.startswith(one) for one in match.board)
        here = f"'{board}'" if board else "none here"
        wanted = "" if same else f", not {_either(match.board)}"
        compared.append((same, f"board model: {here}{wanted}"))
    if match.cpu:
        same = any(one in host.cpu for one in match.cpu)
        wanted = "" if same else f", not {_either(match.cpu)}"
        compared.append((same, f"CPU: '{host.cpu}'{wanted}"))
    return compared


def _either(names: Sequence[str]) -> str:
    return " or ".join(f"'{name}'" for name in names)


def _of_core(host: Host, processor: Processor) -> _Compared:
    if not _same_architecture(host, processor):
        return False, f"architecture: {host.architecture}, not {processor.architecture}"
    if processor.architecture == "aarch64":  # Linux names Arm's cores, and x86's by brand alone
        same = host.cpu == processor.core
        return same, f"core: {host.cpu}" + ("" if same else f", not {processor.core}")
    return True, f"architecture: {host.architecture}"


def architecture_of(host: Host) -> str:
    """Return a machine's architecture by the name that Linux and profiles have for it."""
    names = {"arm64": "aarch64", "AMD64": "x86_64"}  # as macOS and Windows say it
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
    words = [f"{' '.join(sorted(there - here))} lacking"] if there - here else []
    words += [f"{' '.join(sorted(here - there))} besides"] if here - there else []
    return False, f"features: {', '.join(words)}"


def _of_memory(host: Host, memory: Memory) -> _Compared:
    here = host.memory_bytes / _BYTES_PER_MIB
    same = any(_SHARE_OF_MEMORY_SHOWN * size <= here <= size for size in memory.sizes_mb.value)
    sizes = " or ".join(str(size) for size in memory.sizes_mb.value)
    return same, f"memory: {here:.0f} MiB" + (f" of {sizes}" if same else f", not {sizes}")


def _distance(host: Host, processor: Processor, memory: Memory) -> tuple[float, ...]:
    """Return what orders devices by likeness: what decides which code runs first, then how much of it."""
    features = set(host.cpu_features) ^ set(processor.features.value)
    here = host.memory_bytes / _BYTES_PER_MIB
    return (
        not _same_architecture(host, processor),
        len(features),
        host.cpu != processor.core,
        abs(math.log2(host.physical_cores / processor.cores.value)),
        min(abs(math.log2(here / size)) for size in memory.sizes_mb.value),
    )
