"""Every file that a command said it wrote survives a loss of power; until then the one before is there."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from making.command_line import edgefit_here
from making.compared_report import Row, made_report
from making.power_loss import PowerLoss, quick_syncing  # noqa: F401 - used by every test

from bench.report.files import write_report

FILES = ("table.md", "table.csv", "tests.xml", "metrics.json")
OPTIONS = ("--markdown", "--csv", "--junit", "--bmf")


@pytest.fixture
def reports(tmp_path: Path) -> Sequence[Path]:
    """Two reports of the same bundle."""
    for name, ms in (("old.json", 10), ("new.json", 20)):
        write_report(tmp_path / name, made_report({"onnx-fp32": Row(ms)}))
    return tmp_path / "old.json", tmp_path / "new.json"


def write_all(report: Path, folder: Path) -> None:
    words = [word for option, name in zip(OPTIONS, FILES, strict=True) for word in (option, folder / name)]
    done = edgefit_here("report", report, *words)
    assert done.returncode == 0, done.stderr


def contents(folder: Path) -> list[bytes]:
    return [(folder / name).read_bytes() for name in FILES]


def test_written_files_survive_a_loss_of_power(reports: Sequence[Path], tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    write_all(reports[0], disk)
    old = contents(disk)
    loss = PowerLoss(disk)
    loss.run(lambda: write_all(reports[1], disk))
    new = contents(disk)

    assert all(before != after for before, after in zip(old, new, strict=True))
    for left in loss.at_any_step(tmp_path / "left"):
        for found, before, after in zip(contents(left), old, new, strict=True):
            assert found in (before, after)
    for left in loss.at_the_end(tmp_path / "end"):
        assert contents(left) == new
