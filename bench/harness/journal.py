"""The journal of a run: a file that every finding is written to as it comes, so that a run can go on.

It knows lines and locks; what an entry means stands in findings.
"""

import fcntl
import os
from types import TracebackType

from pydantic import ValidationError

from bench.errors import InputError
from bench.filesystem.cache_folder import cache_folder
from bench.harness.journal_entries import ENTRIES, Entry, Findings


class Journal:
    """An open journal; use it as a context manager. `found` is what its entries add up to.

    The file stays where the run was cut off, and goes when `finish` is called.
    """

    def __init__(self, key: str, resume: bool) -> None:
        """Open the journal of the run that `key` identifies: with `resume` what is there is read first.

        Raises InputError if another process is writing it, or if it cannot be read.
        """
        self.path = cache_folder("journals") / f"{key}.jsonl"
        self._file = self.path.open("a+b")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.close()
            raise InputError(
                f"{self.path}: another process is measuring this bundle with these options; wait for its end"
            ) from None
        self.found = Findings()
        self.was_cut_off = self.path.stat().st_size > 0
        if resume:
            self._read()
        else:
            self._file.truncate(0)

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
        """Write an entry and take it into account."""
        self._file.write(entry.model_dump_json().encode() + b"\n")
        self._file.flush()
        self.found.apply(entry)

    def sync(self) -> None:
        """Have everything so far survive a loss of power."""
        os.fsync(self._file.fileno())

    def finish(self) -> None:
        """Remove the file: the run is over."""
        self.path.unlink(missing_ok=True)
        self._file.close()

    def _read(self) -> None:
        """Apply what is there, but for a last line that was being written when the run was cut off."""
        self._file.seek(0)
        lines = self._file.read().splitlines(keepends=True)
        kept = 0
        for number, line in enumerate(lines, 1):
            if not line.endswith(b"\n"):
                break  # even if it can be read: the next entry would stand on the same line
            try:
                self.found.apply(ENTRIES.validate_json(line))
            except (ValidationError, KeyError, IndexError):
                if number == len(lines):
                    break
                raise InputError(
                    f"{self.path}: line {number} cannot be read; leave out --resume to begin anew"
                ) from None
            kept += len(line)
        self._file.truncate(kept)
        self._file.seek(0, os.SEEK_END)
