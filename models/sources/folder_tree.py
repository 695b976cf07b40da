"""Finds the split and the class folder of each file of a folder by its path. It opens no file.

A folder with `train/` has its own splits; otherwise each sub-folder is one of a class. Splits may also lie in
the folders of all classes: `NORMAL/train/`.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import PurePath

from user_files.finding import FolderFiles, FoundFile

SPLIT_NAMES = {
    "train": "train", "training": "train",
    "val": "val", "valid": "val", "validation": "val",
    "test": "test", "testing": "test",
}  # fmt: skip
_SPLIT = re.compile(r"(?P<split>[a-z]+?)(?:[ _\-]?(?:images?|imgs?|data|set))?")


@dataclass(frozen=True)
class PlacedFile:
    """A file with its place."""

    found: FoundFile
    """The file."""
    split: str
    """The split that it is in; "" if the folder has no splits."""
    folder: str
    """The name of its class folder; "" for a file that lies in the split itself."""
    inner: PurePath
    """Its path below the folder of its class, or below the split."""


@dataclass(frozen=True)
class ClassFolder:
    """A folder of a class; it may have no file."""

    split: str
    """Its split; "" if the folder has no splits."""
    name: str
    """Its name."""


@dataclass(frozen=True)
class Tree:
    """All files of a folder, by their places."""

    files: tuple[PlacedFile, ...]
    """The files in splits and classes."""
    outside: tuple[FoundFile, ...]
    """The files beside the splits."""
    class_folders: tuple[ClassFolder, ...]
    """The folders that are classes."""
    splits: frozenset[str]
    """The splits that the folder has; "" alone if it has none."""
    split_folders: tuple[str, ...] = ()
    """The names of the folders that are splits, if they lie beside each other."""


def split_of(name: str) -> str | None:
    """Return the split that a folder of this name is: train, val or test; None if it is none."""
    match = _SPLIT.fullmatch(name.strip().lower())
    return None if match is None else SPLIT_NAMES.get(match["split"])


def placed(listed: FolderFiles) -> Tree:
    """Return the files of a folder by split and class folder."""
    splits = {inner.parts[0]: split_of(inner.parts[0]) for inner in listed.folders}
    if not any(splits.values()):
        return _with_inner_splits(_without_splits(listed))
    inside, outside = [], []
    for file in listed.files:
        split = splits.get(file.inner.parts[0]) if len(file.inner.parts) > 1 else None
        if split is None:
            outside.append(file)
        else:
            inside.append(_placed(file, split, file.inner.parts[1:]))
    folders = [(splits[inner.parts[0]], inner.parts[1]) for inner in listed.folders if len(inner.parts) == 2]
    class_folders = [ClassFolder(split, name) for split, name in folders if split is not None]
    names = frozenset(split for split in splits.values() if split is not None)
    split_folders = tuple(sorted(name for name, split in splits.items() if split is not None))
    return Tree(tuple(inside), tuple(outside), tuple(class_folders), names, split_folders)


def _without_splits(listed: FolderFiles) -> Tree:
    files = tuple(_placed(file, "", file.inner.parts) for file in listed.files)
    folders = tuple(ClassFolder("", inner.parts[0]) for inner in listed.folders if len(inner.parts) == 1)
    return Tree(files, (), folders, frozenset(("",)))


def _placed(found: FoundFile, split: str, parts: tuple[str, ...]) -> PlacedFile:
    if len(parts) == 1:
        return PlacedFile(found, split, "", PurePath(parts[0]))
    return PlacedFile(found, split, parts[0], PurePath(*parts[1:]))


def _with_inner_splits(tree: Tree) -> Tree:
    """Return the tree with the splits that lie in the class folders, if all images there are in some."""
    images = [file for file in tree.files if file.found.is_image and file.folder]
    splits = {_inner_split(file) for file in images}
    by_class = {file.folder for file in images if _inner_split(file) == "train"}
    if None in splits or len(splits) < 2 or by_class != {file.folder for file in images}:
        return tree
    files = tuple(map(_with_inner_split, tree.files))
    names = frozenset(split for split in splits if split is not None)
    folders = tuple(ClassFolder(split, name) for split, name in _pairs(files))
    return Tree(files, (), folders, names)


def _inner_split(file: PlacedFile) -> str | None:
    return split_of(file.inner.parts[0]) if len(file.inner.parts) > 1 else None


def _with_inner_split(file: PlacedFile) -> PlacedFile:
    split = _inner_split(file)
    return file if split is None else replace(file, split=split, inner=PurePath(*file.inner.parts[1:]))


def _pairs(files: Iterable[PlacedFile]) -> list[tuple[str, str]]:
    return sorted({(file.split, file.folder) for file in files if file.folder and file.split})
