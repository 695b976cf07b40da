"""The command line: it parses, runs the command, and turns every error into one sentence and an exit code."""

import errno
import json
import signal
import sys
import traceback
from collections.abc import Sequence
from io import StringIO
from typing import NoReturn

from bench.errors import InputError, UnsupportedSystemError
from bench.system.operating_system import require_posix
from edgefit.errors import disk_sentence
from edgefit.garbage import collect_rarely
from edgefit.signs import print_any_sign
from edgefit.streams import discard, open_closed, print_harmless, write
from user_files.own_folders import name_a_home
from user_files.printable import printable, printable_json, printable_lines, shortened, without_commands

_CRASHED = 1
_WRONG_INPUT = 2
_INTERRUPTED = 130
# What ended a command, by the exit code that says so.
_ENDS = {129: "the terminal hung up", _INTERRUPTED: "interrupted", 143: "ended by SIGTERM"}
# The errors of a terminal that hung up, and of a pipe that nobody reads.
_GONE = (errno.EIO, errno.EPIPE)
_SIGPIPE = 13  # signal.SIGPIPE, which Windows lacks
_READER_GONE = 128 + _SIGPIPE


def main() -> NoReturn:
    """Run the command in sys.argv, and exit with its code."""
    collect_rarely()
    open_closed()
    print_any_sign()
    print_harmless()
    name_a_home()
    try:
        require_posix()
    except UnsupportedSystemError as error:
        sys.exit(_report_error(error, as_json="--json" in sys.argv))
    from bench.system.ending_signals import end_on_signals

    try:
        end_on_signals()
        # Where it was ignored, the system reaps the children, and nobody learns how they ended.
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        code = run(sys.argv[1:])
    except KeyboardInterrupt:
        code = _INTERRUPTED
    except SystemExit as end:
        if not isinstance(end.code, int):
            raise
        code = end.code
    if code in _ENDS:
        _report_end(code, as_json="--json" in sys.argv)
    sys.exit(code)


def _report_end(code: int, as_json: bool) -> None:
    """Say which signal ended the command. What was unfinished is removed by now."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the work has ended already
    message = f"{_ENDS[code]}; no unfinished output is left"
    write(sys.stderr, f"\nedgefit: {message}\n")
    if as_json:
        _write_error(message, code)
    discard(sys.stdout, sys.stderr)


def run(arguments: list[str]) -> int:
    """Run one command line and return its exit code; print its error.

    typer turns Ctrl-C into the code 130.
    """
    from edgefit.app import app

    try:
        _refuse_empty(arguments)
        code = app(arguments, prog_name="edgefit", standalone_mode=False)
        sys.stdout.flush()
    except BrokenPipeError as error:
        return _code_of_signal_before(error) or _end_without_reader()
    except SystemExit as end:
        if end.code not in _ENDS and isinstance(end.__context__, BrokenPipeError):
            # typer ends the process with code 1
            return _code_of_signal_before(end) or _end_without_reader()
        raise
    except Exception as error:  # noqa: BLE001 - the edge of the process: an error becomes a sentence or a crash
        return _code_of_signal_before(error) or _report_error(error, "--json" in arguments, arguments)
    return code if isinstance(code, int) else 0


def _code_of_signal_before(error: BaseException) -> int | None:
    """Return the exit code of the signal whose handling met this error; None if there was no signal.

    A terminal that hangs up takes no more of what is drawn on it.
    """
    code: object
    before = error.__context__
    while before is not None:
        code = _INTERRUPTED if isinstance(before, KeyboardInterrupt) else None
        code = before.code if isinstance(before, SystemExit) else code
        if isinstance(code, int) and code in _ENDS:
            is_of_stream = isinstance(error, SystemExit) or getattr(error, "errno", None) in _GONE
            if not is_of_stream:
                write(sys.stderr, f"edgefit: {printable_lines(str(error))}\n")
            return code
        before = before.__context__
    return None


def _refuse_empty(arguments: list[str]) -> None:
    """Raise InputError for an empty argument: as a path it would be the current folder."""
    for index, argument in enumerate(arguments):
        if not argument.strip():
            before = arguments[index - 1] if index else "edgefit"
            raise InputError(
                f"the argument after {before} is empty: if it came from a variable of the shell, set it"
            )


def _end_without_reader() -> int:
    discard(sys.stdout, sys.stderr)  # Python must not try again at its end
    return _READER_GONE


def _report_error(error: Exception, as_json: bool, arguments: Sequence[str] = ()) -> int:
    """Print an error and return its exit code; an error without one is a crash of edgefit.

    `arguments`: what may be a name with a line end, which must not divide the sentence that names it.
    """
    code = getattr(error, "exit_code", None)
    if (sentence := disk_sentence(error)) is not None:
        message, code = sentence, _WRONG_INPUT
    elif code is None:
        write(sys.stderr, _indented("".join(traceback.format_exception(error))) + "\n")
        message, code = "edgefit crashed; please report the text above", _CRASHED
    else:
        message = str(error)
    for name in _names_with_line_ends(arguments):
        message = message.replace(name, printable(name))
    # An error of typer, such as a wrong option, writes itself with the command's usage.
    show = getattr(error, "show", None)
    if show is None:
        write(sys.stderr, f"edgefit: {_indented(shortened(message))}\n")
    else:
        usage = StringIO()
        show(usage)
        write(sys.stderr, without_commands(printable_lines(usage.getvalue())))
    if as_json:
        _write_error(message, int(code))
    discard(sys.stdout, sys.stderr)
    return int(code)


def _names_with_line_ends(arguments: Sequence[str]) -> list[str]:
    names = [name for argument in arguments for name in argument.split("/")]
    return [name for name in names if name.strip() and "\n" in name]


def _write_error(message: str, code: int) -> None:
    write(sys.stdout, printable_json(json.dumps({"error": message, "exit_code": code})) + "\n")


def _indented(text: str) -> str:
    """Return lines of text, of which only the first begins at the margin, as edgefit's own sentences do."""
    return without_commands(printable_lines(text.rstrip())).replace("\n", "\n  ")
