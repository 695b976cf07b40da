"""Rows that stay in an npz file: they are those of the array, and no others are read."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.bundle.evaluation_pack import EvaluationPack, open_pack, read_pack, write_pack
from bench.bundle.stored_rows import StoredRows, open_stored
from bench.bundle.tensor_pack import TensorPack
from bench.errors import InputError

VALUES = np.arange(5 * 4 * 3, dtype=np.int16).reshape(5, 4, 3)


def stored(path: Path, array: np.ndarray, save: Callable[..., None] = np.savez) -> StoredRows:
    save(path, images=array, other=np.arange(3))
    return open_stored(path, lambda name: name == "images").rows["images"]


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize(
    "array",
    [
        VALUES,
        np.asfortranarray(VALUES),
        VALUES[:, 0, 0],
        VALUES.astype(">f4"),
        VALUES % 2 == 0,
        VALUES[:, :0],
    ],
)
def test_rows_in_any_order_are_those_of_the_array(
    tmp_path: Path, array: np.ndarray, save: Callable[..., None]
) -> None:
    rows = stored(tmp_path / "p.npz", array, save)

    assert (rows.shape, rows.dtype, len(rows)) == (array.shape, array.dtype.newbyteorder("="), 5)
    for index in (0, 1, 4, 2, 2, 0):
        assert np.array_equal(rows[index], array[index])
        assert rows[index].flags.c_contiguous
        assert rows[index].flags.writeable


def test_the_first_rows_are_all_there_are_of_a_cut_array(tmp_path: Path) -> None:
    rows = stored(tmp_path / "p.npz", np.asfortranarray(VALUES))

    cut = rows.first(2)

    assert (cut.shape, len(cut), len(rows)) == ((2, 4, 3), 2, 5)
    assert np.array_equal(cut[1], VALUES[1])
    with pytest.raises(IndexError):
        cut[2]


def test_the_first_rows_of_a_large_array_are_read_without_the_others(tmp_path: Path) -> None:
    """Behind the first rows the file is damaged, which nobody notices who does not read so far."""
    random = np.random.default_rng(0).integers(0, 255, (64, 64, 64), dtype=np.uint8)
    rows = stored(tmp_path / "p.npz", random, np.savez_compressed)
    at = (tmp_path / "p.npz").stat().st_size // 2
    with (tmp_path / "p.npz").open("r+b") as file:
        file.seek(at)
        file.write(bytes(100))

    assert np.array_equal(rows[7], random[7])
    with pytest.raises(InputError, match=r"p\.npz: images changed while it was read; run the command"):
        [rows[index] for index in range(64)]


def test_a_shape_that_the_member_does_not_hold_is_refused_before_memory_is_taken(tmp_path: Path) -> None:
    header = io.BytesIO()
    claimed: dict[str, Any] = {"descr": "|u1", "fortran_order": False, "shape": (1 << 40, 4, 4)}
    np.lib.format.write_array_header_1_0(header, claimed)
    with zipfile.ZipFile(tmp_path / "p.npz", "w") as archive:
        archive.writestr("images.npy", header.getvalue())

    with pytest.raises(ValueError, match="is not as large as it states"):
        open_stored(tmp_path / "p.npz", lambda _: True)


def test_an_opened_pack_gives_the_inputs_of_one_that_was_read(tmp_path: Path) -> None:
    images = np.arange(3 * 4 * 4, dtype=np.uint8).reshape(3, 4, 4)
    logits = np.zeros((3, 2), dtype=np.float32)
    tensors = TensorPack((np.arange(6.0).reshape(3, 2), np.arange(3)))
    write_pack(tmp_path / "i.npz", EvaluationPack(images, None, logits))
    write_pack(tmp_path / "t.npz", EvaluationPack(None, None, logits, tensors=tensors))

    for name in ("i.npz", "t.npz"):
        whole, opened = read_pack(tmp_path / name), open_pack(tmp_path / name).first(2)
        assert len(opened) == 2
        for index in range(2):
            assert all(map(np.array_equal, whole.inputs(index), opened.inputs(index)))
    assert isinstance(open_pack(tmp_path / "i.npz").images, StoredRows)
    assert read_pack(tmp_path / "i.npz").image(1).tolist() == images[1].tolist()
