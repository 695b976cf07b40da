"""Makes the environment that a measurement runs in, out of wheels, with neither pip nor a network.

A virtual environment is a folder with a `pyvenv.cfg` and a link to an interpreter (PEP 405). A wheel is an
archive that is unpacked in it (PEP 427), as long as nobody needs its scripts.
"""

import json
import os
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.remote.agent.store import RefusedError, Store, part_path, read_object, remove, write_whole

_LAST_LINES = 4
# In each environment, and beside the code: what it was made of, and the size of each file.
_RECORD = "made-of.json"
# Since which start of the board the bytecode was written.
_BOOT = "bytecode-of-boot"
# Variables that would lead Python to other packages, or have a library (onnxruntime) write outside the store.
_DROPPED_VARIABLES = ("PYTHON", "XDG_")
_PACKAGES = f"lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages"
# Importing the packages shows whether they run here, and compiles them before anything is measured.
_IMPORT_ALL = "import importlib, sys; [importlib.import_module(name) for name in sys.argv[1:]]"


class Environments:
    """The environment and the code in a store: one of each, for a board's disk is small."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def python(self, key: str) -> Path:
        """Return the interpreter of the environment with this key."""
        return self._folder(key) / "bin" / "python"

    def code(self, sha256: str) -> Path:
        """Return the folder of edgefit's own code with this hash."""
        self._store.blob(sha256)  # refuses what is no hash
        return self._store.root / "code" / sha256

    def find(self, wheels: list[str], with_system_packages: bool) -> "str | None":
        """Return the key of an environment that holds these wheels and perhaps others, or None.

        One with a file that is missing, or has another size than before, does not count.
        """
        for path in sorted((self._store.root / "environments").glob(f"*/{_RECORD}")):
            made_of = _read(path)
            is_alike = made_of["with_system_packages"] == with_system_packages
            if is_alike and set(wheels) <= set(made_of["wheels"]) and _is_whole(path.parent, made_of):
                return path.parent.name
        return None

    def has_code(self, sha256: str) -> bool:
        """Return whether edgefit's own code with this hash is there, and whole."""
        folder = self.code(sha256)
        return (folder / _RECORD).exists() and _is_whole(folder, _read(folder / _RECORD))

    def make(self, key: str, wheels: list[str], with_system_packages: bool, imports: list[str]) -> None:
        """Make the environment of wheels that lie in the store, and import the modules `imports` in it."""
        self._store.folder("environments")
        folder = self._folder(key)
        self._unpack(folder, wheels, with_system_packages)
        self._remove_bytecode()  # of the environment that was there before
        try:
            self._import(self.python(key), imports)
        except RefusedError:
            remove(folder)
            raise
        # Written last: an environment without it is not complete, whatever happened meanwhile.
        made_of = {"wheels": wheels, "with_system_packages": with_system_packages, "sizes": _sizes(folder)}
        write_whole(folder / _RECORD, json.dumps(made_of))
        os.sync()
        for sha256 in wheels:
            self._store.blob(sha256).unlink(missing_ok=True)

    def unpack_code(self, sha256: str) -> None:
        """Unpack edgefit's own code, a zip file that lies in the store."""
        self._store.folder("code")
        folder = self.code(sha256)
        part = part_path(folder)
        remove(part)
        try:
            with _opened(self._store.blob(sha256)) as archive:
                archive.extractall(part)
            write_whole(part / _RECORD, json.dumps({"sizes": _sizes(part)}))
            _replace_all(part, folder)
        finally:
            remove(part)
        self._store.blob(sha256).unlink(missing_ok=True)

    def remove_old_bytecode(self) -> None:
        """Remove Python's bytecode if the board was started anew since the environment was made.

        Nobody syncs what is compiled meanwhile, and Python ends at a bytecode file that was cut off.
        """
        if _text(self._store.root / _BOOT) != _boot_id():
            self._remove_bytecode()

    def _remove_bytecode(self) -> None:
        remove(self._store.root / "bytecode")
        write_whole(self._store.root / _BOOT, _boot_id())

    def variables(self, code: str = "") -> dict[str, str]:
        """Return the variables for a process in an environment: all that it writes lies in the store."""
        root = self._store.root
        inherited = {
            name: value for name, value in os.environ.items() if not name.startswith(_DROPPED_VARIABLES)
        }
        return {
            **inherited,
            "EDGEFIT_CACHE": str(self._store.folder("cache")),
            "HOME": str(self._store.folder("home")),
            "TMPDIR": str(self._store.folder("temporary")),
            "PYTHONPYCACHEPREFIX": str(root / "bytecode"),
            # A Jetson's owner may have put its runtimes there; without system packages Python ignores it.
            "PYTHONUSERBASE": os.path.expanduser("~/.local"),
            "PYTHONPATH": str(self.code(code)) if code else "",
        }

    def _folder(self, key: str) -> Path:
        if not key.isalnum():
            raise RefusedError(f"'{key}' is not the key of an environment")
        return self._store.root / "environments" / key

    def _unpack(self, folder: Path, wheels: list[str], with_system_packages: bool) -> None:
        """Unpack wheels into `folder`, with what makes it a virtual environment."""
        part = part_path(folder)
        packages = part / _PACKAGES
        interpreter = os.path.realpath(sys.executable)
        remove(part)
        try:
            packages.mkdir(parents=True)
            for sha256 in wheels:
                _unpack_wheel(self._store.blob(sha256), packages)
            (part / "bin").mkdir()
            (part / "bin" / "python").symlink_to(interpreter)
            (part / "pyvenv.cfg").write_text(
                f"home = {os.path.dirname(interpreter)}\n"
                f"include-system-site-packages = {'true' if with_system_packages else 'false'}\n"
                f"version = {'.'.join(str(number) for number in sys.version_info[:3])}\n",
                encoding="utf-8",
            )
            _replace_all(part, folder)
        finally:
            remove(part)

    def _import(self, python: Path, modules: list[str]) -> None:
        done = subprocess.run(
            [str(python), "-c", _IMPORT_ALL, *modules],
            env=self.variables(),
            cwd=python.parent,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
        if done.returncode < 0:
            raise RefusedError(
                f"signal {-done.returncode} killed the first import of the unpacked packages; the board may"
                " be short of memory: end other programs there"
            )
        if done.returncode:
            last = " ".join(done.stderr.split("\n")[-_LAST_LINES:]).strip()
            raise RefusedError(
                f"the unpacked packages cannot be imported: {last or done.returncode}; check that they are"
                " for this board's processor and C library"
            )


def _read(path: Path) -> "dict[str, Any]":
    """Return what an environment was made of; where a loss of power damaged the record, no wheel."""
    return {"wheels": [], "with_system_packages": None, "sizes": {}, **(read_object(path) or {})}


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _boot_id() -> str:
    """Return what the kernel makes up anew at every start; empty in a sandbox that hides it."""
    return _text(Path("/proc/sys/kernel/random/boot_id"))


def _sizes(folder: Path) -> dict[str, int]:
    """Return the size of every file in a folder by its path; of a link, of the link itself."""
    paths = [os.path.join(here, name) for here, _, names in os.walk(folder) for name in names]
    return {os.path.relpath(path, folder): os.lstat(path).st_size for path in paths}


def _is_whole(folder: Path, made_of: dict[str, Any]) -> bool:
    """Return whether every file has the size that it had when it was unpacked."""
    try:
        return all(os.lstat(folder / path).st_size == size for path, size in made_of["sizes"].items())
    except OSError:
        return False


def _unpack_wheel(path: Path, packages: Path) -> None:
    """Unpack a wheel: what lies in its `.data` folder under purelib and platlib belongs beside the rest."""
    with _opened(path) as wheel:
        for member in wheel.infolist():
            parts = member.filename.split("/")
            if parts[0].endswith(".data"):
                if len(parts) < 3 or parts[1] not in ("purelib", "platlib"):
                    continue
                member.filename = "/".join(parts[2:])
            if member.filename:
                wheel.extract(member, packages)


@contextmanager
def _opened(path: Path) -> "Iterator[zipfile.ZipFile]":
    """Open an archive of the store; raises RefusedError if it is damaged, and removes it then."""
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError, LookupError) as error:
        remove(path)
        raise RefusedError(
            f"an archive that was sent is damaged on the board ({error}); run the command again, which sends"
            " it again"
        ) from None


def _replace_all(part: Path, folder: Path) -> None:
    """Rename what was made to `folder`, and remove what lay there and beside it.

    All of it is on the disk before it gets its name, so that a loss of power leaves no half of it.
    """
    os.sync()
    remove(folder)
    part.rename(folder)
    for other in folder.parent.iterdir():
        if other != folder and other.suffix != ".part":
            remove(other)
