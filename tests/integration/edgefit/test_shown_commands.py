"""What README, docs and help show is run, to the letter, where it takes seconds and no board."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from making.classifier_file import write_classifier
from making.compared_report import Row, made_report
from making.networks import two_networks
from making.shown_commands import PAGES, shown

from bench.bundle.manifest import read_bundle
from bench.compare.comparing import compare_networks
from bench.compare.folder import write_comparison
from bench.report.files import write_report
from bench.report.measured_bundle import record_of

# What takes longer is run as a whole by the demo, by a board's tests, or by its own.
_SLOW = (
    "finetune",
    "export",
    "demo",
    "pack",
    "wheelhouse",
    "profiles calibrate",
    "check candidate",
    "check model",
    "check new.onnx",
    "compare old.onnx",
    "compare resnet",
)
# What verifies a report needs one that was measured.
_ELSEWHERE = ("--on ", "clean ", "edgefit-demo", "--verify")


def is_quick(line: str) -> bool:
    words = line.removeprefix("edgefit ")
    is_slow = words.startswith(_SLOW) or any(word in words for word in _ELSEWHERE)
    return not is_slow and not words.startswith(("bench", "--install", "check bundle"))


@pytest.fixture
def desk(bundle_folder: Path, tmp_path: Path) -> Path:
    """A folder with what the commands name."""
    measured = record_of(read_bundle(bundle_folder))
    images = len(read_bundle(bundle_folder).pack())
    rows = {"onnx-fp32": Row(4), "openvino-fp32": Row(10)}
    for name in ("runs", "comparison"):
        (tmp_path / name).mkdir()
    for name in ("report", "laptop", "old", "new", "runs/1", "runs/2"):
        write_report(tmp_path / f"{name}.json", made_report(rows, images=images, bundle=measured))
    pi = made_report(rows, profile="raspberry-pi-5", provenance="proxy", images=images, bundle=measured)
    write_report(tmp_path / "pi.json", pi)
    shutil.copy(PAGES[0].parent / "device_profiles" / "raspberry-pi-5.yaml", tmp_path / "shop-floor.yaml")
    networks = two_networks()
    write_comparison(tmp_path / "comparison", compare_networks(networks), networks)
    write_classifier(tmp_path / "model.onnx", ("batch", 3, "height", "width"))
    return tmp_path


@pytest.mark.parametrize("line", [line for line in shown() if is_quick(line)])
def test_a_command_that_is_shown_does_what_it_says(line: str, desk: Path) -> None:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"

    done = subprocess.run(
        ["bash", "-c", line],
        cwd=desk,
        env=os.environ | {"PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout
