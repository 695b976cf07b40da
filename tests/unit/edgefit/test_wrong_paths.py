"""Every command says what a wrong path is, and what to type instead."""

import json
import os
import shutil
import sys
from pathlib import Path

import pytest
from making.onnx_models import several
from making.tiny_report import make_report
from PIL import Image

from bench.report.files import to_json
from edgefit.command_line import run


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run, a bundle, a report, a model, images and an archive, not to be changed."""
    place = tmp_path_factory.mktemp("everything")
    for folder in ("run", "bundle", "empty", "photos/a"):
        (place / folder).mkdir(parents=True)
    (place / "run/run.json").write_text(json.dumps({"schema": 2, "arch": "a", "training": {}}))
    (place / "run/model.safetensors").touch()
    (place / "bundle/manifest.json").write_text(json.dumps({"schema": 2, "artifacts": [], "pack": {}}))
    several(place / "model.onnx")
    (place / "report.json").write_text(to_json(make_report()))
    Image.new("L", (8, 8)).save(place / "photos/a/film.png")
    (place / "list.csv").write_text("path,label\nfilm.png,a\n")
    shutil.make_archive(str(place / "photos"), "zip", place / "photos")
    return place


@pytest.fixture
def place(everything: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with one of everything."""
    monkeypatch.chdir(everything)
    return everything


EXPORT = "make a bundle of it with: edgefit export run --out BUNDLE"
MEASURE = "measure it with: edgefit bench bundle --out report.json"
SHOW = "show it with: edgefit report report.json"
FINETUNE = ("finetune", "--out", "out", "--weights", "bundled", "--data")
WEIGHTS = ("finetune", "--data", "synthetic", "--out", "out", "--weights")


@pytest.mark.parametrize(
    ("command", "given", "what", "instead"),
    [
        (("bench",), "run", "run folder", EXPORT),
        (("bench",), "report.json", "report", SHOW),
        (("bench",), "run/run.json", "record of a run folder", "give its folder: run"),
        (("bench",), "bundle/manifest.json", "manifest of a bundle", "give its folder: bundle"),
        (("bench",), "photos", "folder of images", "edgefit takes ONNX"),
        (("bench",), "photos.zip", "zip archive", "unpack it"),
        (("bench",), "empty", "empty folder", "edgefit takes ONNX"),
        (("bench",), "~/model.onnx", "no such file", "the shell did not replace ~"),
        (("bench",), "modle.onnx", "no such file", "did you mean model.onnx?"),
        (("inspect",), "run", "run folder", EXPORT),
        (("inspect",), "bundle", "bundle", "give one of the model files in it"),
        (("inspect",), "report.json", "report", SHOW),
        (("report",), "bundle", "bundle", MEASURE),
        (("report",), "run", "run folder", EXPORT),
        (("report",), "bundle/manifest.json", "manifest of a bundle", "give its folder: bundle"),
        (("report",), "model.onnx", "model file", "edgefit bench model.onnx --out report.json"),
        (("report",), "photos/a/film.png", "image", "edgefit bench MODEL|BUNDLE"),
        (("report",), "https://example.org/report.json", "no such report", "download the file"),
        (("choose",), "bundle", "bundle", MEASURE),
        (("choose", "report.json", "--ship", "out", "--bundle"), "run", "run folder", EXPORT),
        (("choose", "report.json", "--ship", "out", "--bundle"), "report.json", "report", SHOW),
        (("check", "--baseline", "bundle"), "run", "run folder", EXPORT),
        (("check", "--baseline", "bundle"), "photos/a/film.png", "image", "give two model files"),
        (("check", "--baseline", "bundle"), "bundle/manifest.json", "manifest", "give its folder: bundle"),
        (("check", "model.onnx", "--baseline"), "photos.zip", "zip archive", "unpack it"),
        (("check", "model.onnx", "--baseline"), "*.pt", "no such model", "the shell found no file"),
        (("export", "--out", "out"), "bundle", "bundle", MEASURE),
        (("export", "--out", "out"), "report.json", "report", SHOW),
        (("export", "--out", "out"), "photos", "folder of images", "a model file or a network in Python"),
        (("export", "--out", "out"), "C:\\run", "no such folder", "in WSL, give /mnt/c/run"),
        (FINETUNE, "run", "run folder", EXPORT),
        (FINETUNE, "bundle", "bundle", MEASURE),
        (FINETUNE, "report.json", "report", SHOW),
        (FINETUNE, "photos.zip", "zip archive", "unpack it"),
        (FINETUNE, "model.onnx", "model file", "edgefit bench model.onnx"),
        (FINETUNE, "list.csv", "has 1 class", "at least two are needed"),
        (FINETUNE, "empty", "empty folder", "an .npz file, a CSV file, or a folder"),
        (FINETUNE, "https://example.org/photos", "neither", "download the file"),
        (WEIGHTS, "run", "folder", "run/model.safetensors"),
        (WEIGHTS, "report.json", "not weights", "safetensors"),
        (WEIGHTS, "photos/a/film.png", "image", "safetensors"),
        (("bench", "model.onnx", "--data"), "run", "run folder", EXPORT),
        (("bench", "model.onnx", "--data"), "photos.zip", "zip archive", "unpack it"),
        (("bench", "model.onnx", "--data"), "-", "no such file", "standard input"),
        (("profiles", "show"), "report.json", "report", SHOW),
        (("profiles", "show"), "bundle", "bundle", MEASURE),
        (("pack", "--for", "raspberry-pi-5", "--out", "job.pyz"), "run", "run folder", EXPORT),
        (("pack", "--for", "raspberry-pi-5", "--out", "job.pyz"), "report.json", "report", SHOW),
    ],
)
def test_a_wrong_path_is_named_with_what_to_type(
    place: Path,
    capsys: pytest.CaptureFixture[str],
    command: tuple[str, ...],
    given: str,
    what: str,
    instead: str,
) -> None:
    assert run([*command, given]) == 2

    said = capsys.readouterr().err.strip()
    assert said.startswith("edgefit: ")
    assert "\n" not in said
    assert what in said
    assert instead in said
    assert not Path("out").exists()


