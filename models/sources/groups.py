"""Groups images that must stay in one split: those of a patient, altered copies and their original. Pure."""

from collections.abc import Sequence

from models.sources.folder_layout import ImageFile
from models.sources.names import printable
from user_files.masks import originals_of
from user_files.wording import counted


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
        else ""
    )
    copies = counted(len(originals), "image is an altered copy", "images are altered copies")
    example = f"{printable(files[copy].path.name)} of {printable(files[original].path.name)}"
    return [f"{copies} of others by name ({example}){end}."]


def _originals(files: Sequence[ImageFile]) -> dict[int, int]:
    """Return the altered copies with their originals of the same class: indices."""
    by_class: dict[int, list[int]] = {}
    for index, file in enumerate(files):
        by_class.setdefault(file.label, []).append(index)
    return {
        members[copy]: members[original]
        for members in by_class.values()
        for copy, original in originals_of([files[index].inner for index in members]).items()
    }
