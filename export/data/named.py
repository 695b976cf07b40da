"""The data sets that edgefit makes or downloads, by name. It knows no kind of file."""

from dataclasses import dataclass

import numpy as np

from export.data.class_names import ordered_names, renumbered
from export.data.listing import Listing
from export.data.readable import ArrayImages, arrays_of
from models.progress import Progress
from models.sources.loaders import NAMED, prepare_source
from models.sources.options import SourceOptions

__all__ = ["NAMED", "ListedImages", "list_named"]

_DRAWN = 400


@dataclass(frozen=True)
class ListedImages:
    """A data set in memory."""

    listing: Listing
    """What is known of it."""
    images: ArrayImages
    """Its images."""


def list_named(name: str, side: int, stated: tuple[str, ...], progress: Progress) -> ListedImages:
    """Return a data set of edgefit's own, which is drawn or downloaded, with images of `side` pixels."""
    options = SourceOptions(image_size=side, skip_bad=False, images=_DRAWN)
    dataset = prepare_source(name, options)(progress)
    splits = (("train", dataset.train), ("val", dataset.validation), ("test", dataset.test))
    classes = ordered_names(name, dataset.classes, stated)
    pixels = np.concatenate([split.images for _, split in splits])
    listing = Listing(
        name=dataset.name,
        where=name,
        splits=tuple(label for label, split in splits for _ in range(len(split))),
        patients=(None,) * len(pixels),
        labels=renumbered(np.concatenate([split.labels for _, split in splits]), dataset.classes, classes),
        classes=classes,
        notes=dataset.notes,
    )
    return ListedImages(listing, arrays_of(name, pixels, np.arange(len(pixels)), len(pixels)))
