"""preprocess.py gives the very arrays that bench measures with, for every kind of preprocessing and image."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from bench.bundle.evaluation_pack import EvaluationPack
from bench.bundle.image_folder import read_image
from bench.bundle.input_preprocessing import UNIT_SCALE, Preprocess
from bench.bundle.quantisation import Quantisation
from bench.bundle.signature import Tensor
from bench.choose.ship.image_reading import reading_of
from bench.errors import InputError

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
SHAPES = [(37, 23), (23, 37), (20, 20), (9, 50), (16, 24)]


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Images of several sizes and modes: colours, grey, 16 bits, transparency, a palette, two colours."""
    folder, random = tmp_path_factory.mktemp("images"), np.random.default_rng(0)
    made = [Image.fromarray(random.integers(0, 256, (*shape, 3), dtype=np.uint8)) for shape in SHAPES]
    colours = made[0]
    made += [colours.convert(mode) for mode in ("L", "LA", "RGBA", "P", "1")]
    made.append(Image.fromarray(random.integers(0, 65536, (30, 21), dtype=np.uint16)))
    paths = [folder / f"{index}.png" for index in range(len(made))]
    for path, image in zip(paths, made, strict=True):
        image.save(path)
    return paths


def preprocess(channels: int = 3, height: int = 16, width: int = 24, **changes: object) -> Preprocess:
    usual: dict[str, object] = {
        "input_size": (channels, height, width),
        "resize": "squash",
        "scale": UNIT_SCALE,
        "mean": (0.0,) * channels,
        "std": (1.0,) * channels,
        "channels": "rgb" if channels == 3 else "grey",
    }
    return Preprocess.model_validate(usual | changes)


def input_of(steps: Preprocess, layout: str = "NCHW", dtype: str = "float32", batch: int = 1) -> Tensor:
    channels, height, width = steps.input_size
    axes = (channels, height, width) if layout == "NCHW" else (height, width, channels)
    return Tensor(name="image", dtype=dtype, shape=(batch, *axes))


def script_reads(steps: Preprocess, tensor: Tensor, path: Path) -> npt.NDArray[Any]:
    """Run the function that preprocess.py would have."""
    names: dict[str, Any] = {}
    exec(reading_of(steps, tensor), names)
    batch: npt.NDArray[Any] = names["read_image"](path)
    return batch


def bench_reads(steps: Preprocess, tensor: Tensor, path: Path) -> npt.NDArray[Any]:
    """Return what a bundle's evaluation pack gives the artifact for an image that export read."""
    pixels = read_image(path, steps)[None]
    pack = EvaluationPack(pixels, None, np.zeros((1, 2), np.float32), preprocess=steps)
    (array,) = pack.inputs(0, [tensor])
    return array


def assert_same(steps: Preprocess, tensor: Tensor, paths: list[Path]) -> None:
    for path in paths:
        mine, right = script_reads(steps, tensor, path), bench_reads(steps, tensor, path)
        assert mine.dtype == right.dtype
        assert mine.shape == right.shape == tensor.sizes
        assert mine.flags.c_contiguous
        assert mine.flags.writeable
        assert np.array_equal(mine, right), f"{path.name}: {steps.words}"


@pytest.mark.parametrize("crop_pct", [1.0, 0.875, 0.5])
@pytest.mark.parametrize("size", [(16, 24), (16, 16), (15, 15)], ids=str)
@pytest.mark.parametrize("resize", ["squash", "crop", "letterbox", "fit"])
def test_every_way_to_resize(images: list[Path], resize: str, size: tuple[int, int], crop_pct: float) -> None:
    steps = preprocess(
        height=size[0], width=size[1], resize=resize, crop_pct=crop_pct, pad_value=(114, 7, 200)
    )

    assert_same(steps, input_of(steps), images)


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear", "bicubic", "lanczos", "box", "hamming"])
def test_every_interpolation(images: list[Path], interpolation: str) -> None:
    steps = preprocess(interpolation=interpolation, resize="crop")

    assert_same(steps, input_of(steps), images)


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear", "bicubic"])
@pytest.mark.parametrize("resize", ["squash", "crop", "letterbox"])
def test_no_antialiasing(images: list[Path], interpolation: str, resize: str) -> None:
    steps = preprocess(interpolation=interpolation, resize=resize, antialias=False)

    assert_same(steps, input_of(steps), images)


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
@pytest.mark.parametrize("dtype", ["float32", "float16", "float64"])
@pytest.mark.parametrize("channels", ["rgb", "bgr"])
def test_every_layout_type_and_order(images: list[Path], channels: str, dtype: str, layout: str) -> None:
    steps = preprocess(channels=3, mean=MEAN, std=STD).model_copy(update={"channels": channels})

    assert_same(steps, input_of(steps, layout, dtype), images)


