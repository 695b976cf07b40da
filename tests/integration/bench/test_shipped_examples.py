"""What --ship writes for networks that are no run folder: the examples are run on an image.

One process runs all of them, because loading a runtime takes most of an example's time.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from making.compared_report import Row, made_report
from making.executorch_files import SIDE
from making.installed_formats import MEASURED
from making.repository import ROOT
from making.shippable import (
    CHECK,
    ImageNetwork,
    Made,
    make_bundle_of_file,
    make_image_bundle,
    make_tensor_bundle,
)
from making.tflite_files import with_integers

from bench.bundle.input_preprocessing import UNIT_SCALE, Preprocess
from bench.bundle.manifest import read_bundle
from bench.bundle.quantisation import Quantisation
from bench.bundle.source_record import OutputRecord
from bench.choose.choosing import Criteria, choose
from bench.choose.ship.shipping import ship
from bench.runtimes.formats import FORMATS
from device_profiles.settings import Budget

# Runs each script with its arguments, and prints what all of them print.
_RUN_ALL = """
import contextlib, io, json, os, runpy, sys
said = []
for words in json.load(sys.stdin):
    sys.argv, sys.path[0] = words, os.path.dirname(words[0])
    sys.modules.pop("preprocess", None)
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        runpy.run_path(words[0], run_name="__main__")
    said.append(printed.getvalue())
print(json.dumps(said))
"""
_FORMATS = ("onnx", "openvino")
Scores = npt.NDArray[np.float32]


def output(kind: str, activation: str, index: int = 0) -> OutputRecord:
    stated = {"name": "scores", "index": index, "kind": kind, "activation": activation}
    return OutputRecord.model_validate(stated)


RGB = Preprocess(
    input_size=(3, 16, 24),
    resize="crop",
    crop_pct=0.9,
    interpolation="bicubic",
    mean=(0.485, 0.456, 0.406),
    std=(0.229, 0.224, 0.225),
    channels="rgb",
)
RAW = Preprocess(
    input_size=(3, 16, 24), resize="squash", scale=1.0, mean=(0.0,) * 3, std=(1.0,) * 3, channels="rgb"
)
BGR = RAW.model_copy(update={"resize": "letterbox", "pad_value": (114,), "channels": "bgr"})
GREY = Preprocess(
    input_size=(1, 20, 20), resize="fit", scale=UNIT_SCALE, mean=(0.5,), std=(0.5,), channels="grey"
)
NAMES = ("cat", "dog", "it's \"\n".rstrip())
NETWORKS = {
    "logits": ImageNetwork(RGB, output("classes", "logits"), classes=NAMES, check=CHECK),
    "nhwc-uint8-softmax": ImageNetwork(
        RAW, output("classes", "softmax"), layout="NHWC", dtype="uint8", end="Softmax", classes=NAMES
    ),
    "bgr-labels": ImageNetwork(BGR, output("labels", "logits"), classes=("wet", "dry", "warm")),
    "grey-one-logit": ImageNetwork(GREY, output("classes", "logits"), scores=1, classes=("no", "yes")),
    "one-probability-unnamed": ImageNetwork(RGB, output("classes", "sigmoid"), scores=1, end="Sigmoid"),
    "labels-sigmoid-unnamed-batch": ImageNetwork(RGB, output("labels", "sigmoid"), batch=2, end="Sigmoid"),
    "several-outputs": ImageNetwork(
        RGB, output("classes", "softmax", 1), end="Softmax", classes=NAMES, has_features=True
    ),
    "values": ImageNetwork(RGB, output("values", "none", 0), has_features=True),
}


def sigmoid(scores: Scores) -> Scores:
    chances: Scores = (1 / (1 + np.exp(-scores))).astype(np.float32)
    return chances


def best(scores: Scores, names: tuple[str, ...]) -> str:
    index = int(scores.argmax())
    return f"{names[index]} ({scores[index]:.3f})\n"


def each(scores: Scores, names: tuple[str, ...]) -> str:
    return "".join(f"{name} {score:.3f}\n" for name, score in zip(names, scores, strict=True))


def of_two(chance: np.float32, names: tuple[str, ...]) -> str:
    return best(np.array([1 - chance, chance]), names)


EXPECTED: Mapping[str, Callable[[Scores], str]] = {
    "logits": lambda scores: best(np.exp(scores) / np.exp(scores).sum(), NAMES),
    "nhwc-uint8-softmax": lambda scores: best(scores, NAMES),
    "bgr-labels": lambda scores: each(sigmoid(scores), ("wet", "dry", "warm")),
    "grey-one-logit": lambda scores: of_two(sigmoid(scores)[0], ("no", "yes")),
    "one-probability-unnamed": lambda scores: of_two(scores[0], ("class 0", "class 1")),
    "labels-sigmoid-unnamed-batch": lambda scores: each(scores, ("label 0", "label 1", "label 2")),
    "several-outputs": lambda scores: best(scores, NAMES),
}


@dataclass(frozen=True)
class Shipped:
    """A shipped folder and what its example printed."""

    folder: Path
    """The folder."""
    said: str
    """What `classify.py` printed."""
    reference: Scores
    """The network's judged output for the same image."""


def ship_one(made: Made, format_name: str, target: Path) -> None:
    rows = {f"{format_name}-fp32": Row(10, provider=FORMATS[format_name].provider)}
    ((choice, chosen),) = choose([made_report(rows)], Criteria(Budget()))
    assert chosen is not None
    ship(choice, chosen, read_bundle(made.folder), target, overwrite=False)


