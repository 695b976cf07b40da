"""Lists and reads the images of an npz file with MedMNIST's keys. Only the chosen images are in memory."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.bundle.evaluation_pack import Labels
from bench.errors import InputError
from export.data.class_names import listed, ordered_names, renumbered
from export.data.listing import Indices, Listing
from export.data.readable import ArrayImages, arrays_of
from models.progress import Progress
from models.sources.array_words import images_fault, label_type_fault
from models.sources.medmnist import NAMES_NOTE, known_classes
from models.sources.names import check_class_names, check_path
from user_files.arrays import ArrayFile, ArraysError, cannot_be_read, open_arrays
from user_files.faults import why_unreadable
from user_files.printable import printable

_SPLITS = ("train", "val", "test")
_CLASSES = "classes"
_NEEDED = (
    "it needs MedMNIST's keys: train_images and train_labels, val_images and val_labels, test_images and "
    "test_labels, or some of these pairs"
)


@dataclass(frozen=True)
class _Split:
    """One split of a file."""

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    labels: Labels


@dataclass(frozen=True)
class ListedArrays:
    """A data set of images in an npz file."""

    listing: Listing
    """What is known of them."""
    path: Path
    """The file."""
    splits: tuple[str, ...]
    """The splits that it has, in the order of the listing."""
    pixel_shape: tuple[int, ...]
    """Height and width of each image, and 3 or 1 if it has channels as a last axis."""
    dtype: np.dtype[Any]
    """The type of their values: uint8 or uint16."""

    def read(self, chosen: Indices, progress: Progress) -> ArrayImages:
        """Return the chosen images; raises InputError if the file is damaged."""
        progress.begin("Reading images", len(chosen))
        rows = np.argsort(chosen)
        pixels = np.empty((len(chosen), *_plain(self.pixel_shape)), dtype=self.dtype)
        wanted = iter(zip(rows.tolist(), chosen[rows].tolist(), strict=True))
        pending = next(wanted, None)
        for first, images in self._chunks():
            while pending is not None and pending[1] < first + len(images):
                pixels[pending[0]] = images[pending[1] - first].reshape(pixels.shape[1:])
                progress.advance()
                pending = next(wanted, None)
            if pending is None:
                break
        return arrays_of(str(self.path), pixels, chosen, len(self.listing))

    def _chunks(self) -> Iterator[tuple[int, npt.NDArray[Any]]]:
        """Yield all images in order, some at a time, with the index of the first of them."""
        start = 0
        with _opened(self.path) as archive:
            for split in self.splits:
                key = f"{split}_images"
                try:
                    for images in archive.rows(key):
                        yield start, images
                        start += len(images)
                except (OSError, ArraysError) as error:
                    raise _unreadable(self.path, key, error) from error


def _plain(shape: tuple[int, ...]) -> tuple[int, ...]:
    return shape[:2] if shape[2:] == (1,) else shape


@contextmanager
def _opened(path: Path) -> Iterator[ArrayFile]:
    try:
        with open_arrays(path) as file:
            yield file
    except (OSError, ArraysError) as error:
        raise InputError(
            why_unreadable(path) or f"{path}: is no readable npz file ({error}); write it with numpy.savez"
        ) from None


def _unreadable(path: Path, key: str, error: Exception) -> InputError:
    return InputError(
        why_unreadable(path)
        or f"{path}: '{key}' {cannot_be_read(error, 'write plain arrays with numpy.savez')}"
    )


def list_npz(path: Path, stated: tuple[str, ...]) -> ListedArrays:
    """Return what an npz file holds; `stated` are the names of the classes, if they are known.

    Reads the labels, and of the images their shapes alone. Raises InputError for whatever does not fit.
    """
    check_path(path, "--data")
    with _opened(path) as archive:
        keys = set(archive.names)
        present = [name for name in _SPLITS if f"{name}_images" in keys or f"{name}_labels" in keys]
        if not present:
            raise InputError(
                f"{path}: has the keys {printable(', '.join(sorted(keys))) or '(none)'}; {_NEEDED}"
            )
        splits = [_split(path, archive, name, keys) for name in present]
        names = _names(path, archive, keys)
    _refuse_different(path, splits)
    labels = np.concatenate([split.labels for split in splits])
    own = names or _known(path, labels)
    _refuse_outside(path, splits, names or stated or own)
    classes = _ordered(path, names, own, stated, labels.ndim == 2)
    if own and classes != own and set(own) <= set(classes):
        labels = renumbered(labels, own, classes)
    listing = Listing(
        name=path.stem,
        where=str(path),
        splits=tuple(split.name for split in splits for _ in split.labels),
        patients=(None,) * len(labels),
        labels=labels,
        classes=classes,
        notes=(NAMES_NOTE,) if own and not names and not stated else (),
    )
    return ListedArrays(listing, path, tuple(present), splits[0].shape[1:], splits[0].dtype)


def _split(path: Path, archive: ArrayFile, name: str, keys: set[str]) -> _Split:
    for key in (f"{name}_images", f"{name}_labels"):
        if key not in keys:
            raise InputError(f"{path}: key '{key}' is missing; {_NEEDED}")
    images, labels = f"{name}_images", f"{name}_labels"
    try:
        header = archive.header(images)
    except (OSError, ArraysError) as error:
        raise _unreadable(path, images, error) from error
    values = _array(path, archive, labels)
    _refuse_other_pixels(f"{path}: {images}", header.shape, header.dtype)
    split = _Split(name, header.shape, header.dtype, _labels_of(f"{path}: {labels}", values))
    if len(split.labels) != header.shape[0]:
        raise InputError(
            f"{path}: {name} has {header.shape[0]} images and {len(split.labels)} labels; give one label "
            "per image"
        )
    return split


def _array(path: Path, archive: ArrayFile, key: str) -> npt.NDArray[Any]:
    try:
        return archive.read(key)
    except (OSError, ArraysError) as error:
        raise _unreadable(path, key, error) from error


def _refuse_other_pixels(where: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    if dtype not in (np.dtype(np.uint8), np.dtype(np.uint16)):
        raise InputError(f"{where} has the type {dtype}; give uint8 or uint16")
    fault = images_fault(shape)
    if fault is not None:
        raise InputError(f"{where} {fault}")


def _labels_of(where: str, values: npt.NDArray[Any]) -> Labels:
    """Return [n] for one label per image, [n, k] for several."""
    fault = label_type_fault(values)
    if fault is not None:
        raise InputError(f"{where} {fault}")
    if values.ndim not in (1, 2) or 0 in values.shape[1:]:
        raise InputError(
            f"{where} has the shape {list(values.shape)}; give [n] or [n, 1], or [n, k] for k labels"
        )
    single = values[:, 0] if values.shape[1:] == (1,) else values
    labels = single.astype(np.int64)
    if labels.size and labels.min() < 0:
        raise InputError(f"{where} holds {labels.min()}; give whole numbers from 0")
    if labels.ndim == 2 and labels.size and labels.max() > 1:
        raise InputError(
            f"{where} has {labels.shape[1]} columns and holds {labels.max()}; several labels are 0 or 1 "
            "each, and one class per image has one column"
        )
    return labels


def _names(path: Path, archive: ArrayFile, keys: set[str]) -> tuple[str, ...]:
    if _CLASSES not in keys:
        return ()
    names = tuple(str(name) for name in _array(path, archive, _CLASSES).ravel())
    check_class_names(f"{path}: {_CLASSES}", names)
    return names


def _known(path: Path, labels: Labels) -> tuple[str, ...]:
    """Return the names of a collection that edgefit knows, if the labels fit it."""
    count = labels.shape[1] if labels.ndim == 2 else int(labels.max(initial=-1)) + 1
    return known_classes(path.stem, count)


def _ordered(
    path: Path, names: tuple[str, ...], own: tuple[str, ...], stated: tuple[str, ...], is_several: bool
) -> tuple[str, ...]:
    """Return the classes in the order of the output: the file's own, unless another order is stated."""
    if names and stated:
        if is_several and set(names) != set(stated):
            raise InputError(
                f"{path}: {_CLASSES} names the labels {listed(names)}, and {listed(stated)} are stated; "
                "state the same ones, in the order of the output"
            )
        return ordered_names(f"{path}: {_CLASSES}", names, stated)
    return stated or own


