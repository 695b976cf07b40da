"""The candidates of a choice: the rows of reports, by profile, with the figures that count. Pure."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from bench.devices.terms import Provenance
from bench.measurements import Completed
from bench.report.class_recall import Classes
from bench.report.outputs_words import difference
from bench.report.predictions import Predictions
from bench.report.schema import Report, Run, Summary
from bench.statistics.accuracy import Paired
from bench.statistics.by_image import Changes
from bench.statistics.latency import Latency
from bench.units import MJ_PER_J

_DETAILS = 4

JudgedBy = Literal["accuracy", "agreement", "SQNR", "nothing"]
"""What answers are judged by: without labels their agreement with the source, without classes the SQNR."""


@dataclass(frozen=True)
class Candidate:
    """A completed row of a report."""

    name: str
    """Its name, unique within the profile."""
    report: Report
    """The report that contains it."""
    run: Run
    """The row."""
    judged_by: JudgedBy = "accuracy"
    """What its answers are judged by."""

    @property
    def latency(self) -> Latency:
        """Its latency."""
        return self.summary.latency

    @property
    def summary(self) -> Summary:
        """The summary of its measurements. Every completed row has one."""
        assert self.run.summary is not None
        return self.run.summary

    @property
    def measured(self) -> Completed:
        """Its measurements. Every completed row has them."""
        assert self.run.completed is not None
        return self.run.completed

    @property
    def is_projected(self) -> bool:
        """Whether its latency on the device is known only as a projected range."""
        return self.run.provenance == "proxy" and self.run.projected is not None

    @property
    def speed_ns(self) -> float:
        """Its median latency on the machine it ran on, or the middle of the projected range."""
        projected = self.run.projected
        if projected is None or not self.is_projected:
            return self.latency.p50_ns
        return math.sqrt(projected.low_ns * projected.high_ns)

    @property
    def memory_bytes(self) -> int:
        """Its peak memory, or the memory after loading where the kernel records no peak."""
        return self.measured.memory.highest_bytes

    @property
    def size_bytes(self) -> int:
        """The size of all files of its artifact."""
        return self.run.size_bytes or 0

    @property
    def quality(self) -> float:
        """Its accuracy, or what stands in for it; the higher the better, and 0 where it was not evaluated."""
        figures = self.run.accuracy
        if figures is None or self.judged_by == "nothing":
            return 0.0
        if self.judged_by == "SQNR":
            return math.inf if figures.sqnr_db is None else figures.sqnr_db
        return (figures.top1 if self.judged_by == "accuracy" else figures.agreement) or 0.0

    @property
    def disagrees(self) -> bool:
        """Whether it is a model file whose outputs differ from the reference's."""
        return difference(self.report, self.run) is not None

    @property
    def energy_mj(self) -> float | None:
        """Its energy for one inference in mJ; None unless it was measured on the device itself."""
        joules = self.summary.energy_per_inference_j
        return None if joules is None or self.run.provenance != "measured" else joules * MJ_PER_J

    @cached_property
    def paired(self) -> Paired | None:
        """Its predictions paired with the fp32 reference's."""
        return None if self._predictions is None else self._predictions.paired

    @cached_property
    def classes(self) -> Classes | None:
        """What it and the reference recognise of each class; None without labels."""
        return Classes.of(self.report.bundle, self.report.evaluation, self._predictions)

    @property
    def changes(self) -> Changes | None:
        """How its decisions differ from the reference's; None where it was not evaluated."""
        evaluated = self.run.accuracy
        if evaluated is None:
            return None
        return Changes.of(evaluated.flips, evaluated.images, evaluated.decided // evaluated.images)

    @property
    def agreeing(self) -> int:
        """The number of decisions that are the reference's too; 0 where it was not evaluated."""
        return 0 if self.changes is None else self.changes.decisions - sum(self.changes.changed)

    @property
    def reference(self) -> str:
        """What its answers are compared with."""
        return "reference" if self.report.bundle is None else self.report.bundle.reference

    @cached_property
    def _predictions(self) -> Predictions | None:
        logits, evaluation = self.measured.logits, self.report.evaluation
        return None if logits is None or evaluation is None else Predictions.of(logits, evaluation)


@dataclass(frozen=True)
class CandidateSet:
    """All rows of one profile."""

    reports: tuple[Report, ...]
    """The reports that contain them."""
    ranked: tuple[Candidate, ...]
    """The rows that are ranked."""
    others: tuple[tuple[str, str], ...]
    """The names of the other rows, each with the reason why it is not ranked."""

    @property
    def profile(self) -> str:
        """The profile's name."""
        return self.reports[0].profile.name

    @property
    def judged_by(self) -> JudgedBy:
        """What the rows' answers are judged by."""
        return judged_by(self.reports)

    @property
    def gap(self) -> str | None:
        """Why a bundle has no accuracy; None if all have, and for model files."""
        gaps = (report.evaluation.gap for report in self.reports if report.evaluation is not None)
        return next((gap for gap in gaps if gap is not None), None)

    @property
    def provenance(self) -> Provenance:
        """The provenance of the ranked latencies. All ranked rows have the same one."""
        is_proxy = any(candidate.run.provenance != "measured" for candidate in self.ranked)
        return "proxy" if is_proxy else "measured"


def judged_by(reports: Sequence[Report]) -> JudgedBy:
    """Return what the answers of some reports' rows are judged by: what all of them have.

    Model files have neither labels nor a source.
    """
    evaluations = [report.evaluation for report in reports]
    known = [evaluation for evaluation in evaluations if evaluation is not None]
    if len(known) < len(evaluations):
        return "nothing"
    if all(evaluation.gap is None for evaluation in known):
        return "accuracy"
    return "SQNR" if any(evaluation.output.kind == "values" for evaluation in known) else "agreement"


def candidate_sets(reports: Sequence[Report]) -> list[CandidateSet]:
    """Return the rows of each profile, in the order of the reports.

    Of a row that was measured twice, with the same bundle or model file on the same machine, only the later
    one counts.
    """
    names = dict.fromkeys(report.profile.name for report in reports)
    return [_candidate_set([report for report in reports if report.profile.name == name]) for name in names]


def _candidate_set(reports: Sequence[Report]) -> CandidateSet:
    latest: dict[tuple[str, ...], tuple[Report, Run]] = {}
    replaced: list[tuple[Report, Run]] = []
    for report in sorted(reports, key=lambda report: report.created):
        for run in report.runs:
            if run.is_variant:
                key = (_measured(report, run), report.host.cpu, run.provenance, run.case)
                if key in latest:
                    replaced.append(latest[key])
                latest[key] = (report, run)
    rows = list(latest.values())
    name_of = _Names(rows)
    named = [(name_of(report, run), report, run) for report, run in rows]
    ranked, others = ranked_and_others(named, judged_by(reports))
    others += [
        (f"{name_of(report, run)} of {report.created}", "it was measured again, and the later run counts")
        for report, run in replaced
    ]
    return CandidateSet(tuple(reports), tuple(ranked), tuple(others))


def ranked_and_others(
    rows: Sequence[tuple[str, Report, Run]], judged: JudgedBy
) -> tuple[list[Candidate], list[tuple[str, str]]]:
    """Return the rows that can be ranked, and the names of the others with the reason. Rows have names.

    No proxy's row is ranked against a measured one, and none that is not projected against projected ones.
    """
    completed = [run for _, _, run in rows if run.status == "completed"]
    has_measured = any(run.provenance == "measured" for run in completed)
    has_projected = not has_measured and any(run.projected is not None for run in completed)
    ranked: list[Candidate] = []
    others: list[tuple[str, str]] = []
    for name, report, run in rows:
        if run.status != "completed":
            others.append((name, f"{run.status}: {run.reason or 'no reason is known'}"))
        elif has_measured and run.provenance != "measured":
            others.append((name, "a proxy's row is not ranked against measured rows"))
        elif has_projected and run.projected is None:
            because = run.projection_reason or "no reason is known"
            others.append((name, f"it is not projected for the device, and others are: {because}"))
        else:
            ranked.append(Candidate(name, report, run, judged))
    return ranked, others


def _measured(report: Report, run: Run) -> str:
    """Return a hash of what a row measured: its bundle, or its model file with its inputs."""
    model = report.model_of(run)
    return report.subject.sha256 if model is None else f"{model.sha256} {model.values.sha256}"


class _Names:
    """Names rows by their case, and adds details of the report only where two rows have one case."""

    def __init__(self, rows: Iterable[tuple[Report, Run]]) -> None:
        all_rows = list(rows)
        self._hashes: dict[int, str] = {}
        self._counts = [Counter(self._name(*row, detail) for row in all_rows) for detail in range(_DETAILS)]

    def __call__(self, report: Report, run: Run) -> str:
        names = [self._name(report, run, detail) for detail in range(_DETAILS)]
        unique = (name for name, counts in zip(names, self._counts, strict=True) if counts[name] <= 1)
        return next(unique, names[-1])

    def _name(self, report: Report, run: Run, detail: int) -> str:
        details = [
            f"{report.name}, {self._hash_of(report)}, {run.provenance}",
            report.host.board or report.host.cpu,
            report.created,
        ][:detail]
        return f"{run.case} ({', '.join(details)})" if details else run.case

    def _hash_of(self, report: Report) -> str:
        """Return the beginning of the hash of what a report measured, which is computed of all its files."""
        if id(report) not in self._hashes:
            self._hashes[id(report)] = report.subject.sha256[:8]
        return self._hashes[id(report)]
