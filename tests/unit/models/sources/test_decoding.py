"""Image files of many kinds to uint8 pixels."""

import os
import threading
from pathlib import Path

import numpy as np
import pytest
from making.films import Remembering, film
from PIL import Image

from models.errors import InputError
from models.progress import Silent
from models.sources import decoding
from models.sources.decoding import decode_all, decode_image

RAMP = np.tile(np.arange(0, 256, 4, dtype=np.uint8), (64, 1))


def test_a_grey_png_at_network_size_keeps_every_pixel(tmp_path: Path) -> None:
    Image.fromarray(RAMP).save(tmp_path / "a.png")

    assert np.array_equal(decode_image(tmp_path / "a.png", 64), RAMP)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA", "P", "CMYK"])
def test_a_grey_image_saved_in_another_mode_is_still_grey(tmp_path: Path, mode: str) -> None:
    suffix = "tif" if mode == "CMYK" else "png"
    Image.fromarray(RAMP).convert("RGB" if mode == "CMYK" else mode).convert(mode).save(
        tmp_path / f"a.{suffix}"
    )

    assert np.array_equal(decode_image(tmp_path / f"a.{suffix}", 64), RAMP)


def test_a_coloured_image_has_three_channels_and_transparency_is_ignored(tmp_path: Path) -> None:
    pixels = np.zeros((64, 64, 4), np.uint8)
    pixels[..., 0], pixels[..., 3] = 200, 7
    Image.fromarray(pixels).save(tmp_path / "a.png")

    decoded = decode_image(tmp_path / "a.png", 32)

    assert decoded.shape == (32, 32, 3)
    assert decoded[0, 0].tolist() == [200, 0, 0]


def test_a_sixteen_bit_png_is_divided_by_65535(tmp_path: Path) -> None:
    deep = np.tile(np.linspace(0, 65535, 64).astype(np.uint16), (64, 1))
    Image.fromarray(deep).save(tmp_path / "a.png")

    decoded = decode_image(tmp_path / "a.png", 64)

    assert decoded.dtype == np.uint8
    assert np.array_equal(decoded, np.rint(deep / 257).astype(np.uint8))


def test_a_bilevel_image_is_black_and_white(tmp_path: Path) -> None:
    Image.fromarray(RAMP > 127).save(tmp_path / "a.png")

    assert np.unique(decode_image(tmp_path / "a.png", 64)).tolist() == [0, 255]


def test_values_of_unknown_range_are_refused(tmp_path: Path) -> None:
    Image.fromarray(np.full((8, 8), 0.5, np.float32)).save(tmp_path / "a.tif")

    with pytest.raises(ValueError, match="its values are fractions"):
        decode_image(tmp_path / "a.tif", 8)


def test_a_large_jpeg_decoded_at_a_smaller_scale_looks_the_same(tmp_path: Path) -> None:
    rows, columns = np.mgrid[0:1024, 0:1024]
    pixels = (127 + 90 * np.sin(rows / 60) * np.cos(columns / 45)).astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.jpg", quality=95)
    full = Image.open(tmp_path / "a.jpg").convert("L").resize((224, 224), Image.Resampling.BILINEAR)

    decoded = decode_image(tmp_path / "a.jpg", 224)

    assert np.abs(decoded.astype(int) - np.asarray(full)).max() <= 2


def test_the_aspect_ratio_is_not_kept_so_that_nothing_is_cropped(tmp_path: Path) -> None:
    wide = np.zeros((50, 200), np.uint8)
    wide[:, -50:] = 255
    Image.fromarray(wide).save(tmp_path / "a.png")

    decoded = decode_image(tmp_path / "a.png", 40)

    assert decoded.shape == (40, 40)
    assert decoded[20, 38] == 255
    assert decoded[20, 2] == 0


def test_images_are_in_the_order_of_the_paths(tmp_path: Path, progress: Remembering) -> None:
    paths = [tmp_path / f"{value}.png" for value in range(0, 250, 10)]
    for value, path in zip(range(0, 250, 10), paths, strict=True):
        Image.fromarray(np.full((8, 8), value, np.uint8)).save(path)

    decoded = decode_all(paths, 8, progress)

    assert decoded.images[:, 0, 0].tolist() == list(range(0, 250, 10))
    assert progress.tasks == [("Reading images", 25)]
    assert progress.steps == 25


