"""Finds the class and the split of each image of a folder. It reads names, and opens no image.

A folder with `train/` has its own splits; otherwise each sub-folder is a class.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from models.errors import InputError
from models.positive import by_names
from models.sources.decoding import IMAGE_SUFFIXES, refuse_dicom
from models.sources.names import check_name, printable

SPLIT_NAMES = {
    "train": "train", "training": "train",
    "val": "val", "valid": "val", "validation": "val",
    "test": "test", "testing": "test",
}  # fmt: skip


@dataclass(frozen=True)
class ImageFile:
    """One image file."""

    path: Path
    """Its path."""
    label: int
    """The number of its class."""
    split: str
    """The split that it is in; "" if the folder has no splits."""
    inner: Path
    """Its path below the folder of its class."""


@dataclass(frozen=True)
class Layout:
    """The content of a folder."""

    files: tuple[ImageFile, ...]
    """All images."""
    classes: tuple[str, ...]
    """The name of each class, in the order of the labels."""
    splits: frozenset[str]
    """The splits that the folder has."""
    ignored: tuple[str, ...]
    """The names of other files and folders."""


def read_layout(folder: Path) -> Layout:
    """List the folder; raises an InputError that says what is wrong with it."""
    check_name(str(folder), "--data")
    check_name(folder.resolve().name, "--data: folder")
    ignored: list[str] = []
    split_folders = _find_splits(folder, ignored)
    class_folders = {split: sub_folders(path) for split, path in split_folders.items()}
    classes = _order_classes({path.name for paths in class_folders.values() for path in paths})
    _check_classes(folder, classes)
    files: list[ImageFile] = []
    for split, paths in class_folders.items():
        ignored += [entry.name for entry in split_folders[split].iterdir() if entry.is_file()]
        for path in paths:
            files += list_class(path, classes.index(path.name), split, ignored)
    layout = Layout(tuple(files), classes, frozenset(split_folders), tuple(map(printable, ignored)))
    _check_splits(folder, layout)
    return layout


def _find_splits(folder: Path, ignored: list[str]) -> dict[str, Path]:
    """Return the folder of each split; {"": folder} if the folder has no splits."""
    splits = split_folders(folder)
    if not splits:
        return {"": folder}
    if "train" not in splits:
        raise InputError(
            f"{folder} has {', '.join(sorted(splits))} but no train folder; add train/, "
            "or give one sub-folder per class"
        )
    ignored += [path.name for path in folder.iterdir() if path not in splits.values()]
    return splits


def split_folders(folder: Path) -> dict[str, Path]:
    """Return the sub-folders that are splits, by the name of the split: train, val, test."""
    return {SPLIT_NAMES[path.name.lower()]: path for path in sub_folders(folder) if _is_split(path)}


def _is_split(path: Path) -> bool:
    return path.name.lower() in SPLIT_NAMES


def sub_folders(folder: Path) -> list[Path]:
    """Return the folders in a folder, by name, without hidden ones."""
    return sorted(path for path in folder.iterdir() if path.is_dir() and not _is_hidden(path))


def _is_hidden(path: Path) -> bool:
    return path.name.startswith((".", "__MACOSX"))


def _order_classes(names: set[str]) -> tuple[str, ...]:
    """Sort classes by name; of two classes, the positive one comes last where their names tell it."""
    ordered = tuple(sorted(names))
    return ordered[::-1] if len(ordered) == 2 and by_names(ordered) == 0 else ordered


def _check_classes(folder: Path, classes: tuple[str, ...]) -> None:
    for name in classes:
        check_name(name, f"{folder}: class folder")
    remedy = "a folder with one sub-folder per class is needed, at least two"
    if not classes:
        raise InputError(f"{folder} has no class sub-folder; {remedy}")
    if len(classes) > 1:
        return
    inside = folder / classes[0]
    deeper = inside.is_dir() and len(sub_folders(inside)) > 1
    hint = f"did you mean {inside}? " if deeper else ""
    raise InputError(f"{folder} has only one class, '{classes[0]}'; {hint}{remedy}")


def list_class(folder: Path, label: int, split: str, ignored: list[str]) -> Iterator[ImageFile]:
    """Yield a class's images, including those in folders below it."""
    for path in sorted(folder.rglob("*")):
        inner = path.relative_to(folder)
        if path.is_dir():
            continue
        if any(part.startswith((".", "__MACOSX")) for part in inner.parts):
            ignored.append(path.name)
        elif path.suffix.lower() in IMAGE_SUFFIXES:
            yield ImageFile(path, label, split, inner)
        else:
            refuse_dicom(path)
            ignored.append(path.name)


def _check_splits(folder: Path, layout: Layout) -> None:
    """Check that every split has images of every class, except `val`: a small one is added to train."""
    for split in sorted(layout.splits - {"val"}):
        labels = {file.label for file in layout.files if file.split == split}
        place = folder / split if split else folder
        if not labels:
            raise InputError(
                f"{place} has no image ({', '.join(sorted(IMAGE_SUFFIXES))}); "
                "each split needs images of every class"
            )
        absent = [name for label, name in enumerate(layout.classes) if label not in labels]
        if absent:
            raise InputError(
                f"{place} has no image of class '{absent[0]}'; each split needs images of every class"
            )
