"""The options of every data source. It knows no source."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from models.dataset import Dataset
from models.errors import InputError
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
    strict_data: bool = False
    """Whether a warning on the data is an error."""
    positive: str | None = None
    """The class of two that counts as positive, as stated; None: what the names of the classes say."""


def refuse_warnings(where: str, warnings: Sequence[str], options: SourceOptions) -> None:
    """Raise an InputError that lists the warnings, if there are any and `strict_data` is set."""
    if warnings and options.strict_data:
        raise InputError(strict_data_sentence(where, warnings))


def strict_data_sentence(where: str, warnings: Sequence[str]) -> str:
    """Return what is said of data with warnings where these are errors."""
    listed = "".join(f"\n  - {sentence}" for sentence in warnings)
    count = "a warning is an error" if len(warnings) == 1 else f"{len(warnings)} warnings are errors"
    return f"{where}: with --strict-data {count}; change the data, or leave out --strict-data:{listed}"
