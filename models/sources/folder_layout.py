"""Which files of a folder are images of which class and split. It reads names, and opens no image.

With `train/` beside `val/` or `test/` the folder's own splits stand; otherwise each sub-folder is a class.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from models.errors import InputError
from models.sources.decoding import IMAGE_SUFFIXES, refuse_dicom
from models.sources.names import check_name, printable

SPLIT_NAMES = {
    "train": "train", "training": "train",
    "val": "val", "valid": "val", "validation": "val",
    "test": "test", "testing": "test",
}  # fmt: skip
# Of two classes the one that says "nothing found" is label 0, so that label 1, the positive class of
# sensitivity and specificity, is the finding.
NEGATIVE_NAMES = frozenset(("normal", "negative", "healthy", "control", "benign", "no_finding", "no finding"))
NEGATIVE_PREFIXES = ("non-", "non_", "no_", "no-", "not_", "not-", "no ", "not ", "non ")


@dataclass(frozen=True)
class ImageFile:
    """One image: its class, the split it was found in ("" without splits), its path below its class."""

    path: Path
    label: int
    split: str
    inner: Path


@dataclass(frozen=True)
class Layout:
    """All images, the classes by label, the splits that exist, what else was there and passed over."""

    files: tuple[ImageFile, ...]
    classes: tuple[str, ...]
    splits: frozenset[str]
    passed_over: tuple[str, ...]


def read_layout(folder: Path) -> Layout:
    """List the folder, or raise an InputError that says what is not as it should be."""
    check_name(str(folder), "--data")
    check_name(folder.resolve().name, "--data: folder")
    passed: list[str] = []
    split_folders = _find_splits(folder, passed)
    class_folders = {split: _sub_folders(path) for split, path in split_folders.items()}
    classes = _order_classes({path.name for paths in class_folders.values() for path in paths})
    _check_classes(folder, classes)
    files: list[ImageFile] = []
    for split, paths in class_folders.items():
        passed += [entry.name for entry in split_folders[split].iterdir() if entry.is_file()]
        for path in paths:
            files += _list_class(path, classes.index(path.name), split, passed)
    layout = Layout(tuple(files), classes, frozenset(split_folders), tuple(map(printable, passed)))
    _check_splits(folder, layout)
    return layout


def _find_splits(folder: Path, passed: list[str]) -> dict[str, Path]:
    """Folder by split name; {"": folder} where the folder has no splits."""
    found = {SPLIT_NAMES[path.name.lower()]: path for path in _sub_folders(folder) if _is_split(path)}
    if not found:
        return {"": folder}
    if "train" not in found:
        raise InputError(
            f"{folder}: has {', '.join(sorted(found))} but no train folder; add train/, "
            "or give one sub-folder per class"
        )
    passed += [path.name for path in folder.iterdir() if path not in found.values()]
    return found


def _is_split(path: Path) -> bool:
    return path.name.lower() in SPLIT_NAMES


def _sub_folders(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir() and not _is_hidden(path))


def _is_hidden(path: Path) -> bool:
    return path.name.startswith((".", "__MACOSX"))


def _order_classes(names: set[str]) -> tuple[str, ...]:
    """By alphabet, but of two classes the negative one first."""
    return tuple(sorted(names, key=lambda name: (len(names) == 2 and not _says_nothing_found(name), name)))


def _says_nothing_found(name: str) -> bool:
    return name.lower() in NEGATIVE_NAMES or name.lower().startswith(NEGATIVE_PREFIXES)


def _check_classes(folder: Path, classes: tuple[str, ...]) -> None:
    for name in classes:
        check_name(name, f"{folder}: class folder")
    remedy = "a folder with one sub-folder per class is needed, at least two"
    if not classes:
        raise InputError(f"{folder}: no class sub-folder; {remedy}")
    if len(classes) > 1:
        return
    inside = folder / classes[0]
    deeper = inside.is_dir() and len(_sub_folders(inside)) > 1
    hint = f"did you mean {inside}? " if deeper else ""
    raise InputError(f"{folder}: one class only, '{classes[0]}'; {hint}{remedy}")


def _list_class(folder: Path, label: int, split: str, passed: list[str]) -> Iterator[ImageFile]:
    """The class's images, those in folders below it too."""
    for path in sorted(folder.rglob("*")):
        inner = path.relative_to(folder)
        if path.is_dir():
            continue
        if any(part.startswith((".", "__MACOSX")) for part in inner.parts):
            passed.append(path.name)
        elif path.suffix.lower() in IMAGE_SUFFIXES:
            yield ImageFile(path, label, split, inner)
        else:
            refuse_dicom(path)
            passed.append(path.name)


def _check_splits(folder: Path, layout: Layout) -> None:
    """Every split must have images of every class; a small `val` is joined to train and may lack some."""
    for split in sorted(layout.splits - {"val"}):
        there = {file.label for file in layout.files if file.split == split}
        where = folder / split if split else folder
        if not there:
            raise InputError(
                f"{where}: no image in it ({', '.join(sorted(IMAGE_SUFFIXES))}); "
                "each split needs images of every class"
            )
        absent = [name for label, name in enumerate(layout.classes) if label not in there]
        if absent:
            raise InputError(
                f"{where}: no image of class '{absent[0]}'; each split needs images of every class"
            )
