"""Images of a folder get the network's size as timm and torchvision give it."""

import importlib
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from bench.bundle.image_folder import list_images, load_images, read_image, scaled_size
from bench.bundle.input_arrays import Pixels
from bench.bundle.input_preprocessing import Preprocess
from bench.errors import InputError, MissingRuntimeError
from models.torchvision_import import import_torchvision_models

SIZES = [(40, 60), (61, 40), (37, 37), (113, 29), (24, 24)]


def steps(**changes: object) -> Preprocess:
    usual: dict[str, Any] = {
        "input_size": (3, 24, 24),
        "resize": "squash",
        "mean": (0.0, 0.0, 0.0),
        "std": (1.0, 1.0, 1.0),
        "channels": "rgb",
    }
    return Preprocess.model_validate({**usual, **changes})


def saved(path: Path, size: tuple[int, int] = (40, 60), seed: int = 0) -> Pixels:
    """Save a smooth coloured image of a height and width, and return its pixels."""
    noise = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), dtype=np.uint8)
    image = Image.fromarray(noise).resize(size[::-1], Image.Resampling.BICUBIC)
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path)
    return np.asarray(image)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("crop_pct", [1.0, 0.875, 24 / 29])
@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
@pytest.mark.parametrize("resize", ["crop", "squash"])
def test_crop_and_squash_are_torchvisions(
    tmp_path: Path, size: tuple[int, int], crop_pct: float, interpolation: str, resize: str
) -> None:
    import_torchvision_models()
    transforms = importlib.import_module("torchvision.transforms")
    edge = round(24 / crop_pct) if crop_pct != 0.875 else 27
    mode = transforms.InterpolationMode(interpolation)
    chain = transforms.Compose(
        [transforms.Resize(edge if resize == "crop" else (edge, edge), mode), transforms.CenterCrop(24)]
    )
    pixels = saved(tmp_path / "image.png", size)

    ours = read_image(
        tmp_path / "image.png", steps(resize=resize, crop_pct=crop_pct, interpolation=interpolation)
    )

    np.testing.assert_array_equal(ours, np.asarray(chain(Image.fromarray(pixels))))


def test_the_resized_edge_is_a_whole_number_in_spite_of_fractions() -> None:
    for edge in range(24, 400):
        assert scaled_size((500, 500), steps(crop_pct=24 / edge)) == (edge, edge)


@pytest.mark.parametrize(
    ("resize", "crop_pct", "right"),
    [
        ("crop", 1.0, (24, 36)),
        ("crop", 0.8, (30, 45)),
        ("letterbox", 1.0, (16, 24)),
        ("letterbox", 0.5, (32, 48)),
        ("squash", 0.5, (48, 48)),
    ],
)
def test_sizes_before_the_cut(resize: str, crop_pct: float, right: tuple[int, int]) -> None:
    assert scaled_size((40, 60), steps(resize=resize, crop_pct=crop_pct)) == right


def test_an_input_that_is_not_square_is_covered() -> None:
    wide = steps(resize="crop", input_size=(3, 24, 48))

    assert scaled_size((40, 60), wide) == (32, 48)


def test_a_letterbox_has_borders_on_both_sides(tmp_path: Path) -> None:
    saved(tmp_path / "image.png", (40, 61))

    boxed = read_image(tmp_path / "image.png", steps(resize="letterbox", pad_value=(1, 2, 3)))

    is_border = (boxed == (1, 2, 3)).all(axis=(1, 2))
    assert (is_border[:4].all(), is_border[4:20].any(), is_border[20:].all()) == (True, False, True)


def test_fit_has_borders_at_the_end_alone(tmp_path: Path) -> None:
    saved(tmp_path / "image.png", (60, 40))

    fitted = read_image(tmp_path / "image.png", steps(resize="fit", pad_value=(7,)))

    is_border = (fitted == 7).all(axis=(0, 2))
    assert is_border.tolist() == [False] * 16 + [True] * 8


def test_without_antialiasing_a_smaller_image_is_sampled(tmp_path: Path) -> None:
    image = np.zeros((24, 24, 3), dtype=np.uint8)
    image[1::4] = image[2::4] = 255
    Image.fromarray(image).save(tmp_path / "image.png")
    small = (3, 6, 6)

    sampled = read_image(tmp_path / "image.png", steps(input_size=small, antialias=False))
    averaged = read_image(tmp_path / "image.png", steps(input_size=small))

    assert (sampled == 255).all()
    assert 100 < averaged.mean() < 200


def test_none_takes_images_of_the_size_alone(tmp_path: Path) -> None:
    pixels = saved(tmp_path / "right.png", (24, 24))
    saved(tmp_path / "wrong.png", (24, 25))

    np.testing.assert_array_equal(read_image(tmp_path / "right.png", steps(resize="none")), pixels)
    with pytest.raises(InputError, match=r"wrong\.png: has 25×24 pixels.*give images of 24×24"):
        read_image(tmp_path / "wrong.png", steps(resize="none"))


def test_grey_16_bit_and_transparent_images_are_read(tmp_path: Path) -> None:
    Image.fromarray(np.full((24, 24), 65535, dtype=np.uint16)).save(tmp_path / "deep.png")
    Image.new("RGBA", (24, 24), (10, 20, 30, 0)).save(tmp_path / "clear.png")
    grey = steps(input_size=(1, 24, 24), mean=(0.0,), std=(1.0,), channels="grey")

    assert (read_image(tmp_path / "deep.png", steps()) == 255).all()
    assert (read_image(tmp_path / "clear.png", steps()) == (10, 20, 30)).all()
    assert read_image(tmp_path / "deep.png", grey).shape == (24, 24)


def test_a_folder_per_class_gives_labels(tmp_path: Path) -> None:
    for name in ("b/1.png", "a/2.JPG", "a/deep/3.png"):
        saved(tmp_path / name)
    (tmp_path / "a" / "notes.txt").touch()

    folder = load_images(list_images(tmp_path), steps())

    assert folder.labels == ("a", "a", "b")
    assert folder.images.shape == (3, 24, 24, 3)
    assert [path.name for path in folder.files] == ["2.JPG", "3.png", "1.png"]


def test_a_flat_folder_has_no_labels(tmp_path: Path) -> None:
    for index in range(3):
        saved(tmp_path / f"{index}.png", seed=index)

    folder = load_images(list_images(tmp_path, most=2), steps())

    assert (folder.labels, len(folder.images)) == (None, 2)


def test_some_images_are_spread_evenly_over_the_folder(tmp_path: Path) -> None:
    for name in ("a/1.png", "a/2.png", "b/3.png", "b/4.png"):
        saved(tmp_path / name)

    folder = load_images(list_images(tmp_path, most=2), steps())

    assert [path.name for path in folder.files] == ["1.png", "3.png"]
    assert (folder.labels, folder.total) == (("a", "b"), 4)


def test_what_is_no_image_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="contains no image"):
        load_images(list_images(tmp_path), steps())
    with pytest.raises(InputError, match="no such folder"):
        list_images(tmp_path / "there")
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n")
    with pytest.raises(InputError, match=r"broken\.png: cannot be read as an image"):
        load_images(list_images(tmp_path), steps())


def test_without_pillow_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saved(tmp_path / "image.png")
    monkeypatch.setitem(sys.modules, "PIL", None)

    with pytest.raises(MissingRuntimeError, match=r"pip install .*\[report\]'"):
        load_images(list_images(tmp_path), steps())
