"""What a user is shown of an error, on the command line and in Python alike. It prints nothing."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager

from bench.errors import BenchError, InputError

# Errors of the disk or its permissions, which are no fault of edgefit.
_DISK_ERRORS = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.ENAMETOOLONG)
# How the error of Python's module tempfile begins.
_NO_TEMPORARY_FOLDER = "No usable temporary directory"


def disk_sentence(error: Exception) -> str | None:
    """Return what to say of an error of the disk or its permissions; None for any other error."""
    if not isinstance(error, OSError):
        return None
    if error.errno == errno.ENOENT:
        return _missing_folder(error)
    if error.errno not in _DISK_ERRORS:
        return None
    file = error.filename or "a file, or what the output goes to,"
    return f"{file} cannot be read or written ({error.strerror}); check its permissions, and the free space"


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
