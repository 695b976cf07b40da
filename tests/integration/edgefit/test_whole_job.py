"""The main job, end to end, on few and small images: each result as the next command takes it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from making.command_line import SHORTLY, edgefit
from making.installed_formats import VARIANTS
from making.tiny_run import TEST
from PIL import Image


def result_of(*words: str | Path) -> Any:
    """Return the document that a command prints."""
    done = edgefit(*words, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def fine_tuned_and_exported(folder: Path, images: int, epochs: int, *words: str) -> Path:
    """Make a run and a bundle of generated images by the commands, and return the bundle."""
    run, bundle = folder / "run", folder / "bundle"
    source = ("--data", "synthetic", "--images", str(images), "--weights", "bundled", "--image-size", "32")
    trained = result_of("finetune", *source, "--epochs", str(epochs), "--out", run)
    exported = result_of("export", run, *words, "--out", bundle)
    assert trained["weights"]["name"] == exported["model"]["weights"].split("(")[-1].rstrip(")")
    assert exported["failed"] == []
    return bundle


def assert_measured(report: Path, bundle: Path, variants: list[str], images: int) -> None:
    """Check that each variant ran in its precision, on all images, and says what the network says."""
    rows = json.loads(report.read_text())["runs"]
    assert [row["variant"] for row in rows] == [*variants, "null", "control"]
    for row in rows[:-2]:
        assert row["outcome"]["status"] == "completed", row["outcome"].get("reason", row["outcome"])
        summary = row["summary"]
        assert summary["accuracy"]["images"] == images
        on_disk = sum(path.stat().st_size for path in (bundle / row["variant"]).iterdir())
        assert row["size_bytes"] == on_disk
        assert summary["accuracy"]["agreement"] >= 0.9
        ran = summary["precision_ran"]["share_of_macs"]
        assert ran.get("fp32", 0) >= 0.99 if row["precision"] != "int8" else ran["int8"] > 0.5


def test_generated_images_become_a_product_that_classifies_an_image(tmp_path: Path) -> None:
    words = ("--formats", "onnx", "--precisions", "fp32", "--eval-images", "12")
    report, ship, image = tmp_path / "report.json", tmp_path / "ship", tmp_path / "image.png"
    Image.fromarray(np.zeros((32, 32), dtype=np.uint8)).save(image)

    bundle = fine_tuned_and_exported(tmp_path, 60, 1, *words)
    edgefit("bench", bundle, *SHORTLY, "--out", report)
    chosen = result_of("choose", report, "--min-retention", "0", "--ship", ship)
    said = subprocess.check_output([sys.executable, ship / "classify.py", image], text=True)

    assert_measured(report, bundle, ["onnx-fp32"], 12)
    assert chosen["choices"][0]["chosen"] == "onnx-fp32"
    assert said.startswith(("normal (", "pneumonia ("))


@pytest.mark.timeout(900)
def test_artifacts_are_measured_in_the_precision_they_are_called_by(
    nine_folder: Path, tmp_path: Path
) -> None:
    variants = [variant for variant in VARIANTS if variant.endswith(("int8", "onnx-fp16", "openvino-fp16"))]

    edgefit("bench", nine_folder, *SHORTLY, "--only", ",".join(variants), "--out", tmp_path / "report.json")

    assert_measured(tmp_path / "report.json", nine_folder, variants, TEST)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_generated_images_become_benchmarked_artifacts(tmp_path: Path) -> None:
    bundle = fine_tuned_and_exported(tmp_path, 200, 2, "--eval-images", "40")
    edgefit("bench", bundle, "--quick", "--out", tmp_path / "report.json")

    assert_measured(tmp_path / "report.json", bundle, VARIANTS, 40)
