"""Preprocessing is found in the files of timm, Hugging Face and Ultralytics, and in a model file."""

import json
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from bench.bundle.found_preprocessing import find_preprocess
from bench.bundle.input_preprocessing import Preprocess
from bench.bundle.joined_preprocessing import Found, ImageInput
from bench.bundle.quantisation import Quantisation
from bench.bundle.required_preprocessing import stated_by_option
from bench.bundle.sidecar import Sidecar, SidecarInput, SidecarOutput, sidecar_preprocess, write_sidecar
from bench.bundle.stated_preprocessing import PRESETS, Stated
from bench.errors import InputError

SYMBOLIC = ImageInput(("batch", 3, "height", "width"), "float32", "NCHW")
FIXED = ImageInput((1, 3, 224, 224), "float32", "NCHW")
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)

TIMM: dict[str, Any] = {
    "architecture": "mobilenetv3_small_100",
    "num_classes": 2,
    "num_features": 1024,
    "label_names": ["normal", "pneumonia"],
    "pretrained_cfg": {
        "tag": "lamb_in1k",
        "custom_load": False,
        "input_size": [3, 224, 224],
        "test_input_size": [3, 288, 288],
        "test_crop_pct": 1.0,
        "fixed_input_size": False,
        "interpolation": "bicubic",
        "crop_pct": 0.875,
        "crop_mode": "center",
        "mean": list(IMAGENET_MEAN),
        "std": list(IMAGENET_STD),
        "num_classes": 2,
        "pool_size": [7, 7],
        "first_conv": "conv_stem",
        "classifier": "classifier",
    },
}
VIT: dict[str, Any] = {
    "do_normalize": True,
    "do_rescale": True,
    "do_resize": True,
    "image_mean": [0.5, 0.5, 0.5],
    "image_processor_type": "ViTImageProcessor",
    "image_std": [0.5, 0.5, 0.5],
    "resample": 2,
    "rescale_factor": 0.00392156862745098,
    "size": {"height": 224, "width": 224},
}
VIT_CONFIG: dict[str, Any] = {
    "_name_or_path": "google/vit-base-patch16-224",
    "architectures": ["ViTForImageClassification"],
    "hidden_size": 768,
    "id2label": {"0": "tench", "1": "goldfish"},
    "image_size": 224,
    "label2id": {"tench": 0, "goldfish": 1},
    "model_type": "vit",
    "num_channels": 3,
}
YOLO_YAML = """\
description: Ultralytics YOLO11n-cls model
author: Ultralytics
date: '2025-03-02T11:20:00.000000'
version: 8.3.82
license: AGPL-3.0 License (https://ultralytics.com/license)
docs: https://docs.ultralytics.com
stride: 1
task: classify
batch: 1
imgsz:
- 224
- 224
names:
  0: cat
  1: dog
args:
  batch: 1
  half: false
channels: 3
"""
YOLO_METADATA = {
    "description": "Ultralytics YOLO11n model trained on coco.yaml",
    "author": "Ultralytics",
    "version": "8.3.82",
    "stride": "32",
    "task": "detect",
    "batch": "1",
    "imgsz": "[640, 640]",
    "names": "{0: 'person', 1: 'bicycle'}",
    "args": "{'batch': 1, 'half': False}",
    "channels": "3",
}


def model_beside(folder: Path, name: str = "model.onnx", **files: object) -> Path:
    """Return a model file with files beside it: `config_json=…` writes config.json."""
    for key, content in files.items():
        stem, _, suffix = key.rpartition("_")
        text = content if isinstance(content, str) else json.dumps(content)
        (folder / f"{stem}.{suffix}").write_text(text)
    (folder / name).touch()
    return folder / name


def found_in(model: Path, image_input: ImageInput = FIXED) -> Found:
    return find_preprocess(model, {}, image_input)


def preprocess_in(model: Path, image_input: ImageInput = FIXED) -> Preprocess:
    preprocess = found_in(model, image_input).preprocess
    assert preprocess is not None
    return preprocess


