"""Makes a data set of a folder with class sub-folders: with its own splits, or new ones by patient.

It decides which images are for training and which for tests. folder_layout reads names, decoding reads
pixels.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from models.dataset import Dataset, Images, Labels, Split
from models.errors import InputError
from models.positive import positive_class
from models.progress import Progress
from models.sources.decoded_files import bad_files, odd_images, same_pixels, skip_warnings
from models.sources.decoding import decode_all, survey
from models.sources.folder_layout import ImageFile, Layout, read_layout
from models.sources.groups import altered_warnings, groups_of
from models.sources.options import HELD_OUT_SHARE, SPLIT_SEED, Loader, SourceOptions, refuse_warnings
from models.sources.splitting import split_off
from models.sources.table_layout import read_table_layout
from user_files.hashes import sha256_of, sha256_of_all
from user_files.printable import printable

# Kaggle's chest_xray has 16 validation images: too few for early stopping, or to choose a threshold.
FEWEST_VALIDATION_IMAGES = 50

Files = tuple[ImageFile, ...]


@dataclass(frozen=True)
class SplitPlan:
    """The files of each split, and why they are there."""

    train: Files
    validation: Files
    test: Files
    warnings: tuple[str, ...]
    """What is probably not meant so: sentences."""
    notes: tuple[str, ...]
    """What else the user should know: sentences."""


def prepare_folder(folder: Path, options: SourceOptions) -> Loader:
    """List and split the folder; the loader decodes the images."""
    return prepare_layout(folder, read_layout(folder), options)


def prepare_table(path: Path, options: SourceOptions) -> Loader:
    """List and split the images that a CSV file names; the loader decodes them."""
    return prepare_layout(path, read_table_layout(path), options)


def prepare_layout(where: Path, layout: Layout, options: SourceOptions) -> Loader:
    """Split the images of a folder, or of a table; the loader decodes them.

    Raises InputError for what is known of them already: files that are no images, and with `strict_data`
    warnings.
    """
    positive = positive_class(layout.classes, options.positive)
    plan = plan_splits(where, layout)
    _refuse_problems(where, plan, options.skip_bad)
    refuse_warnings(str(where), plan.warnings, options)

    def load(progress: Progress) -> Dataset:
        return replace(_load(where, layout, plan, options, progress), positive=positive)

    return load


def plan_splits(where: Path, layout: Layout) -> SplitPlan:
    """Return the folder's own splits; a missing one gets 20 % of the remaining training images."""
    notes = list(layout.notes)
    given = {
        name: tuple(file for file in layout.files if file.split == name)
        for name in ("", "train", "val", "test")
    }
    rest, validation, test = given[""] + given["train"], given["val"], given["test"]
    if not test:
        rest, test = _hold_out(where, layout, rest, "test")
        notes.append(
            f"The {layout.noun} has no test split: 20 % of its images were held out for it{_how(layout)}."
        )
    if len(validation) < FEWEST_VALIDATION_IMAGES:
        notes.append(_validation_note(len(validation), layout))
        rest, validation = _hold_out(where, layout, rest + validation, "validation")
    _check_every_class(where, layout, validation)
    training = rest + validation
    warnings = (*layout.warnings, *_shared_patients(training, test), *altered_warnings(training, test))
    return SplitPlan(rest, validation, test, warnings, tuple(notes))


def _shared_patients(training: Files, test: Files) -> list[str]:
    """Warn if the names of patients are in training and test images: test figures may be too good."""
    known = {file.patient for file in training} - {None}
    shared = known & {file.patient for file in test}
    if not shared:
        return []
    example = printable(min(str(patient) for patient in shared))
    sentence = (
        f"{len(shared)} names of patients ({example} …) are in train or val and in test as well: "
        "if they are the same patients, test figures are too good."
    )
    return [sentence]


def _how(layout: Layout) -> str:
    named = sum(file.patient is not None for file in layout.files)
    if layout.patients_from is not None:
        return f", stratified and by patient (the column '{printable(layout.patients_from)}' states it)"
    if not named:
        return ", stratified (no file name contains a patient, so images were split one by one)"
    return f", stratified and by patient ({named} of {len(layout.files)} file names contain one)"


def _validation_note(count: int, layout: Layout) -> str:
    if count:
        return (
            f"val has {count} images, fewer than {FEWEST_VALIDATION_IMAGES}: it was added to train, "
            f"and 20 % of both are the validation split{_how(layout)}."
        )
    return f"The {layout.noun} has no validation split: 20 % of the training images are used{_how(layout)}."


