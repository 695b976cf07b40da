"""Files and folders appear whole or not at all, and replace nothing but what edgefit wrote."""

import errno
import os
import shutil
from pathlib import Path

import pytest
from making.full_disk import no_file_beyond
from making.result_folder import fill, make, names, written

from bench.bundle.manifest import read_bundle
from bench.errors import InputError
from bench.filesystem.whole_files import refuse_to_replace, whole_folder, write_whole


def refuse(target: Path, words: str, overwrite: bool = True) -> None:
    with pytest.raises(InputError, match=words), whole_folder(target, written, overwrite):
        pytest.fail("the block must not run")


def test_a_folder_appears_when_the_block_ends(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "out"

    with whole_folder(target, written) as folder:
        fill(folder, a="x")
        assert not target.exists()

    assert (target / "a").read_text() == "x"
    assert names(target.parent) == ["out"]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_nothing_is_left_if_the_block_raises(tmp_path: Path, error: type[BaseException]) -> None:
    def write_half() -> None:
        with whole_folder(tmp_path / "deep" / "out", written) as folder:
            (folder / "half").write_text("x")
            raise error

    with pytest.raises(error):
        write_half()

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["n" * 255, "n" * 300, "n" * 300 + "/out"])
def test_a_name_that_is_too_long_leaves_no_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises((InputError, OSError)), whole_folder(tmp_path / "deep" / name, written):
        pytest.fail("the block must not run")
    with pytest.raises((InputError, OSError)):
        write_whole(tmp_path / "deep" / name, "text")

    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_somebody_else_uses_by_now_is_left(tmp_path: Path) -> None:
    def write_half() -> None:
        with whole_folder(tmp_path / "new" / "deep" / "out", written):
            (tmp_path / "new" / "theirs").write_text("x")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write_half()

    assert names(tmp_path / "new") == ["theirs"]


def test_an_earlier_result_is_kept_unless_overwriting_is_asked_for(tmp_path: Path) -> None:
    target = make(tmp_path / "out", a="old", b="old")

    refuse(target, "add --overwrite", overwrite=False)
    with whole_folder(target, written, overwrite=True) as folder:
        fill(folder, a="new")

    assert (target / "a").read_text() == "new"
    assert names(target) == ["a", "m"]
    assert names(tmp_path) == ["out"]


def test_an_earlier_result_survives_a_failed_overwriting(tmp_path: Path) -> None:
    target = make(tmp_path / "out", a="old")

    with pytest.raises(RuntimeError), whole_folder(target, written, overwrite=True):
        raise RuntimeError

    assert (target / "a").read_text() == "old"
    assert names(tmp_path) == ["out"]


def test_a_folder_that_holds_something_else_is_refused_even_with_overwrite(tmp_path: Path) -> None:
    (tmp_path / "holiday.jpeg").write_text("x")

    refuse(tmp_path, "already contains something else; choose another --out")

    assert names(tmp_path) == ["holiday.jpeg"]


@pytest.mark.parametrize(
    ("marker", "record"),
    [
        ("run.json", '{"schema": 99, "arch": "a", "training": {}}'),
        ("manifest.json", '{"schema": 99, "artifacts": [], "pack": {}}'),
    ],
)
def test_a_folder_of_edgefits_that_cannot_be_replaced_is_named(
    tmp_path: Path, marker: str, record: str
) -> None:
    (tmp_path / marker).write_text(record)

    refuse(tmp_path, "edgefit (finetune|export), which this edgefit does not replace here; choose another")

    assert names(tmp_path) == [marker]


def test_a_record_that_is_not_edgefits_makes_no_result(tmp_path: Path) -> None:
    (tmp_path / "m").write_text("my own")

    refuse(tmp_path, "already contains something else")

    assert names(tmp_path) == ["m"]


@pytest.mark.parametrize("name", ["notes.txt", ".DS_Store", "deep/er/notes.txt", "a~"])
def test_a_foreign_file_in_a_result_is_named_and_nothing_changes(tmp_path: Path, name: str) -> None:
    target = make(tmp_path / "out", a="old")
    (target / name).parent.mkdir(parents=True, exist_ok=True)
    (target / name).write_text("mine")

    refuse(target, f"{name} was not written by edgefit; move it away, or choose another --out")

    assert (target / name).read_text() == "mine"
    assert (target / "a").read_text() == "old"
    assert names(tmp_path) == ["out"]


@pytest.mark.parametrize("points_at", ["a", "..", "nowhere"])
def test_a_link_in_a_result_is_foreign_whatever_it_points_at(tmp_path: Path, points_at: str) -> None:
    target = make(tmp_path / "out", a="old")
    (target / "link").symlink_to(points_at)

    refuse(target, "link was not written by edgefit")

    assert names(target) == ["a", "link", "m"]


