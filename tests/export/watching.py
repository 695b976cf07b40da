"""A Progress that remembers what it is told."""


class Watching:
    def __init__(self) -> None:
        self.tasks: list[tuple[str, int]] = []
        self.steps = 0
        self.sentences: list[str] = []

    def begin(self, task: str, total: int) -> None:
        self.tasks.append((task, total))
        self.steps = 0

    def advance(self, steps: int = 1, note: str = "") -> None:
        self.steps += steps

    def say(self, sentence: str) -> None:
        self.sentences.append(sentence)


class InterruptedWatching(Watching):
    """Somebody presses Ctrl-C once the first variant is there, its worker still alive."""

    def advance(self, steps: int = 1, note: str = "") -> None:
        if self.tasks[-1][0] == "Exporting":
            raise KeyboardInterrupt
