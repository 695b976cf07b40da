"""What a profile is: what is known of a device, and what is asked of it. It reads no file."""

import re
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
from device_profiles.validation import nearest

NAME = r"^[a-z0-9][a-z0-9.-]*$"
FormatName = Literal["torchscript", "onnx", "openvino"]
# What each format's runtime calls the places where it runs, and those that a hint names.
_PROVIDERS = {
    "onnx": r"[A-Za-z0-9]+ExecutionProvider",
    "openvino": r"(CPU|GPU|NPU)(\.[0-9]+)?",
    "torchscript": r"(cpu|cuda)(:[0-9]+)?",
}
_USUAL_PROVIDERS = {
    "onnx": ("CPUExecutionProvider", "CUDAExecutionProvider", "TensorrtExecutionProvider"),
    "openvino": ("CPU", "GPU", "NPU"),
    "torchscript": ("cpu", "cuda"),
}


class Profile(Part):
    """A device: what it is, how to measure on it, and what would be too much.

    `device`: whether the profile describes whatever machine it is used on, or another one that this machine
    can only stand in for unless it is recognised. `proxy_only`: why edgefit cannot run on the device
    itself, null if it can. `threads`: of each case; the device's own cores unless a number is given.
    `systems`: the device's own, from which `edgefit pack` takes Python and C library. `memory_cap_mb`: MiB
    that a case may have, null for what the device leaves free. `runtimes`: by format; one that is not named
    runs where it does by default.
    """

    name: str = Field(pattern=NAME, max_length=60)
    description: Text
    device: Literal["this-machine", "another"]
    proxy_only: Text | None = None
    match: Match | None = None
    processor: Processor | None = None
    memory: Memory | None = None
    rates: tuple[Rate, ...] = ()
    accelerators: tuple[Accelerator, ...] = ()
    runtimes: dict[FormatName, RuntimeChoice] = Field(default_factory=dict)
    systems: tuple[System, ...] = ()
    heat: Heat | None = None
    readings: Readings | None = None
    published: tuple[Published, ...] = ()
    threads: Annotated[int, Field(ge=1, le=4096)] | Literal["physical-cores"] = "physical-cores"
    memory_cap_mb: int | None = Field(default=None, ge=16, le=4_194_304)
    sampling: Sampling
    quick: Sampling
    budget: Budget


def fault_of(profile: Profile) -> str | None:
    """Return what a profile's file must have besides what the model wants, in a sentence; None if it has.

    Profiles in reports of before did not.
    """
    for key in ("sampling", "quick", "budget"):
        if "source" not in getattr(profile, key).model_fields_set:
            return f"the key '{key}.source' is missing: who chose these numbers, and why"
    if profile.device == "another":
        missing = [key for key in ("match", "processor", "memory") if getattr(profile, key) is None]
        if missing:
            return f"the key '{missing[0]}' is missing: 'device: another' could not be known without it"
    elif profile.match is not None:
        return "match: 'device: this-machine' is every machine; leave it out (over another: match: null)"
    return _fault_of_providers(profile)


def _fault_of_providers(profile: Profile) -> str | None:
    for name, choice in profile.runtimes.items():
        for provider in choice.providers:
            if not re.fullmatch(_PROVIDERS[name], provider):
                hint = nearest(provider, list(_USUAL_PROVIDERS[name]))
                return f"runtimes.{name}.providers: '{provider}' is none of {name}; {hint}"
    return None
