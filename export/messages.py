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


class ComputeReference(Record):
    """Request: run the fp32 network on images."""

    kind: Literal["compute_reference"] = "compute_reference"
    run: str
    """The run folder."""
    pack: str
    """An evaluation pack whose images are used; its logits are placeholders."""
    threads: int
    """How many threads torch uses."""


class MeasureSensitivity(Record):
    """Request: measure how much int8 disturbs the network, layer by layer."""

    kind: Literal["measure_sensitivity"] = "measure_sensitivity"
    run: str
    """The run folder."""
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
    scratch: str
    """A folder for networks that several formats quantise; the first worker that needs one writes it."""


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
    run: str
    """The run folder."""
    bundle: str
    """The bundle folder; the artifact's files go to a new folder below it, named after the variant."""
    pack: str
    """The evaluation pack that the artifact is verified on."""
    calibration_images: int
    """The most calibration images to use; 0 for precisions that need none."""
    threads: int
    """How many threads torch uses."""
    cpu: str = PORTABLE
    """The CPUs that int8 is made for, a key of cpu_class.TARGETS."""
    search: SearchTask | None = None
    """The search for a recipe; null for the default recipe."""


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


class Reference(Record):
    """Answer: the fp32 network's logits."""

    kind: Literal["reference"] = "reference"
    logits: tuple[tuple[float, ...], ...]
    """One row for each image."""


class SensitivityMeasured(Record):
    """Answer: how much int8 disturbs the network."""

    kind: Literal["sensitivity_measured"] = "sensitivity_measured"
    sensitivity: Sensitivity
    """The figures, layer by layer."""


ProgressMessage = Entered | Advanced
Report = Callable[[ProgressMessage], None]
Answer = Made | Refused | Reference | SensitivityMeasured
ANSWERS: TypeAdapter[ProgressMessage | Answer] = TypeAdapter(
    Annotated[
        Entered | Advanced | Made | Refused | Reference | SensitivityMeasured, Field(discriminator="kind")
    ]
)
Request = ComputeReference | MeasureSensitivity | Task
REQUESTS: TypeAdapter[Request] = TypeAdapter(
    Annotated[ComputeReference | MeasureSensitivity | Task, Field(discriminator="kind")]
)
