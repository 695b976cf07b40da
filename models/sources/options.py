"""The options of every data source. It knows no source."""

from collections.abc import Callable
from dataclasses import dataclass

from models.dataset import Dataset
from models.progress import Progress

# Reads a source that has passed all cheap checks.
Loader = Callable[[Progress], Dataset]

# The split does not depend on --seed: runs with different seeds have the same test images, and no run trains
# on another run's test images.
SPLIT_SEED = 0
HELD_OUT_SHARE = 0.2


@dataclass(frozen=True)
class SourceOptions:
    """What the user may choose about a data source."""

    image_size: int
    """The side of the images in pixels."""
    skip_bad: bool
    """Whether images that cannot be decoded are skipped instead of being an error."""
    images: int
    """How many images to generate, for sources that generate them."""
    positive: str | None = None
    """The class of two that counts as positive, as stated; None: what the names of the classes say."""
