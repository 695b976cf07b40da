"""Whether two model files give the same outputs for the same inputs. Pure: values in, a verdict out.

An output in the shape of classes is judged by its classes, every other one by its values.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from bench.bundle.model_set import InputsRecord
from bench.gate import reasons
from bench.gate.findings import DECIBELS, SHARE_SAME, Finding, Quantity, Verdict
from bench.gate.options import Limits
from bench.gate.verdict_rules import judge_agreement, judge_sqnr
from bench.measurements import OutputValues
from bench.report.outputs import OutputPair, classes_of, compare_output, pair_outputs
from bench.report.schema import OutputComparison
from bench.statistics.by_image import Changes
from bench.statistics.replication import Interval

OTHER_INPUTS = (
    "not comparable: the two were run with different inputs; check the two model files instead, and both are "
    "run with the same ones"
)
EVALUATED = "the evaluation pack"
"""The source of inputs that are a bundle's evaluation images."""
# The worst output decides, in this order.
_SEVERITY = (Verdict.SAME, Verdict.INCOMPARABLE, Verdict.UNDECIDED, Verdict.WORSE)


@dataclass(frozen=True)
class JudgedOutputs:
    """The verdict on one output, or on all of them."""

    verdict: Verdict
    """How it changed."""
    sentence: str
    """The reason for the verdict."""
    value: float | None = None
    """The share of equal classes, or the SQNR."""
    unit: Literal["share same", "dB"] | None = None
    """Which of the two `value` is."""
    limit: float | None = None
    """The lowest value that is allowed."""
    interval: Interval | None = None
    """The 95 % interval of the share of equal classes."""
    flips: int | None = None
    """How many items changed their class."""
    distance: float = 0.0
    """How far the output is from the baseline's, to find the worst one."""


def evaluated_inputs(images: int, sha256: str) -> InputsRecord:
    """Return the record of a bundle's evaluation images, whose answers are compared without labels."""
    return InputsRecord(source=EVALUATED, inferences=images, sha256=sha256)


def judge_outputs(
    candidate: Sequence[OutputValues],
    baseline: Sequence[OutputValues],
    inputs: InputsRecord,
    limits: Limits,
) -> JudgedOutputs:
    """Judge all outputs for the same inputs. The worst one decides."""
    if not candidate and not baseline:
        return JudgedOutputs(Verdict.INCOMPARABLE, reasons.NO_NUMBERS)
    if len(candidate) != len(baseline) and limits.judged_output is None:
        return JudgedOutputs(Verdict.WORSE, reasons.other_outputs(_names(candidate), _names(baseline)))
    pairs = [
        pair for pair in pair_outputs(candidate, baseline) if limits.judged_output in (None, pair.output.name)
    ]
    if not pairs:
        return JudgedOutputs(Verdict.INCOMPARABLE, reasons.NO_NUMBERS)
    judged = [_judge(pair, inputs, limits) for pair in pairs]
    worst = max(judged, key=lambda output: (_SEVERITY.index(output.verdict), output.distance))
    if len(judged) == 1:
        return worst
    name = pairs[judged.index(worst)].output.name
    differs = worst.distance > 0 or worst.verdict is not Verdict.SAME
    return replace(worst, sentence=reasons.of_worst_output(name, len(judged), differs, worst.sentence))


def _names(outputs: Iterable[OutputValues]) -> list[str]:
    return [output.name for output in outputs]


def _judge(pair: OutputPair, inputs: InputsRecord, limits: Limits) -> JudgedOutputs:
    output, reference = pair.output, pair.reference
    if reference is None or not pair.fits:
        sentence = reasons.other_shape(
            output.name, output.shape, None if reference is None else reference.shape
        )
        return JudgedOutputs(Verdict.WORSE, sentence)
    if not any(reference.values):
        sentence = reasons.empty(output.name)
        return JudgedOutputs(Verdict.INCOMPARABLE, sentence)
    comparison = compare_output(output, reference)
    if comparison.agreement is not None:
        return _judge_classes(comparison, pair, inputs, limits)
    return _judge_values(comparison, output, inputs, limits.min_sqnr_db)


