"""Where starting weights come from, in words. It knows no weights and imports no torch."""

from enum import Enum


class WeightsKind(str, Enum):
    """Where starting weights come from."""

    IMAGENET = "imagenet"
    BUNDLED = "bundled"
    NONE = "none"
    FILE = "file"
