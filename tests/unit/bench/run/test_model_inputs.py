"""Where the inputs of model files come from, and how images are prepared for each model."""

from pathlib import Path

import numpy as np
import pytest
from making import onnx_models
from PIL import Image

from bench.bundle.signature import UNKNOWN_DTYPE, Tensor
from bench.errors import InputError
from bench.run.model_inputs import (
    ArrayInputs,
    ImageFolderInputs,
    ModelValues,
    OpenedModel,
    RandomInputs,
    inputs_source,
)

NCHW = Tensor(name="image", dtype="float32", shape=(1, 3, 8, 8))


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for index in range(5):
        Image.fromarray(np.full((20, 30, 3), index * 50, dtype=np.uint8)).save(folder / f"{index}.png")
    return folder


def opened(tmp_path: Path, *tensors: Tensor, format_: str = "onnx") -> OpenedModel:
    path = onnx_models.classifier(tmp_path / "model.onnx")
    return OpenedModel(name="model.onnx", path=path, format=format_, inputs=tensors, shapes={})


def values_of(tmp_path: Path, data: Path, tensor: Tensor, preprocess: str | None = None) -> ModelValues:
    return inputs_source(str(data), preprocess).values_for(opened(tmp_path, tensor))


def test_without_data_inputs_are_random() -> None:
    assert isinstance(inputs_source(None, None), RandomInputs)
    with pytest.raises(InputError, match="--preprocess unit: it applies to images; add --data"):
        inputs_source(None, "unit")


def test_there_are_as_many_random_items_as_are_wanted_in_whole_batches(tmp_path: Path) -> None:
    batch = Tensor(name="image", dtype="float32", shape=(8, 3))

    counts = [len(RandomInputs(items).values_for(opened(tmp_path, batch)).pack) for items in (8, 100, 128)]

    assert counts == [8, 13, 16]


def test_a_folder_of_arrays_or_images_and_files_are_told_apart(tmp_path: Path, photos: Path) -> None:
    np.savez(tmp_path / "a.npz", image=np.zeros((1, 3, 8, 8), dtype=np.float32))
    arrays = tmp_path / "arrays"
    arrays.mkdir()
    np.save(arrays / "a.npy", np.zeros((1, 3, 8, 8), dtype=np.float32))

    assert isinstance(inputs_source(str(photos), None), ImageFolderInputs)
    assert isinstance(inputs_source(str(arrays), None), ArrayInputs)
    assert isinstance(inputs_source(str(tmp_path / "a.npz"), None), ArrayInputs)
    np.save(photos / "a.npy", np.zeros(1))
    with pytest.raises(InputError, match=r"has arrays \(a.npy\) and images \(0.png\); separate them"):
        inputs_source(str(photos), None)


