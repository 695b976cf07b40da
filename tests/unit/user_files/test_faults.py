"""Why a file cannot be read: what happened to it on its way, said of files of many formats."""

import gzip
import io
import itertools
import struct
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from PIL import Image
from safetensors.torch import save as safetensors_bytes_of

from user_files.faults import fault_at, why_unreadable
from user_files.line_ends import are_converted

NOISE: npt.NDArray[np.float32] = np.random.default_rng(0).normal(size=(64, 64)).astype(np.float32)


def png() -> bytes:
    out = io.BytesIO()
    Image.fromarray((NOISE * 50 + 128).astype(np.uint8)).save(out, "PNG")
    return out.getvalue()


def jpeg() -> bytes:
    out = io.BytesIO()
    Image.fromarray((NOISE * 50 + 128).astype(np.uint8)).save(out, "JPEG")
    return out.getvalue()


def npz() -> bytes:
    out = io.BytesIO()
    np.savez(out, images=NOISE)
    return out.getvalue()


def pth(zipped: bool = True) -> bytes:
    out = io.BytesIO()
    torch.save({"features.0.weight": torch.from_numpy(NOISE)}, out, _use_new_zipfile_serialization=zipped)
    return out.getvalue()


def safetensors() -> bytes:
    content: bytes = safetensors_bytes_of({"features.0.weight": torch.from_numpy(NOISE)})
    return content


WHOLE = {
    "image.png": png(),
    "image.jpg": jpeg(),
    "images.npz": npz(),
    "zip.pth": pth(),
    "legacy.pth": pth(zipped=False),
    "w.safetensors": safetensors(),
    "openvino.bin": NOISE.tobytes(),
}


@pytest.mark.parametrize("name", WHOLE)
def test_line_ends_that_were_converted_are_recognised_in_every_binary_file(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(WHOLE[name].replace(b"\n", b"\r\n"))

    why = why_unreadable(path)

    assert why is not None
    assert why.startswith(f"{path}: is damaged, because its line ends were converted")
    assert f"write '*{path.suffix} -text' into .gitattributes" in why


@pytest.mark.parametrize("name", WHOLE)
def test_a_whole_file_has_no_fault(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(WHOLE[name])

    assert fault_at(path) is None


def test_a_png_from_which_every_cr_was_taken_is_recognised_by_its_signature(tmp_path: Path) -> None:
    path = tmp_path / "image.png"
    path.write_bytes(png().replace(b"\r\n", b"\n"))

    fault = fault_at(path)

    assert fault is not None
    assert "line ends were converted" in fault.what


@pytest.mark.parametrize("content", [b"path,label\r\n" * 50, b"{\r\n}\r\n" * 50, "ä\r\n".encode() * 50])
def test_text_with_the_line_ends_of_windows_has_no_fault(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "labels.csv"
    path.write_bytes(content)

    assert fault_at(path) is None


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("w.pth", b"", "is empty; copy or download it again"),
        ("w.pth", b"\n<!DOCTYPE html><html><title>Sign in</title>", "is a web page (HTML), not the file"),
        ("w.pth", b"<?xml version='1.0'?><!-- x --><html>", "is a web page (HTML), not the file"),
        ("w.bin", b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
        ("w.pth", gzip.compress(b"weights", mtime=0), "is a compressed file; unpack it"),
        ("w.pth", pth()[:-100], "is cut off (a zip archive without its end)"),
        ("images.npz", npz()[: len(npz()) // 2], "is cut off (a zip archive without its end)"),
        ("w.safetensors", safetensors()[:-1], "is cut off (it has 16,471 of 16,472 bytes)"),
        ("w.safetensors", safetensors()[:40], "is cut off (it has 40 of 88 bytes)"),
        ("w.safetensors", safetensors() + b"\0", "is damaged: it has 16,473 bytes, and its header states"),
    ],
    ids=["empty", "page", "page after a prolog", "pointer", "gzip", "zip", "npz", "data", "header", "longer"],
)
def test_what_happened_to_a_file_on_its_way_is_said_with_a_remedy(
    tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)

    why = why_unreadable(path)

    assert why is not None
    assert said in why
    assert "; " in why


@pytest.mark.parametrize(
    "content",
    [
        b"any other bytes \0",
        struct.pack("<Q", 40) + b"{ no JSON                              }" + b"x" * 30,
        struct.pack("<Q", 17) + b'{"w":{"a":[1,2]}}',
        struct.pack("<Q", 9) + b'{"w": []}',
    ],
)
def test_a_file_of_which_nothing_is_known_has_no_fault(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "w.bin"
    path.write_bytes(content)

    assert fault_at(path) is None


def test_a_folder_and_a_missing_file_have_no_fault(tmp_path: Path) -> None:
    assert fault_at(tmp_path) is None
    assert fault_at(tmp_path / "missing.pth") is None


def test_the_end_of_a_block_between_cr_and_lf_hides_no_conversion() -> None:
    assert are_converted([b"\0\r", b"\n" + b"\r\n" * 8])
    assert not are_converted([b"\0\r\n" * 8, b"\n"])


def test_of_a_file_of_zeros_only_the_beginning_is_read_for_its_line_ends() -> None:
    zeros = itertools.repeat(b"\0" * 64, 1000)

    assert not are_converted(zeros)
    assert next(zeros, None) is not None
