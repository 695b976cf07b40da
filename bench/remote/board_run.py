"""The whole way to a report from one board: probe it, upload what is missing, start, follow, fetch.

It knows the order of the steps, and what may go wrong between two of them. It makes a broken connection anew.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Lock

from bench.devices.matching import profile_that_is
from bench.errors import BoardError, LinkLostError, RemoteError
from bench.progress import Progress
from bench.remote.agent_messages import (
    BoardState,
    FollowMessage,
    JobDied,
    JobEvent,
    JobResult,
    invalid_answer,
)
from bench.remote.board import Board
from bench.remote.fetched_report import fetched_reports, longest_report
from bench.remote.job_files import Subject, personal_content
from bench.remote.job_progress import JobProgress
from bench.remote.job_spec import (
    Environment,
    Job,
    Selection,
    imports_for,
    make_job,
    platform_of,
    provided_packages,
    requirements_for,
    select_formats,
)
from bench.remote.probe import BoardProbe
from bench.remote.ssh import StoppedError
from bench.remote.targets import Target
from bench.remote.wheel_cache import cached_wheels
from bench.remote.wheelhouse import wheels_in
from bench.report.schema import Report
from bench.run.machine_warnings import machine_warnings
from bench.run.request import BenchmarkRequest
from bench.units import mib
from device_profiles.profile import Profile
from user_files.printable import shortened

_GIB = 1 << 30
# A board that boots answers within a minute or two.
_RECONNECT_LIMIT_S = 150.0
_RECONNECT_STEP_S = 5.0
# A board that loses the connection, or its power, so often before anything happens there needs a person.
_MOST_FRUITLESS = 20
_MOST_RESTARTS = 5
# The exit codes of a measurement that failed; see bench.errors.
_FAILURES = (1, 2, 3, 4, 5)
_LONGEST_MESSAGE = 20_000
_MAY_GO_ON = "the board may go on measuring; the same command returns to it, and edgefit clean --stop ends it"
# pip writes into folders of its own, which two boards that need the same must not fill at once.
_GATHERING = Lock()

OnReports = Callable[[tuple[Report, ...]], bool]
"""Receives the report, or one for each of several networks, and returns whether it is in a file: if not, the
board keeps it until it was shown."""


@dataclass(frozen=True)
class BoardRequest:
    """What is to be measured on boards, and how they get their environment."""

    subject: Subject
    """What is measured."""

    benchmark: BenchmarkRequest
    """The run, as it would be on this machine."""

    profile: Profile | None
    """The profile for every board; None for the one of `known_profiles` that each board matches."""

    known_profiles: Sequence[Profile]
    """The profiles that a board may match."""

    with_formats: tuple[str, ...]
    """The formats whose runtime is installed although it is large."""

    wheelhouse: Path | None
    """The folder with the wheels; None to download them."""


class Measurement:
    """One measurement on a board. Making it connects to the board.

    Raises BoardError where the board cannot be reached or used, RemoteError for what ended the measurement
    there, and StoppedError once `stopping` is set, after the measurement was ended there.
    """

    def __init__(self, target: Target, request: BoardRequest, progress: Progress, stopping: Event) -> None:
        self._target = target
        self._request = request
        self._progress = progress
        self._stopping = stopping
        self._job_progress = JobProgress(target.name, progress)
        self._fruitless = self._restarts = 0
        self._kept_job: Job | None = None
        progress.begin("connecting", 1)
        self._board = Board(target, stopping)
        progress.advance()

    def measure(self, on_reports: OnReports) -> tuple[Report, ...]:
        """Do all that is left to do, and return the report, or one for each of several networks.

        `on_reports` receives it while the board still has it: if it raises, the same command fetches it
        again. If it has put the report in no file, the connection stays open for `delete_shown`.
        """
        with ExitStack() as stack:
            stack.callback(self.close)
            probe = self._board.probe()
            probe.refuse_unusable()
            self._describe(probe)
            job = self._job(probe)
            state = self._board.prepare(job)
            if state.job == "running":
                self._progress.say(
                    "the board is already measuring this, for an earlier command; this one follows it"
                )
            elif state.job == "ended":
                self._progress.say("the board has measured this for an earlier command; this is that report")
            else:
                self._set_up_and_start(job, probe, state)
            self._follow_to_the_end(job)
            reports = self._fetch(job, probe)
            if on_reports(reports):
                self._delete(job)
            else:
                self._kept_job = job
                stack.pop_all()
        return reports

    def delete_shown(self) -> None:
        """Delete from the board what it still has because its report is in no file; it was shown by now."""
        if self._kept_job is not None:
            self._delete(self._kept_job)

    def _delete(self, job: Job) -> None:
        with suppress(LinkLostError):  # the report is safe; the next command removes the job
            self._board.delete_job(job)

    def close(self) -> None:
        """End the connection; a job that was started goes on."""
        self._board.close()

    def _describe(self, probe: BoardProbe) -> None:
        host, available, disk = probe.host, probe.state.available_bytes, probe.facts.disk_free_bytes
        memory = f"{available / _GIB:.1f} of {host.memory_bytes / _GIB:.1f} GiB of memory free"
        self._progress.say(
            f"{host.board or host.cpu}, Python {host.python}, {memory}, {disk / _GIB:.1f} GiB of disk free"
        )
        for warning in machine_warnings(host, probe.state):
            self._progress.say(f"warning: {warning}")

    def _job(self, probe: BoardProbe) -> Job:
        request = self._request
        only = request.benchmark.only
        selection = select_formats(request.subject, only, request.with_formats, probe.system_modules)
        profile = request.profile or profile_that_is(probe.host, request.known_profiles, probe.name)
        environment = self._environment(probe, selection)
        return make_job(request.subject, request.benchmark, profile, selection, environment)

    def _environment(self, probe: BoardProbe, selection: Selection) -> Environment:
        return Environment(
            wheels=tuple(self._wheels(probe, selection)),
            with_system_packages=probe.uses_system_packages,
            imports=imports_for(selection.formats),
            python=probe.python,
        )

    def _wheels(self, probe: BoardProbe, selection: Selection) -> Sequence[Path]:
        platform, has_system_runtimes = platform_of(probe), probe.uses_system_packages
        if self._request.wheelhouse is not None:
            return wheels_in(self._request.wheelhouse, platform, selection, has_system_runtimes)
        requirements = requirements_for(selection, has_system_runtimes)
        with _GATHERING:
            return cached_wheels(platform, requirements, self._progress, provided_packages(probe))

    def _set_up_and_start(self, job: Job, probe: BoardProbe, state: BoardState) -> None:
        """Upload what is missing and start the job; if the connection breaks, what has arrived stays."""
        try:
            self._set_up(job, probe, state)
            self._start(job, state)
        except LinkLostError as error:
            raise LinkLostError(
                f"{error} before anything was measured. Run the same command again: it continues. If the"
                " connection breaks at this step again, the board may be short of memory"
            ) from None

    def _set_up(self, job: Job, probe: BoardProbe, state: BoardState) -> None:
        if state.environment is None:
            _refuse_full_disk(probe, job)
        self._upload(job, state)
        if state.environment is None:
            self._progress.begin("making the environment on the board", 1)
            self._board.make_environment(job.environment)
            self._progress.advance()
        if not state.has_code:
            self._board.unpack_code(job.code)

    def _upload(self, job: Job, state: BoardState) -> None:
        code = [] if state.has_code else [job.code]
        wheels = [] if state.environment is not None else self._board.missing(job.environment.files)
        measured = self._board.missing(list(job.files.values()))
        if measured and (personal := personal_content(self._request.subject)):
            self._progress.say(f"the upload includes {personal}, which may show patients")
        if files := [*code, *wheels, *measured]:
            self._board.upload(files, self._progress)
        else:
            self._progress.say("the board has every file already; nothing is sent")

    def _start(self, job: Job, state: BoardState) -> None:
        """Start the job, or resume it where it was interrupted."""
        resume = state.job == "interrupted"
        if resume:
            self._progress.say(
                "the board resumes the interrupted measurement with the results it already has"
            )
        try:
            self._board.start(job, state.environment or job.environment.key, resume)
        except StoppedError:  # the board may have started it all the same
            self._stop()
            raise

    def _follow_to_the_end(self, job: Job) -> None:
        offset = 0
        while True:
            try:
                for message in self._board.follow(job, offset):
                    if isinstance(message, JobEvent) and message.offset > offset:
                        offset, self._fruitless = message.offset, 0
                    self._show(message)
            except LinkLostError as error:
                offset = self._reconnect(job, error, offset)
            except StoppedError:
                self._stop()
                raise
            else:
                return

    def _stop(self) -> None:
        """End the measurement on the board, and say whether that succeeded."""
        try:
            self._board.stop_job()
        except BoardError:
            self._progress.say(_MAY_GO_ON)
        else:
            self._progress.say(
                "the board has stopped and keeps its results; the same command resumes the measurement"
            )

    def _show(self, message: FollowMessage) -> None:
        if isinstance(message, JobDied):
            raise BoardError(f"{self._target.name}: {shortened(message.died, _LONGEST_MESSAGE)}")
        if isinstance(message, JobEvent):
            self._job_progress.show(message.event)

    def _reconnect(self, job: Job, lost: LinkLostError, offset: int) -> int:
        """Connect again, and resume the job if the board was switched off meanwhile.

        Return the byte of its events from which to follow it: `offset`, or the first of a new start.
        """
        self._fruitless += 1
        if self._fruitless > _MOST_FRUITLESS:
            raise LinkLostError(
                f"{lost}, for the {_MOST_FRUITLESS + 1}st time without any progress; look at its network. The"
                " same command returns to the measurement"
            )
        reason = str(lost).removeprefix(f"{self._target.name}: ")
        self._progress.say(f"{reason}; the board goes on measuring, and edgefit tries to reconnect")
        self._board.close()
        self._board = self._connect_again()
        state = self._board.prepare(job)
        if state.job == "unknown":
            raise BoardError(
                f"{self._target.name}: the board answers again, but the measurement is gone; run"
                " the same command again, which starts over"
            )
        if state.job == "interrupted":
            self._refuse_to_restart_again()
            measured = self._board.missing(list(job.files.values()))
            if state.environment is None or not state.has_code or measured:
                raise BoardError(
                    f"{self._target.name}: the board answers again, but what was sent to it is damaged; run"
                    " the same command again, which sends it anew and resumes the measurement"
                )
            self._start(job, state)
            return 0
        return offset

    def _refuse_to_restart_again(self) -> None:
        self._restarts += 1
        if self._restarts > _MOST_RESTARTS:
            raise BoardError(
                f"{self._target.name}: the measurement has been cut off {self._restarts} times; look at the"
                " board's power supply and memory. The same command resumes it"
            )

    def _connect_again(self) -> Board:
        deadline = time.monotonic() + _RECONNECT_LIMIT_S
        while True:
            if self._stopping.wait(_RECONNECT_STEP_S):
                self._progress.say(_MAY_GO_ON)
                raise StoppedError
            try:
                return Board(self._target, self._stopping)
            except LinkLostError as error:
                if time.monotonic() > deadline:
                    raise LinkLostError(
                        f"{error}. If the board is on, it goes on measuring: the same command returns to the"
                        " measurement"
                    ) from None

    def _fetch(self, job: Job, probe: BoardProbe) -> tuple[Report, ...]:
        self._progress.begin("fetching the report", 1)
        subject = self._request.subject
        longest = longest_report(subject, self._request.benchmark.sustained_s)
        result = self._board.result(job, longest)
        self._progress.advance()
        if result.exit_code:
            self._board.delete_job(job, keep_journal=result.exit_code == BoardError.exit_code)
            raise self._failure(result)
        try:
            profile = job.request.profile
            return fetched_reports(self._target.name, result.report, subject, profile, probe.host)
        except BoardError:
            # Otherwise the same command would fetch the same again: this way it makes the report anew.
            self._board.delete_job(job, keep_journal=True)
            raise

    def _failure(self, result: JobResult) -> BoardError:
        if result.exit_code not in _FAILURES:
            return invalid_answer(
                self._target.name, f"no measurement ends with the exit code {result.exit_code}"
            )
        message = shortened(str(result.message), _LONGEST_MESSAGE)
        return RemoteError(f"{self._target.name}: {message}", result.exit_code)


def _refuse_full_disk(probe: BoardProbe, job: Job) -> None:
    needed, free = job.needed_bytes, probe.facts.disk_free_bytes
    if needed > free:
        raise BoardError(
            f"{probe.name}: edgefit needs {mib(needed):.0f} MiB at {probe.facts.store}, and that disk has"
            f" {mib(free):.0f} MiB free; free some space there"
        )
