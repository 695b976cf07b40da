"""This process's memory, as the kernel reports it in /proc."""

from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import psutil

_STATUS = Path("/proc/self/status")
_ROLLUP = Path("/proc/self/smaps_rollup")
_CLEAR_REFS = Path("/proc/self/clear_refs")
_RESET_HIGH_WATER_MARK = b"5"


def resident_bytes() -> int:
    """Return the resident set size of this process.

    smaps_rollup is read where it exists, because it is exact. The counters behind /proc/self/statm are
    batched per CPU and can be off by megabytes on a machine with many CPUs.
    """
    exact = _read_bytes(_ROLLUP, "Rss:")
    return exact if exact is not None else int(psutil.Process().memory_info().rss)


def proportional_bytes() -> int | None:
    """Return the proportional set size: each shared page is divided among the processes that share it.

    None where the kernel does not report it.
    """
    return _read_bytes(_ROLLUP, "Pss:")


def highest_bytes_of(pid: int) -> int | None:
    """Return the largest resident set size of another process so far; None where the kernel has none."""
    return _read_bytes(Path(f"/proc/{pid}/status"), "VmHWM:")


class HighWaterMark:
    """The largest resident set size of this process, as the kernel records it.

    Create it before the process is confined: it opens the file that resets the mark, and keeps it open.
    """

    def __init__(self) -> None:
        self._is_reset = False
        self._reset_file: BinaryIO | None = None
        with suppress(OSError):  # not Linux, or a container that forbids it
            self._reset_file = _CLEAR_REFS.open("wb", buffering=0)

    def reset(self) -> None:
        """Set the mark to what is resident now, where the kernel can."""
        try:
            file = self._reset_file
            self._is_reset = file is not None and bool(file.write(_RESET_HIGH_WATER_MARK))
        except OSError:
            self._is_reset = False

    def read_bytes(self) -> int | None:
        """Return the mark since the last reset; None where the kernel has none or cannot reset it."""
        return _read_bytes(_STATUS, "VmHWM:") if self._is_reset else None


def _read_bytes(path: Path, key: str) -> int | None:
    """Return the bytes of a line `Key:  N kB`; None if there is no such file or line."""
    try:
        lines = path.read_text(errors="replace").splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(key)), None)
