"""A board on loopback for each test; the wheels that it needs, and its first use, are made once."""

import platform
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from making.board_store import keep_store, put_store
from making.command_line import SHORTLY, edgefit
from making.made_once import made_once
from making.ssh_server import SshServer, ssh_server, ssh_words

_AWKWARD = "a board's $(folder)"


@pytest.fixture
def board(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SshServer]:
    """A board, which ssh finds under the name `board`; its folder's name is an awkward one."""
    folder = tmp_path / _AWKWARD
    folder.mkdir()
    with ssh_server(folder) as server:
        monkeypatch.setenv("EDGEFIT_SSH", ssh_words(server))
        yield server


@pytest.fixture(scope="session")
def first_use(tmp_path_factory: pytest.TempPathFactory, wheelhouse: Path) -> Path:
    """A folder with the first measurement on a board: `bundle`, `report.json`, `said.txt` and `store`."""
    return made_once(tmp_path_factory, "first-use", lambda folder: _use(folder, wheelhouse))


@pytest.fixture
def used_board(board: SshServer, first_use: Path) -> SshServer:
    """A board on which that bundle was measured before."""
    put_store(first_use / "store", board.store)
    return board


@pytest.fixture(scope="session")
def wheelhouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheels for this very machine, with onnxruntime: downloaded as a user's would be."""
    return made_once(tmp_path_factory, "wheelhouse", _download)


def _use(folder: Path, wheelhouse: Path) -> None:
    from making.tiny_bundle import make_tiny_bundle

    bundle = make_tiny_bundle(folder / "bundle")
    (folder / _AWKWARD).mkdir()
    words = ("--wheelhouse", wheelhouse, *SHORTLY, "--only", "onnx-fp32", "--out", folder / "report.json")
    with ssh_server(folder / _AWKWARD) as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("EDGEFIT_SSH", ssh_words(server))
        done = edgefit("bench", bundle, "--on", server.target, *words)
        assert done.returncode == 0, done.stderr
        (folder / "said.txt").write_text(done.stderr)
        keep_store(server.store, folder / "store")


def _download(folder: Path) -> None:
    python = "{}.{}".format(*sys.version_info)
    words = ("--python", python, "--glibc", platform.libc_ver()[1], "--machine", platform.machine())
    done = edgefit("wheelhouse", "--out", folder, *words, "--formats", "onnx")
    assert done.returncode == 0, done.stderr