def _hold_out(where: Path, layout: Layout, files: Files, purpose: str) -> tuple[Files, Files]:
    labels = _labels(files)
    remaining, held_out = split_off(labels, groups_of(files), HELD_OUT_SHARE, SPLIT_SEED)
    for part in (remaining, held_out):
        missing = set(labels.tolist()) - set(labels[part].tolist())
        if missing:
            raise InputError(
                f"{where}: class '{layout.classes[min(missing)]}' has too few images or patients for a "
                f"{purpose} split; add some"
            )
    return tuple(files[index] for index in remaining), tuple(files[index] for index in held_out)


def _labels(files: Files) -> Labels:
    return np.asarray([file.label for file in files], np.int64)


def _check_every_class(folder: Path, layout: Layout, validation: Files) -> None:
    labels = {file.label for file in validation}
    for label, name in enumerate(layout.classes):
        if label not in labels:
            raise InputError(
                f"{folder}: val has no image of class '{name}'; each split needs images of every class"
            )


def _refuse_problems(where: Path, plan: SplitPlan, skip_bad: bool) -> None:
    """Raise an InputError if files are no images by their first bytes, and `skip_bad` is not set."""
    files = plan.train + plan.validation + plan.test
    _refuse_bad(
        where, files, [(index, file.problem) for index, file in enumerate(files) if file.problem], skip_bad
    )


def _refuse_bad(where: Path, files: Files, bad: Sequence[tuple[int, str]], skip_bad: bool) -> None:
    if not bad or skip_bad:
        return
    index, reason = bad[0]
    raise InputError(
        f"{printable(str(files[index].path))} cannot be decoded ({reason}); {len(bad)} of {len(files)} "
        f"images in {where} cannot be decoded: repair, convert or remove them, or skip them with --skip-bad"
    )


def _load(
    folder: Path, layout: Layout, plan: SplitPlan, options: SourceOptions, progress: Progress
) -> Dataset:
    files = plan.train + plan.validation + plan.test
    paths = [file.path for file in files]
    deep = survey(paths, progress)
    decoded = decode_all(paths, options.image_size, progress, deep.white)
    bad = bad_files(files, decoded)
    _refuse_bad(folder, files, list(bad.items()), options.skip_bad)
    ends = np.cumsum([len(plan.train), len(plan.validation), len(plan.test)])
    same = same_pixels(files, decoded.images, bad, ends.tolist())
    odd = odd_images(folder, files, decoded.images, bad)
    warnings = plan.warnings + skip_warnings(folder, files, bad) + same.warnings + odd + deep.warnings
    refuse_warnings(str(folder), warnings, options)
    splits, labels = [], _labels(files)
    for start, end, name in zip((0, *ends[:-1]), ends, ("train", "validation", "test"), strict=True):
        usable = (index for index in range(start, end) if index not in bad and index not in same.left_out)
        chosen = np.asarray(list(usable), np.int64)
        _check_classes_of_split(folder, layout, files, labels[chosen], name, bad)
        sources = sha256_of_all(sha256_of(paths[index]) for index in chosen) if name == "test" else None
        splits.append(Split(_gathered(decoded.images, start, chosen), labels[chosen], sources))
    return Dataset(
        layout.name or folder.resolve().name,
        layout.classes,
        splits[0],
        splits[1],
        splits[2],
        notes=plan.notes + deep.notes,
        warnings=warnings,
        white=deep.white,
    )


def _gathered(images: Images, start: int, chosen: Labels) -> Images:
    """Return the chosen images of a split that begins at `start`, which are moved together where they are.

    A copy would take as much memory again.
    """
    for place, index in enumerate(chosen.tolist(), start):
        if place != index:
            images[place] = images[index]
    return images[start : start + len(chosen)]


def _check_classes_of_split(
    folder: Path,
    layout: Layout,
    files: Files,
    labels: Labels,
    name: str,
    bad: Mapping[int, str],
) -> None:
    absent = [class_name for label, class_name in enumerate(layout.classes) if label not in labels]
    if absent:
        reasons = (reason for index, reason in bad.items() if layout.classes[files[index].label] == absent[0])
        reason = next((f" ({reason})" for reason in reasons), "")
        raise InputError(
            f"{folder}: {name} has no image of class '{absent[0]}' that can be decoded{reason}; "
            "each split needs images of every class"
        )
