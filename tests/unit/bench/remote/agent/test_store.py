"""edgefit's folder on a board: files by their hashes, whole or not at all, and gone without a trace."""

import ast
import errno
import hashlib
import inspect
import io
import os
from pathlib import Path
from types import ModuleType

import pytest
from making.power_loss import PowerLoss, quick_syncing  # noqa: F401 - used by every test

from bench.filesystem import syncing
from bench.remote.agent import store as on_board
from bench.remote.agent.store import RefusedError, Store, explain_os_error, make_folder, write_whole


def put(store: Store, content: bytes, announced: bytes | None = None) -> str:
    sha256 = hashlib.sha256(content if announced is None else announced).hexdigest()
    store.put(sha256, len(content), io.BytesIO(content).read)
    return sha256


def test_a_stored_file_is_not_missing(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    other = hashlib.sha256(b"other").hexdigest()

    kept = put(store, b"content")

    assert store.blob(kept).read_bytes() == b"content"
    assert store.missing([kept, other]) == [other]


def test_a_file_that_arrives_damaged_is_not_kept(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")

    with pytest.raises(RefusedError, match="arrived damaged"):
        put(store, b"damaged", announced=b"content")

    assert not list((store.root / "blobs").iterdir())


@pytest.mark.parametrize("damage", [b"", b"\0" * 7, b"conten", b"contenT", b"content and more"])
def test_a_kept_file_that_was_damaged_is_missing_and_can_be_sent_again(tmp_path: Path, damage: bytes) -> None:
    store = Store(tmp_path / "store")
    kept = put(store, b"content")
    store.blob(kept).write_bytes(damage)

    assert store.missing([kept, kept]) == [kept]
    assert not store.blob(kept).exists()
    put(store, b"content")
    assert store.missing([kept]) == []


def test_a_folder_or_a_link_in_the_place_of_a_kept_file_is_replaced(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    kept = put(store, b"content")
    for put_there in (Path.mkdir, lambda path: path.symlink_to(tmp_path / "nowhere")):
        store.blob(kept).unlink()
        put_there(store.blob(kept))

        assert store.missing([kept]) == [kept]
        put(store, b"content")
        assert store.missing([kept]) == []


@pytest.mark.parametrize("record", [b"", b"\0\0\0", b"\xff\xfe", b"/\0/x\n"])
def test_a_damaged_record_of_the_folders_above_does_not_hinder_the_removal(
    tmp_path: Path, record: bytes
) -> None:
    store = Store(tmp_path / "made" / "store")
    put(store, b"content")
    (store.root / "made-above").write_bytes(record)

    store.remove_all()

    assert list((tmp_path / "made").iterdir()) == []


@pytest.mark.parametrize("name", ["../../etc/passwd", "", "A" * 64, "a" * 63, "a" * 63 + "/"])
def test_a_name_that_is_not_a_hash_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(RefusedError):
        Store(tmp_path).blob(name)


def test_what_a_dead_process_left_unfinished_is_swept(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    kept = put(store, b"content")
    dead = 2**22 + 1  # beyond the highest number that Linux gives a process
    (store.root / "blobs" / f"{'0' * 64}.{dead}.part").write_text("half")
    mine = store.root / "blobs" / f"{'1' * 64}.{os.getpid()}.part"
    mine.write_text("half")

    store.sweep()

    assert sorted(path.name for path in (store.root / "blobs").iterdir()) == sorted([kept, mine.name])


def test_a_file_unused_for_a_month_is_swept(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    old, new = put(store, b"old"), put(store, b"new")
    os.utime(store.blob(old), (0, 0))

    store.sweep()

    assert store.missing([old, new]) == [old]


def test_removing_all_removes_the_folders_made_for_it(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    store = Store(tmp_path / "there" / "made" / "also made" / "store")
    put(store, b"content")

    store.remove_all()

    assert list(tmp_path.iterdir()) == [tmp_path / "there"]
    assert not list((tmp_path / "there").iterdir())


def test_a_second_command_cannot_lock_the_store(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")

    with store.lock(), pytest.raises(RefusedError, match="another command is preparing this board"):
        store.lock()
    store.lock().close()


def test_a_store_that_others_may_write_is_refused(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    store.root.mkdir(mode=0o755)
    store.root.chmod(0o777)

    with pytest.raises(RefusedError, match="others may write there"):
        store.lock()


def test_a_store_that_is_a_symbolic_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "store").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(RefusedError, match="is a symbolic link"):
        Store(tmp_path / "store").lock()


def test_a_full_disk_is_explained(tmp_path: Path) -> None:
    error = OSError(errno.ENOSPC, "No space left on device", "/there")

    assert explain_os_error(error, Store(tmp_path)).startswith(
        "/there: No space left on device; free some space there"
    )


def test_removing_all_keeps_a_folder_that_others_use(tmp_path: Path) -> None:
    store = Store(tmp_path / "made" / "store")
    put(store, b"content")
    (tmp_path / "made" / "of somebody else").touch()

    store.remove_all()

    assert [path.name for path in (tmp_path / "made").iterdir()] == ["of somebody else"]


def test_a_file_survives_a_loss_of_power_once_it_is_written(tmp_path: Path) -> None:
    (tmp_path / "disk" / "there").mkdir(parents=True)
    (tmp_path / "disk" / "there" / "note").write_text("old")
    loss = PowerLoss(tmp_path / "disk")

    def write() -> None:
        write_whole(tmp_path / "disk" / "there" / "note", "new")
        make_folder(tmp_path / "disk" / "new" / "deep")

    loss.run(write)

    for left in loss.at_any_step(tmp_path / "left"):
        assert (left / "there" / "note").read_text() in ("old", "new")
    for left in loss.at_the_end(tmp_path / "end"):
        assert (left / "there" / "note").read_text() == "new"
        assert (left / "new" / "deep").is_dir()


def test_a_file_that_was_being_sent_when_the_power_was_lost_is_whole_or_sent_again(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    loss = PowerLoss(tmp_path / "store")
    loss.run(lambda: put(Store(tmp_path / "store"), b"content"))
    sha256 = hashlib.sha256(b"content").hexdigest()

    for left in loss.at_any_step(tmp_path / "left"):
        store = Store(left)
        for _ in store.missing([sha256]):
            put(store, b"content")
        assert store.blob(sha256).read_bytes() == b"content"


@pytest.mark.parametrize("name", ["make_folder", "sync_folder"])
def test_a_board_syncs_as_this_machine_does(name: str) -> None:
    """The agent has Python's standard library alone, so it has the same lines again."""

    def lines(module: ModuleType) -> str:
        function = ast.parse(inspect.getsource(getattr(module, name)))
        return ast.dump(ast.Module(function.body[0].body[1:], []))  # type: ignore[attr-defined]

    assert lines(on_board) == lines(syncing)
    assert on_board._CANNOT == syncing._CANNOT
