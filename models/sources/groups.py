"""Groups images that must stay in one split: those of a patient, altered copies and their original. Pure."""

from collections.abc import Sequence
from pathlib import PurePath

from models.sources.folder_layout import ImageFile
from models.sources.names import printable
from user_files.masks import altered_in_words, originals_of


def groups_of(files: Sequence[ImageFile]) -> list[str]:
    """Return a key for each image: its patient, else the path of the original of which it is a copy."""
    originals = _originals(files)
    firsts = [files[originals.get(index, index)] for index in range(len(files))]
    return [
        file.patient or first.patient or str(first.path) for file, first in zip(files, firsts, strict=True)
    ]


def altered_warnings(training: Sequence[ImageFile], test: Sequence[ImageFile]) -> list[str]:
    """Return a warning on images that are altered copies of others by their names."""
    files = [*training, *test]
    originals = _originals(files)
    if not originals:
        return []
    copy, original = next(iter(originals.items()))
    across = sum((copy < len(training)) != (original < len(training)) for copy, original in originals.items())
    end = (
        f"; {across} of them are in another split than the original, so test figures are too good"
        if across
        else "; each stays in the split of its original"
    )
    example = f"{printable(files[copy].path.name)} of {printable(files[original].path.name)}"
    return [f"{altered_in_words(len(originals), example)}{end}."]


def _originals(files: Sequence[ImageFile]) -> dict[int, int]:
    paths = [PurePath(file.split) / file.inner for file in files]
    return originals_of(paths, [file.label for file in files])
