"""What every source is told. It knows no source."""

from collections.abc import Callable
from dataclasses import dataclass

from models.dataset import Dataset
from models.progress import Progress

# A source that has been checked as far as is cheap, and only waits to be read.
Loader = Callable[[Progress], Dataset]

# One split for every --seed: seeds are compared on the same test images, and no run's
# test images are another run's training images.
SPLIT_SEED = 0
HELD_OUT_SHARE = 0.2


@dataclass(frozen=True)
class SourceOptions:
    """`image_size`: side in pixels; `images`: how many to generate, where they are generated."""

    image_size: int
    skip_bad: bool
    images: int
