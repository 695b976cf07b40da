"""The script that measures a paper's table, with small networks on a few generated images."""

import subprocess
import sys
from pathlib import Path

import pytest
from making.repository import ROOT

SMALL = (
    *("--data", "synthetic", "--weights", "none", "--mobilenet-weights", "bundled", "--images", "40"),
    *("--epochs", "1", "--image-size", "32", "--speed-size", "64", "--quick"),
    *("--networks", "mobilenet_v2,mobilenet_v3_small"),
)


def made(work: Path, *options: str) -> subprocess.CompletedProcess[str]:
    script = ROOT / "tests" / "benchmarks" / "paper_table.py"
    command = [sys.executable, str(script), "--work", str(work), *SMALL, *options]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=work.parent)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_one_command_trains_measures_and_answers_and_goes_on_where_it_was(tmp_path: Path) -> None:
    work = tmp_path / "work"
    trained = made(work, "--until", "trained")
    assert trained.returncode == 0, trained.stderr
    assert trained.stdout == ""

    first = made(work)

    assert first.returncode == 0, first.stderr
    assert "edgefit finetune" not in first.stderr
    rows = [line.split(" | ") for line in first.stdout.splitlines() if line.startswith("| MobileNet")]
    assert [row[:2] for row in rows[:4]] == [
        ["| MobileNetV2, fp32", "bundled"],
        ["| MobileNetV2, int8", "bundled"],
        ["| MobileNetV2, fp32", "none"],
        ["| MobileNetV3-Small, fp32", "none"],
    ]
    assert "No larger network was measured." in first.stdout
    assert (work / "table.md").read_text(encoding="utf-8") == first.stdout.removesuffix("\n")

    again = made(work)

    assert again.stdout == first.stdout
    assert again.stderr == ""
    other = made(work, "--epochs", "2")
    assert other.returncode == 2
    assert "epochs is 1, and the options say 2" in other.stderr
    assert len(other.stderr.splitlines()) == 1


def test_a_missing_file_is_said_in_one_line(tmp_path: Path) -> None:
    failed = made(tmp_path / "work", "--data", "missing.npz")

    assert failed.returncode == 2
    assert failed.stderr.splitlines()[-1].startswith("--data missing.npz is neither a name of a source nor")
    assert "Traceback" not in failed.stderr