@pytest.mark.parametrize(
    ("dtype", "changes"),
    [
        ("uint8", {}),
        ("int8", {"mean": (128.0,) * 3}),
        ("int32", {"scale": 2.0, "mean": (10.0, 20.0, 30.0), "std": (1.0, 2.0, 2.0)}),
    ],
)
def test_whole_numbers(images: list[Path], dtype: str, changes: dict[str, object]) -> None:
    steps = Preprocess.model_validate(preprocess(scale=1.0).model_dump() | changes)

    assert_same(steps, input_of(steps, "NHWC", dtype), images)


@pytest.mark.parametrize(
    ("dtype", "scale", "zero_point", "changes"),
    [
        ("uint8", 0.0187, 114, {"mean": MEAN, "std": STD}),
        ("int8", 1 / 255, -128, {}),
        ("int8", 1.0, -128, {"scale": 1.0}),
        ("uint8", 1 / 128, 128, {"scale": 1.0}),
    ],
)
def test_integers_that_stand_for_floats(
    images: list[Path], dtype: str, scale: float, zero_point: int, changes: dict[str, object]
) -> None:
    steps = Preprocess.model_validate(preprocess().model_dump() | changes)
    how = Quantisation(scale=scale, zero_point=zero_point)

    assert_same(steps, input_of(steps, "NHWC", dtype).model_copy(update={"quantisation": how}), images)


@pytest.mark.parametrize("resize", ["squash", "crop", "letterbox", "fit"])
@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
def test_one_channel(images: list[Path], layout: str, resize: str) -> None:
    steps = preprocess(1, resize=resize, mean=(0.5,), std=(0.5,), pad_value=(9,))

    assert_same(steps, input_of(steps, layout), images)


@pytest.mark.parametrize(
    ("scale", "mean", "std"), [(1.0, (0.0,) * 3, STD), (1 / 127.5, (1.0,) * 3, (1.0,) * 3)]
)
def test_each_number_alone(
    images: list[Path], scale: float, mean: tuple[float, ...], std: tuple[float, ...]
) -> None:
    steps = preprocess(scale=scale, mean=mean, std=std)

    assert_same(steps, input_of(steps), images)


def test_a_fixed_batch_repeats_the_image(images: list[Path]) -> None:
    steps = preprocess()

    assert_same(steps, input_of(steps, batch=3), images[:1])


def test_an_image_of_the_right_size_alone_where_nothing_resizes(images: list[Path]) -> None:
    steps = preprocess(resize="none")
    right, wrong = images[SHAPES.index((16, 24))], images[0]

    assert_same(steps, input_of(steps), [right])
    with pytest.raises(InputError, match="has 23×37 pixels"):
        bench_reads(steps, input_of(steps), wrong)
    with pytest.raises(ValueError, match="has 23x37 pixels, not 24x16"):
        script_reads(steps, input_of(steps), wrong)


def test_a_script_has_only_the_steps_of_its_preprocessing() -> None:
    steps = preprocess(scale=1.0)

    _, after = reading_of(steps, input_of(steps, "NHWC", "uint8")).split("WIDTH, HEIGHT =")
    own, _ = after.split("def read_or_exit")

    for word in ("SCALE", "MEAN", "STD", "PAD_VALUE", "UNCUT", "crop", "transpose", "rint(pixels"):
        assert word not in own
    assert len(own.strip().splitlines()) < 10
