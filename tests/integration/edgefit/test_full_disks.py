"""A disk that is full is one sentence that names the file, and leaves nothing half-written there.

The disks are small file systems in memory, which root alone may mount. A limit on the size of a file is what
other users can have.
"""

import os
import resource
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from making.command_line import SHORTLY, edgefit_here
from making.compared_report import Row, made_report, report_of

from bench.filesystem import cache_limits
from bench.report.files import write_report

_SIZE = 2 << 20
OUTPUTS = ("--html", "--markdown", "--csv", "--junit", "--bmf", "--png")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system that takes no byte more, with a single file."""
    folder = tmp_path / "disk"
    folder.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", f"size={_SIZE}", "edgefit-test", str(folder)]
    if os.geteuid() or shutil.which("mount") is None or subprocess.run(words, check=False).returncode:
        pytest.skip("only root may mount a file system, and not in every container")
    try:
        fill(folder)
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(disk: Path, free: int = 0) -> None:
    with (disk / "full").open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))
    os.truncate(disk / "full", (disk / "full").stat().st_size - free)


@contextmanager
def no_file_beyond(size: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def refused(done: subprocess.CompletedProcess[str], path: Path, why: str) -> None:
    assert done.returncode == 2, done.stderr
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith(f"edgefit: {path}")
    assert f" cannot be written ({why}); " in last
    assert "Traceback" not in done.stderr


@pytest.fixture
def report(tmp_path: Path) -> Path:
    path = tmp_path / "report.json"
    write_report(path, made_report({"onnx-fp32": Row(10)}))
    return path


@pytest.mark.parametrize("option", OUTPUTS)
def test_a_full_disk_for_the_output_is_said_before_the_work(disk: Path, report: Path, option: str) -> None:
    refused(edgefit_here("report", report, option, disk / "new"), disk / "new", "No space left on device")

    assert os.listdir(disk) == ["full"]


def test_a_page_that_does_not_fit_is_said_and_not_left(disk: Path, report: Path) -> None:
    fill(disk, free=8192)

    refused(edgefit_here("report", report, "--html", disk / "new"), disk / "new", "No space left on device")

    assert os.listdir(disk) == ["full"]


def test_a_copy_that_does_not_fit_is_said_by_the_name_that_it_would_have(
    disk: Path, bundle_folder: Path, tmp_path: Path
) -> None:
    fill(disk, free=16384)
    measured = report_of(bundle_folder, "onnx-fp32")

    done = edgefit_here("choose", measured, "--min-retention", "0", "--ship", disk / "deep" / "new")

    refused(done, disk / "deep" / "new", "No space left on device")
    assert os.listdir(disk) == ["full"]


def test_a_full_disk_for_the_cache_names_the_file_in_it(
    disk: Path, bundle_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGEFIT_CACHE", str(disk / "cache"))
    cache_limits._trim.cache_clear()
    out = tmp_path / "new.json"

    done = edgefit_here("bench", bundle_folder, "--only", "onnx-fp32", *SHORTLY, "--out", out)

    refused(done, disk / "cache", "No space left on device")
    assert not out.exists()
    assert [path.name for path in disk.rglob(".*")] == []


def test_a_full_disk_for_temporary_files_names_their_folder(
    disk: Path, bundle_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(disk))

    done = edgefit_here("bench", bundle_folder / "onnx-fp32" / "model.onnx", *SHORTLY)

    refused(done, disk / "edgefit-", "No space left on device")
    assert os.listdir(disk) == ["full"]


@pytest.mark.parametrize("option", OUTPUTS)
def test_a_limit_on_the_size_of_files_is_said_with_its_remedy(
    tmp_path: Path, report: Path, option: str
) -> None:
    out = tmp_path / "new"
    with no_file_beyond(0):
        done = edgefit_here("report", report, option, out)

    refused(done, out, "File too large")
    assert not out.exists()
