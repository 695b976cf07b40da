"""`edgefit export` of networks and model files that edgefit did not make, as a user meets it."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from making.brightness import SIDE, write_brightness, write_onnx
from making.command_line import SHORTLY, edgefit_here
from PIL import Image

from bench.bundle.input_preprocessing import Preprocess
from bench.bundle.manifest import Manifest, read_bundle
from bench.bundle.variants import Precision
from bench.run_config import RunConfig
from bench.runtimes.installed import load_runtime, row_of
from bench.runtimes.protocol import LoadOptions

WITH_DATA = ("MODEL", "--data", "IMAGES", "--preprocess", "unit")
SHAPE = f"1x3x{SIDE}x{SIDE}"


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_brightness(tmp_path_factory.mktemp("images") / "brightness")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_onnx(tmp_path_factory.mktemp("model") / "brightness.onnx")


def manifest_of(bundle: Path) -> Manifest:
    return read_bundle(bundle).manifest


def test_an_onnx_file_becomes_a_bundle_that_is_chosen_from_and_shipped(
    images: Path, model: Path, tmp_path: Path
) -> None:
    bundle, report, ship = tmp_path / "bundle", tmp_path / "report.json", tmp_path / "ship"

    done = edgefit_here(
        "export", model, "--data", images, "--preprocess", "unit", "--out", bundle, "--shape", SHAPE,
        "--formats", "onnx,torchscript", "--precisions", "fp32,int8",
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    manifest = manifest_of(bundle)
    assert [artifact.variant for artifact in manifest.artifacts] == ["onnx-fp32", "onnx-int8"]
    assert [missing.variant for missing in manifest.not_made] == ["torchscript-fp32", "torchscript-int8"]
    assert (bundle / "onnx-fp32" / model.name).read_bytes() == model.read_bytes()
    source = manifest.model.source
    assert source is not None
    assert source.check is not None
    assert source.check.correct == source.check.images
    assert manifest.artifacts[1].verification.agreement == 1

    measured = edgefit_here("bench", bundle, *SHORTLY, "--out", report)
    assert measured.returncode == 0, measured.stderr
    assert "torchscript-fp32 skipped" in " ".join(measured.stdout.split())
    chosen = edgefit_here("choose", report, "--min-retention", "0", "--ship", ship)
    assert chosen.returncode == 0, chosen.stderr
    said = subprocess.check_output(
        [sys.executable, ship / "classify.py", images / "dark" / "dark0.png"], text=True, cwd=tmp_path
    )
    assert said.startswith("dark (")


def test_a_function_of_a_package_becomes_files_of_several_formats(
    images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(Path(__file__).parents[3])  # the folder of the package `making`

    done = edgefit_here(
        "export", "making.brightness:build", "--data", images, "--preprocess", "unit", "--shape", SHAPE,
        "--out", tmp_path / "bundle", "--formats", "torchscript,onnx", "--precisions", "fp32",
        "--name", "mine", "--json",
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    manifest = json.loads(done.stdout)
    assert [artifact["variant"] for artifact in manifest["artifacts"]] == [
        "torchscript-fp32", "onnx-fp32",
    ]  # fmt: skip
    assert manifest["name"] == "mine"
    assert all(artifact["verification"]["retention"] == 1 for artifact in manifest["artifacts"])


def test_images_without_labels_give_agreement_and_no_accuracy(model: Path, tmp_path: Path) -> None:
    unlabelled, bundle = write_brightness(tmp_path / "images", labelled=False), tmp_path / "bundle"

    done = edgefit_here(
        "export", model, "--data", unlabelled, "--preprocess", "unit", "--shape", SHAPE, "--out", bundle,
        "--formats", "onnx", "--precisions", "fp32,fp16",
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    verification = manifest_of(bundle).artifacts[1].verification
    assert (verification.agreement, verification.retention) == (1, None)
    assert (done.stdout + done.stderr).count("images: turned upright; squash to") == 1
    assert not manifest_of(bundle).pack.labelled


def test_12_bits_in_16_are_said_and_recorded_and_the_answers_are_those_of_8_bits(
    images: Path, model: Path, tmp_path: Path
) -> None:
    deep = Path(shutil.copytree(images, tmp_path / "deep"))
    for path in deep.rglob("*.png"):
        with Image.open(path) as image:
            grey = np.asarray(image.convert("L")).astype(np.uint16)
        Image.fromarray(grey * 16).save(path)

    bundle = tmp_path / "bundle"
    done = edgefit_here(
        "export", model, "--data", deep, "--preprocess", "unit", "--out", bundle, "--shape", SHAPE,
        "--formats", "onnx", "--precisions", "fp32",
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert "they use 12 bits, so 4095 counts as white" in " ".join(done.stderr.split())
    manifest = manifest_of(bundle)
    assert isinstance(manifest.preprocessing, Preprocess)
    assert manifest.preprocessing.sixteen_bit_white == 4095
    assert manifest.model.source is not None
    assert "sixteen_bit_white" in [key for origin in manifest.model.source.origins for key in origin.keys]
    assert "4095 counts as white" in " ".join(manifest.notes)
    check = manifest.model.source.check
    assert check is not None
    assert check.correct == check.images


def test_a_wrong_preprocessing_stops_with_both_figures_and_leaves_nothing(
    images: Path, model: Path, tmp_path: Path
) -> None:
    words = ("export", model, "--data", images, "--preprocess", "raw", "--shape", SHAPE,
             "--formats", "onnx", "--precisions", "fp32", "--out")  # fmt: skip

    done = edgefit_here(*words, tmp_path / "bundle")

    assert done.returncode == 2
    said = " ".join(done.stderr.split())
    assert "values from 0 to 1" in said
    assert "--trust-preprocess" in said
    assert list(tmp_path.iterdir()) == []
    trusted = edgefit_here(*words, tmp_path / "bundle", "--trust-preprocess")
    assert trusted.returncode == 0, trusted.stderr
    source = manifest_of(tmp_path / "bundle").model.source
    assert source is not None
    assert source.check is not None
    assert source.check.trusted


def test_ready_inputs_of_a_function_are_calibrated_and_verified_on(model: Path, tmp_path: Path) -> None:
    loader = tmp_path / "loader.py"
    loader.write_text(
        "import numpy as np\n"
        "def load_data():\n"
        "    random = np.random.default_rng(0)\n"
        "    for number in range(40):\n"
        f"        image = random.random((3, {SIDE}, {SIDE}), dtype=np.float32) * (0.4 + 0.6 * (number % 2))\n"
        "        yield {'image': image}, 1 - number % 2\n"
    )
    bundle = tmp_path / "bundle"

    done = edgefit_here(
        "export", model, "--data", f"{loader}:load_data", "--shape", SHAPE, "--out", bundle,
        "--formats", "onnx", "--precisions", "fp32,int8", "--min-retention", "0",
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    opened = read_bundle(bundle)
    pack, artifact = opened.pack(), opened.manifest.artifacts[0]
    assert opened.manifest.preprocessing is None
    session = load_runtime("onnx").load(
        bundle / artifact.entry,
        LoadOptions(
            RunConfig(provider=row_of("onnx").provider, threads=1),
            precision=Precision.FP32,
            inputs=artifact.inputs(None),
        ),
    )
    answer = session.infer(pack.inputs(0, artifact.inputs(None)))[0]
    assert answer[0] == pytest.approx(pack.reference_logits[0], abs=1e-4)


def test_an_option_that_would_do_nothing_is_refused(model: Path, tmp_path: Path) -> None:
    unlabelled = write_brightness(tmp_path / "images", labelled=False)
    out = tmp_path / "new" / "bundle"

    done = edgefit_here(
        "export", model, "--data", unlabelled, "--preprocess", "unit", "--trust-preprocess", "--shape", SHAPE,
        "--out", out,
    )  # fmt: skip

    assert done.returncode == 2
    assert "--trust-preprocess: images: without labels nothing checks" in " ".join(done.stderr.split())
    assert not out.parent.exists()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("nothing/here",), "no such folder, file or network"),
        (("net.py:build",), "name a Python module with dots"),
        (("torchvison/resnet18",), "did you mean torchvision/"),
        (("MODEL",), "needs data"),
        (("MODEL", "--data", "IMAGES"), "--preprocess"),
        (
            ("MODEL", "--data", "IMAGES", "--weights", "w.pth"),
            "--weights w.pth: it applies",
        ),
        (
            (*WITH_DATA, "--output", "logit"),
            "unknown output 'logit'",
        ),
        ((*WITH_DATA, "--classes", "a,b"), "not among the classes"),
        (("no.such.module:build", "--data", "IMAGES", "--shape", SHAPE), "no.such.module"),
        (("making.brightness:nothing", "--data", "IMAGES", "--shape", SHAPE), "nothing"),
    ],
)
def test_bad_input_is_one_error_and_leaves_nothing(
    words: tuple[str, ...],
    sentence: str,
    images: Path,
    model: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(Path(__file__).parents[3])
    places = {"MODEL": model, "IMAGES": images}
    command = [str(places.get(word, word)) for word in words]
    shape = () if "--shape" in command or "MODEL" not in words else ("--shape", SHAPE)

    done = edgefit_here("export", *command, *shape, "--out", tmp_path / "bundle")

    assert done.returncode == 2, done.stderr
    assert sentence in " ".join(done.stderr.split())
    assert list(tmp_path.iterdir()) == []
