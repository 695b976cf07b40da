"""Which images, layers, weights and engines exporting chooses: no artifact is made here."""

import math

import numpy as np
import numpy.typing as npt
import pytest
import torch

from bench.bundle.judged_output import CLASSES
from bench.bundle.manifest import ArtifactRecord, FileRecord
from bench.bundle.recipe import Attempt, FailedAttempt, HeldOut, LostClass, Recipe, Search
from bench.bundle.signature import Tensor
from bench.bundle.variants import Precision
from export.calibration import held_at_once
from export.data.stratified import stratified_order
from export.exporter import is_stored_in_half
from export.sources.folding import fold_batch_norms
from export.verification import WrongArtifactError, verify, warnings_of
from models.architectures import find_architecture


def test_every_prefix_of_the_pack_is_about_stratified() -> None:
    labels = np.array([0] * 234 + [1] * 390, dtype=np.int64)
    chosen = labels[stratified_order(labels, 512)]

    for count in range(1, 513):
        assert abs(chosen[:count].sum() - count * 390 / 624) <= 1


def test_the_choice_of_images_is_reproducible_and_has_no_image_twice() -> None:
    labels = np.arange(100, dtype=np.int64) % 3
    chosen = stratified_order(labels, 60)

    assert len(set(chosen)) == 60
    np.testing.assert_array_equal(chosen, stratified_order(labels, 60))
    assert len(stratified_order(labels, 1000)) == 100


def test_folding_batch_norms_changes_neither_logits_nor_names() -> None:
    torch.manual_seed(0)
    network = find_architecture("mobilenet_v2").build(2).eval()
    folded = fold_batch_norms(network)
    images = torch.rand(2, 3, 32, 32)

    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in folded.modules())
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


def swapped(count: int) -> npt.NDArray[np.float32]:
    logits: npt.NDArray[np.float32] = REFERENCE.copy()
    logits[:count] *= -1
    return logits


@pytest.mark.parametrize(
    ("precision", "logits", "sentence"),
    [
        (
            Precision.FP32,
            REFERENCE + np.float32(0.01),
            "largest difference from the source's outputs is 0.01",
        ),
        (Precision.FP16, swapped(3), "predicts the source's class on 97.0% of 100 images"),
        (Precision.INT8, swapped(12), "predicts the source's class on 88.0% of 100 images"),
        (Precision.INT8, REFERENCE * np.float32(math.nan), "not finite"),
        (Precision.INT8, REFERENCE[:, :1], "shape"),
    ],
)
def test_a_wrong_artifact_is_refused(precision: Precision, logits: np.ndarray, sentence: str) -> None:
    with pytest.raises(WrongArtifactError, match=sentence):
        verify(precision, logits, REFERENCE, LABELS, CLASSES)


def test_a_missed_goal_is_a_warning_with_figures_and_a_remedy() -> None:
    (sentence,) = warnings_of(searched_artifact(0.97, 0.98, Recipe()))
    (trained,) = warnings_of(searched_artifact(0.97, 1.0, Recipe(qat=True)))

    assert "on 256 held-out images" in sentence
    assert "retention is 0.9800 instead of 0.99; agreement is 0.9700, " in sentence
    assert "the lower end of its interval is 0.9396 instead of 0.97" in sentence
    assert "try --qat" in sentence
    assert "try --qat" not in trained
    assert warnings_of(searched_artifact(1.0, 1.0, Recipe())) == ()


def test_an_fp16_artifact_that_rounding_does_not_explain_has_a_warning() -> None:
    def warned(sqnr_db: float | None) -> tuple[str, ...]:
        artifact = searched_artifact(1.0, 1.0, Recipe())
        verification = artifact.verification.model_copy(update={"sqnr_db": sqnr_db})
        changes = {"precision": Precision.FP16, "search": None, "verification": verification}
        return warnings_of(artifact.model_copy(update=changes))

    assert warned(30.0) == warned(None) == ()
    (sentence,) = warned(12.34)
    assert sentence == (
        "fp16 changes its outputs by more than rounding does: SQNR is 12.3 dB instead of 30; values may "
        "exceed 65504, the largest number of half precision; ship another precision"
    )


