"""Says which files of a folder are left out: by class, and by what they hold. Pure: it opens no file."""

from collections import Counter
from collections.abc import Mapping, Sequence

from models.sources.folder_tree import PlacedFile, Tree, split_of
from user_files.finding import FolderFiles, FoundFile
from user_files.printable import printable
from user_files.wording import counted, kinds_in_words, some

_MOST_CLASSES = 4


def other_files(tree: Tree) -> tuple[list[str], list[str]]:
    """Return warnings on files that may hold pictures which edgefit does not read, and notes on the rest."""
    others = [file for file in tree.files if not file.found.is_image]
    pictures = [file for file in others if file.found.kind.may_be_picture]
    rest = [file.found for file in others if not file.found.kind.may_be_picture]
    rest += [file for file in tree.outside if not file.is_image]
    warnings = [f"{_files_were(len(pictures))} left out: {_by_class(pictures, tree)}."] if pictures else []
    return [*warnings, *_images_outside(tree)], _other_notes(rest)


def _files_were(count: int) -> str:
    return counted(count, "file that is no image was", "files that are no images were")


def _by_class(files: Sequence[PlacedFile], tree: Tree) -> str:
    """Return how many files there are by class and kind: "of class 'X' 12 of 40 files (12 videos)"."""
    totals = Counter(file.folder for file in tree.files)
    members: dict[str, list[PlacedFile]] = {}
    for file in files:
        members.setdefault(file.folder, []).append(file)
    most_first = sorted(members, key=lambda name: (-len(members[name]), name))
    parts = [_of_class(name, members[name], totals) for name in most_first[:_MOST_CLASSES]]
    return "; ".join([*parts, *_more_classes(len(most_first))])


def _more_classes(count: int) -> list[str]:
    more = count - _MOST_CLASSES
    return [f"and some of {counted(more, 'other class', 'other classes')}"] if more > 0 else []


def _of_class(name: str, files: Sequence[PlacedFile], totals: Mapping[str, int]) -> str:
    kinds = kinds_in_words(file.found.kind for file in files)
    if not name:
        return f"outside of the class folders {len(files)} ({kinds})"
    return f"of class '{printable(name)}' {len(files)} of {counted(totals[name], 'file')} ({kinds})"


def _images_outside(tree: Tree) -> list[str]:
    images = [file for file in tree.outside if file.is_image]
    if not images:
        return []
    places = some(sorted({printable(file.inner.parts[0]) for file in images}))
    were = counted(len(images), "image beside the splits was", "images beside the splits were")
    return [f"{were} left out ({places})."]


def _other_notes(files: Sequence[FoundFile]) -> list[str]:
    if not files:
        return []
    names = some(sorted({printable(file.path.name) for file in files}))
    were = counted(len(files), "other file was", "other files were")
    return [f"{were} ignored: {kinds_in_words(file.kind for file in files)} ({names})."]


def hidden_notes(listed: FolderFiles) -> list[str]:
    """Return a note on hidden and system files."""
    if not listed.hidden:
        return []
    were = counted(len(listed.hidden), "hidden or system file was", "hidden or system files were")
    return [f"{were} ignored ({some(sorted(set(map(printable, listed.hidden))))})."]


def split_warnings(tree: Tree) -> list[str]:
    """Return a warning on folders that are the same split."""
    twins = [name for name in tree.split_folders if _is_twin(name, tree.split_folders)]
    return [f"The folders {', '.join(twins)} are one split together."] if twins else []


def _is_twin(name: str, others: Sequence[str]) -> bool:
    return sum(split_of(other) == split_of(name) for other in others) > 1


def split_notes(tree: Tree) -> list[str]:
    """Return a note on splits that lie in the class folders."""
    if tree.split_folders or "" in tree.splits:
        return []
    return [f"The splits lie in the class folders ({', '.join(sorted(tree.splits))})."]


def loop_warnings(listed: FolderFiles) -> list[str]:
    """Return a warning on links that lead back to a folder above them."""
    if not listed.loops:
        return []
    names = some([printable(str(inner)) for inner in listed.loops])
    were = counted(len(listed.loops), "link to a folder above it was", "links to folders above them were")
    return [f"{were} not followed ({names})."]


def mask_warnings(masks: Sequence[PlacedFile]) -> list[str]:
    """Return a warning on images that are masks by their names."""
    if not masks:
        return []
    counts = Counter(file.folder for file in masks).most_common()
    parts = [f"of '{printable(name)}' {count}" for name, count in counts[:_MOST_CLASSES] if name]
    parts += [*_more_classes(len(counts)), f"such as {printable(str(masks[0].found.inner))}"]
    are = counted(len(masks), "image is a mask of another", "images are masks of others")
    return [f"{are} by name, and left out ({', '.join(parts)})."]


def unlabelled_warning(split: str, images: Sequence[PlacedFile]) -> str:
    """Return the warning on a split whose images have no labels."""
    were = counted(len(images), f"image of {split} was", f"images of {split} were")
    names = some([printable(str(file.found.inner)) for file in images])
    return f"{were} left out, as {split} has no folder per class, and so no labels ({names})."


def stray_warnings(strays: Sequence[PlacedFile]) -> list[str]:
    """Return a warning on images beside the folders of the classes."""
    if not strays:
        return []
    names = some([printable(str(file.found.inner)) for file in strays])
    were = counted(len(strays), "image in no class folder was", "images in no class folder were")
    return [f"{were} left out ({names})."]
