"""What a board is asked to measure, as it crosses the wire. It knows no board and no link."""

from bench.record import Record
from device_profiles.profile import Profile

BUNDLE, REQUEST, EVENTS, ENDED, REPORT = "bundle", "request.json", "events.jsonl", "ended.json", "report.json"
"""What lies in a job's folder."""


class Request(Record):
    """One run of the harness: see benchmark.BenchmarkOptions for the options.

    `held`: the variants whose files lie there; `left_out`: formats that are not run there, with the reason.
    """

    profile: Profile
    held: tuple[str, ...]
    left_out: dict[str, str]
    only: tuple[str, ...]
    quick: bool
    name: str | None
    sustained_s: float | None
    resume: bool
    tool: str
    created: str


class Ended(Record):
    """How a job ended: the exit code of its command, and what it had to say if that is not 0."""

    exit_code: int
    message: str | None
