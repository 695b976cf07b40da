"""Lists the images of a folder: a sub-folder per class, or none, with splits or without. It opens no image.

The classes have the order of the alphabet, with which networks were trained, and not edgefit's own.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

import numpy as np

from bench.errors import InputError
from export.data.class_names import listed, order_notes, ordered_names
from export.data.listing import Listing
from models.sources.decoding import IMAGE_SUFFIXES, refuse_dicom
from models.sources.folder_layout import list_class, split_folders, sub_folders
from models.sources.names import check_name, printable
from models.sources.patients import patient_of


@dataclass(frozen=True)
class ListedFiles:
    """A data set of image files."""

    listing: Listing
    """What is known of them."""
    files: tuple[Path, ...]
    """The files."""


@dataclass(frozen=True)
class _File:
    path: Path
    split: str
    folder: str
    """The name of the sub-folder of the split; "" for an image that lies in the split itself."""
    inner: Path
    """The path below the split."""


def list_folder(folder: Path, stated: tuple[str, ...]) -> ListedFiles:
    """Return the images of a folder; `stated` are the names of the classes, if they are known.

    Without sub-folders that can be classes the images have no labels. Raises InputError if there is no image,
    if one is DICOM, or if sub-folders do not fit the stated classes.
    """
    check_name(str(folder), "--data")
    ignored: list[str] = []
    splits = split_folders(folder) or {"": folder}
    files = [file for split, path in splits.items() for file in _files_in(path, split, ignored)]
    if not files:
        raise InputError(
            f"{folder}: contains no image ({', '.join(sorted(IMAGE_SUFFIXES))}); give a folder with images"
        )
    if "" not in splits:
        ignored += [path.name for path in folder.iterdir() if path not in splits.values()]
    names = {path.name for split in splits.values() for path in sub_folders(split)}
    why_not = _why_no_classes(folder, names, files, stated)
    if why_not is None:
        return _labelled(folder, names, files, ignored, stated)
    return _listed(folder, files, None, stated, (why_not, *_ignored_notes(ignored)))


def _files_in(split_folder: Path, split: str, ignored: list[str]) -> Iterator[_File]:
    """Yield the images in a split, then those in each of its sub-folders, which may be links."""
    for path in sorted(split_folder.iterdir()):
        if path.suffix.lower() in IMAGE_SUFFIXES and not path.is_dir() and not path.name.startswith("."):
            yield _File(path, split, "", Path(path.name))
        elif path.is_file():
            refuse_dicom(path)
            ignored.append(path.name)
    for folder in sub_folders(split_folder):
        for file in list_class(folder, 0, split, ignored):
            yield _File(file.path, split, folder.name, Path(folder.name) / file.inner)


def _why_no_classes(
    folder: Path, names: set[str], files: Sequence[_File], stated: tuple[str, ...]
) -> str | None:
    """Return why the sub-folders are no classes; None if they are."""
    used = {file.folder for file in files} - {""}
    if not used:
        return "The folder has no sub-folder per class: its images have no labels."
    if stated:
        return None
    if len(names) == 1:
        (name,) = names
        return (
            f"The folder has one sub-folder, '{printable(name)}', so its images have no labels; if that has "
            f"the classes, give {printable(str(folder / name))}."
        )
    patients = sum(patient_of(PurePath(name)) is not None for name in used)
    if 2 * patients > len(used):
        return (
            f"The folder's sub-folders are named as patients ({listed(sorted(used))}): they are no classes."
        )
    if len(files) < 2 * len(used):
        return f"The folder has {len(used)} sub-folders for {len(files)} images: they are no classes."
    return None


def _labelled(
    folder: Path, names: set[str], files: Sequence[_File], ignored: list[str], stated: tuple[str, ...]
) -> ListedFiles:
    for name in sorted(names):
        check_name(name, f"{folder}: class folder")
    inside = [file for file in files if file.folder]
    ignored += [file.path.name for file in files if not file.folder]
    classes = ordered_names(str(folder), names, stated)
    _refuse_empty(folder, names, inside)
    number = {name: label for label, name in enumerate(classes)}
    labels = np.array([number[file.folder] for file in inside], dtype=np.int64)
    notes = (*order_notes(classes, bool(stated)), *_ignored_notes(ignored))
    return _listed(folder, inside, labels, classes, notes)


def _refuse_empty(folder: Path, names: set[str], files: Sequence[_File]) -> None:
    empty = sorted(names - {file.folder for file in files})
    if empty:
        raise InputError(
            f"{folder}: the sub-folder '{printable(empty[0])}' has no image, and each is a class; move it "
            "away, or add images"
        )


def _listed(
    folder: Path,
    files: Sequence[_File],
    labels: "np.ndarray[tuple[int], np.dtype[np.int64]] | None",
    classes: tuple[str, ...],
    notes: tuple[str, ...],
) -> ListedFiles:
    # A class's folder may be called like a patient; without classes every folder may be one.
    skipped = 0 if labels is None else 1
    listing = Listing(
        name=folder.resolve().name,
        where=str(folder),
        splits=tuple(file.split for file in files),
        patients=tuple(patient_of(PurePath(*file.inner.parts[skipped:])) for file in files),
        labels=labels,
        classes=classes,
        notes=notes,
    )
    return ListedFiles(listing, tuple(file.path for file in files))


def _ignored_notes(ignored: Sequence[str]) -> tuple[str, ...]:
    if not ignored:
        return ()
    return (f"{len(ignored)} other files and folders were ignored ({listed(sorted(set(ignored)))}).",)
