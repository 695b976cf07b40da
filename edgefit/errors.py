"""What a user is shown of an error, on the command line and in Python alike. It prints nothing."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager

from bench.errors import BenchError, InputError
from bench.filesystem.disk_errors import sentence_on

# Errors that the system returns to a program with a fault of its own: edgefit crashed.
_OF_A_PROGRAM = frozenset(
    (errno.EBADF, errno.ECHILD, errno.EFAULT, errno.EINTR, errno.EINVAL, errno.EPIPE, errno.ESRCH)
)
# Errors of starting a process or a thread, and of memory, which name no file.
_OF_LIMITS = (errno.EAGAIN, errno.ENOMEM)
# How the error of Python's module tempfile begins, and that of a thread that cannot be started.
_NO_TEMPORARY_FOLDER = "No usable temporary directory"
_NO_THREAD = "can't start new thread"


def disk_sentence(error: Exception) -> str | None:
    """Return what to say of an error of the system: of disks, permissions and limits; None for any other."""
    if isinstance(error, RuntimeError) and str(error) == _NO_THREAD:
        return _limit_sentence(str(error))
    if not isinstance(error, OSError) or error.errno is None:
        return None
    if error.errno == errno.ENOENT:
        return _missing_folder(error)
    if error.errno in _OF_A_PROGRAM or isinstance(error, ConnectionError):
        return None
    if error.errno in _OF_LIMITS and error.filename is None:
        return _limit_sentence(error.strerror or os.strerror(error.errno))
    return sentence_on(error)


def _limit_sentence(why: str) -> str:
    return (
        f"the system gives edgefit no further process, thread or memory ({why}); end other programs, or "
        "raise this user's limits (ulimit -u, ulimit -v)"
    )


def _missing_folder(error: OSError) -> str | None:
    """Return what to say where a folder that every process has is missing; None if another one is."""
    if str(error.filename).startswith("/proc/"):
        return f"{error.filename} is missing, which edgefit reads: mount /proc, with all that it has"
    if error.filename is not None:
        return None
    if str(error.strerror).startswith(_NO_TEMPORARY_FOLDER):
        return "no folder for temporary files is here, or can be written; set TMPDIR to a writable folder"
    try:
        os.getcwd()
    except OSError:
        return "the folder that edgefit was started in is deleted; go to another one, and run edgefit there"
    return None


@contextmanager
def python_errors() -> Iterator[None]:
    """Raise every error that has a sentence for the user as a BenchError, so that callers catch one class.

    models/ and device_profiles/ do not know bench/, and have errors of their own. An interrupt ends every
    process that this thread started, because the interpreter goes on.
    """
    from bench.harness.child_process import stop_children_of_this_thread

    try:
        yield
    except BenchError:
        raise
    except Exception as error:
        has_sentence = getattr(error, "exit_code", None) is not None
        message = str(error) if has_sentence else disk_sentence(error)
        if message is None:
            raise
        raise InputError(message) from error
    except KeyboardInterrupt:
        stop_children_of_this_thread()
        raise