def test_a_wrong_path_to_train_on_is_named_before_torch_is_loaded(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "models.finetune", None)  # an import of it would fail

    assert run([*FINETUNE, "nowhere"]) == 2
    assert "--data nowhere is neither a name of a source nor" in capsys.readouterr().err


def test_an_empty_argument_is_named_before_anything(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["bench", ""]) == 2
    assert "the argument after bench is empty" in capsys.readouterr().err


def test_an_error_of_a_wrong_path_is_a_document_with_json(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["bench", "run", "--json"]) == 2
    assert EXPORT in json.loads(capsys.readouterr().out)["error"]


@pytest.mark.parametrize(
    "command", [("bench", "model.onnx"), ("export", "run", "--out", "out"), FINETUNE[:1]]
)
@pytest.mark.parametrize("name", ["\x1b[2J", "a\nb", os.fsdecode(b"\xfc"), "a" * 1001, "\u2066a"])
def test_a_name_that_no_report_can_hold_is_refused_before_anything(
    place: Path, capsys: pytest.CaptureFixture[str], command: tuple[str, ...], name: str
) -> None:
    assert run([*command, "--name", name]) == 2
    assert "edgefit: --name '" in capsys.readouterr().err
    assert not (place / "out").exists()


@pytest.mark.parametrize("arguments", [("export", "model.onnx", "--out"), (*FINETUNE, "synthetic", "--out")])
def test_a_folder_whose_name_no_record_can_hold_is_refused_before_anything(
    place: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    assert run([*arguments, os.fsdecode(b"B\xfcndel")]) == 2
    assert "is not UTF-8 or has control characters" in capsys.readouterr().err


@pytest.mark.parametrize(
    "command", [("report",), ("choose",), ("bench",), ("inspect",), ("export", "--out", "o")]
)
def test_a_name_with_line_ends_does_not_divide_its_sentence(
    place: Path, capsys: pytest.CaptureFixture[str], command: tuple[str, ...]
) -> None:
    assert run([*command, "missing\n\nfolder/a.json"]) == 2

    (line,) = capsys.readouterr().err.splitlines()
    assert r"missing\n\nfolder/a.json" in line


@pytest.mark.parametrize("command", [("bench",), ("export", "--out", "out")])
def test_a_bundle_or_run_whose_name_no_record_can_hold_is_refused(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], command: tuple[str, ...]
) -> None:
    copy = tmp_path / os.fsdecode(b"K\xf6pie")
    shutil.copytree(place / ("bundle" if command == ("bench",) else "run"), copy)

    assert run([*command, str(copy)]) == 2
    assert "so a report cannot name it; rename it" in capsys.readouterr().err