def test_one_coloured_image_gives_all_of_them_three_channels(tmp_path: Path, progress: Remembering) -> None:
    Image.fromarray(np.full((8, 8), 50, np.uint8)).save(tmp_path / "grey.png")
    Image.fromarray(np.full((8, 8, 3), (90, 0, 0), np.uint8)).save(tmp_path / "red.png")

    decoded = decode_all([tmp_path / "grey.png", tmp_path / "red.png", tmp_path / "grey.png"], 8, progress)

    assert decoded.images[:, 0, 0].tolist() == [[50, 50, 50], [90, 0, 0], [50, 50, 50]]


@pytest.mark.parametrize("suffix", ["png", "jpg", "tif", "bmp"])
def test_a_truncated_file_is_bad_and_not_half_an_image(
    tmp_path: Path, progress: Remembering, suffix: str
) -> None:
    path = tmp_path / f"a.{suffix}"
    Image.fromarray(film(1, 0, 200)).save(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    decoded = decode_all([path], 32, progress)

    assert [index for index, _ in decoded.bad] == [0]
    assert decoded.bad[0][1]


def test_empty_files_and_text_are_bad(tmp_path: Path, progress: Remembering) -> None:
    (tmp_path / "empty.png").touch()
    (tmp_path / "text.png").write_text("hello")

    decoded = decode_all([tmp_path / "empty.png", tmp_path / "text.png"], 32, progress)

    assert [index for index, _ in decoded.bad] == [0, 1]


def test_pipes_and_broken_links_are_bad_and_never_opened(tmp_path: Path, progress: Remembering) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "dead.png").symlink_to(tmp_path / "nowhere.png")

    decoded = decode_all([tmp_path / "pipe.png", tmp_path / "dead.png"], 32, progress)

    assert decoded.bad == ((0, "it is not a regular file"), (1, "it is a broken link"))


def test_more_images_than_the_memory_holds_are_refused_before_one_is_read(tmp_path: Path) -> None:
    paths = [tmp_path / "missing.png"] * 100_000

    with pytest.raises(InputError) as refused:
        decode_all(paths, 224, Silent(), available_bytes=lambda: 4_000_000_000)

    assert str(refused.value) == (
        "100000 images of 224×224 pixels take 5.0 GB of memory, and 4.0 GB are free: choose a smaller "
        "--image-size, or give fewer images"
    )


def test_colour_takes_three_times_the_memory_and_is_refused_with_the_image_that_has_it(
    tmp_path: Path,
) -> None:
    Image.fromarray(RAMP).save(tmp_path / "a.png")
    Image.new("RGB", (64, 64), (9, 0, 0)).save(tmp_path / "b.png")
    paths = [tmp_path / "a.png", tmp_path / "b.png"]

    with pytest.raises(
        InputError, match=r"b\.png has colour, and so 2 images .* save all images in grey, or"
    ):
        decode_all(paths, 64, Silent(), available_bytes=lambda: 2 * 64 * 64)
    decoded = decode_all(paths, 64, Silent(), available_bytes=lambda: 6 * 64 * 64)

    assert decoded.images[:, 0, 10].tolist() == [[40, 40, 40], [9, 0, 0]]


def test_few_images_are_in_memory_though_the_first_one_takes_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others wait until there is room, so that they do not all lie beside the result."""
    begun: list[Path] = []
    others = threading.Event()

    def decode(path: Path, side: int, white: int) -> np.ndarray:
        begun.append(path)
        if path.name == "0":
            others.wait(10)
        elif len(begun) >= 100:
            others.set()
        return np.zeros((side, side), np.uint8)

    monkeypatch.setattr(decoding, "_MOST_WAITING", 100)
    monkeypatch.setattr(decoding, "_try_to_decode", decode)

    decode_all([Path(str(index)) for index in range(1000)], 1, Watched(begun, most=100))

    assert len(begun) == 1000


class Watched(Silent):
    """When the first result is there, not more than `most` were begun."""

    def __init__(self, begun: list[Path], most: int) -> None:
        self._begun, self._most = begun, most

    def advance(self, steps: int = 1, note: str = "") -> None:
        assert len(self._begun) <= self._most
        self._most += 1


def test_an_image_for_which_the_memory_does_not_suffice_is_a_bad_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def decode(path: Path, side: int, white: int) -> np.ndarray:
        raise MemoryError

    monkeypatch.setattr(decoding, "decode_image", decode)
    (tmp_path / "a.png").touch()

    assert decode_all([tmp_path / "a.png"], 8, Silent()).bad == (
        (0, "it needs more memory than there is: make it smaller"),
    )
