"""An error of the disk says what to do: also where the place of the file is no option of the command."""

import errno
import os
import shutil
from pathlib import Path

import pytest

from bench.filesystem.disk_errors import (
    naming_what_filled,
    raise_if_unwritten,
    sentence_on,
    why_unwritten,
)
from bench.filesystem.unfinished import remove_folder

FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_file_of_the_cache_names_the_variable_of_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGEFIT_CACHE", str(tmp_path))

    inside, beside = (why_unwritten(FULL, path) for path in (tmp_path / "journals" / "a", tmp_path.parent))

    assert inside.endswith("use another disk, or set EDGEFIT_CACHE to another folder")
    assert beside.endswith("use another disk")


def test_a_temporary_file_names_the_variable_of_its_folder() -> None:
    assert why_unwritten(FULL, "/tmp/edgefit-12-abcd_123/requests").endswith("set TMPDIR to another folder")
    assert why_unwritten(FULL, "/tmp/edgefit-demo/requests").endswith("use another disk")


def test_a_copy_that_did_not_fit_is_named_by_the_file_that_is_written() -> None:
    copied = OSError(errno.EFBIG, "File too large", "read", None, "written")

    assert sentence_on(copied).startswith("written cannot be written (File too large); raise the limit")


@pytest.mark.parametrize(
    ("filled", "named"),
    [("deep/file", "out/deep/file"), (".scratch/file", "out"), ("deep/.part", "out/deep")],
)
def test_what_filled_a_disk_is_named_as_the_user_knows_it(tmp_path: Path, filled: str, named: str) -> None:
    hidden = tmp_path / ".out.part"

    with pytest.raises(OSError, match="No space") as caught, naming_what_filled(hidden, tmp_path / "out"):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(hidden / filled))

    assert caught.value.filename == str(tmp_path / named)


@pytest.mark.parametrize(
    ("message", "why"),
    [
        ("OSError: [Errno 28] No space left on device", "No space left on device"),
        ("OSError: [Errno 122] Disk quota exceeded", "Disk quota exceeded"),
        ("RuntimeError: basic_ios::clear: iostream error", "iostream error"),
    ],
)
def test_a_library_that_deleted_what_did_not_fit_is_believed(tmp_path: Path, message: str, why: str) -> None:
    with pytest.raises(OSError, match=why):
        raise_if_unwritten(tmp_path, message)


def test_an_error_of_a_library_that_is_none_of_the_disk_is_its_own(tmp_path: Path) -> None:
    raise_if_unwritten(tmp_path, "RuntimeError: the operator Foo is not supported")
    raise_if_unwritten(tmp_path / "gone", "RuntimeError: the operator Foo is not supported")

    with pytest.raises(RuntimeError, match="Foo"), naming_what_filled(tmp_path, tmp_path / "out"):
        raise RuntimeError("Foo")


def test_a_folder_that_cannot_be_deleted_is_named_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(folder: Path) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), "a file in it")

    monkeypatch.setattr(shutil, "rmtree", fail)

    with pytest.raises(OSError, match=rf"Read-only file system: '{tmp_path}'"):
        remove_folder(tmp_path)
