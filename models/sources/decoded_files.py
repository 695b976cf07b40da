"""Says which decoded files are not used: no images, and the same pixels in two splits or classes.

Pure: pixels and reasons in, indices and sentences out.
"""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.dataset import Images
from models.sources.decoding import Decoded
from models.sources.folder_layout import ImageFile
from user_files.printable import printable
from user_files.wording import counted, some

MOST_NAMED = 20
_GREY_LEVELS = 3
_BLACK_BELOW, _WHITE_ABOVE = 5, 250
# Of what is not black, most is white; resizing leaves a grey rim. Many films have a black background.
_LEAST_OF_EACH, _MOSTLY = 0.02, 0.6


@dataclass(frozen=True)
class SamePixels:
    """Images whose pixels are those of another image, in another file."""

    left_out: frozenset[int]
    """The indices of those that are not used."""
    warnings: tuple[str, ...]
    """What a person should know of them: sentences."""


def bad_files(files: Sequence[ImageFile], decoded: Decoded) -> dict[int, str]:
    """Return the index of each file that is no usable image, with the reason."""
    reasons = dict(decoded.bad) | {index: file.problem for index, file in enumerate(files) if file.problem}
    return dict(sorted(reasons.items()))


def skip_warnings(folder: Path, files: Sequence[ImageFile], bad: Mapping[int, str]) -> tuple[str, ...]:
    """Return a warning on images that were skipped, with their names and the reasons."""
    if not bad:
        return ()
    names: dict[str, list[str]] = {}
    for index, reason in list(bad.items())[:MOST_NAMED]:
        names.setdefault(reason, []).append(_shown(folder, files[index].path))
    listed = [f"{', '.join(alike)} ({reason})" for reason, alike in names.items()]
    more = f" and {len(bad) - MOST_NAMED} more" if len(bad) > MOST_NAMED else ""
    were = counted(len(bad), "image cannot be decoded and was", "images cannot be decoded and were")
    return (f"{were} skipped: {', '.join(listed)}{more}.",)


def _shown(folder: Path, path: Path) -> str:
    return printable(str(path.relative_to(folder) if path.is_relative_to(folder) else path))


def odd_images(
    folder: Path, files: Sequence[ImageFile], images: Images, bad: Mapping[int, str]
) -> tuple[str, ...]:
    """Return warnings on images that have one grey level, or only black and white as masks have."""
    usable = [index for index in range(len(files)) if index not in bad]
    blank = [index for index in usable if _is_blank(images[index])]
    masks = [index for index in usable if _is_black_and_white(images[index])]
    return (
        *_odd(
            folder, files, blank, "is blank (it has one grey level)", "are blank (they have one grey level)"
        ),
        *_odd(folder, files, masks, "is black and white, as masks are", "are black and white, as masks are"),
    )


def _is_blank(image: Images) -> bool:
    return int(image.max()) - int(image.min()) < _GREY_LEVELS


def _is_black_and_white(image: Images) -> bool:
    black, white = np.mean(image < _BLACK_BELOW), np.mean(image > _WHITE_ABOVE)
    return bool(min(black, white) > _LEAST_OF_EACH and white > _MOSTLY * (1 - black))


def _odd(
    folder: Path, files: Sequence[ImageFile], chosen: Sequence[int], one: str, several: str
) -> tuple[str, ...]:
    if not chosen:
        return ()
    names = some([_shown(folder, files[index].path) for index in chosen])
    return (f"{counted(len(chosen), f'image {one}', f'images {several}')}: {names}.",)


def same_pixels(
    files: Sequence[ImageFile], images: Images, bad: Mapping[int, str], ends: Sequence[int]
) -> SamePixels:
    """Return which images are left out because another one has the same pixels at network size.

    Of one class it is those of the earlier split: train, validation, test, which end at `ends`. Of two
    classes it is all, as one of the labels is wrong. Images of one grey level have nothing in common.
    """
    groups: dict[bytes, list[int]] = {}
    for index, image in enumerate(images):
        if index not in bad and image.min() != image.max():
            groups.setdefault(hashlib.sha256(image.tobytes()).digest(), []).append(index)
    split = [sum(index >= end for end in ends) for index in range(len(files))]
    left_out: list[int] = []
    for group in groups.values():
        if len({files[index].label for index in group}) > 1:
            left_out += group
        else:
            left_out += [index for index in group if split[index] < split[group[-1]]]
    return SamePixels(frozenset(left_out), _same_warnings(files, groups.values(), left_out))


def _same_warnings(
    files: Sequence[ImageFile], groups: Collection[Sequence[int]], left_out: Sequence[int]
) -> tuple[str, ...]:
    if not left_out:
        return ()
    group = next(group for group in groups if left_out[0] in group)
    names = [printable(files[index].path.name) for index in (group[0], group[-1])]
    were = counted(len(left_out), "image was", "images were")
    return (f"{were} left out, as the same pixels are in another split or class ({names[0]} is {names[1]}).",)
