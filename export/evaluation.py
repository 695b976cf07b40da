"""Chooses the images artifacts are judged on. It sees the test split and no other, and asks no network."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.dataset import Images, Labels
from models.errors import InputError
from models.run_folder import Run

_SEED = 20
POSITIVE_CLASS = 1


@dataclass(frozen=True)
class Chosen:
    """`images`: uint8 [n, side, side] or [n, side, side, 3]; `labels`: int64 [n]."""

    images: Images
    labels: Labels


def choose_images(labels: Labels, count: int) -> npt.NDArray[np.int64]:
    """Return the indices of at most `count` images, shuffled, every prefix about stratified by class.

    Image k of a class of n, in random order, stands at (k + 0.5) / n; sorting by that merges the classes.
    """
    random = np.random.default_rng(_SEED)
    places = np.empty(len(labels))
    for label in np.unique(labels):
        members = random.permutation(np.flatnonzero(labels == label))
        places[members] = (np.arange(len(members)) + 0.5) / len(members)
    order: npt.NDArray[np.int64] = np.lexsort((random.random(len(labels)), places))
    return order[:count]


def choose_evaluation_images(run: Run, count: int) -> Chosen:
    """Return at most `count` test images; raises InputError if there are none."""
    test = run.images.test
    if not len(test):
        raise InputError(f"{run.folder}: holds no test images to verify on; fine-tune with a test split")
    chosen = choose_images(test.labels, count)
    return Chosen(test.images[chosen], test.labels[chosen])
