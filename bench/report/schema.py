"""The report contract: the shape of the file. It computes nothing and reads no file."""

from typing import Literal

from pydantic import Field

from bench.bundle.variants import Precision
from bench.devices.projection.projected import Projected
from bench.measurements import (
    End,
    Energy,
    Executed,
    FailureKind,
    Memory,
    NoEnergy,
    ProcessTiming,
    RepetitionState,
    Stage,
    SustainedRun,
)
from bench.record import Record
from bench.system.host import Host
from bench.system.sandbox import Confinement
from device_profiles.facts import Published, Rate
from device_profiles.part import Text
from device_profiles.profile import Profile


class UpperBounds(Record):
    """Upper bounds of the percentiles with 99 % confidence, in ms; null with too few samples for one."""

    p90: float | None
    p95: float | None
    p99: float | None


class Latency(Record):
    """Milliseconds of one inference over `samples` samples of `processes` processes.

    A percentile is null where so few samples do not support it, and `unsupported` says why. `p50_ci95`: made
    over processes, null with fewer than five. `relative_range`: how far the middle eight tenths reach, ÷ p50.
    """

    p50: float
    p90: float | None
    p95: float | None
    p99: float | None
    upper: UpperBounds
    unsupported: str | None
    mean: float
    min: float
    max: float
    relative_range: float
    p50_ci95: tuple[float, float] | None
    samples: int
    processes: int


class MemoryMb(Record):
    """MiB (2^20 bytes) resident: runtime imported, artifact loaded, peak; `device`: an accelerator's own.

    `proportional`: the proportional set size after some inferences.
    """

    runtime: float
    loaded: float
    peak: float | None
    device: float | None
    proportional: float | None


class Retention(Record):
    """The variant's accuracy ÷ the fp32 reference's, with its interval over images."""

    value: float
    ci95: tuple[float, float] | None


class Accuracy(Record):
    """What the logits are worth on `images` evaluation images; null where it cannot be computed.

    `sensitivity` and `specificity` are those at the fp32 model's operating point, a score of 0 (the positive
    class's logit is the larger one), where it has `reference_sensitivity` and `reference_specificity`.
    `flips`: indices of the images whose class is not the fp32 model's; `missed` of those are positive images
    that it finds and the variant does not.
    """

    images: int
    top1: float
    auc: float | None
    sensitivity: float | None
    specificity: float | None
    reference_sensitivity: float | None
    reference_specificity: float | None
    agreement: float
    retention: Retention | None
    mcnemar_p: float
    flips: tuple[int, ...]
    missed: tuple[int, ...] | None
    sqnr_db: float | None


class PrecisionRan(Record):
    """Which precision was asked for, and which ran by the runtime's own executed graph; null: not examined.

    Shares are by precision, of convolution and matrix operators and of their multiply-accumulates (null where
    the graph does not tell the shapes). `casts` between float types; `quantise` and `dequantise` steps.
    """

    requested: Precision = Field(strict=False)
    share_of_macs: dict[str, float] | None = None
    share_of_operators: dict[str, float] | None = None
    casts: int | None = None
    quantise: int | None = None
    dequantise: int | None = None
    evidence: str | None = None


class EnergyMj(Record):
    """Millijoules of one inference of what `domain` names; `idle_watts` were drawn before, not subtracted."""

    value: float
    method: str
    domain: str
    idle_watts: float


class SustainedPoint(Record):
    """The median latency of a block that ended `at_s` seconds after the first inference."""

    at_s: float
    p50_ms: float


class Sustained(Record):
    """Latency over `seconds` without a pause.

    `drift`: the last third's level ÷ the first third's, less 1. `settled_ms`: the level of the last quarter;
    `settled_after_s`: from when on nine tenths stay within 5 % of that, null if they do not.
    """

    seconds: float
    drift: float
    settled_ms: float
    settled_after_s: float | None
    points: tuple[SustainedPoint, ...]


class Raw(Record):
    """The truth: every sample, byte and logit. `logits` is [images][classes]; see Completed for the rest."""

    processes: tuple[ProcessTiming, ...]
    ended: End = Field(strict=False)
    memory: Memory
    logits: tuple[tuple[float, ...], ...] | None
    executed: Executed | None
    energy: Energy | NoEnergy
    sustained: SustainedRun | None
    telemetry: tuple[RepetitionState, ...]
    groups: int


