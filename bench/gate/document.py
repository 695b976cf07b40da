"""What a check found, as its JSON document has it: findings, conditions, and the samples they rest on."""

from typing import Literal

from pydantic import Field

from bench.gate.findings import Finding, Limits, Quantity, Verdict, blocking, compares_latency
from bench.measurements import ProcessTiming
from bench.record import Record
from bench.report.schema import BundleRecord
from bench.system.host import Host
from bench.system.sandbox import Confinement

FINE = 0
BLOCKED = 10
NOTHING_COMPARABLE = 12


class Conditions(Record):
    """On which terms both sides were measured; `host`, `confinement`: the candidate's, where there are two.

    `confinement`: see Report.
    """

    host: Host
    profile: str
    provenance: Literal["measured", "proxy"]
    threads: int
    confinement: Confinement | None = None


class PairedTimes(Record):
    """What the processes of both sides of a variant measured, round by round.

    `confirmation`: in the second look.
    """

    variant: str
    provider: str
    confirmation: bool
    baseline: tuple[ProcessTiming, ...]
    candidate: tuple[ProcessTiming, ...]


class Checked(Record):
    """A candidate held against a baseline.

    `compared`: two bundles that took turns here, or two reports; `notes`: what is to be known of how they
    were compared; `warnings`: what disturbed it.
    """

    schema_: Literal[2] = Field(default=2, alias="schema")
    tool: str
    created: str
    compared: Literal["bundles", "reports"]
    baseline: BundleRecord
    candidate: BundleRecord
    conditions: Conditions
    limits: Limits
    strict: bool
    findings: tuple[Finding, ...]
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    raw: tuple[PairedTimes, ...] = ()

    @property
    def blocking(self) -> list[Finding]:
        """The findings that block."""
        return blocking(self.findings, self.strict)

    @property
    def exit_code(self) -> int:
        """10 if something blocks, 12 if no latency could be compared, else 0."""
        if self.blocking:
            return BLOCKED
        unchanged = any(
            one.quantity is Quantity.CASE and one.verdict is Verdict.SAME for one in self.findings
        )
        return FINE if unchanged or compares_latency(self.findings) else NOTHING_COMPARABLE
