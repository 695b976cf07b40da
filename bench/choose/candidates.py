"""What `choose` chooses among: the rows of reports, by profile, with the figures that count. Pure."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bench.report.schema import Latency, Report, Run
from bench.runtimes.providers import short_name
from bench.statistics import accuracy
from bench.statistics.accuracy import Paired

_BYTES_PER_MB = 1e6
_DETAILS = 4


@dataclass(frozen=True)
class Candidate:
    """A completed row. `name`: what tells it from the profile's other rows."""

    name: str
    report: Report
    run: Run

    @property
    def latency(self) -> Latency:
        """Its latency, which every completed row has."""
        assert self.run.latency_ms is not None
        return self.run.latency_ms

    @property
    def is_projected(self) -> bool:
        """Whether its latency on the device is known as a projected range alone."""
        return self.run.provenance == "proxy" and self.run.projected_ms is not None

    @property
    def speed_ms(self) -> float:
        """Its median latency in ms: on the machine it ran on, or the middle of the projected range."""
        found = self.run.projected_ms
        if found is None or not self.is_projected:
            return self.latency.p50
        return math.sqrt(found.low * found.high)

    @property
    def memory_mb(self) -> float:
        """Its peak, or what was resident when it was loaded where the kernel keeps no peak; MiB."""
        assert self.run.memory_mb is not None
        peak = self.run.memory_mb.peak
        return self.run.memory_mb.loaded if peak is None else peak

    @property
    def size_mb(self) -> float:
        """Its bytes in MB (10^6)."""
        return (self.run.size_bytes or 0) / _BYTES_PER_MB

    @property
    def top1(self) -> float:
        """Its accuracy on the report's images; 0 where it was not judged."""
        return 0.0 if self.run.accuracy is None else self.run.accuracy.top1

    @property
    def energy_mj(self) -> float | None:
        """Its energy for one inference in mJ, where that was measured on the device itself."""
        if self.run.energy_mj is None or self.run.provenance != "measured":
            return None
        return self.run.energy_mj.value

    @cached_property
    def paired(self) -> Paired | None:
        """Its answers against the fp32 reference's."""
        return None if self._answers is None else accuracy.pair(*self._answers)

    @cached_property
    def paired_by_class(self) -> dict[str, Paired]:
        """Its answers against the fp32 reference's on the images of each class, by the class's name."""
        if self._answers is None:
            return {}
        logits, reference, labels = self._answers
        return {
            name: accuracy.pair(logits[labels == index], reference[labels == index], labels[labels == index])
            for index, name in enumerate(self.report.bundle.classes)
            if (labels == index).any()
        }

    @property
    def agreeing(self) -> int | None:
        """On how many images it has the fp32 reference's class; None where it was not judged."""
        judged = self.run.accuracy
        return None if judged is None else judged.images - len(judged.flips)

    @cached_property
    def _answers(self) -> tuple[accuracy.Logits, accuracy.Logits, accuracy.Labels] | None:
        evaluation, raw = self.report.evaluation, self.run.raw
        if raw is None or raw.logits is None:
            return None
        return (
            np.asarray(raw.logits, dtype=np.float32),
            np.asarray(evaluation.reference_logits, dtype=np.float32),
            np.asarray(evaluation.labels, dtype=np.int64),
        )


@dataclass(frozen=True)
class Field:
    """All rows of one profile: those that are ranked, and others with the reason why they are not."""

    reports: tuple[Report, ...]
    ranked: tuple[Candidate, ...]
    others: tuple[tuple[str, str], ...]

    @property
    def profile(self) -> str:
        """The profile's name."""
        return self.reports[0].profile.name

    @property
    def provenance(self) -> str:
        """What its latencies are: measured if any row is, for others are not ranked with it."""
        is_proxy = any(one.run.provenance != "measured" for one in self.ranked)
        return "proxy" if is_proxy else "measured"


def fields(reports: Sequence[Report]) -> list[Field]:
    """Return the rows of each profile, in the order of the reports.

    A row that was measured twice, of the same bundle on the same machine, counts as the later report has it.
    """
    names = dict.fromkeys(report.profile.name for report in reports)
    return [_field([one for one in reports if one.profile.name == name]) for name in names]


def _field(reports: Sequence[Report]) -> Field:
    latest: dict[tuple[str, ...], tuple[Report, Run]] = {}
    replaced: list[tuple[Report, Run]] = []
    for report in sorted(reports, key=lambda one: one.created):
        for run in report.runs:
            if run.is_variant:
                key = (report.bundle.sha256, report.host.cpu, run.provenance, *run.case)
                if key in latest:
                    replaced.append(latest[key])
                latest[key] = (report, run)
    rows = list(latest.values())
    name_of = _Names(rows)
    completed = [run for _, run in rows if run.status == "completed"]
    measured = any(run.provenance == "measured" for run in completed)
    projected = not measured and any(run.projected_ms is not None for run in completed)
    ranked, others = [], []
    for report, run in rows:
        name = name_of(report, run)
        if run.status != "completed":
            others.append((name, f"{run.status}: {run.reason or 'no reason is known'}"))
        elif measured and run.provenance != "measured":
            others.append((name, "a proxy's row, which is not ranked against measured ones"))
        elif projected and run.projected_ms is None:
            because = run.projection_reason or "no reason is known"
            others.append((name, f"not projected for the device, as others are: {because}"))
        else:
            ranked.append(Candidate(name, report, run))
    others += [
        (f"{name_of(report, run)} of {report.created}", "measured again since, and the later run counts")
        for report, run in replaced
    ]
    return Field(tuple(reports), tuple(ranked), tuple(others))


class _Names:
    """Names rows by variant, with provider and report only where these are needed to tell them apart."""

    def __init__(self, rows: Iterable[tuple[Report, Run]]) -> None:
        listed = list(rows)
        self._providers = {
            variant: {run.provider for _, run in listed if run.variant == variant}
            for variant in {run.variant for _, run in listed}
        }
        self._counts = [Counter(self._name(*row, detail) for row in listed) for detail in range(_DETAILS)]

    def __call__(self, report: Report, run: Run) -> str:
        names = [self._name(report, run, detail) for detail in range(_DETAILS)]
        unique = (name for name, counts in zip(names, self._counts, strict=True) if counts[name] <= 1)
        return next(unique, names[-1])

    def _name(self, report: Report, run: Run, detail: int) -> str:
        several = len(self._providers[run.variant]) > 1
        name = f"{run.variant} {short_name(run.provider)}" if several else run.variant
        details = [
            f"{report.name}, {report.bundle.sha256[:8]}, {run.provenance}",
            report.host.board or report.host.cpu,
            report.created,
        ][:detail]
        return f"{name} ({', '.join(details)})" if details else name
