"""One row compared with one of the baseline: latency, memory, size, accuracy. Pure."""

from bench.choose.candidates import Candidate
from bench.choose.comparing import Preference, answers_of_both, compare, paired_right
from bench.compare.document import AccuracyDifference, AgainstBaseline, TimesAsFast
from bench.devices.terms import Provenance
from bench.report.comparability import batch_of
from bench.report.joint_runs import why_not_same_answers
from bench.statistics import accuracy


def against(candidate: Candidate, baseline: Candidate) -> AgainstBaseline:
    """Compare a row with the baseline's. Both were measured in one run."""
    latency = _times_as_fast(candidate, baseline)
    right = _accuracy(candidate, baseline)
    return AgainstBaseline(
        baseline=baseline.name,
        times_as_fast=None if isinstance(latency, str) else latency,
        latency_gap=latency if isinstance(latency, str) else None,
        times_as_small=_cost_ratio(baseline, candidate, Preference.SIZE),
        memory_ratio=_cost_ratio(baseline, candidate, Preference.MEMORY),
        accuracy=None if isinstance(right, str) else right,
        accuracy_gap=right if isinstance(right, str) else None,
        agreement=_agreement(candidate, baseline),
    )


def _cost_ratio(candidate: Candidate, other: Candidate, quantity: Preference) -> float:
    return compare(candidate, other, quantity).ratio


def _times_as_fast(candidate: Candidate, baseline: Candidate) -> TimesAsFast | str:
    """Return the ratio of the latencies, or why they are not compared."""
    here, there = _batch(candidate), _batch(baseline)
    if here != there:
        return f"one inference takes {here} inputs, and one of {baseline.name} {there}"
    if candidate.run.provenance != baseline.run.provenance:
        return f"one of the two is {candidate.run.provenance}, the other {baseline.run.provenance}"
    if candidate.is_projected != baseline.is_projected:
        return "only one of the two is projected for the device"
    ratio = compare(baseline, candidate, Preference.LATENCY)  # the baseline's cost ÷ this one's
    ends = ratio.interval
    provenance: Provenance = candidate.run.provenance
    return TimesAsFast(
        value=ratio.ratio,
        ci95=None if ends is None else (ends.low, ends.high),
        because=ratio.because if ends is None else None,
        provenance="projected" if candidate.is_projected else provenance,
    )


def _batch(row: Candidate) -> int:
    """Return how many inputs one inference takes."""
    return row.run.config.batch if row.report.bundle is None else batch_of(row.report.bundle)


def _accuracy(candidate: Candidate, baseline: Candidate) -> AccuracyDifference | str:
    """Return the difference of the accuracies, or why they are not compared."""
    if (reason := why_not_same_answers(candidate.report, baseline.report)) is not None:
        return reason
    paired = paired_right(candidate, baseline)
    if paired is None:
        gaps = (report.evaluation for report in (candidate.report, baseline.report))
        known = (evaluation.gap for evaluation in gaps if evaluation is not None)
        return next((gap for gap in known if gap is not None), "one of the two has no answers")
    return AccuracyDifference(
        value=paired.difference,
        ci95=paired.difference_ci95(),
        mcnemar_p=paired.mcnemar_p(),
        images=paired.images,
    )


def _agreement(candidate: Candidate, baseline: Candidate) -> float | None:
    """Return the share of answers with the same class; None where there are no classes, or other inputs."""
    outputs = candidate.run.outputs
    if outputs is not None and candidate.report is baseline.report:
        return outputs.agreement if outputs.reference == baseline.run.case else None
    if why_not_same_answers(candidate.report, baseline.report) is not None:
        return None
    answers = answers_of_both(candidate, baseline)
    return None if answers is None else accuracy.agreement(answers[0].logits, answers[1].logits)
