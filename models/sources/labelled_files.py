"""Takes the images of a folder that can have labels: those in class folders, each once, in one class.

It reads the whole of files only where others have their size and their first bytes.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from models.errors import InputError
from models.sources.copies import without_contradictions
from models.sources.folder_tree import PlacedFile
from models.sources.left_out import stray_warnings
from user_files.equal_files import content_keys
from user_files.printable import printable
from user_files.wording import counted

_MANY_TIMES = 50


@dataclass(frozen=True)
class LabelledFiles:
    """The images in class folders."""

    files: tuple[PlacedFile, ...]
    """The images, of which no two are equal and in two splits or classes."""
    keys: tuple[str | None, ...]
    """The key of each image's content, the same for copies; None for an image without any."""
    warnings: tuple[str, ...]
    """What is probably not meant so: sentences."""


def labelled_files(where: str, images: Sequence[PlacedFile]) -> LabelledFiles:
    """Return the images in class folders. Raises InputError if most are in several classes at once.

    `where` names the folder or table in the message.
    """
    inside = [file for file in images if file.folder]
    strays = [file for file in images if not file.folder]
    used = without_contradictions(inside, content_keys([file.found for file in inside]))
    if 2 * used.in_several_classes > len(inside):
        raise InputError(
            f"{where}: {used.in_several_classes} of {len(inside)} images are in two classes or more; "
            "an image needs one class"
        )
    warnings = (
        *stray_warnings(strays),
        *used.warnings,
        *imbalance_warnings([file.folder for file in used.files]),
    )
    return LabelledFiles(used.files, used.keys, warnings)


def imbalance_warnings(classes: Sequence[str]) -> list[str]:
    """Return a warning if a class has many times as many images as another; `classes`: that of each image."""
    counts = Counter(classes).most_common()
    if len(counts) < 2 or counts[0][1] < _MANY_TIMES * counts[-1][1]:
        return []
    (most, largest), (fewest, smallest) = counts[0], counts[-1]
    few = f"Class '{printable(fewest)}' has {counted(smallest, 'image')} and '{printable(most)}' {largest}"
    return [f"{few}: figures on so few images are uncertain."]
