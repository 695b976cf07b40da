"""The data sets that edgefit makes or downloads, by name, and those of its run folders."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from export.data.class_names import ordered_names, renumbered
from export.data.listing import Listing
from export.data.readable import ArrayImages, arrays_of
from models.dataset import Dataset, Split
from models.progress import Progress
from models.records import DataRecord
from models.run_folder import RECORD, read_run
from models.sources.loaders import NAMED, prepare_source
from models.sources.options import SourceOptions

__all__ = ["NAMED", "ListedImages", "is_run_folder", "list_named", "list_run"]

_DRAWN = 400


@dataclass(frozen=True)
class ListedImages:
    """A data set in memory."""

    listing: Listing
    """What is known of it."""
    images: ArrayImages
    """Its images."""


def is_run_folder(path: Path) -> bool:
    """Tell whether a path is a folder that fine-tuning wrote."""
    return (path / RECORD).is_file()


def list_run(path: Path, stated: tuple[str, ...]) -> ListedImages:
    """Return the images of a run folder, which have the size of its network. Raises InputError if it is
    damaged."""
    run = read_run(path)
    record, images = run.record, run.images
    splits = (("train", images.calibration), ("val", images.heldout), ("test", images.test))
    listed = _listed(str(path), record.data.name, record.classes, record.data, splits, stated)
    if record.positive_class is None:
        return listed
    return replace(listed, listing=replace(listed.listing, positive=record.positive_name))


def list_named(name: str, side: int, stated: tuple[str, ...], progress: Progress) -> ListedImages:
    """Return a data set of edgefit's own, which is drawn or downloaded, with images of `side` pixels."""
    options = SourceOptions(image_size=side, skip_bad=False, images=_DRAWN)
    dataset = prepare_source(name, options)(progress)
    splits = (("train", dataset.train), ("val", dataset.validation), ("test", dataset.test))
    return _listed(name, dataset.name, dataset.classes, dataset, splits, stated)


def _listed(
    where: str,
    name: str,
    names: tuple[str, ...],
    described: DataRecord | Dataset,
    splits: tuple[tuple[str, Split], ...],
    stated: tuple[str, ...],
) -> ListedImages:
    classes = ordered_names(where, names, stated) if stated else names
    pixels = np.concatenate([split.images for _, split in splits])
    listing = Listing(
        name=name,
        where=where,
        splits=tuple(label for label, split in splits for _ in range(len(split))),
        patients=(None,) * len(pixels),
        labels=renumbered(np.concatenate([split.labels for _, split in splits]), names, classes),
        classes=classes,
        warnings=described.warnings,
        notes=described.notes,
    )
    return ListedImages(listing, arrays_of(where, pixels, np.arange(len(pixels)), len(pixels)))
