"""The stages of a worker, and the steps of a long one: how a worker reports them, and how they are drawn."""

import time

from export.messages import Advanced, Entered, ProgressMessage, Report, Steps
from models.progress import Progress

_SECONDS_BETWEEN_STEPS = 0.5


def within(report: Report, outer: str) -> Report:
    """Return what reports the stages of a part of the work with its name before theirs."""

    def named(message: ProgressMessage) -> None:
        report(Entered(stage=f"{outer}, {message.stage}") if isinstance(message, Entered) else message)

    return named


def steps_of(report: Report) -> Steps:
    """Return what reports the steps of a stage: not every one of them, as there may be hundreds a second, and
    none of a short stage."""
    reported = time.monotonic()

    def note(done: int, total: int) -> None:
        nonlocal reported
        now = time.monotonic()
        if now - reported >= _SECONDS_BETWEEN_STEPS:
            reported = now
            report(Advanced(done=done, total=total))

    return note


class StageBar:
    """Draws the stages of a worker, each as a task of its own. Their steps are known with the first one."""

    def __init__(self, progress: Progress, title: str, has_stages: bool = True) -> None:
        """`title`: what is done; `has_stages`: whether the name of the stage follows."""
        self._progress, self._title, self._has_stages = progress, title, has_stages
        self._task, self._done, self._total = title, 0, 0

    def __call__(self, message: ProgressMessage) -> None:
        """Draw a stage or a step."""
        if isinstance(message, Entered):
            self._task, self._done = self._named(message.stage), 0
            self._progress.begin(self._task, 1)
            return
        if not self._done or message.done < self._done or message.total != self._total:
            self._progress.begin(self._task, message.total)
            self._done, self._total = 0, message.total
        self._progress.advance(message.done - self._done)
        self._done = message.done

    def _named(self, stage: str) -> str:
        return f"{self._title}, {stage}" if self._has_stages else self._title


class LinesOfWork:
    """Draws several workers as one task: how many things are finished, and beside it what each is doing."""

    def __init__(self, progress: Progress, task: str, total: int) -> None:
        """`task`: what is done, of `total` things."""
        self._progress = progress
        self._doing: dict[str, str] = {}
        self._stages: dict[str, str] = {}
        progress.begin(task, total)

    def note(self, name: str, message: ProgressMessage) -> None:
        """Show a stage or a step of what has this name."""
        if isinstance(message, Entered):
            self._stages[name] = self._doing[name] = f"{name}, {message.stage}"
        else:
            self._doing[name] = f"{self._stages.get(name, name)} {message.done}/{message.total}"
        self._progress.advance(0, note="; ".join(self._doing.values()))

    def finish(self, name: str, note: str) -> None:
        """Show that it is finished."""
        self._doing.pop(name, None)
        self._progress.advance(1, note="; ".join([note, *self._doing.values()]))
