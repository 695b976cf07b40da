"""What runs when a packed job is started on a board that no network reaches: `python3 FILE`.

It does what a laptop would request over ssh: it unpacks, measures, and leaves the report in a file.
"""

import argparse
import json
import os
import platform
import shlex
import struct
import sys
import time
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.remote.agent.environments import Environments
from bench.remote.agent.jobs import Jobs
from bench.remote.agent.store import RefusedError, Store, explain_os_error, write_whole
from bench.remote.agent.trial import lock_and_try

_UNUSABLE, _WRONG_USE, _INTERRUPTED = 5, 2, 130
_SECONDS_BETWEEN_LINES = 10.0
_MIB = 1 << 20
# What zipfile raises for a damaged member, and what an index of another shape leads to.
_DAMAGE = (
    *(zipfile.BadZipFile, zlib.error, EOFError, RuntimeError),
    *(ValueError, LookupError, TypeError, AttributeError),
)
_TEGRA = Path("/etc/nv_tegra_release")


class DamagedError(Exception):
    """The file that runs is damaged; the message says where."""


@contextmanager
def damage_is_an_error() -> Iterator[None]:
    """Raise DamagedError for what reading a damaged archive, or the index in it, raises."""
    try:
        yield
    except _DAMAGE as error:
        raise DamagedError(f"{type(error).__name__}: {error}") from error


class ProgressLines:
    """Shows a job's progress in plain lines on stderr."""

    def __init__(self) -> None:
        self._task, self._total, self._done = "", 0, 0
        self._last_shown = 0.0

    def show(self, message: dict[str, Any]) -> None:
        """Show what Jobs.follow sends."""
        if "died" in message:
            raise RefusedError(message["died"])
        if "event" in message:
            self._show_event(message["event"])

    def _show_event(self, event: dict[str, Any]) -> None:
        if event["kind"] == "begin":
            self._task, self._total = event["task"], event["total"]
            self._done, self._last_shown = 0, time.monotonic()
        elif event["kind"] == "advance":
            self._done += event["steps"]
            self._show_steps(event["note"])
        else:
            say(event["sentence"])

    def _show_steps(self, note: str) -> None:
        now = time.monotonic()
        if self._done >= self._total or now - self._last_shown > _SECONDS_BETWEEN_LINES:
            self._last_shown = now
            say(f"{self._task}: {self._done}/{self._total} {note}".rstrip())


class Pack:
    """A packed job: `archive` is the file that runs."""

    def __init__(self, archive: zipfile.ZipFile, store: Store) -> None:
        self._archive = archive
        self._store = store
        self._environments, self._jobs = Environments(store), Jobs(store)
        with damage_is_an_error():
            self._index: dict[str, Any] = json.loads(archive.read("pack.json"))
            self.report_name = Path(self._index["report"])
            """The name of the report's file, unless --out names another."""

    def run(self, out: Path) -> int:
        """Measure, and put the report at `out`; return the exit code."""
        with damage_is_an_error():
            system = self._system()
            key: str = system["job"]
        self._store.refuse_foreign()
        state = self._jobs.state(key)
        try:
            if state not in ("running", "ended"):
                with damage_is_an_error():
                    self._start(key, system, state == "interrupted")
            self._jobs.follow(key, 0, ProgressLines().show, _no_input)
        except KeyboardInterrupt:
            self._jobs.stop()
            say("the measurement has stopped and its results stay; the same command resumes it")
            return _INTERRUPTED
        result = self._jobs.result(key)
        if result["report"] is not None:
            write_whole(out, result["report"])
            name = shlex.quote(out.name)
            say(f"{out}: this is the report; carry it to where edgefit is, then: edgefit report {name}")
        self._jobs.delete_job(key, keep_journal=result["exit_code"] == _UNUSABLE)
        if result["exit_code"]:
            say(f"edgefit: {result['message']}")
        return int(result["exit_code"])

    def _start(self, key: str, system: dict[str, Any], resume: bool) -> None:
        with lock_and_try(self._store):
            self._store.sweep()
            spec = {**system["spec"], "environment": self._unpack(system)}
            spec["request"]["benchmark"]["resume"] = resume
            self._jobs.start(key, spec)

    def _system(self) -> dict[str, Any]:
        """Return what was packed for a board such as this; raises RefusedError if nothing was."""
        python = f"{sys.version_info[0]}.{sys.version_info[1]}"
        here = f"Python {python} on {platform.machine()}"
        if struct.calcsize("P") != 8 or platform.python_implementation() != "CPython":
            raise RefusedError(
                "this Python is not CPython of a 64-bit system, and no runtime is published for it; run the"
                " file with the python3 of a 64-bit system"
            )
        systems: dict[str, dict[str, Any]] = {}
        for system in self._index["systems"]:
            systems.setdefault(f"Python {system['python']} on {system['machine']}", system)
        if here not in systems:
            raise RefusedError(
                f"this file is for {' or '.join(systems)}, and this machine has {here}; pack it again with:"
                f" edgefit pack … --python {python}"
            )
        self._refuse_older_libc(systems[here]["glibc"])
        return systems[here]

    def _refuse_older_libc(self, oldest: str) -> None:
        try:
            name, _, version = (os.confstr("CS_GNU_LIBC_VERSION") or "").partition(" ")
        except (ValueError, OSError):
            name, version = "", ""
        if name != "glibc" or _numbers(version) < _numbers(oldest):
            has = f"{name} {version}".strip() or "another C library"
            raise RefusedError(
                f"this file needs glibc {oldest} or newer, and this system has {has}; use a newer system"
            )

    def _unpack(self, system: dict[str, Any]) -> str:
        """Unpack what is missing in the store, and return the environment's key."""
        files = dict.fromkeys(system["spec"]["files"].values())
        with_system_packages = bool(system["own_runtimes"]) and _TEGRA.exists()
        environment = self._environments.find(system["wheels"], with_system_packages)
        if environment is None:
            self._refuse_full_disk(system)
            say("making the environment")
            self._copy_blobs(system["wheels"])
            environment = system["environment"]
            self._environments.make(environment, system["wheels"], with_system_packages, system["imports"])
        if not self._environments.has_code(system["spec"]["code"]):
            self._copy_blobs([system["spec"]["code"]])
            self._environments.unpack_code(system["spec"]["code"])
        self._copy_blobs(list(files))
        return environment

    def _copy_blobs(self, hashes: list[str]) -> None:
        """Copy the missing ones of some files from the archive into the store."""
        for sha256 in self._store.missing(hashes):
            member = self._archive.getinfo(f"blobs/{sha256}")
            try:
                with self._archive.open(member) as file:
                    self._store.put(sha256, member.file_size, file.read)
            except RefusedError:
                raise DamagedError(f"{member.filename} has another SHA-256") from None

    def _refuse_full_disk(self, system: dict[str, Any]) -> None:
        root = self._store.root
        disk = os.statvfs(next(path for path in (root, *root.parents) if path.exists()))
        free, needed = disk.f_bavail * disk.f_frsize, system["needed_bytes"]
        if needed > free:
            raise RefusedError(
                f"edgefit needs {needed // _MIB} MiB at {root}, and that disk has {free // _MIB} MiB free;"
                " free some space there"
            )


