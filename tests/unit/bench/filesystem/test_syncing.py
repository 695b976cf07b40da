"""Folders that cannot be opened are synced all the same, and errors of the disk are heard."""

import errno
import os
from pathlib import Path

import pytest

from bench.filesystem.syncing import sync_folder


def test_where_a_folder_must_not_be_read_everything_is_synced(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, flags: int) -> int:
        raise PermissionError

    synced: list[bool] = []
    monkeypatch.setattr(os, "open", refuse)
    monkeypatch.setattr(os, "sync", lambda: synced.append(True))

    sync_folder(Path("/"))

    assert synced == [True]


@pytest.mark.parametrize(("number", "is_heard"), [(errno.EIO, True), (errno.EINVAL, False)])
def test_an_error_of_the_disk_is_heard_and_a_file_system_that_syncs_no_folders_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, is_heard: bool
) -> None:
    def fail(descriptor: int) -> None:
        raise OSError(number, "broken")

    monkeypatch.setattr(os, "fsync", fail)

    if is_heard:
        with pytest.raises(OSError, match=rf"broken: .{tmp_path}"):
            sync_folder(tmp_path)
    else:
        sync_folder(tmp_path)
