"""What a long step reports while it runs. It knows no terminal: the command line draws it."""

from typing import Protocol


class Progress(Protocol):
    """Receives the state of one task at a time; a new task ends the one before."""

    def begin(self, task: str, total: int) -> None:
        """Start a task of `total` steps."""

    def advance(self, steps: int = 1, note: str = "") -> None:
        """Finish `steps` steps of the task; `note` (such as "loss 0.12") is shown beside the bar."""

    def say(self, sentence: str) -> None:
        """Show a sentence that stays on the screen, such as a decision or a finished epoch."""


class Silent:
    """Ignores everything: for tests, and for callers that show no progress."""

    def begin(self, task: str, total: int) -> None:
        """Ignore a task."""

    def advance(self, steps: int = 1, note: str = "") -> None:
        """Ignore a step."""

    def say(self, sentence: str) -> None:
        """Ignore a sentence."""
