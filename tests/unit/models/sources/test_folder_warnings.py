"""What is probably not meant so in a folder of images is said before training, by class and with counts."""

import re
import shutil
import unicodedata
from collections.abc import Callable
from pathlib import Path, PurePath

import numpy as np
import pytest
from making.films import Remembering
from PIL import Image

from models.dataset import Dataset, Split
from models.description import data_sentences, describe_data
from models.errors import InputError
from models.progress import Silent
from models.records import DataRecord
from models.sources.folder_layout import ImageFile
from models.sources.groups import groups_of
from models.sources.loaders import prepare_source
from models.sources.options import SourceOptions

Write = Callable[..., None]
HEIC = b"\0\0\0\x18ftypheic\0\0\0\0"
LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"


def loaded(folder: Path, *, skip_bad: bool = False, strict: bool = False) -> Dataset:
    options = SourceOptions(image_size=32, skip_bad=skip_bad, images=0, strict_data=strict)
    return prepare_source(str(folder), options)(Silent())


def counts(dataset: Dataset) -> list[int]:
    """How many images each class has, in all splits."""
    splits = (dataset.train, dataset.validation, dataset.test)
    return np.sum([_of_split(split, len(dataset.classes)) for split in splits], axis=0).tolist()  # type: ignore[no-any-return]


def _of_split(split: Split, classes: int) -> list[int]:
    return np.bincount(split.labels, minlength=classes).tolist()  # type: ignore[no-any-return]


@pytest.fixture
def two(tmp_path: Path, write_class: Write) -> Path:
    for label, name in enumerate(("a", "b")):
        write_class(tmp_path / "data" / name, label, 20)
    return tmp_path / "data"


@pytest.fixture
def split(tmp_path: Path, write_class: Write) -> Path:
    for part, count in (("train", 20), ("test", 10)):
        for label, name in enumerate(("a", "b")):
            write_class(tmp_path / "data" / part / name, label, count)
    return tmp_path / "data"


@pytest.mark.parametrize("masks", ["masks", "lung masks", "GT", "segmentation", "Annotations", "leftMask"])
def test_masks_in_a_folder_beside_the_images_are_left_out(
    tmp_path: Path, write_class: Write, masks: str
) -> None:
    for label, name in enumerate(("COVID", "Normal", "Viral Pneumonia")):
        write_class(tmp_path / name / "images", label % 2, 10)
        write_class(tmp_path / name / masks, label % 2, 10)

    dataset = loaded(tmp_path)

    assert counts(dataset) == [10, 10, 10]
    assert dataset.warnings == (
        (
            "30 images are masks of others by name, and left out (of 'COVID' 10, of 'Normal' 10, of 'Viral "
            f"Pneumonia' 10, such as COVID/{masks}/film0.png)."
        ),
    )


def test_masks_named_after_images_are_left_out(tmp_path: Path, write_class: Write) -> None:
    for label, name in enumerate(("normal", "tb")):
        write_class(tmp_path / name, label, 10, "CHNCXR_{:04d}_0.png")
        write_class(tmp_path / name, label, 10, "CHNCXR_{:04d}_0_mask.png")

    dataset = loaded(tmp_path)

    assert counts(dataset) == [10, 10]
    assert "20 images are masks of others by name" in dataset.warnings[0]


def test_classes_of_people_with_masks_are_classes(tmp_path: Path, write_class: Write) -> None:
    for label, name in enumerate(("mask", "no_mask")):
        write_class(tmp_path / name, label, 10)

    assert loaded(tmp_path).warnings == ()


@pytest.mark.parametrize("inside", ["", "COVID/"])
def test_a_folder_of_images_beside_one_of_masks_has_no_classes(
    tmp_path: Path, write_class: Write, inside: str
) -> None:
    for name in ("images", "masks"):
        write_class(tmp_path / name / inside, 0, 5)

    with pytest.raises(InputError, match=r"has only one class, 'images' \(masks are in masks\)"):
        loaded(tmp_path)


