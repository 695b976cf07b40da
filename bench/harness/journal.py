"""The journal of a run: a file to which every measurement is written at once, so that a run can be resumed.

This module handles lines and locks. The module journal_entries defines the entries and their meaning.
"""

import fcntl
import os
from pathlib import Path
from types import TracebackType

from pydantic import ValidationError

from bench.errors import InputError
from bench.filesystem.cache_folder import cache_folder
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
        """Open the journal of the run that `key` identifies.

        With `resume`, the entries in the file are read first; else they are removed. Raises InputError if
        another process is writing the file, or if it cannot be read.
        """
        self.path = cache_folder("journals") / f"{key}.jsonl"
        self._file = self.path.open("a+b")
        self.state = JournalState()
        try:
            self._lock()
            self.was_interrupted = self.path.stat().st_size > 0
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

    def add(self, entry: Entry) -> None:
        """Write an entry, and apply it to `state`."""
        self._file.write(entry.model_dump_json().encode() + b"\n")
        self._file.flush()
        self.state.apply(entry)

    def sync(self) -> None:
        """Make everything so far survive a loss of power."""
        os.fsync(self._file.fileno())

    def finish(self) -> None:
        """Remove the file, because the run is complete."""
        self.path.unlink(missing_ok=True)
        self._file.close()

    def _lock(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(
                f"{self.path}: another process is measuring the same with these options; "
                "wait until it has ended"
            ) from None

    def _read(self) -> None:
        """Apply the entries in the file, except a last line that was not written completely.

        One line at a time: after days of a sustained run the file is larger than a board's memory.
        """
        valid_bytes = 0
        with open(os.dup(self._file.fileno()), "rb") as file:
            file.seek(0)
            for number, line in enumerate(file, 1):
                if not line.endswith(b"\n"):
                    break  # even a valid line: without its line end, the next entry would be appended to it
                try:
                    self.state.apply(ENTRIES.validate_json(line))
                except (ValidationError, KeyError, IndexError):
                    if not file.read(1):
                        break
                    raise InputError(
                        f"{self.path}: line {number} cannot be read; leave out --resume to start over"
                    ) from None
                valid_bytes += len(line)
        self._file.truncate(valid_bytes)
        self._file.seek(0, os.SEEK_END)
