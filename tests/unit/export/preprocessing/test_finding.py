"""The preprocessing of a source is found: what options say, files beside it, and what its library states."""

import json
from pathlib import Path

import pytest

from bench.bundle.required_preprocessing import RequiredPreprocess
from bench.bundle.signature import Signature, Tensor
from bench.bundle.source_record import SourceKind
from bench.bundle.stated_preprocessing import PRESETS
from bench.bundle.variants import Precision
from bench.errors import InputError
from export.preprocessing.finding import find_for_source
from export.sources.spec import SourceDescription, SourceSpec, StatedPreprocess

IMAGE = Tensor(name="image", dtype="float32", shape=(1, 3, 96, 96))
IMAGENET = PRESETS["imagenet"]
LIBRARY = StatedPreprocess(
    origin="timm's pretrained_cfg",
    size=(96, 96),
    resize="crop",
    crop_pct=0.9,
    interpolation="bicubic",
    scale=IMAGENET.scale,
    mean=IMAGENET.mean,
    std=IMAGENET.std,
    channels="rgb",
)
TIMM = SourceSpec(kind=SourceKind.TIMM, name="timm/test_vit")


def described(*inputs: Tensor) -> SourceDescription:
    return SourceDescription(
        signature=Signature(inputs=inputs, outputs=()), precision=Precision.FP32, producer="test"
    )


def found(
    spec: SourceSpec, option: str | None = None, stated: StatedPreprocess | None = None
) -> RequiredPreprocess:
    description = described(IMAGE).model_copy(update={"stated": stated})
    return find_for_source(spec, description, option)


def origin_of(required: RequiredPreprocess, key: str) -> str:
    return next(origin.origin for origin in required.origins if key in origin.keys)


def test_the_library_states_what_nothing_else_does() -> None:
    required = found(TIMM, None, LIBRARY)

    assert (required.preprocess.resize, required.preprocess.crop_pct) == ("crop", 0.9)
    assert {origin.origin for origin in required.origins} == {"the shape", "timm's pretrained_cfg"}
    assert required.layout == "NCHW"


def test_an_option_goes_before_the_library() -> None:
    required = found(TIMM, "raw", LIBRARY)

    assert required.preprocess.scale == 1
    assert origin_of(required, "scale") == "--preprocess raw"
    assert origin_of(required, "resize") == "timm's pretrained_cfg"
    assert any("--preprocess raw is followed" in conflict for conflict in required.conflicts)


def test_a_file_beside_the_weights_goes_before_the_library(tmp_path: Path) -> None:
    weights = tmp_path / "best.pt"
    weights.touch()
    config = {"image_mean": [0.5] * 3, "image_std": [0.5] * 3, "do_normalize": True, "do_rescale": True}
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(config))
    spec = TIMM.model_copy(update={"weights": str(weights)})

    required = found(spec, None, LIBRARY)

    assert required.preprocess.mean == (0.5,) * 3
    assert origin_of(required, "mean") == "preprocessor_config.json"
    assert origin_of(required, "resize") == "timm's pretrained_cfg"


def test_a_file_beside_a_program_is_read_and_its_defaults_are_called_so(tmp_path: Path) -> None:
    program = tmp_path / "model.pt2"
    program.touch()
    (tmp_path / "edgefit.yaml").write_text(
        "input: {channels: bgr}\npreprocess: {resize: letterbox, mean: [0], std: [1]}\n"
    )

    required = found(SourceSpec(kind=SourceKind.PROGRAM, name=str(program)))

    assert (required.preprocess.channels, required.preprocess.resize) == ("bgr", "letterbox")
    for key in ("resize", "mean", "std", "channels"):
        assert origin_of(required, key) == "edgefit.yaml"
    for key in ("crop_pct", "interpolation", "antialias", "pad_value", "scale"):
        assert origin_of(required, key) == "edgefit's default"


def test_what_nobody_states_is_an_error_that_says_what_to_type() -> None:
    spec = SourceSpec(kind=SourceKind.FUNCTION, name="package.module:build", folder="/")

    with pytest.raises(
        InputError, match=r"package\.module:build: nothing states scale, mean, std.*--preprocess imagenet"
    ):
        found(spec)
    assert found(spec, "unit").preprocess.resize == "squash"


def test_a_source_with_two_inputs_takes_no_images() -> None:
    with pytest.raises(InputError, match="timm/test_vit: has 2 inputs"):
        find_for_source(TIMM, described(IMAGE, IMAGE.model_copy(update={"name": "mask"})), None)