@pytest.mark.parametrize("name", ["missing.npz", "model.csv", "empty"])
def test_other_data_is_refused_with_what_there_could_be(name: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()

    with pytest.raises(InputError, match=r"FILE.py:load_data"):
        inputs_source(str(tmp_path / name), None)


def test_a_function_is_named_or_is_load_data(tmp_path: Path) -> None:
    file = tmp_path / "data.py"
    file.write_text(
        "import numpy as np\ndef load_data():\n    yield np.zeros((1, 3, 8, 8), np.float32)\n"
        "def other():\n    yield np.ones((1, 3, 8, 8), np.float32)\n"
    )

    for data, first in ((f"{file}", 0), (f"{file}:other", 1)):
        values = inputs_source(data, None).values_for(opened(tmp_path, NCHW))
        assert values.pack.inputs(0)[0].flat[0] == first
        assert values.source.startswith(f"{file}:")


def test_preprocessing_does_not_apply_to_arrays(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros((1, 3, 8, 8), dtype=np.float32))

    with pytest.raises(InputError, match=r"it applies to images; .*a.npy has arrays"):
        inputs_source(str(tmp_path / "a.npy"), "unit")


def deep_photos(folder: Path, *brightest: int) -> Path:
    folder.mkdir()
    for index, value in enumerate(brightest):
        Image.fromarray(np.full((20, 30), value, dtype=np.uint16)).save(folder / f"{index}.png")
    return folder


def test_images_of_12_in_16_bits_are_scaled_by_12(tmp_path: Path) -> None:
    values = values_of(tmp_path, deep_photos(tmp_path / "deep", 4095, 1000), NCHW, "unit")

    assert values.pack.inputs(0)[0].flat[0] == 1
    assert values.pack.inputs(1)[0].flat[0] == pytest.approx(62 / 255)
    origins = {key: origin.origin for origin in values.origins for key in origin.keys}
    assert origins["sixteen_bit_white"] == "the bits that the images use"
    assert values.preprocessing is not None
    assert values.preprocessing.startswith("turned upright; 4095 of 16 bits is white; squash")
    (warning,) = values.warnings
    assert warning.startswith(f"{tmp_path / 'deep'}: the brightest value of 2 16-bit images is 4095: they")
    assert warning.endswith("as white in all of them")


def test_a_stated_white_goes_before_that_of_the_images(tmp_path: Path) -> None:
    (tmp_path / "edgefit.yaml").write_text("preprocess: {sixteen_bit_white: 16383}")
    dark, bright = deep_photos(tmp_path / "dark", 4095), deep_photos(tmp_path / "bright", 20_000)

    values = values_of(tmp_path, dark, NCHW, "unit")

    assert values.pack.inputs(0)[0].flat[0] == pytest.approx(64 / 255)
    origins = {key: origin.origin for origin in values.origins for key in origin.keys}
    assert (origins["sixteen_bit_white"], values.warnings) == ("edgefit.yaml", ())
    with pytest.raises(InputError, match=r"0\.png: .* the value 20000, and 16383 counts as white"):
        values_of(tmp_path, bright, NCHW, "unit")


def test_images_are_scaled_as_the_option_says_and_its_origin_is_kept(tmp_path: Path, photos: Path) -> None:
    values = values_of(tmp_path, photos, NCHW, "symmetric")

    assert values.inputs[0].shape == (1, 3, 8, 8)
    assert [values.pack.inputs(index)[0].flat[0] for index in (0, 4)] == pytest.approx([-1, 200 / 127.5 - 1])
    origins = {key: origin.origin for origin in values.origins for key in origin.keys}
    assert origins["scale"] == "--preprocess symmetric"
    assert origins["resize"] == "edgefit's default"
    assert origins["input_size"] == "the shape"
    assert values.preprocessing is not None
    assert "minus 0.5, divided by 0.5" in values.preprocessing


def test_what_a_file_beside_the_model_states_is_used(tmp_path: Path, photos: Path) -> None:
    (tmp_path / "edgefit.yaml").write_text("preprocess: {resize: crop, scale: 1.0, mean: [0], std: [1]}\n")

    values = values_of(tmp_path, photos, NCHW)

    origins = {origin.origin for origin in values.origins}
    assert origins == {"edgefit.yaml", "edgefit's default", "the shape", "the usual order"}
    assert values.pack.inputs(4)[0].max() == 200


def test_an_option_goes_before_a_file_and_the_conflict_is_a_warning(tmp_path: Path, photos: Path) -> None:
    (tmp_path / "edgefit.yaml").write_text("preprocess: {resize: crop, scale: 1.0, mean: [0], std: [1]}\n")

    values = values_of(tmp_path, photos, NCHW, "unit")

    assert values.pack.inputs(4)[0].max() == pytest.approx(200 / 255)
    assert len(values.warnings) == 1
    assert values.warnings[0].startswith("model.onnx: --preprocess unit states scale 0.00392157")


def test_a_file_of_ones_own_states_preprocessing(tmp_path: Path, photos: Path) -> None:
    (tmp_path / "own.yaml").write_text("preprocess: {resize: squash, scale: 2.0, mean: [0], std: [1]}\n")

    values = values_of(tmp_path, photos, NCHW, str(tmp_path / "own.yaml"))

    assert values.pack.inputs(4)[0].max() == 400
    with pytest.raises(InputError, match=r"is neither imagenet, unit, raw, symmetric nor a file"):
        inputs_source(str(photos), "ImageNet")


def test_where_nothing_states_how_values_are_scaled_the_error_lists_what_to_type(
    tmp_path: Path, photos: Path
) -> None:
    with pytest.raises(InputError) as error:
        values_of(tmp_path, photos, NCHW)

    assert "nothing states scale, mean, std of the images for its input image: float32 [1, 3, 8, 8]" in str(
        error.value
    )
    for preset in ("imagenet", "unit", "raw", "symmetric"):
        assert f"--preprocess {preset} (" in str(error.value)
    assert "or write edgefit.yaml beside the model" in str(error.value)


def test_imagenets_numbers_are_not_offered_for_grey_images(tmp_path: Path, photos: Path) -> None:
    grey = Tensor(name="image", dtype="float32", shape=(1, 1, 8, 8))

    with pytest.raises(InputError) as error:
        values_of(tmp_path, photos, grey)

    assert "--preprocess imagenet" not in str(error.value)
    assert values_of(tmp_path, photos, grey, "unit").inputs[0].shape == (1, 1, 8, 8)


def test_bytes_go_in_as_they_are_without_a_word(tmp_path: Path, photos: Path) -> None:
    values = values_of(tmp_path, photos, Tensor(name="image", dtype="uint8", shape=("N", 6, 9, 3)))

    assert values.inputs[0].shape == (1, 6, 9, 3)
    assert values.pack.inputs(4)[0].dtype == np.uint8
    assert values.pack.inputs(4)[0].max() == 200


@pytest.mark.parametrize("dtype", ["float16", "float64"])
def test_floats_of_any_width_are_given(dtype: str, tmp_path: Path, photos: Path) -> None:
    tensor = Tensor(name="image", dtype=dtype, shape=(1, 3, 8, 8))

    assert values_of(tmp_path, photos, tensor, "unit").pack.arrays[0].dtype == dtype


def test_a_batch_is_filled_with_images_and_what_is_left_over_is_said(tmp_path: Path, photos: Path) -> None:
    values = values_of(tmp_path, photos, Tensor(name="image", dtype="float32", shape=(2, 3, 8, 8)), "unit")

    assert values.pack.arrays[0].shape == (2, 2, 3, 8, 8)
    assert values.warnings == (f"{photos}: 4 of its 5 images are used, spread evenly",)
    with pytest.raises(InputError, match=r"takes 8 images at once, and .* has 5; add images"):
        values_of(tmp_path, photos, Tensor(name="image", dtype="float32", shape=(8, 3, 8, 8)), "unit")


@pytest.mark.parametrize(
    ("shape", "layout", "taken"),
    [
        (("N", "h", "w", 3), "NHWC", (1, 6, 9, 3)),
        (("N", 3, "h", "w"), "NCHW", (1, 3, 6, 9)),
        (("N", "h", "w", "c"), "NHWC", (1, 6, 9, 3)),
        (("N", "c", "h", "w"), "NCHW", (1, 3, 6, 9)),
    ],
)
def test_open_axes_are_fixed_by_what_a_file_beside_the_model_states(
    shape: tuple[int | str, ...], layout: str, taken: tuple[int, ...], tmp_path: Path, photos: Path
) -> None:
    (tmp_path / "edgefit.yaml").write_text(
        f"input: {{layout: {layout}, channels: rgb}}\npreprocess: {{input_size: [3, 6, 9], resize: squash}}\n"
    )

    values = values_of(tmp_path, photos, Tensor(name="image", dtype="float32", shape=shape), "unit")

    assert values.inputs[0].shape == taken


def test_the_same_images_count_as_the_same_data_for_every_layout(tmp_path: Path, photos: Path) -> None:
    source = inputs_source(str(photos), "unit")
    bytes_nhwc = Tensor(name="image", dtype="uint8", shape=(1, 8, 8, 3))

    ours, theirs = (source.values_for(opened(tmp_path, tensor)) for tensor in (NCHW, bytes_nhwc))

    assert ours.data_sha256 == theirs.data_sha256


@pytest.mark.parametrize(
    ("tensors", "words"),
    [
        ((NCHW, Tensor(name="mask", dtype="float32", shape=(1,))), r"has 2 inputs \(image, mask\)"),
        (
            (Tensor(name="ids", dtype="int64", shape=(1, 128)),),
            r"its input ids: int64 \[1, 128\] is not that of an image",
        ),
        ((Tensor(name="image", dtype="float32", shape=(1, 3, "H", "W")),), r"--shape image:1x3x224x224"),
    ],
)
def test_a_model_that_does_not_take_one_image_says_what_to_give(
    tensors: tuple[Tensor, ...], words: str, tmp_path: Path, photos: Path
) -> None:
    with pytest.raises(InputError, match=words):
        inputs_source(str(photos), "unit").values_for(opened(tmp_path, *tensors))


def test_a_stated_shape_makes_a_torchscript_file_take_images(tmp_path: Path, photos: Path) -> None:
    import torch

    path = tmp_path / "model.pt"
    module: torch.jit.ScriptModule = torch.jit.script(torch.nn.Identity())
    module.save(str(path))
    tensor = Tensor(name="x", dtype=UNKNOWN_DTYPE, shape=None)
    model = OpenedModel("model.pt", path, "torchscript", (tensor,), {"x": (1, 3, 8, 8)})

    values = inputs_source(str(photos), "unit").values_for(model)

    assert (values.inputs[0].dtype, values.inputs[0].shape) == ("float32", (1, 3, 8, 8))
