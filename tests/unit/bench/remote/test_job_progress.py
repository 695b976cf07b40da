"""The progress of a board's job is shown within what a job makes."""

import pytest

from bench.errors import BoardError
from bench.remote import job_progress
from bench.remote.job_folder import Advance, Begin, Say
from bench.remote.job_progress import JobProgress


class Shown:
    """Remembers what is shown."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def begin(self, task: str, total: int) -> None:
        self.lines.append(f"begin {task} {total}")

    def advance(self, steps: int = 1, note: str = "") -> None:
        self.lines.append(f"advance {steps} {note}")

    def say(self, sentence: str) -> None:
        self.lines.append(f"say {sentence}")

    def say_always(self, sentence: str) -> None:
        self.say(sentence)


def test_steps_are_shown_up_to_the_end_of_their_task() -> None:
    shown = Shown()
    progress = JobProgress("board", shown)
    for event in (
        Advance(steps=5, note="no task"),
        Begin(task="t", total=3),
        Advance(steps=2, note="a"),
        Advance(steps=2**62, note="b"),
        Advance(steps=1, note="c"),
    ):
        progress.show(event)

    assert shown.lines == ["begin t 3", "advance 2 a", "advance 1 b"]


def test_long_text_is_cut() -> None:
    shown = Shown()
    progress = JobProgress("board", shown)
    for event in (
        Say(sentence="x" * 100_000),
        Begin(task="y" * 100_000, total=1),
        Advance(steps=1, note="z" * 100_000),
    ):
        progress.show(event)

    assert shown.lines[0].endswith("xx… (96,000 more characters)")
    assert all(len(line) < 4100 for line in shown.lines)


def test_more_lines_than_any_job_has_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_progress, "_MOST_LINES", 3)
    progress = JobProgress("board", Shown())
    for _ in range(2):
        progress.show(Say(sentence="s"))
    progress.show(Begin(task="t", total=1))
    for _ in range(10):
        progress.show(Advance(steps=1, note=""))

    with pytest.raises(BoardError, match=r"^board: .*more than 3 lines of progress"):
        progress.show(Say(sentence="s"))
