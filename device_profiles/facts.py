"""What is known about a device: each figure with its kind and its source. It measures and decides nothing."""

from collections.abc import Iterable
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import Discriminator, Field, StringConstraints, Tag, model_validator

from device_profiles.part import Part, Text

ValueT = TypeVar("ValueT")

_COOLEST_LIMIT_C, _HOTTEST_LIMIT_C = 40, 150
_SLOWEST_CLOCK_MHZ, _FASTEST_CLOCK_MHZ = 100, 10_000
_LEAST_MEMORY_MB = 16

Kind = Literal["measured", "datasheet", "computed", "published"]
Source = Annotated[Text, StringConstraints(strip_whitespace=True, min_length=8)]
PrecisionName = Literal["fp32", "fp16", "int8"]

# The CPU features that decide how fast int8 and half precision can be, by their names in /proc/cpuinfo: x86's
# VNNI and AVX-512, Arm's dot product (asimddp), half-precision arithmetic (asimdhp), 8-bit matrix product
# (i8mm).
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


_INT8_FEATURES = frozenset({"asimddp", "i8mm", "avx512_vnni", "avx_vnni", "amx_int8"})


class Figure(Part, Generic[ValueT]):
    """A value and where it comes from."""

    value: ValueT
    """The value, in the unit that its key names."""
    kind: Kind
    """One of measured (on such a device), datasheet (by the maker), computed (from other figures, as the
    source says) and published (by others)."""
    source: Source
    """Where the value comes from, such as an address, or how it was determined."""
    conditions: Text | None = None
    """What else a reader must know to use the value."""


class NotFound(Part):
    """A figure that could not be found."""

    not_found: Source
    """Where it was searched for."""


def _tag(content: Any) -> str:
    is_missing = "not_found" in content if isinstance(content, dict) else isinstance(content, NotFound)
    return "not-found" if is_missing else "a-figure"


Whole = Annotated[int, Field(ge=1, le=1_000_000)]
Positive = Annotated[float, Field(gt=0, le=1e9)]
NumberOrNot = Annotated[
    Annotated[Figure[Positive], Tag("a-figure")] | Annotated[NotFound, Tag("not-found")],
    Discriminator(_tag),
]


class Match(Part):
    """How a machine is recognised as this device. All given criteria must match."""

    board: tuple[Annotated[str, Field(min_length=3)], ...] = ()
    """The device tree's model begins with one of these."""
    cpu: tuple[Annotated[str, Field(min_length=3)], ...] = ()
    """The CPU's name contains one of these."""

    @model_validator(mode="after")
    def _has_a_criterion(self) -> "Match":
        if not self.board and not self.cpu:
            raise ValueError("needs 'board' or 'cpu', or every machine would match")
        return self


def multiplies_int8_fast(features: Iterable[str]) -> bool:
    """Return whether a CPU has an instruction for sums of int8 products (dot product, VNNI, AMX)."""
    return not _INT8_FEATURES.isdisjoint(features)


class Processor(Part):
    """The device's CPU."""

    core: Text
    """The microarchitecture, such as Cortex-A76."""
    family: Literal["arm-in-order", "arm-out-of-order", "arm-dot-product", "x86-avx2", "x86-vnni"]
    """The class of processor. A published latency is projected only within a class, because the same kernels
    run in the same way there."""
    architecture: Literal["aarch64", "x86_64"]
    """The instruction set, as `uname -m` prints it."""
    cores: Figure[Whole]
    """The number of physical cores."""
    clock_mhz: NumberOrNot
    """The highest clock that all cores sustain together, in MHz."""
    features: Figure[tuple[Feature, ...]]
    """The CPU features that matter to inference, by their names in /proc/cpuinfo."""

    @model_validator(mode="after")
    def _has_a_possible_clock(self) -> "Processor":
        clock = self.clock_mhz
        if isinstance(clock, Figure) and not _SLOWEST_CLOCK_MHZ <= clock.value <= _FASTEST_CLOCK_MHZ:
            raise ValueError(
                f"clock_mhz is {clock.value:g}; it must be between {_SLOWEST_CLOCK_MHZ} and "
                f"{_FASTEST_CLOCK_MHZ} MHz"
            )
        return self

    @property
    def multiplies_int8_fast(self) -> bool:
        """Whether it has an instruction for sums of int8 products (dot product, VNNI, AMX)."""
        return multiplies_int8_fast(self.features.value)


class Memory(Part):
    """The device's memory, in MiB."""

    sizes_mb: Figure[Annotated[tuple[Annotated[int, Field(ge=64, le=4_194_304)], ...], Field(min_length=1)]]
    """The sizes that the device is sold with, in MiB."""
    left_free_mb: NumberOrNot
    """What one process can have on the smallest size, in MiB: after boot of the usual system without a
    desktop, before edgefit runs."""
    bandwidth_gb_s: NumberOrNot | None = None
    """The memory's own bandwidth, in 10^9 bytes per second. What a core achieves is a rate."""

    @model_validator(mode="after")
    def _leaves_less_than_there_is(self) -> "Memory":
        left = self.left_free_mb
        if isinstance(left, Figure) and left.value > min(self.sizes_mb.value):
            raise ValueError(f"left_free_mb is {left.value:g}, more than the smallest of sizes_mb")
        if isinstance(left, Figure) and left.value < _LEAST_MEMORY_MB:
            raise ValueError(
                f"left_free_mb is {left.value:g}; nothing runs in less than {_LEAST_MEMORY_MB} MiB"
            )
        return self


