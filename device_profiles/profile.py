"""What a profile is: what is known of a device, and what is asked of it. It reads no file."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

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
)
from device_profiles.part import Part
from device_profiles.settings import Budget, Sampling

FormatName = Literal["torchscript", "onnx", "openvino"]


class Profile(Part):
    """A device: what it is, how to measure on it, and what would be too much.

    `device`: whether the profile describes whatever machine it is used on, or another one that this machine
    can only stand in for unless it is recognised. `stand_in_only`: why edgefit cannot run on the device
    itself, null if it can. `threads`: of each case; the device's own cores unless a number is given.
    `memory_cap_mb`: MiB that a case may have, null for what the device leaves free. `runtimes`: by format;
    one that is not named runs where it does by default.
    """

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]*$")
    description: str
    device: Literal["this-machine", "another"]
    stand_in_only: str | None = None
    match: Match | None = None
    processor: Processor | None = None
    memory: Memory | None = None
    rates: tuple[Rate, ...] = ()
    accelerators: tuple[Accelerator, ...] = ()
    runtimes: dict[FormatName, RuntimeChoice] = Field(default_factory=dict)
    heat: Heat | None = None
    readings: Readings | None = None
    published: tuple[Published, ...] = ()
    threads: Annotated[int, Field(ge=1)] | Literal["physical-cores"] = "physical-cores"
    memory_cap_mb: int | None = Field(default=None, ge=16)
    sampling: Sampling
    quick: Sampling
    budget: Budget

    @model_validator(mode="after")
    def _says_what_it_is(self) -> "Profile":
        if self.device == "another":
            missing = [key for key in ("match", "processor", "memory") if getattr(self, key) is None]
            if missing:
                raise ValueError(f"'device: another' needs '{missing[0]}', or nobody could know it")
        elif self.match is not None:
            raise ValueError("'device: this-machine' is every machine, and has no 'match'")
        return self
