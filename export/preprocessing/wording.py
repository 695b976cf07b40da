"""What the check of preprocessing says to people. It measures and judges nothing."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bench.bundle.source_record import OutputRecord
from bench.statistics.scores import decisions
from export.preprocessing.class_order import FittingOrder
from export.preprocessing.judging import LEAST_GAIN, Answers, RivalComparison, Values
from export.preprocessing.rivals import Rival

_MOST_NAMES = 12
_FEWEST_TO_DIFFER = 8
_FEWEST_TO_JUDGE = 32
# Differences between outputs below this share of their size are rounding.
_ROUNDING = 1e-6


@dataclass(frozen=True)
class JudgedRival:
    """A rival with the verdict on it."""

    rival: Rival
    """The rival."""
    answers: Answers
    """How well the answers fit the labels."""
    comparison: RivalComparison
    """The verdict."""


@dataclass(frozen=True)
class Explanation:
    """What fits the labels better than what was stated."""

    correct: int
    """How many decisions are right with it."""
    changes: int
    """In how many parts it differs from what was stated."""
    words: str
    """What it is, and what to type: part of a sentence."""


def explanation_by_rival(stated: Answers, judged: JudgedRival) -> Explanation:
    """Return what to say of a better rival."""
    answers, rival = judged.answers, judged.rival
    return Explanation(
        answers.correct,
        len(rival.changes),
        f"{answers.correct} of {answers.right.size} with {rival.name} (p"
        f" {_in_short(judged.comparison.chance)}{_balanced(stated, answers)}); if the network was trained so,"
        f" state {rival.remedy}",
    )


def _balanced(stated: Answers, answers: Answers) -> str:
    """Return the balanced accuracies, where the number of right answers alone shows no large gain."""
    if answers.correct - stated.correct >= LEAST_GAIN * stated.right.size:
        return ""
    return f"; balanced accuracy {answers.balanced:.0%} instead of {stated.balanced:.0%}"


def _in_short(chance: float) -> str:
    return f"= {chance:.1g}" if chance >= 1e-4 else "below 0.0001"


def explanation_by_order(order: FittingOrder, classes: Sequence[str]) -> Explanation:
    """Return what to say of another order of the classes."""
    return Explanation(
        order.correct,
        1,
        f"the answers fit {_in_words(order, classes)}: {order.correct} of {order.images} instead of"
        f" {order.given_correct}; state the classes in the order of the network's output with --classes",
    )


def _in_words(order: FittingOrder, classes: Sequence[str]) -> str:
    names = [classes[index] if classes else str(index) for index in order.order]
    if len(names) <= _MOST_NAMES:
        return f"the classes in the order {', '.join(names)}"
    moved = [f"{place}: {name}" for place, name in enumerate(names) if order.order[place] != place]
    shown = ", ".join(moved[:_MOST_NAMES])
    return f"another order of the classes ({shown}{', …' if len(moved) > _MOST_NAMES else ''})"


def unchecked(name: str, images: int) -> str:
    """Say why nothing was checked: there are no labels, or no images."""
    if not images:
        return f"{name}: no image is left to check the preprocessing on"
    return f"{name}: without labels nothing checks how images are prepared"


def few_images(name: str, images: int) -> tuple[str, ...]:
    """Say that so few images do not tell much."""
    if images >= _FEWEST_TO_JUDGE:
        return ()
    return (f"{name}: {images} images check the preprocessing, which is few: a wrong one may go unnoticed",)


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
