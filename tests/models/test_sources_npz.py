"""Reading an .npz file with MedMNIST's keys."""

from pathlib import Path

import numpy as np
import pytest
from making.films import medmnist_arrays

from models.errors import InputError
from models.progress import Silent
from models.sources.npz import prepare_npz
from models.sources.options import SourceOptions

OPTIONS = SourceOptions(image_size=32, skip_bad=False, images=100)


def load(path: Path, **changed: np.ndarray | None):
    arrays = {key: value for key, value in {**medmnist_arrays(), **changed}.items() if value is not None}
    np.savez(path, **arrays)
    return prepare_npz(path, OPTIONS)(Silent())


def test_each_split_keeps_its_own_images_and_labels(tmp_path):
    arrays = medmnist_arrays()

    dataset = load(tmp_path / "films.npz")

    assert (len(dataset.train), len(dataset.validation), len(dataset.test)) == (40, 20, 20)
    assert dataset.test.images.shape == (20, 32, 32)
    assert dataset.test.labels.tolist() == arrays["test_labels"].ravel().tolist()
    assert dataset.test.images[1].mean() == pytest.approx(arrays["test_images"][1].mean(), abs=1)


def test_images_already_at_network_size_are_left_untouched(tmp_path):
    arrays = medmnist_arrays(side=32)

    dataset = load(tmp_path / "films.npz", **arrays)

    assert np.array_equal(dataset.train.images, arrays["train_images"])


def test_rgb_images_stay_rgb(tmp_path):
    arrays = medmnist_arrays()
    colour = {
        key: np.stack([value, value // 2, value // 3], axis=3)
        for key, value in arrays.items()
        if "images" in key
    }

    dataset = load(tmp_path / "films.npz", **colour)

    assert dataset.train.images.shape == (40, 32, 32, 3)


def test_sixteen_bit_images_are_divided_by_65535(tmp_path):
    deep = {
        f"{name}_images": np.full((count, 8, 8), 32896, np.uint16)
        for name, count in (("train", 40), ("val", 20), ("test", 20))
    }

    dataset = load(tmp_path / "films.npz", **deep)

    assert np.unique(dataset.train.images).tolist() == [128]


def test_class_names_come_from_the_file_where_it_has_them(tmp_path):
    dataset = load(tmp_path / "films.npz", classes=np.array(["clear", "opacity"]))

    assert dataset.classes == ("clear", "opacity")


def test_class_names_are_the_labels_where_nothing_names_them(tmp_path):
    assert load(tmp_path / "films.npz").classes == ("0", "1")


def test_pneumoniamnist_is_known_by_its_name(tmp_path):
    assert load(tmp_path / "pneumoniamnist_64.npz").classes == ("normal", "pneumonia")


def test_without_a_validation_split_a_fifth_of_the_training_images_is_taken_and_said(tmp_path):
    dataset = load(tmp_path / "films.npz", val_images=None, val_labels=None)

    assert (len(dataset.train), len(dataset.validation), len(dataset.test)) == (32, 8, 20)
    assert np.bincount(dataset.validation.labels).tolist() == [4, 4]
    assert "20 %" in dataset.notes[0]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"test_labels": None}, "test_labels"),
        ({"val_labels": None}, "val_labels"),
        (
            {"test_images": np.zeros((0, 28, 28), np.uint8), "test_labels": np.zeros((0, 1), np.uint8)},
            "test is empty",
        ),
        ({"val_labels": np.full((20, 1), 5)}, "5 lies outside"),
        ({"val_labels": np.full((20, 1), -1)}, "-1 lies outside"),
        ({"val_labels": np.zeros((20, 1), np.uint8)}, "no image of class 1"),
        ({"train_labels": np.zeros((40, 1), np.uint8)}, "one class only"),
        ({"train_labels": np.zeros((39, 1), np.uint8)}, "40 images but 39 labels"),
        ({"train_labels": np.zeros((40, 2), np.uint8)}, "(40, 2)"),
        ({"train_labels": np.zeros((40, 1), np.float32)}, "float32"),
        ({"train_images": np.zeros((40, 28, 28), np.float32)}, "float32"),
        ({"train_images": np.zeros((40, 28), np.uint8)}, "(40, 28)"),
        ({"train_images": np.array([None] * 40, dtype=object)}, "cannot be read"),
    ],
)
def test_arrays_that_cannot_be_used_are_one_error_naming_file_and_value(tmp_path, changed, said):
    with pytest.raises(InputError) as caught:
        load(tmp_path / "films.npz", **changed)

    assert said in str(caught.value)
    assert "films.npz" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_no_npz_is_an_error_before_anything_is_read(tmp_path):
    path = tmp_path / "films.npz"
    path.write_text("not a zip file")

    with pytest.raises(InputError, match=r"films\.npz: not a readable"):
        prepare_npz(path, OPTIONS)


def test_an_npz_cut_short_is_an_error(tmp_path, npz_file):
    npz_file.write_bytes(npz_file.read_bytes()[:-2000])

    with pytest.raises(InputError, match="not a readable"):
        prepare_npz(npz_file, OPTIONS)
