"""Which classes are taken for which."""

import numpy as np

from bench.statistics.confusion import ConfusedPair, confused_pairs, confusion_matrix

LABELS, PREDICTED = np.array([0, 0, 0, 1, 2, 2]), np.array([0, 2, 2, 0, 2, 1])


def test_the_matrix_has_a_row_for_each_right_class() -> None:
    assert confusion_matrix(PREDICTED, LABELS, 4).tolist() == [
        [1, 0, 2, 0],
        [1, 0, 0, 0],
        [0, 1, 1, 0],
        [0, 0, 0, 0],
    ]


def test_the_most_frequent_confusion_comes_first_and_right_answers_are_none() -> None:
    assert confused_pairs(PREDICTED, LABELS) == [
        ConfusedPair(right=0, given=2, samples=2),
        ConfusedPair(right=1, given=0, samples=1),
        ConfusedPair(right=2, given=1, samples=1),
    ]
    assert confused_pairs(LABELS, LABELS) == []
