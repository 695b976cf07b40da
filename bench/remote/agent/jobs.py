"""Starts a measurement in a process of its own, follows it, stops it. job_process measures.

The process holds the lock of the file `measuring` as long as it lives. So neither a reused process number nor
a loss of power can make a dead process look alive.
"""

import fcntl
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from bench.remote.agent.environments import Environments
from bench.remote.agent.store import (
    RefusedError,
    Store,
    make_folder,
    object_in,
    part_path,
    read_object,
    remove,
    sync_folder,
    write_whole,
)

_BUSY = "another measurement runs on this board; wait for its end, or interrupt it where it was started"
_DIED = (
    "the measurement's process died, perhaps because memory was short; the same command resumes it with the"
    " results that the board has. Its last output: "
)
_MODULE = "bench.remote.job_process"
_POLL_S = 1.0
_SIGN_OF_LIFE_S = 5.0
_STOP_LIMIT_S = 20.0
_STEP_S = 0.1
_TRIES = 10
_OWNER_BYTES = 256
_TAIL_BYTES = 2000


class Jobs:
    """The jobs in a store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._environments = Environments(store)

    def folder(self, key: str) -> Path:
        """Return the folder of a job."""
        if not key.isalnum():
            raise RefusedError(f"'{key}' is not the key of a job")
        return self._store.root / "jobs" / key

    def state(self, key: str) -> str:
        """Return the state of a job, one of bench.remote.agent_messages.JobState.

        Raises RefusedError if another job runs, which nothing must disturb.
        """
        owner = self._owner()
        if owner == key:
            return "running"
        if owner is not None:
            raise RefusedError(_BUSY)
        folder = self.folder(key)
        if _result(folder) is not None:
            return "ended"
        return "interrupted" if (folder / "events.jsonl").exists() else "unknown"

    def start(self, key: str, spec: dict[str, Any]) -> None:
        """Start a job, or resume an interrupted one.

        `spec` is bench.remote.agent_messages.JobSpec. Raises RefusedError if another job runs.
        """
        folder = self.folder(key)
        make_folder(folder)
        remove(self._store.root / "temporary")
        self._environments.remove_old_bytecode()
        for name in ("ended.json", "report.json"):
            remove(folder / name)
        self._link_files(folder / "files", spec["files"])
        write_whole(folder / "request.json", json.dumps(spec["request"]))
        write_whole(folder / "events.jsonl", "")
        (self._store.root / "measuring").touch()
        with (self._store.root / "measuring").open("r+b") as lock, (folder / "log").open("wb") as log:
            _take(lock)
            _write_owner(lock, key)
            subprocess.Popen(
                [str(self._environments.python(spec["environment"])), "-m", _MODULE, str(folder)],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environments.variables(spec["code"]),
                pass_fds=(lock.fileno(),),
                start_new_session=True,
            )

    def follow(
        self,
        key: str,
        offset: int,
        send: Callable[[dict[str, Any]], None],
        has_request: Callable[[float], bool],
    ) -> None:
        """Send every event of a job from byte `offset` on, until it ends or `has_request` returns True.

        Each message is one of bench.remote.agent_messages.FollowMessage.
        """
        folder, last_sent = self.folder(key), time.monotonic()
        while True:
            is_running = self._owner() == key  # before reading, or the last lines would be missed
            for line in _lines(folder / "events.jsonl", offset):
                offset += len(line)
                last_sent = time.monotonic()
                send({"event": _event(line), "offset": offset})
            if not is_running:
                if _result(folder) is None:
                    send({"died": _DIED + (_tail(folder / "log") or "none")})
                return
            if time.monotonic() - last_sent > _SIGN_OF_LIFE_S:
                last_sent = time.monotonic()
                send({"alive": True})
            if has_request(_POLL_S):
                return

    def stop(self) -> None:
        """End the running job, whichever it is; its results so far stay for the next start."""
        deadline = time.monotonic() + _STOP_LIMIT_S
        is_signalled = False
        while self._owner() is not None:
            if time.monotonic() > deadline + _STOP_LIMIT_S:
                raise RefusedError("the running measurement does not end; restart the board")
            if not is_signalled or time.monotonic() > deadline:
                for pid in self._processes():
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL if is_signalled else signal.SIGTERM)
                    is_signalled = True
            time.sleep(_STEP_S)

    def result(self, key: str) -> dict[str, Any]:
        """Return the result of a job that ended, which is bench.remote.agent_messages.JobResult."""
        if (result := _result(self.folder(key))) is None:
            raise RefusedError(
                "the end of the measurement is missing or damaged on the board; the same command resumes it"
            )
        return result

    def delete_job(self, key: str, keep_journal: bool) -> None:
        """Remove a job; `keep_journal`: only its end, so that the next start resumes it from its journal.

        A loss of power meanwhile does not bring half of it back.
        """
        folder = self.folder(key)
        if not folder.exists():
            return
        if keep_journal:
            remove(folder / "ended.json")
            sync_folder(folder)
            return
        part = part_path(folder)
        remove(part)
        folder.rename(part)
        sync_folder(folder.parent)
        remove(part)

    def clean(self, may_stop: bool) -> dict[str, Any]:
        """Remove the whole store, and return bench.remote.agent_messages.RemovedFolder.

        Raises RefusedError if a job runs and `may_stop` is not set.
        """
        if self._owner() is not None and not may_stop:
            raise RefusedError("a measurement runs on this board; wait for its end, or add --stop")
        size_bytes = 0
        if self._store.root.exists():
            with self._store.lock():
                self.stop()
                size_bytes = self._store.size_bytes()
                self._store.remove_all()
        return {"folder": str(self._store.root), "size_bytes": size_bytes}

    def _link_files(self, folder: Path, files: dict[str, str]) -> None:
        remove(folder)
        for path, sha256 in files.items():
            if not _is_inside(path):
                raise RefusedError(f"'{path}' is not a path inside a job's folder")
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            os.link(self._store.blob(sha256), target)

    def _owner(self) -> "str | None":
        """Return the key of the running job, as the locked file says; None if no process has locked it.

        It is empty where the file does not say which job it is: whoever has just locked it has not written
        into it yet, or died as it wrote that.
        """
        try:
            file = (self._store.root / "measuring").open("rb")
        except FileNotFoundError:
            return None
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return _job_in(file.read())
        return None

    def _processes(self) -> list[int]:
        """Return the processes of this store's jobs. A number in a file could be another's by now."""
        folder = os.fsencode(self._store.root / "jobs") + b"/"
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):  # it has ended meanwhile, or is another user's
                words = (process / "cmdline").read_bytes().split(b"\0")
                if _MODULE.encode() in words and any(word.startswith(folder) for word in words):
                    found.append(int(process.name))
        return found


def _job_in(content: bytes) -> str:
    """Return the key of the job that holds the lock; empty if the content does not say it."""
    key = (object_in(content) or {}).get("job")
    return key if isinstance(key, str) else ""


def _result(folder: Path) -> "dict[str, Any] | None":
    """Return how a job ended, with its report's text; None if it has not, or a loss of power damaged that."""
    ended, report = read_object(folder / "ended.json") or {}, folder / "report.json"
    exit_code, message = ended.get("exit_code"), ended.get("message", 0)
    is_whole = type(exit_code) is int and 0 <= exit_code <= 255 and isinstance(message, (str, type(None)))
    has_report = read_object(report) is not None
    if not is_whole or not (exit_code or has_report):
        return None
    text = report.read_text(encoding="utf-8") if has_report else None
    return {"exit_code": exit_code, "message": message, "report": text}


