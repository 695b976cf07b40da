"""A format and an architecture are each added by a row, and go through the whole job up to --ship."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import making
import pytest
from making.command_line import SHORT, SHORTLY, edgefit_here
from making.toy_architecture.row import ROW as TOY_NETWORK
from making.toy_format.row import NAME as TOY
from making.toy_format.row import ROW as TOY_ROW
from PIL import Image

from bench.bundle.manifest import read_bundle
from bench.runtimes.formats import FORMATS
from models.architectures import ARCHITECTURES
from models.run_folder import read_run

TESTS = Path(making.__file__).parents[1]
SITE = TESTS / "making" / "toy_architecture" / "worker"
ANY_TIME = ("--max-slowdown", "900%", "--max-load-slowdown", "900%", "--max-memory-growth", "900%")


@pytest.fixture
def toy_format(monkeypatch: pytest.MonkeyPatch) -> None:
    """Add the row; workers only have to find the modules that it names."""
    monkeypatch.setitem(FORMATS, TOY, TOY_ROW)
    monkeypatch.setenv("PYTHONPATH", str(TESTS))


@pytest.fixture
def toy_architecture(monkeypatch: pytest.MonkeyPatch) -> None:
    """Add the row, here and in export's workers, which build the network."""
    monkeypatch.setitem(ARCHITECTURES, TOY_NETWORK.name, TOY_NETWORK)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(SITE), str(TESTS)]))


def done(*words: str | Path) -> Any:
    """Run a command and return the document that it prints."""
    result = edgefit_here(*words, "--json")
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def shipped_after_the_whole_job(run: Path, folder: Path, variant: str) -> str:
    """Export, measure, choose, ship and report one variant; return what classify.py says."""
    bundle, report, ship = folder / "bundle", folder / "report.json", folder / "ship"
    format_name, _, precision = variant.rpartition("-")
    words = ("--formats", format_name, "--precisions", precision, "--eval-images", "16")

    assert done("export", run, *words, "--out", bundle)["failed"] == []
    measured = done("bench", bundle, *SHORTLY, "--only", variant, "--out", report)["runs"][0]
    chosen = done("choose", report, "--min-retention", "0", "--ship", ship)["choices"][0]
    shown = edgefit_here("report", report, "--html", folder / "page.html")

    assert (measured["variant"], measured["outcome"]["status"]) == (variant, "completed")
    assert measured["summary"]["accuracy"]["agreement"] == 1
    assert chosen["chosen"] == variant
    assert variant in shown.stdout
    assert variant in (folder / "page.html").read_text()
    Image.fromarray(read_bundle(bundle).pack().image(0)).save(folder / "image.png")
    return subprocess.check_output([sys.executable, ship / "classify.py", folder / "image.png"], text=True)


def assert_checked(bundle: Path, variant: str) -> None:
    """Compare a bundle with itself."""
    checked = done(
        "check", bundle, "--baseline", bundle, "--seconds", "1", "--profile", SHORT, "--min-retention", "0",
        *ANY_TIME,
    )  # fmt: skip
    assert {finding["variant"] for finding in checked["findings"]} == {variant}


def class_of_the_first_image(folder: Path) -> str:
    """Return the class that the network itself gives the image which classify.py is shown."""
    bundle = read_bundle(folder / "bundle")
    return bundle.manifest.model.classes[int(bundle.pack().reference_logits[0].argmax())]


def trained_toy(folder: Path) -> Path:
    """Train the toy architecture shortly, and return the run folder."""
    source = ("--data", "synthetic", "--images", "60", "--image-size", "32", "--weights", "none")
    words = ("--arch", TOY_NETWORK.name, "--epochs", "1", "--out", folder / "run")
    assert done("finetune", *source, *words)["training"]["unfreeze"] == TOY_NETWORK.blocks
    return folder / "run"


@pytest.mark.usefixtures("toy_format", "toy_architecture")
def test_a_format_and_an_architecture_are_added_by_their_rows(tmp_path: Path) -> None:
    run = trained_toy(tmp_path)

    said = shipped_after_the_whole_job(run, tmp_path, "toy-fp32")
    checked = done("check", tmp_path / "bundle", "--baseline", tmp_path / "bundle", "--skip-equal")

    assert said.startswith(f"{class_of_the_first_image(tmp_path)} (")
    (entry,) = (tmp_path / "bundle" / "toy-fp32").iterdir()
    assert entry.suffix == TOY_ROW.suffixes[0]
    assert "\ntorch==" in (tmp_path / "ship" / "requirements.txt").read_text()
    assert {finding["variant"] for finding in checked["findings"]} == {"toy-fp32"}
    assert TOY_NETWORK.cam is not None
    assert read_run(run).network().get_submodule(TOY_NETWORK.cam) is not None
    assert read_bundle(tmp_path / "bundle").manifest.model.arch == TOY_NETWORK.name


@pytest.mark.slow
@pytest.mark.usefixtures("toy_format")
def test_the_gate_knows_a_format_by_its_row(run_folder: Path, tmp_path: Path) -> None:
    words = ("--formats", TOY, "--precisions", "fp32", "--eval-images", "16")
    assert done("export", run_folder, *words, "--out", tmp_path / "bundle")["failed"] == []

    assert_checked(tmp_path / "bundle", "toy-fp32")


@pytest.mark.usefixtures("toy_format")
def test_a_profile_may_name_the_format_once_its_row_is_there(tmp_path: Path) -> None:
    profile = tmp_path / "mine.yaml"
    profile.write_text(f"extends: {SHORT}\nname: mine\nruntimes:\n  toy:\n    providers: [gpu]\n")

    refused = edgefit_here("profiles", "show", profile)
    profile.write_text(profile.read_text().replace("gpu", "cpu"))

    assert refused.returncode == 2
    assert "runtimes.toy.providers: 'gpu' is not a provider of toy; did you mean 'cpu'?" in refused.stderr
    assert edgefit_here("profiles", "show", profile).returncode == 0


@pytest.mark.slow
@pytest.mark.usefixtures("toy_architecture")
def test_an_architecture_is_exported_to_onnx_and_checked(tmp_path: Path) -> None:
    said = shipped_after_the_whole_job(trained_toy(tmp_path), tmp_path, "onnx-fp32")
    assert_checked(tmp_path / "bundle", "onnx-fp32")

    assert said.startswith(f"{class_of_the_first_image(tmp_path)} (")
