"""numpy's files are read whole, or refused in one sentence, before memory is taken for what they state."""

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from user_files.arrays import ArraysError, is_npy, open_arrays, read_npy

ARRAYS = {
    "rows": np.arange(400, dtype=np.int32).reshape(200, 2),
    "columns": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "text": np.array("grün"),
    "none": np.zeros((0, 3), np.uint8),
    "one": np.array(True),
}


def _header(shape: object, descr: object = "|u1") -> bytes:
    content = io.BytesIO()
    np.lib.format.write_array_header_1_0(content, {"descr": descr, "fortran_order": False, "shape": shape})
    return content.getvalue()


def _bytes_of(array: object) -> bytes:
    content = io.BytesIO()
    np.save(content, np.asarray(array), allow_pickle=True)
    return content.getvalue()


def _archive(path: Path, members: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("name", ARRAYS)
def test_every_array_is_read_as_numpy_reads_it(tmp_path: Path, save: object, name: str) -> None:
    assert callable(save)
    save(tmp_path / "a.npz", **ARRAYS)

    with open_arrays(tmp_path / "a.npz") as file:
        array = file.read(name)
        rows = [] if name in ("text", "one") else [len(some) for some in file.rows(name)]

    assert file.names == tuple(ARRAYS)
    assert array.dtype == ARRAYS[name].dtype
    assert array.flags.writeable
    np.testing.assert_array_equal(array, ARRAYS[name])
    assert sum(rows) == (len(ARRAYS[name]) if rows else 0)


def test_an_npy_file_is_read_as_numpy_reads_it(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", ARRAYS["columns"])

    np.testing.assert_array_equal(read_npy(tmp_path / "a.npy"), ARRAYS["columns"])
    assert is_npy(tmp_path / "a.npy")


@pytest.mark.parametrize(
    "member",
    [
        pytest.param(_header((10**6, 10**6)) + b"\0" * 99, id="a terabyte"),
        pytest.param(_header((10**30,)) + b"\0" * 99, id="more than 64 bits"),
        pytest.param(_header((10**30, 0)), id="endless and empty"),
        pytest.param(_header((-1, -99)) + b"\0" * 99, id="negative"),
        pytest.param(_header((True, 99)) + b"\0" * 99, id="a shape of truth values"),
        pytest.param(_header((10**9,), "<U0"), id="values without a size"),
        pytest.param(_header((1,), "<U400000000") + b"\0" * 99, id="a text of a gigabyte"),
        pytest.param(_header((99,)) + b"\0" * 98, id="shorter than stated"),
        pytest.param(_header((99,)) + b"\0" * 100, id="longer than stated"),
        pytest.param(_bytes_of([None, {}]), id="Python objects"),
        pytest.param(b"", id="empty"),
        pytest.param(b"no array", id="no array"),
        pytest.param(b"\x93NUMPY\x01\x00\x76\x00" + b"{'descr': ((((((((".ljust(117) + b"\n", id="unclosed"),
        pytest.param(b"\x93NUMPY\x01\x00\xff\xff" + b"(" * 65_534 + b"\n", id="nested"),
        pytest.param(b"\x93NUMPY\x01\x00\x76\x00" + b"{'a': 1if 2else'\\d'}".ljust(117) + b"\n", id="code"),
        pytest.param(b"\x93NUMPY\x03\x00\x76\x00\x00\x00" + b"{}".ljust(117) + b"\n", id="a newer version"),
    ],
)
def test_what_states_what_it_is_not_is_refused_before_memory_is_taken(tmp_path: Path, member: bytes) -> None:
    archive = _archive(tmp_path / "a.npz", {"a.npy": member})
    single = tmp_path / "a.npy"
    single.write_bytes(member)

    with open_arrays(archive) as file, pytest.raises(ArraysError) as of_archive:
        file.read("a")
    with open_arrays(archive) as file, pytest.raises(ArraysError):
        list(file.rows("a"))
    with pytest.raises(ArraysError) as of_single:
        read_npy(single)

    assert "\n" not in str(of_archive.value) + str(of_single.value)


def test_a_member_that_states_more_than_its_bytes_can_hold_is_refused(tmp_path: Path) -> None:
    member = _header((1 << 40,))
    path = _archive(tmp_path / "a.npz", {"a.npy": member}, zipfile.ZIP_STORED)
    content = bytearray(path.read_bytes())
    entry = content.index(b"PK\x01\x02")
    content[entry + 24 : entry + 28] = (0xFFFFFFF0).to_bytes(4, "little")  # its size, unpacked
    path.write_bytes(content)

    with open_arrays(path) as file, pytest.raises(ArraysError, match="more bytes than it can hold"):
        file.read("a")


@pytest.mark.parametrize(
    ("offset", "value", "said"),
    [(8, 1, "encrypted"), (10, 12, "another way"), (10, 99, "another way")],
    ids=["encrypted", "bzip2", "an unknown method"],
)
def test_what_numpy_never_writes_is_refused(tmp_path: Path, offset: int, value: int, said: str) -> None:
    path = _archive(tmp_path / "a.npz", {"a.npy": _bytes_of([1, 2])})
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x01\x02") + offset] = value
    path.write_bytes(content)

    with pytest.raises(ArraysError, match=said), open_arrays(path) as file:
        file.read("a")


def test_an_array_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.npy", _bytes_of([1]))
        archive.writestr("a", _bytes_of([2]))

    with pytest.raises(ArraysError, match="the array 'a' twice"), open_arrays(path):
        pass


def test_a_flipped_bit_in_the_values_is_noticed(tmp_path: Path) -> None:
    path = _archive(tmp_path / "a.npz", {"a.npy": _bytes_of(np.arange(300))}, zipfile.ZIP_STORED)
    content = bytearray(path.read_bytes())
    content[1000] ^= 1
    path.write_bytes(content)

    with open_arrays(path) as file, pytest.raises(ArraysError, match="CRC"):
        file.read("a")
    with open_arrays(path) as file, pytest.raises(ArraysError, match="CRC"):
        list(file.rows("a"))


def _free(monkeypatch: pytest.MonkeyPatch, mib: int) -> None:
    monkeypatch.setattr("user_files.arrays.available_bytes", lambda: mib << 20)


@pytest.mark.parametrize("order", ["C", "F"])
def test_an_array_larger_than_the_free_memory_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, order: Literal["C", "F"]
) -> None:
    images = np.zeros((64, 1 << 16), np.uint8, order=order)
    np.savez(tmp_path / "a.npz", a=images)
    np.save(tmp_path / "a.npy", images)

    _free(monkeypatch, 4)
    with open_arrays(tmp_path / "a.npz") as file:
        assert file.read("a").shape == next(file.rows("a")).shape == read_npy(tmp_path / "a.npy").shape
    _free(monkeypatch, 3)
    said = "takes 4 MiB at once, and 3 MiB of memory are free; give fewer"
    with open_arrays(tmp_path / "a.npz") as file:
        with pytest.raises(ArraysError, match=said):
            file.read("a")
        with pytest.raises(ArraysError, match=said):
            next(file.rows("a"))
    with pytest.raises(ArraysError, match=said):
        read_npy(tmp_path / "a.npy")


def test_arrays_that_fit_one_by_one_are_refused_when_the_memory_is_used_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    zeros = np.zeros(3 << 20, np.uint8)
    np.savez(tmp_path / "a.npz", a=zeros, b=zeros)
    free = iter([4 << 20, 1 << 20])
    monkeypatch.setattr("user_files.arrays.available_bytes", lambda: next(free))

    with open_arrays(tmp_path / "a.npz") as file:
        file.read("a")
        with pytest.raises(ArraysError, match="1 MiB of memory are free"):
            file.read("b")


def test_what_almost_nothing_is_stored_of_may_take_a_quarter_of_the_free_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Zeros compress a thousandfold, as a file that is made to fill the memory does."""
    zeros = np.zeros(2 << 20, np.uint8)
    np.savez_compressed(tmp_path / "zeros.npz", a=zeros)
    np.savez(tmp_path / "plain.npz", a=zeros)
    varied = np.random.default_rng(0).integers(0, 2, 2 << 20, np.uint8)
    np.savez_compressed(tmp_path / "varied.npz", a=varied)

    _free(monkeypatch, 8)
    with open_arrays(tmp_path / "zeros.npz") as file:
        np.testing.assert_array_equal(file.read("a"), zeros)
    _free(monkeypatch, 7)
    with (
        open_arrays(tmp_path / "zeros.npz") as file,
        pytest.raises(ArraysError, match="2 MiB is stored in 2 KiB"),
    ):
        file.read("a")
    for name in ("plain.npz", "varied.npz"):
        with open_arrays(tmp_path / name) as file:
            assert len(file.read("a")) == len(zeros)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", [">u2", ">i8", ">f4", ">U3"])
def test_values_in_the_other_order_of_bytes_are_read_as_those_of_this_machine(
    tmp_path: Path, dtype: str, order: Literal["C", "F"]
) -> None:
    values = np.arange(400).reshape(200, 2).astype(dtype, order=order)
    np.savez(tmp_path / "a.npz", values=values)
    np.save(tmp_path / "a.npy", values)

    with open_arrays(tmp_path / "a.npz") as file:
        whole, rows, header = (
            file.read("values"),
            np.concatenate(list(file.rows("values"))),
            file.header("values"),
        )

    for read in (whole, rows, read_npy(tmp_path / "a.npy")):
        assert read.dtype == header.dtype == values.dtype.newbyteorder("=")
        assert read.flags.writeable
        np.testing.assert_array_equal(read, values)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param(b"(4,)", b"('a'", id="open bracket"),
        pytest.param(b"(4,)", b"4   ", id="no tuple"),
        pytest.param(b"'<i8'", b"'<q9'", id="unknown type"),
        pytest.param(b"False", b"Falsy", id="unknown name"),
        pytest.param(b"shape", b"shope", id="unknown key"),
    ],
)
def test_a_damaged_header_is_called_so_without_numpys_own_words(
    tmp_path: Path, old: bytes, new: bytes
) -> None:
    content = _bytes_of(np.arange(4, dtype="<i8"))
    assert old in content
    _archive(tmp_path / "a.npz", {"a.npy": content.replace(old, new)})

    with open_arrays(tmp_path / "a.npz") as file, pytest.raises(ArraysError) as caught:
        file.read("a")

    assert str(caught.value) == "the header of an array is damaged"


def test_a_header_for_tables_is_named_by_its_version(tmp_path: Path) -> None:
    content = io.BytesIO()
    np.lib.format.write_array(content, np.arange(4), version=(3, 0))
    _archive(tmp_path / "a.npz", {"a.npy": content.getvalue()})

    with open_arrays(tmp_path / "a.npz") as file, pytest.raises(ArraysError, match=r"version 3\.0 of"):
        file.read("a")
