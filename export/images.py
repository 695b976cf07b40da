"""Chooses the images of an export: for calibration, for the search of a recipe, and for the evaluation pack.

Each comes from a split of its own. This module knows labels and splits, and runs no network.
"""

import numpy as np
import numpy.typing as npt

from models.dataset import Images, Labels, Split
from models.errors import InputError
from models.run_folder import RunFolder, RunImages

_SEED = 20
_MOST_HELD_OUT = 512
POSITIVE_CLASS = 1


def choose_images(labels: Labels, count: int) -> npt.NDArray[np.int64]:
    """Return the indices of at most `count` images, shuffled, every prefix about stratified by class.

    Image k of the n images of a class, in random order, gets the position (k + 0.5) / n. Sorting by position
    merges the classes.
    """
    random = np.random.default_rng(_SEED)
    positions = np.empty(len(labels))
    for label in np.unique(labels):
        members = random.permutation(np.flatnonzero(labels == label))
        positions[members] = (np.arange(len(members)) + 0.5) / len(members)
    order: npt.NDArray[np.int64] = np.lexsort((random.random(len(labels)), positions))
    return order[:count]


def calibration_images(images: RunImages, count: int) -> Images:
    """Return at most `count` training images, about stratified: uint8 [n, side, side(, 3)]."""
    return images.calibration.images[choose_images(images.calibration.labels, count)]


def held_out_images(images: RunImages) -> Split:
    """Return the validation images that int8 recipes are compared on."""
    return _sample(images.heldout, _MOST_HELD_OUT)


def evaluation_images(run: RunFolder, count: int) -> Split:
    """Return at most `count` test images; raises InputError if there are none."""
    if not len(run.images.test):
        raise InputError(
            f"{run.folder} has no test images to verify artifacts on; fine-tune with a test split"
        )
    return _sample(run.images.test, count)


def _sample(split: Split, count: int) -> Split:
    chosen = choose_images(split.labels, count)
    return Split(split.images[chosen], split.labels[chosen])
