"""What is probably not meant so in a folder of images is said before an export, as before a training."""

import shutil
from pathlib import Path

import pytest
from making.pictures import write_pictures

from bench.errors import InputError
from export.data.finding import DataOptions, find_data
from export.data.images import LabelledImages
from export.data.readable import FileImages

HEIC = b"\0\0\0\x18ftypheic\0\0\0\0"


def found_in(folder: Path) -> LabelledImages:
    found = find_data(str(folder))
    assert isinstance(found, LabelledImages)
    return found


@pytest.fixture
def two(tmp_path: Path) -> Path:
    for name in ("a", "b"):
        write_pictures(tmp_path / "data" / name, 20)
    return tmp_path / "data"


def test_masks_and_other_pictures_are_left_out_and_said(two: Path) -> None:
    write_pictures(two / "a" / "masks", 20)
    (two / "b" / "IMG_1.HEIC").write_bytes(HEIC)

    found = found_in(two)

    assert len(found.images) == 40
    assert "20 images are masks of others by name" in found.warnings[0]
    assert "of class 'b' 1 of 21 files (1 HEIC picture)" in found.warnings[1]
    assert set(found.warnings) < set(found.notes)


def test_images_of_any_name_are_used(two: Path) -> None:
    for number in range(15):
        (two / "a" / f"{number}.png").rename(two / "a" / f"{number}.jfif")
    (two / "a" / "15.png").rename(two / "a" / "scan")

    found = found_in(two)

    assert len(found.images) == 40
    assert found.warnings == ()


def test_a_test_split_without_labels_is_not_used(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_pictures(tmp_path / "train" / name, 20)
    write_pictures(tmp_path / "test", 10)

    found = found_in(tmp_path)

    assert "10 images of test were left out, as test has no folder per class" in found.warnings[0]
    assert len(found.images) == 40


def test_equal_images_in_two_classes_are_not_used(two: Path) -> None:
    shutil.copy(two / "a" / "3.png", two / "b" / "copy.png")

    found = found_in(two)

    assert len(found.images) == 39
    assert "2 images are equal to one of another class" in found.warnings[0]


def test_altered_copies_stay_in_the_set_of_their_original(two: Path) -> None:
    write_pictures(two / "a", 20, "{}_flip.png")

    found = found_in(two)

    assert "20 images are altered copies of others by name" in found.warnings[0]
    assert isinstance(found.images, FileImages)
    files = found.images.files
    names = [
        {files[index].stem.removesuffix("_flip") for index in chosen if files[index].parent.name == "a"}
        for chosen in (found.calibration, found.held_out, found.evaluation)
    ]
    assert not names[0] & names[1]
    assert not (names[0] | names[1]) & names[2]


def test_parts_of_a_data_set_have_no_labels_and_the_table_is_named(tmp_path: Path) -> None:
    for part in (1, 2):
        write_pictures(tmp_path / f"images_{part:03d}", 20, f"{part}-{{}}.png")
    rows = "".join(f"{part}-{number}.png,{'ab'[number % 2]}\n" for part in (1, 2) for number in range(20))
    (tmp_path / "Data_Entry.csv").write_text(f"Image Index,Finding Labels\n{rows}")

    found = found_in(tmp_path)

    assert found.labels is None
    assert "named as parts (images_001, images_002): they are no classes" in found.warnings[0]
    assert f"give --data {tmp_path / 'Data_Entry.csv'}" in found.warnings[0]
    assert found_in(tmp_path / "Data_Entry.csv").classes == ("a", "b")


def test_a_pointer_in_the_place_of_an_image_is_an_error_with_its_remedy(two: Path) -> None:
    (two / "a" / "3.png").write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\n")

    with pytest.raises(InputError, match=r"3\.png: it is a Git LFS pointer.*git lfs pull.*1 of 40 images"):
        found_in(two)


def test_a_class_of_other_pictures_is_an_error_that_says_which(two: Path) -> None:
    (two / "c").mkdir()
    (two / "c" / "IMG_1.HEIC").write_bytes(HEIC)

    with pytest.raises(InputError, match="'c' has no image, but 1 HEIC picture, which edgefit does not read"):
        found_in(two)


def test_a_stated_class_may_have_another_unicode_form_than_its_folder(two: Path) -> None:
    (two / "a").rename(two / "fie\u0300vre")

    found = find_data(str(two), DataOptions(classes=("b", "fi\u00e8vre")))

    assert found.classes == ("b", "fi\u00e8vre")