class Failure(Record):
    """Where and how a case failed."""

    stage: Stage = Field(strict=False)
    kind: FailureKind = Field(strict=False)
    message: str


class Run(Record):
    """One case's row. What belongs to a completed case is null in any other.

    `relative_to_control`, `relative_to_fp32`: latency ÷ the control workload's, and ÷ that of the format's
    fp32, paired turn by turn: steadier than two medians on a machine that changes its speed; null for rows
    that took no turns together. `file_cache`: whether the artifact lay in the kernel's file cache when it was
    loaded; null where it is not told. `sampling_ended`: see End. `predictions_cached_at`: when an earlier run
    on this machine found logits and executed graph; null if it was this one. The null runtime and the control
    workload have neither accuracy nor precision. `projected_ms`: what it would take on the profile's device,
    where this machine stands in for it, and `projection_reason` why there is none; `nearest_published`: what
    others have published of that device that is nearest to this row.
    """

    variant: str
    format: str
    provider: str
    runtime: str | None = None
    threads: int = Field(ge=1)
    status: Literal["completed", "skipped", "failed"]
    reason: str | None = None
    failure: Failure | None = None
    provenance: Literal["measured", "proxy"]
    latency_ms: Latency | None = None
    relative_to_control: float | None = None
    relative_to_control_ci95: tuple[float, float] | None = None
    relative_to_fp32: float | None = None
    relative_to_fp32_ci95: tuple[float, float] | None = None
    projected_ms: Projected | None = None
    projection_reason: str | None = None
    nearest_published: Published | None = None
    import_ms: float | None = None
    load_ms: float | None = None
    first_inference_ms: float | None = None
    file_cache: Literal["warm", "cold", "partly"] | None = None
    sampling_ended: End | None = Field(default=None, strict=False)
    sustained: Sustained | None = None
    memory_mb: MemoryMb | None = None
    size_bytes: int | None = Field(default=None, ge=0)
    energy_mj: EnergyMj | None = None
    energy_reason: str | None = None
    precision_ran: PrecisionRan | None = None
    accuracy: Accuracy | None = None
    predictions_cached_at: str | None = None
    raw: Raw | None = None
    warnings: tuple[str, ...] = ()

    @property
    def case(self) -> tuple[str, str]:
        """Variant and provider, which tell it from a report's other rows."""
        return self.variant, self.provider

    @property
    def is_variant(self) -> bool:
        """Whether it is an artifact's row, rather than the null runtime's or the control workload's."""
        return self.precision_ran is not None


MemoryHolder = Literal["control group", "measured peak"]


class Proxy(Record):
    """In what this machine agrees with the profile's device and differs from it, and how it was held to it.

    `emulated`: see Host; `memory_limit_mb`: MiB of a case, and `memory_limit_is` in words what that is;
    `memory_held_by`: what held cases to it, a control group of the kernel, or their measured peak, judged;
    all null where no limit is known. `host_rates`: this machine's own, that projections rest on.
    """

    agrees: tuple[str, ...]
    differs: tuple[str, ...]
    emulated: str | None
    memory_limit_mb: float | None
    memory_limit_is: str | None = None
    memory_held_by: MemoryHolder | None
    host_rates: tuple[Rate, ...] = ()


class BundleRecord(Record):
    """Which bundle was measured; `sha256` is that of its manifest, `folder` where it lay then."""

    sha256: str
    name: Text
    model: Text
    weights: Text
    data: Text
    image_size: int
    classes: tuple[Text, ...]
    pack_sha256: str
    folder: str | None = None


class Evaluation(Record):
    """The answers that every row is judged by: the pack's first images, of `pack_images` in it."""

    labels: tuple[int, ...]
    reference_logits: tuple[tuple[float, ...], ...]
    positive_class: int
    pack_images: int


class Report(Record):
    """Everything one run of the harness found; `proxy`: null where it ran on the device itself.

    `confinement`: what kept the artifacts from writing the user's files; null in a report of before.
    """

    schema_: Literal[2] = Field(alias="schema")
    tool: str
    created: str
    name: Text
    quick: bool
    host: Host
    profile: Profile
    proxy: Proxy | None = None
    bundle: BundleRecord
    evaluation: Evaluation
    runs: tuple[Run, ...]
    confinement: Confinement | None = None
    warnings: tuple[str, ...]
