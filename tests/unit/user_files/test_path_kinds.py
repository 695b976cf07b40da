"""What lies at a path is named, with what it is given to."""

import json
import os
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from user_files.path_kinds import folder_without_data, path_kind, wrong_path

MARKERS = {"run": "run.json", "bundle": "manifest.json", "wheels": "wheelhouse.json", "copy": "shipped.json"}
DOCUMENTS = {
    "report.json": {"schema": 2, "tool": "0.1.0", "runs": []},
    "check.json": {"candidate": {}, "baseline": {}, "findings": []},
    "choice.json": {"schema": 2, "choices": []},
    "other.json": {"a": 1},
}
BUNDLE_MANIFEST = {"schema": 2, "artifacts": [], "pack": {}}
RECORDS: dict[str, dict[str, object]] = {
    "run.json": {"schema": 2, "arch": "a", "training": {}},
    "manifest.json": {**BUNDLE_MANIFEST},
    "wheelhouse.json": {"python": "3.11", "glibc": "2.28", "wheels": {}},
    "shipped.json": {"schema": 1, "variant": "onnx-int8", "files": []},
}


@pytest.fixture
def things(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one of everything, which is the current one."""
    monkeypatch.chdir(tmp_path)
    for folder, marker in MARKERS.items():
        (tmp_path / folder).mkdir()
        (tmp_path / folder / marker).write_text(json.dumps(RECORDS[marker]))
    for name, document in DOCUMENTS.items():
        (tmp_path / name).write_text(json.dumps(document))
    (tmp_path / "photos" / "a").mkdir(parents=True)
    Image.new("L", (8, 8)).save(tmp_path / "photos" / "a" / "film.png")
    Image.new("L", (8, 8)).save(tmp_path / "film.png")
    (tmp_path / "demo" / "bundle").mkdir(parents=True)
    (tmp_path / "demo" / "bundle" / "manifest.json").write_text(json.dumps(BUNDLE_MANIFEST))
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty.txt").touch()
    np.savez(tmp_path / "data.npz", a=np.zeros(3))
    (tmp_path / "list.csv").write_text("path,label\n")
    for archive, member in (("photos.zip", "photos/a/film.png"), ("job.pyz", "__main__.py")):
        with zipfile.ZipFile(tmp_path / archive, "w") as file:
            file.writestr(member, "x")
    with tarfile.open(tmp_path / "photos.tar.gz", "w:gz") as tar:
        tar.add(tmp_path / "photos", "photos")
    (tmp_path / "mine.yaml").write_text("name: mine\n")
    (tmp_path / "edgefit.yaml").write_text("model: a.onnx\n")
    (tmp_path / "page.onnx").write_text("<!doctype html><html></html>")
    (tmp_path / "model.onnx").write_bytes(b"\x08\x07")
    (tmp_path / "best.pth").write_bytes(b"\x80\x02")
    os.mkfifo(tmp_path / "pipe")
    return tmp_path


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("run", "is a run folder of edgefit finetune, not W; make a bundle of it with: edgefit export run"),
        ("bundle", "is a bundle of edgefit export, not W; measure it with: edgefit bench bundle"),
        ("wheels", "is a wheelhouse, not W; give it with: edgefit bench … --on BOARD --wheelhouse wheels"),
        (
            "copy",
            "is a copy that edgefit choose --ship made, not W; run its example: python copy/",
        ),
        ("report.json", "is a report of edgefit bench, not W; show it with: edgefit report report.json"),
        ("check.json", "is a result of edgefit check, not W; give the reports or bundles"),
        ("choice.json", "is a result of edgefit choose, not W; give the report"),
        ("other.json", "is a JSON document, not W; give W"),
        ("bundle/manifest.json", "is the manifest of a bundle, not W; give its folder: bundle"),
        ("run/run.json", "is the record of a run folder, not W; give its folder: run"),
        ("photos", "is a folder of images, not W; give W"),
        ("film.png", "is an image, not W; give W"),
        ("demo", "is a folder, not W; give what is in it: demo/bundle"),
        ("empty", "is an empty folder, not W; give W"),
        ("empty.txt", "is an empty file, not W; give W"),
        ("data.npz", "is a file of arrays (.npz), not W; give W"),
        ("list.csv", "is a table (CSV), not W; give W"),
        ("photos.zip", "is a zip archive, not W; unpack it"),
        ("photos.tar.gz", "is an archive, not W; unpack it"),
        ("job.pyz", "is a packed measurement, not W; run it on the board: python3 job.pyz"),
        (
            "mine.yaml",
            "is a YAML file, as device profiles are, not W; give a profile with --profile",
        ),
        ("edgefit.yaml", "is a sidecar, which says what a model beside it takes, not W; give that model"),
        ("page.onnx", "is a web page (HTML), not W; download the file itself"),
        ("model.onnx", "is a model file, not W; measure it with: edgefit bench model.onnx"),
        ("best.pth", "is a file of weights, not W; give W"),
        ("pipe", "is a device or pipe, not W; give W"),
        ("missing.json", "there is no such file or folder; give W"),
        ("modle.onnx", "there is no such file or folder; did you mean model.onnx?"),
    ],
)
def test_each_thing_says_what_it_is_and_what_to_type(things: Path, name: str, said: str) -> None:
    assert wrong_path(Path(name), "W", "give W").startswith(said)


def test_what_has_no_name_is_a_file_or_a_folder(things: Path) -> None:
    (things / "notes").mkdir()
    (things / "notes" / "a").touch()
    (things / "blob").write_bytes(b"\x00\x01")

    assert wrong_path(Path("notes"), "W", "give W") == "is a folder, but not W; give W"
    assert wrong_path(Path("blob"), "W", "give W") == "is a file, but not W; give W"


def test_only_folders_without_data_are_refused_as_data(things: Path) -> None:
    (things / "notes").mkdir()
    (things / "notes" / "a").touch()

    assert {name for name in os.listdir() if Path(name).is_dir() and folder_without_data(Path(name))} == {
        "run", "bundle", "wheels", "copy", "demo", "empty",
    }  # fmt: skip


def test_a_document_is_named_with_a_mark(things: Path) -> None:
    Path("report.json").write_text(json.dumps(DOCUMENTS["report.json"]), encoding="utf-8-sig")

    thing = path_kind(Path("report.json"))

    assert thing is not None
    assert thing.what == "a report of edgefit bench"


@pytest.mark.parametrize("marker", MARKERS.values())
@pytest.mark.parametrize("content", ['{"name": "my films", "schema": 1}', "[]", "", "name: mine"])
def test_a_users_own_file_of_such_a_name_leaves_images_what_they_are(
    things: Path, marker: str, content: str
) -> None:
    (things / "photos" / marker).write_text(content)

    assert folder_without_data(things / "photos") is None
