"""Warnings on the data are said before training or export starts; with --strict-data they are an error."""

from pathlib import Path

import numpy as np
import pytest
from making.brightness import SIDE, write_brightness, write_onnx
from making.command_line import edgefit_here
from making.films import write_films
from PIL import Image

TRAINING = ("--weights", "bundled", "--image-size", "32", "--epochs", "1")
LEFT_OUT = "warning: 1 file that is no image was left out: of class"


@pytest.fixture
def films(tmp_path: Path) -> Path:
    """A folder of films with a document among them."""
    for label, name in enumerate(("normal", "pneumonia")):
        write_films(tmp_path / "films" / name, label, 12)
    (tmp_path / "films" / "normal" / "report.pdf").write_bytes(b"%PDF-1.7")
    return tmp_path / "films"


def test_finetune_says_what_was_left_out_before_it_trains(films: Path, tmp_path: Path) -> None:
    done = edgefit_here("finetune", "--data", films, *TRAINING, "--out", tmp_path / "run")

    assert done.returncode == 0, done.stderr
    assert done.stderr.index(LEFT_OUT) < done.stderr.index("Epoch 1/1")


def test_finetune_with_strict_data_lists_the_warnings_and_writes_nothing(films: Path, tmp_path: Path) -> None:
    done = edgefit_here("finetune", "--data", films, *TRAINING, "--strict-data", "--out", tmp_path / "run")

    assert done.returncode == 2
    assert "with --strict-data a warning is an error" in done.stderr
    assert "1 PDF document" in done.stderr
    assert not (tmp_path / "run").exists()


def test_export_says_and_refuses_the_same(tmp_path: Path) -> None:
    images = write_brightness(tmp_path / "images")
    (next(path for path in sorted(images.iterdir()) if path.is_dir()) / "x.pdf").write_bytes(b"%PDF-1.7")
    words = (
        "export", write_onnx(tmp_path / "model.onnx"), "--data", images, "--preprocess", "unit",
        "--shape", f"1x3x{SIDE}x{SIDE}", "--formats", "onnx", "--precisions", "fp32", "--out",
    )  # fmt: skip

    refused = edgefit_here(*words, tmp_path / "strict", "--strict-data")
    done = edgefit_here(*words, tmp_path / "bundle")

    assert refused.returncode == 2
    assert "with --strict-data a warning is an error" in refused.stderr
    assert not (tmp_path / "strict").exists()
    assert done.returncode == 0, done.stderr
    assert LEFT_OUT in done.stderr
    classes = done.stderr.index("The classes are in the order of the alphabet")
    assert classes < done.stderr.index("Exporting")


def test_export_says_and_refuses_what_pixels_show(tmp_path: Path) -> None:
    images = write_brightness(tmp_path / "images")
    for index, path in enumerate(sorted(images.rglob("*.png"))):
        pixels = np.asarray(Image.open(path).convert("L")).astype(np.uint16) * 16
        pixels[0, 0] = 4095 if index else 65535
        Image.fromarray(pixels).save(path)
    words = (
        "export", write_onnx(tmp_path / "model.onnx"), "--data", images, "--preprocess", "unit",
        "--shape", f"1x3x{SIDE}x{SIDE}", "--formats", "onnx", "--precisions", "fp32", "--trust-preprocess",
        "--out", tmp_path / "bundle",
    )  # fmt: skip

    refused = edgefit_here(*words, "--strict-data")

    assert refused.returncode == 2
    assert "with --strict-data a warning is an error" in refused.stderr
    assert "so they are nearly black" in refused.stderr
    assert not (tmp_path / "bundle").exists()
