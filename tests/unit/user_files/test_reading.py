"""A disk that fails while a file is read is an error that names the file."""

import errno
import os
from pathlib import Path

import pytest

from user_files.reading import naming, reading


def test_an_error_while_a_file_is_read_names_it(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(OSError, match="Input/output error") as caught, reading(tmp_path / "file"):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    assert caught.value.filename == str(tmp_path / "file")


def test_an_error_that_names_another_file_keeps_its_name(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught, naming(tmp_path / "file"):
        (tmp_path / "other").stat()

    assert caught.value.filename == str(tmp_path / "other")
