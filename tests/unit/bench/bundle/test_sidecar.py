"""edgefit.yaml beside a model: whose it is, what is refused in it, and what may be replaced."""

from pathlib import Path

import pytest

from bench.bundle.input_preprocessing import Preprocess
from bench.bundle.sidecar import (
    Sidecar,
    SidecarInput,
    SidecarOrigins,
    SidecarOutput,
    find_sidecar,
    read_sidecar,
    sidecar_preprocess,
    write_sidecar,
)
from bench.bundle.stated_preprocessing import Numbers
from bench.errors import InputError

WHOLE = """\
model: model.onnx
input: {name: images, layout: NCHW, dtype: float32, channels: rgb}
preprocess: {input_size: [3, 224, 224], crop_pct: 0.875, crop_mode: center, interpolation: bilinear,
  scale: 0.00392157, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225]}
output: {name: logits, activation: logits, classes: [normal, pneumonia]}
found: {preprocess: preprocessor_config.json, input: model, classes: folder names}
"""
SIDECAR = Sidecar(
    input=SidecarInput(name="images", layout="NCHW", dtype="float32", channels="bgr"),
    preprocess=sidecar_preprocess(
        Preprocess(
            input_size=(3, 32, 48),
            resize="letterbox",
            interpolation="bicubic",
            antialias=False,
            pad_value=(114,),
            sixteen_bit_white=4095,
            mean=(0.1, 0.2, 0.3),
            std=(1.0, 2.0, 3.0),
            channels="bgr",
        )
    ),
    output=SidecarOutput(name="logits", activation="softmax", classes=("no", "1:30", "Übelkeit: ja")),
    found=SidecarOrigins(preprocess="config.json"),
)


def test_every_key_is_read(tmp_path: Path) -> None:
    path = tmp_path / "edgefit.yaml"
    path.write_text(WHOLE)

    sidecar = read_sidecar(path)

    assert sidecar.preprocess.how == "crop"
    assert sidecar.output.classes == ("normal", "pneumonia")
    stated = sidecar.stated("edgefit.yaml")
    assert (stated.size, stated.channels, stated.white) == ((224, 224), "rgb", None)
    assert isinstance(stated.numbers, Numbers)
    assert stated.numbers.scale == 0.00392157


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("preproces: {}", "unknown key 'preproces'; did you mean 'preprocess'?"),
        ("preprocess: {men: [0]}", "unknown key 'preprocess.men'; did you mean 'mean'?"),
        ("preprocess: {resize: zoom}", "preprocess.resize: input should be 'squash', 'crop'"),
        ("preprocess: {mean: [0]}", "mean and std belong together"),
        ("preprocess: {scale: 1}", "add mean: [0] and std: [1]"),
        ("preprocess: {crop_pct: 0.9}", "resize is missing; add resize: squash"),
        ("preprocess: {resize: crop, crop_mode: center}", "say the same; remove one"),
        ("preprocess: {mean: ['0.5'], std: [1]}", "it is text, but must be a number; remove the quotes"),
        ("preprocess: {mean: [.inf], std: [1]}", "mean.0: input should be a finite number"),
        ("preprocess: {mean: [0], std: [0]}", "std.0: input should be greater than 0 (value: 0"),
        ("preprocess: {sixteen_bit_white: 12}", "should be greater than or equal to 255"),
        ("input: {layout: CHW}", "input.layout: input should be 'NCHW' or 'NHWC' (value: 'CHW')"),
        ("input: {}\ninput: {}", "the key 'input' occurs twice"),
        ("model: &a x\noutput: {name: *a}", "an alias is not allowed"),
        ("model: !!python/name:os.system x", "is not allowed"),
        ("- 1", "must have keys and values"),
    ],
)
def test_a_malformed_sidecar_is_refused(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "edgefit.yaml"
    path.write_text(text)

    with pytest.raises(InputError) as caught:
        read_sidecar(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_sidecar_of_the_models_own_name_goes_first(tmp_path: Path) -> None:
    (tmp_path / "edgefit.yaml").write_text("{}")
    (tmp_path / "a.edgefit.yaml").write_text("{}")

    assert find_sidecar(tmp_path / "a.onnx") == tmp_path / "a.edgefit.yaml"
    assert find_sidecar(tmp_path / "b.onnx") == tmp_path / "edgefit.yaml"


def test_a_sidecar_belongs_to_the_model_that_it_names(tmp_path: Path) -> None:
    (tmp_path / "edgefit.yaml").write_text("model: a.onnx")

    assert find_sidecar(tmp_path / "a.onnx") is not None
    assert find_sidecar(tmp_path / "b.onnx") is None


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    path = write_sidecar(tmp_path / "model.onnx", SIDECAR)

    assert path == tmp_path / "edgefit.yaml"
    assert read_sidecar(path) == SIDECAR.model_copy(update={"model": "model.onnx"})
    assert [file.name for file in tmp_path.iterdir()] == ["edgefit.yaml"]


def test_edgefit_replaces_what_it_wrote(tmp_path: Path) -> None:
    write_sidecar(tmp_path / "model.onnx", Sidecar())
    path = write_sidecar(tmp_path / "model.onnx", SIDECAR)

    assert read_sidecar(path).output.activation == "softmax"


@pytest.mark.parametrize("is_own", [True, False])
def test_a_file_of_a_person_is_not_replaced(tmp_path: Path, is_own: bool) -> None:
    path = tmp_path / "edgefit.yaml"
    if is_own:
        write_sidecar(tmp_path / "model.onnx", SIDECAR)
    text = (path.read_text() if is_own else "model: model.onnx\n") + "# my own words\n"
    path.write_text(text)

    with pytest.raises(InputError, match=r"edgefit\.yaml: was not written by edgefit, or was changed since"):
        write_sidecar(tmp_path / "model.onnx", SIDECAR)
    assert path.read_text() == text


def test_a_second_model_gets_a_file_of_its_own(tmp_path: Path) -> None:
    write_sidecar(tmp_path / "a.onnx", SIDECAR)

    path = write_sidecar(tmp_path / "b.onnx", Sidecar())

    assert path == tmp_path / "b.edgefit.yaml"
    assert find_sidecar(tmp_path / "a.onnx") == tmp_path / "edgefit.yaml"
    assert write_sidecar(tmp_path / "b.onnx", SIDECAR) == path


def test_a_folder_in_the_way_is_refused(tmp_path: Path) -> None:
    (tmp_path / "edgefit.yaml").mkdir()

    with pytest.raises(InputError, match="is a folder"):
        write_sidecar(tmp_path / "model.onnx", SIDECAR)