def test_a_recipe_that_failed_is_a_warning_with_its_reason() -> None:
    artifact = searched_artifact(1.0, 1.0, Recipe())
    assert artifact.search is not None
    failed = FailedAttempt(recipe=Recipe(), message="its outputs are not finite")
    search = artifact.search.model_copy(update={"failed": (failed, failed)})

    (sentence,) = warnings_of(artifact.model_copy(update={"search": search}))

    assert sentence == (
        "2 of 3 int8 recipes failed and were passed over (its outputs are not finite); "
        "the others were compared"
    )


def test_a_low_sqnr_is_a_warning_even_if_no_image_changed_its_class() -> None:
    (sentence,) = warnings_of(searched_artifact(1.0, 1.0, Recipe(), sqnr_db=25.0))

    assert "SQNR is 25.0 dB instead of 30" in sentence


def test_recipes_that_were_not_tried_for_want_of_time_are_a_warning() -> None:
    artifact = searched_artifact(1.0, 1.0, Recipe(), sqnr_db=25.0)
    assert artifact.search is not None
    sentences = {
        count: warnings_of(
            artifact.model_copy(update={"search": artifact.search.model_copy(update={"untried": count})})
        )
        for count in (0, 1, 4)
    }

    assert len(sentences[0]) == 1
    assert sentences[1][1].startswith(
        "another recipe was not tried, because a search takes at most 5 minutes"
    )
    assert sentences[4][1].startswith("4 more recipes were not tried")


def test_a_single_image_decides_nothing() -> None:
    record = verify(Precision.FP16, swapped(1)[:10], REFERENCE[:10], LABELS[:10], CLASSES)

    assert record.agreement == 0.9


def test_a_class_that_is_lost_is_said_by_how_much() -> None:
    lost = LostClass(name="ill", images=4, recall=0, reference_recall=1)

    (sentence,) = warnings_of(searched_artifact(1.0, 0.98, Recipe(), lost=(lost,)))

    assert "recall of class 'ill' is 0.00 instead of 1.00 on 4 images" in sentence


def searched_artifact(
    agreement: float,
    retention: float,
    recipe: Recipe,
    sqnr_db: float = 30.0,
    lost: tuple[LostClass, ...] = (),
) -> ArtifactRecord:
    result = HeldOut(agreement=agreement, retention=retention, sqnr_db=sqnr_db, lost_classes=lost)
    search = Search(
        min_retention=0.99,
        min_agreement=0.97,
        min_sqnr_db=30.0,
        images=256,
        attempts=(Attempt(recipe=recipe, share_in_fp32=0.0, held_out=result, seconds=1.0),),
        chosen=0,
        meets_goal=min(agreement, retention) >= 0.99 and sqnr_db >= 30,
        excluded_modules=(),
        seconds=1.0,
    )
    file = FileRecord(path="onnx-int8/model.onnx", sha256="0" * 64, size_bytes=1)
    return ArtifactRecord(
        variant="onnx-int8",
        format="onnx",
        precision=Precision.INT8,
        entry=file.path,
        files=(file,),
        producer="test",
        verification=verify(Precision.INT8, REFERENCE, REFERENCE, LABELS, CLASSES),
        seconds=1.0,
        search=search,
    )


def test_verification_lists_the_images_that_changed_their_class() -> None:
    record = verify(Precision.INT8, swapped(5), REFERENCE, LABELS, CLASSES)

    assert record.flips == (0, 1, 2, 3, 4)
    assert record.retention == 0.95
    assert record.retention_ci95 is not None
    assert record.retention_ci95[0] < 0.95 < record.retention_ci95[1] < 1
    assert record.mcnemar_p == 2 / 2**5


@pytest.mark.parametrize(
    ("count", "side", "batch"), [(256, 96, 8), (256, 224, 8), (100, 224, 4), (64, 384, 2), (64, 1024, 1)]
)
def test_fewer_large_inputs_are_held_in_memory_while_ranges_are_found(
    count: int, side: int, batch: int
) -> None:
    image = Tensor(name="image", dtype="float32", shape=(1, 3, side, side))

    assert held_at_once(count, [image]) == batch
