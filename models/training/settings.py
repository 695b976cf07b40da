"""How a network is trained, and what is chosen where the user chose nothing. It knows no data and no network.

The defaults were tuned on validation images alone.
"""

from dataclasses import dataclass

from models.weights_kind import WeightsKind

BATCH_SIZE = 32
# As many optimiser steps as a small set of images needs; a large one makes them in the fewest epochs.
STEPS_WANTED = 240


@dataclass(frozen=True)
class EpochRange:
    """How many epochs are trained where the user chose no number: between `fewest` and `most`."""

    fewest: int
    most: int


# From random weights all of the network is trained, which costs so much time that its epochs are fewer.
EPOCHS = {
    WeightsKind.IMAGENET: EpochRange(fewest=4, most=8),
    WeightsKind.FILE: EpochRange(fewest=4, most=8),
    WeightsKind.BUNDLED: EpochRange(fewest=4, most=5),
    WeightsKind.NONE: EpochRange(fewest=5, most=5),
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
    epochs = EPOCHS[kind]
    steps = max(1, training_images // BATCH_SIZE)
    return min(max(epochs.fewest, -(-STEPS_WANTED // steps)), epochs.most)
