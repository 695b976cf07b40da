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
