"""Chooses some of many samples, so that every class keeps about its share. It knows labels alone."""

import numpy as np
import numpy.typing as npt

from bench.bundle.evaluation_pack import Labels

_SEED = 20


def stratified_order(labels: Labels, count: int) -> npt.NDArray[np.int64]:
    """Return the indices of at most `count` samples, shuffled, every prefix about stratified by class.

    Sample k of the n samples of a class, in random order, gets the position (k + 0.5) / n. Sorting by
    position merges the classes.
    """
    random = np.random.default_rng(_SEED)
    positions = np.empty(len(labels))
    for label in np.unique(labels):
        members = random.permutation(np.flatnonzero(labels == label))
        positions[members] = (np.arange(len(members)) + 0.5) / len(members)
    order: npt.NDArray[np.int64] = np.lexsort((random.random(len(labels)), positions))
    return order[:count]


def strata_of(labels: Labels | None, count: int) -> Labels:
    """Return the stratum of each of `count` samples, numbered without gaps: its class.

    Of several labels it is the rarest one that applies, or none. Without labels all samples are in one.
    """
    if labels is None:
        return np.zeros(count, dtype=np.int64)
    single = labels if labels.ndim == 1 else _rarest_label(labels)
    return np.unique(single, return_inverse=True)[1].astype(np.int64).reshape(-1)


def _rarest_label(labels: Labels) -> Labels:
    from_rarest = np.argsort(labels.sum(axis=0), kind="stable")
    applies = labels[:, from_rarest] == 1
    rarest: Labels = np.where(applies.any(axis=1), applies.argmax(axis=1), labels.shape[1])
    return rarest
