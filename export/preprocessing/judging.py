"""Judges which of two ways to prepare images a network was trained with, by its answers to the same images.

Pure. A rival is better only if it gets clearly more images right, and if the images that it gets right, or
the probabilities of the right classes, differ by more than chance.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from bench.bundle.evaluation_pack import Labels
from bench.bundle.source_record import OutputRecord
from bench.statistics.scores import decisions

Verdict = Literal["worse", "equal", "better"]
Values = npt.NDArray[np.float32]

LEAST_GAIN = 0.125
"""The share of the images that a better rival gets right in addition, at least: 8 of 64."""
CHANCE = 0.01
"""How often chance alone may make some rival look better."""
# A class that a network excludes costs this much, however sure it is: a few images must not decide.
_LARGEST_DIFFERENCE = 3.0
_STEPS = 32
_LEAST_PROBABILITY = 1e-30


@dataclass(frozen=True)
class Answers:
    """How well a network's answers fit the labels of some images."""

    right: npt.NDArray[np.int64]
    """How many decisions are right for each image."""
    log_probability: npt.NDArray[np.float64]
    """The logarithm of the probability of what is right, for each image: the mean of its decisions."""
    decisions: int
    """How many decisions an image takes: 1, or the number of labels."""

    def __len__(self) -> int:
        return len(self.right)

    @property
    def correct(self) -> int:
        """How many decisions are right."""
        return int(self.right.sum())


@dataclass(frozen=True)
class Comparison:
    """A rival against the stated preprocessing."""

    verdict: Verdict
    """Whether the rival is better, worse, or cannot be told apart."""
    chance: float
    """How often chance alone would show some rival to differ as much; 1 where the difference is too small to
    matter."""


def answers_to(values: Values, labels: Labels, output: OutputRecord) -> Answers | None:
    """Return how well values [images, values] fit the labels; None if the output holds no classes."""
    decided = decisions(values, labels, output)
    if decided is None or decided.labels is None:
        return None
    scores, right_class = decided.scores.astype(np.float64), decided.labels
    is_finite: npt.NDArray[np.bool_] = np.asarray(np.isfinite(scores).all(axis=1))
    right = (scores.argmax(axis=1) == right_class) & is_finite
    logs = _log_probabilities(np.where(is_finite[:, None], scores, 0.0), output.activation)
    logs_of_right = np.where(is_finite, logs[np.arange(len(logs)), right_class], np.log(_LEAST_PROBABILITY))
    each = len(right) // len(values)
    return Answers(
        right=right.reshape(-1, each).sum(axis=1),
        log_probability=logs_of_right.reshape(-1, each).mean(axis=1),
        decisions=each,
    )


def _log_probabilities(scores: npt.NDArray[np.float64], activation: str) -> npt.NDArray[np.float64]:
    if activation in ("softmax", "sigmoid"):
        logits = np.log(np.clip(scores, _LEAST_PROBABILITY, None))
    else:
        logits = scores - scores.max(axis=1, keepdims=True)
    logs: npt.NDArray[np.float64] = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    return logs


def compare(stated: Answers, rival: Answers, family: int) -> Comparison:
    """Judge a rival, one of so many, by the answers to the same images."""
    differences = rival.right - stated.right
    gain = int(differences.sum())
    if abs(gain) < LEAST_GAIN * len(stated) * stated.decisions:
        return Comparison("equal", 1.0)
    sign = 1 if gain > 0 else -1
    chance = min(1.0, family * _chance(sign * differences, sign * _steps(stated, rival)))
    if chance > CHANCE:
        return Comparison("equal", chance)
    return Comparison("better" if gain > 0 else "worse", chance)


def _chance(right: npt.NDArray[np.int64], steps: npt.NDArray[np.int64]) -> float:
    """Return the chance by two tests of which the stronger one counts, so it counts twice."""
    return min(1.0, 2 * min(chance_of(right), chance_of(steps)))


def _steps(stated: Answers, rival: Answers) -> npt.NDArray[np.int64]:
    """Return the differences of the log-probabilities, limited and in whole steps."""
    differences = rival.log_probability - stated.log_probability
    limited = differences.clip(-_LARGEST_DIFFERENCE, _LARGEST_DIFFERENCE)
    steps: npt.NDArray[np.int64] = np.rint(limited * _STEPS).astype(np.int64)
    return steps


def chance_of(differences: Sequence[int] | npt.NDArray[np.int64]) -> float:
    """Return how often the sum is at least as large if each difference has its sign by chance. Exact.

    For differences of −1, 0 and 1 this is McNemar's exact test, one-sided.
    """
    sizes = [abs(int(difference)) for difference in differences if difference]
    total = sum(sizes)
    # sums[i]: the chance of the sum i - total.
    sums = np.zeros(2 * total + 1)
    sums[total] = 1.0
    for size in sizes:
        sums = (np.roll(sums, size) + np.roll(sums, -size)) / 2
    return min(1.0, float(sums[total + int(np.sum(differences)) :].sum()))
