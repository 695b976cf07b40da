"""`edgefit choose` as a process, and what --ship copies out: the example is run on a real image."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from making.command_line import edgefit, edgefit_here
from making.compared_report import report_of
from making.installed_formats import BASIC
from making.repository import SCHEMA_1
from PIL import Image

from bench.bundle.evaluation_pack import read_pack
from bench.bundle.manifest import MANIFEST, ArtifactRecord, Bundle, read_bundle
from bench.run_config import RunConfig
from bench.runtimes.formats import FORMATS
from bench.runtimes.installed import load_runtime, row_of
from bench.runtimes.protocol import LoadOptions


@pytest.mark.parametrize("format_name", BASIC)
def test_what_is_shipped_classifies_an_image_as_the_artifact_does(
    bundle_folder: Path, tmp_path: Path, format_name: str
) -> None:
    measured, ship = report_of(bundle_folder, f"{format_name}-fp32"), tmp_path / "ship"
    pack = read_pack(bundle_folder / read_bundle(bundle_folder).manifest.pack.file.path)
    logits = pack.reference_logits[0]
    Image.fromarray(pack.image(0)).save(tmp_path / "image.png")

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
    assert f"\n{FORMATS[format_name].needs}==" in requirements
    card = (ship / "CARD.md").read_text()
    assert "not a medical device" in card
    assert (ship / "classify.py").is_file()


def test_the_example_of_portable_int8_takes_this_machines_engine(nine_folder: Path, tmp_path: Path) -> None:
    bundle = read_bundle(shutil.copytree(nine_folder, tmp_path / "bundle"))
    measured, ship = report_of(bundle.folder, "torchscript-int8"), tmp_path / "ship"
    (artifact,) = bundle.select(["torchscript-int8"])
    Image.fromarray(bundle.pack().image(0)).save(tmp_path / "image.png")

    done = edgefit_here("choose", measured, "--min-retention", "0", "--ship", ship)

    assert done.returncode == 0, done.stderr
    assert artifact.engine is None
    said = subprocess.check_output([sys.executable, ship / "classify.py", tmp_path / "image.png"], text=True)
    assert said == answer_of(bundle, artifact)


def answer_of(bundle: Bundle, artifact: ArtifactRecord) -> str:
    """Return what an artifact says of the first image, as its example prints it."""
    config = RunConfig(threads=1, provider=row_of(artifact.format).provider)
    session = load_runtime(artifact.format).load(
        bundle.folder / artifact.entry, LoadOptions(config, precision=artifact.precision)
    )
    logits = session.infer(bundle.pack().inputs(0))[0][0]
    chance = float(np.exp(logits.max()) / np.exp(logits).sum())
    return f"{bundle.manifest.model.classes[int(logits.argmax())]} ({chance:.3f})\n"


def test_a_bundle_of_schema_1_ships_with_the_steps_that_it_stated(tmp_path: Path) -> None:
    bundle = read_bundle(shutil.copytree(SCHEMA_1, tmp_path / "bundle"))
    measured, ship = report_of(bundle.folder, "onnx-int8"), tmp_path / "ship"
    Image.fromarray(bundle.pack().image(0)).save(tmp_path / "image.png")

    done = edgefit_here("choose", measured, "--min-retention", "0", "--ship", ship)

    assert done.returncode == 0, done.stderr
    said = subprocess.check_output([sys.executable, ship / "classify.py", tmp_path / "image.png"], text=True)
    assert said == answer_of(bundle, *bundle.select(["onnx-int8"]))
    assert "Resize to 32×32 pixels" in (ship / "CARD.md").read_text()


def test_a_bundle_of_schema_1_with_other_sentences_is_not_shipped(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(SCHEMA_1, tmp_path / "bundle"))
    manifest = json.loads((folder / MANIFEST).read_text())
    manifest["preprocessing"]["resize"] = "to the middle"
    (folder / MANIFEST).write_text(json.dumps(manifest))
    measured = report_of(folder, "onnx-int8")

    done = edgefit_here("choose", measured, "--min-retention", "0", "--ship", tmp_path / "ship")

    assert done.returncode == 2
    assert "it is of schema 1, and says in sentences that edgefit did not write" in done.stderr
    assert "export the bundle again" in done.stderr
    assert not (tmp_path / "ship").exists()
