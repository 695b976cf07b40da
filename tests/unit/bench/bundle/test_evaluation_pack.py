"""The evaluation pack: what its arrays are, and a file that is none is refused."""

from pathlib import Path

import numpy as np
import pytest

from bench.bundle.evaluation_pack import (
    EvaluationPack,
    as_batch,
    open_inputs,
    open_pack,
    read_pack,
    write_pack,
)
from bench.bundle.signature import Tensor
from bench.bundle.tensor_pack import TensorPack
from bench.errors import InputError
from user_files.arrays import open_arrays

GREY = np.arange(3 * 4 * 4, dtype=np.uint8).reshape(3, 4, 4)


def pack(images: np.ndarray = GREY) -> EvaluationPack:
    return EvaluationPack(images, np.array([0, 1, 0]), np.zeros((3, 2), dtype=np.float32))


def test_a_pack_is_read_back_and_cut(tmp_path: Path) -> None:
    write_pack(tmp_path / "p.npz", pack())

    found = read_pack(tmp_path / "p.npz")

    assert (found.pixels == GREY).all()
    assert len(found) == 3
    assert len(found.first(2)) == 2
    assert found.batch(1).shape == (1, 3, 4, 4)


def test_the_hash_of_samples_is_that_of_their_pixels_and_shapes_alone(tmp_path: Path) -> None:
    other_answers = EvaluationPack(GREY, np.array([1, 1, 1]), np.ones((3, 2), dtype=np.float32))
    changed = GREY.copy()
    changed[2, 3, 3] += 1
    write_pack(tmp_path / "p.npz", pack())

    same = {each.samples_sha256() for each in (pack(), other_answers, open_pack(tmp_path / "p.npz"))}
    others = [changed, GREY[:2], GREY[[1, 0, 2]], GREY.reshape(3, 2, 8), np.repeat(GREY[..., None], 3, 3)]

    assert len(same) == 1
    hashes = {pack(images).first(len(images)).samples_sha256() for images in others}
    assert len(hashes | same) == 6


def test_the_hash_of_ready_inputs_is_that_of_their_values() -> None:
    def ready(value: float) -> EvaluationPack:
        tensors = TensorPack((np.full((3, 1, 2), value, dtype=np.float32),))
        return EvaluationPack(None, None, np.zeros((3, 2), dtype=np.float32), tensors=tensors)

    assert ready(1).samples_sha256() == ready(1).samples_sha256() != ready(2).samples_sha256()


def test_grey_becomes_three_channels_and_rgb_keeps_its_own() -> None:
    colour = np.zeros((4, 4, 3), dtype=np.uint8)
    colour[..., 1] = 255

    grey = as_batch(GREY[0])

    assert (grey[0, 0] == grey[0, 2]).all()
    assert grey.max() == pytest.approx(15 / 255)
    assert as_batch(colour)[0, :, 0, 0].tolist() == [0.0, 1.0, 0.0]


def test_images_of_a_run_folder_follow_the_input_of_another_model() -> None:
    """Such a model has the same preprocessing, and may have its axes in another order."""
    nhwc = Tensor(name="image", dtype="float16", shape=(2, 4, 4, 3))

    (item,) = pack().inputs(1, (nhwc,))

    assert (item.shape, str(item.dtype)) == ((2, 4, 4, 3), "float16")
    assert (item[1].transpose(2, 0, 1) == pack().batch(1)[0].astype(np.float16)).all()


def test_a_file_that_is_no_pack_is_refused(tmp_path: Path) -> None:
    (tmp_path / "p.npz").write_text("text")
    np.savez(tmp_path / "q.npz", images=GREY)

    for name in ("p.npz", "q.npz", "nowhere.npz"):
        with pytest.raises(InputError, match=rf"{name} is not an evaluation pack"):
            read_pack(tmp_path / name)


def test_whoever_only_runs_a_model_reads_no_labels_and_outputs(tmp_path: Path) -> None:
    np.savez(tmp_path / "p.npz", images=GREY)

    inputs = open_inputs(tmp_path / "p.npz")

    assert len(inputs) == 3
    assert np.array_equal(inputs.inputs(2)[0], pack().inputs(2)[0])
    np.savez(tmp_path / "q.npz", labels=np.arange(3))
    with pytest.raises(InputError, match=r"q\.npz is not an evaluation pack"):
        open_inputs(tmp_path / "q.npz")


def test_samples_that_were_stored_by_columns_are_written_so_that_each_is_in_one_piece(tmp_path: Path) -> None:
    by_columns = np.asfortranarray(GREY)
    outputs = np.zeros((3, 2), dtype=np.float32)
    write_pack(tmp_path / "p.npz", pack(by_columns))
    write_pack(tmp_path / "q.npz", EvaluationPack(None, None, outputs, tensors=TensorPack((by_columns,))))

    for name, array in (("p.npz", "images"), ("q.npz", "input_0")):
        with open_arrays(tmp_path / name) as file:
            assert not file.header(array).is_by_columns
            np.testing.assert_array_equal(file.read(array), GREY)


@pytest.mark.parametrize(
    "spoilt",
    [
        pack(GREY[:2]),
        pack(GREY.astype(np.int64)),
        EvaluationPack(GREY, np.array([0, 1, 0]), np.full((3, 2), np.nan, dtype=np.float32)),
        EvaluationPack(GREY, np.array([0, 1, 0]), np.zeros(3, dtype=np.float32)),
        EvaluationPack(GREY, np.array([0, 2, 0]), np.zeros((3, 2), dtype=np.float32)),
        EvaluationPack(GREY, np.zeros((3, 0), dtype=np.int64), np.zeros((3, 2), dtype=np.float32)),
        EvaluationPack(GREY, np.array([0, -1, 0]), np.zeros((3, 2), dtype=np.float32)),
        EvaluationPack(GREY, np.array([[0, 1], [2, 0], [1, 1]]), np.zeros((3, 2), dtype=np.float32)),
    ],
)
def test_arrays_that_do_not_belong_together_are_refused(tmp_path: Path, spoilt: EvaluationPack) -> None:
    write_pack(tmp_path / "p.npz", spoilt)

    with pytest.raises(InputError, match="do not fit together"):
        read_pack(tmp_path / "p.npz")


@pytest.mark.parametrize(
    ("labels", "values"), [([0, 1, 0], 1), ([0, 8, 1], 1), ([0, 2, 1], 3), ([[0, 1], [1, 1], [0, 0]], 2)]
)
def test_a_label_may_name_each_class_of_the_output_or_of_one_that_is_not_known_yet(
    tmp_path: Path, labels: list[object], values: int
) -> None:
    write_pack(
        tmp_path / "p.npz",
        EvaluationPack(GREY, np.array(labels), np.zeros((3, values), dtype=np.float32)),
    )

    assert read_pack(tmp_path / "p.npz").labels is not None
