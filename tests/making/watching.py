"""A Progress that remembers its calls."""


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

    def say_always(self, sentence: str) -> None:
        self.say(sentence)


class InterruptedWatching(Watching):
    """Interrupts, as Ctrl-C does, when the first variant is made and its worker still runs."""

    def advance(self, steps: int = 1, note: str = "") -> None:
        if self.tasks[-1][0] == "Exporting":
            raise KeyboardInterrupt