def test_images_of_any_name_are_used(tmp_path: Path, write_class: Write) -> None:
    write_class(tmp_path / "normal", 0, 10)
    write_class(tmp_path / "ill", 1, 5, "film{}.png")
    for number, name in enumerate(("a.jfif", "b.jpe", "c", "d.download", "e.PNG", "f.dat")):
        write_class(tmp_path / "x", 1, 1, f"other{number}.png")
        (tmp_path / "x" / f"other{number}.png").rename(tmp_path / "ill" / name)
    (tmp_path / "x").rmdir()

    dataset = loaded(tmp_path)

    assert counts(dataset) == [10, 11]
    assert dataset.warnings == ()


def test_files_that_are_no_images_are_counted_by_class_and_kind(two: Path) -> None:
    for number in range(8):
        (two / "a" / f"IMG_{number}.HEIC").write_bytes(HEIC)
    for number in range(4):
        (two / "a" / f"report{number}.pdf").write_bytes(b"%PDF-1.7\n")
    (two / "b" / "more.zip").write_bytes(b"PK\x03\x04")
    (two / "b" / "notes.txt").write_text("read me")

    dataset = loaded(two)

    assert dataset.warnings == (
        (
            "13 files that are no images were left out: of class 'a' 12 of 32 files (8 HEIC pictures, 4 PDF "
            "documents); of class 'b' 1 of 22 files (1 archive)."
        ),
    )
    assert "1 other file was ignored: 1 text file (notes.txt)." in dataset.notes
    assert counts(dataset) == [20, 20]


def test_a_class_of_other_pictures_is_an_error_that_says_which(two: Path, write_class: Write) -> None:
    (two / "c").mkdir()
    (two / "c" / "IMG_1.HEIC").write_bytes(HEIC)

    with pytest.raises(
        InputError, match=r"no image of class 'c', but 1 HEIC picture, which edgefit does not read"
    ):
        loaded(two)


@pytest.mark.parametrize("name", ["film99.png", "film99"])
def test_a_pointer_in_the_place_of_an_image_is_an_error_with_its_remedy(two: Path, name: str) -> None:
    (two / "a" / name).write_bytes(LFS)

    with pytest.raises(InputError, match=r"Git LFS pointer.*git lfs pull.*1 of 41 images.*--skip-bad"):
        loaded(two)

    dataset = loaded(two, skip_bad=True)
    assert dataset.warnings[0].startswith(f"1 image cannot be decoded and was skipped: a/{name} (it is a Git")
    assert counts(dataset) == [20, 20]


def test_a_class_of_pointers_is_an_error_that_says_so_even_with_skip_bad(two: Path) -> None:
    for path in (two / "a").iterdir():
        path.write_bytes(LFS)

    with pytest.raises(InputError, match=r"no image of class 'a' that can be decoded \(.*git lfs pull"):
        loaded(two, skip_bad=True)


def test_what_is_no_image_stops_before_any_image_is_decoded(two: Path) -> None:
    (two / "b" / "page.jpg").write_bytes(b"<!DOCTYPE html><html>")
    options = SourceOptions(image_size=32, skip_bad=False, images=0)

    with pytest.raises(InputError, match=r"page\.jpg cannot be decoded \(it is an HTML page\)"):
        prepare_source(str(two), options)


@pytest.mark.parametrize("place", ["test", "test/unknown", "test/test"])
def test_a_test_split_without_labels_is_not_used(split: Path, write_class: Write, place: str) -> None:
    shutil.rmtree(split / "test")
    write_class(split / place, 0, 12)

    dataset = loaded(split)

    assert dataset.warnings[0].startswith(
        "12 images of test were left out, as test has no folder per class, and so no labels (test/"
    )
    assert any("has no test split" in note for note in dataset.notes)
    assert counts(dataset) == [20, 20]


