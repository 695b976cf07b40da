"""The gate: what is known of a variant on both sides in, findings out. Pure: it does not know how it was
measured, so that two bundles or model files measured together and two reports are judged by the same rules.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from statistics import median
from typing import Literal

from bench.bundle.judged_output import CLASSES
from bench.bundle.model_set import InputsRecord
from bench.bundle.source_record import OutputRecord
from bench.gate import reasons
from bench.gate.class_reasons import ClassNames, on_classes
from bench.gate.findings import Finding, Quantity, Verdict
from bench.gate.judging_accuracy import PairedAnswers, judge_answers
from bench.gate.judging_outputs import judge_outputs
from bench.gate.judging_times import Times, TimeVerdicts, judge_all_times
from bench.gate.multiplicity import TWO_REPORTS, TimePlan
from bench.gate.options import Limits
from bench.gate.verdict_rules import judge_memory, judge_value
from bench.measurements import OutputValues
from bench.runtimes.providers import case_id
from bench.statistics.accuracy import Labels, Logits
from bench.units import mib


@dataclass(frozen=True)
class Side:
    """What is known of a variant on one side, except its times."""

    status: Literal["completed", "skipped", "failed"]
    """Whether it runs."""
    reason: str | None = None
    """Why it does not run."""
    size_bytes: int | None = None
    """The size of all files of its artifact."""
    peaks_bytes: tuple[int, ...] = ()
    """The memory peak of each process whose memory was measured."""
    logits: Logits | None = None
    """Its answers, [images][classes]; None where there is no accuracy."""
    outputs: tuple[OutputValues, ...] | None = None
    """The outputs of a model file, or those of an artifact that has no accuracy."""


@dataclass(frozen=True)
class Compared:
    """A variant on both sides."""

    variant: str
    """The variant."""
    provider: str
    """Its provider, by the runtime's own name."""
    baseline: Side | None
    """The baseline's side; None if the baseline does not have the variant."""
    candidate: Side | None
    """The candidate's side; None if the candidate does not have the variant."""
    latency: Times | None = None
    """The latencies; None if they were not measured."""
    load_time: Times | None = None
    """The load times; None if they were not measured."""
    labels: Labels | str = "no answers"
    """The labels of the images that both sides answered, or the reason why answers cannot be compared."""
    output: OutputRecord = CLASSES
    """The output that holds the answers."""
    class_names: ClassNames = field(default_factory=ClassNames)
    """What its classes are called."""
    inputs: InputsRecord | str | None = None
    """The inputs that both model files were run with, or the reason why outputs cannot be compared."""
    are_equal_files: bool = False
    """Whether the files are equal and were not measured for that reason."""
    memory_confirmed: bool = False
    """Whether the memory peaks are those of the confirmation run."""
    memory_gap: str | None = None
    """Why memory peaks cannot be compared; None if they can."""
    other_machine: reasons.OtherMachine | None = None
    """How the machines differ on which memory peaks were measured; None if they do not."""

    @property
    def case(self) -> str:
        """The id of its case."""
        return case_id(self.variant, self.provider)

    @property
    def runs_on_both(self) -> bool:
        """Whether both sides have the variant and it runs there."""
        sides = (self.baseline, self.candidate)
        return all(side is not None and side.status == "completed" for side in sides)

    def time_of(self, quantity: Quantity) -> Times | None:
        """Return the latencies, or the load times."""
        return self.latency if quantity is Quantity.LATENCY else self.load_time

    @property
    def finding(self) -> Callable[..., Finding]:
        """Make a finding about this variant from the other fields."""
        return partial(Finding, case=self.case, variant=self.variant, provider=self.provider)


