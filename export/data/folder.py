"""Lists the images of a folder: a sub-folder per class, or none, with splits or without. It decodes none.

The classes have the order of the alphabet, with which networks were trained, and not edgefit's own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

import numpy as np

from bench.errors import InputError
from export.data.class_names import listed, order_notes, ordered_names
from export.data.listing import Listing
from models.sources.class_folders import composed
from models.sources.folder_content import FolderContent, no_image, read_folder, table_hint
from models.sources.folder_tree import PlacedFile
from models.sources.labelled_files import labelled_files
from models.sources.names import check_name, check_path
from models.sources.patients import patient_of
from user_files.printable import printable
from user_files.related_names import altered_in_words, originals_of
from user_files.wording import kinds_in_words


@dataclass(frozen=True)
class ListedFiles:
    """A data set of image files."""

    listing: Listing
    """What is known of them."""
    files: tuple[Path, ...]
    """The files."""


def list_folder(folder: Path, stated: tuple[str, ...]) -> ListedFiles:
    """Return the images of a folder; `stated` are the names of the classes, if they are known.

    Without sub-folders that can be classes the images have no labels. Raises InputError if there is no image,
    if one is DICOM or no image by its content, or if sub-folders do not fit the stated classes.
    """
    check_path(folder, "--data")
    content = read_folder(folder)
    if not content.images:
        raise InputError(f"{no_image(folder)}{_left_out(content)}; give a folder with images")
    _refuse_problems(folder, content.images)
    why_not = _why_no_classes(folder, content, stated)
    if why_not is None:
        return _labelled(folder, content, stated)
    hint = table_hint(folder, content)
    warnings = (*content.warnings, *([f"{why_not}{hint}."] if hint else []))
    notes = (*content.notes, *([] if hint else [f"{why_not}."]))
    return _listed(folder, content.images, None, stated, warnings, notes)


def _left_out(content: FolderContent) -> str:
    return f", but {kinds_in_words(file.found.kind for file in content.others)}" if content.others else ""


def _refuse_problems(folder: Path, images: Sequence[PlacedFile]) -> None:
    bad = [file.found for file in images if file.found.problem]
    if bad:
        raise InputError(
            f"{printable(str(bad[0].path))}: {bad[0].problem} ({len(bad)} of {len(images)} images in "
            f"{folder} cannot be read); replace such files, or move them away"
        )


def _why_no_classes(folder: Path, content: FolderContent, stated: tuple[str, ...]) -> str | None:
    """Return why the sub-folders are no classes; None if they are."""
    used = {file.folder for file in content.images} - {""}
    if not used:
        return "The folder has no sub-folder per class: its images have no labels"
    if stated:
        return None
    if len(content.class_folders) == 1:
        (name,) = content.class_folders
        return (
            f"The folder has one sub-folder, '{printable(name)}', so its images have no labels; if that has "
            f"the classes, give {printable(str(folder / name))}"
        )
    if content.are_shards:
        return f"The folder's sub-folders are named as parts ({listed(sorted(used))}): they are no classes"
    patients = sum(patient_of(PurePath(name)) is not None for name in used)
    if 2 * patients > len(used):
        return f"The folder's sub-folders are named as patients ({listed(sorted(used))}): they are no classes"
    if len(content.images) < 2 * len(used):
        return f"The folder has {len(used)} sub-folders for {len(content.images)} images: they are no classes"
    return None


def _labelled(folder: Path, content: FolderContent, stated: tuple[str, ...]) -> ListedFiles:
    names = {_as_stated(name, stated) for name in content.class_folders}
    for name in sorted(names):
        check_name(name, f"{folder}: class folder")
    classes = ordered_names(str(folder), names, stated)
    labelled = labelled_files(str(folder), content.images)
    used = {file.folder: _as_stated(file.folder, stated) for file in labelled.files}
    _refuse_empty(folder, names, set(used.values()), content)
    number = {name: label for label, name in enumerate(classes)}
    labels = np.array([number[used[file.folder]] for file in labelled.files], dtype=np.int64)
    notes = (*order_notes(classes, bool(stated)), *content.notes)
    warnings = (*content.warnings, *labelled.warnings)
    return _listed(folder, labelled.files, labels, classes, warnings, notes)


def _as_stated(name: str, stated: tuple[str, ...]) -> str:
    """Return the name of a folder as it is stated, perhaps in another Unicode form."""
    own = composed(name)
    return next((other for other in stated if composed(other) == own), name)


def _refuse_empty(folder: Path, names: set[str], used: set[str], content: FolderContent) -> None:
    empty = sorted(names - used)
    if empty:
        kinds = [file.found.kind for file in content.others if file.folder == empty[0]]
        others = f", but {kinds_in_words(kinds)}, which edgefit does not read" if kinds else ""
        raise InputError(
            f"{folder}: the sub-folder '{printable(empty[0])}' has no image{others}, and each is a class; "
            "move it away, or add images"
        )


def _listed(
    folder: Path,
    files: Sequence[PlacedFile],
    labels: "np.ndarray[tuple[int], np.dtype[np.int64]] | None",
    classes: tuple[str, ...],
    warnings: tuple[str, ...],
    notes: tuple[str, ...],
) -> ListedFiles:
    altered = originals_of([file.found.inner for file in files], [file.folder for file in files])
    listing = Listing(
        name=folder.resolve().name,
        where=str(folder),
        splits=tuple(file.split for file in files),
        patients=tuple(_patients(files, labels is not None, altered)),
        labels=labels,
        classes=classes,
        warnings=(*warnings, *_altered_warnings(files, altered)),
        notes=notes,
    )
    return ListedFiles(listing, tuple(file.found.path for file in files))


def _patients(files: Sequence[PlacedFile], is_labelled: bool, altered: Mapping[int, int]) -> list[str | None]:
    """Return what must stay in one set: the patient, else an original and its altered copies."""
    names = [_patient_of(file, is_labelled) for file in files]
    for copy, original in altered.items():
        same = names[original] or f"the original {files[original].found.inner}"
        names[original], names[copy] = same, names[copy] or same
    return names


def _patient_of(file: PlacedFile, is_labelled: bool) -> str | None:
    # A class's folder may be called like a patient; without classes every folder may be one.
    return patient_of(file.inner if is_labelled else PurePath(file.folder) / file.inner)


def _altered_warnings(files: Sequence[PlacedFile], altered: Mapping[int, int]) -> list[str]:
    if not altered:
        return []
    copy, original = next(iter(altered.items()))
    example = f"{printable(files[copy].found.path.name)} of {printable(files[original].found.path.name)}"
    return [f"{altered_in_words(len(altered), example)}; each stays in the set of its original."]
