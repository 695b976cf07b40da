"""What lies in a job's folder on a board: request, events and outcome. It reads and writes nothing."""

from collections.abc import Mapping
from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from bench.bundle.model_set import ModelSetRecord
from bench.bundle.signature import StatedInput
from bench.record import Record
from bench.run.request import BenchmarkRequest
from device_profiles.profile import Profile

FILES, REQUEST, EVENTS, OUTCOME, REPORT = (
    "files",
    "request.json",
    "events.jsonl",
    "ended.json",
    "report.json",
)
"""The names in a job's folder."""


Count: TypeAlias = Annotated[int, Field(ge=0, le=2**63 - 1)]
"""A number of bytes or steps, which a board's answer may state wrongly: no file is larger than this."""


class BundleFiles(Record):
    """A bundle was uploaded, or some variants of it."""

    kind: Literal["bundle"] = "bundle"
    """What was uploaded."""

    variants: tuple[str, ...]
    """The variants whose files were uploaded."""


class ReadModel(Record):
    """A model file that was uploaded together with its inputs."""

    files: tuple[str, ...] = Field(min_length=1)
    """The paths of its files in the job's folder of files; a runtime loads the first."""

    pack: str
    """The path of its tensor pack there."""


class ReadModels(Record):
    """Model files were uploaded whose signatures are known."""

    kind: Literal["models"] = "models"
    """What was uploaded."""

    models: tuple[ReadModel, ...] = Field(min_length=1)
    """The model files, in the order in which they were given."""

    record: ModelSetRecord
    """What was read in the files before they were uploaded."""

    warnings: tuple[str, ...] = ()
    """What was noticed of their inputs and outputs when they were read."""


class UnreadModels(Record):
    """Model files were uploaded whose runtime only the board has: it reads their signatures."""

    kind: Literal["unread models"] = "unread models"
    """What was uploaded."""

    entries: tuple[str, ...] = Field(min_length=1)
    """The paths in the job's folder of files, in the order in which they were given."""

    shapes: Mapping[str, StatedInput]
    """What was stated of their inputs, by the inputs' names."""

    judged_output: str | None = None
    """The only output that is judged; null for all."""


OneSubject: TypeAlias = Annotated[BundleFiles | ReadModels | UnreadModels, Field(discriminator="kind")]
"""A bundle or model files."""


class NetworkFiles(Record):
    """One of several networks that take turns: a bundle or model files, in a folder of its own."""

    folder: str
    """The path of its folder in the job's folder of files."""

    network: str
    """What a bundle is called among the others; empty for model files."""

    subject: OneSubject
    """What lies there."""


class SeveralNetworks(Record):
    """Networks were uploaded that take turns in one run, with a report for each."""

    kind: Literal["networks"] = "networks"
    """What was uploaded."""

    networks: tuple[NetworkFiles, ...] = Field(min_length=1)
    """The networks, in the order of their reports."""


JobSubject: TypeAlias = Annotated[
    BundleFiles | ReadModels | UnreadModels | SeveralNetworks, Field(discriminator="kind")
]
"""What a job measures."""


class ReportTexts(Record):
    """The reports of networks that took turns, in the one file that a job leaves."""

    reports: tuple[str, ...]
    """The text of each report, in the order of the networks."""


class JobRequest(Record):
    """What a job's process reads from its folder."""

    benchmark: BenchmarkRequest
    """The run, as the command line requested it."""

    profile: Profile
    """The profile that the run follows."""

    subject: JobSubject
    """What is measured, and where it lies in the job's folder of files."""


class JobOutcome(Record):
    """How a job ended."""

    exit_code: int = Field(ge=0, le=255)
    """The exit code that its command would have had on the board."""

    message: str | None
    """The error; None if the exit code is 0."""


class Begin(Record):
    """A task of a job began; see bench.progress.Progress."""

    kind: Literal["begin"] = "begin"
    """The name of the event."""

    task: str
    """The name of the task."""

    total: Count
    """How many steps the task has."""


class Advance(Record):
    """Some steps of the task are done."""

    kind: Literal["advance"] = "advance"
    """The name of the event."""

    steps: Count
    """How many steps."""

    note: str
    """What stands beside the bar."""


class Say(Record):
    """The job has something to say."""

    kind: Literal["say"] = "say"
    """The name of the event."""

    sentence: str
    """The sentence."""


ProgressEvent: TypeAlias = Annotated[Begin | Advance | Say, Field(discriminator="kind")]
"""One line of a job's file of events."""
