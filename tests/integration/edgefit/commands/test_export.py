"""`edgefit export --cpu` as a user meets it."""

import json
from pathlib import Path

import pytest
from making.brightness import SIDE, write_brightness, write_onnx
from making.command_line import edgefit_here

from bench.bundle.cpu_class import FULL_LEVEL, TARGETS


@pytest.fixture
def words(tmp_path: Path) -> tuple[str | Path, ...]:
    """An export of one artifact in int8, without a search."""
    model, images = write_onnx(tmp_path / "model.onnx"), write_brightness(tmp_path / "images", count=30)
    return (
        "export", model, "--data", images, "--preprocess", "unit", "--shape", f"1x3x{SIDE}x{SIDE}",
        "--formats", "onnx", "--precisions", "int8", "--min-retention", "0", "--out", tmp_path / "bundle",
    )  # fmt: skip


def test_the_option_cpu_reaches_the_exporter_and_the_manifest(
    words: tuple[str | Path, ...], tmp_path: Path
) -> None:
    done = edgefit_here(*words, "--cpu", "arm")

    assert done.returncode == 0, done.stderr
    (artifact,) = json.loads((tmp_path / "bundle" / "manifest.json").read_text())["artifacts"]
    assert artifact["cpu"] == "arm"
    assert [check["cpu_class"] for check in artifact["classes"]] == [
        cpu_class.value for cpu_class in TARGETS["arm"].classes
    ]
    assert f"±{FULL_LEVEL}" in artifact["method"]
    assert "made for --cpu arm" in " ".join(done.stdout.split())


def test_an_unknown_cpu_is_refused_with_a_list_of_the_known_ones(
    words: tuple[str | Path, ...], tmp_path: Path
) -> None:
    done = edgefit_here(*words, "--cpu", "risc-v")

    assert done.returncode == 2
    assert f"unknown CPU 'risc-v'; choose from: {', '.join(TARGETS)}" in " ".join(done.stderr.split())
    assert not (tmp_path / "bundle").exists()
