"""A temporary folder is deleted when it is done with; the next process deletes those of killed ones alone."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.errors import InputError
from bench.filesystem import temporary_folder
from bench.filesystem.temporary_folder import TemporaryFolder, sweep_temporary_folders

_HOLD = """
import sys
from bench.filesystem.temporary_folder import TemporaryFolder
with TemporaryFolder() as folder:
    (folder / "patients.npz").touch()
    print(folder, flush=True)
    sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def above(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Let temporary folders be made in a folder of this test."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    yield tmp_path
    tempfile.tempdir = None


def holder() -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", _HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def test_no_other_place_is_taken_where_the_named_one_cannot_be_written(
    above: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(above / "missing"))
    temporary_folder.refuse_other_place.cache_clear()

    with pytest.raises(InputError, match=rf"^TMPDIR is {above}/missing, which cannot be written \(No such"):
        TemporaryFolder()


def test_a_folder_is_deleted_when_it_is_done_with(above: Path) -> None:
    with TemporaryFolder() as folder:
        (folder / "deep").mkdir()
        assert folder.parent == above
        assert folder.stat().st_mode & 0o077 == 0

    assert list(above.iterdir()) == []


@pytest.mark.parametrize(("end", "is_left"), [(signal.SIGKILL, True), (None, False)])
def test_what_a_killed_process_left_is_deleted_by_the_next_and_a_living_ones_is_not(
    above: Path, end: signal.Signals | None, is_left: bool
) -> None:
    with holder() as process:
        assert process.stdout is not None
        folder = Path(process.stdout.readline().strip())
        sweep_temporary_folders.cache_clear()
        with TemporaryFolder():
            assert (folder / "patients.npz").exists()
        if end is not None:
            process.send_signal(end)
    assert folder.exists() == is_left
    sweep_temporary_folders.cache_clear()

    with TemporaryFolder():
        assert not folder.exists()


def test_folders_that_are_not_edgefits_are_left_alone(above: Path) -> None:
    alike = ["edgefit-12-abcdefg", "edgefit-abcdefgh", "edgefit-12-abcdefgh.txt", "my-edgefit-12-abcdefgh"]
    for name in alike:
        (above / name).mkdir()
    (above / "edgefit-12-abcdefgi").symlink_to(above / alike[0])
    (above / "edgefit-12-abcdefgk").mkdir()
    if os.geteuid() == 0:
        os.chown(above / "edgefit-12-abcdefgk", 12345, 12345)
        alike.append("edgefit-12-abcdefgk")
    sweep_temporary_folders.cache_clear()

    with TemporaryFolder():
        pass

    assert sorted(path.name for path in above.iterdir()) == sorted([*alike, "edgefit-12-abcdefgi"])


def test_a_folder_whose_command_has_just_ended_is_passed_over(
    above: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "listdir", lambda _: ["edgefit-1-abcdefgh"])

    sweep_temporary_folders(above / "gone meanwhile")


def test_a_folder_that_nobody_may_list_is_left_as_it_is(above: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(path: Path) -> list[str]:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(os, "listdir", forbidden)

    sweep_temporary_folders(above / "not to be listed")
