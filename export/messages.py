"""What parent and export worker say to each other, one JSON document a line. It knows shapes only."""

from collections.abc import Callable
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from bench.bundle.cpu_class import PORTABLE
from bench.bundle.manifest import ArtifactRecord
from bench.bundle.variants import Precision
from bench.record import Record
from export.quantisation.candidates import Candidates
from export.quantisation.costs import Costs


class AskReference(Record):
    """The fp32 network's logits for the images in `pack`, an evaluation pack whose own do not count yet."""

    kind: Literal["ask_reference"] = "ask_reference"
    run: str
    pack: str
    threads: int


class MeasureSensitivity(Record):
    """What int8 costs the network, layer by layer, with weights for a target (see cpu_class.TARGETS)."""

    kind: Literal["ask_costs"] = "ask_costs"
    run: str
    threads: int
    cpu: str


class SearchTask(Record):
    """Which recipes to try on an int8 artifact, see export.quantisation.search, to keep `min_retention`.

    `held_out`: an evaluation pack of held-out images; `costs`: why layers are left in float; `scratch`: the
    folder for rounded networks that several formats take: the first worker that needs one writes it.
    """

    candidates: Candidates
    held_out: str
    min_retention: float
    costs: Costs
    scratch: str


class Task(Record):
    """One artifact to make and verify.

    `bundle`: the bundle folder; the files go to `bundle`/`variant`, a new folder. `exporter`: a module.
    `pack`: the evaluation pack's file. `calibration_images`: at most so many are used, none if 0. `cpu`: what
    int8 is made for, see cpu_class.TARGETS. `search` None: the default recipe, where one is needed.
    """

    kind: Literal["task"] = "task"
    variant: str
    format: str
    precision: Precision = Field(strict=False)
    exporter: str
    runtime: str
    run: str
    bundle: str
    pack: str
    calibration_images: int
    threads: int
    cpu: str = PORTABLE
    search: SearchTask | None = None


class Entered(Record):
    """The worker begins a stage; if it dies, it died there."""

    kind: Literal["entered"] = "entered"
    stage: str


class Advanced(Record):
    """So many of so many steps of a long stage are done."""

    kind: Literal["advanced"] = "advanced"
    done: int
    total: int


class Made(Record):
    """The artifact is there, and it is right."""

    kind: Literal["made"] = "made"
    artifact: ArtifactRecord


class Refused(Record):
    """What was asked could not be done, or the artifact is wrong; the worker can go on."""

    kind: Literal["refused"] = "refused"
    stage: str
    message: str


class Reference(Record):
    """The fp32 network's logits, one row an image."""

    kind: Literal["reference"] = "reference"
    logits: tuple[tuple[float, ...], ...]


class SensitivityMeasured(Record):
    """What int8 costs the network."""

    kind: Literal["costs_found"] = "costs_found"
    costs: Costs


Told = Entered | Advanced
Tell = Callable[[Told], None]
Answer = Made | Refused | Reference | SensitivityMeasured
ANSWERS: TypeAdapter[Told | Answer] = TypeAdapter(
    Annotated[
        Entered | Advanced | Made | Refused | Reference | SensitivityMeasured, Field(discriminator="kind")
    ]
)
Request = AskReference | MeasureSensitivity | Task
REQUESTS: TypeAdapter[Request] = TypeAdapter(
    Annotated[AskReference | MeasureSensitivity | Task, Field(discriminator="kind")]
)
