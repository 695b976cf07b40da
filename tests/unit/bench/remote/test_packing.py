"""The archive of a job is written piece by piece: a runtime's wheels may be larger than the memory."""

import hashlib
import zipfile
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import pytest
from making.faulty_plan import Silent

from bench.errors import InputError
from bench.filesystem.whole_files import whole_file
from bench.remote.board import Board
from bench.remote.job_files import File
from bench.remote.packing import PackIndex, write_archive

CONTENT = bytes(range(256)) * 4096


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


class Watched(File):
    """A file that says how much of it is read at once."""

    def pieces(self) -> Iterator[bytes]:
        for piece in super().pieces():
            assert len(piece) <= len(CONTENT) // 4
            yield piece


def test_a_pack_has_each_file_whole_and_none_was_in_memory_whole(tmp_path: Path) -> None:
    (tmp_path / "wheel").write_bytes(CONTENT)
    files = [Watched(_hash(CONTENT), tmp_path / "wheel"), Watched(_hash(b"code"), b"code")]

    with patch.object(Path, "read_bytes"), whole_file(tmp_path / "pack.py") as file:
        write_archive(file, PackIndex(report="r.json", systems=()), files, Silent())

    assert (tmp_path / "pack.py").read_bytes().startswith(b"#!/usr/bin/env python3\n")
    with zipfile.ZipFile(tmp_path / "pack.py") as archive:
        assert archive.testzip() is None
        assert archive.read("blobs/" + _hash(CONTENT)) == CONTENT
        assert archive.read("blobs/" + _hash(b"code")) == b"code"
        assert archive.namelist()[0] == "__main__.py"


@pytest.mark.parametrize("now", [CONTENT[:-1], CONTENT + b"x", CONTENT[::-1], b""])
def test_a_file_that_changed_since_it_was_hashed_is_not_packed(tmp_path: Path, now: bytes) -> None:
    (tmp_path / "model.onnx").write_bytes(now)
    index, file = PackIndex(report="r.json", systems=()), File(_hash(CONTENT), tmp_path / "model.onnx")

    with (
        pytest.raises(InputError, match=r"model\.onnx changed while it was packed; run the command again"),
        whole_file(tmp_path / "pack.py") as pack,
    ):
        write_archive(pack, index, [file], Silent())

    assert not (tmp_path / "pack.py").exists()


class Sent:
    """A connection that keeps what is sent."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []

    def send(self, request: object) -> None:
        self.request = request

    def write(self, piece: bytes) -> None:
        self.pieces.append(piece)

    def answer(self, request: object, kind: object) -> None:
        self.is_answered = request is self.request


def board() -> tuple[Board, Sent]:
    made, sent = Board.__new__(Board), Sent()
    made._link = sent  # type: ignore[assignment]
    return made, sent


def test_a_file_is_sent_in_pieces(tmp_path: Path) -> None:
    (tmp_path / "wheel").write_bytes(CONTENT)
    connected, sent = board()

    sizes = list(connected._upload(File(hashlib.sha256(CONTENT).hexdigest(), tmp_path / "wheel")))

    assert b"".join(sent.pieces) == CONTENT
    assert len(sizes) > 1
    assert sent.is_answered


def test_a_file_that_shrinks_while_it_is_sent_is_named(tmp_path: Path) -> None:
    (tmp_path / "wheel").write_bytes(CONTENT)
    connected, _ = board()

    sending = connected._upload(File("a" * 64, tmp_path / "wheel"))
    next(sending)
    (tmp_path / "wheel").write_bytes(b"")

    with pytest.raises(InputError, match="wheel changed while it was sent; run the command again"):
        list(sending)
