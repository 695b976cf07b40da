"""Exchanges two folders: atomically if the kernel and the file system can, otherwise by renames."""

import ctypes
import errno
import os
from contextlib import suppress
from pathlib import Path

from bench.filesystem.unfinished import OLD, name_beside

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2
# The errors of kernels, file systems and sandboxes that cannot do it.
_CANNOT = (errno.ENOSYS, errno.EINVAL, errno.EPERM, errno.ENOTSUP)


def exchange(new: Path, target: Path) -> Path:
    """Put `new` in the place of `target`, and return the present path of the old folder.

    That is `new` after an atomic exchange, else a name of `name_beside`. Raises OSError if nothing changed.
    """
    code = _exchange_at_once(new, target)
    if code in _CANNOT:
        return _exchange_one_by_one(new, target)
    if code:
        raise OSError(code, os.strerror(code), str(target))
    return new


def _exchange_at_once(first: Path, second: Path) -> int:
    """Return 0 after the exchange, else the number of the error."""
    renameat2 = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if renameat2 is None:
        return errno.ENOSYS
    names = os.fsencode(first), os.fsencode(second)
    failed = renameat2(_AT_FDCWD, names[0], _AT_FDCWD, names[1], ctypes.c_uint(_RENAME_EXCHANGE))
    return ctypes.get_errno() if failed else 0


def _exchange_one_by_one(new: Path, target: Path) -> Path:
    aside = name_beside(target, OLD)
    os.rename(target, aside)
    try:
        os.rename(new, target)
    except OSError:
        with suppress(OSError):  # another writer has put its own there
            os.rename(aside, target)
        raise
    return aside
