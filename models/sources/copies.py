"""Decides which of several equal images are used. It reads nothing: it gets a key of each image's content."""

from collections.abc import Sequence
from dataclasses import dataclass

from models.sources.folder_tree import PlacedFile
from user_files.printable import printable
from user_files.wording import counted

_SPLITS = ("", "train", "val", "test")


@dataclass(frozen=True)
class UsedImages:
    """The images that are used, of some of which there are copies in the same split."""

    files: tuple[PlacedFile, ...]
    """The images, in their order."""
    keys: tuple[str | None, ...]
    """The key of each image's content, the same for equal ones; None for one that no other equals."""
    in_several_classes: int
    """How many others are in two class folders or more."""
    warnings: tuple[str, ...]
    """What a person should know of copies: sentences."""


def without_contradictions(files: Sequence[PlacedFile], keys: Sequence[str | None]) -> UsedImages:
    """Return the images without those that are equal to one of a later split, or of another class.

    `keys`: see content_keys.
    """
    groups: dict[str, list[int]] = {}
    for index, key in enumerate(keys):
        if key is not None:
            groups.setdefault(key, []).append(index)
    contradicting = [group for group in groups.values() if len({files[index].folder for index in group}) > 1]
    copies = [group for group in groups.values() if len({files[index].folder for index in group}) == 1]
    earlier = {index for group in copies for index in _earlier_splits(files, group)}
    left_out = earlier | {index for group in contradicting for index in group}
    used = [index for index in range(len(files)) if index not in left_out]
    same_split = [[index for index in group if index not in earlier] for group in copies]
    return UsedImages(
        files=tuple(files[index] for index in used),
        keys=tuple(keys[index] for index in used),
        in_several_classes=sum(map(len, contradicting)),
        warnings=(
            *_contradiction(files, contradicting),
            *_earlier(files, [group for group in copies if earlier & set(group)], len(earlier)),
            *_copied(files, [group for group in same_split if len(group) > 1]),
        ),
    )


def _split(files: Sequence[PlacedFile], index: int) -> int:
    return _SPLITS.index(files[index].split)


def _earlier_splits(files: Sequence[PlacedFile], group: Sequence[int]) -> list[int]:
    """Return those of a group that are in an earlier split than the last one."""
    splits = [_split(files, index) for index in group]
    last = max(splits)
    return [index for index, split in zip(group, splits, strict=True) if split < last]


def _contradiction(files: Sequence[PlacedFile], groups: Sequence[Sequence[int]]) -> list[str]:
    if not groups:
        return []
    first = groups[0][0]
    other = next(index for index in groups[0] if files[index].folder != files[first].folder)
    count, example = sum(map(len, groups)), _example(files, first, other)
    start = f"{count} images are equal to one of another class, byte for byte ({example})"
    return [f"{start}: none of these is used, as one of the labels is wrong."]


def _earlier(files: Sequence[PlacedFile], groups: Sequence[Sequence[int]], count: int) -> list[str]:
    if not groups:
        return []
    by_split = sorted(groups[0], key=lambda index: _split(files, index))
    are = counted(count, "image is equal", "images are equal")
    example = _example(files, by_split[0], by_split[-1])
    return [f"{are} to one of a later split, byte for byte ({example}), and left out."]


def _copied(files: Sequence[PlacedFile], groups: Sequence[Sequence[int]]) -> list[str]:
    if not groups:
        return []
    are = counted(sum(map(len, groups)) - len(groups), "image is a copy", "images are copies")
    example = _example(files, *groups[0][:2])
    return [f"{are} of others, byte for byte ({example}); copies stay in one split."]


def _example(files: Sequence[PlacedFile], first: int, second: int) -> str:
    return " is ".join(printable(str(files[index].found.inner)) for index in (first, second))
