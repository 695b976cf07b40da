"""Makes a data set of a folder with class sub-folders: with its own splits, or new ones by patient.

It decides which images are for training and which for tests. folder_layout reads names, decoding reads
pixels.
"""

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from models.dataset import Dataset, Labels, Split
from models.errors import InputError
from models.positive import positive_class
from models.progress import Progress
from models.sources.decoding import Decoded, decode_all, refuse_dicom
from models.sources.folder_layout import ImageFile, Layout, read_layout
from models.sources.names import printable
from models.sources.options import HELD_OUT_SHARE, SPLIT_SEED, Loader, SourceOptions
from models.sources.patients import patient_of
from models.sources.splitting import split_off

# Kaggle's chest_xray has 16 validation images: too few for early stopping, or to choose a threshold.
FEWEST_VALIDATION_IMAGES = 50
MOST_NAMED = 20

Files = tuple[ImageFile, ...]


@dataclass(frozen=True)
class SplitPlan:
    """The files of each split, and why they are there."""

    train: Files
    validation: Files
    test: Files
    notes: tuple[str, ...]
    """Sentences for the user."""


def prepare_folder(folder: Path, options: SourceOptions) -> Loader:
    """List and split the folder; the loader decodes the images."""
    layout = read_layout(folder)
    positive = positive_class(layout.classes, options.positive)
    plan = plan_splits(folder, layout)

    def load(progress: Progress) -> Dataset:
        return replace(_load(folder, layout, plan, options, progress), positive=positive)

    return load


def plan_splits(folder: Path, layout: Layout) -> SplitPlan:
    """Return the folder's own splits; a missing one gets 20 % of the remaining training images."""
    notes = _first_notes(layout)
    given = {
        name: tuple(file for file in layout.files if file.split == name)
        for name in ("", "train", "val", "test")
    }
    rest, validation, test = given[""] + given["train"], given["val"], given["test"]
    if not test:
        rest, test = _hold_out(folder, rest, "test")
        notes.append(f"The folder has no test split: 20 % of its images were held out for it{_how(layout)}.")
    if len(validation) < FEWEST_VALIDATION_IMAGES:
        notes.append(_validation_note(len(validation), layout))
        rest, validation = _hold_out(folder, rest + validation, "validation")
    _check_every_class(folder, layout, validation)
    notes += _shared_patients(rest + validation, test)
    return SplitPlan(rest, validation, test, tuple(notes))


def _first_notes(layout: Layout) -> list[str]:
    notes = []
    if layout.ignored:
        common = ", ".join(name for name, _ in Counter(layout.ignored).most_common(3))
        notes.append(f"{len(layout.ignored)} other files and folders were ignored ({common}).")
    return notes


def _shared_patients(training: Files, test: Files) -> list[str]:
    """Warn if the names of patients are in training and test images: test figures may be too good."""
    known = {patient_of(file.inner) for file in training} - {None}
    shared = known & {patient_of(file.inner) for file in test}
    if not shared:
        return []
    example = printable(min(str(patient) for patient in shared))
    sentence = (
        f"{len(shared)} names of patients ({example} …) are in train or val and in test as well: "
        "if they are the same patients, test figures are too good."
    )
    return [sentence]


def _how(layout: Layout) -> str:
    named = sum(patient_of(file.inner) is not None for file in layout.files)
    if not named:
        return ", stratified (no file name contains a patient, so images were split one by one)"
    return f", stratified and by patient ({named} of {len(layout.files)} file names contain one)"


def _validation_note(count: int, layout: Layout) -> str:
    if count:
        return (
            f"val has {count} images, fewer than {FEWEST_VALIDATION_IMAGES}: it was added to train, "
            f"and 20 % of both are the validation split{_how(layout)}."
        )
    return f"The folder has no validation split: 20 % of the training images are used{_how(layout)}."


def _hold_out(folder: Path, files: Files, purpose: str) -> tuple[Files, Files]:
    labels = _labels(files)
    groups = [patient_of(file.inner) or str(file.path) for file in files]
    remaining, held_out = split_off(labels, groups, HELD_OUT_SHARE, SPLIT_SEED)
    for part in (remaining, held_out):
        missing = set(labels.tolist()) - set(labels[part].tolist())
        if missing:
            name = next(file.path for file in files if file.label in missing).parent.name
            raise InputError(
                f"{folder}: class '{name}' has too few images or patients for a {purpose} split; add some"
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


def _load(
    folder: Path, layout: Layout, plan: SplitPlan, options: SourceOptions, progress: Progress
) -> Dataset:
    files = plan.train + plan.validation + plan.test
    decoded = decode_all([file.path for file in files], options.image_size, progress)
    good = _check_decoded(folder, files, decoded, options.skip_bad)
    notes = plan.notes + _skip_notes(folder, files, decoded)
    ends = np.cumsum([len(plan.train), len(plan.validation), len(plan.test)])
    splits = []
    for start, end, name in zip((0, *ends[:-1]), ends, ("train", "validation", "test"), strict=True):
        chosen = np.asarray([index for index in range(start, end) if good[index]], np.int64)
        splits.append(_take(folder, layout, files, decoded, chosen, name))
    return Dataset(folder.resolve().name, layout.classes, splits[0], splits[1], splits[2], notes)


def _take(
    folder: Path,
    layout: Layout,
    files: Files,
    decoded: Decoded,
    chosen: np.ndarray[tuple[int], np.dtype[np.int64]],
    name: str,
) -> Split:
    labels = _labels(files)[chosen]
    absent = [class_name for label, class_name in enumerate(layout.classes) if label not in labels]
    if absent:
        raise InputError(
            f"{folder}: {name} has no image of class '{absent[0]}' that can be decoded; "
            "each split needs images of every class"
        )
    return Split(decoded.images[chosen], labels)


def _check_decoded(folder: Path, files: Files, decoded: Decoded, skip_bad: bool) -> list[bool]:
    """Return which files were decoded; raises InputError if one was not and `skip_bad` is not set."""
    for index, _ in decoded.bad:
        refuse_dicom(files[index].path)
    if decoded.bad and not skip_bad:
        index, reason = decoded.bad[0]
        name = printable(str(files[index].path))
        raise InputError(
            f"{name} cannot be decoded ({reason}); {len(decoded.bad)} of {len(files)} images in {folder} "
            "cannot be decoded: repair or remove them, or skip them with --skip-bad"
        )
    bad = {index for index, _ in decoded.bad}
    return [index not in bad for index in range(len(files))]


def _skip_notes(folder: Path, files: Files, decoded: Decoded) -> tuple[str, ...]:
    if not decoded.bad:
        return ()
    names = [printable(str(files[index].path.relative_to(folder))) for index, _ in decoded.bad]
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return (
        f"{len(names)} images cannot be decoded and were skipped: {', '.join(names[:MOST_NAMED])}{more}.",
    )
