"""Makes the environment that a measurement runs in, out of wheels, with neither pip nor a network.

A virtual environment is a folder with a `pyvenv.cfg` and a link to an interpreter (PEP 405), and a wheel is
an archive to be unpacked in it (PEP 427), as long as nobody wants its scripts.
"""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

from bench.remote.agent.store import RefusedError, Store, beside, remove, write_whole

_LAST_LINES = 4
# In each environment: what it was made of.
_NOTE = "made-of.json"
# What would lead Python to other packages, or whoever keeps something (onnxruntime does) out of the store.
_NOT_PASSED_ON = ("PYTHON", "XDG_")
_PACKAGES = f"lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages"
# Importing what was unpacked says whether it fits this machine, and compiles it before anything is measured.
_TRIAL = "import importlib, sys; [importlib.import_module(name) for name in sys.argv[1:]]"


class Environments:
    """The environment and the code in a store: one of each, for a board's disk is small."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def python(self, key: str) -> Path:
        """Return the interpreter of the environment with this key."""
        return self._store.root / "environments" / key / "bin" / "python"

    def code(self, sha256: str) -> Path:
        """Return the folder of edgefit's own code with this hash."""
        return self._store.root / "code" / sha256

    def find(self, wheels: list[str], with_system_packages: bool) -> "str | None":
        """Return the key of an environment that holds these wheels and perhaps others, or None."""
        for note in sorted((self._store.root / "environments").glob(f"*/{_NOTE}")):
            about = _read(note)
            if about["with_system_packages"] == with_system_packages and set(wheels) <= set(about["wheels"]):
                return note.parent.name
        return None

    def make(self, key: str, wheels: list[str], with_system_packages: bool, trial: list[str]) -> None:
        """Make the environment of wheels that lie in the store, and import the modules `trial` in it."""
        place = self._store.folder("environments") / key
        part = beside(place)
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
                f"version = {'.'.join(str(one) for one in sys.version_info[:3])}\n"
            )
            _put_alone(part, place)
        finally:
            remove(part)
        remove(self._store.root / "bytecode")  # of the environment that was there before
        try:
            self._try(self.python(key), trial)
        except RefusedError:
            remove(place)
            raise
        # Written last: an environment without it is none, whatever happened meanwhile.
        write_whole(
            place / _NOTE, json.dumps({"wheels": wheels, "with_system_packages": with_system_packages})
        )
        os.sync()
        for sha256 in wheels:
            self._store.blob(sha256).unlink(missing_ok=True)

    def unpack_code(self, sha256: str) -> None:
        """Unpack edgefit's own code, a zip file that lies in the store."""
        self._store.folder("code")
        place = self.code(sha256)
        part = beside(place)
        remove(part)
        try:
            with zipfile.ZipFile(self._store.blob(sha256)) as packed:
                packed.extractall(part)
            _put_alone(part, place)
        finally:
            remove(part)
        self._store.blob(sha256).unlink(missing_ok=True)

    def variables(self, code: str = "") -> dict[str, str]:
        """Return the variables of what runs in an environment: all that it writes lies in the store."""
        root = self._store.root
        kept = {name: value for name, value in os.environ.items() if not name.startswith(_NOT_PASSED_ON)}
        return {
            **kept,
            "EDGEFIT_CACHE": str(self._store.folder("kept")),
            "HOME": str(self._store.folder("home")),
            "TMPDIR": str(self._store.folder("temporary")),
            "PYTHONPYCACHEPREFIX": str(root / "bytecode"),
            # A Jetson's owner may have put its runtimes there; an environment of its own looks no further.
            "PYTHONUSERBASE": os.path.expanduser("~/.local"),
            "PYTHONPATH": str(self.code(code)) if code else "",
        }

    def _try(self, python: Path, modules: list[str]) -> None:
        done = subprocess.run(
            [str(python), "-c", _TRIAL, *modules],
            env=self.variables(),
            cwd=python.parent,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode < 0:
            raise RefusedError(
                f"importing what was unpacked was killed by signal {-done.returncode}: the board may be short"
                " of memory; end other programs there"
            )
        if done.returncode:
            last = " ".join(done.stderr.split("\n")[-_LAST_LINES:]).strip()
            raise RefusedError(f"what was unpacked cannot be imported: {last or done.returncode}")


def _read(note: Path) -> "dict[str, Any]":
    """Return what a note says; of one that a loss of power spoilt, nothing that anything fits."""
    try:
        found: dict[str, Any] = json.loads(note.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {"wheels": [], "with_system_packages": None}
    return found


def _unpack_wheel(path: Path, packages: Path) -> None:
    """Unpack a wheel: what lies in its `.data` folder under purelib and platlib belongs beside the rest."""
    with zipfile.ZipFile(path) as wheel:
        for member in wheel.infolist():
            parts = member.filename.split("/")
            if parts[0].endswith(".data"):
                if len(parts) < 3 or parts[1] not in ("purelib", "platlib"):
                    continue
                member.filename = "/".join(parts[2:])
            if member.filename:
                wheel.extract(member, packages)


def _put_alone(part: Path, place: Path) -> None:
    """Put what is made in its place, and remove what lay there and beside it.

    All of it is on the disk before it bears its name, so that a loss of power leaves no half of it.
    """
    os.sync()
    remove(place)
    part.rename(place)
    for other in place.parent.iterdir():
        if other != place and other.suffix != ".part":
            remove(other)