def judge(compared: Sequence[Compared], limits: Limits, plan: TimePlan = TWO_REPORTS) -> tuple[Finding, ...]:
    """Return the findings of every variant, in order; `plan`: how sure those on times have to be."""
    times = judge_all_times(times_by_case(compared), limits, plan)
    answers = [_answers(variant) for variant in compared]
    recognised = iter(judge_answers([known for known in answers if known is not None], limits))
    return tuple(
        finding
        for variant, known in zip(compared, answers, strict=True)
        for finding in _judge(variant, limits, times, [] if known is None else next(recognised))
    )


def times_by_case(compared: Sequence[Compared]) -> dict[tuple[str, Quantity], Times]:
    """Return the times of the variants that run on both sides, by case and quantity."""
    return {
        (variant.case, quantity): times
        for variant in compared
        if variant.runs_on_both
        for quantity in (Quantity.LATENCY, Quantity.LOAD_TIME)
        if (times := variant.time_of(quantity)) is not None
    }


def grown_memory(findings: Sequence[Finding]) -> list[Finding]:
    """Return the findings whose memory exceeds the limit in one process, which is no evidence yet."""
    return [
        finding
        for finding in findings
        if finding.quantity is Quantity.MEMORY
        and finding.ratio is not None
        and finding.limit is not None
        and finding.ratio > 1 + finding.limit
    ]


def _judge(
    compared: Compared, limits: Limits, times: TimeVerdicts, recognised: Sequence[Finding]
) -> list[Finding]:
    """Return the findings of a variant. `recognised`: those on its accuracy, and on each class."""
    baseline, candidate = compared.baseline, compared.candidate
    if compared.are_equal_files:
        return [_of_case(compared, Verdict.SAME, reasons.EQUAL_FILES)]
    if baseline is None or candidate is None or not compared.runs_on_both:
        return [_of_missing(compared, baseline, candidate)]
    return [
        *_of_time(compared, Quantity.LATENCY, limits.max_slowdown, times),
        *_of_time(compared, Quantity.LOAD_TIME, limits.max_load_slowdown, times),
        *_of_memory(compared, baseline, candidate, limits.max_memory_growth),
        *_of_size(compared, baseline, candidate, limits.max_growth),
        *(recognised or _of_accuracy(compared, baseline, candidate)),
        *_of_outputs(compared, baseline, candidate, limits),
    ]


def _of_case(compared: Compared, verdict: Verdict, sentence: str) -> Finding:
    return compared.finding(quantity=Quantity.CASE, verdict=verdict, sentence=sentence)


def _of_missing(compared: Compared, baseline: Side | None, candidate: Side | None) -> Finding:
    """Return the finding on a variant that is missing, or does not run, on at least one side."""
    if candidate is None:
        return _of_case(compared, Verdict.MISSING, reasons.MISSING)
    if baseline is None:
        return _of_case(compared, Verdict.NEW, reasons.NEW)
    runs = (baseline.status == "completed", candidate.status == "completed")
    if runs == (True, False):
        return _of_case(compared, Verdict.BROKE, reasons.broke(candidate.reason))
    if runs == (False, True):
        return _of_case(compared, Verdict.FIXED, reasons.fixed(baseline.reason))
    sentence = reasons.runs_nowhere(baseline.reason, candidate.reason)
    return _of_case(compared, Verdict.INCOMPARABLE, sentence)


def _of_time(compared: Compared, quantity: Quantity, limit: float, verdicts: TimeVerdicts) -> list[Finding]:
    times = compared.time_of(quantity)
    if times is None:
        return []
    finding = partial(
        compared.finding,
        quantity=quantity,
        baseline=times.baseline_ns,
        candidate=times.candidate_ns,
        unit="ns",
        limit=limit,
    )
    if isinstance(times.ratio, str):
        verdict = Verdict.UNDECIDED if times.comparable else Verdict.INCOMPARABLE
        return [finding(verdict=verdict, sentence=times.ratio)]
    judged = verdicts[compared.case, quantity]
    return [
        finding(
            verdict=judged.verdict,
            sentence=reasons.of_time(judged, limit),
            ratio=judged.ratio,
            interval=(judged.interval.low, judged.interval.high),
            confidence=judged.confidence,
        )
    ]


