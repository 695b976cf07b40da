"""The whole way to a report from one board: look, bring what it lacks, start, follow, fetch.

It knows the order and what may go wrong between two steps; a link that breaks is made anew.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Lock
from typing import Any

from bench.devices.matching import profile_that_is
from bench.errors import BoardError, LinkLostError, RemoteError
from bench.progress import Progress
from bench.remote.board import Board
from bench.remote.job_spec import (
    Asked,
    Environment,
    Job,
    Selection,
    job_of,
    place_of,
    provided_by,
    requirements_for,
    select,
    trial_of,
)
from bench.remote.probe import BoardProbe
from bench.remote.request import Ended
from bench.remote.ssh import StoppedError
from bench.remote.targets import Target
from bench.remote.wheelhouse import wheels_in
from bench.remote.wheels import kept_wheels
from bench.report.files import parse_report
from bench.report.schema import Report
from bench.run.machine_warnings import machine_warnings
from device_profiles.profile import Profile

_MIB = 1 << 20
_GIB = 1 << 30
# A board that boots answers within a minute or two.
_TRIES_S = 150.0
_STEP_S = 5.0
_GOES_ON = "it may go on measuring: the same command goes back to it, and edgefit clean --stop ends it"
# pip writes into folders of its own, which two boards that need the same must not fill at once.
_GATHERING = Lock()

OnReport = Callable[[Report], None]


@dataclass(frozen=True)
class OnBoards:
    """What is asked for on boards that are reached. `profile`: None for the one of `known` that a board is;
    `wheelhouse`: a folder with the wheels, None to gather them.
    """

    asked: Asked
    profile: Profile | None
    known: Sequence[Profile]
    wheelhouse: Path | None


class Measurement:
    """One measurement on a board, which is reached when this is made.

    Raises BoardError where the board cannot be reached or used, RemoteError for what ended the measurement
    there, and StoppedError once `stopping` is set, after it was ended there.
    """

    def __init__(self, target: Target, wanted: OnBoards, progress: Progress, stopping: Event) -> None:
        self._target = target
        self._wanted = wanted
        self._progress = progress
        self._stopping = stopping
        progress.begin("reaching it", 1)
        self._board = Board(target, stopping)
        progress.advance()

    def measure(self, on_report: OnReport) -> Report:
        """Do all that is left to do, and return the report.

        `on_report` is given it while the board still has it: if it raises, the same command fetches it again.
        """
        with closing(self):
            probed = self._board.look()
            probed.refuse_unusable()
            self._say_what_it_is(probed)
            job = self._settle(probed)
            found = self._board.prepare(job.environment, job.code.sha256, job.key)
            if found["job"] == "running":
                self._progress.say("it measures this already, from an earlier command: going on from there")
            elif found["job"] == "ended":
                self._progress.say("it has measured this for an earlier command: this is that report")
            else:
                self._prepare(job, probed, found)
            self._follow_to_the_end(job)
            report = self._fetch(job)
            on_report(report)
            with suppress(LinkLostError):  # the report is safe, and the board forgets it another time
                self._board.delete_job(job.key)
        return report

    def close(self) -> None:
        """End the link; what was started goes on."""
        self._board.close()

    def _say_what_it_is(self, probed: BoardProbe) -> None:
        host, facts = probed.host, probed.facts
        free = (
            f"{probed.state.available_bytes / _GIB:.1f} of {host.memory_bytes / _GIB:.1f} GiB of memory free"
        )
        disk = f"{facts.disk_free_bytes / _GIB:.1f} GiB of disk"
        self._progress.say(f"{host.board or host.cpu}, Python {host.python}, {free}, {disk}")
        for warning in machine_warnings(host, probed.state):
            self._progress.say(f"warning: {warning}")

    def _settle(self, probed: BoardProbe) -> Job:
        wanted, asked = self._wanted, self._wanted.asked
        chosen = select(asked.bundle, asked.only, asked.with_formats, probed.own_modules)
        profile = wanted.profile or profile_that_is(probed.host, wanted.known, probed.name)
        return job_of(asked, profile, chosen, self._environment(probed, chosen))

    def _environment(self, probed: BoardProbe, chosen: Selection) -> Environment:
        requirements = requirements_for(chosen, probed.uses_system_packages)
        place = place_of(probed)
        if self._wanted.wheelhouse is not None:
            wheels = wheels_in(self._wanted.wheelhouse, place, chosen, probed.uses_system_packages)
        else:
            with _GATHERING:
                wheels = kept_wheels(place, requirements, self._progress, provided_by(probed))
        return Environment(
            wheels=tuple(wheels),
            with_system_packages=probed.uses_system_packages,
            trial=trial_of(chosen.formats),
            python=probed.python,
        )

    def _prepare(self, job: Job, probed: BoardProbe, found: dict[str, Any]) -> None:
        """Bring what is lacking and start the job; what has arrived stays if the link breaks meanwhile."""
        try:
            self._upload(job, probed, found)
            self._start(job, found)
        except LinkLostError as error:
            raise LinkLostError(
                f"{error} before anything was measured; the same command goes on. If it breaks at this step"
                " again, the board may be short of memory"
            ) from None

    def _upload(self, job: Job, probed: BoardProbe, found: dict[str, Any]) -> None:
        """Send what the board lacks, by what it was `found` to have, and have it unpacked."""
        missing = self._board.missing(list(job.files.values()))
        wheels = [] if found["environment"] else self._board.missing(job.environment.files)
        code = [] if found["code"] else [job.code]
        if not found["environment"]:
            _refuse_full_disk(probed, job)
        if files := [*code, *wheels, *missing]:
            if missing:
                images = self._wanted.asked.bundle.manifest.pack.images
                self._progress.say(
                    f"{images} evaluation images go to the board with it: they may be patients'"
                )
            self._board.send(files, self._progress)
        else:
            self._progress.say("it has everything: nothing is sent")
        if not found["environment"]:
            self._progress.begin("unpacking on the board", 1)
            self._board.make_environment(job.environment)
            self._progress.advance()
        if code:
            self._board.unpack_code(job.code.sha256)

    def _start(self, job: Job, found: dict[str, Any]) -> None:
        """Start the job, or go on with one that was found to have been cut off."""
        is_cut_off = found["job"] == "cut off"
        if is_cut_off:
            self._progress.say("going on with what was found there before it was cut off")
        try:
            self._board.start(job.key, job.spec(found["environment"] or job.environment.key, is_cut_off))
        except StoppedError:  # it may have been started all the same
            self._stop()
            raise

    def _follow_to_the_end(self, job: Job) -> None:
        offset = 0
        while True:
            try:
                for message in self._board.follow(job.key, offset):
                    offset = message.get("offset", offset)
                    self._tell(message)
            except LinkLostError as error:
                offset = self._reach_again(job, error, offset)
            except StoppedError:
                self._stop()
                raise
            else:
                return

    def _stop(self) -> None:
        """End what is measured there, and say how it stands."""
        try:
            self._board.stop_job()
        except BoardError:
            self._progress.say(_GOES_ON)
        else:
            self._progress.say("stopped there; what it found stays, and the same command goes on from it")

    def _tell(self, message: dict[str, Any]) -> None:
        if "died" in message:
            raise BoardError(f"{self._target.name}: {message['died']}")
        event = message.get("event", {})
        if "begin" in event:
            self._progress.begin(*event["begin"])
        elif "advance" in event:
            self._progress.advance(*event["advance"])
        elif "say" in event:
            self._progress.say(event["say"])

    def _reach_again(self, job: Job, lost: LinkLostError, offset: int) -> int:
        """Make the link anew, and start the job again if the board was switched off meanwhile.

        Return from which byte of its events on it is to be followed: `offset`, or the first of a new start.
        """
        reason = str(lost).removeprefix(f"{self._target.name}: ")
        self._progress.say(f"{reason}; the board goes on, and is tried to be reached again")
        self._board.close()
        deadline = time.monotonic() + _TRIES_S
        while True:
            if self._stopping.wait(_STEP_S):
                self._progress.say(_GOES_ON)
                raise StoppedError
            try:
                self._board = Board(self._target, self._stopping)
                break
            except LinkLostError as error:
                if time.monotonic() > deadline:
                    raise LinkLostError(
                        f"{error}; if it is on, it goes on measuring: the same command goes back to it"
                    ) from None
        found = self._board.prepare(job.environment, job.code.sha256, job.key)
        if found["job"] == "unknown":
            raise BoardError(
                f"{self._target.name}: is back, and has nothing left of the measurement; the same command"
                " begins anew"
            )
        if found["job"] == "cut off":
            self._start(job, found)
            return 0
        return offset

    def _fetch(self, job: Job) -> Report:
        self._progress.begin("fetching the report", 1)
        answer = self._board.ended(job.key)
        self._progress.advance()
        ended = Ended(exit_code=answer["exit_code"], message=answer["message"])
        if ended.exit_code or answer["report"] is None:
            self._board.delete_job(job.key, but_its_journal=ended.exit_code == BoardError.exit_code)
            raise RemoteError(f"{self._target.name}: {ended.message}", ended.exit_code)
        return parse_report(answer["report"].encode(), Path(f"{self._target.name}'s report"))


def _refuse_full_disk(probed: BoardProbe, job: Job) -> None:
    need, free = job.needs_bytes, probed.facts.disk_free_bytes
    if need > free:
        raise BoardError(
            f"{probed.name}: {probed.facts.store} needs {need / _MIB:.0f} MiB and its disk has"
            f" {free / _MIB:.0f} free; make room there"
        )
