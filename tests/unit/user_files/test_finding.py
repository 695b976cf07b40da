"""The files of a folder, with what each holds."""

import os
import unicodedata
from pathlib import Path, PurePath

import pytest
from making.pictures import write_picture, write_pictures

from user_files.data_kinds import BROKEN_LINK, DICOM, IMAGE, NO_REGULAR_FILE, POINTER, kind_of
from user_files.equal_files import content_keys
from user_files.finding import first_image, found_file, list_files
from user_files.wording import counted, kinds_in_words, some

LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"


def names(folder: Path) -> list[str]:
    return [str(file.inner) for file in list_files(folder).files]


def test_files_are_listed_in_the_order_of_their_paths(tmp_path: Path) -> None:
    for name in ("b/2.png", "b/10.png", "a b/1.png", "a/1.png", "c.png"):
        write_picture(tmp_path / name)

    assert names(tmp_path) == ["a/1.png", "a b/1.png", "b/10.png", "b/2.png", "c.png"]
    assert list_files(tmp_path).folders == (PurePath("a"), PurePath("a b"), PurePath("b"))


@pytest.mark.parametrize(
    "name",
    [
        *(".DS_Store", "._film.png", "Thumbs.db", "desktop.ini", ".ipynb_checkpoints/film.png"),
        *("__MACOSX/film.png", "@eaDir/film.png", "$RECYCLE.BIN/film.png", "lost+found/film.png"),
        "System Volume Information/film.png",
    ],
)
def test_hidden_and_system_files_are_counted_and_not_listed(tmp_path: Path, name: str) -> None:
    write_picture(tmp_path / "a" / "film.png")
    write_picture(tmp_path / "a" / "x.png").rename(_made(tmp_path / "a" / name))

    listed = list_files(tmp_path)

    assert [str(file.inner) for file in listed.files] == ["a/film.png"]
    assert listed.hidden == (name.split("/")[0],)
    assert listed.folders == (PurePath("a"),)


def _made(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def test_links_to_folders_are_followed_but_not_back_to_one_above(tmp_path: Path) -> None:
    write_picture(tmp_path / "elsewhere" / "film.png")
    (tmp_path / "data" / "a").mkdir(parents=True)
    (tmp_path / "data" / "a" / "linked").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "data" / "a" / "back").symlink_to(tmp_path / "data")

    listed = list_files(tmp_path / "data")

    assert names(tmp_path / "data") == ["a/linked/film.png"]
    assert listed.loops == (PurePath("a/back"),)


def test_pipes_are_not_opened_and_broken_links_are_named(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "dead.png").symlink_to(tmp_path / "nowhere.png")
    (tmp_path / "self.png").symlink_to(tmp_path / "self.png")

    kinds = {file.path.name: file.kind for file in list_files(tmp_path).files}

    assert kinds == {"pipe.png": NO_REGULAR_FILE, "dead.png": BROKEN_LINK, "self.png": BROKEN_LINK}


def test_a_file_named_as_an_image_that_holds_something_else_has_a_problem(tmp_path: Path) -> None:
    (tmp_path / "page.jpg").write_bytes(b"<!DOCTYPE html><html>")
    (tmp_path / "phone.JPG").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0")
    (tmp_path / "none.png").write_bytes(b"")

    problems = {file.path.name: file.problem for file in list_files(tmp_path).files if file.is_image}

    assert problems == {
        "none.png": "it is an empty file",
        "page.jpg": "it is an HTML page",
        "phone.JPG": "it is an HEIC picture",
    }


@pytest.mark.parametrize("name", ["film.png", "film"])
def test_a_pointer_in_the_place_of_an_image_says_how_to_get_it(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(LFS)

    found = found_file(tmp_path / name)

    assert found.is_image
    assert "git lfs pull" in found.problem


def test_a_link_of_git_annex_to_a_missing_file_is_a_pointer(tmp_path: Path) -> None:
    (tmp_path / "film.png").symlink_to("../.git/annex/objects/xx/SHA256E-s1--a.png")

    found = found_file(tmp_path / "film.png")

    assert found.kind is POINTER
    assert "git annex get" in found.problem


def test_the_first_image_is_found_by_content(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("no image")
    assert first_image(tmp_path) is None
    write_picture(tmp_path / "b.png").rename(tmp_path / "b")
    assert first_image(tmp_path) == tmp_path / "b"


def test_equal_images_have_one_key_and_files_that_only_begin_alike_have_none(tmp_path: Path) -> None:
    first, _ = write_pictures(tmp_path, 2)
    (tmp_path / "2.png").write_bytes(first.read_bytes())
    for name, end in (("3.png", b"a"), ("4.png", b"b")):
        (tmp_path / name).write_bytes(first.read_bytes() + b"\0" * 5000 + end)

    keys = content_keys(list_files(tmp_path).files)

    assert keys[0] == keys[2]
    assert [key is None for key in keys] == [False, True, False, True, True]


def test_equal_files_that_are_no_images_have_no_key(tmp_path: Path) -> None:
    for name in ("1.png", "2.png"):
        (tmp_path / name).write_bytes(b"broken")

    assert content_keys(list_files(tmp_path).files) == [None, None]


def test_names_in_any_form_are_listed_as_they_are(tmp_path: Path) -> None:
    forms = {unicodedata.normalize(form, "é.png") for form in ("NFC", "NFD")} | {"two\nlines.png"}
    for name in forms:
        write_picture(tmp_path / name)

    assert set(names(tmp_path)) == forms


def test_counts_are_said_in_words() -> None:
    pdf, kinds = kind_of(b"%PDF-1"), [DICOM, DICOM, kind_of(b"%PDF-1"), IMAGE, DICOM]

    assert kinds_in_words(kinds) == "3 DICOM files, 1 PDF document, 1 image"
    assert kinds_in_words([pdf, pdf]) == "2 PDF documents"
    assert counted(1, "image") == "1 image"
    assert counted(2, "class", "classes") == "2 classes"
    assert some(["a", "b", "c", "d", "e"]) == "a, b, c and 2 more"