def _refuse_different(path: Path, splits: list[_Split]) -> None:
    first = splits[0]
    for split in splits[1:]:
        if split.dtype != first.dtype:
            raise InputError(
                f"{path}: {first.name}_images are {first.dtype}, and {split.name}_images {split.dtype}; give "
                "all splits of one type"
            )
        if split.shape[1:] != first.shape[1:] or split.labels.shape[1:] != first.labels.shape[1:]:
            raise InputError(
                f"{path}: {first.name} has images {list(first.shape[1:])} and labels "
                f"{list(first.labels.shape[1:])}, and {split.name} {list(split.shape[1:])} and "
                f"{list(split.labels.shape[1:])}; give all splits of one shape"
            )


def _refuse_outside(path: Path, splits: list[_Split], classes: tuple[str, ...]) -> None:
    if not classes:
        return
    for split in splits:
        if split.labels.ndim == 2:
            count, what = split.labels.shape[1], "columns"
            fits = count == len(classes)
        else:
            count, what = int(split.labels.max(initial=-1)), "as its highest label"
            fits = count < len(classes)
        if not fits:
            raise InputError(
                f"{path}: {split.name}_labels has {count} {what}, and {len(classes)} classes are named "
                f"({listed(classes)}); name them all, with --classes, in the order of the output"
            )
