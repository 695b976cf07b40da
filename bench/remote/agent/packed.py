"""What runs when a packed job is started on a board that no network reaches: `python3 FILE`.

It does there what a laptop would ask for over ssh: unpacks, measures, and leaves the report in a file.
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
from pathlib import Path
from typing import Any

from bench.remote.agent.environments import Environments
from bench.remote.agent.jobs import Jobs
from bench.remote.agent.store import RefusedError, Store, in_words, write_whole

_UNUSABLE, _WRONG_USE, _INTERRUPTED = 5, 2, 130
_SECONDS_BETWEEN_LINES = 10.0
_MIB = 1 << 20
_TEGRA = Path("/etc/nv_tegra_release")


class Lines:
    """Tells of a job's progress in plain lines on stderr."""

    def __init__(self) -> None:
        self._task, self._total, self._done = "", 0, 0
        self._told = 0.0

    def tell(self, message: dict[str, Any]) -> None:
        """Tell what Jobs.follow tells."""
        if "died" in message:
            raise RefusedError(message["died"])
        event = message.get("event", {})
        if "begin" in event:
            self._task, self._total = event["begin"]
            self._done, self._told = 0, time.monotonic()
        elif "advance" in event:
            self._done += event["advance"][0]
            self._line(event["advance"][1])
        elif "say" in event:
            say(event["say"])

    def _line(self, note: str) -> None:
        now = time.monotonic()
        if self._done >= self._total or now - self._told > _SECONDS_BETWEEN_LINES:
            self._told = now
            say(f"{self._task}: {self._done}/{self._total} {note}".rstrip())


class Pack:
    """A packed job: `archive` is the file that runs."""

    def __init__(self, archive: zipfile.ZipFile, store: Store) -> None:
        self._archive = archive
        self._store = store
        self._environments, self._jobs = Environments(store), Jobs(store)
        self._about: dict[str, Any] = json.loads(archive.read("pack.json"))

    @property
    def report_name(self) -> str:
        """What the report is called if nothing else is said."""
        name: str = self._about["report"]
        return name

    def run(self, out: Path) -> int:
        """Measure, and put the report at `out`; return the exit code."""
        system = self._system()
        key: str = system["job"]
        self._store.refuse_foreign()
        state = self._jobs.state(key)
        try:
            if state not in ("running", "ended"):
                self._start(key, system, state == "cut off")
            self._jobs.follow(key, 0, Lines().tell, _nothing_heard)
        except KeyboardInterrupt:
            self._jobs.stop()
            say("stopped; what it found stays, and the same command goes on from it")
            return _INTERRUPTED
        ended = self._jobs.ended(key)
        if ended["report"] is not None:
            write_whole(out, ended["report"])
            name = shlex.quote(out.name)
            say(f"{out}: the report; carry it to where edgefit is, then: edgefit report {name}")
        self._jobs.delete_job(key, but_its_journal=ended["exit_code"] == _UNUSABLE)
        if ended["exit_code"]:
            say(f"edgefit: {ended['message']}")
        return int(ended["exit_code"])

    def _start(self, key: str, system: dict[str, Any], resume: bool) -> None:
        with self._store.claim():
            self._store.sweep()
            spec = {**system["spec"], "environment": self._unpack(system)}
            spec["request"]["resume"] = resume
            self._jobs.start(key, spec)

    def _system(self) -> dict[str, Any]:
        """Return what was packed for a board such as this; raises RefusedError if nothing was."""
        python = f"{sys.version_info[0]}.{sys.version_info[1]}"
        here = f"Python {python} on {platform.machine()}"
        if struct.calcsize("P") != 8 or platform.python_implementation() != "CPython":
            raise RefusedError(
                "needs the usual Python of a 64-bit system; none of its runtimes is made for this"
            )
        listed = []
        for system in self._about["systems"]:
            listed.append(f"Python {system['python']} on {system['machine']}")
            if listed[-1] == here:
                self._refuse_older_libc(system["glibc"])
                found: dict[str, Any] = system
                return found
        raise RefusedError(
            f"is for {' or '.join(listed)}, and this is {here}; pack it again with:"
            f" edgefit pack … --python {python}"
        )

    def _refuse_older_libc(self, wanted: str) -> None:
        try:
            name, _, has = (os.confstr("CS_GNU_LIBC_VERSION") or "").partition(" ")
        except (ValueError, OSError):
            name, has = "", ""
        if name != "glibc" or _numbers(has) < _numbers(wanted):
            raise RefusedError(f"needs glibc {wanted} or newer, and this system has {name} {has}".rstrip())

    def _unpack(self, system: dict[str, Any]) -> str:
        """Put everything in its place, and return the environment's key."""
        files = dict.fromkeys(system["spec"]["files"].values())
        has_own = bool(system["own_runtimes"]) and _TEGRA.exists()
        environment = self._environments.find(system["wheels"], has_own)
        if environment is None:
            self._refuse_full_disk(system)
            say("unpacking")
            self._take(system["wheels"])
            environment = system["environment"]
            self._environments.make(environment, system["wheels"], has_own, system["trial"])
        if not self._environments.code(system["spec"]["code"]).exists():
            self._take([system["spec"]["code"]])
            self._environments.unpack_code(system["spec"]["code"])
        self._take(list(files))
        return environment

    def _take(self, hashes: list[str]) -> None:
        """Take files out of the pack into the store."""
        for sha256 in self._store.missing(hashes):
            member = self._archive.getinfo(f"blobs/{sha256}")
            with self._archive.open(member) as file:
                self._store.put(sha256, member.file_size, file.read)

    def _refuse_full_disk(self, system: dict[str, Any]) -> None:
        existing = next(one for one in (self._store.root, *self._store.root.parents) if one.exists())
        about = os.statvfs(existing)
        free, need = about.f_bavail * about.f_frsize, system["needs_bytes"]
        if need > free:
            raise RefusedError(
                f"{self._store.root} needs {need // _MIB} MiB and its disk has {free // _MIB} free; make room"
            )


