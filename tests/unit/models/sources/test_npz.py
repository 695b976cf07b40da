"""Reading an .npz file with MedMNIST's keys."""

import io
import pickle
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from making.films import medmnist_arrays, save_npz

from models.dataset import Dataset
from models.errors import InputError
from models.progress import Silent
from models.sources.npz import prepare_npz
from models.sources.options import SourceOptions

OPTIONS = SourceOptions(image_size=32, skip_bad=False, images=100)


def load(path: Path, **changed: npt.NDArray[Any] | None) -> Dataset:
    arrays = {key: value for key, value in {**medmnist_arrays(), **changed}.items() if value is not None}
    save_npz(path, arrays)
    return prepare_npz(path, OPTIONS)(Silent())


def test_each_split_keeps_its_own_images_and_labels(tmp_path: Path) -> None:
    arrays = medmnist_arrays()

    dataset = load(tmp_path / "films.npz")

    assert (len(dataset.train), len(dataset.validation), len(dataset.test)) == (40, 20, 20)
    assert dataset.test.images.shape == (20, 32, 32)
    assert dataset.test.labels.tolist() == arrays["test_labels"].ravel().tolist()
    assert dataset.test.images[1].mean() == pytest.approx(arrays["test_images"][1].mean(), abs=1)


def test_images_already_at_network_size_are_left_untouched(tmp_path: Path) -> None:
    arrays = medmnist_arrays(side=32)

    dataset = load(tmp_path / "films.npz", **arrays)

    assert np.array_equal(dataset.train.images, arrays["train_images"])


def test_test_images_are_known_as_the_same_ones_whatever_size_they_are_given(tmp_path: Path) -> None:
    arrays = medmnist_arrays()
    save_npz(tmp_path / "films.npz", arrays)
    changed = arrays["test_images"].copy()
    changed[3, 0, 0] ^= 1

    sizes = {
        prepare_npz(tmp_path / "films.npz", replace(OPTIONS, image_size=side))(Silent()).test.sources_sha256
        for side in (28, 32, 48)
    }
    pixel = load(tmp_path / "pixel.npz", test_images=changed).test.sources_sha256
    order = load(
        tmp_path / "order.npz",
        test_images=arrays["test_images"][::-1],
        test_labels=arrays["test_labels"][::-1],
    ).test.sources_sha256

    assert len(sizes) == 1
    assert None not in sizes
    assert len({*sizes, pixel, order}) == 3


