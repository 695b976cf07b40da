"""What a user is shown of an error, on the command line and in Python alike. It prints nothing."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from bench.errors import BenchError, InputError

# Errors of the disk or its permissions, which are no fault of edgefit.
_DISK_ERRORS = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.ENAMETOOLONG)


def disk_sentence(error: Exception) -> str | None:
    """Return what to say of an error of the disk or its permissions; None for any other error."""
    if not isinstance(error, OSError) or error.errno not in _DISK_ERRORS:
        return None
    file = error.filename or "a file"
    return f"{file} cannot be read or written ({error.strerror}); check its permissions, and the free space"


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