def test_timm_states_crop_and_normalisation(tmp_path: Path) -> None:
    found = found_in(model_beside(tmp_path, config_json=TIMM), SYMBOLIC)

    assert found.preprocess == Preprocess(
        orientation="applied",
        input_size=(3, 224, 224),
        resize="crop",
        crop_pct=0.875,
        interpolation="bicubic",
        pad_value=(124, 116, 104),
        mean=IMAGENET_MEAN,
        std=IMAGENET_STD,
        channels="rgb",
    )
    assert {origin.origin for origin in found.origins} == {"config.json"}
    assert (found.labels, found.labels_origin) == (("normal", "pneumonia"), "config.json")
    assert found.missing == found.conflicts == ()


def test_timm_keys_may_be_at_the_top(tmp_path: Path) -> None:
    top = {**TIMM["pretrained_cfg"], "crop_mode": "squash"}

    assert preprocess_in(model_beside(tmp_path, config_json=top)).resize == "squash"


def test_timm_has_another_crop_at_the_test_size(tmp_path: Path) -> None:
    tested = ImageInput((1, 3, 288, 288), "float32", "NCHW")

    found = found_in(model_beside(tmp_path, config_json=TIMM), tested)

    assert found.preprocess is not None
    assert (found.preprocess.size, found.preprocess.crop_pct, found.conflicts) == ((288, 288), 1.0, ())


def test_hugging_face_squashes_for_a_vit(tmp_path: Path) -> None:
    model = model_beside(tmp_path, config_json=VIT_CONFIG, preprocessor_config_json=VIT)

    found = found_in(model, SYMBOLIC)

    assert found.preprocess == Preprocess(
        orientation="applied",
        input_size=(3, 224, 224),
        resize="squash",
        scale=0.00392156862745098,
        mean=(0.5, 0.5, 0.5),
        std=(0.5, 0.5, 0.5),
        channels="rgb",
    )
    assert found.origin_of("mean") == "preprocessor_config.json"
    assert (found.labels, found.labels_origin) == (("tench", "goldfish"), "config.json")


@pytest.mark.parametrize(
    ("changes", "resize", "crop_pct", "interpolation"),
    [
        ({"size": 224}, "squash", 1.0, "bilinear"),
        ({"size": {"shortest_edge": 256}, "crop_size": 224, "resample": 3}, "crop", 0.875, "bicubic"),
        ({"size": 224, "crop_size": 224, "image_processor_type": "CLIPImageProcessor"}, "crop", 1.0,
         "bilinear"),
        ({"size": 224, "image_processor_type": None, "feature_extractor_type": "ConvNextFeatureExtractor"},
         "crop", 0.875, "bilinear"),
        ({"size": {"shortest_edge": 384}, "image_processor_type": "ConvNextImageProcessor"}, "squash", 1.0,
         "bilinear"),
        ({"size": {"height": 256, "width": 256}, "do_center_crop": True,
          "crop_size": {"height": 224, "width": 224}}, "squash", 0.875, "bilinear"),
        ({"size": {"height": 224, "width": 224}, "do_center_crop": False, "crop_size": 289, "resample": 0},
         "squash", 1.0, "nearest"),
    ],
)  # fmt: skip
def test_hugging_face_sizes(
    tmp_path: Path, changes: dict[str, object], resize: str, crop_pct: float, interpolation: str
) -> None:
    model = model_beside(tmp_path, preprocessor_config_json={**VIT, **changes})

    steps = preprocess_in(model)

    assert (steps.resize, steps.crop_pct, steps.interpolation) == (resize, crop_pct, interpolation)


@pytest.mark.parametrize(
    ("changes", "scale", "mean", "std"),
    [
        ({"do_normalize": False}, 1 / 255, (0, 0, 0), (1, 1, 1)),
        ({"do_rescale": False, "image_mean": 127.5, "image_std": 127.5}, 1, (127.5,) * 3, (127.5,) * 3),
        ({"rescale_factor": 1 / 127.5, "rescale_offset": True, "do_normalize": False}, 1 / 127.5,
         (1, 1, 1), (1, 1, 1)),
        ({"image_processor_type": "EfficientNetImageProcessor", "include_top": True}, 1 / 255, (0.5,) * 3,
         (0.25,) * 3),
    ],
)  # fmt: skip
def test_hugging_face_numbers(
    tmp_path: Path, changes: dict[str, object], scale: float, mean: tuple[float, ...], std: tuple[float, ...]
) -> None:
    steps = preprocess_in(model_beside(tmp_path, preprocessor_config_json={**VIT, **changes}))

    assert steps.scale == pytest.approx(scale)
    assert (steps.mean, steps.std) == (mean, std)


