"""Starts a measurement in a process of its own, follows it, stops it. What is measured stands in job_process.

The process holds the lock of the file `measuring` as long as it lives, so that neither a number that another
process has taken meanwhile nor a loss of power can make a dead one look alive.
"""

import fcntl
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import IO, Any

from bench.remote.agent.environments import Environments
from bench.remote.agent.store import RefusedError, Store, remove, write_whole

_BUSY = "another measurement runs on this board; wait for its end, or interrupt it where it was started"
_DIED = (
    "the measurement ended there without a word, as if it was killed or memory was short; the same command"
    " goes on from what it found: "
)
_MODULE = "bench.remote.job_process"
_POLL_S = 1.0
_SIGN_OF_LIFE_S = 5.0
_SECONDS_TO_END = 20.0
_STEP_S = 0.1
_TRIES = 10
_NOTE_BYTES = 256
_TAIL_BYTES = 2000


class Jobs:
    """The jobs in a store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._environments = Environments(store)

    def place(self, key: str) -> Path:
        """Return the folder of a job."""
        if not key.isalnum():
            raise RefusedError(f"'{key}' is no job")
        return self._store.root / "jobs" / key

    def state(self, key: str) -> str:
        """Return how a job stands: `running`, `ended`, `cut off` or `unknown`.

        Raises RefusedError if another one is being measured, which nothing must disturb.
        """
        measured = self._measured()
        if measured == key:
            return "running"
        if measured is not None:
            raise RefusedError(_BUSY)
        place = self.place(key)
        if not (place / "events.jsonl").exists():
            return "unknown"
        return "ended" if (place / "ended.json").exists() else "cut off"

    def start(self, key: str, spec: dict[str, Any]) -> None:
        """Start a job, or go on with one that was cut off.

        `spec`: `environment` and `code` by their keys, `files` of the bundle, a hash for each path, and
        `request`, which the job reads. Raises RefusedError if something is being measured.
        """
        place = self.place(key)
        remove(self._store.root / "temporary")
        remove(place / "ended.json")
        self._lay_out(place / "bundle", spec["files"])
        write_whole(place / "request.json", json.dumps(spec["request"]))
        write_whole(place / "events.jsonl", "")
        (self._store.root / "measuring").touch()
        with (self._store.root / "measuring").open("r+b") as lock, (place / "log").open("wb") as log:
            _take(lock)
            _note(lock, {"job": key, "pid": None})
            process = subprocess.Popen(
                [str(self._environments.python(spec["environment"])), "-m", _MODULE, str(place)],
                cwd=place,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environments.variables(spec["code"]),
                pass_fds=(lock.fileno(),),
                start_new_session=True,
            )
            _note(lock, {"job": key, "pid": process.pid})

    def follow(
        self, key: str, offset: int, tell: Callable[[dict[str, Any]], None], hears: Callable[[float], bool]
    ) -> None:
        """Tell every event of a job from byte `offset` on, until it ends or `hears` something to do.

        An event is told as {"event": …, "offset": where the next one begins}; where the job died without a
        last one, {"died": a sentence with the last lines that it wrote}; {"alive": true} now and then.
        """
        place, told = self.place(key), time.monotonic()
        while True:
            runs = self._measured() == key  # before reading, or the last lines would be missed
            for line in _lines(place / "events.jsonl", offset):
                offset += len(line)
                told = time.monotonic()
                tell({"event": json.loads(line), "offset": offset})
            if not runs:
                if not (place / "ended.json").exists():
                    tell({"died": _DIED + (_tail(place / "log") or "nothing was said")})
                return
            if time.monotonic() - told > _SIGN_OF_LIFE_S:
                told = time.monotonic()
                tell({"alive": True})
            if hears(_POLL_S):
                return

    def stop(self) -> None:
        """End what is being measured, whatever it is; what it found so far stays for the next start."""
        deadline = time.monotonic() + _SECONDS_TO_END
        told = False
        while (about := self._read_lock()) is not None:
            if _is_job(about["pid"]) and (not told or time.monotonic() > deadline):
                os.kill(about["pid"], signal.SIGKILL if told else signal.SIGTERM)
                told = True
            time.sleep(_STEP_S)

    def ended(self, key: str) -> dict[str, Any]:
        """Return how a job that ended did, and its report as text if it has one."""
        place = self.place(key)
        found: dict[str, Any] = json.loads((place / "ended.json").read_text(encoding="utf-8"))
        report = place / "report.json"
        found["report"] = report.read_text(encoding="utf-8") if report.exists() else None
        return found

    def delete_job(self, key: str, but_its_journal: bool) -> None:
        """Remove a job; or only that it ended, so that it goes on from its journal when started again."""
        remove(self.place(key) / "ended.json" if but_its_journal else self.place(key))

    def clean(self, may_stop: bool) -> dict[str, Any]:
        """Remove the whole store; what is being measured is a reason not to, unless it may be stopped."""
        if self._read_lock() is not None and not may_stop:
            raise RefusedError("a measurement runs here; wait for its end, or add --stop")
        if not self._store.root.exists():
            return {"folder": str(self._store.root), "bytes": 0}
        with self._store.claim():
            self.stop()
            held = self._store.held_bytes()
            self._store.remove_all()
        return {"folder": str(self._store.root), "bytes": held}

    def _lay_out(self, bundle: Path, files: dict[str, str]) -> None:
        remove(bundle)
        for path, sha256 in files.items():
            if PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts:
                raise RefusedError(f"'{path}' is no path inside a bundle")
            target = bundle / path
            target.parent.mkdir(parents=True, exist_ok=True)
            os.link(self._store.blob(sha256), target)

    def _measured(self) -> "str | None":
        about = self._read_lock()
        return None if about is None else about["job"]

    def _read_lock(self) -> "dict[str, Any] | None":
        """Return what is being measured, as the file says while its lock is held; None if nothing is."""
        try:
            file = (self._store.root / "measuring").open("rb")
        except FileNotFoundError:
            return None
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                about: dict[str, Any] = json.loads(file.read())
                return about
        return None


def _take(lock: IO[bytes]) -> None:
    """Take the lock; who only looks whether it is held has it for a moment too."""
    for _ in range(_TRIES):
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_STEP_S)
        else:
            return
    raise RefusedError(_BUSY)


def _note(lock: IO[bytes], about: dict[str, Any]) -> None:
    """Write who holds the lock, over what stood there, so that nobody reads half of it."""
    os.pwrite(lock.fileno(), json.dumps(about).ljust(_NOTE_BYTES).encode(), 0)


def _is_job(pid: "int | None") -> bool:
    """Tell whether a process is a job's, and not one that has got its number since."""
    try:
        return pid is not None and _MODULE.encode() in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False


def _lines(path: Path, offset: int) -> list[bytes]:
    """Return the whole lines of a file from an offset on."""
    with path.open("rb") as file:
        file.seek(offset)
        return [line for line in file if line.endswith(b"\n")]


def _tail(path: Path) -> str:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _TAIL_BYTES))
        return file.read().decode(errors="replace").strip()
