"""What is known of a device: every figure with its kind and its source. It measures and judges nothing."""

from collections.abc import Iterable
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import Discriminator, Field, StringConstraints, Tag, model_validator

from device_profiles.part import Part, Text

ValueT = TypeVar("ValueT")

_COOLEST_LIMIT_C, _HOTTEST_LIMIT_C = 40, 150
_SLOWEST_CLOCK_MHZ, _FASTEST_CLOCK_MHZ = 100, 10_000
_LEAST_MEMORY_MB = 16

Kind = Annotated[
    Literal["measured", "datasheet", "computed", "published"],
    Field(description="measured, datasheet, computed or published"),
]
Source = Annotated[
    Text,
    StringConstraints(strip_whitespace=True, min_length=8),
    Field(description="where it comes from: an address, or how it was found, or by whom chosen"),
]
PrecisionName = Literal["fp32", "fp16", "int8"]

# What decides how fast int8 and half precision can be, by the names that /proc/cpuinfo uses: x86's VNNI and
# AVX-512, Arm's dot product (asimddp), half-precision arithmetic (asimdhp) and 8-bit matrix product (i8mm).
Feature = Literal[
    "avx2",
    "f16c",
    "avx512f",
    "avx512_vnni",
    "avx_vnni",
    "avx512_bf16",
    "avx512_fp16",
    "amx_int8",
    "asimd",
    "asimddp",
    "asimdhp",
    "i8mm",
    "sve",
]


_OF_INT8 = frozenset({"asimddp", "i8mm", "avx512_vnni", "avx_vnni", "amx_int8"})


class Figure(Part, Generic[ValueT]):
    """A value and where it comes from.

    `kind`: measured (on such a device), datasheet (the maker's own word), computed (from other figures; the
    source says how), published (somebody else's). `conditions`: what else must be known to read it.
    """

    value: ValueT
    kind: Kind
    source: Source
    conditions: Text | None = None


class NotFound(Part):
    """A figure that nobody could be found to give; `not_found` says where it was looked for."""

    not_found: Source


def _which(value: Any) -> str:
    found = "not_found" in value if isinstance(value, dict) else isinstance(value, NotFound)
    return "not-found" if found else "a-figure"


Whole = Annotated[int, Field(ge=1, le=1_000_000)]
Positive = Annotated[float, Field(gt=0, le=1e9)]
NumberOrNot = Annotated[
    Annotated[Figure[Positive], Tag("a-figure")] | Annotated[NotFound, Tag("not-found")],
    Discriminator(_which),
]


class Match(Part):
    """By what a machine is known to be this device: all that is given must hold.

    `board`: one of these begins the device tree's model; `cpu`: one of these is in the CPU's name.
    """

    board: tuple[Annotated[str, Field(min_length=3)], ...] = ()
    cpu: tuple[Annotated[str, Field(min_length=3)], ...] = ()

    @model_validator(mode="after")
    def _names_something(self) -> "Match":
        if not self.board and not self.cpu:
            raise ValueError("needs 'board' or 'cpu', or every machine would match")
        return self


def multiplies_int8_fast(features: Iterable[str]) -> bool:
    """Tell whether a CPU has an instruction for sums of int8 products (dot product, VNNI, AMX)."""
    return not _OF_INT8.isdisjoint(features)


class Processor(Part):
    """The CPU. `core`: its microarchitecture; `clock_mhz`: the highest that all cores hold.

    `family`: the class of processor within which a published run says something of another device, because
    the same kernels run in the same way: in-order cores apart, and no dot product apart from one.
    """

    core: Text
    family: Literal["arm-in-order", "arm-out-of-order", "arm-dot-product", "x86-avx2", "x86-vnni"]
    architecture: Literal["aarch64", "x86_64"]
    cores: Figure[Whole]
    clock_mhz: NumberOrNot
    features: Figure[tuple[Feature, ...]]

    @model_validator(mode="after")
    def _has_a_possible_clock(self) -> "Processor":
        clock = self.clock_mhz
        if isinstance(clock, Figure) and not _SLOWEST_CLOCK_MHZ <= clock.value <= _FASTEST_CLOCK_MHZ:
            raise ValueError(
                f"clock_mhz is {clock.value:g}; clocks run at {_SLOWEST_CLOCK_MHZ} to "
                f"{_FASTEST_CLOCK_MHZ} MHz"
            )
        return self

    @property
    def multiplies_int8_fast(self) -> bool:
        """Whether it has an instruction for sums of int8 products (dot product, VNNI, AMX)."""
        return multiplies_int8_fast(self.features.value)


class Memory(Part):
    """MiB of memory: the sizes it is sold with, and what one process can have on the smallest of them.

    `left_free_mb`: after boot of the usual system without a desktop, before anything of edgefit runs;
    `bandwidth_gb_s`: what the memory itself allows, 10^9 bytes a second; what a core reaches is a rate.
    """

    sizes_mb: Figure[Annotated[tuple[Annotated[int, Field(ge=64, le=4_194_304)], ...], Field(min_length=1)]]
    left_free_mb: NumberOrNot
    bandwidth_gb_s: NumberOrNot | None = None

    @model_validator(mode="after")
    def _leaves_less_than_there_is(self) -> "Memory":
        left = self.left_free_mb
        if isinstance(left, Figure) and left.value > min(self.sizes_mb.value):
            raise ValueError(f"left_free_mb is {left.value:g}, more than the smallest of sizes_mb")
        if isinstance(left, Figure) and left.value < _LEAST_MEMORY_MB:
            raise ValueError(f"left_free_mb is {left.value:g}; nothing runs in less than {_LEAST_MEMORY_MB}")
        return self


