"""What a comparison of networks holds: a row for each file, and how it stands against the baseline's."""

from typing import Literal

from pydantic import Field

from bench.bundle.manifest import FileRecord
from bench.bundle.variants import Precision
from bench.choose.candidates import JudgedBy
from bench.devices.terms import Provenance
from bench.record import Record
from bench.run_config import RunConfig

NOTHING_COMPARED = 12
"""The exit code if no latency of two networks could be compared."""


class TimesAsFast(Record):
    """How many times as fast as the baseline's file another one is: the ratio of their latencies."""

    value: float
    """The baseline's latency ÷ the file's; above 1 the file is faster."""
    ci95: tuple[float, float] | None
    """Its 95 % interval over processes, or what two projected ranges allow; null where there is none."""
    because: str | None = None
    """Why there is no interval; null where there is one."""
    provenance: Provenance | Literal["projected"]
    """Whether both latencies were measured on the device, both on a proxy, or both projected."""


class AccuracyDifference(Record):
    """The accuracy of a file less that of the baseline's file, on the same images."""

    value: float
    """The difference of the two shares: 0.01 is one point."""
    ci95: tuple[float, float]
    """Its 95 % interval, paired image by image."""
    mcnemar_p: float
    """p of the exact McNemar test that the two are equally often right."""
    images: int
    """The number of images that both answered."""


class AgainstBaseline(Record):
    """One file compared with one of the baseline's. A figure is null where the two cannot be compared."""

    baseline: str
    """The row that it is compared with."""
    times_as_fast: TimesAsFast | None
    """The ratio of the latencies."""
    latency_gap: str | None
    """Why the latencies are not compared; null where they are."""
    times_as_small: float
    """The size of the baseline's file ÷ the size of this one."""
    memory_ratio: float
    """The peak memory with the baseline's file ÷ that with this one."""
    accuracy: AccuracyDifference | None
    """The difference of the accuracies."""
    accuracy_gap: str | None
    """Why the accuracies are not compared; null where they are."""
    agreement: float | None
    """Share of the images for which both give the same class, or of the outputs of model files, on the same
    inputs; null where there are no such classes."""


class NetworkRow(Record):
    """One file of one network: a variant of a bundle on a provider, or a model file."""

    name: str
    """What tells it from all other rows: the network and the case, or the name of a model file."""
    network: str
    """The network that it is of."""
    case: str
    """Its case in the report of its network."""
    format: str
    """Its format."""
    precision: Precision | None = Field(strict=False)
    """Its precision."""
    config: RunConfig
    """The options that it ran with, and its provider."""
    runtime: str | None
    """The runtime's name and version; null unless it completed."""
    provenance: Provenance
    """Whether its latency was measured on the device or on a proxy."""
    status: Literal["completed", "skipped", "failed"]
    """Its status."""
    reason: str | None
    """Why it did not complete; null if it did."""
    p50_ns: float | None
    """Its median latency."""
    p50_ci95_ns: tuple[float, float] | None
    """The 95 % interval of the median over fresh processes."""
    projected_ns: tuple[float, float] | None
    """The range of the projected latency on the device; null where there is none."""
    memory_bytes: int | None
    """Its peak memory, or the memory after loading where the kernel records no peak."""
    size_bytes: int | None
    """The size of all its files."""
    images: int | None
    """The number of images that it was evaluated on; null without accuracy."""
    accuracy: float | None
    """Share of the images whose class is right; null without labels or classes."""
    accuracy_ci95: tuple[float, float] | None
    """Its 95 % interval; null of several labels of an image, which depend on each other."""
    auc: float | None
    """Area under the ROC curve; of several classes or labels the mean over them."""
    macs: int | None
    """The multiply-accumulates of one inference of the network."""
    parameters: int | None
    """The number of the network's weights."""
    on_front: bool = False
    """Whether it is on the Pareto front: no other row is at least as good in all and better in one."""
    not_ranked: str | None = None
    """Why it cannot be on the front; null where it was compared with the others."""
    against: AgainstBaseline | None = None
    """How it stands against the baseline; null for the baseline itself, and where there is nothing to compare
    it with."""
    against_gap: str | None = None
    """Why it is compared with no row of the baseline; null where it is, and for the baseline itself."""

    @property
    def is_baseline(self) -> bool:
        """Whether it is what others are compared with."""
        return self.against is None and self.against_gap is None


class NetworkComparison(Record):
    """Networks side by side: their rows, what differs between them, and the Pareto front of all."""

    schema_: Literal[1] = Field(default=1, alias="schema")
    """The version of this shape."""
    tool: str
    """The version of edgefit that measured."""
    created: str
    """When the run began, ISO 8601."""
    profile: str
    """The device's profile."""
    cpu: str
    """The CPU that it ran on."""
    quick: bool
    """Whether the profile's short sampling was used, and only the first images."""
    networks: tuple[str, ...]
    """The networks, in the order in which they were given."""
    baseline: str
    """The network, or the single row, that the others are compared with."""
    judged_by: JudgedBy
    """What the front judges answers by: accuracy, or nothing where not all answered the same images."""
    rows: tuple[NetworkRow, ...]
    """A row for each file."""
    notes: tuple[str, ...]
    """What differs between the networks, and what is therefore not compared."""
    reports: tuple[FileRecord, ...] = ()
    """The files of the networks' reports, in the folder of the comparison; empty where it was not written."""

    @property
    def front(self) -> tuple[NetworkRow, ...]:
        """The rows on the Pareto front."""
        return tuple(row for row in self.rows if row.on_front)

    @property
    def front_of(self) -> str:
        """The quantities of the Pareto front."""
        return "p50, memory, size and accuracy" if self.judged_by == "accuracy" else "p50, memory and size"

    @property
    def exit_code(self) -> int:
        """12 if no latency could be compared with the baseline's, else 0."""
        compared = (row.against for row in self.rows if row.against is not None)
        return 0 if any(each.times_as_fast is not None for each in compared) else NOTHING_COMPARED
