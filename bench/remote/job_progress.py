"""Shows the progress of a job on a board, within what a job makes: no board can flood a terminal or a log."""

from bench.progress import Progress
from bench.remote.agent_messages import invalid_answer
from bench.remote.job_folder import Advance, Begin, ProgressEvent, Say
from user_files.printable import shortened

# A job has a task for each step and a sentence for each remark; the longest have some hundred.
_MOST_LINES = 10_000


class JobProgress:
    """Shows the events of a board's job."""

    def __init__(self, board: str, progress: Progress) -> None:
        self._board = board
        self._progress = progress
        self._lines = self._left = 0

    def show(self, event: ProgressEvent) -> None:
        """Show an event; raises BoardError if there are more of them than any job has."""
        if isinstance(event, Advance):
            self._advance(event)
            return
        self._lines += 1
        if self._lines > _MOST_LINES:
            raise invalid_answer(self._board, f"it has sent more than {_MOST_LINES} lines of progress")
        match event:
            case Begin(task=task, total=total):
                self._left = total
                self._progress.begin(shortened(task), total)
            case Say(sentence=sentence):
                self._progress.say(shortened(sentence))

    def _advance(self, event: Advance) -> None:
        """Show steps up to the end of the task: at the end, each further one would be another line."""
        steps = min(event.steps, self._left)
        if steps:
            self._left -= steps
            self._progress.advance(steps, shortened(event.note))
