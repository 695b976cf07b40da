"""A variant that fails because of a disk ends the export, because a bundle without it would look complete."""

import tempfile
from pathlib import Path

import pytest

from export.making import _raise_if_of_disk


def test_temporary_files_that_did_not_fit_name_their_folder(tmp_path: Path) -> None:
    said = "FileNotFoundError: [Errno 2] No usable temporary directory found in ['/small', '/tmp']"

    with pytest.raises(OSError, match="No usable temporary directory") as caught:
        _raise_if_of_disk(tmp_path, said)

    assert caught.value.filename == tempfile.gettempdir()


def test_a_library_that_could_not_write_leaves_the_name_to_the_bundle(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="iostream error") as caught:
        _raise_if_of_disk(tmp_path, "RuntimeError: basic_ios::clear: iostream error")

    assert caught.value.filename is None


def test_any_other_failure_is_a_row_of_the_manifest(tmp_path: Path) -> None:
    _raise_if_of_disk(tmp_path, "RuntimeError: the operator Foo is not supported")
