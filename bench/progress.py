"""What a long measurement tells whoever watches it. It knows no terminal: the command line draws it.

With the three methods of models/: the stages know nothing of each other, and one drawing serves both.
"""

from typing import Protocol


class Progress(Protocol):
    """Receives the state of one task at a time; beginning the next one ends the last."""

    def begin(self, task: str, total: int) -> None:
        """Start a task of `total` steps."""

    def advance(self, steps: int = 1, note: str = "") -> None:
        """Finish `steps` steps of the task; `note` stands beside the bar."""

    def say(self, sentence: str) -> None:
        """Say something that stays on the screen."""

    def say_always(self, sentence: str) -> None:
        """Say it even to whoever wants only errors: why nothing happens, which would seem to be one."""
