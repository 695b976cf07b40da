"""Several boards side by side, each in a thread of its own; what happens to one does not affect the others.

It connects to one board after the other, because ssh may ask for a password.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack, closing
from dataclasses import dataclass
from threading import Event

from bench.errors import BenchError, InputError
from bench.filesystem.disk_errors import sentence_on
from bench.progress import Progress
from bench.remote.board_run import BoardRequest, Measurement
from bench.remote.targets import Target
from bench.report.schema import Report

_POLL_S = 0.5

OnReports = Callable[[Target, tuple[Report, ...]], bool]
"""Receives a board's report, or one for each of several networks, and returns whether it is in a file: if
not, the board keeps it until it was shown."""


@dataclass(frozen=True)
class BoardResult:
    """The report of a board, or the error that ended its measurement."""

    target: Target
    """The board's address."""

    outcome: tuple[Report, ...] | BenchError
    """The report, or one for each of several networks; or why there is none."""

    @property
    def report(self) -> Report | None:
        """The report, if there is one; of several networks the first one's."""
        return None if isinstance(self.outcome, BenchError) else self.outcome[0]


def measure_fleet(
    targets: Sequence[Target],
    request: BoardRequest,
    progress: Mapping[str, Progress],
    on_reports: OnReports,
    show: Callable[[list[BoardResult]], None],
) -> None:
    """Measure on every board, and show the results in their order.

    `progress`: by the boards' names; `on_reports` receives each report while the board still has it, and
    `show` all of them while the boards still have those that are in no file. If one raises, the same command
    fetches them again. Ctrl-C ends every measurement, and is raised when all have ended.
    """
    stopping = Event()
    with ExitStack() as stack, ThreadPoolExecutor(len(targets)) as pool:
        try:
            measurements = [
                _connect(target, request, progress[target.name], stopping, stack) for target in targets
            ]
            futures = [
                pool.submit(_measure, target, measurement, on_reports)
                for target, measurement in zip(targets, measurements, strict=True)
            ]
            while wait(futures, _POLL_S).not_done:
                pass
        except BaseException:
            stopping.set()  # the pool waits until each thread has ended its own measurement
            raise
        show([future.result() for future in futures])
        for measurement in measurements:
            if isinstance(measurement, Measurement):
                measurement.delete_shown()


def _connect(
    target: Target, request: BoardRequest, progress: Progress, stopping: Event, stack: ExitStack
) -> Measurement | BenchError:
    try:
        return stack.enter_context(closing(Measurement(target, request, progress, stopping)))
    except BenchError as error:
        return error


def _measure(target: Target, measurement: Measurement | BenchError, on_reports: OnReports) -> BoardResult:
    if isinstance(measurement, BenchError):
        return BoardResult(target, measurement)
    try:
        return BoardResult(target, measurement.measure(lambda reports: on_reports(target, reports)))
    except BenchError as error:
        return BoardResult(target, error)
    except OSError as error:  # of this machine's disk: it must not affect the other boards
        return BoardResult(target, InputError(f"{target.name}: {sentence_on(error)}"))
