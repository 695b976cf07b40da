"""What lies in a job's folder on a board: request, events and outcome. It reads and writes nothing."""

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from bench.record import Record
from bench.run.request import BenchmarkRequest
from device_profiles.profile import Profile

BUNDLE, REQUEST, EVENTS, OUTCOME, REPORT = (
    "bundle",
    "request.json",
    "events.jsonl",
    "ended.json",
    "report.json",
)
"""The names in a job's folder."""


Count: TypeAlias = Annotated[int, Field(ge=0, le=2**63 - 1)]
"""A number of bytes or steps, which a board's answer may state wrongly: no file is larger than this."""


class JobRequest(Record):
    """What a job's process reads from its folder."""

    benchmark: BenchmarkRequest
    """The run, as the command line requested it."""

    profile: Profile
    """The profile that the run follows."""

    variants: tuple[str, ...]
    """The variants whose files were uploaded."""


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
