"""A disk that is full is one sentence that names the file, and leaves nothing half-written there.

The disks are small file systems in memory, which root alone may mount. A limit on the size of a file is what
other users can have.
"""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from making.command_line import SHORTLY, edgefit_here
from making.compared_report import Row, made_report, report_of
from making.full_disk import fill, no_file_beyond, small_disk

from bench.filesystem import cache_limits
from bench.report.files import write_report

OUTPUTS = ("--html", "--markdown", "--csv", "--junit", "--bmf", "--png")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system that takes no byte more, with a single file."""
    with small_disk(tmp_path / "disk", "size=2m") as folder:
        fill(folder)
        yield folder


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


@pytest.fixture
def measured(bundle_folder: Path) -> Path:
    """A report of what `choose --ship` can copy."""
    return report_of(bundle_folder, "onnx-fp32")


def test_a_copy_that_does_not_fit_is_said_by_the_name_that_it_would_have(disk: Path, measured: Path) -> None:
    fill(disk, free=16384)

    done = edgefit_here("choose", measured, "--min-retention", "0", "--ship", disk / "deep" / "new")

    refused(done, disk / "deep" / "new", "No space left on device")
    assert os.listdir(disk) == ["full"]


def test_an_earlier_result_stays_where_a_new_one_does_not_fit(disk: Path, measured: Path) -> None:
    ship = ("choose", measured, "--min-retention", "0", "--ship", disk / "new")
    (disk / "full").unlink()
    assert edgefit_here(*ship).returncode == 0
    before = {path: path.read_bytes() for path in (disk / "new").rglob("*") if path.is_file()}
    fill(disk, free=16384)

    refused(edgefit_here(*ship, "--overwrite"), disk / "new", "No space left on device")

    assert {path: path.read_bytes() for path in (disk / "new").rglob("*") if path.is_file()} == before
    assert sorted(os.listdir(disk)) == ["full", "new"]


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


@pytest.mark.slow
def test_a_run_folder_that_does_not_fit_is_said_before_training(disk: Path, tmp_path: Path) -> None:
    fill(disk, free=1 << 20)
    data = ("--data", "synthetic", "--images", "60", "--image-size", "32")

    done = edgefit_here("finetune", *data, "--weights", "bundled", "--epochs", "1", "--out", disk / "run")

    assert done.returncode == 2, done.stderr
    last = done.stderr.strip().splitlines()[-1]
    assert re.match(rf"edgefit: {disk}: the run folder needs 9\.\d MB of disk there, .*No space left", last)
    assert "Epoch 1" not in done.stderr
    assert os.listdir(disk) == ["full"]


def test_a_cache_that_cannot_be_deleted_is_not_said_to_be_empty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with small_disk(tmp_path / "disk", "size=2m") as disk:
        monkeypatch.setenv("EDGEFIT_CACHE", str(disk))
        journal = disk / "journals" / f"{'0' * 32}.jsonl"
        journal.parent.mkdir()
        journal.write_text("{}")
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)

        done = edgefit_here("clean", "--cache")

        assert done.returncode == 2
        assert done.stderr.startswith(
            f"edgefit: {journal} cannot be read or written (Read-only file system); "
        )
        assert journal.exists()


def test_a_disk_without_inodes_is_not_said_to_need_space(tmp_path: Path, report: Path) -> None:
    with small_disk(tmp_path / "disk", "size=2m,nr_inodes=2") as disk:
        (disk / "last").touch()

        refused(
            edgefit_here("report", report, "--csv", disk / "new"), disk / "new", "No space left on device"
        )
        done = edgefit_here("report", report, "--csv", disk / "new")

    assert done.stderr.endswith("no inodes left: delete files there, or use another disk\n")


def test_a_disk_that_fills_keeps_no_other_output_from_being_written(
    disk: Path, report: Path, tmp_path: Path
) -> None:
    fill(disk, free=8192)
    pages = ("--html", disk / "page", "--png", disk / "chart")

    done = edgefit_here("report", report, *pages, "--csv", tmp_path / "table", "--bmf", disk / "other")

    assert done.returncode == 2
    assert f"edgefit: {disk / 'page'}, {disk / 'chart'} cannot be written (No space left on" in done.stderr
    assert (tmp_path / "table").exists()
    assert sorted(os.listdir(disk)) == ["full", "other"]


@pytest.mark.slow
def test_a_report_that_does_not_fit_is_measured_no_second_time(disk: Path, bundle_folder: Path) -> None:
    fill(disk, free=8192)
    words = ("bench", bundle_folder, "--only", "onnx-fp32", *SHORTLY, "--out", disk / "new")

    done = edgefit_here(*words)
    refused(done, disk / "new", "No space left on device")
    assert "what was measured is kept: run the same command with --resume to continue" in done.stderr
    assert os.listdir(disk) == ["full"]

    (disk / "full").unlink()
    resumed = edgefit_here(*words, "--resume")
    assert resumed.returncode == 0, resumed.stderr
    assert os.listdir(disk) == ["new"]
