"""A folder of class sub-folders, with and without splits of its own."""

import os
import shutil
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path, PurePath

import numpy as np
import pytest
from PIL import Image

from models.errors import InputError
from models.progress import Silent
from models.sources.copies import without_contradictions
from models.sources.folder import plan_splits, prepare_folder
from models.sources.folder_layout import ImageFile, read_layout
from models.sources.folder_tree import PlacedFile
from models.sources.groups import groups_of
from models.sources.options import SourceOptions
from models.sources.patients import patient_of
from user_files.data_kinds import IMAGE
from user_files.finding import FoundFile
from user_files.related_names import originals_of

OPTIONS = SourceOptions(image_size=32, skip_bad=False, images=0)
SKIPPING = SourceOptions(image_size=32, skip_bad=True, images=0)


@pytest.fixture
def plain(tmp_path: Path, write_class: Callable[..., None]) -> Path:
    folder = tmp_path / "xrays"
    write_class(folder / "NORMAL", 0, 25)
    write_class(folder / "PNEUMONIA", 1, 50)
    return folder


@pytest.fixture
def kaggle(tmp_path: Path, write_class: Callable[..., None]) -> Path:
    """As Kaggle's chest_xray lies on disk, in small."""
    folder = tmp_path / "chest_xray"
    for split, normal, ill in (("train", 20, 40), ("val", 4, 4), ("test", 10, 12)):
        write_class(folder / split / "NORMAL", 0, normal // 2, split + "-IM-{:04d}-0001.png")
        write_class(folder / split / "NORMAL", 0, normal - normal // 2, "IM-{:04d}-0001.png", first=100)
        write_class(folder / split / "PNEUMONIA", 1, ill // 2, "person{}_bacteria_1.png")
        write_class(folder / split / "PNEUMONIA", 1, ill - ill // 2, "person{}_bacteria_2.png")
    (folder / "__MACOSX").mkdir()
    (folder / "train" / ".DS_Store").write_text("x")
    (folder / "train" / "NORMAL" / ".DS_Store").write_text("x")
    return folder


def paths(files: Iterable[ImageFile]) -> set[Path]:
    return {file.path for file in files}


def test_without_splits_a_fifth_is_for_the_test_and_a_fifth_of_the_rest_for_validation(plain: Path) -> None:
    dataset = prepare_folder(plain, OPTIONS)(Silent())

    assert dataset.classes == ("NORMAL", "PNEUMONIA")
    assert np.bincount(dataset.test.labels).tolist() == [5, 10]
    assert np.bincount(dataset.validation.labels).tolist() == [4, 8]
    assert np.bincount(dataset.train.labels).tolist() == [16, 32]
    assert any(
        "has no test split" in note and "no file name contains a patient" in note for note in dataset.notes
    )


def test_test_images_are_known_as_the_same_ones_whatever_size_they_are_given(plain: Path) -> None:
    def sources(side: int) -> str | None:
        return prepare_folder(plain, replace(OPTIONS, image_size=side))(Silent()).test.sources_sha256

    before = sources(32)
    assert before is not None
    assert sources(48) == before
    for path in (plain / "NORMAL").iterdir():
        Image.open(path).rotate(90).save(path)
    assert sources(32) != before


def test_labels_follow_the_images(plain: Path) -> None:
    dataset = prepare_folder(plain, OPTIONS)(Silent())

    for split in (dataset.train, dataset.validation, dataset.test):
        brightest = split.images.reshape(len(split), -1).max(axis=1)
        assert np.array_equal(brightest > 130, split.labels == 1)


def test_kaggles_small_val_is_added_to_train_and_split_again_while_test_stays(kaggle: Path) -> None:
    plan = plan_splits(kaggle, read_layout(kaggle))

    assert paths(plan.test) == set((kaggle / "test").rglob("*.png"))
    assert paths(plan.train) | paths(plan.validation) == {
        path for name in ("train", "val") for path in (kaggle / name).rglob("*.png")
    }
    assert not paths(plan.train) & paths(plan.validation)
    assert len(plan.validation) == pytest.approx(0.2 * 68, abs=2)
    assert any("val has 8 images, fewer than 50" in note for note in plan.notes)


def test_no_patient_is_in_two_splits(tmp_path: Path, write_class: Callable[..., None]) -> None:
    folder = tmp_path / "xrays"
    write_class(folder / "NORMAL", 0, 30, "NORMAL2-IM-{:04d}-0001.png")
    for view in range(3):
        write_class(folder / "PNEUMONIA", 1, 20, "person{}_bacteria_" + f"{view}.png")

    plan = plan_splits(folder, read_layout(folder))

    sides = [{patient_of(file.inner) for file in files} for files in (plan.train, plan.validation, plan.test)]
    assert None not in sides[0]
    assert not sides[0] & sides[1]
    assert not (sides[0] | sides[1]) & sides[2]
    assert any("by patient (90 of 90" in note for note in plan.notes)


def test_large_enough_splits_are_used_as_they_are(tmp_path: Path, write_class: Callable[..., None]) -> None:
    for split, count in (("train", 10), ("val", 25), ("test", 5)):
        write_class(tmp_path / split / "a", 0, count)
        write_class(tmp_path / split / "b", 1, count)

    dataset = prepare_folder(tmp_path, OPTIONS)(Silent())

    assert (len(dataset.train), len(dataset.validation), len(dataset.test)) == (20, 50, 10)
    assert dataset.notes == ()


def test_other_files_are_ignored_and_counted(kaggle: Path) -> None:
    (kaggle / "train" / "PNEUMONIA" / "Thumbs.db").write_text("x")
    (kaggle / "train" / "PNEUMONIA" / "notes.txt").write_text("x")

    plan = plan_splits(kaggle, read_layout(kaggle))

    assert "4 hidden or system files were ignored (.DS_Store, Thumbs.db, __MACOSX)." in plan.notes
    assert "1 other file was ignored: 1 text file (notes.txt)." in plan.notes
    assert read_layout(kaggle).warnings == ()


def test_of_two_classes_the_one_without_findings_is_label_0(
    tmp_path: Path, write_class: Callable[..., None]
) -> None:
    write_class(tmp_path / "COVID", 1, 10)
    write_class(tmp_path / "normal", 0, 10)

    layout = read_layout(tmp_path)

    assert layout.classes == ("normal", "COVID")


def test_images_in_folders_below_a_class_count_too(tmp_path: Path, write_class: Callable[..., None]) -> None:
    for patient in range(6):
        write_class(tmp_path / "a" / f"patient{patient}", 0, 3)
        write_class(tmp_path / "b" / f"patient{patient}", 1, 3)

    plan = plan_splits(tmp_path, read_layout(tmp_path))

    assert len(plan.train) + len(plan.validation) + len(plan.test) == 36
    assert not {file.inner.parts[0] for file in plan.test} & {file.inner.parts[0] for file in plan.train}


def test_a_bad_image_is_an_error_with_its_name_and_the_number(plain: Path) -> None:
    for name in ("film3.png", "film9.png"):
        (plain / "NORMAL" / name).write_bytes(b"\x89PNG broken")

    with pytest.raises(InputError) as caught:
        prepare_folder(plain, OPTIONS)(Silent())

    assert "film" in str(caught.value)
    assert "2 of 75 images" in str(caught.value)
    assert "--skip-bad" in str(caught.value)


def test_with_skip_bad_bad_images_are_skipped_and_named(plain: Path) -> None:
    (plain / "NORMAL" / "film3.png").write_bytes(b"\x89PNG broken")

    dataset = prepare_folder(plain, SKIPPING)(Silent())

    assert len(dataset.train) + len(dataset.validation) + len(dataset.test) == 74
    assert any(
        "1 image cannot be decoded" in line and "NORMAL/film3.png" in line for line in dataset.warnings
    )


def test_a_class_with_bad_images_only_is_an_error(plain: Path) -> None:
    for path in (plain / "NORMAL").glob("*.png"):
        path.write_bytes(b"broken")

    with pytest.raises(InputError, match="has no image of class 'NORMAL' that can be decoded"):
        prepare_folder(plain, SKIPPING)(Silent())


def test_skipping_an_image_moves_no_other_to_another_split(plain: Path) -> None:
    before = plan_splits(plain, read_layout(plain))
    (plain / "NORMAL" / "film3.png").write_bytes(b"broken")

    after = plan_splits(plain, read_layout(plain))

    assert paths(before.test) == paths(after.test)


def test_a_dicom_file_is_an_error_before_anything_is_decoded(plain: Path) -> None:
    (plain / "NORMAL" / "IM0001").write_bytes(b"\0" * 128 + b"DICM" + b"\0" * 99)

    with pytest.raises(InputError, match=r"IM0001: DICOM is not supported"):
        prepare_folder(plain, OPTIONS)


def test_a_dicom_file_named_as_an_image_is_an_error_even_with_skip_bad(plain: Path) -> None:
    (plain / "NORMAL" / "film1.png").write_bytes(b"\0" * 128 + b"DICM" + b"\0" * 99)

    with pytest.raises(InputError, match="DICOM is not supported"):
        prepare_folder(plain, SKIPPING)(Silent())


def test_a_folder_without_classes_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no class sub-folder"):
        prepare_folder(tmp_path, OPTIONS)


def test_a_folder_with_one_class_is_an_error_that_names_it(
    tmp_path: Path, write_class: Callable[..., None]
) -> None:
    write_class(tmp_path / "NORMAL", 0, 5)

    with pytest.raises(InputError, match="has only one class, 'NORMAL'"):
        prepare_folder(tmp_path, OPTIONS)


def test_a_folder_one_level_too_high_is_an_error_naming_the_right_one(kaggle: Path) -> None:
    with pytest.raises(InputError, match=r"did you mean .*chest_xray"):
        prepare_folder(kaggle.parent, OPTIONS)


@pytest.mark.parametrize("emptied", ["test", "train"])
def test_an_empty_split_is_an_error_that_names_it(kaggle: Path, emptied: str) -> None:
    for path in (kaggle / emptied).rglob("*.png"):
        path.unlink()

    with pytest.raises(InputError, match=f"{emptied} has no image"):
        prepare_folder(kaggle, OPTIONS)


def test_a_class_without_images_is_an_error_that_names_it(plain: Path) -> None:
    for path in (plain / "NORMAL").glob("*.png"):
        path.unlink()

    with pytest.raises(InputError, match="no image of class 'NORMAL'"):
        prepare_folder(plain, OPTIONS)


def test_a_class_too_small_to_split_is_an_error(tmp_path: Path, write_class: Callable[..., None]) -> None:
    write_class(tmp_path / "a", 0, 20)
    write_class(tmp_path / "b", 1, 1)

    with pytest.raises(InputError, match="class 'b' has too few images"):
        prepare_folder(tmp_path, OPTIONS)


def test_a_test_folder_without_a_train_folder_is_an_error(
    tmp_path: Path, write_class: Callable[..., None]
) -> None:
    write_class(tmp_path / "test" / "a", 0, 5)
    write_class(tmp_path / "test" / "b", 1, 5)

    with pytest.raises(InputError, match="no train folder"):
        prepare_folder(tmp_path, OPTIONS)


def test_patients_in_training_and_test_images_are_a_warning(
    tmp_path: Path, write_class: Callable[..., None]
) -> None:
    for split in ("train", "val", "test"):
        write_class(tmp_path / split / "NORMAL", 0, 50, f"BACTERIA-{split}" + "{}.png")
        write_class(tmp_path / split / "PNEUMONIA", 1, 50, "person{}_bacteria_1.png")

    warnings = plan_splits(tmp_path, read_layout(tmp_path)).warnings

    assert any(
        note.startswith("50 names of patients (person0 …) are in train or val and in test")
        for note in warnings
    )


def test_a_broken_link_is_an_error_if_named_like_an_image_and_ignored_otherwise(plain: Path) -> None:
    (plain / "NORMAL" / "notes.txt").symlink_to(plain / "nowhere.txt")
    layout = read_layout(plain)
    (plain / "NORMAL" / "dead.png").symlink_to(plain / "nowhere.png")

    with pytest.raises(InputError, match=r"dead\.png cannot be decoded \(it is a broken link\)"):
        prepare_folder(plain, OPTIONS)(Silent())

    assert layout.warnings == (
        "1 file that is no image was left out: of class 'NORMAL' 1 of 26 files (1 broken link).",
    )


def test_a_class_may_mix_jpeg_png_and_sixteen_bit_files(plain: Path) -> None:
    Image.fromarray(np.full((50, 60), 40000, np.uint16)).save(plain / "NORMAL" / "deep.png")
    Image.fromarray(np.full((50, 60), 90, np.uint8)).save(plain / "PNEUMONIA" / "other.JPG")

    dataset = prepare_folder(plain, OPTIONS)(Silent())

    assert len(dataset.train) + len(dataset.validation) + len(dataset.test) == 77


def test_images_that_use_12_of_16_bits_are_as_bright_as_those_of_8(plain: Path) -> None:
    for folder in ("NORMAL", "PNEUMONIA"):
        for path in (plain / folder).iterdir():
            image = np.asarray(Image.open(path).convert("L")).astype(np.uint16)
            Image.fromarray(image * 13).save(path.with_suffix(".png"))

    dataset = prepare_folder(plain, OPTIONS)(Silent())

    assert dataset.white == 4095
    assert any("16-bit images is" in note and "4095 counts as white" in note for note in dataset.notes)
    assert len(np.unique(dataset.train.images)) > 100
    assert dataset.train.images.max() > 150


def test_a_folder_of_tagged_images_gives_the_pixels_of_the_upright_ones(tmp_path: Path, plain: Path) -> None:
    tagged = Path(shutil.copytree(plain, tmp_path / "tagged" / "xrays"))
    exif = Image.Exif()
    exif[0x0112] = 6
    for path in tagged.rglob("*.png"):
        with Image.open(path) as image:
            lying = image.transpose(Image.Transpose.ROTATE_90)
        lying.save(path, exif=exif)

    upright, turned = (prepare_folder(folder, OPTIONS)(Silent()) for folder in (plain, tagged))

    assert np.array_equal(turned.train.images, upright.train.images)
    assert np.array_equal(turned.test.images, upright.test.images)


def test_images_of_8_bits_leave_white_where_it_always_was(plain: Path) -> None:
    dataset = prepare_folder(plain, OPTIONS)(Silent())

    assert dataset.white == 65535
    assert not any("bit" in note for note in dataset.notes)


@pytest.mark.parametrize("names", [("COVID", "Non-COVID"), ("effusion", "no_effusion"), ("Sick", "healthy")])
def test_of_two_classes_the_negative_name_is_label_0(
    tmp_path: Path, write_class: Callable[..., None], names: tuple[str, ...]
) -> None:
    for label, name in enumerate(names):
        write_class(tmp_path / name, label, 3)

    layout = read_layout(tmp_path)

    assert layout.classes == (names[1], names[0])


def test_the_positive_class_of_a_folder_is_stated_or_told_by_the_names(
    tmp_path: Path, write_class: Callable[..., None]
) -> None:
    for label, name in enumerate(("cat", "dog")):
        write_class(tmp_path / name, label, 10)

    assumed = prepare_folder(tmp_path, OPTIONS)(Silent()).positive
    stated = prepare_folder(tmp_path, replace(OPTIONS, positive="cat"))(Silent()).positive

    assert assumed is not None
    assert (assumed.label, "Nothing says which class is positive" in assumed.sentence) == (1, True)
    assert stated is not None
    assert (stated.label, "Nothing says" in stated.sentence) == (0, False)


def test_a_stated_class_that_the_folder_does_not_have_is_an_error_before_images_are_read(
    tmp_path: Path, write_class: Callable[..., None]
) -> None:
    for label, name in enumerate(("cat", "dog")):
        write_class(tmp_path / name, label, 10)

    with pytest.raises(InputError, match="no such class; choose 'cat' or 'dog'"):
        prepare_folder(tmp_path, replace(OPTIONS, positive="bird"))


def test_pipes_are_skipped_without_waiting(plain: Path) -> None:
    os.mkfifo(plain / "NORMAL" / "pipe")
    os.mkfifo(plain / "NORMAL" / "pipe.png")

    dataset = prepare_folder(plain, SKIPPING)(Silent())

    assert any("pipe.png" in line and "skipped" in line for line in dataset.warnings)


@pytest.mark.parametrize("name", [b"BAD\xff", b"BAD\n", b"BAD\x1b[31m"])
def test_an_unprintable_class_name_is_an_error(plain: Path, name: bytes) -> None:
    (plain / "PNEUMONIA").rename(plain / os.fsdecode(name))

    with pytest.raises(InputError, match=r"class folder 'BAD.*rename it") as caught:
        read_layout(plain)

    assert str(caught.value).isprintable()


@pytest.mark.parametrize("name", [b"xrays\xff", b"xrays\n"])
def test_an_unprintable_folder_name_is_an_error(plain: Path, name: bytes) -> None:
    renamed = plain.rename(plain.parent / os.fsdecode(name))

    with pytest.raises(InputError, match=r"--data.*xrays.*rename it") as caught:
        read_layout(renamed)

    assert str(caught.value).isprintable()


def test_the_name_of_an_ignored_file_is_escaped(plain: Path) -> None:
    (plain / "NORMAL" / os.fsdecode(b"n\xff.txt")).write_text("x")

    assert any(r"(n\udcff.txt)" in note for note in read_layout(plain).notes)


def test_the_splits_take_no_memory_of_their_own(plain: Path) -> None:
    shutil.copy(next((plain / "NORMAL").iterdir()), plain / "PNEUMONIA" / "equal.png")

    dataset = prepare_folder(plain, OPTIONS)(Silent())

    assert any("equal" in warning for warning in dataset.warnings)
    bases = [split.images.base for split in (dataset.train, dataset.validation, dataset.test)]
    assert bases[0] is not None
    assert all(base is bases[0] for base in bases)


def test_copies_and_chains_of_altered_copies_take_time_in_proportion_to_the_images() -> None:
    """Each image is looked at a few times, however many share its name, its content or its patient."""
    names = [PurePath(f"study{number}") / name for number in range(5_000) for name in ("a.png", "a_flip.png")]
    files = [
        ImageFile(path=Path(name), label=0, split="", inner=name, content="all", patient=str(number // 3))
        for number, name in enumerate(names)
    ]

    assert originals_of(names, [0] * len(names)) == {copy: copy - 1 for copy in range(1, len(names), 2)}
    assert len(set(groups_of(files))) == 1


def test_many_copies_of_one_image_are_compared_once() -> None:
    found = FoundFile(Path("a.png"), PurePath("a.png"), IMAGE)
    copies = [
        PlacedFile(found, split, "A", PurePath("a.png")) for split in ("train", "test") for _ in range(20_000)
    ]

    used = without_contradictions(copies, ["same"] * len(copies))

    assert {file.split for file in used.files} == {"test"}
    assert len(used.files) == 20_000
