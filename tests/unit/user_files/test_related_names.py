"""Masks beside images, and altered copies of images, are recognised by their names."""

from pathlib import PurePath

import pytest

from user_files.related_names import is_mask_folder, masks_among, originals_of


@pytest.mark.parametrize(
    "name",
    [
        *("masks", "mask", "Lung_Masks", "lung masks", "leftMask", "ManualMask", "leftmask", "masks_2", "GT"),
        *("ground_truth", "groundTruth", "segmentation", "Segmentations", "annotations", "labels", "bboxes"),
        "bounding boxes",
    ],
)
def test_folders_of_masks_are_recognised(name: str) -> None:
    assert is_mask_folder(name)


@pytest.mark.parametrize(
    "name", ["images", "with_mask", "without_mask", "no_mask", "face mask", "lungs", "Normal", "1", "é"]
)
def test_other_folders_are_none_of_masks(name: str) -> None:
    assert not is_mask_folder(name)


def masks(*paths: str) -> set[str]:
    return {paths[index] for index in masks_among([PurePath(path) for path in paths])}


def test_images_in_a_folder_of_masks_are_masks_if_there_are_others() -> None:
    assert masks("images/1.png", "masks/1.png") == {"masks/1.png"}
    assert masks("1.png", "lung masks/left/1.png") == {"lung masks/left/1.png"}
    assert masks("masks/1.png", "masks/2.png") == set()


@pytest.mark.parametrize(
    "name",
    [
        *(
            "film_mask.png",
            "film-mask.tif",
            "film.mask.png",
            "film_mask_1.png",
            "film_mask2.png",
            "film_seg.png",
        ),
        *("film_lung_mask.png", "mask_film.png", "film_GT.png", "FILM_Mask.png", "film_segmentation.png"),
    ],
)
def test_a_mask_is_named_after_an_image(name: str) -> None:
    assert masks("film.png", name) == {name}
    assert masks("another.png", name) == set()


def test_a_mask_may_have_no_name_of_its_own() -> None:
    assert masks("patient1/image.png", "patient1/mask.png", "patient1/mask_2.png") == {
        "patient1/mask.png",
        "patient1/mask_2.png",
    }
    assert masks("patient1/mask.png", "patient2/1.png") == set()


def test_names_with_blanks_and_brackets_are_taken_apart() -> None:
    assert masks("benign (1).png", "benign (1)_mask.png") == {"benign (1)_mask.png"}


def test_words_that_only_end_so_name_no_mask() -> None:
    assert masks("film.png", "film_unmasked.png", "filmmask.png", "film_2.png") == set()


@pytest.mark.parametrize(
    "name",
    [
        "film_flip.png",
        "film_rot90.jpg",
        "film_aug_1.png",
        "aug_film.png",
        "film - Copy (2).png",
        "film_thumb.png",
    ],
)
def test_an_altered_copy_is_named_after_its_original(name: str) -> None:
    assert originals_of([PurePath("film.png"), PurePath(name)], [0, 0]) == {1: 0}
    assert originals_of([PurePath("another.png"), PurePath(name)], [0, 0]) == {}


def test_an_original_is_of_the_same_class_and_lies_beside_or_is_the_only_one_of_its_name() -> None:
    paths = [PurePath(path) for path in ("train/1.png", "train/1_flip.png", "test/1.png", "val/1_flip.png")]

    assert originals_of(paths, [0, 0, 0, 0]) == {1: 0}
    assert originals_of(paths, [1, 0, 0, 1]) == {1: 2, 3: 0}
