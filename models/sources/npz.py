"""Reads an .npz file with MedMNIST's keys. It knows arrays and labels, no image files and no downloads."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from models.dataset import Dataset, Images, Labels, Split
from models.errors import InputError
from models.positive import positive_class
from models.progress import Progress
from models.resizing import resize_all
from models.sources.array_warnings import array_warnings
from models.sources.array_words import images_fault, labels_fault, numbering_fault
from models.sources.medmnist import NAMES_NOTE, known_classes
from models.sources.names import check_class_names, check_path
from models.sources.options import HELD_OUT_SHARE, SPLIT_SEED, Loader, SourceOptions
from models.sources.splitting import split_off
from user_files.arrays import ArrayFile, ArraysError, cannot_be_read, open_arrays, sha256_of_array
from user_files.bits_in_use import ImageFacts, bits_in_use
from user_files.decoding import eight_bits_of
from user_files.faults import why_unreadable
from user_files.hashes import sha256_of_all
from user_files.printable import printable
from user_files.wording import listed
from user_files.zip_names import is_zip

SPLITS = ("train", "val", "test")
REQUIRED = ("train_images", "train_labels", "test_images", "test_labels")
VALIDATION = ("val_images", "val_labels")
# As many as ImageNet has. Higher labels are probably numbers of patients, or damaged.
MOST_UNNAMED_CLASSES = 1000


def prepare_npz(path: Path, options: SourceOptions, classes: Sequence[str] | None = None) -> Loader:
    """Check that the file is an .npz file with the keys; `classes` are the names if the file has none."""
    check_path(path, "--data")
    keys = _read_keys(path)
    missing = [key for key in REQUIRED if key not in keys]
    if len(set(VALIDATION) - keys) == 1:
        missing += set(VALIDATION) - keys
    if keys and not any("label" in key.lower() for key in keys):
        raise InputError(
            f"{path}: has no labels (it has: {printable(', '.join(sorted(keys)))}); fine-tuning needs the "
            f"class of each image; use MedMNIST's keys: {', '.join((*REQUIRED, *VALIDATION))}"
        )
    if missing:
        raise InputError(
            f"{path}: key '{missing[0]}' is missing; it needs MedMNIST's keys: "
            f"{', '.join((*REQUIRED, *VALIDATION))} "
            f"(it has: {printable(', '.join(sorted(keys))) or 'none'})"
        )

    def load(progress: Progress) -> Dataset:
        return _load(path, options, classes, progress)

    return load


def _read_keys(path: Path) -> set[str]:
    if not is_zip(path):
        raise InputError(
            why_unreadable(path)
            or f"{path} is not a readable .npz file (not a zip archive, or truncated); write it with np.savez"
        )
    try:
        with open_arrays(path) as file:
            return set(file.names)
    except (OSError, ArraysError) as error:
        raise InputError(
            why_unreadable(path) or f"{path} is not a readable .npz file ({error}); write it with np.savez"
        ) from error


def _load(path: Path, options: SourceOptions, classes: Sequence[str] | None, progress: Progress) -> Dataset:
    arrays = _read_arrays(path)
    present = [name for name in SPLITS if f"{name}_images" in arrays]
    labels = {name: _to_labels(arrays[f"{name}_labels"], f"{path}: {name}_labels") for name in present}
    names = _class_names(path, arrays, classes, labels["train"])
    positive = positive_class(names, options.positive, f"{path} has")
    for name in present:
        _check_split(path, name, arrays[f"{name}_images"], labels[name], names)
    if "val" not in present:
        _check_can_be_split(path, labels["train"], names)
    deep = bits_in_use(
        fact for name in present for fact in _facts(f"{name}_images", arrays[f"{name}_images"])
    )
    warnings = array_warnings({name: arrays[f"{name}_images"] for name in present}, labels, names)
    progress.begin("Resizing images", len(present))
    splits = {}
    for name in present:
        stored = arrays.pop(f"{name}_images")
        sources = sha256_of_all(map(sha256_of_array, stored)) if name == "test" else None
        images = _to_bytes(stored, deep.white)
        del stored  # it may be most of the memory
        splits[name] = Split(resize_all(images, options.image_size), labels[name], sources)
        progress.advance()
    notes = deep.notes
    if classes is None and "classes" not in arrays and names == known_classes(path.stem, len(names)):
        notes = (*notes, NAMES_NOTE)
    if "val" not in splits:
        splits["train"], splits["val"] = _split_validation(splits["train"])
        notes += ("The file has no validation split: 20 % of its training images are used, stratified.",)
    return Dataset(
        path.stem,
        names,
        splits["train"],
        splits["val"],
        splits["test"],
        notes=notes,
        warnings=(*warnings, *deep.warnings),
        white=deep.white,
        positive=positive,
    )


def _read_arrays(path: Path) -> dict[str, npt.NDArray[np.generic]]:
    keys = (*REQUIRED, *VALIDATION, "classes")
    with open_arrays(path) as file:
        return {key: _read_array(path, file, key) for key in keys if key in file.names}


def _read_array(path: Path, file: ArrayFile, key: str) -> npt.NDArray[np.generic]:
    try:
        return file.read(key)
    except (OSError, ArraysError) as error:
        raise InputError(
            why_unreadable(path)
            or f"{path}: '{key}' {cannot_be_read(error, 'write plain arrays with np.savez')}"
        ) from error


def _to_labels(values: npt.NDArray[np.generic], place: str) -> Labels:
    fault = labels_fault(values)
    if fault is not None:
        raise InputError(f"{place} {fault}")
    return values.reshape(-1).astype(np.int64)


def _class_names(
    path: Path, arrays: dict[str, npt.NDArray[np.generic]], classes: Sequence[str] | None, labels: Labels
) -> tuple[str, ...]:
    """Return the class names: from the caller, the key `classes`, the collection's name, or the labels."""
    if classes is not None:
        return tuple(classes)
    if "classes" in arrays:
        names = tuple(str(name) for name in arrays["classes"].ravel())
        check_class_names(f"{path}: classes", names)
        return names
    known = known_classes(path.stem, int(labels.max(initial=-1)) + 1)
    return known or _names_from(labels, f"{path}: train_labels")