def _of_memory(compared: Compared, baseline: Side, candidate: Side, limit: float) -> list[Finding]:
    if not baseline.peaks_bytes or not candidate.peaks_bytes:
        return []
    before, after = median(baseline.peaks_bytes), median(candidate.peaks_bytes)
    finding = partial(
        compared.finding,
        quantity=Quantity.MEMORY,
        limit=limit,
        baseline=float(before),
        candidate=float(after),
        unit="bytes",
        confirmed=compared.memory_confirmed,
    )
    if compared.memory_gap is not None:
        return [finding(verdict=Verdict.INCOMPARABLE, sentence=compared.memory_gap)]
    machine = compared.other_machine
    verdict = judge_memory(baseline.peaks_bytes, candidate.peaks_bytes, limit)
    if verdict is Verdict.WORSE and machine is not None and machine.instructions:
        verdict = Verdict.UNDECIDED
    processes = len(candidate.peaks_bytes)
    sentence = reasons.of_memory(mib(before), mib(after), limit, processes, compared.memory_confirmed)
    sentence += reasons.of_machine(machine, verdict)
    return [finding(verdict=verdict, sentence=sentence, ratio=after / before)]


def _of_size(compared: Compared, baseline: Side, candidate: Side, limit: float) -> list[Finding]:
    before, after = baseline.size_bytes, candidate.size_bytes
    if not before or after is None:
        return []
    return [
        compared.finding(
            quantity=Quantity.SIZE,
            verdict=judge_value(after / before, limit),
            sentence=reasons.of_size(before, after, limit),
            ratio=after / before,
            limit=limit,
            baseline=float(before),
            candidate=float(after),
            unit="bytes",
        )
    ]


def _answers(compared: Compared) -> PairedAnswers | None:
    """Return what both sides answered; None where there is no accuracy to compare."""
    baseline, candidate, labels = compared.baseline, compared.candidate, compared.labels
    if compared.are_equal_files or not compared.runs_on_both or isinstance(labels, str):
        return None
    if baseline is None or candidate is None or baseline.logits is None or candidate.logits is None:
        return None
    values = (baseline.logits, candidate.logits)
    return PairedAnswers.of(compared.finding, values, labels, compared.output, compared.class_names)


def notes_on_classes(compared: Sequence[Compared], limits: Limits) -> list[str]:
    """Return what can be said of no class, once for all variants, which answer the same images."""
    answered = next((answers for answers in map(_answers, compared) if answers is not None), None)
    if answered is None:
        return []
    return on_classes(answered.classes, answered.names, limits.min_retention)


def _of_accuracy(compared: Compared, baseline: Side, candidate: Side) -> list[Finding]:
    """Return the finding on answers that cannot be compared."""
    if baseline.logits is None or candidate.logits is None or not isinstance(compared.labels, str):
        return []
    return [
        compared.finding(quantity=Quantity.ACCURACY, verdict=Verdict.INCOMPARABLE, sentence=compared.labels)
    ]


def _of_outputs(compared: Compared, baseline: Side, candidate: Side, limits: Limits) -> list[Finding]:
    inputs, finding = compared.inputs, partial(compared.finding, quantity=Quantity.OUTPUTS)
    if baseline.outputs is None or candidate.outputs is None or inputs is None:
        return []
    if isinstance(inputs, str):
        return [finding(verdict=Verdict.INCOMPARABLE, sentence=inputs)]
    judged = judge_outputs(candidate.outputs, baseline.outputs, inputs, limits)
    interval = judged.interval
    return [
        finding(
            verdict=judged.verdict,
            sentence=judged.sentence,
            interval=None if interval is None else (interval.low, interval.high),
            confidence=None if interval is None else 0.95,
            limit=judged.limit,
            candidate=judged.value,
            unit=judged.unit,
            flips=judged.flips,
        )
    ]
