"""Gives each image of a folder its class and split, for training. It decodes no image."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path, PurePath

from models.errors import InputError
from models.positive import by_names
from models.sources.folder_content import FolderContent, no_image, read_folder, table_hint
from models.sources.folder_tree import PlacedFile
from models.sources.labelled_files import labelled_files
from models.sources.names import check_name, check_path
from models.sources.patients import patient_of
from user_files.finding import is_hidden
from user_files.wording import kinds_in_words, some


@dataclass(frozen=True)
class ImageFile:
    """One image file."""

    path: Path
    """Its path."""
    label: int
    """The number of its class."""
    split: str
    """The split that it is in; "" if the folder has no splits."""
    inner: PurePath
    """Its path below the folder of its class."""
    problem: str = ""
    """Why it cannot be read as an image; "" if nothing is known against it."""
    patient: str | None = None
    """The patient; None if nothing says whose image it is."""
    content: str | None = None
    """A key of its bytes, the same for copies; None if there are no copies."""


@dataclass(frozen=True)
class Layout:
    """The content of a folder."""

    files: tuple[ImageFile, ...]
    """All images."""
    classes: tuple[str, ...]
    """The name of each class, in the order of the labels."""
    splits: frozenset[str]
    """The splits that the folder has."""
    warnings: tuple[str, ...] = ()
    """What is probably not meant so: sentences."""
    notes: tuple[str, ...] = ()
    """What else a person should know: sentences."""
    noun: str = "folder"
    """What lists the images: a folder or a table."""
    name: str = ""
    """What the data set is called; "" for the name of the folder."""
    patients_from: str | None = None
    """The column of a table that states the patients; None where file names tell them."""


def read_layout(folder: Path) -> Layout:
    """List the folder; raises an InputError that says what is wrong with it."""
    check_path(folder, "--data")
    check_name(folder.resolve().name, "--data: folder")
    content = read_folder(folder)
    _check_train(folder, content)
    classes = order_classes(content.class_folders)
    _check_classes(folder, content, classes)
    shards = _shard_warnings(folder, content)
    labelled = labelled_files(str(folder), content.images)
    number = {name: label for label, name in enumerate(classes)}
    files = tuple(
        image_file(file, number[file.folder], patient_of(file.inner), key)
        for file, key in zip(labelled.files, labelled.keys, strict=True)
    )
    warnings = (*shards, *content.warnings, *labelled.warnings)
    layout = Layout(files, classes, content.splits, warnings, content.notes)
    _check_splits(folder, content, layout)
    return layout


def _check_train(folder: Path, content: FolderContent) -> None:
    if not content.splits & {"", "train"}:
        raise InputError(
            f"{folder} has {', '.join(sorted(content.splits))} but no train folder with a folder per class; "
            f"add train/, or give one sub-folder per class{table_hint(folder, content)}"
        )


def order_classes(names: Collection[str]) -> tuple[str, ...]:
    """Sort classes by name; of two classes, the positive one comes last where their names tell it."""
    ordered = tuple(sorted(names))
    return ordered[::-1] if len(ordered) == 2 and by_names(ordered) == 0 else ordered


def _check_classes(folder: Path, content: FolderContent, classes: tuple[str, ...]) -> None:
    for name in classes:
        check_name(name, f"{folder}: class folder")
    remedy = f"a folder with one sub-folder per class is needed, at least two{table_hint(folder, content)}"
    if not classes:
        raise InputError(f"{folder} has no class sub-folder; {remedy}")
    if len(classes) == 1:
        raise InputError(
            f"{folder} has only one class, '{classes[0]}'{_beside_masks(content)}; "
            f"{_deeper_hint(folder / classes[0])}{remedy}"
        )


def _beside_masks(content: FolderContent) -> str:
    return f" (masks are in {some(content.mask_folders)})" if content.mask_folders else ""


def _deeper_hint(inside: Path) -> str:
    """Return a question if the only folder has several itself."""
    is_folder = inside.is_dir()
    folders = (
        [path for path in inside.iterdir() if path.is_dir() and not is_hidden(path.name)] if is_folder else []
    )
    return f"did you mean {inside}? " if len(folders) > 1 else ""


def _shard_warnings(folder: Path, content: FolderContent) -> list[str]:
    """Return a warning if the folders are named as parts; with a table of labels that is an error."""
    if not content.are_shards:
        return []
    names = some([f"'{name}'" for name in content.class_folders])
    hint = table_hint(folder, content)
    if hint:
        raise InputError(
            f"{folder}: the folders {names} are parts of a data set by name, and no classes{hint}"
        )
    return [f"The folders {names} are used as classes, though they are named as parts of a data set."]


def image_file(file: PlacedFile, label: int, patient: str | None, content: str | None) -> ImageFile:
    """Return a file of a class with its label."""
    return ImageFile(
        path=file.found.path,
        label=label,
        split=file.split,
        inner=file.inner,
        problem=file.found.problem,
        patient=patient,
        content=content,
    )


def _check_splits(folder: Path, content: FolderContent, layout: Layout) -> None:
    """Check that every split has images of every class, except `val`: a small one is added to train."""
    for split in sorted(layout.splits - {"val"}):
        labels = {file.label for file in layout.files if file.split == split}
        place = folder / split if split else folder
        if not labels:
            raise InputError(f"{no_image(place)}; each split needs images of every class")
        absent = [name for label, name in enumerate(layout.classes) if label not in labels]
        if absent:
            raise InputError(
                f"{place} has no image of class '{absent[0]}'{_left_out(content, split, absent[0])}; each "
                "split needs images of every class"
            )


def _left_out(content: FolderContent, split: str, name: str) -> str:
    """Return which other files a class without images has."""
    kinds = [file.found.kind for file in content.others if (file.split, file.folder) == (split, name)]
    return f", but {kinds_in_words(kinds)}, which edgefit does not read" if kinds else ""