def _names_from(labels: Labels, place: str) -> tuple[str, ...]:
    present = np.unique(labels)
    fault = numbering_fault(labels, len(present))
    if fault is not None:
        raise InputError(f"{place}: {fault}, or name all classes in an array 'classes'")
    gaps = np.flatnonzero(present != np.arange(len(present)))
    if len(gaps):
        raise InputError(
            f"{place}: label {int(present[gaps[0]])} occurs, but {int(gaps[0])} does not; "
            "number the classes 0, 1, 2 … without gaps, or name them all in an array 'classes'"
        )
    if len(present) > MOST_UNNAMED_CLASSES:
        raise InputError(
            f"{place} has {len(present)} classes, more than {MOST_UNNAMED_CLASSES}; "
            "give one label per class, not per image, or name them all in an array 'classes'"
        )
    return tuple(str(label) for label in range(max(1, len(present))))


def _check_split(
    path: Path, name: str, images: npt.NDArray[np.generic], labels: Labels, classes: Sequence[str]
) -> None:
    place = f"{path}: {name}"
    if len(labels) == 0:
        raise InputError(f"{place} is empty; each split needs images of every class")
    if images.dtype not in (np.uint8, np.uint16):
        raise InputError(f"{place}_images has the type {images.dtype}; uint8 or uint16 is needed")
    fault = images_fault(images.shape)
    if fault is not None:
        raise InputError(f"{place}_images {fault}")
    if len(images) != len(labels):
        raise InputError(
            f"{place} has {len(images)} images but {len(labels)} labels; one label per image is needed"
        )
    if len(classes) < 2:
        raise InputError(f"{path} has only one class, '{classes[0]}'; at least two are needed")
    fault = numbering_fault(labels, len(classes))
    if fault is not None:
        raise InputError(f"{place}_labels: {fault}")
    outside = labels[(labels < 0) | (labels >= len(classes))]
    if len(outside):
        raise InputError(
            f"{place}_labels: {int(outside[0])} is not the label of a class; "
            f"labels are 0 to {len(classes) - 1} ({listed(classes)})"
        )
    absent = sorted(set(range(len(classes))) - set(labels.tolist()))
    if absent:
        raise InputError(
            f"{place} has no image of class {absent[0]} ({classes[absent[0]]}); "
            "each split needs images of every class"
        )


def _check_can_be_split(path: Path, labels: Labels, classes: Sequence[str]) -> None:
    counts = np.bincount(labels, minlength=len(classes))
    fewest = int(counts.argmin())
    if counts[fewest] < 2:
        raise InputError(
            f"{path}: class {fewest} ({classes[fewest]}) has {counts[fewest]} training image, too few "
            "for a validation split; add images, or val_images and val_labels"
        )


def _facts(name: str, images: npt.NDArray[np.generic]) -> Iterator[ImageFacts]:
    """Yield what is known of each image of 16 bits; of 8 bits there is nothing to know."""
    if images.dtype == np.uint16:
        for index, image in enumerate(images):
            yield ImageFacts(f"{name}[{index}]", int(image.max()))


def _to_bytes(images: npt.NDArray[np.generic], white: int) -> Images:
    if images.ndim == 4 and images.shape[3] == 1:
        images = images[..., 0]
    if images.dtype == np.uint16:
        return eight_bits_of(images.astype(np.uint16), white)
    return images.astype(np.uint8)


def _split_validation(split: Split) -> tuple[Split, Split]:
    groups = [str(index) for index in range(len(split))]
    remaining, held_out = split_off(split.labels, groups, HELD_OUT_SHARE, SPLIT_SEED)
    return (
        Split(split.images[remaining], split.labels[remaining]),
        Split(split.images[held_out], split.labels[held_out]),
    )