def test_mobilevit_takes_bgr(tmp_path: Path) -> None:
    changes = {"do_flip_channel_order": True, "image_processor_type": "MobileViTImageProcessor"}

    assert (
        preprocess_in(model_beside(tmp_path, preprocessor_config_json={**VIT, **changes})).channels == "bgr"
    )


def test_a_timm_wrapper_nests_timm_keys(tmp_path: Path) -> None:
    nested = {
        "image_processor_type": "TimmWrapperImageProcessor",
        "pretrained_cfg": TIMM["pretrained_cfg"],
    }
    model = model_beside(tmp_path, config_json=TIMM, preprocessor_config_json=nested)

    found = found_in(model)

    assert found.preprocess is not None
    assert found.preprocess.crop_pct == 0.875
    assert found.conflicts == ()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"size": {"shortest_edge": 800, "longest_edge": 1333}},
            "limits the longest edge (size.longest_edge",
        ),
        ({"size": {"shortest_edge": 224}}, "cuts nothing out"),
        ({"do_resize": False}, "do_resize is false"),
        (
            {"size": [256, 256], "crop_size": {"height": 224, "width": 128}},
            "cuts 128×224 pixels out of 256×256",
        ),
        ({"size": {"max_height": 9}}, "has a size without height"),
        (
            {"size": {"shortest_edge": 224}, "crop_size": 256},
            "cuts 256×256 pixels out of a shorter edge of 224",
        ),
    ],
)
def test_what_edgefit_cannot_follow_is_said_and_missing(
    tmp_path: Path, changes: dict[str, object], words: str
) -> None:
    found = found_in(model_beside(tmp_path, preprocessor_config_json={**VIT, **changes}))

    assert (found.preprocess, found.missing) == (None, ("resize",))
    assert words in found.conflicts[-1]
    assert "state resize in edgefit.yaml" in found.conflicts[-1]


def test_normalisation_without_values_is_missing(tmp_path: Path) -> None:
    model = model_beside(tmp_path, preprocessor_config_json={"size": 224, "do_normalize": True})

    found = found_in(model)

    assert (found.preprocess, found.missing) == (None, ("scale", "mean", "std"))
    assert "states no image_mean and image_std" in found.conflicts[0]


def test_an_unknown_task_is_said(tmp_path: Path) -> None:
    found = find_preprocess(model_beside(tmp_path), {**YOLO_METADATA, "task": "depth"}, SYMBOLIC)

    assert found.missing == ("resize",)
    assert "metadata in the file has the task 'depth'" in found.conflicts[0]


def test_other_class_names_contradict(tmp_path: Path) -> None:
    metadata = {"model_info labels": "cat dog cow hen"}

    found = find_preprocess(model_beside(tmp_path, config_json=TIMM), metadata, FIXED)

    assert found.labels == ("normal", "pneumonia")
    assert "metadata in the file 4 class names (cat, dog, cow, …)" in found.conflicts[0]


def test_a_sound_model_has_no_preprocessing(tmp_path: Path) -> None:
    whisper = {
        "feature_extractor_type": "WhisperFeatureExtractor",
        "sampling_rate": 16000,
        "feature_size": 80,
    }
    model = model_beside(tmp_path, preprocessor_config_json=whisper, config_json={"input_size": 28})

    found = found_in(model, ImageInput(("batch", 80, 3000), "float32", None))

    assert found == Found(None, (), (), None, None, ())


def test_ultralytics_classifies_cropped_images(tmp_path: Path) -> None:
    found = found_in(model_beside(tmp_path, metadata_yaml=YOLO_YAML), SYMBOLIC)

    assert found.preprocess == Preprocess(
        orientation="applied",
        input_size=(3, 224, 224),
        resize="crop",
        mean=(0, 0, 0),
        std=(1, 1, 1),
        channels="rgb",
    )
    assert (found.labels, found.origin_of("scale")) == (("cat", "dog"), "metadata.yaml")


