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
from bench.filesystem.disk_errors import naming
from bench.filesystem.unfinished import is_at
from bench.harness.journal_entries import ENTRIES, Entry, JournalState


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

    def __init__(self, key: str, resume: bool) -> None:
        """Open the journal of the run that `key` identifies: what is measured, a dash, and where.

        With `resume`, the entries in the file are read first; else they are removed. Raises InputError if
        another process is writing the file, or if it cannot be read.
        """
        trim_cache("journals")
        self.path = cache_folder("journals") / f"{key}.jsonl"
        self._file = _locked(self.path)
        self.state = JournalState()
        try:
            self.was_interrupted = os.fstat(self._file.fileno()).st_size > 0
            if resume:
                self._read()
            else:
                self._file.truncate(0)
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> "Journal":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._file.closed:
            if not os.fstat(self._file.fileno()).st_size:
                self.path.unlink(missing_ok=True)
            self._file.close()

    @property
    def was_interrupted_elsewhere(self) -> bool:
        """Whether there is a journal of the same, of a machine, a kernel or a runtime as it was before."""
        what = self.path.stem.partition("-")[0]
        others = (path for path in self.path.parent.glob(f"{what}-*.jsonl") if path != self.path)
        return any(path.stat().st_size for path in others)

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

    def _read(self) -> None:
        """Apply the entries in the file, except a last line that was not written completely."""
        self._file.seek(0)
        lines = self._file.read().splitlines(keepends=True)
        valid_bytes = 0
        for number, line in enumerate(lines, 1):
            if not line.endswith(b"\n"):
                break  # even a valid line: without its line end, the next entry would be appended to it
            try:
                self.state.apply(ENTRIES.validate_json(line))
            except (ValidationError, KeyError, IndexError):
                if number == len(lines):
                    break
                raise InputError(
                    f"{self.path}: line {number} cannot be read; leave out --resume to start over"
                ) from None
            valid_bytes += len(line)
        self._file.truncate(valid_bytes)
        self._file.seek(0, os.SEEK_END)


def _locked(path: Path) -> FileIO:
    """Open and lock a journal, which a run that ends meanwhile may delete: a new one then.

    It has no buffer: what a full disk did not take would be written again when it is closed.
    """
    while True:
        with naming(path), ExitStack() as stack:
            file = stack.enter_context(FileIO(path, "a+"))
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
