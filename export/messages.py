"""What the parent and an export worker send to each other: one JSON document a line. It knows shapes only."""

from collections.abc import Callable
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from bench.bundle.cpu_class import PORTABLE
from bench.bundle.manifest import ArtifactRecord
from bench.bundle.variants import Precision
from bench.record import Record
from export.quantisation.candidates import Candidates
from export.quantisation.sensitivity import Sensitivity
from export.sources.spec import OpenSource, SourceDescription, SourceSpec, StatedShape


class DescribeSource(Record):
    """Request: read what a source takes and gives."""

    kind: Literal["describe_source"] = "describe_source"
    spec: SourceSpec
    """The source."""
    shapes: tuple[StatedShape, ...]
    """What was stated of its inputs."""
    threads: int
    """How many threads torch uses."""


class ComputeReference(Record):
    """Request: run the source on samples."""

    kind: Literal["compute_reference"] = "compute_reference"
    source: OpenSource
    """The source."""
    pack: str
    """An evaluation pack whose inputs are used; its outputs are placeholders."""
    threads: int
    """How many threads torch uses."""


class MeasureSensitivity(Record):
    """Request: measure how much int8 disturbs the network, layer by layer."""

    kind: Literal["measure_sensitivity"] = "measure_sensitivity"
    source: OpenSource
    """The source."""
    calibration: str
    """A pack of the samples that int8 is calibrated on."""
    threads: int
    """How many threads torch uses."""
    cpu: str
    """The CPUs that int8 is made for, a key of cpu_class.TARGETS."""


class SearchTask(Record):
    """What an int8 artifact's search for a recipe needs; see export.quantisation.search."""

    candidates: Candidates
    """The recipes to try."""
    held_out: str
    """An evaluation pack of held-out images."""
    min_retention: float
    """The retention that the artifact must reach."""
    sensitivity: Sensitivity
    """Why modules are excluded."""
    classes: tuple[str, ...] = ()
    """The names of the classes, or of the labels; empty where nobody named them."""
    positive_class: int | None = None
    """The class that counts as positive; null unless there are two."""


class Task(Record):
    """Request: make one artifact and verify it."""

    kind: Literal["task"] = "task"
    variant: str
    """The variant, such as onnx-int8."""
    format: str
    """The format, a key of the format table."""
    precision: Precision = Field(strict=False)
    """The precision."""
    exporter: str
    """The module that makes the artifact."""
    runtime: str
    """The runtime's module, so that a worker needs no row of the format table."""
    provider: str
    """Where the runtime runs."""
    source: OpenSource
    """The source."""
    is_own: bool
    """Whether the artifact is the source's own file, unchanged."""
    bundle: str
    """The bundle folder; the artifact's files go to a new folder below it, named after the variant."""
    pack: str
    """The evaluation pack that the artifact is verified on."""
    calibration: str | None
    """A pack of the samples that int8 is calibrated on; null for precisions that need none."""
    calibration_images: int
    """The most of these samples to use for ranges; 0 for precisions that need none."""
    threads: int
    """How many threads torch uses."""
    cpu: str = PORTABLE
    """The CPUs that int8 is made for, a key of cpu_class.TARGETS."""
    search: SearchTask | None = None
    """The search for a recipe; null for the default recipe."""
    samples: str | None = None
    """A pack of the calibration samples, for exporters that have to see values; null: there is none."""


class Entered(Record):
    """The worker begins a stage. If it dies before it begins the next one, it failed in this stage."""

    kind: Literal["entered"] = "entered"
    stage: str
    """The stage's name."""


class Advanced(Record):
    """The worker has finished a step of a long stage."""

    kind: Literal["advanced"] = "advanced"
    done: int
    """How many steps are finished."""
    total: int
    """How many steps there are."""


class Made(Record):
    """Answer: the artifact was made and verified."""

    kind: Literal["made"] = "made"
    artifact: ArtifactRecord
    """Its record for the manifest."""


class Refused(Record):
    """Answer: the request failed, or the artifact is wrong. The worker can take another request."""

    kind: Literal["refused"] = "refused"
    stage: str
    """The stage that failed."""
    message: str
    """What went wrong."""


class SourceDescribed(Record):
    """Answer: what the source takes and gives."""

    kind: Literal["source_described"] = "source_described"
    description: SourceDescription
    """Its inputs and outputs."""


class Reference(Record):
    """Answer: the source's judged output."""

    kind: Literal["reference"] = "reference"
    logits: tuple[tuple[float | None, ...], ...]
    """One row for each sample; null for what is not finite."""


class SensitivityMeasured(Record):
    """Answer: how much int8 disturbs the network."""

    kind: Literal["sensitivity_measured"] = "sensitivity_measured"
    sensitivity: Sensitivity
    """The figures, layer by layer."""


class WrongInput(Record):
    """Answer: what the user gave is wrong, so that the export cannot begin."""

    kind: Literal["wrong_input"] = "wrong_input"
    message: str
    """What is wrong, and what to do."""
    exit_code: int
    """The exit code that belongs to it."""


ProgressMessage = Entered | Advanced
Report = Callable[[ProgressMessage], None]
Steps = Callable[[int, int], None]
"""What receives how many steps of how many are done."""
Answer = Made | Refused | Reference | SensitivityMeasured | SourceDescribed | WrongInput
ANSWERS: TypeAdapter[ProgressMessage | Answer] = TypeAdapter(
    Annotated[
        Entered | Advanced | Made | Refused | Reference | SensitivityMeasured | SourceDescribed | WrongInput,
        Field(discriminator="kind"),
    ]
)
Request = DescribeSource | ComputeReference | MeasureSensitivity | Task
REQUESTS: TypeAdapter[Request] = TypeAdapter(
    Annotated[DescribeSource | ComputeReference | MeasureSensitivity | Task, Field(discriminator="kind")]
)
