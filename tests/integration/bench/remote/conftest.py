"""A board on loopback for each test, and the wheels that it needs, downloaded once."""

import platform
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from making.command_line import edgefit
from making.made_once import made_once
from making.ssh_server import SshServer, ssh_server, ssh_words


@pytest.fixture
def board(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SshServer]:
    """A board, which ssh finds under the name `board`; its folder's name is an awkward one."""
    folder = tmp_path / "a board's $(folder)"
    folder.mkdir()
    with ssh_server(folder) as server:
        monkeypatch.setenv("EDGEFIT_SSH", ssh_words(server))
        yield server


@pytest.fixture(scope="session")
def wheelhouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheels for this very machine, with onnxruntime: downloaded as a user's would be."""
    return made_once(tmp_path_factory, "wheelhouse", _download)


def _download(folder: Path) -> None:
    python = "{}.{}".format(*sys.version_info)
    words = ("--python", python, "--glibc", platform.libc_ver()[1], "--machine", platform.machine())
    done = edgefit("wheelhouse", "--out", folder, *words, "--formats", "onnx")
    assert done.returncode == 0, done.stderr
