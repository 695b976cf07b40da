"""Checks by measuring whether images are prepared as the network was trained: on labelled images, against
rivals. It knows how to ask for answers, not how a network is run.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from bench.bundle.evaluation_pack import Labels
from bench.bundle.input_preprocessing import Preprocess
from bench.bundle.source_record import OutputRecord, PreprocessCheck, RivalRecord
from bench.errors import InputError
from bench.statistics.scores import decisions
from export.data.images import LabelledImages
from export.data.samples import Samples
from export.preprocessing.class_order import FittingOrder, fitting_order
from export.preprocessing.judging import LEAST_GAIN, Answers, Comparison, Values, answers_to, compare
from export.preprocessing.rivals import Rival, rivals_of

MOST_IMAGES = 64
TRUST = "--trust-preprocess"
_COLOURED = 1.0
_MOST_NAMES = 12
_FEWEST_TO_DIFFER = 8
# Differences between outputs below this share of their size are rounding.
_ROUNDING = 1e-6

RunSamples = Callable[[Samples], Values]
"""Runs the source on samples: its judged output, float32 [samples, values]."""


@dataclass(frozen=True)
class CheckedPreprocess:
    """What was found about a stated preprocessing."""

    record: PreprocessCheck | None
    """For the manifest; None if nothing could be checked: no labels, or no classes."""
    notes: tuple[str, ...]
    """What a person should know: sentences."""


@dataclass(frozen=True)
class _Tried:
    """A rival that was measured."""

    rival: Rival
    answers: Answers
    comparison: Comparison


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
    of the classes, is significantly better, unless `trust`.
    """
    indices = images.calibration[:MOST_IMAGES]
    samples = _samples(images, indices, preprocess)
    if not len(samples):
        return CheckedPreprocess(None, (f"{images.name}: no image is left to check the preprocessing on",))
    values = answers(samples)
    notes = _notes_on(images.name, values, output, images.classes)
    stated = None if samples.labels is None else answers_to(values, samples.labels, output)
    if stated is None or samples.labels is None:
        return CheckedPreprocess(None, (*notes, _unchecked(images)))
    tried = _try_rivals(images, indices, samples, output, stated, answers, dtype)
    order = _other_order(values, samples.labels, output)
    complaint = _complaint(stated, _explanations(stated, tried, order, images.classes))
    if complaint is not None and not trust:
        raise InputError(f"{images.name}: {complaint}; or go on with {TRUST}")
    trusted = () if complaint is None else (f"{images.name}: {complaint}; {TRUST} goes on",)
    return CheckedPreprocess(
        record=_record(stated, tried, order, complaint is not None),
        notes=(*notes, *trusted, *_indistinguishable(images.name, len(stated), tried)),
    )


def _unchecked(images: LabelledImages) -> str:
    if images.labels is None:
        return f"{images.name}: without labels nothing checks how images are prepared"
    return f"{images.name}: the output holds no classes, so nothing checks how images are prepared"


def _samples(images: LabelledImages, indices: npt.NDArray[np.int64], preprocess: Preprocess) -> Samples:
    pixels = images.images.read([int(index) for index in indices], preprocess)
    return Samples(pixels, None if images.labels is None else images.labels[indices], preprocess)


def _try_rivals(
    images: LabelledImages,
    indices: npt.NDArray[np.int64],
    samples: Samples,
    output: OutputRecord,
    stated: Answers,
    answers: RunSamples,
    dtype: str,
) -> list[_Tried]:
    """Return every rival that gives other inputs, with the answers to them."""
    assert samples.preprocess is not None
    assert samples.labels is not None
    rivals = rivals_of(samples.preprocess, _are_coloured(samples), dtype)
    others = [(rival, _prepared(images, indices, samples, rival.preprocess)) for rival in rivals]
    different = [(rival, other) for rival, other in others if other is not None]
    measured = [(rival, answers_to(answers(other), samples.labels, output)) for rival, other in different]
    return [
        _Tried(rival, own, compare(stated, own, len(measured))) for rival, own in measured if own is not None
    ]


def _prepared(
    images: LabelledImages, indices: npt.NDArray[np.int64], samples: Samples, preprocess: Preprocess
) -> Samples | None:
    """Return the images as a rival has them; None if they are as stated."""
    stated = samples.preprocess
    assert stated is not None
    if (preprocess.resize, preprocess.crop_pct) == (stated.resize, stated.crop_pct):
        return replace(samples, preprocess=preprocess)
    other = _samples(images, indices, preprocess)
    assert samples.images is not None
    assert other.images is not None
    return None if np.array_equal(other.images, samples.images) else other


def _are_coloured(samples: Samples) -> bool:
    """Whether red and blue differ in some image by more than what compression does to grey."""
    pixels = samples.images
    if pixels is None or pixels.ndim == 3:
        return False
    differences = np.abs(pixels[..., 0].astype(np.int16) - pixels[..., 2]).mean(axis=(1, 2))
    return bool(differences.max() > _COLOURED)


