"""The report contract: the shape of the file. It computes nothing and reads no file."""

from typing import Literal

from pydantic import Field

from bench.host import Host
from bench.measurements import FailureKind, Memory, ProcessTiming, Stage
from bench.records import Record
from bench.variants import Precision
from device_profiles.profile import Profile


class Latency(Record):
    """Milliseconds of one inference over `samples` samples; `p50_ci95` is null with too few processes."""

    p50: float
    p90: float
    p95: float
    p99: float
    mean: float
    min: float
    max: float
    p50_ci95: tuple[float, float] | None
    samples: int


class MemoryMb(Record):
    """MiB (2^20 bytes) resident: runtime imported, artifact loaded, peak; `device`: an accelerator's own."""

    runtime: float
    loaded: float
    peak: float | None
    device: float | None


class Retention(Record):
    """The variant's accuracy ÷ the fp32 reference's, with the interval of a paired bootstrap over images."""

    value: float
    ci95: tuple[float, float] | None


class Accuracy(Record):
    """What the logits are worth on `images` evaluation images; null where it cannot be computed."""

    images: int
    top1: float
    auc: float | None
    sensitivity: float | None
    specificity: float | None
    agreement: float
    retention: Retention | None
    mcnemar_p: float
    flips: tuple[int, ...]
    sqnr_db: float | None


class PrecisionRan(Record):
    """Which precision was asked for, and what is known of the one that ran; null: not examined."""

    requested: Precision = Field(strict=False)
    share_of_macs: dict[str, float] | None = None
    evidence: str | None = None


class Raw(Record):
    """The truth: every sample, byte and logit. `logits` is [images][classes]."""

    processes: tuple[ProcessTiming, ...]
    memory: Memory
    logits: tuple[tuple[float, ...], ...]
    telemetry: tuple[()] = ()


class Failure(Record):
    """Where and how a case failed."""

    stage: Stage = Field(strict=False)
    kind: FailureKind = Field(strict=False)
    message: str


class Run(Record):
    """One case's row. What belongs to a completed case is null in any other.

    Always null for now: `per_yardstick`, `projected_ms`, `energy_mj`.
    """

    variant: str
    format: str
    provider: str
    runtime: str | None = None
    threads: int = Field(ge=1)
    status: Literal["completed", "skipped", "failed"]
    reason: str | None = None
    failure: Failure | None = None
    standing: Literal["measured", "stand-in"]
    latency_ms: Latency | None = None
    per_yardstick: float | None = None
    projected_ms: None = None
    import_ms: float | None = None
    load_ms: float | None = None
    first_inference_ms: float | None = None
    memory_mb: MemoryMb | None = None
    size_bytes: int | None = Field(default=None, ge=0)
    energy_mj: None = None
    precision_ran: PrecisionRan
    accuracy: Accuracy | None = None
    raw: Raw | None = None
    warnings: tuple[str, ...] = ()


class BundleRecord(Record):
    """Which bundle was measured; `sha256` is that of its manifest."""

    sha256: str
    name: str
    model: str
    weights: str
    data: str
    image_size: int
    classes: tuple[str, ...]
    pack_sha256: str


class Evaluation(Record):
    """The answers that every row is judged by: the pack's first images, of `pack_images` in it."""

    labels: tuple[int, ...]
    reference_logits: tuple[tuple[float, ...], ...]
    positive_class: int
    pack_images: int


class Report(Record):
    """Everything one run of the harness found."""

    schema_: Literal[1] = Field(alias="schema")
    tool: str
    created: str
    name: str
    quick: bool
    host: Host
    profile: Profile
    bundle: BundleRecord
    evaluation: Evaluation
    runs: tuple[Run, ...]
    warnings: tuple[str, ...]
