"""What edgefit needs of an operating system. It imports nothing that one of them lacks."""

import sys

from bench.errors import UnsupportedSystemError

_LINUX = "linux"
_NAMES = {"darwin": "macOS", "win32": "Windows"}
# They have no fcntl, no resource and no SIGHUP, so that most of edgefit cannot be imported.
_WITHOUT_POSIX = ("win32",)


def require_posix() -> None:
    """Raise UnsupportedSystemError on a system on which no command of edgefit works."""
    if sys.platform in _WITHOUT_POSIX:
        raise UnsupportedSystemError(
            f"edgefit needs Linux, and this is {_name()}, where none of its commands works: use a Linux "
            "machine, real or virtual"
        )


def require_linux(task: str) -> None:
    """Raise UnsupportedSystemError on any other system; `task` is the subject of its sentence."""
    if not is_linux():
        raise UnsupportedSystemError(
            f"{task} needs Linux (/proc, CPU affinity, Landlock), and this is {_name()}: use a Linux "
            "machine, or measure one over SSH with edgefit bench --on ssh://USER@HOST; --on and reading "
            f"reports are untested on {_name()}"
        )


def is_linux() -> bool:
    """Tell whether this machine can measure."""
    return sys.platform == _LINUX


def _name() -> str:
    return _NAMES.get(sys.platform, sys.platform)
