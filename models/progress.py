"""What a long step tells whoever watches it. It knows no terminal: the command line draws it."""

from typing import Protocol


class Progress(Protocol):
    """Receives the state of one task at a time; beginning the next one ends the last."""

    def begin(self, task: str, total: int) -> None:
        """Start a task of `total` steps."""

    def advance(self, steps: int = 1, note: str = "") -> None:
        """Finish `steps` steps of the task; `note` (such as "loss 0.12") stands beside the bar."""

    def say(self, sentence: str) -> None:
        """Say something that stays on the screen: a decision the user must know, a finished epoch."""


class Silent:
    """Watches nothing: for tests and for callers that do not care."""

    def begin(self, task: str, total: int) -> None:
        """Ignore a task."""

    def advance(self, steps: int = 1, note: str = "") -> None:
        """Ignore a step."""

    def say(self, sentence: str) -> None:
        """Ignore a sentence."""
