"""Splits a set of images in two, stratified by class, each patient on one side.

It knows labels and groups.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from models.dataset import Labels

Indices = npt.NDArray[np.int64]


def split_off(labels: Labels, groups: Sequence[str], share: float, seed: int) -> tuple[Indices, Indices]:
    """Return the remaining indices and the held-out indices: about `share` of each class, in whole groups.

    Groups come in a random order that `seed` fixes. A group is held out if that brings the held-out counts of
    all classes closer to their goal. If every group has one image, the counts are exact (rounded, at least
    1).
    """
    counts = np.bincount(labels)
    goal = np.where(counts > 1, np.maximum(1, np.rint(counts * share)), 0)
    missing = goal.astype(np.float64)
    is_held_out = np.zeros(len(labels), dtype=bool)
    for members in _shuffled_groups(groups, seed):
        added = np.bincount(labels[members], minlength=len(counts))
        if np.sum((missing - added) ** 2) < np.sum(missing**2):
            missing -= added
            is_held_out[members] = True
    return np.flatnonzero(~is_held_out), np.flatnonzero(is_held_out)


def _shuffled_groups(groups: Sequence[str], seed: int) -> list[Indices]:
    members: dict[str, list[int]] = {}
    for index, group in enumerate(groups):
        members.setdefault(group, []).append(index)
    listed = [np.asarray(indices, np.int64) for indices in members.values()]
    order = np.random.default_rng(seed).permutation(len(listed))
    return [listed[position] for position in order]


def sample_stratified(labels: Labels, count: int, seed: int) -> Indices:
    """Return the indices of at most `count` images, stratified, in the set's own order.

    Classes of few images do not divide by shares: then each class has one image, as far as there is room, and
    its share of what room is left.
    """
    if len(labels) <= count:
        return np.arange(len(labels))
    ungrouped = [str(index) for index in range(len(labels))]
    _, chosen = split_off(labels, ungrouped, count / len(labels), seed)
    has_all_classes = len(np.unique(labels[chosen])) == len(np.unique(labels))
    return chosen if has_all_classes and len(chosen) <= count else _every_class_first(labels, count, seed)


def _every_class_first(labels: Labels, count: int, seed: int) -> Indices:
    """Return the indices of `count` images: one of each class, in a random order, then by share."""
    random = np.random.default_rng(seed)
    positions = np.empty(len(labels))
    for label in np.unique(labels):
        members = random.permutation(np.flatnonzero(labels == label))
        positions[members] = np.arange(len(members)) / len(members)
    order = np.lexsort((random.random(len(labels)), positions))
    return np.sort(order[:count])
