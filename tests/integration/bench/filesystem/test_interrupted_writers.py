"""Whatever ends a writer, and whenever: the old or the new result stands there, and the next run sweeps."""

import errno
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from making.result_folder import IMAGE, fill, make, names, overwrite, written

from bench.errors import InputError
from bench.filesystem import exchange, whole_files
from bench.filesystem.whole_files import whole_folder, write_whole

_NAMES = ("rename", "replace", "mkdir", "unlink", "rmdir", "fsync", "open")
_CALLS = (*((os, name) for name in _NAMES), (exchange, "_exchange_at_once"))


def _cannot(first: Path, second: Path) -> int:
    return errno.ENOSYS


def content(target: Path) -> set[str]:
    assert names(target) == ["b", IMAGE, "m"]
    return {(target / name).read_text() for name in ("b", IMAGE)}


@pytest.fixture(params=["at once", "by two renames"])
def target(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An earlier result, to be replaced in either way."""
    if request.param == "by two renames":
        monkeypatch.setattr(exchange, "_exchange_at_once", _cannot)
    return tmp_path / "folder" / "out"


def fault_at(number: int, fault: Callable[[], None], monkeypatch: pytest.MonkeyPatch, after: bool) -> None:
    """Let `fault` happen at the call to the operating system with this number, before or after it."""
    calls = count(1)

    def faulty(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*words: Any, **named: Any) -> Any:
            is_here = next(calls) == number
            if is_here and not after:
                fault()
            try:
                return real(*words, **named)
            finally:
                if is_here and after:
                    fault()

        return call

    for place, name in _CALLS:
        monkeypatch.setattr(place, name, faulty(getattr(place, name)))


def each_call(target: Path) -> Iterator[int]:
    """Yield numbers, with an earlier result and nothing beside it for each, until somebody stops."""
    for number in count(1):
        if target.exists():
            for path in target.iterdir():
                path.unlink()
            target.rmdir()
        assert not target.parent.exists() or names(target.parent) == []
        make(target, **{IMAGE: "old", "b": "old"})
        yield number


def in_a_child(work: Callable[[], None]) -> int:
    """Do some work in a process of its own, and return its exit code, or the signal that killed it."""
    if not (pid := os.fork()):
        try:
            work()
        finally:
            os._exit(1 if sys.exc_info()[0] else 0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def kill_oneself() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize("after", [False, True])
def test_a_kill_at_any_call_leaves_a_whole_result(target: Path, after: bool) -> None:
    for number in each_call(target):

        def work(number: int = number) -> None:
            fault_at(number, kill_oneself, pytest.MonkeyPatch(), after)
            overwrite(target)

        code = in_a_child(work)
        if exchange._exchange_at_once is not _cannot:
            assert content(target) in ({"old"}, {"new"})
        if not target.exists():  # the next run puts back what lies aside, and would not replace it unasked
            with pytest.raises(InputError, match="already contains a result"), whole_folder(target, written):
                pytest.fail("the block must not run")
            assert content(target) in ({"old"}, {"new"})
        overwrite(target, "next")

        assert content(target) == {"next"}
        assert names(target.parent) == ["out"]
        if code == 0:
            assert number > 12, "no calls were counted"
            return
        assert code == -signal.SIGKILL


@pytest.mark.parametrize("after", [False, True])
def test_a_signal_at_any_call_leaves_a_whole_result_and_nothing_else(target: Path, after: bool) -> None:
    for number in each_call(target):
        try:
            with pytest.MonkeyPatch.context() as monkeypatch:
                fault_at(number, lambda: signal.raise_signal(signal.SIGINT), monkeypatch, after)
                overwrite(target)
        except KeyboardInterrupt:
            assert content(target) in ({"old"}, {"new"})
            assert names(target.parent) == ["out"]
        else:
            assert content(target) == {"new"}
            assert number > 12, "no calls were counted"
            return


def test_an_error_at_any_call_leaves_a_whole_result(target: Path) -> None:
    failed: list[int] = []

    def fail() -> None:
        failed.append(1)
        raise OSError(errno.EIO, "broken")

    for number in each_call(target):
        with pytest.MonkeyPatch.context() as monkeypatch, suppress(InputError, OSError):
            fault_at(number, fail, monkeypatch, after=False)
            overwrite(target)
        assert content(target) in ({"old"}, {"new"})
        overwrite(target, "next")

        assert content(target) == {"next"}
        assert names(target.parent) == ["out"]
        if len(failed) < number:
            assert number > 12, "no calls were counted"
            return


def test_a_kill_while_a_file_is_written_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    write_whole(path, "old")
    for number in count(1):

        def work(number: int = number) -> None:
            fault_at(number, kill_oneself, pytest.MonkeyPatch(), after=True)
            write_whole(path, "new")

        code = in_a_child(work)
        assert path.read_text() in ("old", "new")
        write_whole(path, "old")

        assert names(tmp_path) == ["report.json"]
        if code == 0:
            assert number > 2, "no calls were counted"
            return


def test_two_processes_that_overwrite_at_once_leave_a_whole_result(target: Path) -> None:
    make(target, **{IMAGE: "old", "b": "old"})
    writers = 3

    def keep_overwriting(text: str) -> None:
        for _ in range(15):
            overwrite(target, text)

    children = []
    for number in range(writers):
        if not (pid := os.fork()):
            try:
                keep_overwriting(str(number))
            finally:
                os._exit(1 if sys.exc_info()[0] else 0)
        children.append(pid)
    codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children]

    assert codes == [0] * writers
    assert content(target) in ({str(number)} for number in range(writers))
    assert names(target.parent) == ["out"]


def test_of_two_writers_at_once_one_wins_and_the_other_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As if both had looked for another one before either began.
    monkeypatch.setattr(whole_files, "_refuse_second_writer", lambda target, option: None)

    def write(number: int) -> None:
        with whole_folder(tmp_path / "out", written) as folder:
            fill(folder, **{IMAGE: str(number), "b": str(number)})
            (tmp_path / f"ready{number}").touch()
            while not all((tmp_path / f"ready{other}").exists() for other in range(2)):
                pass

    children = []
    for number in range(2):
        if not (pid := os.fork()):
            try:
                write(number)
                os._exit(0)
            except InputError as error:
                os._exit(2 if "already contains a result" in str(error) else 1)
            finally:
                os._exit(1)
        children.append(pid)
    codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children]

    assert sorted(codes) == [0, 2]
    assert content(tmp_path / "out") == {str(codes.index(0))}
    assert names(tmp_path) == ["out", "ready0", "ready1"]
