"""Decides which of several equal images are used. It reads nothing: it gets a key of each image's content."""

from collections.abc import Sequence
from dataclasses import dataclass

from models.sources.folder_tree import PlacedFile
from models.sources.names import printable
from user_files.wording import counted

_SPLITS_FROM_LAST = ("test", "val", "train", "")


@dataclass(frozen=True)
class DifferentImages:
    """Images of which no two are equal."""

    files: tuple[PlacedFile, ...]
    """The images that are used, in their order."""
    in_several_classes: int
    """How many others are in two class folders or more."""
    warnings: tuple[str, ...]
    """What a person should know of the others: sentences."""


def without_copies(files: Sequence[PlacedFile], keys: Sequence[str | None]) -> DifferentImages:
    """Return one of each set of equal images: that of the last split, so that no test image is trained on.

    Images that are equal and in two classes are left out: one of the labels is wrong. `keys`: see
    content_keys.
    """
    groups: dict[str, list[int]] = {}
    for index, key in enumerate(keys):
        if key is not None:
            groups.setdefault(key, []).append(index)
    contradicting = [group for group in groups.values() if len({files[index].folder for index in group}) > 1]
    copies = [group for group in groups.values() if len({files[index].folder for index in group}) == 1]
    left_out = {index for group in contradicting for index in group}
    left_out |= {index for group in copies for index in group if index != _used(files, group)}
    return DifferentImages(
        tuple(file for index, file in enumerate(files) if index not in left_out),
        sum(map(len, contradicting)),
        (*_contradiction(files, contradicting), *_copied(files, copies)),
    )


def _used(files: Sequence[PlacedFile], group: Sequence[int]) -> int:
    return min(group, key=lambda index: _rank(files[index]))


def _rank(file: PlacedFile) -> tuple[int, int]:
    """Put the last split first, and in it the shortest name: that of a copy is longer."""
    return _SPLITS_FROM_LAST.index(file.split), len(file.found.inner.name)


def _contradiction(files: Sequence[PlacedFile], groups: Sequence[Sequence[int]]) -> list[str]:
    if not groups:
        return []
    first, second = (_place(files[index]) for index in (groups[0][0], _of_other_class(files, groups[0])))
    sentence = (
        f"{sum(map(len, groups))} images are equal to one of another class, byte for byte ({first} is "
        f"{second}): none of these is used, as one of the labels is wrong."
    )
    return [sentence]


def _of_other_class(files: Sequence[PlacedFile], group: Sequence[int]) -> int:
    return next(index for index in group if files[index].folder != files[group[0]].folder)


def _copied(files: Sequence[PlacedFile], groups: Sequence[Sequence[int]]) -> list[str]:
    if not groups:
        return []
    first, second = map(_place, (files[index] for index in groups[0][:2]))
    across = sum(len({files[index].split for index in group}) > 1 for group in groups)
    stay = counted(across, "was in two splits, and stays", "were in two splits, and stay")
    leaks = f" ({stay} in the later one)" if across else ""
    copies = counted(sum(map(len, groups)) - len(groups), "image is a copy", "images are copies")
    return [f"{copies} of others, byte for byte ({first} is {second}): one of each is used{leaks}."]


def _place(file: PlacedFile) -> str:
    return printable(str(file.found.inner))
