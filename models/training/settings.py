"""How a network is trained, and what is chosen where the user chose nothing. It knows no data and no network.

The defaults were tuned on validation images alone.
"""

from dataclasses import dataclass

from models.starting_weights import WeightsKind

# How many of the last feature blocks are trained, by where the weights come from: ImageNet's early features
# serve X-rays as they are, random ones serve nothing.
DEFAULT_UNFREEZE = {
    WeightsKind.IMAGENET: 12,
    WeightsKind.FILE: 12,
    WeightsKind.BUNDLED: 15,
    WeightsKind.NONE: 19,
}
DEFAULT_EPOCHS = 8


@dataclass(frozen=True)
class TrainingSettings:
    """`views`: how many augmented views of an image are kept where the first part is frozen."""

    epochs: int
    unfreeze: int
    seed: int
    flip: bool
    batch_size: int = 32
    learning_rate: float = 1e-3
    rotation_degrees: float = 10.0
    views: int = 4
    patience: int = 4