def test_images_beside_classes_and_beside_splits_are_left_out(split: Path, write_class: Write) -> None:
    write_class(split / "train", 0, 1, "stray.png")
    write_class(split / "extra" / "a", 0, 3)

    assert set(loaded(split).warnings) == {
        "1 image in no class folder was left out (train/stray.png).",
        "3 images beside the splits were left out (extra).",
    }


def test_two_folders_of_one_split_are_used_together(split: Path, write_class: Write) -> None:
    for part in ("val", "validation"):
        for label, name in enumerate(("a", "b")):
            write_class(split / part / name, label, 15)

    dataset = loaded(split)

    assert "The folders val, validation are one split together." in dataset.warnings
    assert len(dataset.validation) == 60


def test_splits_may_lie_in_the_folders_of_the_classes(tmp_path: Path, write_class: Write) -> None:
    for label, name in enumerate(("a", "b")):
        write_class(tmp_path / name / "train", label, 20)
        write_class(tmp_path / name / "test", label, 7)

    dataset = loaded(tmp_path)

    assert len(dataset.test) == 14
    assert "The splits lie in the class folders (test, train)." in dataset.notes


def test_an_equal_image_in_test_is_not_trained_on(split: Path) -> None:
    for number in range(3):
        shutil.copy(split / "test" / "a" / f"film{number}.png", split / "train" / "a" / f"x{number}.png")

    dataset = loaded(split)

    assert dataset.warnings == (
        (
            "3 images are equal to one of a later split, byte for byte (train/a/x0.png is test/a/film0.png), "
            "and left out."
        ),
    )
    assert np.bincount(dataset.test.labels).tolist() == [10, 10]
    assert counts(dataset) == [30, 30]


def test_equal_images_of_one_class_stay_in_one_split(two: Path) -> None:
    for number in range(20):
        shutil.copy(two / "a" / f"film{number}.png", two / "a" / f"twin{number}.png")

    dataset = loaded(two)

    assert counts(dataset) == [40, 20]
    assert dataset.warnings == (
        (
            "20 images are copies of others, byte for byte (a/film0.png is a/twin0.png); copies stay in one "
            "split."
        ),
    )
    assert np.bincount(dataset.test.labels)[0] % 2 == 0
    assert np.bincount(dataset.validation.labels)[0] % 2 == 0


def test_copies_altered_copies_and_patients_are_one_group_by_any_chain() -> None:
    def image(name: str, patient: str | None = None, content: str | None = None) -> ImageFile:
        return ImageFile(Path(name), 0, "", PurePath(name), "", patient, content)

    linked = [image("a.png", "p1", "x"), image("b.png", None, "x"), image("b_flip.png"), image("c.png", "p1")]
    keys = groups_of([*linked, image("d.png")])

    assert len(set(keys[:4])) == 1
    assert keys[4] not in keys[:4]


@pytest.mark.parametrize(
    "names", [("train_images", "test_images"), ("TrainSet", "TestSet"), ("training", "testing")]
)
def test_splits_have_many_names(tmp_path: Path, write_class: Write, names: tuple[str, str]) -> None:
    for part, count in zip(names, (20, 10), strict=True):
        for label, name in enumerate(("a", "b")):
            write_class(tmp_path / part / name, label, count)

    dataset = loaded(tmp_path)

    assert dataset.classes == ("a", "b")
    assert len(dataset.test) == 20


def test_equal_images_in_two_classes_are_not_used(two: Path) -> None:
    for number in range(2):
        shutil.copy(two / "a" / f"film{number}.png", two / "b" / f"x{number}.png")

    dataset = loaded(two)

    assert counts(dataset) == [18, 20]
    assert dataset.warnings == (
        (
            "4 images are equal to one of another class, byte for byte (a/film0.png is b/x0.png): none of "
            "these is used, as one of the labels is wrong."
        ),
    )


def test_a_folder_of_several_labels_per_image_is_an_error(two: Path) -> None:
    shutil.rmtree(two / "b")
    shutil.copytree(two / "a", two / "b")

    with pytest.raises(InputError, match="40 of 40 images are in two classes or more"):
        loaded(two)


