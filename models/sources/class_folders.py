"""Decides which folders are classes by their names, and which names are one class. It opens no file."""

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from models.sources.folder_tree import ClassFolder
from user_files.printable import printable
from user_files.related_names import is_mask_folder
from user_files.wording import counted, some

_SHARD = re.compile(
    r"(?:images?|imgs?|parts?|batch|shards?|chunks?|packs?|folders?|dir|subset|disk|archive|data|files?|png|jpe?g"
    r"|x-?rays?|scans?|fold|split)[ _.\-]*\d+",
    re.IGNORECASE,
)
_BLANKS = re.compile(r"[\s_\-]+")


@dataclass(frozen=True)
class FolderClasses:
    """The class of each class folder."""

    names: Mapping[ClassFolder, str]
    """The name of the class, as one of its folders has it."""
    warnings: tuple[str, ...]
    """What a person should know of them: sentences."""


def mask_classes(names: Collection[str]) -> frozenset[str]:
    """Return which of the folders that would be classes hold masks of the images in the others.

    None do if another name is about masks as well: `mask` and `no_mask` are classes.
    """
    masks = frozenset(filter(is_mask_folder, names))
    others = [name for name in names if name not in masks]
    return frozenset() if not others or any("mask" in name.lower() for name in others) else masks


def are_shards(names: Collection[str]) -> bool:
    """Tell whether folders are named as parts of one data set, such as `images_001`, not as classes."""
    return bool(names) and all(map(_SHARD.fullmatch, names))


def class_names(folders: Sequence[ClassFolder], counts: Mapping[ClassFolder, int]) -> FolderClasses:
    """Return the class of each folder.

    Names that are the same in another Unicode form are one class. Names that differ in capitals, blanks,
    hyphens or underscores are one if no split has two of them. `counts`: how many images each folder has.
    """
    names = {folder: folder.name for folder in folders}
    warnings = []
    for alike in _groups(folders):
        spellings = sorted({folder.name for folder in alike}, key=lambda name: _rank(name, alike))
        if len(spellings) < 2:
            continue
        if _are_one(alike):
            names |= dict.fromkeys(alike, spellings[0])
            warnings.append(_one_class(spellings))
        else:
            warnings.append(_several_classes(alike, spellings, counts))
    return FolderClasses(names, tuple(warnings))


def _groups(folders: Sequence[ClassFolder]) -> list[list[ClassFolder]]:
    groups: dict[str, list[ClassFolder]] = {}
    for folder in folders:
        groups.setdefault(folded(folder.name), []).append(folder)
    return list(groups.values())


def folded(name: str) -> str:
    """Return what names have in common that differ in capitals, blanks, hyphens or underscores alone."""
    return _BLANKS.sub(" ", unicodedata.normalize("NFKC", name).casefold()).strip()


def composed(name: str) -> str:
    """Return a name in one Unicode form: accented letters are one character each."""
    return unicodedata.normalize("NFC", name)


def _are_one(alike: Sequence[ClassFolder]) -> bool:
    forms = {(folder.split, composed(folder.name)) for folder in alike}
    return max(Counter(split for split, _ in forms).values()) == 1


def _rank(name: str, alike: Sequence[ClassFolder]) -> tuple[bool, str]:
    """Sort the names of the training split first."""
    return (not any(folder.name == name and folder.split in ("", "train") for folder in alike), name)


def _one_class(spellings: Sequence[str]) -> str:
    if len({composed(name) for name in spellings}) == 1:
        name = printable(composed(spellings[0]))
        forms = f"{len(spellings)} Unicode forms, which look the same"
        return f"The class folders '{name}' have their name in {forms}: they are taken for one class."
    listed = some([f"'{_visible(name)}'" for name in spellings])
    return f"The class folders {listed} are taken for one class, as their names differ in spelling alone."


def _visible(name: str) -> str:
    """Return a name in which a letter and its accent that are two characters are seen as such."""
    return printable(name) if composed(name) == name else ascii(name)[1:-1]


def _several_classes(
    alike: Sequence[ClassFolder], spellings: Sequence[str], counts: Mapping[ClassFolder, int]
) -> str:
    totals = [sum(counts.get(folder, 0) for folder in alike if folder.name == name) for name in spellings]
    listed = some(
        [
            f"'{_visible(name)}' ({counted(total, 'image')})"
            for name, total in zip(spellings, totals, strict=True)
        ]
    )
    return f"The class folders {listed} differ in spelling alone, and are used as classes of their own."
