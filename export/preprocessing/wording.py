"""What the check of preprocessing says to people. It measures and judges nothing."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bench.bundle.source_record import OutputRecord
from bench.statistics.scores import decisions
from export.preprocessing.class_order import FittingOrder
from export.preprocessing.judging import Answers, Comparison, Values
from export.preprocessing.rivals import Rival

_MOST_NAMES = 12
_FEWEST_TO_DIFFER = 8
# Differences between outputs below this share of their size are rounding.
_ROUNDING = 1e-6


@dataclass(frozen=True)
class JudgedRival:
    """A rival with the verdict on it."""

    rival: Rival
    """The rival."""
    answers: Answers
    """How well the answers fit the labels."""
    comparison: Comparison
    """The verdict."""


@dataclass(frozen=True)
class Finding:
    """What fits the labels better than what was stated."""

    correct: int
    """How many decisions are right with it."""
    changes: int
    """In how many parts it differs from what was stated."""
    words: str
    """What it is, and what to type: part of a sentence."""


def finding_of_rival(judged: JudgedRival) -> Finding:
    """Return what to say of a better rival."""
    answers, rival = judged.answers, judged.rival
    total = len(answers) * answers.decisions
    return Finding(
        answers.correct,
        len(rival.changes),
        f"{answers.correct} of {total} with {rival.name} (p {_in_short(judged.comparison.chance)}); if the"
        f" network was trained so, state {rival.remedy}",
    )


def _in_short(chance: float) -> str:
    return f"= {chance:.1g}" if chance >= 1e-4 else "below 0.0001"


def finding_of_order(order: FittingOrder, classes: Sequence[str]) -> Finding:
    """Return what to say of another order of the classes."""
    return Finding(
        order.correct,
        1,
        f"the answers fit {_in_words(order, classes)}: {order.correct} of {order.images} instead of"
        f" {order.given_correct}; give the classes the order of the network's output",
    )


def _in_words(order: FittingOrder, classes: Sequence[str]) -> str:
    names = [classes[index] if classes else str(index) for index in order.order]
    if len(names) <= _MOST_NAMES:
        return f"the classes in the order {', '.join(names)}"
    moved = [f"{place}: {name}" for place, name in enumerate(names) if order.order[place] != place]
    shown = ", ".join(moved[:_MOST_NAMES])
    return f"another order of the classes ({shown}{', …' if len(moved) > _MOST_NAMES else ''})"


def unchecked(name: str, is_labelled: bool) -> str:
    """Say why nothing was checked."""
    if is_labelled:
        return f"{name}: the output holds no classes, so nothing checks how images are prepared"
    return f"{name}: without labels nothing checks how images are prepared"


def indistinguishable(name: str, images: int, rivals: Sequence[JudgedRival]) -> tuple[str, ...]:
    """Name what may be otherwise without a clear difference, part by part."""
    equal = [
        each.rival.name
        for each in rivals
        if each.comparison.verdict == "equal" and len(each.rival.changes) == 1
    ]
    if not equal:
        return ()
    return (f"{name}: {images} images cannot tell the stated preprocessing from: {', '.join(equal)}",)


def strange_outputs(
    name: str, values: Values, output: OutputRecord, classes: Sequence[str]
) -> tuple[str, ...]:
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
