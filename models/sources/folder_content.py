"""Reads which images a folder holds, in which split and class folder, and what about them needs a warning.

Training and export begin with it, so that they agree on the images of a folder. How classes are numbered is
for each of them to say.
"""

import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from models.errors import InputError
from models.sources.class_folders import are_shards, class_names, folded, mask_classes
from models.sources.folder_tree import ClassFolder, PlacedFile, Tree, placed
from models.sources.left_out import (
    hidden_notes,
    loop_warnings,
    mask_warnings,
    other_files,
    split_notes,
    split_warnings,
    unlabelled_warning,
)
from user_files.data_kinds import DICOM, FORMATS
from user_files.finding import FoundFile, list_files
from user_files.image_tables import tables_of_images
from user_files.printable import printable
from user_files.related_names import masks_among
from user_files.wording import some

# Hugging Face writes metadata.jsonl and Parquet.
_OTHER_TABLES = (".xlsx", ".xls", ".ods", ".jsonl", ".parquet")


@dataclass(frozen=True)
class FolderContent:
    """The images of a folder."""

    images: tuple[PlacedFile, ...]
    """The images, without masks."""
    class_folders: tuple[str, ...]
    """The names of all folders that may be classes, sorted; some may have no image."""
    splits: frozenset[str]
    """The splits that the folder has; "" alone if it has none."""
    others: tuple[PlacedFile, ...]
    """The files in splits and classes that are no images."""
    warnings: tuple[str, ...]
    """What is probably not meant so: sentences."""
    notes: tuple[str, ...]
    """What else a person should know: sentences."""
    mask_folders: tuple[str, ...] = ()
    """The names of the folders beside those of the classes that hold masks."""

    @property
    def are_shards(self) -> bool:
        """Whether the folders are named as parts of one data set."""
        return are_shards(self.class_folders)


def read_folder(folder: Path) -> FolderContent:
    """List a folder. Raises InputError if it has DICOM files."""
    listed = list_files(folder)
    tree = placed(listed)
    refuse_dicom([file.found for file in tree.files])
    warnings, notes = other_files(tree)
    tree, unlabelled = _without_unlabelled_splits(tree)
    images, masked = _without_masks(tree)
    counts = Counter(ClassFolder(file.split, file.folder) for file in images)
    folders = [folder for folder in tree.class_folders if folder.name not in _mask_folders(tree)]
    names = class_names(folders, counts)
    named = [_renamed(file, names.names) for file in images]
    return FolderContent(
        images=tuple(named),
        class_folders=tuple(sorted(set(names.names.values()))),
        splits=tree.splits,
        others=tuple(file for file in tree.files if not file.found.is_image),
        warnings=(
            *masked,
            *unlabelled,
            *names.warnings,
            *warnings,
            *split_warnings(tree),
            *loop_warnings(listed),
        ),
        notes=(*split_notes(tree), *notes, *hidden_notes(listed)),
        mask_folders=tuple(sorted(_mask_folders(tree))),
    )


def refuse_dicom(files: Sequence[FoundFile]) -> None:
    """Raise an InputError if there is a DICOM file."""
    found = [file for file in files if file.kind is DICOM]
    if found:
        count = f" ({len(found)} of {len(files)} files are)" if len(files) > 1 else ""
        raise InputError(
            f"{printable(str(found[0].path))}: DICOM is not supported{count}; convert the images to PNG "
            "(8 or 16 bits)"
        )


def no_image(place: Path) -> str:
    """Return the sentence on a folder without images."""
    return f"{place} has no image ({FORMATS})"


def table_hint(folder: Path, content: FolderContent) -> str:
    """Return what to do with the tables beside the images that name them; "" if there are none."""
    tables = tables_of_images(folder, [file.found for file in content.images])
    if not tables:
        return _other_table_hint(folder)
    paths = [printable(str(table.path)) for table in tables]
    return f"; the labels are probably in {some(paths)}: give --data {shlex.quote(paths[0])}"


def _other_table_hint(folder: Path) -> str:
    """Return what to do with a table of a kind that is not read, in the folder or one of its own."""
    near = (*folder.glob("*"), *folder.glob("*/*"))
    paths = [path.relative_to(folder) for path in near if path.suffix.lower() in _OTHER_TABLES]
    names = sorted(printable(str(path)) for path in paths)
    return f"; if {names[0]} has the labels, save it as CSV, and give that with --data" if names else ""


def _mask_folders(tree: Tree) -> frozenset[str]:
    return mask_classes({folder.name for folder in tree.class_folders})


def _without_masks(tree: Tree) -> tuple[list[PlacedFile], list[str]]:
    """Return the images that are no masks, and a warning on the others."""
    images = [file for file in tree.files if file.found.is_image]
    folders = _mask_folders(tree)
    masks = {index for index, file in enumerate(images) if file.folder in folders}
    by_class: dict[tuple[str, str], list[int]] = {}
    for index, file in enumerate(images):
        if index not in masks:
            by_class.setdefault((file.split, file.folder), []).append(index)
    for members in by_class.values():
        masks |= {members[number] for number in masks_among([images[index].inner for index in members])}
    kept = [file for index, file in enumerate(images) if index not in masks]
    return kept, mask_warnings([images[index] for index in sorted(masks)])


def _without_unlabelled_splits(tree: Tree) -> tuple[Tree, list[str]]:
    """Return the tree without the splits whose images lie in no class folder of the training split."""
    by_split = {split: _folders_with_images(tree, split) for split in tree.splits}
    known = by_split.get("train") or max(by_split.values(), key=len, default=set())
    warnings = []
    for split in sorted(tree.splits):
        images = [file for file in tree.files if file.split == split and file.found.is_image]
        if known and images and not known & by_split[split]:
            tree = _without_split(tree, split)
            warnings.append(unlabelled_warning(split, images))
    return tree, warnings


def _folders_with_images(tree: Tree, split: str) -> set[str]:
    files = (file for file in tree.files if file.split == split and file.found.is_image)
    return {folded(file.folder) for file in files if file.folder}


def _without_split(tree: Tree, split: str) -> Tree:
    return replace(
        tree,
        files=tuple(file for file in tree.files if file.split != split),
        class_folders=tuple(folder for folder in tree.class_folders if folder.split != split),
        splits=tree.splits - {split},
    )


def _renamed(file: PlacedFile, names: Mapping[ClassFolder, str]) -> PlacedFile:
    name = names.get(ClassFolder(file.split, file.folder))
    return file if name is None else replace(file, folder=name)