class Rate(Part):
    """How fast the CPU does one operation."""

    operation: Literal["peak", "convolution", "matrix", "copy"]
    """peak (what the instructions allow), convolution or matrix (what a runtime achieves), or copy (of memory
    far larger than the caches)."""
    precision: PrecisionName | None = None
    """The precision of the operation; none for a copy."""
    cores: Whole = 1
    """The number of cores that work together."""
    runtime: Text | None = None
    """The runtime that achieved it."""
    after_load_s: Annotated[float, Field(ge=0)] = 0
    """Seconds of full load before the measurement; 0 for a device at rest."""
    value: Positive
    """10^9 multiply-accumulates per second; for a copy, 10^9 bytes copied per second, each counted once."""
    relative_range: Annotated[float, Field(ge=0)] | None = None
    """The range of the samples from p10 to p90 ÷ their median, if it was measured."""
    emulated: bool = False
    """Whether it was measured on an emulated device; nothing is projected from such a rate."""
    kind: Kind
    """One of measured (on such a device), datasheet (by the maker), computed (from other figures, as the
    source says) and published (by others)."""
    source: Source
    """Where the value comes from; for a computed one, the formula."""
    conditions: Text | None = None
    """What else a reader must know to use the value."""
    clock_mhz: Annotated[float, Field(gt=0)] | None = None
    """The clock during the measurement, if it could be read."""
    temperature_c: Annotated[float, Field(ge=-60, le=150)] | None = None
    """The temperature during the measurement, if it could be read."""

    @property
    def describes_the_device(self) -> bool:
        """Whether it was measured at rest on a device that is not emulated; only such rates are compared."""
        return not self.after_load_s and not self.emulated

    @model_validator(mode="after")
    def _has_a_precision_unless_it_copies(self) -> "Rate":
        if (self.operation == "copy") == (self.precision is not None):
            raise ValueError("a copy rate has no 'precision', and every other rate needs one")
        return self


class Accelerator(Part):
    """A processor other than the CPU."""

    name: Text
    """Its name."""
    peak: Figure[Text] | None = None
    """What the maker calls its peak, in the source's words."""
    memory: Literal["shared with the CPU", "its own"]
    """Where its memory is."""


class RuntimeChoice(Part):
    """Where a runtime is measured on this device."""

    providers: tuple[str, ...]
    """The execution providers, in this order; each one is a case of its own."""
    install: Text | None = None
    """What this device needs beside edgefit's extra for the runtime, and from where."""
    reason: Text | None = None
    """Why there is no provider; needed if `providers` is empty."""

    @model_validator(mode="after")
    def _has_a_reason_without_providers(self) -> "RuntimeChoice":
        if not self.providers and self.reason is None:
            raise ValueError("needs a 'reason' if 'providers' is empty")
        if len(set(self.providers)) < len(self.providers):
            raise ValueError("contains a provider twice; remove one")
        return self


class System(Part):
    """An operating system that the maker offers for the device. `edgefit pack` adds the wheels for it."""

    name: Text
    """Its name and version."""
    python: Annotated[str, Field(pattern=r"^3\.[0-9]+$")]
    """The version of its python3, such as 3.11."""
    glibc: Annotated[str, Field(pattern=r"^2\.[0-9]+$")]
    """The version of its C library, such as 2.36."""
    own_runtimes: bool = False
    """Whether the runtimes are packages of the system, which no index of wheels offers."""
    source: Source
    """Where these versions come from."""


class Heat(Part):
    """When the device throttles."""

    throttles_at_c: NumberOrNot
    """The temperature, in °C, at which the device lowers its clock."""
    zone: Text | None = None
    """The thermal zone of that temperature, by the type that the kernel gives it."""

    @model_validator(mode="after")
    def _is_a_temperature(self) -> "Heat":
        limit = self.throttles_at_c
        if isinstance(limit, Figure) and not _COOLEST_LIMIT_C <= limit.value <= _HOTTEST_LIMIT_C:
            raise ValueError(
                f"throttles_at_c is {limit.value:g} °C; it must be between {_COOLEST_LIMIT_C} and "
                f"{_HOTTEST_LIMIT_C} °C"
            )
        return self


class Readings(Part):
    """What the device reports about itself, and through which interface; null if it does not."""

    clock: Literal["cpufreq"] | None
    """The kernel's files with the clock."""
    temperature: Literal["thermal-zones"] | None
    """The kernel's files with temperatures."""
    throttling: Literal["vcgencmd", "cooling-devices", "x86-throttle-counts"] | None
    """vcgencmd's bits, transitions of the kernel's cooling devices, or x86's throttle counters."""
    power: Literal["pmic", "ina3221", "rapl"] | None
    """The power chip, sensor or counter that energy is read from."""
    source: Source
    """Where this is documented."""


class Published(Part):
    """A latency that others published, at batch 1."""

    runtime: Text
    """onnxruntime, torch, openvino, or a runtime that edgefit does not run."""
    network: Text
    """The network that was timed."""
    image_size: Whole
    """The side of its input image, in pixels."""
    precision: PrecisionName
    """The precision that ran, as far as it is known."""
    provider: Text = "cpu"
    """Where it ran: cpu, or an accelerator."""
    threads: Whole | None
    """The number of CPU threads; null if it is unknown, or if it did not run on the CPU."""
    ms: Annotated[float, Field(gt=0, le=1e6)]
    """The latency in milliseconds."""
    kind: Literal["published"]
    """Always published."""
    source: Source
    """The address where it was published."""
    conditions: Text | None = None
    """What else a reader must know to use the latency."""
    gmacs: Annotated[float, Field(gt=0)] | None = None
    """10^9 multiply-accumulates of the network, unless it is MobileNetV2."""
    traffic_mb: Annotated[float, Field(gt=0)] | None = None
    """10^6 bytes that its convolutions and matrix products read and write in fp32, unless it is
    MobileNetV2."""