def test_ultralytics_metadata_in_onnx_are_literals(tmp_path: Path) -> None:
    model = model_beside(tmp_path)

    found = find_preprocess(model, YOLO_METADATA, SYMBOLIC)

    assert found.preprocess is not None
    assert (found.preprocess.resize, found.preprocess.size) == ("letterbox", (640, 640))
    assert (found.preprocess.pad_value, found.preprocess.antialias) == ((114,), False)
    assert (found.labels, found.labels_origin) == (("person", "bicycle"), "metadata in the file")


@pytest.mark.parametrize("name", ["model.torchscript", "model.pt", "model.pth", "best"])
def test_ultralytics_metadata_in_torchscript(tmp_path: Path, name: str) -> None:
    config = {"task": "classify", "imgsz": [64, 64], "stride": 1, "names": {"0": "cat", "1": "dog"}}
    model = tmp_path / name
    with ZipFile(model, "w") as file:
        file.writestr("model/extra/config.txt", json.dumps(config))

    found = found_in(model, SYMBOLIC)

    assert found.preprocess is not None
    assert (found.preprocess.size, found.labels) == ((64, 64), ("cat", "dog"))


@pytest.mark.parametrize("text", ["", "[]", "{", "{}"])
def test_other_text_in_torchscript_is_ignored(tmp_path: Path, text: str) -> None:
    model = tmp_path / "model.pt"
    with ZipFile(model, "w") as file:
        file.writestr("model/extra/config.txt", text)

    assert found_in(model).missing == ("resize", "scale", "mean", "std")


def test_a_pt_that_is_no_torchscript_states_nothing(tmp_path: Path) -> None:
    assert found_in(model_beside(tmp_path, "model.pt")).missing == ("resize", "scale", "mean", "std")


@pytest.mark.parametrize(
    "text",
    ["__import__('os').getcwd()", "[640", "(" * 5000, "{1, 2}", "{(1, 2): b'3'}", "[" + "1," * 10**6],
)
def test_metadata_that_is_no_literal_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError, match=r"model.onnx: (the metadata key 'imgsz' .* is not a Python|imgsz)"):
        find_preprocess(model_beside(tmp_path), {**YOLO_METADATA, "imgsz": text}, FIXED)


def test_other_tools_files_of_the_same_names_are_ignored(tmp_path: Path) -> None:
    model = model_beside(
        tmp_path, config_json={"input_size": 7, "optimizer": "adam"}, metadata_yaml="task: x"
    )

    found = found_in(model)

    assert found.missing == ("resize", "scale", "mean", "std")
    assert found.origin_of("channels") == "the usual order"


def xml_of(info: str, before: str = "") -> str:
    return (
        f'<?xml version="1.0"?>{before}<net name="m" version="11"><layers><layer id="0"><rt_info>'
        f'<model_info><labels value="not this"/></model_info></rt_info></layer></layers>'
        f"<rt_info><conversion_parameters/><model_info>{info}</model_info></rt_info></net>"
    )


@pytest.mark.parametrize("name", ["model.xml", "model.ir"])
def test_openvino_model_info(tmp_path: Path, name: str) -> None:
    info = (
        '<labels value="ground_glass normal"/><mean_values value="123.675 116.28 103.53"/>'
        '<scale_values value="58.395 57.12 57.375"/><resize_type value="fit_to_window_letterbox"/>'
        '<pad_value value="114"/><reverse_input_channels value="YES"/><topk value="1"/>'
    )
    model = model_beside(tmp_path, name)
    model.write_text(xml_of(info))

    found = found_in(model)

    assert found.preprocess is not None
    assert found.preprocess.mean == (123.675, 116.28, 103.53)
    assert (found.preprocess.scale, found.preprocess.resize, found.preprocess.channels) == (
        1,
        "letterbox",
        "rgb",
    )
    assert found.labels == ("ground_glass", "normal")


