"""A file is read only if it is one, and not larger than such a file can be."""

import os
from pathlib import Path

import pytest

from user_files.contents import ContentError, content_of

LARGEST = 1 << 20


def test_a_file_is_read_up_to_the_largest_size(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * LARGEST)

    assert len(content_of(tmp_path / "a", LARGEST)) == LARGEST


def test_a_larger_file_is_refused_without_being_read(tmp_path: Path) -> None:
    with (tmp_path / "a").open("wb") as file:
        file.truncate(10 << 30)

    with pytest.raises(ContentError, match="has more than 1 MiB"):
        content_of(tmp_path / "a", LARGEST)


@pytest.mark.parametrize("path", ["/dev/zero", "/dev/null", "/dev/tty", "pipe"])
def test_a_device_or_pipe_is_refused_without_being_opened(tmp_path: Path, path: str) -> None:
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(ContentError, match="is a device or pipe, not a file"):
        content_of(tmp_path / path, LARGEST)


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ContentError, match="is a folder"):
        content_of(tmp_path, LARGEST)
