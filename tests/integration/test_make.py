"""What `make` would run: which extras a target needs, and from where torch comes. Nothing is installed."""

import shutil
import subprocess
from pathlib import Path

import pytest
from making.repository import ROOT

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


def would_run(folder: Path, *arguments: str) -> list[str]:
    command = ["make", "--dry-run", f"VENV={folder}", "TORCH_INDEX=", *arguments]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return done.stdout.splitlines()


def installs(lines: list[str]) -> list[str]:
    return [line.partition("installing.py ")[2] for line in lines if "installing.py" in line]


def test_the_demo_installs_no_tool_of_developers_and_a_later_test_does(tmp_path: Path) -> None:
    assert installs(would_run(tmp_path, "demo")) == ["--editable '.[build,report]'"]

    (tmp_path / ".demo-installed").touch()

    assert installs(would_run(tmp_path, "demo")) == []
    assert installs(would_run(tmp_path, "test")) == ["--editable '.[all,dev]'"]


@pytest.mark.parametrize(("extras", "is_enough"), [("all,dev", True), ("dev,all", True), ("onnx", False)])
def test_who_has_installed_everything_needs_nothing_more_for_the_demo(
    tmp_path: Path, extras: str, is_enough: bool
) -> None:
    (touched,) = [
        line for line in would_run(tmp_path, "install", f"EXTRAS={extras}") if line.startswith("touch")
    ]

    assert touched.split()[1] == str(tmp_path / ".installed")
    assert (str(tmp_path / ".demo-installed") in touched) is is_enough


@pytest.mark.parametrize("target", ["demo", "install"])
def test_torch_alone_comes_from_an_index_of_its_own(tmp_path: Path, target: str) -> None:
    first, second = installs(would_run(tmp_path, target, "TORCH_INDEX=https://torch.example"))

    assert first == "--no-deps --index-url https://torch.example torch torchvision"
    assert "index" not in second


def test_the_site_needs_no_torch(tmp_path: Path) -> None:
    assert installs(would_run(tmp_path, "docs", "TORCH_INDEX=https://torch.example")) == [
        "--editable '.[docs]'"
    ]
