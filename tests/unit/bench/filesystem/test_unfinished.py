"""What an interrupted writer left is swept, and nothing else."""

from pathlib import Path

import pytest
from making.result_folder import fill, make, names, overwrite, written

from bench.errors import InputError
from bench.filesystem.whole_files import refuse_to_replace, whole_folder


def test_what_was_left_of_a_file_is_swept_before_the_work(tmp_path: Path) -> None:
    (tmp_path / ".page.html.4000000-0123abcd.part").write_text("patients' images")

    refuse_to_replace(tmp_path / "page.html", lambda content: False, "--html")

    assert names(tmp_path) == []


def test_what_a_living_writer_makes_is_not_swept(tmp_path: Path) -> None:
    with whole_folder(tmp_path / "out", written) as folder:
        fill(folder, a="slow")
        with pytest.raises(RuntimeError), whole_folder(tmp_path / "out", written):
            raise RuntimeError
        assert names(folder) == ["a", "m"]

    assert names(tmp_path) == ["out"]


def test_what_an_earlier_version_left_is_swept_or_put_back(tmp_path: Path) -> None:
    make(tmp_path / ".out.4000000-0123abcd.old", a="old")
    make(tmp_path / ".out.4000000-0123abcd.part", a="half")
    (tmp_path / ".out.4000000-0123abcd.part" / "images.npz").write_text("patients' images")

    with pytest.raises(InputError, match="add --overwrite"), whole_folder(tmp_path / "out", written):
        pytest.fail("the block must not run")

    assert (tmp_path / "out" / "a").read_text() == "old"
    assert names(tmp_path) == ["out"]


def test_names_that_are_only_alike_are_left_alone(tmp_path: Path) -> None:
    alike = [".out.part", ".out.1-0123abcd.part.txt", ".output.1-0123abcd.part", "out.1-0123abcd.part"]
    for name in alike:
        (tmp_path / name).write_text("mine")

    overwrite(tmp_path / "out")

    assert names(tmp_path) == sorted([*alike, "out"])


def test_a_foreign_file_in_what_was_left_aside_is_named_and_kept(tmp_path: Path) -> None:
    target, old = make(tmp_path / "out", a="new"), make(tmp_path / ".out.4000000-0123abcd.old", a="old")
    (old / "mine").write_text("mine")

    with pytest.raises(InputError, match=r"and mine, which edgefit did not write"):
        overwrite(target)

    assert names(old) == ["m", "mine"] or names(old) == ["mine"]
    assert (target / "a").read_text() == "new"
