"""Files and folders appear whole or not at all."""

import resource
from pathlib import Path

import pytest

from bench.errors import InputError
from bench.files import whole_folder, write_whole


def test_a_folder_appears_when_the_block_ends(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "out"

    with whole_folder(target, marker="m") as folder:
        (folder / "m").write_text("x")
        assert not target.exists()

    assert (target / "m").read_text() == "x"
    assert [path.name for path in target.parent.iterdir()] == ["out"]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_nothing_is_left_if_the_block_raises(tmp_path: Path, error: type[BaseException]) -> None:
    def write_half() -> None:
        with whole_folder(tmp_path / "deep" / "out", marker="m") as folder:
            (folder / "half").write_text("x")
            raise error

    with pytest.raises(error):
        write_half()

    assert list(tmp_path.iterdir()) == []


def test_an_earlier_result_is_kept_unless_overwriting_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "m").write_text("old")

    with pytest.raises(InputError, match="add --overwrite"), whole_folder(tmp_path / "out", marker="m"):
        pytest.fail("the block must not run")
    with whole_folder(tmp_path / "out", marker="m", overwrite=True) as folder:
        (folder / "m").write_text("new")

    assert (tmp_path / "out" / "m").read_text() == "new"


def test_an_earlier_result_survives_a_failed_overwriting(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "m").write_text("old")

    with pytest.raises(RuntimeError), whole_folder(tmp_path / "out", marker="m", overwrite=True):
        raise RuntimeError

    assert (tmp_path / "out" / "m").read_text() == "old"


def test_a_folder_that_holds_something_else_is_refused_even_with_overwrite(tmp_path: Path) -> None:
    (tmp_path / "holiday.jpeg").write_text("x")

    with (
        pytest.raises(InputError, match="already holds something else"),
        whole_folder(tmp_path, marker="m", overwrite=True),
    ):
        pytest.fail("the block must not run")

    assert (tmp_path / "holiday.jpeg").exists()


def test_a_file_where_the_folder_should_be_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("x")

    with pytest.raises(InputError, match="is a file"), whole_folder(tmp_path / "out", marker="m"):
        pytest.fail("the block must not run")


def test_a_file_below_a_file_cannot_be_written_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")

    with pytest.raises(InputError, match="cannot be written there"):
        write_whole(tmp_path / "file" / "report.json", "{}")


def test_a_file_replaces_the_old_one_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    write_whole(tmp_path / "a", "old")
    write_whole(tmp_path / "a", "new")

    assert (tmp_path / "a").read_text() == "new"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_disk_without_room_is_told_with_the_file_and_leaves_the_old_one(tmp_path: Path) -> None:
    write_whole(tmp_path / "a", "old")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        with pytest.raises(OSError, match="File too large") as caught:
            write_whole(tmp_path / "a", "new")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert caught.value.filename == str(tmp_path / "a")
    assert [(one.name, one.read_text()) for one in tmp_path.iterdir()] == [("a", "old")]


def test_of_two_writers_the_second_does_not_replace_the_first(tmp_path: Path) -> None:
    def write_late() -> None:
        with whole_folder(tmp_path / "out", marker="m") as folder:
            (folder / "m").write_text("late")
            with whole_folder(tmp_path / "out", marker="m") as other:
                (other / "m").write_text("early")

    with pytest.raises(InputError, match="already holds a result"):
        write_late()

    assert (tmp_path / "out" / "m").read_text() == "early"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_symbolic_link_and_the_working_folder_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    monkeypatch.chdir(tmp_path / "real")

    for name, words in (("link", "symbolic link"), ("real", "the folder you are in")):
        with pytest.raises(InputError, match=words), whole_folder(tmp_path / name, marker="m"):
            pytest.fail("the block must not run")