def test_the_same_pixels_in_another_file_are_found_as_well(split: Path) -> None:
    Image.open(split / "test" / "a" / "film0.png").save(split / "train" / "a" / "x.bmp")
    Image.open(split / "train" / "a" / "film1.png").save(split / "train" / "b" / "y.bmp")

    dataset = loaded(split)

    assert counts(dataset) == [29, 30]
    assert np.bincount(dataset.test.labels).tolist() == [10, 10]
    assert dataset.warnings[0].startswith("3 images were left out, as the same pixels are in another split")


def test_masks_of_any_name_are_recognised_by_their_pixels(two: Path) -> None:
    for number in range(5):
        pixels = np.zeros((299, 299), np.uint8)
        pixels[40:200, 30 : 130 + number] = pixels[60:220, 160:260] = 255
        Image.fromarray(pixels).save(two / "a" / f"lungs{number}.png")

    dataset = loaded(two)

    assert counts(dataset) == [25, 20]
    assert len(dataset.warnings) == 1
    assert dataset.warnings[0].startswith("5 images are black and white, as masks are: a/lungs")


def test_blank_images_are_a_warning(two: Path) -> None:
    Image.new("L", (50, 50), 7).save(two / "a" / "blank.png")

    assert loaded(two).warnings == ("1 image is blank (it has one grey level): a/blank.png.",)


def test_altered_copies_stay_in_the_split_of_their_original(tmp_path: Path, write_class: Write) -> None:
    for label, name in enumerate(("a", "b")):
        write_class(tmp_path / name, label, 10)
        write_class(tmp_path / name, label, 10, "film{}_flip.png")

    dataset = loaded(tmp_path)

    assert dataset.warnings == (
        (
            "20 images are altered copies of others by name (film0_flip.png of film0.png); each stays in the "
            "split of its original."
        ),
    )
    assert np.bincount(dataset.test.labels).tolist() == [4, 4]


def test_an_altered_copy_of_a_test_image_in_train_is_a_warning(split: Path, write_class: Write) -> None:
    write_class(split / "test" / "a", 0, 1, "other{}.png")
    write_class(split / "train" / "a", 0, 1, "other{}_rot90.png")

    assert "1 of them are in another split than the original" in loaded(split).warnings[0]


def test_one_name_in_two_unicode_forms_is_one_class(split: Path) -> None:
    (split / "train" / "a").rename(split / "train" / unicodedata.normalize("NFC", "fièvre"))
    (split / "test" / "a").rename(split / "test" / unicodedata.normalize("NFD", "fièvre"))

    dataset = loaded(split)

    assert dataset.classes == ("b", "fièvre")
    assert "'fièvre' have their name in 2 Unicode forms, which look the same" in dataset.warnings[0]


def test_names_in_other_capitals_are_one_class_unless_a_split_has_both(
    split: Path, write_class: Write
) -> None:
    (split / "test" / "a").rename(split / "test" / "A")
    assert "'a', 'A' are taken for one class" in loaded(split).warnings[0]

    write_class(split / "train" / "A", 0, 20)
    write_class(split / "test" / "a", 0, 10, first=100)
    dataset = loaded(split)
    assert dataset.classes == ("A", "a", "b")
    assert "'A' (30 images), 'a' (30 images) differ in spelling alone" in dataset.warnings[0]


def test_a_class_with_many_times_as_many_images_is_a_warning(tmp_path: Path, write_class: Write) -> None:
    write_class(tmp_path / "a", 0, 5)
    write_class(tmp_path / "b", 1, 250)

    assert "Class 'a' has 5 images and 'b' 250" in loaded(tmp_path).warnings[0]


