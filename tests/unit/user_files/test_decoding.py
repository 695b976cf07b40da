"""Image files of many kinds become upright 8-bit pixels, or a sentence."""

import threading
import warnings
from pathlib import Path

import numpy as np
import pytest
from making.odd_images import (
    colours,
    deep,
    grey,
    huge_png,
    png_of_16_bits,
    readable,
    readable_deep,
    tiff_of,
    unreadable,
    with_orientation,
    write,
)
from PIL import Image

from user_files import decoding
from user_files.decoding import ImageError, read_upright

TURNED = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def written(folder: Path, name: str, content: bytes) -> Path:
    return write(folder, {name: content})[0]


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP", "JPEG"])
@pytest.mark.parametrize("number", range(1, 9))
def test_an_image_is_turned_as_its_file_states(tmp_path: Path, kind: str, number: int) -> None:
    image = Image.fromarray(grey())
    path = written(tmp_path, f"a.{kind.lower()}", with_orientation(number, kind, image))
    method = TURNED[number]
    upright = image if method is None else image.transpose(method)

    pixels = np.asarray(read_upright(path).convert("L"))

    assert pixels.shape == np.asarray(upright).shape
    assert np.abs(pixels.astype(int) - np.asarray(upright)).max() <= (3 if kind == "JPEG" else 0)


@pytest.mark.parametrize("number", [5, 6, 7, 8])
@pytest.mark.parametrize("compression", ["raw", "tiff_lzw"])
def test_a_deep_tiff_that_lies_on_its_side_keeps_its_rows(
    tmp_path: Path, number: int, compression: str
) -> None:
    exif = Image.Exif()
    exif[0x0112] = number
    image = Image.fromarray(deep(16))
    image.save(tmp_path / "a.tif", exif=exif, compression=compression)
    method = TURNED[number]
    assert method is not None

    right = np.asarray(Image.fromarray(np.rint(deep(16) / 257).astype(np.uint8)).transpose(method))
    np.testing.assert_array_equal(np.asarray(read_upright(tmp_path / "a.tif")), right)


def test_orientation_is_left_alone_for_records_that_ignored_it(tmp_path: Path) -> None:
    path = written(tmp_path, "a.png", with_orientation(6, "PNG", Image.fromarray(grey())))

    np.testing.assert_array_equal(np.asarray(read_upright(path, is_turned=False)), grey())


@pytest.mark.parametrize("number", [0, 9])
def test_an_orientation_that_does_not_exist_turns_nothing(tmp_path: Path, number: int) -> None:
    path = written(tmp_path, "a.png", with_orientation(number, "PNG", Image.fromarray(grey())))

    np.testing.assert_array_equal(np.asarray(read_upright(path)), grey())


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 15, 16])
def test_the_white_of_the_bits_in_use_becomes_255(tmp_path: Path, bits: int) -> None:
    Image.fromarray(deep(bits)).save(tmp_path / "a.png")
    white = 2**bits - 1

    pixels = np.asarray(read_upright(tmp_path / "a.png", white))

    np.testing.assert_array_equal(pixels, np.rint(deep(bits) / (white / 255)).astype(np.uint8))
    assert (pixels[0, 0], len(np.unique(pixels)) > 200) == (255, True)


@pytest.mark.parametrize("name", readable_deep())
def test_every_file_of_16_bits_is_read_alike(tmp_path: Path, name: str) -> None:
    path = written(tmp_path, name, readable_deep()[name])

    right = np.rint(deep(12) / (4095 / 255)).astype(np.uint8)
    np.testing.assert_array_equal(np.asarray(read_upright(path, 4095)), right)


def test_a_value_above_white_is_refused(tmp_path: Path) -> None:
    Image.fromarray(deep(14)).save(tmp_path / "a.png")

    with pytest.raises(ImageError, match="it has the value 16383, and 4095 counts as white"):
        read_upright(tmp_path / "a.png", 4095)


@pytest.mark.parametrize("values", [grey(), deep(12)])
def test_a_tiff_whose_zero_is_white_is_inverted(
    tmp_path: Path, values: "np.ndarray[tuple[int, int], np.dtype[np.uint8 | np.uint16]]"
) -> None:
    white = 255 if values.dtype == np.uint8 else 4095
    usual, inverted = write(
        tmp_path, {"usual.tif": tiff_of(values), "inverted.tif": tiff_of(values, photometric=0)}
    )

    first, second = (np.asarray(read_upright(path, white)).astype(int) for path in (usual, inverted))
    np.testing.assert_array_equal(first + second, 255)


@pytest.mark.parametrize("channels", [2, 3])
def test_colours_of_16_bits_that_use_fewer_are_refused(tmp_path: Path, channels: int) -> None:
    values = np.stack([deep(12)] * channels, axis=2)
    path = written(tmp_path, "a.png", png_of_16_bits(values))

    with pytest.raises(ImageError, match="colours of 16 bits, and 4095 counts as white"):
        read_upright(path, 4095)


@pytest.mark.parametrize("name", readable())
def test_every_usual_file_becomes_grey_or_rgb_of_8_bits(tmp_path: Path, name: str) -> None:
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        image = read_upright(written(tmp_path, name, readable()[name]))

    assert image.mode in ("L", "RGB")
    assert np.asarray(image).dtype == np.uint8
    assert not said


def test_transparent_pixels_keep_the_colours_that_they_hide(tmp_path: Path) -> None:
    path = written(tmp_path, "a.png", readable()["hidden-colours.png"])

    np.testing.assert_array_equal(np.asarray(read_upright(path)), colours())


@pytest.mark.parametrize("name", unreadable())
def test_what_cannot_be_read_is_said_in_a_sentence(
    tmp_path: Path, name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    content, words = unreadable()[name]
    path = written(tmp_path, name, content)

    with warnings.catch_warnings(record=True) as said, pytest.raises(ImageError) as failure:
        read_upright(path)

    assert words in str(failure.value)
    assert "\n" not in str(failure.value)
    assert (said, capfd.readouterr().err) == ([], "")


def test_a_missing_file_and_a_folder_are_said(tmp_path: Path) -> None:
    for path, words in ((tmp_path / "no.png", "No such file"), (tmp_path, "Is a directory")):
        with pytest.raises(ImageError, match=f"it cannot be opened: {words}"):
            read_upright(path)


def test_an_image_that_is_too_large_is_refused_in_megapixels(tmp_path: Path) -> None:
    path = written(tmp_path, "huge.png", huge_png(20_000, 9_000))

    with pytest.raises(ImageError, match="it has 180 megapixels, and edgefit reads at most 178"):
        read_upright(path)


def test_large_images_are_decoded_one_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path, "a.png", readable()["rgb.png"])
    monkeypatch.setattr(decoding, "_LARGE_PIXELS", 10)
    held = threading.Event()

    def read() -> None:
        read_upright(path)
        held.set()

    second = threading.Thread(target=read)

    with decoding.opened_image(path):
        second.start()
        assert not held.wait(0.05)
    second.join()

    assert held.is_set()
