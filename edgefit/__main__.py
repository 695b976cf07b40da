"""The command line: it parses, runs the command, and turns every error into one sentence and an exit code."""

import json
import os
import signal
import sys
import traceback
from types import FrameType
from typing import NoReturn

from bench.errors import InputError, UnsupportedSystemError
from bench.printable import printable_lines
from bench.system.operating_system import require_posix
from edgefit.errors import disk_sentence

_CRASHED = 1
_WRONG_INPUT = 2
_INTERRUPTED = 130
_SIGPIPE = 13  # signal.SIGPIPE, which Windows lacks
_READER_GONE = 128 + _SIGPIPE


def main() -> NoReturn:
    """Run the command in sys.argv, and exit with its code."""
    try:
        require_posix()
    except UnsupportedSystemError as error:
        sys.exit(_report_error(error, as_json="--json" in sys.argv))
    try:
        signal.signal(signal.SIGTERM, _end)
        signal.signal(signal.SIGHUP, _end)
        code = run(sys.argv[1:])
    except KeyboardInterrupt:
        code = _INTERRUPTED
    if code == _INTERRUPTED:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the work has ended already
        # Unfinished output is removed by now: every output is written whole or not at all.
        sys.stderr.write("\nedgefit: interrupted; no unfinished output is left\n")
    sys.exit(code)


def _end(number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)


def run(arguments: list[str]) -> int:
    """Run one command line and return its exit code; print its error.

    typer turns Ctrl-C into the code 130.
    """
    from edgefit.app import app

    try:
        _refuse_empty(arguments)
        code = app(arguments, prog_name="edgefit", standalone_mode=False)
    except BrokenPipeError:
        # The reader closed the pipe. Python must not flush the rest of the output into it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _READER_GONE
    except Exception as error:  # noqa: BLE001 - the edge of the process: an error becomes a sentence or a crash
        return _report_error(error, as_json="--json" in arguments)
    return code if isinstance(code, int) else 0


def _refuse_empty(arguments: list[str]) -> None:
    """Raise InputError for an empty argument: as a path it would be the current folder."""
    for index, argument in enumerate(arguments):
        if not argument.strip():
            before = arguments[index - 1] if index else "edgefit"
            raise InputError(
                f"the argument after {before} is empty: if it came from a variable of the shell, set it"
            )


def _report_error(error: Exception, as_json: bool) -> int:
    """Print an error and return its exit code; an error without one is a crash of edgefit."""
    code = getattr(error, "exit_code", None)
    if (sentence := disk_sentence(error)) is not None:
        message, code = sentence, _WRONG_INPUT
    elif code is None:
        sys.stderr.write(printable_lines("".join(traceback.format_exception(error))))
        message, code = "edgefit crashed; please report the text above", _CRASHED
    else:
        message = str(error)
    # An error of typer, such as a wrong option, prints itself with the command's usage.
    show = getattr(error, "show", None)
    if show is None:
        sys.stderr.write(f"edgefit: {printable_lines(message)}\n")
    else:
        show()
    if as_json:
        sys.stdout.write(json.dumps({"error": message, "exit_code": code}) + "\n")
    return int(code)


if __name__ == "__main__":
    main()