def test_model_info_is_completed_as_its_tool_reads_it(tmp_path: Path) -> None:
    found = find_preprocess(model_beside(tmp_path), {"model_info scale_values": "255"}, FIXED)

    assert found.preprocess is not None
    assert (found.preprocess.resize, found.preprocess.std) == ("squash", (255, 255, 255))
    assert found.origin_of("std") == "metadata in the file"
    assert found.origin_of("resize") == "metadata in the file, as Model API reads it"


def test_numbers_in_other_units_do_not_contradict(tmp_path: Path) -> None:
    metadata = {
        "model_info mean_values": "123.675 116.28 103.53",
        "model_info scale_values": "58.395,57.12,57.375",
        "model_info labels": "normal pneumonia",
    }

    assert find_preprocess(model_beside(tmp_path, config_json=TIMM), metadata, FIXED).conflicts == ()


@pytest.mark.parametrize(("scale_values", "is_like"), [("127.5", True), ("129.5", False)])
def test_one_value_stands_for_each_channel(tmp_path: Path, scale_values: str, is_like: bool) -> None:
    metadata = {"model_info mean_values": "127.5 127.5 127.5", "model_info scale_values": scale_values}
    model = model_beside(tmp_path, preprocessor_config_json=VIT)

    assert (find_preprocess(model, metadata, FIXED).conflicts == ()) is is_like


def test_embedded_processing_takes_images_as_they_are(tmp_path: Path) -> None:
    model = model_beside(tmp_path, "model.xml")
    model.write_text(
        xml_of('<embedded_processing value="True"/><orig_height value="96"/><orig_width value="64"/>')
    )

    steps = preprocess_in(model, ImageInput((1, -1, -1, 3), "uint8", "NHWC"))

    assert (steps.size, steps.scale, steps.mean) == ((96, 64), 1, (0, 0, 0))


BOMB = '<!DOCTYPE net [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]>'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (xml_of('<labels value="&b;"/>', BOMB), "has a DOCTYPE"),
        ("<net><rt_info>", "is not valid XML"),
        ('<?xml version="1.0" encoding="none-such"?><net/>', "is not valid XML"),
        (xml_of('<scale_values value="big"/>'), "scale_values 'big' must be numbers"),
        (xml_of('<scale_values value="0"/>'), "must be greater than 0"),
        (xml_of('<pad_value value="300"/><resize_type value="standard"/>'), "pad_value 300 must be"),
        (xml_of('<resize_type value="zoom"/>'), "resize_type: input should be .*'zoom'.*write edgefit.yaml"),
        (xml_of('<reverse_input_channels value="maybe"/>'), "'maybe' must be True or False"),
    ],
)
def test_a_malformed_xml_is_refused(tmp_path: Path, text: str, words: str) -> None:
    model = model_beside(tmp_path, "model.xml")
    model.write_text(text)

    with pytest.raises(InputError, match=rf"model\.xml: .*{words}"):
        found_in(model)


def test_contradictions_are_sentences(tmp_path: Path) -> None:
    model = model_beside(tmp_path, config_json=TIMM, preprocessor_config_json=VIT)

    found = found_in(model, ImageInput((1, 3, 256, 256), "float32", "NCHW"))

    assert found.preprocess is not None
    assert (found.preprocess.size, found.preprocess.mean) == ((256, 256), IMAGENET_MEAN)
    shape = "the shape states an input of 256×256 pixels, and"
    assert found.conflicts[0] == (f"{shape} config.json an input of 224×224 pixels; the shape is followed")
    assert found.conflicts[1].startswith(f"{shape} preprocessor_config.json an input of 224×224")
    assert found.conflicts[2] == (
        "config.json states resize crop, crop_pct 0.875, interpolation bicubic, and preprocessor_config.json"
        " resize squash, crop_pct 1, interpolation bilinear; config.json is followed"
    )
    assert "config.json states scale 0.00392157, mean [0.485, 0.456, 0.406], std [0.229" in found.conflicts[3]
    assert len(found.conflicts) == 4


