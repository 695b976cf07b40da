"""Which images, layers, weights and engines exporting chooses: no artifact is made here."""

import math

import numpy as np
import pytest
import torch

from bench.variants import Precision
from export.calibration import calibration_images
from export.evaluation import choose_images
from export.folding import fold_batch_norms
from export.half_precision import is_stored_in_half
from export.verification import WrongArtifactError, verify
from models.dataset import Split
from models.network import find_architecture
from models.run_folder import RunImages


def marked(value: int, count: int) -> Split:
    return Split(np.full((count, 32, 32), value, np.uint8), np.arange(count, dtype=np.int64) % 2)


def test_calibration_sees_training_images_and_no_others() -> None:
    images = RunImages(calibration=marked(1, 20), heldout=marked(2, 20), test=marked(3, 20))

    assert set(calibration_images(images, 256).flat) == {1}
    assert len(calibration_images(images, 8)) == 8


def test_every_prefix_of_the_pack_is_about_stratified() -> None:
    labels = np.array([0] * 234 + [1] * 390, dtype=np.int64)
    chosen = labels[choose_images(labels, 512)]

    for count in range(1, 513):
        assert abs(chosen[:count].sum() - count * 390 / 624) <= 1


def test_the_pack_is_the_same_every_time_and_holds_no_image_twice() -> None:
    labels = np.arange(100, dtype=np.int64) % 3
    chosen = choose_images(labels, 60)

    assert len(set(chosen)) == 60
    np.testing.assert_array_equal(chosen, choose_images(labels, 60))
    assert len(choose_images(labels, 1000)) == 100


def test_folding_changes_neither_answers_nor_names() -> None:
    torch.manual_seed(0)
    network = find_architecture("mobilenet_v2").build(2).eval()
    folded = fold_batch_norms(network)
    images = torch.rand(2, 3, 32, 32)

    assert not [one for one in folded.modules() if isinstance(one, torch.nn.BatchNorm2d)]
    assert "features.1.conv.0.0.weight" in dict(folded.named_parameters())
    with torch.inference_mode():
        torch.testing.assert_close(folded(images), network(images), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(
    ("shape", "stored_in_half"),
    [
        ((1280, 320, 1, 1), True),
        ((4096, 1, 3, 3), False),
        ((960, 1, 1, 3, 3), False),
        ((32, 3, 3, 3), False),
        ((1280,), False),
        ((1000, 1280), True),
    ],
)
def test_only_large_dense_weights_are_stored_in_half(shape: tuple[int, ...], stored_in_half: bool) -> None:
    assert is_stored_in_half(shape) is stored_in_half


REFERENCE = np.array([[2, -2]] * 50 + [[-2, 2]] * 50, dtype=np.float32)
LABELS = np.array([0] * 50 + [1] * 50, dtype=np.int64)


def swapped(count: int) -> np.ndarray:
    logits = REFERENCE.copy()
    logits[:count] *= -1
    return logits


@pytest.mark.parametrize(
    ("precision", "logits", "sentence"),
    [
        (
            Precision.FP32,
            REFERENCE + np.float32(0.01),
            "largest logit difference from the fp32 network is 0.01",
        ),
        (Precision.FP16, swapped(3), "predicts the fp32 network's class on 97.0% of 100 images"),
        (Precision.INT8, swapped(12), "predicts the fp32 network's class on 88.0% of 100 images"),
        (Precision.INT8, REFERENCE * np.float32(math.nan), "not finite"),
        (Precision.INT8, REFERENCE[:, :1], "shape"),
    ],
)
def test_a_wrong_artifact_is_refused(precision: Precision, logits: np.ndarray, sentence: str) -> None:
    with pytest.raises(WrongArtifactError, match=sentence):
        verify(precision, logits, REFERENCE, LABELS)


def test_one_image_alone_refuses_nothing() -> None:
    record = verify(Precision.FP16, swapped(1)[:10], REFERENCE[:10], LABELS[:10])

    assert record.agreement == 0.9


def test_verifying_lists_the_images_that_changed_their_class() -> None:
    record = verify(Precision.INT8, swapped(5), REFERENCE, LABELS)

    assert record.flips == (0, 1, 2, 3, 4)
    assert record.retention == 0.95
    assert record.retention_ci95 is not None
    assert record.retention_ci95[0] < 0.95 < record.retention_ci95[1] < 1
    assert record.mcnemar_p == 2 / 2**5