def _event(line: bytes) -> dict[str, Any]:
    """Return the event in a line; where a loss of power damaged the line, an event that says so."""
    damaged = {"kind": "say", "sentence": "a part of the board's progress messages is damaged, and left out"}
    return object_in(line) or damaged


def _is_inside(path: str) -> bool:
    """Return whether a path is a plain one below the folder that it is relative to."""
    parts = path.split("/")
    return "\0" not in path and not {"", ".", ".."}.intersection(parts)


def _take(lock: IO[bytes]) -> None:
    """Take the lock; a process that only checks whether it is taken holds it for a moment too."""
    for _ in range(_TRIES):
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_STEP_S)
        else:
            return
    raise RefusedError(_BUSY)


def _write_owner(lock: IO[bytes], key: str) -> None:
    """Write which job holds the lock, over what stood there, so that no process reads half of it."""
    os.pwrite(lock.fileno(), json.dumps({"job": key}).ljust(_OWNER_BYTES).encode(), 0)


def _lines(path: Path, offset: int) -> list[bytes]:
    """Return the whole lines of a file from an offset on; none if a loss of power took the file."""
    if not path.exists():
        return []
    with path.open("rb") as file:
        file.seek(offset)
        return [line for line in file if line.endswith(b"\n")]


def _tail(path: Path) -> str:
    """Return the end of a log; empty if a loss of power took the file."""
    if not path.exists():
        return ""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _TAIL_BYTES))
        return file.read().decode(errors="replace").strip()