def test_rgb_images_stay_rgb(tmp_path: Path) -> None:
    arrays = medmnist_arrays()
    colour = {
        key: np.stack([value, value // 2, value // 3], axis=3)
        for key, value in arrays.items()
        if "images" in key
    }

    dataset = load(tmp_path / "films.npz", **colour)

    assert dataset.train.images.shape == (40, 32, 32, 3)


def test_sixteen_bit_images_are_divided_by_65535(tmp_path: Path) -> None:
    deep = {
        f"{name}_images": np.full((count, 8, 8), 32896, np.uint16)
        for name, count in (("train", 40), ("val", 20), ("test", 20))
    }

    dataset = load(tmp_path / "films.npz", **deep)

    assert np.unique(dataset.train.images).tolist() == [128]


def test_white_is_the_highest_value_of_the_bits_that_all_splits_use(tmp_path: Path) -> None:
    counts = {"train": (40, 1000), "val": (20, 3312), "test": (20, 2048)}
    deep = {
        f"{name}_images": np.full((count, 8, 8), value, np.uint16) for name, (count, value) in counts.items()
    }

    dataset = load(tmp_path / "films.npz", **deep)

    assert dataset.white == 4095
    assert "The brightest value of 80 16-bit images is 3312: they use 12 bits" in dataset.notes[0]
    assert np.unique(dataset.test.images).tolist() == [round(2048 * 255 / 4095)]


def test_class_names_come_from_the_file_where_it_has_them(tmp_path: Path) -> None:
    dataset = load(tmp_path / "films.npz", classes=np.array(["clear", "opacity"]))

    assert dataset.classes == ("clear", "opacity")


def test_class_names_are_the_labels_where_nothing_names_them(tmp_path: Path) -> None:
    assert load(tmp_path / "films.npz").classes == ("0", "1")


def test_without_a_validation_split_a_fifth_of_the_training_images_is_used_and_noted(tmp_path: Path) -> None:
    dataset = load(tmp_path / "films.npz", val_images=None, val_labels=None)

    assert (len(dataset.train), len(dataset.validation), len(dataset.test)) == (32, 8, 20)
    assert np.bincount(dataset.validation.labels).tolist() == [4, 4]
    assert "20 %" in dataset.notes[0]


def test_the_classes_of_pneumoniamnist_are_known_by_the_files_name(tmp_path: Path) -> None:
    assert load(tmp_path / "pneumoniamnist_64.npz").classes == ("normal", "pneumonia")


@pytest.mark.parametrize("name", ["breastmnist.npz", "breastmnist_224.npz", "BreastMNIST (1).npz"])
def test_malignant_is_the_positive_class_of_breastmnist(tmp_path: Path, name: str) -> None:
    dataset = load(tmp_path / name)

    assert dataset.classes == ("malignant", "normal or benign")
    assert dataset.positive is not None
    assert dataset.positive.label == 0
    assert "MedMNIST" in dataset.notes[0]


def test_a_file_named_as_medmnists_with_other_classes_is_not_taken_for_it(tmp_path: Path) -> None:
    dataset = load(tmp_path / "pathmnist_two.npz")

    assert (dataset.classes, dataset.notes) == (("0", "1"), ())


def test_the_positive_class_of_a_file_is_the_stated_one(tmp_path: Path) -> None:
    save_npz(tmp_path / "films.npz", medmnist_arrays())

    positive = prepare_npz(tmp_path / "films.npz", replace(OPTIONS, positive="0"))(Silent()).positive

    assert positive is not None
    assert positive.label == 0


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"test_labels": None}, "test_labels"),
        ({"val_labels": None}, "val_labels"),
        (
            {"test_images": np.zeros((0, 28, 28), np.uint8), "test_labels": np.zeros((0, 1), np.uint8)},
            "test is empty",
        ),
        ({"val_labels": np.full((20, 1), 5)}, "5 is not the label of a class"),
        ({"val_labels": np.full((20, 1), -1)}, "its label -1 is no class"),
        ({"val_labels": np.zeros((20, 1), np.uint8)}, "no image of class 1"),
        ({"train_labels": np.zeros((40, 1), np.uint8)}, "has only one class"),
        ({"train_labels": np.zeros((39, 1), np.uint8)}, "40 images but 39 labels"),
        ({"train_labels": np.zeros((40, 2), np.uint8)}, "[40, 2]: several labels an image"),
        ({"train_labels": np.zeros((40, 1), np.float32)}, "float32"),
        ({"train_images": np.zeros((40, 28, 28), np.float32)}, "float32"),
        ({"train_images": np.zeros((40, 28), np.uint8)}, "[40, 28]"),
        ({"train_images": np.array([None] * 40, dtype=object)}, "cannot be read"),
        ({"train_labels": np.array([1, 2] * 20)}, "numbered from 1 to 2; number them from 0: labels - 1"),
        ({"train_labels": np.eye(2, dtype=np.int64)[[0, 1] * 20]}, "one-hot"),
        ({"train_labels": np.array(["a", "b"] * 20)}, "np.unique(labels, return_inverse=True)"),
        ({"train_images": np.zeros((40, 28, 28, 28), np.uint8)}, "volumes"),
        ({f"{split}_labels": None for split in ("train", "val", "test")}, "has no labels"),
        ({"train_labels": np.array([0, 2_000_000_000] * 20)}, "label 2000000000 occurs, but 1 does not"),
        ({"train_labels": np.array([0, 2] * 20)}, "label 2 occurs, but 1 does not"),
        ({"train_labels": np.array([0, -1] * 20)}, "its label -1 is no class"),
        ({"train_images": np.zeros((40, 0, 28), np.uint8)}, "[40, 0, 28]"),
        ({"classes": np.array(["a", "a"])}, "2 classes are named 'a'"),
        ({"classes": np.array(["", "b"])}, "class 0 is empty"),
        ({"classes": np.array([], dtype="U1")}, "classes is empty"),
        ({"classes": np.array(["a", "b\x1b[1m"])}, "control character"),
    ],
)
def test_arrays_that_cannot_be_used_are_one_error_naming_file_and_value(
    tmp_path: Path, changed: dict[str, Any], said: str
) -> None:
    with pytest.raises(InputError) as caught:
        load(tmp_path / "films.npz", **changed)

    assert said in str(caught.value)
    assert "films.npz" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "allow_pickle" not in str(caught.value)


def test_a_file_that_is_not_an_npz_is_an_error_before_anything_is_read(tmp_path: Path) -> None:
    path = tmp_path / "films.npz"
    path.write_text("not a zip file")

    with pytest.raises(InputError, match=r"films\.npz is not a readable"):
        prepare_npz(path, OPTIONS)


def test_a_truncated_npz_is_an_error(tmp_path: Path, npz_file: Path) -> None:
    npz_file.write_bytes(npz_file.read_bytes()[:-2000])

    with pytest.raises(InputError, match="is cut off"):
        prepare_npz(npz_file, OPTIONS)


