"""Checks by measuring whether images are prepared as the network was trained: on labelled images, against
rivals. It knows how to ask for answers, not how a network is run.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from bench.bundle.evaluation_pack import Labels
from bench.bundle.input_preprocessing import Preprocess
from bench.bundle.source_record import OutputRecord, PreprocessCheck, RivalRecord
from bench.errors import InputError
from bench.statistics.scores import decisions
from export.data.images import LabelledImages
from export.preprocessing.class_order import FittingOrder, fitting_order
from export.preprocessing.judging import LEAST_GAIN, Answers, Values, answers_to, compare
from export.preprocessing.measuring import MeasuredRival, RivalMeasurement, RunSamples
from export.preprocessing.wording import (
    Explanation,
    JudgedRival,
    explanation_by_order,
    explanation_by_rival,
    few_images,
    indistinguishable,
    strange_outputs,
    unchecked,
)

MOST_IMAGES = 64
TRUST = "--trust-preprocess"
_MOST_EXPLANATIONS = 3


@dataclass(frozen=True)
class CheckedPreprocess:
    """What was found about a stated preprocessing."""

    record: PreprocessCheck | None
    """For the manifest; None if nothing could be checked: no labels, or no images."""
    notes: tuple[str, ...]
    """What a person should know: sentences."""


def check_preprocess(
    images: LabelledImages,
    preprocess: Preprocess,
    output: OutputRecord,
    answers: RunSamples,
    trust: bool,
    dtype: str = "float32",
) -> CheckedPreprocess:
    """Run the source on at most 64 images of the calibration set, as stated and as each rival has it.

    `dtype`: the type of the input's values. Raises InputError with both figures if a rival, or another order
    of the classes, is significantly better, unless `trust`; and for `trust` where nothing is checked.
    """
    measurement = RivalMeasurement(images, images.calibration[:MOST_IMAGES], preprocess)
    labels, samples = measurement.stated.labels, len(measurement.stated)
    if trust and (labels is None or not samples):
        raise InputError(f"{TRUST}: {unchecked(images.name, samples)}; leave it out")
    if not samples:
        return CheckedPreprocess(None, (unchecked(images.name, samples),))
    values = answers(measurement.stated)
    notes = strange_outputs(images.name, values, output, images.classes)
    if labels is None:
        return CheckedPreprocess(None, (*notes, unchecked(images.name, samples)))
    stated = answers_to(values, labels, output)
    rivals = _judged(stated, measurement.measure(output, answers, dtype))
    order = _fitting_order(values, labels, output)
    complaint = _complaint(stated, _explanations(stated, rivals, order, images.classes))
    if complaint is not None and not trust:
        raise InputError(f"{images.name}: {complaint}; or go on with {TRUST}. Stated was: {preprocess.words}")
    trusted = () if complaint is None else (f"{images.name}: {complaint}; {TRUST} goes on",)
    return CheckedPreprocess(
        record=_record(stated, rivals, order, complaint is not None),
        notes=(
            *notes,
            *trusted,
            *few_images(images.name, len(stated)),
            *indistinguishable(images.name, len(stated), rivals),
        ),
    )


def _judged(stated: Answers, rivals: Sequence[MeasuredRival]) -> tuple[JudgedRival, ...]:
    return tuple(
        JudgedRival(each.rival, each.answers, compare(stated, each.answers, len(rivals))) for each in rivals
    )


def _fitting_order(values: Values, labels: Labels, output: OutputRecord) -> FittingOrder | None:
    decided = decisions(values, labels, output)
    if output.kind != "classes" or decided is None:
        return None
    return fitting_order(decided.scores.argmax(axis=1), labels, decided.scores.shape[1])


def _explanations(
    stated: Answers, rivals: Sequence[JudgedRival], order: FittingOrder | None, classes: Sequence[str]
) -> list[Explanation]:
    """Return what fits the labels better than what was stated: what changes least first.

    A much weaker explanation is a mere consequence: where the classes are in another order, answers by chance
    are better than the right ones.
    """
    found = [explanation_by_rival(stated, rival) for rival in rivals if rival.comparison.verdict == "better"]
    found += [] if order is None else [explanation_by_order(order, classes)]
    most = max((explanation.correct for explanation in found), default=0)
    close = LEAST_GAIN * stated.right.size / 2
    near = [explanation for explanation in found if explanation.correct >= most - close]
    fewest = min((explanation.changes for explanation in near), default=0)
    simple = [explanation for explanation in near if explanation.changes == fewest]
    return sorted(simple, key=lambda explanation: -explanation.correct)[:_MOST_EXPLANATIONS]


def _complaint(stated: Answers, explanations: Sequence[Explanation]) -> str | None:
    if not explanations:
        return None
    noun = "images" if stated.decisions == 1 else "decisions"
    as_stated = f"{stated.correct} of {stated.right.size} {noun} are right as stated"
    return "; ".join([as_stated, *(explanation.words for explanation in explanations)])


def _record(
    stated: Answers, rivals: Sequence[JudgedRival], order: FittingOrder | None, is_trusted: bool
) -> PreprocessCheck:
    return PreprocessCheck(
        images=len(stated),
        correct=stated.correct,
        decisions_each=stated.decisions,
        rivals=tuple(
            RivalRecord(
                name=each.rival.name,
                correct=each.answers.correct,
                parts=len(each.rival.changes),
                verdict=each.comparison.verdict,
            )
            for each in rivals
        ),
        fitting_order=None if order is None else order.order,
        trusted=is_trusted,
    )
