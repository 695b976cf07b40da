"""preprocess.py is written from the manifest's record of preprocessing, of schema 1 as well."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from making.repository import SCHEMA_1
from PIL import Image

from bench.bundle.evaluation_pack import as_batch
from bench.bundle.input_preprocessing import preprocess_of
from bench.bundle.manifest import MANIFEST, read_bundle
from bench.bundle.preprocessing import PreprocessingRecord, StatedPreprocessing, unit_rgb
from bench.choose.ship.run_folder_reading import reading_of
from bench.errors import InputError


def read_by(steps: PreprocessingRecord, path: Path) -> npt.NDArray[np.float32]:
    """Run the function that preprocess.py would have."""
    names: dict[str, Any] = {}
    exec(reading_of(steps), names)
    batch: npt.NDArray[np.float32] = names["read_image"](path)
    return batch


def changed(**changes: object) -> PreprocessingRecord:
    return PreprocessingRecord.model_validate({**unit_rgb(32).model_dump(), **changes})


@pytest.mark.parametrize("shape", [(32, 32), (32, 32, 3)])
def test_an_image_is_read_as_the_evaluation_pack_gives_it(tmp_path: Path, shape: tuple[int, ...]) -> None:
    image = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    Image.fromarray(image).save(tmp_path / "image.png")

    assert (read_by(unit_rgb(32), tmp_path / "image.png") == as_batch(image)).all()


def test_a_16_bit_image_has_the_scale_of_8_bits(tmp_path: Path) -> None:
    Image.fromarray(np.full((32, 32), 65535, dtype=np.uint16)).save(tmp_path / "image.png")

    assert (read_by(unit_rgb(32), tmp_path / "image.png") == 1).all()
    assert (
        read_by(changed(sixteen_bit_divide_by=514.0), tmp_path / "image.png") == 128 / np.float32(255)
    ).all()


def test_12_of_16_bits_are_read_and_described_by_their_white(tmp_path: Path) -> None:
    Image.fromarray(np.full((32, 32), 4095, dtype=np.uint16)).save(tmp_path / "image.png")
    steps = changed(sixteen_bit_divide_by=4095 / 255)

    assert (read_by(steps, tmp_path / "image.png") == 1).all()
    assert "8-bit values divided by 255, 16-bit values by 4095" in steps.words
    assert preprocess_of(steps).sixteen_bit_white == 4095


@pytest.mark.parametrize("orientation", ["applied", "ignored"])
def test_an_image_is_turned_if_the_record_says_so(tmp_path: Path, orientation: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 3
    ramp = np.tile(np.arange(32, dtype=np.uint8), (32, 1))
    Image.fromarray(ramp).save(tmp_path / "image.png", exif=exif)
    steps = changed(orientation=orientation)

    right = ramp[::-1, ::-1] if orientation == "applied" else ramp
    np.testing.assert_array_equal(read_by(steps, tmp_path / "image.png"), as_batch(right))
    assert steps.words.startswith("Turn it upright; resize" if orientation == "applied" else "Resize")


def test_size_channels_scale_and_normalisation_are_the_records(tmp_path: Path) -> None:
    Image.fromarray(np.full((10, 10, 3), 100, dtype=np.uint8)).save(tmp_path / "image.png")
    steps = changed(
        size=(8, 16), channels=1, divide_by=100.0, mean=(0.5,), std=(0.25,), interpolation="nearest"
    )

    batch = read_by(steps, tmp_path / "image.png")

    assert batch.shape == (1, 1, 8, 16)
    assert (batch == 2).all()
    assert "16×8" in steps.words


def test_a_mean_for_each_channel_is_needed() -> None:
    with pytest.raises(ValueError, match="mean has 1 values for 3 channels"):
        changed(mean=(0.5,))


def test_a_bundle_of_schema_1_has_the_record_that_its_sentences_describe() -> None:
    assert read_bundle(SCHEMA_1).manifest.preprocessing == unit_rgb(32)


def with_preprocessing(folder: Path, bundle: Path, preprocessing: object) -> Path:
    copy = Path(shutil.copytree(bundle, folder / "copy"))
    manifest = json.loads((copy / MANIFEST).read_text())
    (copy / MANIFEST).write_text(json.dumps({**manifest, "preprocessing": preprocessing}))
    return copy


def test_other_sentences_of_schema_1_are_kept(tmp_path: Path) -> None:
    stated = {"resize": "crop", "grey_to_rgb": "repeat", "scale": "none"}

    steps = read_bundle(with_preprocessing(tmp_path, SCHEMA_1, stated)).manifest.preprocessing

    assert steps == StatedPreprocessing(**stated)
    assert steps.words == "Resize crop; grey repeat; none"


@pytest.mark.parametrize(
    ("preprocessing", "words"),
    [
        (
            {"resize": "crop", "grey_to_rgb": "repeat", "scale": "none"},
            "preprocessing is written in sentences, which only schema 1 allows",
        ),
        (
            unit_rgb(64).model_dump(mode="json"),
            r"preprocessing.size is \(64, 64\), but model.image_size",
        ),
        (
            changed(divide_by=1.0).model_dump(mode="json"),
            "three channels in \\[0, 1\\], and edgefit",
        ),
        ({**unit_rgb(32).model_dump(mode="json"), "side": 3}, "unknown key 'preprocessing.side'; did you"),
        ({"size": [32, 32]}, "the key 'preprocessing.sixteen_bit_divide_by' is missing"),
    ],
)
def test_preprocessing_that_cannot_be_followed_is_refused(
    bundle_folder: Path, tmp_path: Path, preprocessing: object, words: str
) -> None:
    with pytest.raises(InputError, match=words):
        read_bundle(with_preprocessing(tmp_path, bundle_folder, preprocessing))
