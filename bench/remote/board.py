"""A board, as its agent answers: each request is a method. It knows no bundle, no model and no report."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from threading import Event
from time import monotonic

from bench.errors import InputError, LinkLostError
from bench.progress import Progress
from bench.remote.agent_messages import (
    Answer,
    BoardState,
    CleanRequest,
    DeleteJobRequest,
    FollowMessage,
    FollowRequest,
    JobResult,
    MakeEnvironmentRequest,
    MissingRequest,
    PrepareRequest,
    ProbeFacts,
    PutRequest,
    RemovedFolder,
    ResultRequest,
    StartRequest,
    StopRequest,
    UnpackCodeRequest,
)
from bench.remote.job_files import File
from bench.remote.job_spec import Environment, Job
from bench.remote.probe import PROBE_REQUEST, BoardProbe
from bench.remote.ssh import AnswerLimit, Link
from bench.remote.targets import Target
from bench.units import mib

# What a board reads of itself for a probe; the largest have a thousand CPUs, with some files each.
_PROBE = AnswerLimit(seconds=180.0, size_bytes=4 << 20)
# Unpacking numpy and a runtime, and importing them for the first time, takes a small board minutes.
_ENVIRONMENT = AnswerLimit(seconds=1800.0)
# The agent that follows a job sends something every few seconds.
_FOLLOW = AnswerLimit(seconds=90.0)
_STOP = AnswerLimit(seconds=120.0)
# A SHA-256 as JSON, with its comma.
_HASH_BYTES = 80


class Board:
    """A board with a running agent, until it is closed.

    Every method raises BoardError where the board refuses, LinkLostError where the connection breaks, and
    StoppedError once `stopping` is set.
    """

    def __init__(self, target: Target, stopping: Event) -> None:
        self.name = target.name
        self._link = Link(target, stopping)

    def close(self) -> None:
        """End the connection; a job that was started goes on."""
        self._link.close()

    def probe(self) -> BoardProbe:
        """Return what the board is and what state it is in."""
        return BoardProbe(self.name, self._link.call(PROBE_REQUEST, ProbeFacts, _PROBE))

    def prepare(self, job: Job) -> BoardState:
        """Return what the board has of a job.

        If the job must be started, the board is locked for this command.
        """
        request = PrepareRequest(
            wheels=job.environment.hashes,
            with_system_packages=job.environment.with_system_packages,
            code=job.code.sha256,
            job=job.key,
        )
        return self._link.call(request, BoardState)

    def missing(self, files: Sequence[File]) -> list[File]:
        """Return those of some files that the board does not have."""
        request = MissingRequest(hashes=tuple(file.sha256 for file in files))
        limit = AnswerLimit(size_bytes=AnswerLimit().size_bytes + _HASH_BYTES * len(files))
        hashes = set(self._link.call(request, list[str], limit))
        return [file for file in files if file.sha256 in hashes]

    def upload(self, files: Sequence[File], progress: Progress) -> None:
        """Send files; each is stored whole or not at all."""
        total = sum(file.size_bytes for file in files)
        progress.begin(f"sending {mib(total):.1f} MiB, KiB", max(1, total >> 10))
        sent = 0
        for file in files:
            for size in self._upload(file):
                progress.advance((sent + size >> 10) - (sent >> 10))
                sent += size

    def make_environment(self, environment: Environment) -> None:
        """Make an environment of wheels that were uploaded."""
        request = MakeEnvironmentRequest(
            key=environment.key,
            wheels=environment.hashes,
            with_system_packages=environment.with_system_packages,
            imports=environment.imports,
        )
        self._link.call(request, type(None), _ENVIRONMENT)

    def unpack_code(self, code: File) -> None:
        """Unpack edgefit's code, which was uploaded."""
        self._link.call(UnpackCodeRequest(sha256=code.sha256), type(None))

    def start(self, job: Job, environment: str, resume: bool) -> None:
        """Start a job in the environment with this key; `resume`: continue it where it was interrupted."""
        self._link.call(StartRequest(job=job.key, spec=job.spec(environment, resume)), type(None))

    def follow(self, job: Job, offset: int) -> Iterator[FollowMessage]:
        """Yield what happens to a job, from byte `offset` of its events on, until it ends."""
        self._link.send(FollowRequest(job=job.key, offset=offset))
        while not isinstance(message := self._link.receive(_FOLLOW), Answer):
            yield message

    def result(self, job: Job, longest_bytes: int) -> JobResult:
        """Return how a job ended, and its report's text; `longest_bytes`: of a report of this."""
        limit = AnswerLimit(size_bytes=longest_bytes)
        return self._link.call(ResultRequest(job=job.key), JobResult, limit)

    def delete_job(self, job: Job, keep_journal: bool = False) -> None:
        """Remove a job; `keep_journal`: all but what the job needs to be resumed."""
        self._link.call(DeleteJobRequest(job=job.key, keep_journal=keep_journal), type(None))

    def stop_job(self) -> None:
        """End the running job, although `stopping` is set.

        The connection still waits for the answer to the request that StoppedError interrupted.
        """
        self._link.ignore_stopping()
        self._link.send(StopRequest())
        deadline, answers = monotonic() + _STOP.seconds, 0
        while answers < 2:  # one for the interrupted request, and one for this
            answers += isinstance(self._link.receive(_STOP), Answer)
            if monotonic() > deadline:
                raise LinkLostError(f"{self.name}: the board did not stop in time")

    def clean(self, stop: bool) -> RemovedFolder:
        """Remove edgefit's folder; `stop`: end a running job first."""
        return self._link.call(CleanRequest(stop=stop), RemovedFolder)

    def _upload(self, file: File) -> Iterator[int]:
        """Send a file, and yield the size of each piece."""
        left = file.size_bytes
        request = PutRequest(sha256=file.sha256, size_bytes=left)
        self._link.send(request)
        for piece in file.pieces():
            self._link.write(piece[:left])
            yield len(piece)
            left -= len(piece)
        if left:
            raise InputError(f"{file.content!s} changed while it was sent; run the command again")
        self._link.answer(request, type(None))


def probe_board(target: Target) -> BoardProbe:
    """Probe a board; raises BoardError if it cannot be reached."""
    with closing(Board(target, Event())) as board:
        return board.probe()


def clean_board(target: Target, stop: bool) -> RemovedFolder:
    """Remove edgefit's folder from a board.

    Raises BoardError if a job runs there and `stop` is not set.
    """
    with closing(Board(target, Event())) as board:
        return board.clean(stop)
