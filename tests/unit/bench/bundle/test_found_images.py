"""The images of a folder for model files are those that training and export find."""

from pathlib import Path

import pytest
from making.pictures import write_picture, write_pictures

from bench.bundle.found_images import images_in
from bench.errors import InputError


def test_images_are_found_by_content_and_masks_are_left_out(tmp_path: Path) -> None:
    write_pictures(tmp_path / "images", 3)
    write_pictures(tmp_path / "masks", 3)
    write_picture(tmp_path / "scan.png").rename(tmp_path / "scan")
    (tmp_path / "IMG_1.HEIC").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0")
    (tmp_path / "notes.txt").write_text("x")

    found = images_in(tmp_path)

    assert [str(file.inner) for file in found.images] == [*(f"images/{n}.png" for n in range(3)), "scan"]
    assert found.warnings == ("left out: 3 masks of others by name, 1 HEIC picture",)


def test_a_file_that_is_no_image_in_spite_of_its_name_is_an_error(tmp_path: Path) -> None:
    write_pictures(tmp_path, 3)
    (tmp_path / "page.jpg").write_bytes(b"<!DOCTYPE html><html>")

    with pytest.raises(InputError, match=r"page\.jpg: it is an HTML page \(1 of 4 images .*; replace such"):
        images_in(tmp_path)


def test_pointers_in_place_of_images_are_counted_and_have_a_remedy(tmp_path: Path) -> None:
    write_pictures(tmp_path, 3)
    for name in ("1.png", "2.png"):
        (tmp_path / name).write_text("version https://git-lfs.github.com/spec/v1\noid sha256:a\nsize 1\n")

    with pytest.raises(InputError, match=r"1\.png: it is a Git LFS pointer.*git lfs pull \(2 of 3 images in"):
        images_in(tmp_path)


def test_a_folder_without_images_says_what_it_has(tmp_path: Path) -> None:
    (tmp_path / "report.pdf").write_bytes(b"%PDF-1.7")

    assert images_in(tmp_path).left_out == ", but 1 PDF document"
