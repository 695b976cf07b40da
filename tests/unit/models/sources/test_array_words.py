"""Arrays that are no images with one class each are named for what they are, with the remedy."""

import numpy as np
import pytest

from models.sources.array_words import images_fault, labels_fault, numbering_fault


@pytest.mark.parametrize("shape", [(9, 28, 28), (9, 28, 28, 3), (9, 28, 28, 1)])
def test_images_have_no_fault(shape: tuple[int, ...]) -> None:
    assert images_fault(shape) is None


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        ((9, 28, 28, 28), "volumes, and edgefit takes images"),
        ((9, 1, 28, 28, 28), "volumes or videos"),
        ((9, 16, 28, 28, 3), "volumes or videos in colour"),
        ((9, 3, 28, 28), "channels first"),
        ((9, 28, 28, 4), "4 channels for each pixel"),
        ((9, 784), "[n, height, width]"),
        ((9,), "[n, height, width]"),
        ((9, 0, 28), "images need pixels"),
    ],
)
def test_other_arrays_are_named(shape: tuple[int, ...], said: str) -> None:
    fault = images_fault(shape)
    assert fault is not None
    assert said in fault


@pytest.mark.parametrize(
    "labels",
    [np.array([0, 1]), np.array([[0], [1]]), np.array([[True], [False]]), np.array([7, 3], np.uint8)],
)
def test_one_class_for_each_image_has_no_fault(labels: np.ndarray) -> None:
    assert labels_fault(labels) is None


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (np.array([[0, 1, 1], [0, 0, 0]]), "several labels an image"),
        (np.array([[0, 1], [1, 0]]), "one-hot"),
        (np.array([[0, 5], [1, 0]]), "2 numbers for each image"),
        (np.zeros((2, 8, 8), np.uint8), "masks"),
        (np.zeros((2, 0), np.uint8), "one label per image"),
        (np.array([0.0, 1.0]), "labels.astype(np.int64)"),
        (np.array([0.0, np.nan]), "some images have no label"),
        (np.array([23.5, 61.0]), "as for a regression"),
        (np.array(["normal", "ill"]), "np.unique"),
        (np.array([1 + 1j]), "integers from 0"),
        (np.array([0, 2**64 - 1], np.uint64), "holds 18446744073709551615, which is no number of a class"),
    ],
)
def test_other_labels_are_named(labels: np.ndarray, said: str) -> None:
    fault = labels_fault(labels)
    assert fault is not None
    assert said in fault


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        ([1, 2, 1], "numbered from 1 to 2; number them from 0: labels - 1"),
        ([-1, 1, 1], "(labels + 1) // 2"),
        ([-1, 0, 1], "-1 is no class"),
    ],
)
def test_labels_that_do_not_count_from_0_are_named(labels: list[int], said: str) -> None:
    fault = numbering_fault(np.array(labels), 2)
    assert fault is not None
    assert said in fault


def test_labels_from_0_have_no_fault() -> None:
    assert numbering_fault(np.array([0, 1, 2]), 3) is None
    assert numbering_fault(np.array([1, 1]), 2) is None
