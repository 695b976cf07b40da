"""Judges which of two ways to prepare images a network was trained with, by its answers to the same images.

Pure. A rival is better only if it gets clearly more images right, and if the images that it gets right, or
the probabilities of the right classes, differ by more than chance.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from bench.bundle.evaluation_pack import Labels
from bench.bundle.source_record import OutputRecord
from bench.statistics.scores import decisions
from bench.statistics.sign_flips import chance_of

Verdict = Literal["worse", "equal", "better"]
Values = npt.NDArray[np.float32]

LEAST_GAIN = 0.15
"""The share of the decisions that a better rival gets right in addition, at least: 10 images of 64."""
CHANCE = 0.1
"""How often chance alone may make some rival look better before the least gain is asked for. The two together
stop a right preprocessing far more rarely: measured, about twice in 1000 times."""
# So much more of a rare class must be right if that makes few more of all images right. A threshold that is
# a little off gains less.
_LEAST_BALANCED_GAIN = 0.3
# A class that a network excludes costs this much, however sure it is: a few images must not decide.
_LARGEST_DIFFERENCE = 3.0
_STEPS = 32
_LEAST_PROBABILITY = 1e-30


@dataclass(frozen=True)
class Answers:
    """How well a network's answers fit the labels of some images. Each array is [images, decisions], with one
    decision for an image, or one for each label."""

    right: npt.NDArray[np.bool_]
    """Whether each decision is right."""
    log_probability: npt.NDArray[np.float64]
    """The logarithm of the probability of what is right."""
    weights: npt.NDArray[np.float64]
    """How much each decision counts, 1 on average, so that every class counts as much as every other one."""

    def __len__(self) -> int:
        return len(self.right)

    @property
    def decisions(self) -> int:
        """How many decisions an image takes: 1, or the number of labels."""
        return int(self.right.shape[1])

    @property
    def correct(self) -> int:
        """How many decisions are right."""
        return int(self.right.sum())

    @property
    def balanced(self) -> float:
        """The share of decisions that are right, where every class counts as much as every other one."""
        return round(float((self.right * self.weights).mean()), 9)


@dataclass(frozen=True)
class RivalComparison:
    """A rival against the stated preprocessing."""

    verdict: Verdict
    """Whether the rival is better or worse; `equal` where that is not clear."""
    chance: float
    """How often chance alone would show this one rival to differ as much; 1 where the difference is too small
    to matter."""


def answers_to(values: Values, labels: Labels, output: OutputRecord) -> Answers:
    """Return how well values [images, values] fit the labels of an output that holds classes or labels."""
    decided = decisions(values, labels, output)
    assert decided is not None  # labels for any other output are refused
    assert decided.labels is not None
    scores, right_class = decided.scores.astype(np.float64), decided.labels
    is_finite: npt.NDArray[np.bool_] = np.asarray(np.isfinite(scores).all(axis=1))
    right = (scores.argmax(axis=1) == right_class) & is_finite
    logs = _log_probabilities(np.where(is_finite[:, None], scores, 0.0), output.activation)
    logs_of_right = np.where(is_finite, logs[np.arange(len(logs)), right_class], np.log(_LEAST_PROBABILITY))
    shape = (len(values), -1)
    return Answers(
        right=right.reshape(shape),
        log_probability=logs_of_right.reshape(shape),
        weights=balance(right_class.reshape(shape)),
    )


def balance(labels: Labels) -> npt.NDArray[np.float64]:
    """Return weights [images, decisions] with which all classes of a decision count the same."""
    weights = np.empty(labels.shape)
    for column in range(labels.shape[1]):
        _, classes, counts = np.unique(labels[:, column], return_inverse=True, return_counts=True)
        weights[:, column] = len(labels) / (len(counts) * counts[classes])
    return weights


def _log_probabilities(scores: npt.NDArray[np.float64], activation: str) -> npt.NDArray[np.float64]:
    if activation in ("softmax", "sigmoid"):
        logits = np.log(np.clip(scores, _LEAST_PROBABILITY, None))
    else:
        logits = scores - scores.max(axis=1, keepdims=True)
    logs: npt.NDArray[np.float64] = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    return logs


def compare(stated: Answers, rival: Answers, family: int) -> RivalComparison:
    """Judge a rival, one of so many, by the answers to the same images."""
    better: tuple[Verdict, Answers, Answers] = ("better", stated, rival)
    worse: tuple[Verdict, Answers, Answers] = ("worse", rival, stated)
    for verdict, less, more in (better, worse):
        if _is_clearly_better(less, more):
            chance = _chance(less, more)
            return RivalComparison(verdict if chance <= CHANCE / max(1, family) else "equal", chance)
    return RivalComparison("equal", 1.0)


def _is_clearly_better(less: Answers, more: Answers) -> bool:
    """Whether a gain matters: answering the commonest class more often is no gain over all classes."""
    gain = (more.correct - less.correct) / less.right.size
    balanced = more.balanced - less.balanced
    if gain <= 0 or balanced < LEAST_GAIN / 2:
        return False
    return gain >= LEAST_GAIN or balanced >= _LEAST_BALANCED_GAIN


def _chance(less: Answers, more: Answers) -> float:
    """Return the chance by two tests, of what is right and of its probability. The stronger one counts, so it
    counts twice. Images count the same, unless only the balanced gain is large."""
    is_large = more.correct - less.correct >= LEAST_GAIN * less.right.size
    weights = np.ones_like(less.weights) if is_large else less.weights
    right = more.right.astype(np.float64) - less.right
    probable = (more.log_probability - less.log_probability).clip(-_LARGEST_DIFFERENCE, _LARGEST_DIFFERENCE)
    return min(1.0, 2 * min(chance_of(_steps(values, weights)) for values in (right, probable)))


def _steps(differences: npt.NDArray[np.float64], weights: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Return the differences of each image in whole steps."""
    steps: npt.NDArray[np.int64] = np.rint((differences * weights).mean(axis=1) * _STEPS).astype(np.int64)
    return steps