def _other_order(values: Values, labels: Labels, output: OutputRecord) -> FittingOrder | None:
    decided = decisions(values, labels, output)
    if output.kind != "classes" or decided is None:
        return None
    return fitting_order(decided.scores.argmax(axis=1), labels, decided.scores.shape[1])


@dataclass(frozen=True)
class _Explanation:
    """What fits the labels better than what was stated."""

    correct: int
    """How many decisions are right with it."""
    words: str
    """What it is, and what to type: part of a sentence."""


def _explanations(
    stated: Answers, tried: Sequence[_Tried], order: FittingOrder | None, classes: Sequence[str]
) -> list[_Explanation]:
    """Return what explains the answers, the best first. A much weaker one is a mere consequence: where the
    classes are in another order, answers by chance are better than the right ones."""
    found = [_of_rival(each, len(stated)) for each in tried if each.comparison.verdict == "better"]
    found += [] if order is None else [_of_order(order, classes)]
    most = max((each.correct for each in found), default=0)
    near = [each for each in found if each.correct >= most - LEAST_GAIN * len(stated) * stated.decisions / 2]
    return sorted(near, key=lambda each: -each.correct)


def _of_rival(tried: _Tried, images: int) -> _Explanation:
    correct = tried.answers.correct
    total = images * tried.answers.decisions
    return _Explanation(
        correct,
        f"{correct} of {total} with {tried.rival.name} (p = {_in_short(tried.comparison.chance)});"
        f" if the network was trained so, state {tried.rival.remedy}",
    )


def _in_short(chance: float) -> str:
    return f"{chance:.1g}" if chance >= 1e-4 else "below 0.0001"


def _of_order(order: FittingOrder, classes: Sequence[str]) -> _Explanation:
    names = [classes[index] if classes else str(index) for index in order.order]
    if len(names) <= _MOST_NAMES:
        words = f"the classes in the order {', '.join(names)}"
    else:
        moved = [(place, name) for place, name in enumerate(names) if order.order[place] != place]
        shown = ", ".join(f"{place}: {name}" for place, name in moved[:_MOST_NAMES])
        words = f"another order of the classes ({shown}{', …' if len(moved) > _MOST_NAMES else ''})"
    return _Explanation(
        order.correct,
        f"the answers fit {words}: {order.correct} of {order.images} instead of {order.given_correct}; give"
        " the labels the order of the network's output",
    )


def _complaint(stated: Answers, explanations: Sequence[_Explanation]) -> str | None:
    if not explanations:
        return None
    noun = "images" if stated.decisions == 1 else "decisions"
    as_stated = f"{stated.correct} of {len(stated) * stated.decisions} {noun} are right as stated"
    return "; ".join([as_stated, *(explanation.words for explanation in explanations)])


def _record(
    stated: Answers, tried: Sequence[_Tried], order: FittingOrder | None, is_trusted: bool
) -> PreprocessCheck:
    return PreprocessCheck(
        images=len(stated),
        correct=stated.correct,
        decisions_each=stated.decisions,
        rivals=tuple(
            RivalRecord(name=each.rival.name, correct=each.answers.correct, verdict=each.comparison.verdict)
            for each in tried
        ),
        fitting_order=None if order is None else order.order,
        trusted=is_trusted,
    )


def _indistinguishable(name: str, images: int, tried: Sequence[_Tried]) -> tuple[str, ...]:
    """Name the rivals that the images do not rule out."""
    equal = [each.rival.name for each in tried if each.comparison.verdict == "equal"]
    if not equal:
        return ()
    return (f"{name}: {images} images cannot tell the stated preprocessing from: {', '.join(equal)}",)


def _notes_on(name: str, values: Values, output: OutputRecord, classes: Sequence[str]) -> tuple[str, ...]:
    """Return what is strange about the outputs, whatever the labels are."""
    count = len(values)
    if count < _FEWEST_TO_DIFFER:
        return ()
    if not np.isfinite(values).all():
        return (f"{name}: outputs are not finite for {_unfinite(values)} of {count} images",)
    size = float(np.abs(values).max())
    if float(np.ptp(values, axis=0).max()) <= _ROUNDING * size:
        why = "the network ignores its input, or the input's values have another range than in training"
        return (f"{name}: the output is the same for {count} images; {why}",)
    decided = decisions(values, None, output)
    if decided is None or output.kind != "classes":
        return ()
    answers = decided.scores.argmax(axis=1)
    if (answers != answers[0]).any():
        return ()
    answer = classes[answers[0]] if classes else f"class {answers[0]}"
    return (f"{name}: the answer is {answer} for all {count} images; the preprocessing may be wrong",)


def _unfinite(values: Values) -> int:
    return int((~np.isfinite(values)).any(axis=1).sum())