def test_options_go_before_everything(tmp_path: Path) -> None:
    option = Stated("--preprocess", numbers=PRESETS["unit"])

    found = find_preprocess(model_beside(tmp_path, config_json=TIMM), {}, FIXED, [option])

    assert (found.origin_of("scale"), found.origin_of("resize")) == ("--preprocess", "config.json")
    assert found.preprocess is not None
    assert found.preprocess.mean == (0, 0, 0)


MEAN = (0.1, 0.2, 0.3)
BGR_MEAN, BGR_STD = IMAGENET_MEAN[::-1], IMAGENET_STD[::-1]


@pytest.mark.parametrize(
    ("files", "option", "mean", "std", "origin"),
    [
        ({}, "imagenet", BGR_MEAN, BGR_STD, "--preprocess imagenet in the order BGR"),
        ({"config_json": TIMM}, None, BGR_MEAN, BGR_STD, "config.json in the order BGR"),
        ({}, "symmetric", (0.5,) * 3, (0.5,) * 3, "--preprocess symmetric"),
        (
            {
                "preprocessor_config_json": {
                    **VIT,
                    "image_mean": [0.1, 0.2, 0.3],
                    "do_flip_channel_order": True,
                }
            },
            None,
            MEAN,
            (0.5,) * 3,
            "preprocessor_config.json",
        ),
    ],
    ids=["preset", "timm", "the same for each", "another that is BGR itself"],
)
def test_each_channel_of_a_bgr_network_keeps_its_own_mean(
    tmp_path: Path,
    files: dict[str, object],
    option: str | None,
    mean: tuple[float, ...],
    std: tuple[float, ...],
    origin: str,
) -> None:
    """What is stated in the order RGB is turned, and that is said."""
    (tmp_path / "edgefit.yaml").write_text("input: {channels: bgr}\n")
    model = model_beside(tmp_path, "model.onnx", **files)

    found = find_preprocess(model, {}, FIXED, stated_by_option(option))

    assert found.preprocess is not None
    assert (found.preprocess.channels, found.preprocess.mean, found.preprocess.std) == ("bgr", mean, std)
    assert (found.origin_of("mean"), found.origin_of("channels")) == (origin, "edgefit.yaml")


def test_a_mean_beside_its_channels_is_in_their_order(tmp_path: Path) -> None:
    text = "input: {channels: bgr}\npreprocess: {resize: squash, mean: [1, 2, 3], std: [1, 1, 2]}\n"

    found = found_in(model_beside(tmp_path, edgefit_yaml=text))

    assert found.preprocess is not None
    assert (found.preprocess.mean, found.preprocess.std) == ((1, 2, 3), (1, 1, 2))
    assert found.origin_of("mean") == "edgefit.yaml"


def test_one_mean_in_two_orders_is_no_contradiction(tmp_path: Path) -> None:
    text = f"input: {{channels: bgr}}\npreprocess: {{mean: {list(BGR_MEAN)}, std: {list(BGR_STD)}}}\n"

    found = found_in(model_beside(tmp_path, edgefit_yaml=text, config_json=TIMM))

    assert not [conflict for conflict in found.conflicts if "mean" in conflict]


def test_a_uint8_input_takes_values_as_they_are(tmp_path: Path) -> None:
    bytes_input = ImageInput((1, 224, 224, 3), "uint8", "NHWC")

    assert found_in(model_beside(tmp_path), bytes_input).missing == ("resize",)

    found = found_in(model_beside(tmp_path, config_json=TIMM), bytes_input)

    assert found.preprocess is not None
    assert (found.preprocess.scale, found.preprocess.std) == (1, (1, 1, 1))
    assert found.origin_of("scale") == "the input's type, uint8"
    assert "the input takes uint8" in found.conflicts[0]


@pytest.mark.parametrize(("scale", "is_kept"), [(0.0187, True), (1 / 128, False)])
def test_a_uint8_input_takes_fractions_that_its_integers_stand_for(
    tmp_path: Path, scale: float, is_kept: bool
) -> None:
    how = Quantisation(scale=scale, zero_point=114)

    found = found_in(
        model_beside(tmp_path, config_json=TIMM), ImageInput((1, 224, 224, 3), "uint8", "NHWC", how)
    )

    assert (found.origin_of("scale") == "config.json") is is_kept
    assert any("the input takes uint8" in conflict for conflict in found.conflicts) is not is_kept


