"""A packed job that arrived damaged says so in one sentence."""

import hashlib
import json
import os
import platform
import struct
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bench.remote.agent.environments import Environments
from bench.remote.agent.packed import main

CODE = b"edgefit's code " * 100
SHA256 = hashlib.sha256(CODE).hexdigest()
BLOB = f"blobs/{SHA256}"


@pytest.fixture(autouse=True)
def _on_a_board(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(sys, "argv", ["job.pyz", "--out", str(tmp_path / "report.json")])
    monkeypatch.setattr(Environments, "make", lambda *_: None)  # it would start a process
    mask = os.umask(0o077)
    yield
    os.umask(mask)


def index(**changes: Any) -> dict[str, Any]:
    """Return the index of a job for this machine, which needs no wheel."""
    system = {
        "python": "{}.{}".format(*sys.version_info),
        "glibc": "2.0",
        "machine": platform.machine(),
        "own_runtimes": False,
        "job": "abc",
        "environment": "e1",
        "wheels": [],
        "imports": [],
        "needed_bytes": 0,
        "spec": {"environment": "e1", "code": SHA256, "files": {"a": SHA256}, "request": {"benchmark": {}}},
        **changes,
    }
    return {"report": "report.json", "systems": [system]}


def packed(folder: Path, index: object, blob: bytes | None = CODE, how: int = zipfile.ZIP_STORED) -> Path:
    """Write a pack."""
    with zipfile.ZipFile(folder / "job.pyz", "w", how) as archive:
        archive.writestr("pack.json", index if isinstance(index, str) else json.dumps(index))
        if blob is not None:
            archive.writestr(BLOB, blob)
    return folder / "job.pyz"


def with_changed_byte(pack: Path, at: int) -> Path:
    content = bytearray(pack.read_bytes())
    content[at] ^= 0xFF
    pack.write_bytes(content)
    return pack


def begin_of(pack: Path, member: str) -> int:
    """Return the byte of a pack at which a member's data begins."""
    with zipfile.ZipFile(pack) as archive:
        header = archive.getinfo(member).header_offset
    name, extra = struct.unpack("<HH", pack.read_bytes()[header + 26 : header + 30])
    return int(header + 30 + name + extra)


def assert_damaged(pack: Path, capsys: pytest.CaptureFixture[str], reason: str) -> None:
    assert main(str(pack)) == 2

    (line,) = capsys.readouterr().err.replace("making the environment\n", "").splitlines()
    assert line.startswith("edgefit: job.pyz: this file is damaged (")
    assert reason in line
    assert line.endswith("; copy it again from where it was packed")


def test_a_file_that_is_no_archive_is_damaged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "job.pyz").write_bytes(b"#!/usr/bin/env python3\n")

    assert_damaged(tmp_path / "job.pyz", capsys, "not a zip file")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{", "Expecting property name"),
        ("[" * 100_000, "RecursionError"),
        ("[]", "TypeError"),
        ({"systems": []}, "KeyError: 'report'"),
        ({"report": 4, "systems": []}, "TypeError"),
        ({"report": "r.json"}, "KeyError: 'systems'"),
        ({"report": "r.json", "systems": [{}]}, "KeyError: 'python'"),
        (index(wheels=4), "TypeError"),
        (index(spec={}), "KeyError: 'files'"),
        (index(glibc=None), "AttributeError"),
    ],
)
def test_an_index_of_another_shape_is_damage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: object, reason: str
) -> None:
    assert_damaged(packed(tmp_path, content), capsys, reason)


def test_a_changed_byte_of_the_index_is_damage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pack = packed(tmp_path, index())

    assert_damaged(with_changed_byte(pack, begin_of(pack, "pack.json")), capsys, "Bad CRC-32")


@pytest.mark.parametrize(
    ("how", "at", "reason"),
    [(zipfile.ZIP_STORED, 5, "Bad CRC-32"), (zipfile.ZIP_DEFLATED, 0, "error: ")],
    ids=["stored", "deflated"],
)
def test_a_changed_byte_of_a_file_is_damage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], how: int, at: int, reason: str
) -> None:
    pack = packed(tmp_path, index(environment="e1"), how=how)

    assert_damaged(with_changed_byte(pack, begin_of(pack, BLOB) + at), capsys, reason)


@pytest.mark.parametrize(
    ("blob", "reason"), [(None, "There is no item named"), (b"other", "has another SHA-256")]
)
def test_a_file_that_is_missing_or_another_is_damage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], blob: bytes | None, reason: str
) -> None:
    assert_damaged(packed(tmp_path, index(), blob), capsys, reason)


def test_a_damaged_file_still_removes_every_trace(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "job.pyz").write_bytes(b"damaged")
    (tmp_path / "cache" / "edgefit-board").mkdir(parents=True)
    monkeypatch.setattr(sys, "argv", ["job.pyz", "--clean"])

    assert main(str(tmp_path / "job.pyz")) == 0
    assert not (tmp_path / "cache" / "edgefit-board").exists()
