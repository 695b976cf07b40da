"""How a network is trained, and what is chosen where the user chose nothing. It knows no data and no network.

The defaults were tuned on validation images alone.
"""

from dataclasses import dataclass

from models.starting_weights import WeightsKind

BATCH_SIZE = 32
# As many optimiser steps as a small set of images needs; a large one makes them in the fewest epochs.
STEPS_WANTED = 240


@dataclass(frozen=True)
class Defaults:
    """`unfreeze`: how many of the last feature blocks to train; epochs between `fewest` and `most`."""

    unfreeze: int
    fewest_epochs: int
    most_epochs: int


# ImageNet's early features serve X-rays as they are; random ones serve nothing, and training all of the
# network costs so much time that its epochs are fewer.
DEFAULTS = {
    WeightsKind.IMAGENET: Defaults(unfreeze=12, fewest_epochs=5, most_epochs=10),
    WeightsKind.FILE: Defaults(unfreeze=12, fewest_epochs=5, most_epochs=10),
    WeightsKind.BUNDLED: Defaults(unfreeze=15, fewest_epochs=5, most_epochs=10),
    WeightsKind.NONE: Defaults(unfreeze=19, fewest_epochs=5, most_epochs=5),
}


@dataclass(frozen=True)
class TrainingSettings:
    """`views`: how many augmented views of an image are kept where the first part is frozen."""

    epochs: int
    unfreeze: int
    seed: int
    flip: bool
    batch_size: int = BATCH_SIZE
    learning_rate: float = 5e-4
    rotation_degrees: float = 10.0
    views: int = 3
    patience: int = 4


def default_epochs(kind: WeightsKind, training_images: int) -> int:
    """How many epochs at most: more for fewer images, within what the weights allow."""
    defaults = DEFAULTS[kind]
    steps = max(1, training_images // BATCH_SIZE)
    return min(max(defaults.fewest_epochs, -(-STEPS_WANTED // steps)), defaults.most_epochs)