def say(sentence: str) -> None:
    """Say something to whoever is in front of the board."""
    sys.stderr.write(sentence + "\n")
    sys.stderr.flush()


def _nothing_heard(timeout_s: float) -> bool:
    time.sleep(timeout_s)
    return False


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(one) for one in version.split(".") if one.isdecimal())


def _clean(store: Store, stop: bool) -> int:
    removed = Jobs(store).clean(stop)
    folder, size = removed["folder"], removed["bytes"]
    say(f"removed {folder}, {size // _MIB} MiB" if size else f"nothing of edgefit was here ({folder})")
    return 0


def main(file: str) -> int:
    """Run the packed job that `file` is, as the command line says; return the exit code."""
    os.umask(0o077)  # what lies there may be patients' images
    with zipfile.ZipFile(file) as archive:
        store = Store.usual()
        pack = Pack(archive, store)
        parser = argparse.ArgumentParser(
            prog=f"python3 {os.path.basename(file)}", description=__doc__.split(":")[0]
        )
        parser.add_argument("--out", type=Path, default=Path(pack.report_name), help="where the report goes")
        parser.add_argument("--clean", action="store_true", help="remove every trace of edgefit instead")
        parser.add_argument("--stop", action="store_true", help="with --clean: end what is being measured")
        asked = parser.parse_args()
        try:
            return _clean(store, asked.stop) if asked.clean else _run(pack, asked.out)
        except RefusedError as error:
            say(f"edgefit: {os.path.basename(file)}: {error}")
            return _UNUSABLE
        except OSError as error:
            say(f"edgefit: {in_words(error, store)}")
            return _UNUSABLE


def _run(pack: Pack, out: Path) -> int:
    """Measure, once it is sure that the report can be written."""
    if (
        out.is_dir()
        or (out.exists() and not _was_a_report(out))
        or not os.access(out.absolute().parent, os.W_OK)
    ):
        say(f"edgefit: {out}: the report cannot be written there; choose another --out")
        return _WRONG_USE
    return pack.run(out)


def _was_a_report(path: Path) -> bool:
    content = path.read_bytes()
    try:
        return not content or {"schema", "runs"} <= set(json.loads(content))
    except (ValueError, TypeError):
        return False
