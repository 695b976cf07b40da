"""The journal of a run: a file to which every measurement is written at once, so that a run can be resumed.

This module handles lines and locks. The module journal_entries defines the entries and their meaning.
"""

import fcntl
import os
from contextlib import ExitStack
from io import FileIO
from pathlib import Path
from types import TracebackType

from pydantic import ValidationError

from bench.errors import InputError
from bench.filesystem.cache_folder import cache_folder
from bench.filesystem.cache_limits import trim_cache
from bench.filesystem.syncing import sync_folder
from bench.filesystem.trying import try_to_write
from bench.filesystem.unfinished import is_at
from bench.harness.journal_entries import ENTRIES, Entry, JournalState
from user_files.own_folders import CACHE_VARIABLE
from user_files.reading import naming


class Journal:
    """An open journal; use it as a context manager.

    `finish` removes the file. The file of an interrupted run stays.
    """

    path: Path
    """The journal's file."""
    state: JournalState
    """What the entries add up to."""
    was_interrupted: bool
    """Whether the file of an earlier run existed."""
    dropped: range
    """The numbers of the lines that were dropped, because the first of them is damaged."""

    def __init__(self, key: str, resume: bool) -> None:
        """Open the journal of the run that `key` identifies: what is measured, a dash, and where.

        With `resume`, the entries in the file are read first; else they are removed. Raises InputError if
        another process is writing the file, or if it cannot be opened.
        """
        trim_cache("journals")
        self.path = cache_folder("journals") / f"{key}.jsonl"
        self._file = _locked(self.path)
        self.state = JournalState()
        self.dropped = range(0)
        try:
            sync_folder(self.path.parent)
            with naming(self.path):  # before minutes of measuring, instead of after the first of them
                try_to_write(self.path.parent)
            self.was_interrupted = os.fstat(self._file.fileno()).st_size > 0
            if resume:
                self._read()
            else:
                self._file.truncate(0)
        except BaseException:
            self._close()
            raise

    def __enter__(self) -> "Journal":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._file.closed:
            self._close()

    @property
    def was_interrupted_elsewhere(self) -> bool:
        """Whether there is a journal of the same, of a machine, a kernel or a runtime as it was before."""
        what = self.path.stem.partition("-")[0]
        others = (path for path in self.path.parent.glob(f"{what}-*.jsonl") if path != self.path)
        return any(_holds_something(path) for path in others)

    def add(self, entry: Entry) -> None:
        """Write an entry, and apply it to `state`."""
        left = memoryview(entry.model_dump_json().encode() + b"\n")
        with naming(self.path):
            while left:
                left = left[self._file.write(left) :]
        self.state.apply(entry)

    def sync(self) -> None:
        """Make everything so far survive a loss of power."""
        with naming(self.path):
            os.fsync(self._file.fileno())

    def finish(self) -> None:
        """Remove the file, because the run is complete."""
        self.path.unlink(missing_ok=True)
        self._file.close()

    def _close(self) -> None:
        if not os.fstat(self._file.fileno()).st_size:
            self.path.unlink(missing_ok=True)
        self._file.close()

    def _read(self) -> None:
        """Apply the entries in the file up to the first that is damaged, and drop that one and all after it.

        A loss of power may leave a part of a line, or bytes that are zero, also between whole lines. Entries
        build on those before them, so what comes after the damage cannot be used. One line at a time is read,
        because the file may be larger than a board's memory.
        """
        whole_bytes = 0
        with open(os.dup(self._file.fileno()), "rb") as file:
            file.seek(0)
            for number, line in enumerate(file, 1):
                if not self._apply_line(line):
                    self.dropped = range(number, number + 1 + sum(1 for _ in file))
                    break
                whole_bytes += len(line)
        self._file.truncate(whole_bytes)
        self._file.seek(0, os.SEEK_END)

    def _apply_line(self, line: bytes) -> bool:
        """Apply the entry in a line, and return whether the line is whole."""
        if not line.endswith(b"\n"):
            return False  # even a valid line: without its line end, the next entry would be appended to it
        try:
            self.state.apply(ENTRIES.validate_json(line))
        except (ValidationError, KeyError, IndexError):
            return False
        return True


def _holds_something(path: Path) -> bool:
    try:
        return path.stat().st_size > 0
    except FileNotFoundError:  # its run has just ended
        return False


def _opened(path: Path) -> FileIO:
    """Open a journal without a buffer: what a full disk did not take would be written again at its end."""
    try:
        return FileIO(path, "a+")
    except OSError as error:
        raise InputError(
            f"{path}: this journal cannot be opened ({error.strerror}); remove what lies there, or set "
            f"{CACHE_VARIABLE} to another folder"
        ) from None


def _locked(path: Path) -> FileIO:
    """Open and lock a journal, which a run that ends meanwhile may delete: a new one then."""
    while True:
        with naming(path), ExitStack() as stack:
            file = stack.enter_context(_opened(path))
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise InputError(
                    f"{path}: another process is measuring the same with these options; "
                    "wait until it has ended"
                ) from None
            if is_at(path, file.fileno()):
                stack.pop_all()
                return file
