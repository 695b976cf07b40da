"""Groups images that must stay in one split: those of a patient, copies and altered copies. Pure."""

from collections.abc import Sequence
from pathlib import PurePath

from models.sources.folder_layout import ImageFile
from user_files.printable import printable
from user_files.related_names import altered_in_words, originals_of


def groups_of(files: Sequence[ImageFile]) -> list[str]:
    """Return a key for each image: the same for one patient, content or original, by any chain."""
    originals = _originals(files)
    first: dict[tuple[str, str], int] = {}
    group = list(range(len(files)))
    for index, file in enumerate(files):
        marks = (("patient", file.patient), ("content", file.content))
        others = [first.setdefault((kind, mark), index) for kind, mark in marks if mark is not None]
        for other in [*others, originals.get(index, index)]:
            group[_root(group, index)] = _root(group, other)
    return [str(_root(group, index)) for index in range(len(files))]


def _root(group: list[int], index: int) -> int:
    """Return the first of a chain, and halve the chain on the way, so that none stays long."""
    while group[index] != index:
        group[index] = group[group[index]]
        index = group[index]
    return index


def altered_warnings(training: Sequence[ImageFile], test: Sequence[ImageFile]) -> list[str]:
    """Return a warning on images that are altered copies of others by their names."""
    files = [*training, *test]
    originals = {
        copy: original for copy, original in _originals(files).items() if _differ(files, copy, original)
    }
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


def _differ(files: Sequence[ImageFile], copy: int, original: int) -> bool:
    content = files[copy].content
    return content is None or content != files[original].content


def _originals(files: Sequence[ImageFile]) -> dict[int, int]:
    paths = [PurePath(file.split) / file.inner for file in files]
    return originals_of(paths, [file.label for file in files])
