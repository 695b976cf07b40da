"""Training, export, bench and a shipped preprocess.py read equal pixels of every kind of image file."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from making.odd_images import readable, readable_deep, unreadable, write

from bench.bundle.image_folder import list_images, load_images
from bench.bundle.input_preprocessing import Preprocess
from bench.bundle.preprocessing import unit_rgb
from bench.bundle.signature import Tensor
from bench.choose.ship.image_reading import reading_of
from bench.choose.ship.run_folder_reading import reading_of as run_reading_of
from bench.errors import InputError
from export.data.readable import FileImages
from models.progress import Silent
from models.sources.decoding import decode_all, decode_image

SIDE = 24
DEEP, USUAL = readable_deep(), readable()
Pixels = npt.NDArray[np.uint8]


def steps(white: int = 65535, channels: int = 3) -> Preprocess:
    return Preprocess(
        orientation="applied",
        sixteen_bit_white=white,
        input_size=(channels, SIDE, SIDE),
        resize="squash",
        scale=1.0,
        mean=(0.0,) * channels,
        std=(1.0,) * channels,
        channels="rgb" if channels == 3 else "grey",
    )


def in_colours(pixels: Pixels) -> Pixels:
    return pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, axis=2)


def read_by(script: str, path: Path) -> npt.NDArray[Any]:
    names: dict[str, Any] = {}
    exec(script, names)
    batch: npt.NDArray[Any] = names["read_image"](path)
    return batch


def of_source_script(path: Path, white: int, channels: int = 3) -> Pixels:
    tensor = Tensor(name="image", dtype="uint8", shape=(1, SIDE, SIDE, channels))
    pixels: Pixels = read_by(reading_of(steps(white, channels), tensor), path)[0]
    return pixels


def of_run_script(path: Path, white: int) -> Pixels:
    record = unit_rgb(SIDE).model_copy(
        update={"orientation": "applied", "sixteen_bit_divide_by": white / 255}
    )
    batch = read_by(run_reading_of(record), path)
    pixels: Pixels = np.rint(batch[0].transpose(1, 2, 0) * 255).astype(np.uint8)
    return pixels


@pytest.mark.parametrize(
    ("name", "white"), [*((name, 65535) for name in USUAL), *((name, 4095) for name in DEEP)]
)
def test_all_readers_agree(tmp_path: Path, name: str, white: int) -> None:
    (path,) = write(tmp_path, {name: {**USUAL, **DEEP}[name]})
    trained = in_colours(decode_image(path, SIDE, white))

    others = {
        "export": FileImages((path,)).read([0], steps(white))[0],
        "bench": load_images(list_images(tmp_path), steps(white)).images[0],
        "preprocess.py of a source": of_source_script(path, white),
        "preprocess.py of a run folder": of_run_script(path, white),
    }

    assert {reader: np.array_equal(pixels, trained) for reader, pixels in others.items()} == dict.fromkeys(
        others, True
    )


@pytest.mark.parametrize(("name", "white"), [("rgb.png", 65535), ("palette.png", 65535), ("deep.png", 4095)])
def test_grey_is_made_of_colours_alike(tmp_path: Path, name: str, white: int) -> None:
    (path,) = write(tmp_path, {name: {**USUAL, **DEEP}[name]})

    exported = FileImages((path,)).read([0], steps(white, channels=1))[0]

    np.testing.assert_array_equal(of_source_script(path, white, channels=1)[..., 0], exported)


@pytest.mark.parametrize("name", unreadable())
def test_all_readers_refuse_alike(tmp_path: Path, name: str) -> None:
    content, words = unreadable()[name]
    (path,) = write(tmp_path, {name: content})
    ((_, reason),) = decode_all([path], SIDE, Silent()).bad

    assert words in reason
    with pytest.raises(InputError, match=re.escape(f"{path}")) as exported:
        FileImages((path,)).read([0], steps())
    assert reason in str(exported.value)
    # What an empty file or a text is, the search for images says before one is decoded.
    with pytest.raises(InputError, match=re.escape(f"{path}")):
        load_images(list_images(tmp_path), steps())
    with pytest.raises(ValueError, match=re.escape(reason)):
        of_run_script(path, 65535)


def test_classify_ends_with_a_sentence_that_names_the_file(tmp_path: Path) -> None:
    content, words = unreadable()["cut.png"]
    (path,) = write(tmp_path, {"cut.png": content})
    names: dict[str, Any] = {}
    exec(run_reading_of(unit_rgb(SIDE)), names)

    with pytest.raises(SystemExit, match=f"^{re.escape(str(path))}: {words}"):
        names["read_or_exit"](path)
