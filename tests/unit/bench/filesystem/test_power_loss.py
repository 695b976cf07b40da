"""Whenever the power is lost, the old or the new result is whole; once it is reported as done, the new."""

import errno
from pathlib import Path

import pytest
from making.power_loss import PowerLoss, quick_syncing  # noqa: F401 - used by every test
from making.result_folder import IMAGE, fill, make, names, overwrite, written

from bench.filesystem import exchange
from bench.filesystem.cache_folder import cache_folder
from bench.filesystem.whole_files import whole_folder, write_whole


def _cannot(first: Path, second: Path) -> int:
    return errno.ENOSYS


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    (tmp_path / "disk").mkdir()
    return tmp_path / "disk"


def content(target: Path) -> set[str]:
    assert names(target) == ["b", IMAGE, "m"]
    return {(target / name).read_text() for name in ("b", IMAGE)}


def test_a_file_is_the_old_or_the_new_one(disk: Path, tmp_path: Path) -> None:
    (disk / "report.json").write_text("old")
    loss = PowerLoss(disk)
    loss.run(lambda: write_whole(disk / "report.json", "new"))

    for left in loss.at_any_step(tmp_path / "left"):
        assert (left / "report.json").read_text() in ("old", "new")
        write_whole(left / "report.json", "next")
        assert names(left) == ["report.json"]
    for left in loss.at_the_end(tmp_path / "end"):
        assert (left / "report.json").read_text() == "new"


def test_a_file_in_new_folders_is_there_whole_once_it_is_written(disk: Path, tmp_path: Path) -> None:
    loss = PowerLoss(disk)
    loss.run(lambda: write_whole(disk / "new" / "deep" / "report.json", "new"))

    for left in loss.at_any_step(tmp_path / "left"):
        file = left / "new" / "deep" / "report.json"
        assert not file.exists() or file.read_text() == "new"
    for left in loss.at_the_end(tmp_path / "end"):
        assert (left / "new" / "deep" / "report.json").read_text() == "new"


@pytest.mark.parametrize("at_once", [True, False])
def test_an_overwritten_folder_is_the_old_or_the_new_one(
    disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: bool
) -> None:
    if not at_once:
        monkeypatch.setattr(exchange, "_exchange_at_once", _cannot)
    make(disk / "out", **{IMAGE: "old", "b": "old"})
    loss = PowerLoss(disk)
    loss.run(lambda: overwrite(disk / "out"))

    for left in loss.at_any_step(tmp_path / "left"):
        if at_once or (left / "out").exists():
            assert content(left / "out") in ({"old"}, {"new"})
        overwrite(left / "out", "next")
        assert content(left / "out") == {"next"}
        assert names(left) == ["out"]
    for left in loss.at_the_end(tmp_path / "end"):
        assert content(left / "out") == {"new"}


def test_of_a_replaced_folder_no_file_is_left_that_nothing_names(disk: Path, tmp_path: Path) -> None:
    def replace(target: Path) -> None:
        with whole_folder(target, written, overwrite=True) as folder:
            (folder / "onnx").mkdir()
            fill(folder, **{"onnx/model": "x"})

    replace(disk / "out")
    loss = PowerLoss(disk)
    loss.run(lambda: replace(disk / "out"))

    for left in loss.at_any_step(tmp_path / "left"):
        replace(left / "out")
        assert names(left) == ["out"]


def test_a_new_folder_is_whole_or_not_there(disk: Path, tmp_path: Path) -> None:
    loss = PowerLoss(disk)
    loss.run(lambda: overwrite(disk / "new" / "out"))

    for left in loss.at_any_step(tmp_path / "left"):
        if (left / "new" / "out").exists():
            assert content(left / "new" / "out") == {"new"}
        overwrite(left / "new" / "out", "next")
        assert names(left / "new") == ["out"]
    for left in loss.at_the_end(tmp_path / "end"):
        assert content(left / "new" / "out") == {"new"}


def test_a_cache_folder_that_was_made_is_there(
    disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGEFIT_CACHE", str(disk / "deep" / "cache"))
    loss = PowerLoss(disk)
    loss.run(lambda: cache_folder("journals"))

    for left in loss.at_the_end(tmp_path / "end"):
        assert (left / "deep" / "cache" / "journals").is_dir()
