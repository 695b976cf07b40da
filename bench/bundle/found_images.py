"""Finds the images of a folder for model files, by content, without masks of others. It decodes none."""

from dataclasses import dataclass
from pathlib import Path

from bench.errors import InputError
from user_files.finding import FoundFile, list_files
from user_files.printable import printable
from user_files.related_names import masks_among
from user_files.wording import counted, kinds_in_words


@dataclass(frozen=True)
class FoundImages:
    """The images in and below a folder."""

    images: tuple[FoundFile, ...]
    """The images, without masks of others."""
    masks: int
    """How many masks there are."""
    others: tuple[FoundFile, ...]
    """The files that are no images."""

    @property
    def left_out(self) -> str:
        """What there is instead of images, for a message."""
        return f", but {kinds_in_words(file.kind for file in self.others)}" if self.others else ""

    @property
    def warnings(self) -> tuple[str, ...]:
        """Which files that may be pictures were left out."""
        masks = f"{counted(self.masks, 'mask')} of others by name" if self.masks else ""
        others = kinds_in_words(file.kind for file in self.others if file.kind.may_be_picture)
        left_out = [part for part in (masks, others) if part]
        return (f"left out: {', '.join(left_out)}",) if left_out else ()


def images_in(folder: Path) -> FoundImages:
    """Return the images in and below a folder, in the order of their paths, without masks of others.

    Raises InputError for a missing folder, and for a file that is no image in spite of its name.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; give a folder with images")
    files = list_files(folder).files
    images = [file for file in files if file.is_image]
    masks = masks_among([file.inner for file in images])
    bad = [file for file in images if file.problem]
    if bad:
        raise InputError(
            f"{printable(str(bad[0].path))}: {bad[0].problem} ({len(bad)} of {len(images)} images in "
            f"{folder} cannot be read); replace such files, or move them away"
        )
    kept = tuple(file for index, file in enumerate(images) if index not in masks)
    return FoundImages(kept, len(masks), tuple(file for file in files if not file.is_image))