class Rate(Part):
    """How fast the CPU is at one thing, on `cores` of its cores together.

    `operation`: peak (what the instructions allow), convolution and matrix (what a runtime reaches), each in
    10^9 multiply-accumulates a second, or copy (of memory far larger than the caches, in 10^9 bytes copied a
    second, each counted once). `runtime`: what reached it; `after_load_s`: seconds of full load before it was
    taken; `relative_range`: of its samples, from p10 to p90, ÷ their median, where it was measured;
    `emulated`: on an emulated device, of which nothing is projected. `clock_mhz`, `temperature_c`: meanwhile,
    where they were read.
    """

    operation: Literal["peak", "convolution", "matrix", "copy"]
    precision: PrecisionName | None = None
    cores: Whole = 1
    runtime: Text | None = None
    after_load_s: Annotated[float, Field(ge=0)] = 0
    value: Positive
    relative_range: Annotated[float, Field(ge=0)] | None = None
    emulated: bool = False
    kind: Kind
    source: Source
    conditions: Text | None = None
    clock_mhz: Annotated[float, Field(gt=0)] | None = None
    temperature_c: Annotated[float, Field(ge=-60, le=150)] | None = None

    @property
    def describes_the_device(self) -> bool:
        """Whether it was taken at rest, and not on an emulated one: what rates are compared by."""
        return not self.after_load_s and not self.emulated

    @model_validator(mode="after")
    def _names_a_precision(self) -> "Rate":
        if (self.operation == "copy") == (self.precision is not None):
            raise ValueError("a rate of copying has no 'precision', and every other rate has one")
        return self


class Accelerator(Part):
    """What computes beside the CPU. `peak`: what the maker calls its peak, in words of the source."""

    name: Text
    peak: Figure[Text] | None = None
    memory: Literal["shared with the CPU", "its own"]


class RuntimeChoice(Part):
    """Where a runtime is measured on this device: each provider in this order, a case of its own.

    `install`: what to install from where; `reason`: why there is no provider at all.
    """

    providers: tuple[str, ...]
    install: Text | None = None
    reason: Text | None = None

    @model_validator(mode="after")
    def _says_why_not(self) -> "RuntimeChoice":
        if not self.providers and self.reason is None:
            raise ValueError("needs a 'reason' where 'providers' is empty")
        if len(set(self.providers)) < len(self.providers):
            raise ValueError("names a provider twice")
        return self


class System(Part):
    """A system that the device's maker offers for it, which says what `edgefit pack` has to bring.

    `python`: the version of its python3; `glibc`: of its C library; `own_runtimes`: the runtimes are packages
    of it, which no index of wheels offers.
    """

    name: Text
    python: Annotated[str, Field(pattern=r"^3\.[0-9]+$")]
    glibc: Annotated[str, Field(pattern=r"^2\.[0-9]+$")]
    own_runtimes: bool = False
    source: Source


class Heat(Part):
    """When the device slows itself down, in °C of `zone` (a thermal zone's type, as the kernel has it)."""

    throttles_at_c: NumberOrNot
    zone: Text | None = None

    @model_validator(mode="after")
    def _is_a_temperature(self) -> "Heat":
        found = self.throttles_at_c
        if isinstance(found, Figure) and not _COOLEST_LIMIT_C <= found.value <= _HOTTEST_LIMIT_C:
            raise ValueError(
                f"throttles_at_c is {found.value:g} °C; chips slow down between {_COOLEST_LIMIT_C} and "
                f"{_HOTTEST_LIMIT_C}"
            )
        return self


class Readings(Part):
    """How the device tells about itself; null: it does not.

    `clock`, `temperature`: the kernel's files; `throttling`: vcgencmd's bits, the transitions of the kernel's
    cooling devices, or x86's throttle counters; `power`: see bench/system/power.py.
    """

    clock: Literal["cpufreq"] | None
    temperature: Literal["thermal-zones"] | None
    throttling: Literal["vcgencmd", "cooling-devices", "x86-throttle-counts"] | None
    power: Literal["pmic", "ina3221", "rapl"] | None
    source: Source


class Published(Part):
    """A latency that somebody published, in ms at batch 1; `kind` is always published.

    `runtime`: onnxruntime, torch, openvino, or one that edgefit does not run; `precision`: what ran, as far
    as is known; `threads`: null where it is not told, or not of the CPU. `gmacs`: 10^9 multiply-accumulates,
    and `traffic_mb`: 10^6 bytes that its convolutions and matrix products read and write in fp32, of a
    network that is not MobileNetV2.
    """

    runtime: Text
    network: Text
    image_size: Whole
    precision: PrecisionName
    provider: Text = "cpu"
    threads: Whole | None
    ms: Annotated[float, Field(gt=0, le=1e6)]
    kind: Literal["published"]
    source: Source
    conditions: Text | None = None
    gmacs: Annotated[float, Field(gt=0)] | None = None
    traffic_mb: Annotated[float, Field(gt=0)] | None = None
