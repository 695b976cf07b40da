"""The inputs of a model file: random ones, and the file that holds them."""

from pathlib import Path

import numpy as np
import pytest

from bench.bundle.signature import Tensor
from bench.bundle.tensor_pack import (
    RANDOM_INPUTS,
    TensorPack,
    constant_inputs,
    open_tensor_pack,
    random_pack,
    write_tensor_pack,
)
from bench.errors import InputError


def tensor(dtype: str, *shape: int) -> Tensor:
    return Tensor(name="x", dtype=dtype, shape=shape)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_random_floats_are_from_0_to_1(dtype: str) -> None:
    (array,) = random_pack([tensor(dtype, 1, 3, 8, 8)]).arrays

    assert array.dtype == dtype
    assert array.shape == (RANDOM_INPUTS, 1, 3, 8, 8)
    assert array.min() >= 0
    assert array.max() <= 1


@pytest.mark.parametrize(("dtype", "low", "high"), [("uint8", 0, 255), ("int8", -128, 127)])
def test_random_bytes_take_all_values(dtype: str, low: int, high: int) -> None:
    (array,) = random_pack([tensor(dtype, 1, 3, 32, 32)]).arrays

    assert (array.min(), array.max()) == (low, high)


@pytest.mark.parametrize("dtype", ["int32", "int64", "uint16", "bool"])
def test_other_integers_may_be_indices_so_they_are_0_or_1(dtype: str) -> None:
    (array,) = random_pack([tensor(dtype, 1, 64)]).arrays

    assert array.dtype == dtype
    assert set(np.unique(array).tolist()) == {0, 1}


def test_random_inputs_are_the_same_every_time_and_differ_from_one_another() -> None:
    first, second = (random_pack([tensor("float32", 1, 4)]) for _ in range(2))

    assert np.array_equal(first.arrays[0], second.arrays[0])
    assert not np.array_equal(first.inputs(0)[0], first.inputs(1)[0])


def test_there_are_fewer_of_a_large_input() -> None:
    assert len(random_pack([tensor("uint8", 1, 100 << 20)])) == 2


def test_a_model_without_inputs_has_a_pack_for_one_inference(tmp_path: Path) -> None:
    pack = random_pack([])
    write_tensor_pack(tmp_path / "pack.npz", pack)

    read = open_tensor_pack(tmp_path / "pack.npz")

    assert (len(pack), len(read)) == (1, 1)
    assert list(read.inputs(0)) == []


def test_a_written_pack_is_read_in_order_and_contiguous(tmp_path: Path) -> None:
    pack = random_pack([tensor("float32", 1, 4), tensor("int64", 2), tensor("float16")])
    write_tensor_pack(tmp_path / "pack.npz", pack)

    read = open_tensor_pack(tmp_path / "pack.npz")

    for index in range(len(pack)):
        assert all(map(np.array_equal, read.inputs(index), pack.inputs(index)))
    assert [array.shape for array in read.inputs(3)] == [(1, 4), (2,), ()]
    assert all(isinstance(array, np.ndarray) and array.flags.c_contiguous for array in read.inputs(3))


def test_the_same_pack_is_written_as_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_tensor_pack(tmp_path / name, random_pack([tensor("float32", 1, 4)]))

    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut off", b"text"])
def test_a_file_that_is_no_pack_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "pack.npz").write_bytes(content)

    with pytest.raises(InputError, match=r"is not a file of inputs; run the command again"):
        open_tensor_pack(tmp_path / "pack.npz")


def test_a_pack_of_inputs_of_different_length_is_refused(tmp_path: Path) -> None:
    write_tensor_pack(tmp_path / "pack.npz", TensorPack((np.zeros((2, 1)), np.zeros((3, 1)))))

    with pytest.raises(InputError, match="do not fit together"):
        open_tensor_pack(tmp_path / "pack.npz")


def test_constant_inputs_are_in_the_middle_of_floats_and_zero_elsewhere() -> None:
    values = constant_inputs([tensor("float16", 2), tensor("int64", 1), tensor("bool")])

    assert [value.tolist() for value in values] == [[0.5, 0.5], [0], False]
