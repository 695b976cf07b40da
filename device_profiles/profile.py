"""What a profile contains: facts about a device, and how to measure on it. It reads no file."""

from typing import Annotated, Literal

from pydantic import Field

from device_profiles.facts import (
    Accelerator,
    Heat,
    Match,
    Memory,
    Processor,
    Published,
    Rate,
    Readings,
    RuntimeChoice,
    System,
)
from device_profiles.part import Part, Text
from device_profiles.settings import Budget, Sampling

NAME = r"^[a-z0-9][a-z0-9.-]*$"


class Profile(Part):
    """A device: what it is, how to measure on it, and the limits of a variant on it."""

    # Which formats and providers there are is not known here: bench/runtimes/profile_names.py checks them.

    name: str = Field(pattern=NAME, max_length=60)
    """The profile's name, which is the name of its file as well."""
    description: Text
    """The device in one sentence."""
    device: Literal["this-machine", "another"]
    """this-machine: the profile describes any machine that it is used on. another: it describes one device,
    and any other machine is a proxy for it."""
    proxy_only: Text | None = None
    """Why edgefit cannot run on the device itself; null if it can."""
    match: Match | None = None
    """How a machine is recognised as this device."""
    processor: Processor | None = None
    """The device's CPU."""
    memory: Memory | None = None
    """The device's memory."""
    rates: tuple[Rate, ...] = ()
    """How fast the CPU is; projections use these."""
    accelerators: tuple[Accelerator, ...] = ()
    """The device's processors other than the CPU."""
    runtimes: dict[str, RuntimeChoice] = Field(default_factory=dict)
    """Where each format's runtime is measured. A format that is missing here runs on its default provider."""
    systems: tuple[System, ...] = ()
    """The device's operating systems; edgefit pack adds wheels for their Python and C library."""
    heat: Heat | None = None
    """When the device throttles."""
    readings: Readings | None = None
    """What the device reports about itself."""
    published: tuple[Published, ...] = ()
    """Latencies that others published for this device."""
    threads: Annotated[int, Field(ge=1, le=4096)] | Literal["physical-cores"] = "physical-cores"
    """The number of threads of each case; by default the device's physical cores."""
    memory_cap_mb: int | None = Field(default=None, ge=16, le=4_194_304)
    """The memory that a case may have, in MiB; null for what the device leaves free."""
    sampling: Sampling
    """How long to measure."""
    quick: Sampling
    """How long to measure with --quick."""
    budget: Budget
    """The limits that a variant must meet on this device."""


def fault_of(profile: Profile) -> str | None:
    """Return in one sentence what a profile's file lacks; None if it is complete.

    The model accepts such a profile, because profiles in older reports lack the same.
    """
    for key in ("sampling", "quick", "budget"):
        if "source" not in getattr(profile, key).model_fields_set:
            return f"the key '{key}.source' is missing; say who chose these numbers, and why"
    if profile.device == "another":
        missing = [key for key in ("match", "processor", "memory") if getattr(profile, key) is None]
        if missing:
            return f"the key '{missing[0]}' is missing; a profile with 'device: another' needs it"
    elif profile.match is not None:
        return (
            "the key 'match' must be absent, because 'device: this-machine' describes every machine; remove "
            "it (if the profile extends another one, write match: null)"
        )
    return None