def test_three_means_do_not_fit_a_grey_network(tmp_path: Path) -> None:
    grey = ImageInput((1, 1, 224, 224), "float32", "NCHW")

    found = found_in(model_beside(tmp_path, config_json=TIMM), grey)

    assert (found.preprocess, found.missing) == (None, ("scale", "mean", "std"))
    assert any("the network takes 1 channel" in conflict for conflict in found.conflicts)


def test_one_channel_is_grey(tmp_path: Path) -> None:
    grey = ImageInput((1, 1, 64, 48), "float32", "NCHW")
    option = Stated("--preprocess", numbers=PRESETS["symmetric"])
    (tmp_path / "edgefit.yaml").write_text("preprocess: {resize: squash}\n")

    found = find_preprocess(model_beside(tmp_path), {}, grey, [option])

    assert found.preprocess == Preprocess(
        orientation="applied",
        input_size=(1, 64, 48),
        resize="squash",
        mean=(0.5,),
        std=(0.5,),
        channels="grey",
    )


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("config.json", "{", "is not valid JSON .*correct it, or move it away"),
        ("config.json", "[1]", r"must have keys and values \(value: '\[1\]'\)"),
        (
            "config.json",
            '{"pretrained_cfg": {"crop_pct": "big"}}',
            "pretrained_cfg.crop_pct.*'big'.*edgefit.yaml",
        ),
        (
            "config.json",
            '{"id2label": {"0": "a", "2": "b"}}',
            "the index '2' of 2 classes; they must be 0 to 1",
        ),
        ("config.json", '{"mean": [0], "std": [0]}', "std.0: .*greater than 0"),
        ("preprocessor_config.json", '{"size": 224, "resample": 9}', "resample: .*9"),
        ("metadata.yaml", "task: detect\nimgsz: big\nstride: 32", "imgsz.*'big'"),
        ("metadata.yaml", "task: detect\ntask: pose", "the key 'task' occurs twice"),
        ("metadata.yaml", "a: [", "cannot be read as YAML"),
    ],
)
def test_a_malformed_file_is_named(tmp_path: Path, name: str, text: str, words: str) -> None:
    (tmp_path / name).write_text(text)

    with pytest.raises(InputError, match=words) as caught:
        found_in(model_beside(tmp_path))
    assert str(caught.value).startswith(f"{tmp_path / name}: ")
    assert "\n" not in str(caught.value)


def test_a_whole_sidecar_is_the_remedy_for_a_malformed_file(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{")
    (tmp_path / "edgefit.yaml").write_text("preprocess: {resize: squash, mean: [0], std: [1]}\n")

    found = found_in(model_beside(tmp_path))

    assert found.preprocess is not None
    assert found.origin_of("resize") == "edgefit.yaml"


def test_what_is_written_is_found_again(tmp_path: Path) -> None:
    model = model_beside(tmp_path, config_json=TIMM)
    first = found_in(model, SYMBOLIC)
    assert first.preprocess is not None
    sidecar = Sidecar(
        input=SidecarInput(channels=first.preprocess.channels),
        preprocess=sidecar_preprocess(first.preprocess),
        output=SidecarOutput(classes=first.labels),
    )
    write_sidecar(model, sidecar)
    (tmp_path / "config.json").unlink()

    again = found_in(model, SYMBOLIC)

    assert (again.preprocess, again.labels) == (first.preprocess, first.labels)
    assert {origin.origin for origin in again.origins} == {"edgefit.yaml"}


def test_the_sidecar_states_a_layout_that_the_shape_does_not(tmp_path: Path) -> None:
    (tmp_path / "edgefit.yaml").write_text("input: {layout: NHWC}\npreprocess: {crop_mode: border}\n")

    found = found_in(model_beside(tmp_path), ImageInput((1, 3, 224, 3), "uint8", None))

    assert found.preprocess is not None
    assert (found.preprocess.input_size, found.preprocess.resize) == ((3, 3, 224), "letterbox")
