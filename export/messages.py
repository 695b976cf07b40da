"""What parent and export worker say to each other, one JSON document a line. It knows shapes only."""

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from bench.bundle import ArtifactRecord
from bench.records import Record
from bench.variants import Precision


class AskReference(Record):
    """The fp32 network's logits for the images in `pack`, an evaluation pack whose own do not count yet."""

    kind: Literal["ask_reference"] = "ask_reference"
    run: str
    pack: str
    threads: int


class Task(Record):
    """One artifact to make and verify.

    `bundle`: the bundle folder; the files go to `bundle`/`variant`, a new folder. `exporter`: a module.
    `pack`: the evaluation pack's file. `calibration_images`: at most so many are used.
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
    uses_calibration: bool
    threads: int


class Entered(Record):
    """The worker begins a stage; if it dies, it died there."""

    kind: Literal["entered"] = "entered"
    stage: str


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


Answer = Made | Refused | Reference
ANSWERS: TypeAdapter[Entered | Answer] = TypeAdapter(
    Annotated[Entered | Made | Refused | Reference, Field(discriminator="kind")]
)
Request = AskReference | Task
REQUESTS: TypeAdapter[Request] = TypeAdapter(Annotated[AskReference | Task, Field(discriminator="kind")])
