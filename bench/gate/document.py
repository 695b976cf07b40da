"""The JSON document of a check: findings, conditions, and the samples that they are based on."""

from typing import Literal

from pydantic import Field

from bench.devices.terms import Provenance
from bench.gate.blocking import blocking_findings, exit_code_of
from bench.gate.findings import Finding
from bench.gate.options import Limits
from bench.harness.paired_blocks import PairedRepetition
from bench.record import Record
from bench.report.schema import Subject
from bench.run_config import RunOptions
from bench.system.host import Host
from bench.system.sandbox import Confinement
from bench.system.thread_variables import SetVariable


class Conditions(Record):
    """The conditions under which both sides were measured."""

    host: Host
    """The machine; the candidate's of two reports."""
    profile: str
    """The profile's name."""
    provenance: Provenance
    """Whether the latencies were measured on the device itself or on a proxy for it."""
    options: RunOptions
    """The options that all cases ran with."""
    confinement: Confinement | None = None
    """What kept artifacts from writing the user's files; the candidate's of two reports."""
    variables: tuple[SetVariable, ...] = ()
    """The variables of the environment that change how libraries compute or allocate, and whether the
    measured processes had them; the candidate's of two reports."""


class Checked(Record):
    """A candidate compared with a baseline."""

    schema_: Literal[2] = Field(default=2, alias="schema")
    """The version of this shape."""
    tool: str
    """Version of edgefit."""
    created: str
    """When the check began, ISO 8601."""
    compared: Literal["bundles", "models", "reports"]
    """Two bundles or two model files that were measured together here, or two reports."""
    baseline: Subject
    """What the candidate is compared with."""
    candidate: Subject
    """What is checked."""
    conditions: Conditions
    """The conditions of the measurement."""
    limits: Limits
    """How much worse the candidate may be."""
    strict: bool
    """Whether an undecided finding blocks too."""
    findings: tuple[Finding, ...]
    """The verdict on each quantity of each case."""
    notes: tuple[str, ...] = ()
    """How the two were compared, and in what they differ."""
    warnings: tuple[str, ...] = ()
    """What disturbed the measurement."""
    raw: tuple[PairedRepetition, ...] = ()
    """The samples of two bundles or model files; empty for two reports."""

    @property
    def blocking(self) -> list[Finding]:
        """The findings that block."""
        return blocking_findings(self.findings, self.strict)

    @property
    def exit_code(self) -> int:
        """10 if something blocks, 12 if no latency could be compared, else 0."""
        return exit_code_of(self.findings, self.strict)
