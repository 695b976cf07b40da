"""A folder that cannot hold what a measurement needs is refused before anything is sent there."""

import errno
import mmap
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bench.remote.agent.store import RefusedError, Store
from bench.remote.agent.trial import lock_and_try


def failing(number: int) -> Callable[..., Any]:
    """Return a function that fails as a system call does."""

    def fail(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    return fail


def make_open_to_all(path: Path, mode: int = 0o777, parents: bool = False, exist_ok: bool = False) -> None:
    """Make a folder as a FAT file system does, which ignores the mode."""
    if parents:
        os.makedirs(path, exist_ok=exist_ok)
    else:
        os.mkdir(path)
    path.chmod(0o777)


def test_a_usual_folder_is_locked_and_nothing_else_stays_in_it(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")

    with lock_and_try(store), pytest.raises(RefusedError, match="another command is preparing this board"):
        lock_and_try(store)

    assert not list((store.root / "blobs").iterdir())


@pytest.mark.parametrize(
    ("owner", "name", "fault", "reason"),
    [
        (mmap, "mmap", failing(errno.EPERM), "no program can run from there (Operation not permitted)"),
        (mmap, "mmap", failing(errno.EACCES), "no program can run from there (Permission denied)"),
        (Path, "symlink_to", failing(errno.EPERM), "no link can be made there (Operation not permitted)"),
        (Path, "mkdir", make_open_to_all, "every user of the board can read what lies there"),
    ],
)
def test_a_folder_that_permits_too_little_or_too_much_is_refused_with_the_remedy(
    owner: object, name: str, fault: object, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(tmp_path / "cache" / "store")
    monkeypatch.setattr(owner, name, fault)

    with pytest.raises(RefusedError) as refusal:
        lock_and_try(store)

    assert reason in str(refusal.value)
    assert "export XDG_CACHE_HOME=" in str(refusal.value)
    assert not list(tmp_path.iterdir())


def test_what_lay_in_a_refused_folder_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path / "store")
    store.folder("jobs")
    monkeypatch.setattr(mmap, "mmap", failing(errno.EPERM))

    with pytest.raises(RefusedError):
        lock_and_try(store)

    assert (store.root / "jobs").is_dir()
    assert not list((store.root / "blobs").iterdir())