def test_a_file_that_was_changed_is_no_longer_edgefits(tmp_path: Path) -> None:
    target = make(tmp_path / "out", a="old")
    (target / "a").write_text("edited")

    refuse(target, "out/a was changed after edgefit wrote it")

    assert (target / "a").read_text() == "edited"


def test_a_listed_file_that_became_a_link_is_no_longer_edgefits(tmp_path: Path) -> None:
    target = make(tmp_path / "out", a="old")
    (target / "a").rename(tmp_path / "a")
    (target / "a").symlink_to(tmp_path / "a")

    refuse(target, "out/a was changed after edgefit wrote it")


def test_a_record_that_leads_outside_removes_nothing_there(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    target = make(tmp_path / "out", **{"../mine": "mine"})

    with whole_folder(target, written, overwrite=True) as folder:
        fill(folder, a="new")

    assert names(tmp_path) == ["mine", "out"]


def test_missing_files_and_empty_folders_do_not_hinder_overwriting(tmp_path: Path) -> None:
    target = make(tmp_path / "out", a="old", b="old")
    (target / "b").unlink()
    (target / "empty" / "deep").mkdir(parents=True)

    with whole_folder(target, written, overwrite=True) as folder:
        fill(folder, a="new")

    assert names(target) == ["a", "m"]
    assert names(tmp_path) == ["out"]


def test_a_foreign_file_that_appears_during_the_work_is_kept_and_named(tmp_path: Path) -> None:
    target = make(tmp_path / "out", a="old")

    def work() -> None:
        with whole_folder(target, written, overwrite=True) as folder:
            fill(folder, a="new")
            (target / "late").write_text("mine")

    with pytest.raises(InputError, match="out/late was not written by edgefit"):
        work()

    assert (target / "a").read_text() == "old"
    assert (target / "late").read_text() == "mine"
    assert names(tmp_path) == ["out"]


@pytest.mark.parametrize("at_once", [True, False])
def test_a_foreign_file_that_appears_in_the_last_moment_is_kept_and_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: bool
) -> None:
    target = make(tmp_path / "out", a="old")
    real = Path.rename

    def rename(source: Path, to: Path) -> Path:
        moved = real(source, to)
        if (target / "a").exists():
            (target / "late").write_text("mine")
        return moved

    def work() -> None:
        with whole_folder(target, written, overwrite=True) as folder:
            fill(folder, a="new")
            monkeypatch.setattr(Path, "rename", rename)

    if not at_once:
        monkeypatch.setattr("bench.filesystem.exchange._exchange_at_once", cannot)
    with pytest.raises(InputError, match="out/late was not written by edgefit"):
        work()

    assert (target / "a").read_text() == "old"
    assert (target / "late").read_text() == "mine"
    assert names(tmp_path) == ["out"]


def cannot(first: Path, second: Path) -> int:
    return 38  # ENOSYS


def test_a_file_where_the_folder_should_be_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("x")

    refuse(tmp_path / "out", "is a file")


def test_a_symbolic_link_and_the_working_folder_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    monkeypatch.chdir(tmp_path / "real")

    refuse(tmp_path / "link", "symbolic link")
    refuse(tmp_path / "real", "the current folder")
    refuse(Path(), "the current folder")


def test_a_file_below_a_file_cannot_be_written_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")

    with pytest.raises(InputError, match="cannot be written"):
        write_whole(tmp_path / "file" / "report.json", "{}")


def test_a_file_replaces_the_old_one_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    write_whole(tmp_path / "a", "old")
    write_whole(tmp_path / "a", "new")

    assert (tmp_path / "a").read_text() == "new"
    assert names(tmp_path) == ["a"]


def test_a_full_disk_is_an_error_and_leaves_the_old_file(tmp_path: Path) -> None:
    write_whole(tmp_path / "a", "old")
    with no_file_beyond(10_000), pytest.raises(OSError, match="File too large") as caught:
        write_whole(tmp_path / "a", "new" * 10_000)

    assert caught.value.filename == str(tmp_path / "a")
    assert [(one.name, one.read_text()) for one in tmp_path.iterdir()] == [("a", "old")]


def test_a_disk_that_takes_nothing_is_said_before_the_work(tmp_path: Path) -> None:
    with no_file_beyond(0):
        refuse(tmp_path / "out", r"out cannot be written \(File too large\); raise the limit")

    assert names(tmp_path) == []


