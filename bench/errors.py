"""Every error that bench/ shows a user, with the exit code it owns. It knows nothing of terminals.

BenchError
├── InputError               2  wrong usage, configuration or input
│   ├── OpenShapeError       2  an input's shape that nothing states (bundle/signature.py)
│   └── ReportMismatchError  2  a report whose summaries disagree with its measurements
├── MissingRuntimeError      3  a runtime or precision is missing here
├── UnsupportedSystemError   3  an operating system on which edgefit cannot do it
├── FellBackError            4  a runtime ran elsewhere than requested
├── CalibrationError         4  a workload of calibration failed
└── BoardError               5  a board could not be reached or used
    ├── LinkLostError        5  the link to a board broke; what runs there goes on
    └── RemoteError          what stopped a measurement there, with its own code
"""


class BenchError(Exception):
    """Whatever stops a command with a sentence instead of a traceback."""

    exit_code = 2


class InputError(BenchError):
    """A file, key or option that cannot be used; the message names it and the remedy."""


class MissingRuntimeError(BenchError):
    """A runtime that this environment lacks; the message names the extra that brings it."""

    exit_code = 3


class UnsupportedSystemError(BenchError):
    """An operating system on which edgefit cannot do this; the message says what needs Linux."""

    exit_code = 3


class FellBackError(BenchError):
    """A runtime that ran an artifact, or parts of it, on another device than requested."""

    exit_code = 4


class CalibrationError(BenchError):
    """A workload of calibration that died or could not be run; the message holds its last words."""

    exit_code = 4


class BoardError(BenchError):
    """A board that could not be reached or used; the message names it, what it said, and the remedy."""

    exit_code = 5


class LinkLostError(BoardError):
    """The link to a board broke in the middle; what runs there goes on, and can be gone back to."""


class RemoteError(BoardError):
    """What stopped a measurement on a board, with the exit code that it would have had here."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class ReportMismatchError(InputError):
    """A report whose stored summaries are not those of its own measurements."""


def first_sentence(message: str) -> str:
    """Return a message's first line, and those that it announces: OpenVINO ends such a line with a colon."""
    lines: list[str] = []
    for line in message.splitlines():
        lines.append(line.strip())
        if not lines[-1].endswith(":"):
            break
    return " ".join(lines)