def say(sentence: str) -> None:
    """Print a sentence on stderr. What a terminal would follow in it is shown as Python writes it."""
    shown = (each if each.isprintable() or each == "\n" else ascii(each)[1:-1] for each in sentence)
    sys.stderr.write("".join(shown) + "\n")
    sys.stderr.flush()


def _no_input(timeout_s: float) -> bool:
    time.sleep(timeout_s)
    return False


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdecimal())


def _clean(store: Store, stop: bool) -> int:
    removed = Jobs(store).clean(stop)
    folder, size = removed["folder"], removed["size_bytes"]
    if size:
        say(f"edgefit removed {folder}, which held {size // _MIB} MiB")
    else:
        say(f"there is nothing to remove: {folder} does not exist")
    return 0


def main(file: str) -> int:
    """Run the packed job that `file` is, as the command line says; return the exit code."""
    os.umask(0o077)  # the files may be patients' images
    name = os.path.basename(file)
    arguments = _arguments(name)
    try:
        store = Store.usual()
    except RefusedError as error:
        say(f"edgefit: {name}: {error}")
        return _UNUSABLE
    try:
        return _clean(store, arguments.stop) if arguments.clean else _run(file, store, arguments.out)
    except DamagedError as error:
        say(f"edgefit: {name}: this file is damaged ({error}); copy it again from where it was packed")
        return _WRONG_USE
    except RefusedError as error:
        say(f"edgefit: {name}: {error}")
        return _UNUSABLE
    except OSError as error:
        say(f"edgefit: {explain_os_error(error, store)}")
        return _UNUSABLE


def _arguments(name: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog=f"python3 {name}", description=__doc__.split(":")[0])
    parser.add_argument("--out", type=Path, help="where the report goes")
    parser.add_argument("--clean", action="store_true", help="remove every trace of edgefit instead")
    parser.add_argument("--stop", action="store_true", help="with --clean: end a running measurement first")
    return parser.parse_args()


def _run(file: str, store: Store, out: "Path | None") -> int:
    with damage_is_an_error():
        archive = zipfile.ZipFile(file)
    with archive:
        pack = Pack(archive, store)
        return _measure(pack, pack.report_name if out is None else out)


def _measure(pack: Pack, out: Path) -> int:
    """Measure, if the report can be written."""
    if (
        out.is_dir()
        or (out.exists() and not _was_a_report(out))
        or not os.access(out.absolute().parent, os.W_OK)
    ):
        say(f"edgefit: {out}: the report cannot be written to this path; name another with --out")
        return _WRONG_USE
    return pack.run(out)


def _was_a_report(path: Path) -> bool:
    content = path.read_bytes()
    try:
        return not content or {"schema", "runs"} <= set(json.loads(content))
    except (ValueError, TypeError):
        return False
