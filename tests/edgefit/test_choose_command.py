"""`edgefit choose` as a user meets it, and what --ship copies out: the example is run on a real image."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from making.command_line import edgefit, edgefit_here
from making.compared_report import Row, made_report
from PIL import Image

from bench.bundle.evaluation_pack import read_pack
from bench.bundle.manifest import read_bundle
from bench.report.files import write_report
from bench.report.measured_bundle import record_of
from bench.runtimes.protocol import LoadOptions
from bench.runtimes.table import RUNTIMES, load_runtime


@pytest.fixture
def report(tmp_path: Path) -> Path:
    path = tmp_path / "r.json"
    rows = {"onnx-fp32": Row(10), "onnx-int8": Row(4, size=2_500_000)}
    write_report(path, made_report(rows))
    return path


def report_of(bundle_folder: Path, variant: str) -> Path:
    """Write a report beside a bundle that says that a variant of it was measured."""
    bundle, path = read_bundle(bundle_folder), bundle_folder.with_name("measured.json")
    rows = {variant: Row(10, provider=RUNTIMES[variant.partition("-")[0]].provider)}
    write_report(path, made_report(rows, images=len(bundle.pack()), bundle=record_of(bundle)))
    return path


def test_it_prints_the_pick_and_the_reason_against_the_other(report: Path) -> None:
    done = edgefit("choose", report)

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("laptop-cpu: onnx-int8, p50 4 ms")
    assert "onnx-fp32" in done.stdout
    assert "2.50× the latency" in done.stdout


def test_flags_override_the_profiles_budget_and_nothing_that_fits_is_exit_code_11(report: Path) -> None:
    done = edgefit_here("choose", report, "--max-p95-ms", "2", "--json")

    assert done.returncode == 11
    (choice,) = json.loads(done.stdout)["choices"]
    assert choice["pick"] is None
    assert choice["budget"]["p95_ms"] == 2
    assert choice["budget"]["source"].startswith("the command line; the rest: ")
    (nearest,) = choice["nearest"]
    assert nearest.startswith(
        "p95 latency: met by 0 of 2; nearest miss onnx-int8: p95 latency 4 ms is 2 ms (+100.0%)"
    )


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--prefer", "speed"], "unknown preference 'speed'"),
        (["--max-size-mb", "0"], "0 is met by nothing"),
        (["--min-retention", "99"], "less than or equal to 1"),
        (["--max-p95-ms", "inf"], "is no number"),
        (["--overwrite"], "belongs to --ship"),
        (["nowhere.json"], "nowhere.json: no such report"),
    ],
)
def test_wrong_use_is_one_sentence(report: Path, words: list[str], sentence: str) -> None:
    done = edgefit_here("choose", report, *words)

    assert done.returncode == 2
    assert sentence in done.stderr


@pytest.mark.parametrize("format_name", RUNTIMES)
def test_what_is_shipped_classifies_an_image_as_the_artifact_does(
    bundle_folder: Path, tmp_path: Path, format_name: str
) -> None:
    measured, ship = report_of(bundle_folder, f"{format_name}-fp32"), tmp_path / "ship"
    pack = read_pack(bundle_folder / read_bundle(bundle_folder).manifest.pack.file.path)
    logits = pack.reference_logits[0]
    Image.fromarray(pack.images[0]).save(tmp_path / "image.png")

    done = edgefit("choose", measured, "--min-retention", "0", "--ship", ship)

    assert done.returncode == 0, done.stderr
    assert len((ship / "classify.py").read_text().splitlines()) <= 40
    said = subprocess.run(
        [sys.executable, ship / "classify.py", tmp_path / "image.png"],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    ).stdout
    chance = float(np.exp(logits.max()) / np.exp(logits).sum())
    assert said == f"{['normal', 'pneumonia'][int(logits.argmax())]} ({chance:.3f})\n"
    requirements = (ship / "requirements.txt").read_text()
    assert f"\n{RUNTIMES[format_name].needs}==" in requirements
    card = (ship / "CARD.md").read_text()
    assert "Not a medical device" in card
    assert (ship / "classify.py").is_file()


def test_a_portable_int8_torchscript_file_is_shipped_with_an_example_that_takes_this_machines_engine(
    nine_folder: Path, tmp_path: Path
) -> None:
    bundle = read_bundle(shutil.copytree(nine_folder, tmp_path / "bundle"))
    measured, ship = report_of(bundle.folder, "torchscript-int8"), tmp_path / "ship"
    (artifact,) = bundle.select(["torchscript-int8"])
    pack = bundle.pack()
    options = LoadOptions(threads=1, provider="cpu", int8=True)
    logits = load_runtime("torchscript").load(bundle.folder / artifact.entry, options).infer(pack.batch(0))[0]
    Image.fromarray(pack.images[0]).save(tmp_path / "image.png")

    done = edgefit_here("choose", measured, "--min-retention", "0", "--ship", ship)

    assert done.returncode == 0, done.stderr
    assert artifact.engine is None
    said = subprocess.check_output([sys.executable, ship / "classify.py", tmp_path / "image.png"], text=True)
    chance = float(np.exp(logits.max()) / np.exp(logits).sum())
    assert said == f"{bundle.manifest.model.classes[int(logits.argmax())]} ({chance:.3f})\n"


def test_ship_finds_the_bundle_near_the_report_and_refuses_another(
    bundle_folder: Path, tmp_path: Path
) -> None:
    measured = report_of(bundle_folder, "onnx-fp32")
    moved = bundle_folder.rename(tmp_path / "moved")
    words = ("choose", measured, "--min-retention", "0")

    near = edgefit_here(*words, "--ship", tmp_path / "a")
    moved.rename(tmp_path.parent / f"{tmp_path.name}-away")
    gone = edgefit_here(*words, "--ship", tmp_path / "b")

    assert near.returncode == 0, near.stderr
    assert gone.returncode == 2
    assert "say where it is with --bundle" in gone.stderr
    assert not (tmp_path / "b").exists()


def test_ship_replaces_only_what_an_earlier_one_copied(bundle_folder: Path, tmp_path: Path) -> None:
    measured, taken = report_of(bundle_folder, "onnx-fp32"), tmp_path / "taken"
    taken.mkdir()
    (taken / "mine.txt").write_text("mine")

    done = edgefit_here("choose", measured, "--min-retention", "0", "--ship", taken, "--overwrite")

    assert done.returncode == 2
    assert "already holds something else; choose another --ship" in done.stderr
    assert [one.name for one in taken.iterdir()] == ["mine.txt"]
