"""The command line: parses, dispatches, and turns every error into one sentence and an exit code."""

import errno
import json
import os
import signal
import sys
import traceback
from types import FrameType
from typing import NoReturn

_CRASHED = 1
_WRONG_INPUT = 2
_INTERRUPTED = 130
_READER_GONE = 128 + signal.SIGPIPE
# What a disk or its permissions can do to anyone.
_NOT_OUR_FAULT = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.ENAMETOOLONG)


def main() -> NoReturn:
    """Run the command that the process was started with, and exit as the contract says."""
    try:
        signal.signal(signal.SIGTERM, _end)
        signal.signal(signal.SIGHUP, _end)
        code = run(sys.argv[1:])
    except KeyboardInterrupt:
        code = _INTERRUPTED
    if code == _INTERRUPTED:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second one has nothing left to interrupt
        # Whatever was half-made is gone by now: every output appears whole or not at all.
        sys.stderr.write("\nedgefit: interrupted; nothing half-made was left behind\n")
    sys.exit(code)


def _end(number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)


def run(words: list[str]) -> int:
    """Run one command line and return its exit code; errors are printed here.

    typer itself turns Ctrl-C into the code 130.
    """
    from edgefit.app import app

    try:
        code = app(words, prog_name="edgefit", standalone_mode=False)
    except BrokenPipeError:
        # Whoever read our output has had enough; Python must not try to flush what is left.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _READER_GONE
    except Exception as error:  # noqa: BLE001 - the edge of the process: an error becomes a sentence or a crash
        return _tell(error, as_json="--json" in words)
    return code if isinstance(code, int) else 0


def _tell(error: Exception, as_json: bool) -> int:
    """Print an error that owns an exit code as a sentence, and any other as edgefit's own crash."""
    code = getattr(error, "exit_code", None)
    if isinstance(error, OSError) and error.errno in _NOT_OUR_FAULT:
        message, code = f"{error.filename or 'writing'}: {error.strerror}; nothing was written", _WRONG_INPUT
    elif code is None:
        traceback.print_exception(error)
        message, code = "edgefit itself failed (see above); please report it with that text", _CRASHED
    else:
        message = str(error)
    # typer's own errors (a wrong option, say) know how to show themselves, with the command's usage.
    show = getattr(error, "show", None)
    if show is None:
        sys.stderr.write(f"edgefit: {message}\n")
    else:
        show()
    if as_json:
        sys.stdout.write(json.dumps({"error": message, "exit_code": code}) + "\n")
    return int(code)


if __name__ == "__main__":
    main()
