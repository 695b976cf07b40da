"""A board, as its agent answers: each request a method. It knows no bundle and no report."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Event
from typing import Any

from bench.progress import Progress
from bench.remote.job_spec import Environment, File
from bench.remote.probe import WANTED, BoardProbe, probed
from bench.remote.ssh import Link
from bench.remote.targets import Target

_CHUNK = 1 << 18
_MIB = 1 << 20
# Unpacking numpy and a runtime, and importing them for the first time, takes a small board minutes.
_MAKING_LIMIT_S = 1800.0
# While a measurement is followed its agent gives a sign of life every few seconds.
_SIGN_OF_LIFE_LIMIT_S = 90.0


class Board:
    """A board that can be asked, until it is closed.

    Everything here raises BoardError where the board refuses, LinkLostError where the link breaks and
    StoppedError once `stopping` is set.
    """

    def __init__(self, target: Target, stopping: Event) -> None:
        self.name = target.name
        self._link = Link(target, stopping)

    def close(self) -> None:
        """End the link; what was started there goes on."""
        self._link.close()

    def look(self) -> BoardProbe:
        """Look at it."""
        return probed(self.name, self._link.ask({"ask": "look", **WANTED}))

    def prepare(self, environment: Environment, code: str, job: str) -> dict[str, Any]:
        """Return the key of an environment that will do, or None, whether `code` is there, and `job`'s state.

        See agent.jobs.state.
        """
        request = {
            "ask": "prepare",
            "wheels": [file.sha256 for file in environment.files],
            "with_system_packages": environment.with_system_packages,
            "code": code,
            "job": job,
        }
        answer: dict[str, Any] = self._link.ask(request)
        return answer

    def missing(self, files: Sequence[File]) -> list[File]:
        """Return those of some files that it has not."""
        hashes = set(self._link.ask({"ask": "lacking", "hashes": [file.sha256 for file in files]}))
        return [file for file in files if file.sha256 in hashes]

    def send(self, files: Sequence[File], progress: Progress) -> None:
        """Send files; each is kept whole or not at all."""
        total = sum(file.size_bytes for file in files)
        progress.begin(f"sending {total / _MIB:.1f} MiB, KiB", max(1, total >> 10))
        sent = 0
        for file in files:
            for piece in self._send(file):
                progress.advance((sent + piece >> 10) - (sent >> 10))
                sent += piece

    def make_environment(self, environment: Environment) -> None:
        """Have it unpack an environment's wheels, which are there."""
        request = {
            "ask": "make",
            "key": environment.key,
            "wheels": [file.sha256 for file in environment.files],
            "with_system_packages": environment.with_system_packages,
            "trial": list(environment.trial),
        }
        self._link.ask(request, _MAKING_LIMIT_S)

    def unpack_code(self, sha256: str) -> None:
        """Have it unpack edgefit's code, which is there."""
        self._link.ask({"ask": "unpack", "sha256": sha256})

    def start(self, job: str, spec: dict[str, Any]) -> None:
        """Start a job: see agent.jobs.start."""
        self._link.ask({"ask": "start", "job": job, "spec": spec})

    def follow(self, job: str, offset: int) -> Iterator[dict[str, Any]]:
        """Yield what is told of a job from `offset` on until it ends: see agent.jobs.follow."""
        self._link.send({"ask": "follow", "job": job, "offset": offset})
        while "answer" not in (message := self._link.receive(_SIGN_OF_LIFE_LIMIT_S)):
            yield message

    def ended(self, job: str) -> dict[str, Any]:
        """Return how a job ended, and its report's text."""
        answer: dict[str, Any] = self._link.ask({"ask": "ended", "job": job})
        return answer

    def delete_job(self, job: str, but_its_journal: bool = False) -> None:
        """Have it remove a job: see agent.jobs.forget."""
        self._link.ask({"ask": "forget", "job": job, "but_its_journal": but_its_journal})

    def stop_job(self) -> None:
        """End the job whose start or end is being waited for, though somebody wants all of this to end."""
        self._link.finish()
        self._link.send({"ask": "stop"})
        answers = 0
        while answers < 2:  # that of what was waited for, and that of `stop`
            answers += "answer" in self._link.receive()

    def clean(self, stop: bool) -> tuple[str, int]:
        """Have it remove edgefit's folder; return which that was and how many bytes it held."""
        answer = self._link.ask({"ask": "clean", "stop": stop})
        return answer["folder"], answer["bytes"]

    def _send(self, file: File) -> Iterator[int]:
        """Send a file, and yield the size of each piece."""
        content = file.content if isinstance(file.content, bytes) else Path(file.content).read_bytes()
        self._link.send({"ask": "put", "sha256": file.sha256, "size_bytes": len(content)})
        for begin in range(0, len(content), _CHUNK):
            piece = content[begin : begin + _CHUNK]
            self._link.write(piece)
            yield len(piece)
        self._link.receive()
