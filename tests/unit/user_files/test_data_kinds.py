"""A file is recognised by its first bytes, whatever it is called."""

import io
from pathlib import PurePath

import numpy as np
import pytest
from PIL import Image

from user_files.data_kinds import DICOM, EMPTY, IMAGE, POINTER, UNKNOWN, kind_of

PIXELS = np.arange(64, dtype=np.uint8).reshape(8, 8)
LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"
SVG = b'<?xml version="1.0"?>\n<!-- Inkscape -->\n<svg xmlns="http://www.w3.org/2000/svg">'


def saved(format_: str) -> bytes:
    file = io.BytesIO()
    Image.fromarray(PIXELS).save(file, format=format_)
    return file.getvalue()


@pytest.mark.parametrize("format_", ["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM", "JPEG2000"])
@pytest.mark.parametrize("name", ["film", "film.jfif", "film.download", "film.txt"])
def test_an_image_is_one_under_any_name(format_: str, name: str) -> None:
    assert kind_of(saved(format_)[:4096], PurePath(name)) is IMAGE


@pytest.mark.parametrize("mark", [b"MM\0*", b"II+\0", b"P2\n# by hand\n3 4\n255\n", b"\xff\x4f\xff\x51"])
def test_rare_forms_of_images_are_recognised(mark: bytes) -> None:
    assert kind_of(mark + b"\0" * 99) is IMAGE


CONTENTS = {
    "HEIC": (b"\0\0\0\x18ftypheic\0\0\0\0", "HEIC picture"),
    "HEIF of a phone": (b"\0\0\0\x24ftypmif1\0\0\0\0", "HEIC picture"),
    "AVIF": (b"\0\0\0\x1cftypavif\0\0\0\0", "AVIF picture"),
    "JPEG XL": (b"\xff\x0a" + b"\0" * 20, "JPEG XL picture"),
    "SVG": (SVG, "SVG picture"),
    "Photoshop": (b"8BPS\0\1", "Photoshop picture"),
    "MP4": (b"\0\0\0\x20ftypisom\0\0\2\0", "video"),
    "AVI": (b"RIFF\x24\0\0\0AVI LIST", "video"),
    "Matroska": (b"\x1aE\xdf\xa3\0", "video"),
    "PDF": (b"%PDF-1.7\n", "PDF document"),
    "ZIP": (b"PK\x03\x04\x14\0", "archive"),
    "7-Zip": (b"7z\xbc\xaf\x27\x1c", "archive"),
    "NIfTI": (b"\0" * 344 + b"n+1\0", "volume"),
    "NumPy": (b"\x93NUMPY\1\0", "array file"),
    "HDF5": (b"\x89HDF\r\n\x1a\n", "array file"),
    "shortcut": (b"L\0\0\0\x01\x14\x02\0" + b"\0" * 20, "Windows shortcut"),
    "HTML": (b"\n<!DOCTYPE html>\n<html>", "HTML page"),
    "XML": (b"<?xml version='1.0'?>\n<annotation>", "XML file"),
    "text": (b"Gr\xc3\xb6\xc3\x9fe\n", "text file"),
    "text that ends within a letter": (b"x" * 40 + b"\xc3", "text file"),
    "text of Windows": ("Größe\r\n".encode("utf-16"), "text file"),
}


@pytest.mark.parametrize("name", CONTENTS)
@pytest.mark.parametrize("called", ["film.png", "film", "film.heic"])
def test_what_is_no_image_is_named_whatever_it_is_called(name: str, called: str) -> None:
    content, words = CONTENTS[name]

    kind = kind_of(content, PurePath(called))

    assert words in kind.one
    assert not kind.is_image


@pytest.mark.parametrize(
    ("head", "name", "words"),
    [
        (b"PK\x03\x04", "list.xlsx", "Office document"),
        (b"PK\x03\x04", "arrays.npz", "array file"),
        (b"\x1f\x8b\x08", "brain.nii.gz", "volume"),
        (b"path,label\n", "labels.csv", "table"),
        (b"outs:\n- md5: 4d7a\n", "images.dvc", "DVC file"),
    ],
)
def test_a_name_decides_where_contents_are_alike(head: bytes, name: str, words: str) -> None:
    assert words in kind_of(head, PurePath(name)).one


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"\0" * 128 + b"DICM" + b"\0" * 20, "IM0001"),
        (b"\0" * 128 + b"DICM" + b"\0" * 20, "film.png"),
        (b"", "film.DCM"),
        (b"\x08\0\x05\0CS\x0a\0ISO_IR 100", "IM0001"),
        (b"\x08\0\0\0UL\x04\0", "IM0001"),
    ],
)
def test_dicom_is_recognised_by_its_mark_and_by_its_suffix(head: bytes, name: str) -> None:
    assert kind_of(head, PurePath(name)) is DICOM


def test_pointers_empty_files_and_noise_are_kinds_of_their_own() -> None:
    assert kind_of(LFS, PurePath("film.png")) is POINTER
    assert kind_of(b"", PurePath("film.png")) is EMPTY
    assert kind_of(bytes(range(250, 0, -1))) is UNKNOWN
    assert kind_of(b"\x89PNG broken") is UNKNOWN
