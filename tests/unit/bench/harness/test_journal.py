"""Who may write a journal."""

import errno
import fcntl
import resource
from io import FileIO

import pytest

from bench.errors import InputError
from bench.harness.journal import Journal
from bench.harness.journal_entries import SamplingEnded
from bench.measurements import End


def test_two_runs_cannot_write_one_journal() -> None:
    with Journal("run", resume=False), pytest.raises(InputError, match="another process is measuring"):
        Journal("run", resume=False)


def test_a_run_that_ends_while_another_opens_its_journal_leaves_that_one_a_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first, real = Journal("run", resume=False), fcntl.flock

    def flock_late(file: FileIO, operation: int) -> None:
        monkeypatch.setattr(fcntl, "flock", real)
        first.finish()
        real(file, operation)

    monkeypatch.setattr(fcntl, "flock", flock_late)

    with Journal("run", resume=False) as second:
        assert second.path.exists()
        with pytest.raises(InputError, match="another process is measuring"):
            Journal("run", resume=False)


def test_a_full_disk_names_the_journal_and_the_next_run_reads_what_is_whole() -> None:
    with Journal("run", resume=False) as journal:
        journal.add(SamplingEnded(case="a", end=End.TIME))
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (journal.path.stat().st_size + 5, hard))
        try:
            with pytest.raises(OSError, match="File too large") as caught:
                journal.add(SamplingEnded(case="b", end=End.TIME))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert caught.value.filename == str(journal.path)

    with Journal("run", resume=True) as again:
        assert again.was_interrupted
        assert again.path.read_text().count("\n") == 1


def test_a_file_system_without_locks_names_the_journal(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_locks(_file: FileIO, _operation: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", no_locks)

    with pytest.raises(OSError, match=r"No locks available: '.*run.jsonl'"):
        Journal("run", resume=False)


def test_a_run_that_was_interrupted_before_the_machine_changed_is_known() -> None:
    with Journal("a-before", resume=False) as journal:
        journal.add(SamplingEnded(case="a", end=End.TIME))

    with Journal("a-after", resume=True) as same, Journal("b-after", resume=True) as other:
        assert not same.was_interrupted
        assert same.was_interrupted_elsewhere
        assert not other.was_interrupted_elsewhere
