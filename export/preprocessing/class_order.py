"""Finds whether a network's classes stand in another order than the labels' classes. Pure.

An order is found on one half of the images and judged on the other, both ways, because among many classes
some order fits any answers.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bench.bundle.evaluation_pack import Labels
from bench.statistics.sign_flips import chance_of
from export.preprocessing.judging import LEAST_GAIN, balance

Indices = npt.NDArray[np.int64]

CHANCE = 0.01
"""How often chance alone may make another order fit better."""
_LEAST_SHARE = 0.5
_STEPS = 32


@dataclass(frozen=True)
class FittingOrder:
    """An order of the classes that the answers fit better than the given one."""

    order: tuple[int, ...]
    """For each of the network's classes, the class of the labels that it answers."""
    correct: int
    """How many images are right in this order."""
    given_correct: int
    """How many images are right in the given order."""
    images: int
    """How many images there are."""


def fitting_order(answers: Indices, labels: Labels, classes: int) -> FittingOrder | None:
    """Return the order in which a network's answers fit the labels; None unless it is clearly another one."""
    order = best_order(answers, labels, classes)
    weights = balance(labels[:, None])[:, 0]
    fits, given = order[answers] == labels, answers == labels
    share, given_share = float((fits * weights).mean()), float((given * weights).mean())
    is_clear = share - given_share >= LEAST_GAIN and share >= _LEAST_SHARE
    if not is_clear or _chance(answers, labels, classes, weights) > CHANCE:
        return None
    return FittingOrder(tuple(map(int, order)), int(fits.sum()), int(given.sum()), len(labels))


def _chance(answers: Indices, labels: Labels, classes: int, weights: npt.NDArray[np.float64]) -> float:
    """Return the chance that the better fit of an order to images on which it was not found is luck."""
    half = np.empty(len(labels), dtype=bool)
    by_class = np.argsort(labels, kind="stable")
    half[by_class] = np.arange(len(labels)) % 2 == 0
    differences = np.zeros(len(labels))
    for part in (half, ~half):
        order = best_order(answers[~part], labels[~part], classes)
        fits = order[answers[part]] == labels[part]
        differences[part] = fits.astype(np.float64) - (answers[part] == labels[part])
    return chance_of(np.rint(differences * weights * _STEPS).astype(np.int64))


def best_order(answers: Indices, labels: Labels, classes: int) -> Indices:
    """Return the order that makes most answers right. Classes without evidence keep their places if they
    can."""
    counts = np.zeros((classes, classes), dtype=np.int64)
    np.add.at(counts, (answers, labels), 1)
    seen, needed = np.unique(answers), np.unique(labels)
    order = np.full(classes, -1, dtype=np.int64)
    # Between orders of equal merit, a class keeps its place.
    merits = counts[np.ix_(seen, needed)] * (classes + 1) + (seen[:, None] == needed)
    for row, column in enumerate(assign(merits)):
        if column >= 0 and counts[seen[row], needed[column]]:
            order[seen[row]] = needed[column]
    return _completed(order)


def _completed(order: Indices) -> Indices:
    free = set(range(len(order))) - set(order.tolist())
    for index in np.flatnonzero(order < 0).tolist():
        if index in free:
            order[index] = index
            free.remove(index)
    order[order < 0] = sorted(free)
    return order


def assign(merits: npt.NDArray[np.int64]) -> Indices:
    """Return for each row its column, each column once, with the largest sum; −1 for a row without one.

    The Hungarian method: each row is added by a cheapest path through the rows before it.
    """
    size = max(merits.shape)
    costs = np.zeros((size + 1, size + 1))
    costs[1 : merits.shape[0] + 1, 1 : merits.shape[1] + 1] = -merits
    of_row, of_column = np.zeros(size + 1), np.zeros(size + 1)
    row_of = np.zeros(size + 1, dtype=np.int64)
    for row in range(1, size + 1):
        _add_row(row, costs, of_row, of_column, row_of)
    column_of = np.empty(size + 1, dtype=np.int64)
    column_of[row_of[1:]] = np.arange(1, size + 1)
    columns = column_of[1 : merits.shape[0] + 1] - 1
    return np.where(columns < merits.shape[1], columns, -1)


def _add_row(
    row: int,
    costs: npt.NDArray[np.float64],
    of_row: npt.NDArray[np.float64],
    of_column: npt.NDArray[np.float64],
    row_of: Indices,
) -> None:
    """Give a row a column, moving earlier rows where that is cheaper. Row and column 0 stand for none."""
    size = len(costs)
    least, before = np.full(size, np.inf), np.zeros(size, dtype=np.int64)
    is_used = np.zeros(size, dtype=bool)
    row_of[0], column = row, 0
    while row_of[column]:
        is_used[column] = True
        reduced = costs[row_of[column]] - of_row[row_of[column]] - of_column
        is_nearer = ~is_used & (reduced < least)
        is_nearer[0] = False
        least[is_nearer], before[is_nearer] = reduced[is_nearer], column
        column = int(np.argmin(np.where(is_used | (np.arange(size) == 0), np.inf, least)))
        step = least[column]
        of_row[row_of[is_used]] += step
        of_column[is_used] -= step
        least[~is_used] -= step
    while column:
        row_of[column] = row_of[before[column]]
        column = int(before[column])
