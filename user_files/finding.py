"""Lists the files of a folder with what each holds. It reads the first bytes of a file, and no others.

Pipes and devices are never opened. Links to folders are followed, unless they lead back to a folder above.
Hidden files, and those that operating systems and tools leave in every folder, are only counted.
"""

import os
import re
import stat
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path, PurePath

from user_files.data_kinds import (
    BROKEN_LINK,
    IMAGE,
    NO_REGULAR_FILE,
    POINTER,
    UNKNOWN,
    UNREADABLE,
    DataKind,
    is_named_as_image,
    kind_of,
)
from user_files.pointers import HEAD_BYTES, Pointer, pointer_of

_SYSTEM_NAMES = frozenset(
    (
        *("__macosx", "thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", "@eadir", "#recycle", "#snapshot"),
        *("$recycle.bin", "system volume information", "recycler", "lost+found", "__pycache__"),
    )
)
_ANNEX_TARGET = re.compile(r"(^|/)annex/objects/")


@dataclass(frozen=True)
class FoundFile:
    """A file of a folder."""

    path: Path
    """Its path."""
    inner: PurePath
    """Its path below the folder that was listed."""
    kind: DataKind
    """What it holds."""
    size: int = 0
    """How many bytes it has."""
    head_digest: bytes = b""
    """A digest of its first bytes: files with different ones differ."""
    pointer: Pointer | None = None
    """Which pointer it is; None if it is none."""

    @property
    def is_image(self) -> bool:
        """Whether it is an image, or is meant to be one: by its suffix, or as a pointer without one."""
        is_meant = is_named_as_image(self.path) or (self.kind is POINTER and not self.path.suffix)
        return self.kind is IMAGE or is_meant

    @property
    def problem(self) -> str:
        """Why it cannot be read as an image, after a file's name; "" if nothing is known against it."""
        if self.pointer is not None:
            return f"it is {self.pointer.what}; {self.pointer.remedy}"
        return "" if self.kind in (IMAGE, UNKNOWN) else f"it is {self.kind.one}"


@dataclass(frozen=True)
class FolderFiles:
    """All files in and below a folder."""

    files: tuple[FoundFile, ...]
    """The files, in the order of their paths."""
    folders: tuple[PurePath, ...]
    """The paths of the folders below it, in this order too."""
    hidden: tuple[str, ...]
    """The names of hidden files and folders, and of those of systems and tools."""
    loops: tuple[PurePath, ...]
    """Links to a folder above, which were not followed."""


@dataclass
class _Lists:
    files: list[FoundFile] = field(default_factory=list)
    folders: list[PurePath] = field(default_factory=list)
    hidden: list[str] = field(default_factory=list)
    loops: list[PurePath] = field(default_factory=list)


def list_files(folder: Path) -> FolderFiles:
    """Return what lies in and below a folder. Raises OSError if a folder cannot be read."""
    lists = _Lists()
    _walk(folder, PurePath(), (os.path.realpath(folder),), lists)
    files = sorted(lists.files, key=lambda file: file.inner.parts)
    folders = sorted(lists.folders, key=lambda inner: inner.parts)
    return FolderFiles(tuple(files), tuple(folders), tuple(sorted(lists.hidden)), tuple(lists.loops))


def _walk(folder: Path, inner: PurePath, above: tuple[str, ...], lists: _Lists) -> None:
    with os.scandir(folder) as entries:
        folders = {entry.name: _is_folder(entry) for entry in entries}
    for name in sorted(folders):
        path = folder / name
        if is_hidden(name):
            lists.hidden.append(name)
        elif not folders[name]:
            lists.files.append(found_file(path, inner / name))
        elif (target := os.path.realpath(path)) in above:
            lists.loops.append(inner / name)
        else:
            lists.folders.append(inner / name)
            _walk(path, inner / name, (*above, target), lists)


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False  # a link to itself


def is_hidden(name: str) -> bool:
    """Tell whether a file or folder is hidden, or is one that systems and tools leave in every folder."""
    return name.startswith(".") or name.lower() in _SYSTEM_NAMES


def found_file(path: Path, inner: PurePath | None = None) -> FoundFile:
    """Return what a file holds; `inner` is its path below a folder that is listed."""
    place = PurePath(path.name) if inner is None else inner
    try:
        state = path.stat()
    except OSError:
        return _missing(path, place)
    if not stat.S_ISREG(state.st_mode):
        return FoundFile(path, place, NO_REGULAR_FILE)
    try:
        head = _head(path)
    except OSError:
        return FoundFile(path, place, UNREADABLE, state.st_size)
    digest = blake2b(head, digest_size=16).digest()
    return FoundFile(path, place, kind_of(head, path), state.st_size, digest, pointer_of(head))


def _head(path: Path) -> bytes:
    with path.open("rb", buffering=0) as file:
        return file.read(HEAD_BYTES)


def _missing(path: Path, inner: PurePath) -> FoundFile:
    """Return a link that leads nowhere; git-annex has one in the place of each file that was not fetched."""
    target = os.readlink(path) if path.is_symlink() else ""
    if _ANNEX_TARGET.search(target):
        return FoundFile(path, inner, POINTER, pointer=pointer_of(b"/annex/objects/"))
    return FoundFile(path, inner, BROKEN_LINK)


def first_image(folder: Path) -> Path | None:
    """Return the first image in or below a folder; None if there is none."""
    return next((file.path for file in list_files(folder).files if file.is_image), None)
