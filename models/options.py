"""What the user may choose about fine-tuning. It reads nothing, and imports no torch."""

from dataclasses import dataclass

from models.architecture import is_of_timm
from models.architectures import ARCHITECTURES, require_known
from models.errors import InputError
from models.weights_kind import weights_kind

IMAGE_SIZES = (32, 1024)
MOST_EPOCHS = 1000
MOST_SEED = 2**32 - 1


@dataclass(frozen=True)
class FinetuneOptions:
    """The options of `edgefit finetune`."""

    data: str
    """The data source: a name, an .npz file, a CSV file or a folder."""
    arch: str = "mobilenet_v2"
    """The architecture."""
    weights: str = "imagenet"
    """The starting weights: a name or a file."""
    image_size: int = 224
    """The side of the network's input in pixels."""
    epochs: int | None = None
    """The most epochs to train; None: the default for the weights."""
    unfreeze: int | None = None
    """How many of the last feature blocks are trained; None: the default for the weights."""
    seed: int = 0
    """The seed of everything random."""
    flip: bool = True
    """Whether images are flipped left to right at random."""
    skip_bad: bool = False
    """Whether images that cannot be decoded are skipped instead of being an error."""
    strict_data: bool = False
    """Whether a warning on the data, such as files that were left out, is an error."""
    images: int = 1000
    """How many images the source 'synthetic' generates."""
    positive: str | None = None
    """The class of two that counts as positive; None: what the names of the classes say, or label 1."""
    max_threads: int | None = None
    """The most threads that torch uses; None: as many as torch itself chooses."""


def check_options(options: FinetuneOptions) -> None:
    """Raise InputError for the first option that cannot be used, whatever the data.

    How many blocks a network of timm has is not known before torch is imported.
    """
    require_known(options.arch)
    weights_kind(options.weights)
    _check_range("--image-size", options.image_size, *IMAGE_SIZES)
    _check_range("--seed", options.seed, 0, MOST_SEED)
    _check_range("--epochs", options.epochs, 1, MOST_EPOCHS)
    if not is_of_timm(options.arch):
        check_unfreeze(options.unfreeze, ARCHITECTURES[options.arch].blocks)


def check_unfreeze(unfreeze: int | None, blocks: int) -> None:
    """Raise InputError for a number of blocks that a network with so many `blocks` does not have."""
    _check_range("--unfreeze", unfreeze, 0, blocks)


def _check_range(option: str, value: int | None, low: int, high: int) -> None:
    if value is not None and not low <= value <= high:
        raise InputError(f"{option} {value} is out of range; give an integer from {low} to {high}")
