"""Answers a laptop's requests: one line of JSON each, on stdin, and one or more lines on stdout.

It ends when the laptop is gone, or silent for longer than one that is there ever is.
"""

import json
import os
import select
import sys
from typing import IO, Any

from bench.remote.agent.environments import Environments
from bench.remote.agent.jobs import Jobs
from bench.remote.agent.probing import look
from bench.remote.agent.store import RefusedError, Store, in_words

# A laptop may be gathering wheels over a slow network meanwhile; a dead link ends ssh itself much earlier.
_SILENCE_S = 3600.0
_CHUNK = 1 << 20


class LaptopGoneError(Exception):
    """Nobody is there any more."""


class Link:
    """Reads from a file descriptor with a time limit, and writes lines to stdout."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._received = b""

    def hears(self, timeout_s: float) -> bool:
        """Wait up to `timeout_s` for something to read."""
        return bool(self._received or select.select([self._descriptor], [], [], timeout_s)[0])

    def read(self, size: int) -> bytes:
        """Return up to `size` bytes, at least one."""
        if not self._received:
            self._receive()
        piece, self._received = self._received[:size], self._received[size:]
        return piece

    def read_line(self) -> bytes:
        """Return a line without its end."""
        while b"\n" not in self._received:
            self._receive()
        line, _, self._received = self._received.partition(b"\n")
        return line

    def tell(self, message: dict[str, Any]) -> None:
        """Write a line."""
        sys.stdout.write(json.dumps(message) + "\n")
        sys.stdout.flush()

    def _receive(self) -> None:
        if not select.select([self._descriptor], [], [], _SILENCE_S)[0]:
            raise LaptopGoneError
        if not (piece := os.read(self._descriptor, _CHUNK)):
            raise LaptopGoneError
        self._received += piece


class Agent:
    """What can be asked for, a method each."""

    def __init__(self, store: Store, link: Link) -> None:
        self._store = store
        self._link = link
        self._environments = Environments(store)
        self._jobs = Jobs(store)
        self._claim: IO[bytes] | None = None

    def serve(self) -> None:
        """Answer until the laptop has had enough."""
        while True:
            request = json.loads(self._link.read_line())
            name = request.pop("ask")
            try:
                answer = getattr(self, "do_" + name)(**request)
                self._link.tell({"answer": answer})
            except RefusedError as error:
                self._link.tell({"refused": str(error)})
            except OSError as error:
                self._link.tell({"refused": in_words(error, self._store)})

    def do_look(self, **wanted: Any) -> dict[str, Any]:
        """See look.look."""
        return look(self._store, **wanted)

    def do_prepare(
        self, wheels: list[str], with_system_packages: bool, code: str, job: str
    ) -> dict[str, Any]:
        """Return what of a measurement is here already, and how its job stands.

        Unless it runs or has ended the store is claimed until it is started, or the laptop is gone.
        """
        self._store.refuse_foreign()
        state = self._jobs.state(job)
        if state not in ("running", "ended") and self._claim is None:
            self._claim = self._store.claim()
            self._store.sweep()
        return {
            "environment": self._environments.find(wheels, with_system_packages),
            "code": self._environments.code(code).exists(),
            "job": state,
        }

    def do_missing(self, hashes: list[str]) -> list[str]:
        """See Store.lacking."""
        return self._store.missing(hashes)

    def do_put(self, sha256: str, size_bytes: int) -> None:
        """See Store.put. Where it fails, what is still on its way is read and dropped."""
        left = size_bytes

        def read(size: int) -> bytes:
            nonlocal left
            piece = self._link.read(size)
            left -= len(piece)
            return piece

        try:
            self._store.put(sha256, size_bytes, read)
        finally:
            while left:
                read(min(left, _CHUNK))

    def do_make(self, **wanted: Any) -> None:
        """See Environments.make."""
        self._environments.make(**wanted)

    def do_unpack(self, sha256: str) -> None:
        """See Environments.unpack_code."""
        self._environments.unpack_code(sha256)

    def do_start(self, job: str, spec: dict[str, Any]) -> None:
        """See Jobs.start."""
        self._jobs.start(job, spec)
        if self._claim is not None:
            self._claim.close()
            self._claim = None

    def do_follow(self, job: str, offset: int) -> None:
        """See Jobs.follow."""
        self._jobs.follow(job, offset, self._link.tell, self._link.hears)

    def do_ended(self, job: str) -> dict[str, Any]:
        """See Jobs.ended."""
        return self._jobs.ended(job)

    def do_stop(self) -> None:
        """See Jobs.stop."""
        self._jobs.stop()

    def do_delete_job(self, job: str, but_its_journal: bool) -> None:
        """See Jobs.forget."""
        self._jobs.delete_job(job, but_its_journal)

    def do_clean(self, stop: bool) -> dict[str, Any]:
        """See Jobs.clean."""
        return self._jobs.clean(stop)


def main(descriptor: int) -> None:
    """Serve the laptop at the other end of `descriptor` and stdout."""
    os.umask(0o077)  # what lies there may be patients' images
    try:
        Agent(Store.usual(), Link(descriptor)).serve()
    except (LaptopGoneError, BrokenPipeError):
        # Nobody is left to be told; Python must not try to flush what is left.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