def test_too_many_classes_are_an_error(tmp_path: Path) -> None:
    labels = np.arange(1001)
    images = np.zeros((1001, 2, 2), np.uint8)

    with pytest.raises(InputError, match=r"films\.npz: train_labels has 1001 classes"):
        load(tmp_path / "films.npz", train_labels=labels, train_images=images)


def test_one_training_image_of_a_class_is_too_few_for_a_validation_split(tmp_path: Path) -> None:
    changed = {"train_labels": np.array([0] * 39 + [1]), "val_images": None, "val_labels": None}

    with pytest.raises(InputError, match=r"films\.npz: class 1 \(1\) has 1 training image"):
        load(tmp_path / "films.npz", **changed)


def _npy() -> bytes:
    stream = io.BytesIO()
    np.save(stream, np.zeros(3))
    return stream.getvalue()


@pytest.mark.parametrize("content", [_npy(), b"text", b"", pickle.dumps({"a": 1})])
def test_a_false_npz_is_an_error_without_advice_on_pickles(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "films.npz").write_bytes(content)

    with pytest.raises(InputError, match=r"films\.npz(: is empty| is not a readable \.npz file)") as caught:
        prepare_npz(tmp_path / "films.npz", OPTIONS)

    assert "allow_pickle" not in str(caught.value)


def test_a_member_that_is_not_an_array_is_an_error_that_names_it(tmp_path: Path, npz_file: Path) -> None:
    with zipfile.ZipFile(npz_file) as old, zipfile.ZipFile(tmp_path / "other.npz", "w") as new:
        for name in old.namelist():
            new.writestr(name, b"no array" if name == "test_labels.npy" else old.read(name))

    with pytest.raises(InputError, match=r"other\.npz: 'test_labels' cannot be read [(]it does not begin"):
        prepare_npz(tmp_path / "other.npz", OPTIONS)(Silent())


def test_test_images_that_are_equal_to_others_are_counted_and_stay(tmp_path: Path) -> None:
    arrays = medmnist_arrays()
    arrays["train_images"][[4, 6]] = arrays["test_images"][[2, 2]]
    arrays["val_images"][8] = arrays["test_images"][10]

    dataset = load(tmp_path / "films.npz", **arrays)

    (warning,) = dataset.warnings
    assert warning == (
        "2 test images are equal to one of train or val (train_images[4] is test_images[2]): test figures "
        "may be too good."
    )
    assert (len(dataset.train), len(dataset.validation), len(dataset.test)) == (40, 20, 20)


def test_equal_images_of_two_classes_are_counted(tmp_path: Path) -> None:
    arrays = medmnist_arrays()
    arrays["train_images"][5] = arrays["train_images"][4]

    (warning,) = load(tmp_path / "films.npz", **arrays).warnings
    assert warning == (
        "2 images are equal to one of another class (train_images[4] is train_images[5]): one of the labels "
        "is wrong."
    )


def test_images_of_one_grey_level_are_equal_to_none(tmp_path: Path) -> None:
    arrays = medmnist_arrays()
    arrays["train_images"][5] = arrays["test_images"][4] = 7

    assert load(tmp_path / "films.npz", **arrays).warnings == ()


def test_one_far_brighter_image_and_a_rare_class_are_warnings(tmp_path: Path) -> None:
    arrays: dict[str, npt.NDArray[Any]] = {
        key: value.astype(np.uint16) * 16 if "images" in key else value
        for key, value in medmnist_arrays().items()
    }
    arrays["train_images"][3, 0, 0] = 65535
    for name in ("train", "val", "test"):
        arrays[f"{name}_labels"][:] = 0
        arrays[f"{name}_labels"][0] = 1
    arrays["train_images"] = np.concatenate([arrays["train_images"][:1], *[arrays["train_images"][1:]] * 4])
    arrays["train_labels"] = np.concatenate([arrays["train_labels"][:1], *[arrays["train_labels"][1:]] * 4])

    rare, bright = load(tmp_path / "films.npz", **arrays).warnings

    assert rare == "Class '1' has 3 images and '0' 194: figures on so few images are uncertain."
    assert "train_images[3] has 65535, so they are nearly black" in bright


def test_images_and_labels_in_the_other_order_of_bytes_are_read_as_any_others(tmp_path: Path) -> None:
    deep: dict[str, npt.NDArray[Any]] = {
        key: value.astype(np.uint16) * 257 if "images" in key else value.astype(np.int64)
        for key, value in medmnist_arrays().items()
    }
    swapped = {key: value.astype(value.dtype.newbyteorder("S")) for key, value in deep.items()}

    right, read = load(tmp_path / "a.npz", **deep), load(tmp_path / "b.npz", **swapped)

    assert np.array_equal(read.train.images, right.train.images)
    assert np.array_equal(read.test.labels, right.test.labels)
    assert read.train.images.dtype == np.uint8
