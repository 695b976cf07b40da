"""Who may write a journal, and what is read of one that a loss of power damaged."""

import errno
import fcntl
import resource
from io import FileIO
from pathlib import Path

import pytest
from making.power_loss import PowerLoss, quick_syncing  # noqa: F401 - used by every test

from bench.errors import InputError
from bench.filesystem.cache_folder import cache_folder
from bench.harness.journal import Journal
from bench.harness.journal_entries import Ended, SamplingEnded
from bench.measurements import End, Skipped

NAMES = ("a", "b", "c", "d")
ZEROS = bytes(64)


def entry(name: str) -> Ended:
    return Ended(case=name, outcome=Skipped(reason="for a test"))


def interrupted() -> list[bytes]:
    """Leave the journal of an interrupted run, and return its lines."""
    with Journal("run", resume=False) as journal:
        for name in NAMES:
            journal.add(entry(name))
    return journal.path.read_bytes().splitlines(keepends=True)


def resumed(content: bytes) -> tuple[list[str], range, bytes]:
    """Return the cases in a journal with this content, which lines were dropped, and its content then."""
    path = cache_folder("journals") / "run.jsonl"
    path.write_bytes(content)
    with Journal("run", resume=True) as journal:
        assert journal.was_interrupted == bool(content)
        return list(journal.state.ended), journal.dropped, path.read_bytes()


def test_two_runs_cannot_write_one_journal() -> None:
    with Journal("run", resume=False), pytest.raises(InputError, match="another process is measuring"):
        Journal("run", resume=False)


@pytest.mark.parametrize(
    "tail", [b"", b'{"kind":"ended","ca', ZEROS, ZEROS + b"\n", b"\xff\xfe\n", b"\n", b"{}\n", b"\r\n"]
)
def test_a_damaged_end_is_dropped_and_the_run_goes_on_after_what_is_whole(tail: bytes) -> None:
    whole = b"".join(interrupted())

    names, dropped, left = resumed(whole + tail)

    assert (names, left) == (list(NAMES), whole)
    assert list(dropped) == ([5] if tail else [])


@pytest.mark.parametrize("damage", [ZEROS, ZEROS + b"\n", b'{"kind":"end\n', b"{}\n"])
def test_what_comes_after_damage_in_the_middle_is_dropped_too(damage: bytes) -> None:
    first, second, third, fourth = interrupted()

    names, dropped, left = resumed(first + second + damage + third + fourth)

    assert (names, left) == (["a", "b"], first + second)
    assert dropped[0] == 3
    assert dropped[-1] == (5 if damage.endswith(b"\n") else 4)


@pytest.mark.parametrize("content", [ZEROS, b"\n" + ZEROS, b"torn"])
def test_of_a_journal_without_a_whole_line_nothing_is_taken(content: bytes) -> None:
    names, dropped, left = resumed(content)

    assert (names, left) == ([], b"")
    assert dropped[0] == 1


def test_an_entry_that_builds_on_a_missing_one_is_dropped() -> None:
    block = b'{"kind":"block_measured","case":"a","block":{"pass_index":0,"position":0,"ns":[1]}}\n'
    whole = b"".join(interrupted())

    assert resumed(whole + block + whole) == (list(NAMES), range(5, 10), whole)


def test_after_dropping_the_next_entry_follows_what_is_whole() -> None:
    whole = b"".join(interrupted())
    resumed(whole + ZEROS)

    with Journal("run", resume=True) as journal:
        journal.add(entry("e"))

    assert resumed(journal.path.read_bytes())[:2] == ([*NAMES, "e"], range(0))


def test_what_was_synced_survives_every_loss_of_power_also_while_it_is_resumed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = tmp_path / "disk"
    monkeypatch.setenv("EDGEFIT_CACHE", str(disk))
    (cache_folder("journals") / "run.jsonl").write_bytes(b"".join(interrupted()) + ZEROS)
    loss = PowerLoss(disk)

    def resume() -> None:
        with Journal("run", resume=True) as journal:
            for name in ("e", "f", "g"):
                journal.add(entry(name))
                if name != "f":  # not everything is synced at once
                    journal.sync()
                    loss.done += 1

    loss.run(resume)

    synced = (4, 5, 7)
    for left, done in loss.with_done(tmp_path / "left"):
        monkeypatch.setenv("EDGEFIT_CACHE", str(left))
        with Journal("run", resume=True) as journal:
            names = list(journal.state.ended)
            assert names == list("abcdefg")[: len(names)]
            assert len(names) >= synced[done]


def test_a_folder_in_its_place_is_named() -> None:
    path: Path = cache_folder("journals") / "run.jsonl"
    path.mkdir()
    try:
        with pytest.raises(InputError, match=r"run\.jsonl: this journal cannot be opened \(Is a directory\)"):
            Journal("run", resume=True)
    finally:
        path.rmdir()


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


def test_another_runs_journal_that_is_just_deleted_is_no_interrupted_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with Journal("run-b", resume=False) as journal:
        gone = journal.path.with_name("run-a.jsonl")
        monkeypatch.setattr(Path, "glob", lambda *_: iter([gone]))

        assert not journal.was_interrupted_elsewhere