def test_parts_of_a_data_set_are_no_classes_if_a_table_names_the_images(
    tmp_path: Path, write_class: Write
) -> None:
    for part in (1, 2, 3):
        write_class(tmp_path / f"images_{part:03d}" / "images", 0, 10, f"{part}{{}}.png")
    assert "'images_001', 'images_002', 'images_003' are used as classes" in loaded(tmp_path).warnings[0]

    rows = "".join(f"{part}{number}.png,x\n" for part in (1, 2, 3) for number in range(10))
    (tmp_path / "Data_Entry.csv").write_text(f"Image Index,Finding Labels\n{rows}")
    with pytest.raises(InputError, match=r"no classes; the labels are probably in .*: give --data .*\.csv"):
        loaded(tmp_path)


def test_a_flat_folder_beside_a_table_is_an_error_that_names_the_table(
    tmp_path: Path, write_class: Write
) -> None:
    write_class(tmp_path / "train", 0, 5, "{}.png")
    (tmp_path / "train.csv").write_text("id,diagnosis\n" + "".join(f"{n},{n % 2}\n" for n in range(5)))
    (tmp_path / "prices.csv").write_text("name,price\nx,1\n")

    (tmp_path / "labels.xlsx").write_bytes(b"PK\x03\x04")
    with pytest.raises(InputError, match=r"no class sub-folder.* probably in [^ ]*/train\.csv: give --data"):
        loaded(tmp_path)


@pytest.mark.parametrize("name", ["labels.xlsx", "images/metadata.jsonl", "labels.parquet"])
def test_a_table_that_is_not_read_is_named(tmp_path: Path, write_class: Write, name: str) -> None:
    write_class(tmp_path / "images", 0, 5)
    (tmp_path / name).write_bytes(b"PK\x03\x04")

    with pytest.raises(InputError, match=f"if {re.escape(name)} has the labels, save it as CSV"):
        loaded(tmp_path)


def test_with_strict_data_every_warning_is_in_one_error(two: Path) -> None:
    (two / "a" / "IMG_1.HEIC").write_bytes(HEIC)
    shutil.copy(two / "a" / "film0.png", two / "b" / "x.png")

    with pytest.raises(InputError) as caught:
        loaded(two, strict=True)

    assert "with --strict-data 2 warnings are errors" in str(caught.value)
    assert "HEIC picture" in str(caught.value)
    assert "equal to one of another class" in str(caught.value)


def test_with_strict_data_a_skipped_image_is_an_error(two: Path) -> None:
    (two / "a" / "film0.png").write_bytes((two / "a" / "film0.png").read_bytes()[:100])

    with pytest.raises(InputError, match=r"a warning is an error.*\n.*was skipped"):
        loaded(two, skip_bad=True, strict=True)


def test_with_strict_data_what_pixels_show_is_an_error(two: Path) -> None:
    for index, path in enumerate(sorted(two.rglob("*.png"))):
        pixels = np.asarray(Image.open(path)).astype(np.uint16) * 16
        pixels[0, 0] = 4095 if index else 65535
        Image.fromarray(pixels).save(path)
    pages = [Image.fromarray(np.full((40, 40), value, np.uint8)) for value in (20, 90)]
    pages[0].save(two / "a" / "pages.tif", save_all=True, append_images=pages[1:])

    with pytest.raises(InputError) as caught:
        loaded(two, strict=True)

    assert "so they are nearly black" in str(caught.value)
    assert "1 file holds several pictures" in str(caught.value)


def test_with_strict_data_a_clean_folder_is_used(two: Path) -> None:
    (two / ".DS_Store").write_text("x")
    (two / "a" / "notes.txt").write_text("x")

    assert counts(loaded(two, strict=True)) == [20, 20]


def test_warnings_are_said_first_and_recorded(two: Path, progress: Remembering) -> None:
    (two / "a" / "IMG_1.HEIC").write_bytes(HEIC)

    dataset = loaded(two)

    assert data_sentences(dataset)[0].startswith("warning: 1 file that is no image was left out")
    assert describe_data(str(two), dataset).warnings == dataset.warnings


def test_a_record_of_before_has_no_warnings(two: Path) -> None:
    record = describe_data("x", loaded(two)).model_dump(mode="json", exclude={"warnings"})

    assert DataRecord.model_validate(record, strict=False).warnings == ()
