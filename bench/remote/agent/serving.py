"""Answers a laptop's requests: one line of JSON each on stdin, and one or more lines on stdout.

bench.remote.agent_messages has a record for each line. The agent ends when the laptop is gone, or has given
no sign of life for a minute: an empty line is one.
"""

import json
import os
import select
import sys
import time
from typing import IO, Any

from bench.remote.agent.environments import Environments
from bench.remote.agent.jobs import Jobs
from bench.remote.agent.probing import probe
from bench.remote.agent.store import RefusedError, Store, explain_os_error
from bench.remote.agent.trial import lock_and_try

# A laptop that is there writes an empty line every 15 s while it has nothing to ask. One that has lost its
# power or its network writes nothing. sshd may not notice that for hours, and another command must not wait.
_SILENCE_S = 60.0
_CHUNK = 1 << 20


class LaptopGoneError(Exception):
    """The laptop is no longer there."""


class LaptopLink:
    """Reads from a file descriptor with a time limit, and writes lines to stdout."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._received = b""
        self._last_heard = time.monotonic()

    def has_request(self, timeout_s: float) -> bool:
        """Wait up to `timeout_s` for a request, and return whether there is one."""
        if not self._received:
            if select.select([self._descriptor], [], [], timeout_s)[0]:
                self._receive()
            elif time.monotonic() - self._last_heard > _SILENCE_S:
                raise LaptopGoneError
        self._received = self._received.lstrip(b"\n")
        return bool(self._received)

    def read(self, size: int) -> bytes:
        """Return up to `size` bytes, at least one."""
        if not self._received:
            self._receive()
        piece, self._received = self._received[:size], self._received[size:]
        return piece

    def read_request(self) -> bytes:
        """Return a line that is not empty, without its end."""
        line = b""
        while not line:
            while b"\n" not in self._received:
                self._receive()
            line, _, self._received = self._received.partition(b"\n")
        return line

    def send(self, message: dict[str, Any]) -> None:
        """Write a line."""
        sys.stdout.write(json.dumps(message) + "\n")
        sys.stdout.flush()

    def _receive(self) -> None:
        if not select.select([self._descriptor], [], [], _SILENCE_S)[0]:
            raise LaptopGoneError
        if not (piece := os.read(self._descriptor, _CHUNK)):
            raise LaptopGoneError
        self._last_heard = time.monotonic()
        self._received += piece


class Agent:
    """A method for each request: `do_` and the name that the request has in bench.remote.agent_messages."""

    def __init__(self, store: Store, link: LaptopLink) -> None:
        self._store = store
        self._link = link
        self._environments = Environments(store)
        self._jobs = Jobs(store)
        self._lock: IO[bytes] | None = None

    def serve(self) -> None:
        """Answer until the laptop is gone."""
        while True:
            request = json.loads(self._link.read_request())
            name = request.pop("request")
            try:
                answer = getattr(self, "do_" + name)(**request)
                self._link.send({"answer": answer})
            except RefusedError as error:
                self._link.send({"refused": str(error)})
            except OSError as error:
                self._link.send({"refused": explain_os_error(error, self._store)})

    def do_probe(
        self,
        patterns: list[str],
        vcgencmd: list[str],
        modules: dict[str, str],
        group_files: list[str],
        variables: list[str],
    ) -> dict[str, Any]:
        """See probing.probe."""
        return probe(self._store, patterns, vcgencmd, modules, group_files, variables)

    def do_prepare(
        self, wheels: list[str], with_system_packages: bool, code: str, job: str
    ) -> dict[str, Any]:
        """Return what is here of a measurement, and the state of its job.

        Unless the job runs or has ended, the store is locked until the job is started or the laptop is gone.
        """
        self._store.refuse_foreign()
        state = self._jobs.state(job)
        if state not in ("running", "ended") and self._lock is None:
            self._lock = lock_and_try(self._store)
            self._store.sweep()
        return {
            "environment": self._environments.find(wheels, with_system_packages),
            "has_code": self._environments.has_code(code),
            "job": state,
        }

    def do_missing(self, hashes: list[str]) -> list[str]:
        """See Store.missing."""
        return self._store.missing(hashes)

    def do_put(self, sha256: str, size_bytes: int) -> None:
        """See Store.put. Where it fails, the rest of the file is read and dropped."""
        left = size_bytes

        def read(size: int) -> bytes:
            nonlocal left
            piece = self._link.read(size)
            left -= len(piece)
            return piece

        try:
            self._store.put(sha256, size_bytes, read)
        except LaptopGoneError:
            left = 0  # no rest will come, and to wait for it would keep the board from others for longer
            raise
        finally:
            while left:
                read(min(left, _CHUNK))

    def do_make_environment(
        self, key: str, wheels: list[str], with_system_packages: bool, imports: list[str]
    ) -> None:
        """See Environments.make."""
        self._environments.make(key, wheels, with_system_packages, imports)

    def do_unpack_code(self, sha256: str) -> None:
        """See Environments.unpack_code."""
        self._environments.unpack_code(sha256)

    def do_start(self, job: str, spec: dict[str, Any]) -> None:
        """See Jobs.start."""
        self._jobs.start(job, spec)
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def do_follow(self, job: str, offset: int) -> None:
        """See Jobs.follow."""
        self._jobs.follow(job, offset, self._link.send, self._link.has_request)

    def do_result(self, job: str) -> dict[str, Any]:
        """See Jobs.result."""
        return self._jobs.result(job)

    def do_stop(self) -> None:
        """See Jobs.stop."""
        self._jobs.stop()

    def do_delete_job(self, job: str, keep_journal: bool) -> None:
        """See Jobs.delete_job."""
        self._jobs.delete_job(job, keep_journal)

    def do_clean(self, stop: bool) -> dict[str, Any]:
        """See Jobs.clean."""
        return self._jobs.clean(stop)


def main(descriptor: int) -> None:
    """Serve the laptop at the other end of `descriptor` and stdout."""
    os.umask(0o077)  # the files may be patients' images
    try:
        _serve(LaptopLink(descriptor))
    except (LaptopGoneError, BrokenPipeError):
        # The laptop is gone: Python must not try to flush the rest.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _serve(link: LaptopLink) -> None:
    try:
        agent = Agent(Store.usual(), link)
    except RefusedError as error:  # said as the answer to whatever is asked first
        link.read_request()
        link.send({"refused": str(error)})
    else:
        agent.serve()