def files_of_formats(folder: Path) -> dict[str, tuple[str, Path, tuple[int, ...]]]:
    """A file of each format that has an extra of its own, where it is installed."""
    image = (1, 3, 96, 96)
    files: dict[str, tuple[str, Path, tuple[int, ...]]] = {
        name: (name, row.control_file, image)
        for name, row in FORMATS.items()
        if name in MEASURED and not row.is_basic and row.control_file is not None
    }
    if "litert" in files:
        how = Quantisation(scale=1 / 255, zero_point=-128), Quantisation(scale=0.02, zero_point=3)
        files["litert-integers"] = ("litert", with_integers(folder / "integers.tflite", *how), image)
    if "executorch" in MEASURED:
        file = ROOT / "tests" / "data" / "executorch" / "fp32.pte"
        files["executorch"] = ("executorch", file, (1, 3, SIDE, SIDE))
    return files


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Shipped]:
    """Every bundle shipped in both formats, with what its example says; the process is started once."""
    folder = tmp_path_factory.mktemp("shipped")
    bundles = {name: make_image_bundle(folder / name, network) for name, network in NETWORKS.items()}
    bundles["tensors"] = make_tensor_bundle(folder / "tensors")
    keys = [(name, format_name) for name in bundles for format_name in _FORMATS]
    for name, (format_name, file, shape) in files_of_formats(folder).items():
        bundles[name] = make_bundle_of_file(folder / name, format_name, file, shape)
        keys.append((name, format_name))
    words: list[list[str]] = []
    for name, format_name in keys:
        target = folder / f"{name}-{format_name}"
        ship_one(bundles[name], format_name, target)
        written = [str(target / "written.npy")] if name in ("values", "tensors") else []
        words.append([str(target / "classify.py"), str(bundles[name].given), *written])
    ran = subprocess.run(
        [sys.executable, "-c", _RUN_ALL], input=json.dumps(words), capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    references = {name: read_bundle(made.folder).pack().reference_logits[0] for name, made in bundles.items()}
    return {
        key: Shipped(Path(word[0]).parent, said, references[key[0]])
        for key, word, said in zip(keys, words, json.loads(ran.stdout), strict=True)
    }


@pytest.mark.parametrize("format_name", _FORMATS)
@pytest.mark.parametrize("name", EXPECTED)
def test_an_example_says_what_the_network_says(
    shipped: dict[tuple[str, str], Shipped], name: str, format_name: str
) -> None:
    result = shipped[name, format_name]

    assert result.said == EXPECTED[name](result.reference)


def test_every_other_format_has_an_example_that_says_what_its_file_says(
    shipped: dict[tuple[str, str], Shipped],
) -> None:
    others = [result for (_, format_name), result in shipped.items() if format_name not in _FORMATS]

    assert len(others) >= len([name for name in MEASURED if not FORMATS[name].is_basic])
    for result in others:
        names = tuple(f"class {index}" for index in range(len(result.reference)))
        chances = np.exp(result.reference) / np.exp(result.reference).sum()
        assert result.said == best(chances, names), result.folder


@pytest.mark.parametrize("format_name", _FORMATS)
@pytest.mark.parametrize(
    ("name", "first"), [("values", "float32 [1, 4, 14, 22]"), ("tensors", "float32 [1, 4, 3]")]
)
def test_values_are_summarised_and_written(
    shipped: dict[tuple[str, str], Shipped], name: str, first: str, format_name: str
) -> None:
    result = shipped[name, format_name]
    values = np.load(result.folder / "written.npy").reshape(-1)

    shape, summary = result.said.splitlines()
    assert shape == first
    assert summary == f"from {values.min():.4g} to {values.max():.4g}, mean {values.mean():.4g}"
    np.testing.assert_allclose(values, result.reference, rtol=1e-4, atol=1e-5)


def test_an_example_is_short_and_needs_no_edgefit(shipped: dict[tuple[str, str], Shipped]) -> None:
    for result in shipped.values():
        script = (result.folder / "classify.py").read_text()
        assert len(script.splitlines()) <= 45
        for path in result.folder.glob("*.py"):
            assert "bench" not in path.read_text()


def test_what_is_no_image_needs_no_pillow(shipped: dict[tuple[str, str], Shipped]) -> None:
    folder = shipped["tensors", "onnx"].folder

    assert not (folder / "preprocess.py").exists()
    assert "pillow" not in (folder / "requirements.txt").read_text()
    assert "pillow" in (shipped["logits", "onnx"].folder / "requirements.txt").read_text()


def test_wrong_arrays_are_one_sentence(shipped: dict[tuple[str, str], Shipped], tmp_path: Path) -> None:
    np.savez(tmp_path / "wrong.npz", ids=np.zeros((1, 4), np.int32), mask=np.zeros((1, 4, 1), np.float32))
    script = shipped["tensors", "onnx"].folder / "classify.py"

    done = subprocess.run(
        [sys.executable, script, tmp_path / "wrong.npz"], capture_output=True, text=True, check=False
    )

    assert done.returncode == 1
    assert done.stderr == f"{tmp_path / 'wrong.npz'}: give 'ids' as int64 [1, 4]\n"


def test_more_names_than_scores_are_not_shipped(tmp_path: Path) -> None:
    made = make_image_bundle(tmp_path / "bundle", replace(NETWORKS["logits"], classes=("a", "b")))

    with pytest.raises(Exception, match="names 2 classes, and its output 'scores' has 3 scores"):
        ship_one(made, "onnx", tmp_path / "ship")

    assert not (tmp_path / "ship").exists()
