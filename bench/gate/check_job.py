"""What a check compares by measuring, settled before anything is measured: cases, terms and inputs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from bench.bundle.judged_output import CLASSES
from bench.bundle.model_set import InputsRecord
from bench.bundle.source_record import OutputRecord
from bench.devices.terms import Terms
from bench.gate.class_reasons import ClassNames
from bench.gate.judging import Side
from bench.gate.options import CheckOptions
from bench.harness.paired_blocks import Pair
from bench.harness.plan import Case, Plan
from bench.report.schema import BundleRecord, Subject
from bench.run_config import RunOptions
from bench.statistics.accuracy import Labels
from bench.system.host import Host
from bench.system.thread_variables import SetVariable
from device_profiles.profile import Profile


@dataclass(frozen=True)
class FailedCase:
    """A case that one bundle does not have, because its export failed, or its source does not give it."""

    variant: str
    """Its variant."""
    provider: str
    """The provider that it would have run on."""
    reason: str
    """Why it is not there."""


@dataclass(frozen=True)
class CheckJob:
    """A check before it is measured. Cases are found by their ids."""

    compared: Literal["bundles", "models"]
    """Two bundles, or two model files."""
    candidate: Subject
    """The record of what is checked."""
    baseline: Subject
    """The record of what it is compared with."""
    profile: Profile
    """The device's profile."""
    options: CheckOptions
    """What the check is asked to do."""
    host: Host
    """This machine."""
    terms: Terms
    """The conditions of the measurement on this machine."""
    run_options: RunOptions
    """What every case has in common."""
    plan: Plan
    """How both sides are examined and timed."""
    baseline_cases: Mapping[str, Case]
    """The baseline's cases."""
    candidate_cases: Mapping[str, Case]
    """The candidate's cases."""
    baseline_failed: Mapping[str, FailedCase] = field(default_factory=dict)
    """The cases that the baseline should have, and does not."""
    candidate_failed: Mapping[str, FailedCase] = field(default_factory=dict)
    """The cases that the candidate should have, and does not."""
    variables: tuple[SetVariable, ...] = ()
    """The variables of the environment that change how libraries compute, and which of them are kept."""
    labels: Labels | None = None
    """The labels of the baseline's evaluation images, which two bundles answer; None where there is no
    accuracy, and for model files."""
    class_names: ClassNames = field(default_factory=ClassNames)
    """What the classes of the labels are called."""
    inputs: InputsRecord | str | None = None
    """The inputs that both are run with, or why their outputs cannot be compared; None for bundles with
    accuracy."""
    notes: tuple[str, ...] = ()
    """In what the two differ."""

    @property
    def output(self) -> OutputRecord:
        """The output of two bundles that is judged: the baseline's."""
        return self.baseline.output if isinstance(self.baseline, BundleRecord) else CLASSES

    @property
    def case_ids(self) -> list[str]:
        """Every case that one side has or should have, in the baseline's order first."""
        known = (self.baseline_cases, self.candidate_cases, self.baseline_failed, self.candidate_failed)
        return list(dict.fromkeys(case for cases in known for case in cases))

    def pairs(self) -> list[Pair]:
        """Return the pairs to measure."""
        return [
            Pair(self.baseline_cases[case], self.candidate_cases[case])
            for case in self.case_ids
            if case in self.baseline_cases and case in self.candidate_cases and not self.is_skipped(case)
        ]

    def unpaired_sides(self, case: str) -> tuple[Side | None, Side | None]:
        """Return the baseline's and the candidate's side of a case that the other one does not have."""
        return (
            _unpaired_side(case, self.baseline_cases, self.baseline_failed),
            _unpaired_side(case, self.candidate_cases, self.candidate_failed),
        )

    def variant_and_provider(self, case: str) -> tuple[str, str]:
        """Return a case's variant and provider."""
        known = self.candidate_cases.get(case) or self.baseline_cases.get(case)
        if known is not None:
            return known.variant, known.config.provider
        failed = self.candidate_failed.get(case) or self.baseline_failed[case]
        return failed.variant, failed.provider

    def is_equal(self, case: str) -> bool:
        """Tell whether both sides have the same files, byte for byte."""
        before, after = self.baseline_cases.get(case), self.candidate_cases.get(case)
        return before is not None and after is not None and Pair(before, after).is_equal

    def is_skipped(self, case: str) -> bool:
        """Tell whether a case is not measured because its files are equal."""
        return self.options.skip_equal and self.is_equal(case)


def _unpaired_side(case: str, cases: Mapping[str, Case], failed: Mapping[str, FailedCase]) -> Side | None:
    if case in cases:
        return Side("completed")
    return Side("failed", failed[case].reason) if case in failed else None
