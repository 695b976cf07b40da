"""What a loss of power may leave of a folder: every state, at every step of some work.

A file system keeps what was synced: the content of a file by fsync of the file, names by fsync of their
folder. Of all that was not synced it may keep everything, nothing, or the first of several changes of names;
a file's content may be missing, cut off, or zeros. The work runs in this process, and its calls are watched:
around each call that changes names or syncs, the folder is read as it is. From that the states are built.
"""

import os
import shutil
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from bench.filesystem import exchange

_CALLS = ("rename", "replace", "mkdir", "unlink", "rmdir", "link", "symlink", "open", "fsync", "sync")
Choose = Callable[[bytes, bytes], bytes]
Tree = dict[str, "Tree | str | bytes"]
_CONTENTS: dict[str, Choose] = {
    "its old content": lambda old, new: old,
    "its new content": lambda old, new: new,
    "a part of it": lambda old, new: new[: (_alike(old, new) + len(new)) // 2],
    "zeros in it": lambda old, new: new[: _alike(old, new)].ljust(len(new), b"\0"),
}
Names = dict[int, dict[str, int]]
"""For each folder, by its inode: the inode of each name in it."""
Change = dict[tuple[int, str], int | None]
"""One change of names, which happens whole or not at all: the new inode of each (folder, name)."""


def _alike(old: bytes, new: bytes) -> int:
    """Return how many bytes at the beginning are the same: writing behind them does not damage them."""
    low, high = 0, min(len(old), len(new))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if old[:middle] == new[:middle] else (low, middle - 1)
    return low


@pytest.fixture(autouse=True)
def quick_syncing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have syncing take no time: what it does is simulated. A test module imports this fixture."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
    monkeypatch.setattr(os, "sync", lambda: None)


@dataclass
class Disk:
    """A folder as it is, and what of it was synced."""

    names: Names = field(default_factory=dict)
    """The names as they are."""
    contents: dict[int, bytes] = field(default_factory=dict)
    """The content of each file; of a link, where it leads to."""
    links: set[int] = field(default_factory=set)
    """The inodes that are links."""
    synced_names: Names = field(default_factory=dict)
    """The names that were synced."""
    synced_contents: dict[int, bytes] = field(default_factory=dict)
    """The contents that were synced."""
    pending: list[Change] = field(default_factory=list)
    """The changes of names that were not synced yet, in order."""

    def copy(self) -> "Disk":
        """Return the state of this moment."""
        return Disk(
            {folder: dict(names) for folder, names in self.names.items()},
            dict(self.contents),
            set(self.links),
            {folder: dict(names) for folder, names in self.synced_names.items()},
            dict(self.synced_contents),
            list(self.pending),
        )


class PowerLoss:
    """Watches work in a folder, and rebuilds what a loss of power may have left of it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._inode = os.stat(root).st_ino
        self._open: dict[int, int] = {}
        """A descriptor for each inode that was seen, so that the number is not used again."""
        self._real_open = os.open
        self._disk = Disk()
        self._look()
        self._sync_everything()
        self.done = 0
        """How much of the work was reported as done; the work counts it up."""
        self._steps: list[tuple[str, int, Disk]] = [("the beginning", 0, self._disk.copy())]

    def run(self, work: Callable[[], object]) -> None:
        """Do some work, and remember every step of it."""
        with self._watching():
            work()
        self._record("the end")
        for descriptor in self._open.values():
            os.close(descriptor)

    def at_the_end(self, place: Path) -> Iterator[Path]:
        """Yield every state that a loss of power after the work leaves, each as a folder below `place`."""
        return (left for left, _ in self._built(self._steps[-1:], place))

    def at_any_step(self, place: Path) -> Iterator[Path]:
        """Yield every state that a loss of power at any step leaves, each as a folder below `place`."""
        return (left for left, _ in self.with_done(place))

    def with_done(self, place: Path) -> Iterator[tuple[Path, int]]:
        """Yield what `at_any_step` does, and how much was `done` then."""
        assert len(self._steps) > 3, "no step was seen"
        return self._built(self._steps, place)

    def _built(self, steps: list[tuple[str, int, Disk]], place: Path) -> Iterator[tuple[Path, int]]:
        seen, numbers = set[str](), count()
        place.mkdir()
        for label, done, disk in steps:
            for how, names in _surviving_names(disk):
                for what, choose in _CONTENTS.items():
                    tree = _tree(disk, names, choose, self._inode)
                    if (key := repr((done, tree))) not in seen:
                        seen.add(key)
                        target = place / f"{next(numbers)} after {label}, with {how} and {what}"
                        _build(tree, target)
                        yield target, done
                        shutil.rmtree(target)

    @contextmanager
    def _watching(self) -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            for name in _CALLS:
                patch.setattr(os, name, self._watched(name, getattr(os, name)))
            real = exchange._exchange_at_once
            patch.setattr(exchange, "_exchange_at_once", self._watched("exchange", real))
            yield

    def _watched(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*words: Any, **named: Any) -> Any:
            self._look()  # a file that was opened otherwise
            result = real(*words, **named)
            self._look()
            if name == "sync":
                self._sync_everything()
            elif name == "fsync":
                self._sync(os.fstat(words[0]).st_ino)
            self._record(name)
            return result

        return call

    def _record(self, label: str) -> None:
        self._look()
        self._steps.append((label, self.done, self._disk.copy()))

    def _look(self) -> None:
        """Read the folder as it is; whatever names changed since the last time is one change."""
        names: Names = {}
        self._read(self.root, names)
        before = self._disk.names
        names = {**{folder: {} for folder in before}, **names}
        change = {
            (folder, name): new.get(name)
            for folder, new in names.items()
            for name in new.keys() | before.get(folder, {}).keys()
            if new.get(name) != before.get(folder, {}).get(name)
        }
        self._disk.names = names
        if change:
            self._disk.pending.append(change)

    def _read(self, folder: Path, names: Names) -> None:
        status = os.stat(folder)
        self._keep(folder, status.st_ino)
        found = names[status.st_ino] = {}
        for entry in os.scandir(folder):
            status = entry.stat(follow_symlinks=False)
            found[entry.name] = status.st_ino
            if stat.S_ISDIR(status.st_mode):
                self._read(Path(entry.path), names)
            elif stat.S_ISLNK(status.st_mode):
                self._disk.links.add(status.st_ino)
                self._disk.contents[status.st_ino] = os.fsencode(os.readlink(entry.path))
            else:
                self._keep(Path(entry.path), status.st_ino)
                self._disk.contents[status.st_ino] = Path(entry.path).read_bytes()

    def _keep(self, path: Path, inode: int) -> None:
        if inode not in self._open:
            self._open[inode] = self._real_open(path, os.O_RDONLY)

    def _sync(self, inode: int) -> None:
        disk = self._disk
        if inode in disk.contents:
            disk.synced_contents[inode] = disk.contents[inode]
        elif inode in disk.names:
            synced = _those_of(inode, disk.pending)
            disk.synced_names = _changed(disk.synced_names, synced)
            disk.synced_names.setdefault(inode, {})
            disk.pending = [change for change in disk.pending if change not in synced]

    def _sync_everything(self) -> None:
        disk = self._disk
        disk.synced_contents, disk.pending = dict(disk.contents), []
        disk.synced_names = {folder: dict(names) for folder, names in disk.names.items()}


def _those_of(folder: int, pending: Sequence[Change]) -> list[Change]:
    """Return the changes of a folder, and what they build on: a rename between two folders is one change."""
    wanted, places = [], set[tuple[int, str]]()
    for change in reversed(pending):
        if any(place[0] == folder for place in change) or places & change.keys():
            wanted.append(change)
            places |= change.keys()
    return wanted[::-1]


def _changed(names: Names, changes: Iterable[Change]) -> Names:
    after = {folder: dict(inside) for folder, inside in names.items()}
    for change in changes:
        for (folder, name), inode in change.items():
            inside = after.setdefault(folder, {})
            if inode is None:
                inside.pop(name, None)
            else:
                inside[name] = inode
    return after


def _surviving_names(disk: Disk) -> Iterator[tuple[str, Names]]:
    """Yield which changes may have survived: the first few, those of one folder, or those of the others."""
    pending = disk.pending
    for number in range(len(pending) + 1):
        kept = pending[:number]
        yield f"{number} of {len(pending)} changes of names", _changed(disk.synced_names, kept)
    for folder in {place[0] for change in pending for place in change}:
        mine = _those_of(folder, pending)
        yield f"the changes in folder {folder}", _changed(disk.synced_names, mine)
        others = [change for change in pending if all(place[0] != folder for place in change)]
        yield f"the changes outside folder {folder}", _changed(disk.synced_names, others)


def _tree(disk: Disk, names: Names, choose: Choose, folder: int) -> Tree:
    """Return a folder as it survives: each name with a folder, a link's target, or a content."""
    tree: Tree = {}
    for name, inode in sorted(names.get(folder, {}).items()):
        if inode in disk.names:
            tree[name] = _tree(disk, names, choose, inode)
        elif inode in disk.links:
            tree[name] = os.fsdecode(disk.contents[inode])
        else:
            tree[name] = choose(disk.synced_contents.get(inode, b""), disk.contents[inode])
    return tree


def _build(tree: Tree, target: Path) -> None:
    target.mkdir()
    for name, what in tree.items():
        if isinstance(what, bytes):
            (target / name).write_bytes(what)
        elif isinstance(what, str):
            (target / name).symlink_to(what)
        else:
            _build(what, target / name)
