"""An 8-bit image becomes the input that the network takes: values, order of channels, layout, type."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from bench.bundle.evaluation_pack import as_batch
from bench.bundle.input_arrays import to_input
from bench.bundle.input_preprocessing import Preprocess, preprocess_of
from bench.bundle.preprocessing import unit_rgb
from bench.bundle.quantisation import Quantisation
from bench.errors import InputError

IMAGE = np.random.default_rng(0).integers(0, 256, (8, 12, 3), dtype=np.uint8)
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def steps(**changes: object) -> Preprocess:
    usual: dict[str, Any] = {
        "input_size": (3, 8, 12),
        "resize": "squash",
        "mean": (0.0, 0.0, 0.0),
        "std": (1.0, 1.0, 1.0),
        "channels": "rgb",
    }
    return Preprocess.model_validate({**usual, **changes})


def test_values_are_scaled_and_normalised() -> None:
    batch = to_input(IMAGE, steps(mean=MEAN, std=STD), "NCHW", "float32")

    right = (IMAGE / 255 - MEAN) / STD
    assert batch.shape == (1, 3, 8, 12)
    assert batch.dtype == np.float32
    np.testing.assert_array_equal(batch[0], right.transpose(2, 0, 1).astype(np.float32))


def test_edgefits_own_bundles_get_the_same_input() -> None:
    square = np.arange(256, dtype=np.uint8).reshape(16, 16)

    batch = to_input(square, preprocess_of(unit_rgb(16)), "NCHW", "float32")

    np.testing.assert_array_equal(batch, as_batch(square))


def test_channels_may_be_bgr_and_last() -> None:
    bgr = to_input(IMAGE, steps(channels="bgr", scale=1.0, mean=(1.0, 2.0, 3.0)), "NHWC", "float16")

    np.testing.assert_array_equal(bgr[0], (IMAGE[..., ::-1] - np.array((1.0, 2.0, 3.0))).astype(np.float16))


@pytest.mark.parametrize(
    ("dtype", "zero_point", "scale", "changes", "offset"),
    [
        ("uint8", 128, 1 / 127.5, {"mean": (0.5,) * 3, "std": (0.5,) * 3}, 0),
        ("int8", 0, 1 / 127.5, {"mean": (0.5,) * 3, "std": (0.5,) * 3}, 128),
        ("int8", -128, 1 / 255, {}, 128),
        ("int8", -128, 1.0, {"scale": 1.0}, 128),
        ("uint8", 128, 1 / 128, {"scale": 1.0}, 0),
        ("int8", -128, 1 / 255, {"scale": 1.0, "mean": (128.0,) * 3}, 128),
    ],
)
def test_integers_stand_for_what_the_preprocessing_gives_or_are_the_8_bit_values(
    dtype: str, zero_point: int, scale: float, changes: dict[str, object], offset: int
) -> None:
    how = Quantisation(scale=scale, zero_point=zero_point)

    batch = to_input(IMAGE, steps(**changes), "NHWC", dtype, how)

    assert batch.dtype == np.dtype(dtype)
    assert np.abs(batch[0].astype(int) + offset - IMAGE).max() <= 1


def test_integers_of_imagenets_values_have_the_files_scale_and_saturate_a_little() -> None:
    how = Quantisation(scale=0.0187, zero_point=114)  # from -2.13 to 2.64; narrower below
    narrow = Quantisation(scale=0.0175, zero_point=114)

    batch, saturated = (
        to_input(IMAGE, steps(mean=MEAN, std=STD), "NHWC", "uint8", each) for each in (how, narrow)
    )

    np.testing.assert_allclose(how.to_floats(batch)[0], (IMAGE / 255 - MEAN) / STD, atol=0.0094)
    assert saturated.max() == 255


def test_values_that_the_integers_do_not_stand_for_are_refused_with_the_range() -> None:
    how = Quantisation(scale=1 / 255, zero_point=-128)

    with pytest.raises(
        InputError, match=r"scale 0.003921569, zero point -128 it stands for values from 0 to 1; state"
    ):
        to_input(IMAGE, steps(mean=MEAN, std=STD), "NCHW", "int8", how)


def test_uint8_and_int8_take_whole_numbers() -> None:
    raw, centred = steps(scale=1.0), steps(scale=1.0, mean=(128.0,) * 3)

    np.testing.assert_array_equal(to_input(IMAGE, raw, "NHWC", "uint8"), IMAGE[None])
    np.testing.assert_array_equal(to_input(IMAGE, centred, "NHWC", "int8")[0], IMAGE.astype(int) - 128)


@pytest.mark.parametrize(
    ("changes", "dtype", "words"),
    [
        ({"mean": MEAN, "std": STD}, "uint8", "takes uint8, which cannot hold .* from -2.118 to 2.64"),
        ({}, "uint8", "use scale 1, mean 0 and std 1"),
        ({"scale": 1.0}, "int8", "from 0 to 255"),
        ({"std": (1e-7, 1.0, 1.0)}, "float16", "takes float16"),
    ],
)
def test_a_type_that_cannot_hold_the_values_is_refused(
    changes: dict[str, object], dtype: str, words: str
) -> None:
    with pytest.raises(InputError, match=words):
        to_input(IMAGE, steps(**changes), "NCHW", dtype)


def test_colours_become_grey_as_pillow_does_it() -> None:
    grey = steps(input_size=(1, 8, 12), mean=(0.0,), std=(1.0,), scale=1.0, channels="grey")

    batch = to_input(IMAGE, grey, "NCHW", "uint8")

    np.testing.assert_array_equal(batch[0, 0], np.asarray(Image.fromarray(IMAGE).convert("L")))
    np.testing.assert_array_equal(to_input(IMAGE[..., 0], grey, "NHWC", "uint8")[0, ..., 0], IMAGE[..., 0])


def test_grey_is_repeated_in_colours() -> None:
    batch = to_input(IMAGE[..., 0], steps(scale=1.0), "NCHW", "uint8")

    np.testing.assert_array_equal(batch[0], [IMAGE[..., 0]] * 3)


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (IMAGE[:4], "an image has 12×4 pixels, and the input 12×8; resize it first"),
        (IMAGE.astype(np.float32), "an image is float32"),
        (IMAGE[..., :2], r"an image is uint8 \[8, 12, 2\]"),
    ],
)
def test_another_kind_of_image_is_refused(image: npt.NDArray[np.uint8], words: str) -> None:
    with pytest.raises(InputError, match=words):
        to_input(image, steps(), "NCHW", "float32")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"mean": (0.0,)}, "mean has 1 values for 3 channels"),
        ({"channels": "grey"}, "input_size has 3 channels, and channels is grey"),
        ({"input_size": (3, 0, 2)}, "above 0"),
        ({"pad_value": (1, 2)}, "pad_value has 2 values"),
        ({"antialias": False, "interpolation": "lanczos"}, "always antialiased"),
    ],
)
def test_values_that_do_not_fit_together_are_refused(changes: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        steps(**changes)


def test_the_steps_have_words() -> None:
    words = steps(crop_pct=0.875, resize="crop", mean=MEAN, std=(0.5,) * 3).words

    assert words == (
        "crop to 12×8 pixels, 0.875 of it in the middle, bilinear; rgb; 8-bit values times 0.00392157,"
        " minus 0.485, 0.456, 0.406, divided by 0.5"
    )
    assert steps(scale=1.0).words.endswith("8-bit values as they are")