def test_a_disk_that_fills_during_the_work_names_the_folder(tmp_path: Path) -> None:
    def work() -> None:
        with whole_folder(tmp_path / "out", written) as folder:
            fill(folder, a="x" * 100_000)

    with no_file_beyond(50_000), pytest.raises(OSError, match="File too large") as caught:
        work()

    assert caught.value.filename == str(tmp_path / "out")
    assert names(tmp_path) == []


def test_an_error_in_the_hidden_folder_has_the_name_that_the_file_will_have(tmp_path: Path) -> None:
    def work() -> None:
        with whole_folder(tmp_path / "out", written) as folder:
            shutil.copyfile("/proc/self/maps", folder / "deep" / "a")

    with pytest.raises(OSError, match="No such file") as caught:
        work()

    assert caught.value.filename == str(tmp_path / "out" / "deep" / "a")


def test_what_a_library_says_of_a_full_disk_becomes_the_disks_error(tmp_path: Path) -> None:
    def work() -> None:
        with whole_folder(tmp_path / "out", written):
            raise RuntimeError("unexpected pos 64 vs 0")

    with no_file_beyond(50_000), pytest.raises(OSError, match="File too large") as caught:
        work()
    with pytest.raises(RuntimeError, match="unexpected pos"):
        work()

    assert caught.value.filename == str(tmp_path / "out")
    assert names(tmp_path) == []


def test_of_two_writers_the_second_does_not_replace_the_first(tmp_path: Path) -> None:
    def write_late() -> None:
        with whole_folder(tmp_path / "out", written) as folder:
            fill(folder, a="late")
            with whole_folder(tmp_path / "out", written) as other:
                fill(other, a="early")

    with pytest.raises(InputError, match="already contains a result"):
        write_late()

    assert (tmp_path / "out" / "a").read_text() == "early"
    assert names(tmp_path) == ["out"]


def test_contents_are_on_the_disk_before_they_bear_their_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, synced, real = tmp_path / "out", [], os.fsync

    def fsync(descriptor: int) -> None:
        real(descriptor)
        synced.append((Path(os.readlink(f"/proc/self/fd/{descriptor}")).name, target.exists()))

    monkeypatch.setattr(os, "fsync", fsync)
    with whole_folder(target, written) as folder:
        fill(folder, a="x")
    write_whole(tmp_path / "file", "x")

    (part,) = {name for name, _ in synced if name.startswith(".out.")}
    assert set(synced[:3]) == {("a", False), ("m", False), (part, False)}
    assert synced[3:4] == [(tmp_path.name, True)]
    assert next(name for name, _ in synced[4:]).startswith(".file.")
    assert [name for name, _ in synced[5:]] == [tmp_path.name]


def test_nothing_is_written_into_a_bundle_which_could_not_be_read_any_more(bundle_folder: Path) -> None:
    with pytest.raises(InputError, match=r"lies in the bundle .*/bundle, which may have no other file"):
        refuse_to_replace(bundle_folder / "deep" / "report.json", lambda _: True, "--out")
    refuse(bundle_folder / "onnx-fp32" / "copy", "lies in the bundle")

    read_bundle(bundle_folder)


@pytest.mark.parametrize("size", [10 << 30, 1 << 31])
def test_a_file_too_large_to_be_edgefits_is_refused_without_being_read(tmp_path: Path, size: int) -> None:
    with (tmp_path / "r.json").open("wb") as file:
        file.truncate(size)

    with pytest.raises(InputError, match="was not written by edgefit"):
        refuse_to_replace(tmp_path / "r.json", lambda _: True, "--out")


def test_a_pipe_that_nobody_writes_to_is_refused_without_being_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(InputError, match="was not written by edgefit"):
        refuse_to_replace(tmp_path / "pipe", lambda _: True, "--out")


def test_a_name_that_is_too_long_once_it_is_hidden_is_refused_before_the_work(tmp_path: Path) -> None:
    long = tmp_path / ("m" * 250)

    with pytest.raises(InputError, match=r"/m+ cannot be written \(File name too long\); check the path"):
        refuse_to_replace(long, lambda _: True, "--out")
    refuse(long, r"/m+ cannot be written \(File name too long\); check the path")
    refuse(tmp_path / "missing" / long.name, r"/m+ cannot be written \(File name too long\); check the path")

    assert names(tmp_path) == []


def test_a_place_below_a_folder_that_must_not_be_searched_is_refused_by_its_own_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_search(path: Path) -> bool:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    said = rf"^{tmp_path / 'a'} cannot be written \(Permission denied\); check its permissions"

    with monkeypatch.context() as patching:
        patching.setattr(Path, "exists", no_search)
        patching.setattr(Path, "is_file", no_search)
        with pytest.raises(InputError, match=said):
            refuse_to_replace(tmp_path / "a", lambda _: True, "--out")