def _size(output: OutputValues) -> int:
    """Return how many values one inference gives; of an output whose shape changes, those of the first."""
    return len(output.values[0]) if output.shape is None else math.prod(output.shape)


def _classes_that_occur(reference: OutputValues) -> int:
    classes = classes_of(reference, reference)
    return 0 if classes is None else len(np.unique(classes))


def _judge_classes(
    comparison: OutputComparison, pair: OutputPair, inputs: InputsRecord, limits: Limits
) -> JudgedOutputs:
    """Judge the classes. If only one occurs, they decide nothing, unless the values agree as well."""
    limit, reference = limits.min_agreement, pair.reference
    assert reference is not None
    assert comparison.agreement is not None
    changes = _changes(pair.output, reference, inputs)
    interval = Interval(*changes.interval)
    verdict = judge_agreement(interval, changes.images, limit)
    flips = sum(changes.changed)
    classes = _classes_that_occur(reference)
    if flips:
        sentence = reasons.of_flips(verdict, comparison, interval, limit, flips, inputs)
    elif classes == 1 and comparison.sqnr_db is not None and comparison.sqnr_db < limits.min_sqnr_db:
        verdict = Verdict.UNDECIDED
        sentence = reasons.of_one_class(comparison, limits.min_sqnr_db, inputs)
    else:
        is_whole = len(reference.values[0]) == _size(reference)
        sentence = reasons.of_equal_classes(comparison, interval, limit, inputs, classes, is_whole)
    return JudgedOutputs(
        verdict=verdict,
        sentence=sentence,
        value=comparison.agreement,
        unit=SHARE_SAME,
        limit=limit,
        interval=interval,
        flips=flips,
        distance=1 - comparison.agreement,
    )


def _changes(output: OutputValues, reference: OutputValues, inputs: InputsRecord) -> Changes:
    """Return which items changed their class. Several of an evaluation image are its labels; the items of a
    model file are those of a batch."""
    after, before = classes_of(output, reference), classes_of(reference, reference)
    assert after is not None
    assert before is not None
    images = inputs.inferences if inputs.source == EVALUATED else len(before)
    return Changes.of(map(int, np.flatnonzero(after != before)), images, len(before) // images)


def _judge_values(
    comparison: OutputComparison, output: OutputValues, inputs: InputsRecord, limit: float
) -> JudgedOutputs:
    sampled = reasons.of_sample(len(output.values[0]), _size(output))
    if comparison.largest_difference == 0:
        return JudgedOutputs(Verdict.SAME, reasons.equal_values(inputs) + sampled, unit=DECIBELS, limit=limit)
    if comparison.sqnr_db is None:
        return JudgedOutputs(
            Verdict.WORSE,
            reasons.no_longer_zero(comparison, inputs) + sampled,
            unit=DECIBELS,
            limit=limit,
            distance=math.inf,
        )
    return JudgedOutputs(
        verdict=judge_sqnr(comparison.sqnr_db, limit),
        sentence=reasons.of_values(comparison, limit, inputs) + sampled,
        value=comparison.sqnr_db,
        unit=DECIBELS,
        limit=limit,
        distance=10 ** (-comparison.sqnr_db / 20),
    )


def notes_on_outputs(findings: Iterable[Finding], inputs: InputsRecord | str | None) -> list[str]:
    """Return what the comparison of outputs is worth: classes of random inputs are weak evidence."""
    by_class = any(
        finding.quantity is Quantity.OUTPUTS and finding.unit == SHARE_SAME for finding in findings
    )
    if not by_class or not isinstance(inputs, InputsRecord) or not inputs.is_random:
        return []
    return [reasons.weak_evidence(inputs)]
