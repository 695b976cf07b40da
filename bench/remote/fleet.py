"""Several boards side by side, a thread each; what happens to one does not touch the others.

Boards are reached one after the other, for ssh may ask somebody for a password.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack, closing
from dataclasses import dataclass
from threading import Event

from bench.errors import BenchError, BoardError
from bench.progress import Progress
from bench.remote.measuring import Measurement, OnBoards
from bench.remote.targets import Target
from bench.report.schema import Report

_STEP_S = 0.5

OnReport = Callable[[Target, Report], None]


@dataclass(frozen=True)
class Result:
    """What became of one board: its report, or why there is none."""

    target: Target
    report: Report | None
    error: BenchError | None


def measure_fleet(
    targets: Sequence[Target],
    wanted: OnBoards,
    progress: Mapping[str, Progress],
    on_report: OnReport,
) -> list[Result]:
    """Measure a bundle on every board, and return what became of each, in their order.

    `progress`: by the boards' names; `on_report` is given each report while the board still has it. Ctrl-C
    ends every measurement, and is raised when all have ended.
    """
    stopping = Event()
    with ExitStack() as stack, ThreadPoolExecutor(len(targets)) as pool:
        try:
            reached = [_reach(target, wanted, progress[target.name], stopping, stack) for target in targets]
            futures = [
                pool.submit(_measure, target, one, on_report)
                for target, one in zip(targets, reached, strict=True)
            ]
            while wait(futures, _STEP_S).not_done:
                pass
        except BaseException:
            stopping.set()  # and the pool waits until each has ended its own
            raise
    return [future.result() for future in futures]


def _reach(
    target: Target, wanted: OnBoards, progress: Progress, stopping: Event, stack: ExitStack
) -> Measurement | BenchError:
    try:
        return stack.enter_context(closing(Measurement(target, wanted, progress, stopping)))
    except BenchError as error:
        return error


def _measure(target: Target, reached: Measurement | BenchError, on_report: OnReport) -> Result:
    if isinstance(reached, BenchError):
        return Result(target, None, reached)
    try:
        return Result(target, reached.measure(lambda report: on_report(target, report)), None)
    except BenchError as error:
        return Result(target, None, error)
    except OSError as error:  # of this machine's disk: what happens to one board does not touch the others
        return Result(target, None, BoardError(f"{target.name}: {error.filename or ''}: {error.strerror}"))
