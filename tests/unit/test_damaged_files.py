"""Every place that reads a user's file says what happened to the file, and how to get it whole."""

import hashlib
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from making.tiny_run import make_tiny_run

from bench.bundle.evaluation_pack import read_pack
from bench.bundle.manifest import read_bundle
from bench.bundle.model_files import read_model_file
from bench.bundle.sample_sources import samples_in_files
from bench.bundle.sidecar import read_document
from bench.errors import BenchError
from bench.report.files import read_report
from device_profiles.errors import ProfileError
from device_profiles.loading import load_profile
from export.data.class_names import stated_classes
from export.data.csv_files import list_csv
from export.data.finding import find_data
from export.sources.torch_program import read_program
from models.checkpoints.reading import read_checkpoint
from models.errors import InputError as ModelsInputError
from models.progress import Silent
from models.run_folder import read_run
from models.sources.npz import prepare_npz
from models.sources.options import SourceOptions
from user_files.faults import why_changed

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"
PAGE = b"<!DOCTYPE html>\n<html><head><title>Sign in</title></head></html>\n"
ERRORS = (BenchError, ModelsInputError, ProfileError)


def _samples(path: Path) -> object:
    return list(samples_in_files([path]))


READERS: dict[str, Callable[[Path], object]] = {
    "w.safetensors": read_checkpoint,
    "w.pth": read_checkpoint,
    "data.npz": lambda path: prepare_npz(path, SourceOptions(32, False, 10))(Silent()),
    "images.npz": lambda path: find_data(str(path)),
    "labels.csv": lambda path: list_csv(path, ()),
    "classes.txt": lambda path: stated_classes(str(path)),
    "model.pt2": read_program,
    "model.onnx": read_model_file,
    "sample.npy": _samples,
    "pack.npz": read_pack,
    "edgefit.yaml": read_document,
    "config.json": read_document,
    "report.json": read_report,
    "report.txt": read_report,
    "profile.yaml": lambda path: load_profile(str(path)),
    "manifest.json": lambda path: read_bundle(path.parent),
    "run.json": lambda path: read_run(path.parent),
}


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize(
    ("content", "said"),
    [(POINTER, "is a Git LFS pointer, not the file itself"), (PAGE, "is a web page (HTML)")],
    ids=["pointer", "page"],
)
def test_a_pointer_or_a_page_in_the_place_of_a_file_is_said(
    tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)

    with pytest.raises(ERRORS) as caught:
        READERS[name](path)

    assert f"{path}: {said}" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["data.npz", "images.npz", "sample.npz", "pack.npz"])
def test_arrays_whose_line_ends_were_converted_or_that_were_cut_off_are_said(
    tmp_path: Path, name: str
) -> None:
    path = tmp_path / name
    reader = READERS.get(name, _samples)
    images = np.random.default_rng(0).integers(0, 255, (9, 32, 32), np.uint8)
    labels = np.arange(9) % 2
    np.savez(path, train_images=images, train_labels=labels, test_images=images, test_labels=labels)
    whole = path.read_bytes()
    for content, said in (
        (whole.replace(b"\n", b"\r\n"), "its line ends were converted"),
        (whole[: len(whole) // 2], "is cut off"),
    ):
        path.write_bytes(content)
        with pytest.raises(ERRORS, match=said):
            reader(path)


@pytest.mark.parametrize("name", ["model.safetensors", "images.npz", "history.json"])
@pytest.mark.parametrize("is_pointer", [True, False], ids=["pointer", "converted"])
def test_a_file_of_a_run_folder_that_changed_on_its_way_says_how(
    tmp_path: Path, name: str, is_pointer: bool
) -> None:
    path = make_tiny_run(tmp_path / "run") / name
    path.write_bytes(POINTER if is_pointer else path.read_bytes().replace(b"\n", b"\r\n"))

    with pytest.raises(
        ModelsInputError, match="Git LFS pointer" if is_pointer else "line ends were converted"
    ):
        read_run(tmp_path / "run")


def test_text_that_differs_in_its_line_ends_alone_is_known_by_its_hash(tmp_path: Path) -> None:
    text = b'{\n "a": 1\n}\n'
    path = tmp_path / "a.json"
    path.write_bytes(text.replace(b"\n", b"\r\n"))

    assert "its line ends were converted" in (why_changed(path, hashlib.sha256(text).hexdigest()) or "")
    assert why_changed(path, hashlib.sha256(b"other").hexdigest()) is None


def test_a_wheel_and_an_artifact_are_files_like_others(tmp_path: Path) -> None:
    path = tmp_path / "a.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/b.json", json.dumps({"a": 1}))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    path.write_bytes(path.read_bytes()[:-30])

    assert "is cut off" in (why_changed(path, digest) or "")
