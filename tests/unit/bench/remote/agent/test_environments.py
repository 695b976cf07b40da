"""An environment on a board: only in its own folder, and only of archives that are whole."""

import hashlib
import io
import zipfile
from pathlib import Path

import pytest

from bench.remote.agent.environments import Environments
from bench.remote.agent.store import RefusedError, Store


def stored(store: Store, content: bytes) -> str:
    sha256 = hashlib.sha256(content).hexdigest()
    store.put(sha256, len(content), io.BytesIO(content).read)
    return sha256


def archive(*names: str) -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as file:
        for name in names:
            file.writestr(name, "x")
    return whole.getvalue()


@pytest.mark.parametrize("key", ["..", "../outside", "/outside", "a/b", ""])
def test_an_environment_outside_its_folder_is_refused(tmp_path: Path, key: str) -> None:
    environments = Environments(Store(tmp_path / "store"))
    (tmp_path / "outside").mkdir()

    with pytest.raises(RefusedError, match="is not the key of an environment"):
        environments.make(key, [], with_system_packages=False, imports=[])
    with pytest.raises(RefusedError):
        environments.python(key)
    assert (tmp_path / "outside").is_dir()


@pytest.mark.parametrize("sha256", ["..", "../../outside", ""])
def test_code_outside_its_folder_is_refused(tmp_path: Path, sha256: str) -> None:
    with pytest.raises(RefusedError, match="is not a SHA-256"):
        Environments(Store(tmp_path / "store")).unpack_code(sha256)


@pytest.mark.parametrize(
    "content", [b"", b"no archive", archive("a.py")[:40]], ids=["empty", "text", "cut off"]
)
def test_an_archive_that_is_damaged_is_refused(tmp_path: Path, content: bytes) -> None:
    store = Store(tmp_path / "store")
    environments, why = Environments(store), "an archive that was sent is damaged on the board"

    with pytest.raises(RefusedError, match=why):
        environments.make("e1", [stored(store, content)], with_system_packages=False, imports=[])
    with pytest.raises(RefusedError, match=why):
        environments.unpack_code(stored(store, content))
    assert not [path for path in store.root.rglob("*") if path.suffix == ".part"]


def test_a_store_that_another_user_may_write_is_refused(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    store.root.mkdir()
    store.root.chmod(0o777)
    with pytest.raises(RefusedError, match="or others may write there"):
        store.lock()
    store.root.rmdir()
    (tmp_path / "elsewhere").mkdir()
    store.root.symlink_to(tmp_path / "elsewhere")

    with pytest.raises(RefusedError, match="is a symbolic link"):
        store.lock()
    assert not list((tmp_path / "elsewhere").iterdir())
