"""What the kernel says of this process's memory. It knows /proc, and not the work."""

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

    From smaps_rollup where there is one: it walks the page tables, while the counters behind /proc/self/statm
    are batched for each CPU and can be megabytes off on a machine with many.
    """
    counted = _kilobytes(_ROLLUP, "Rss:")
    return counted if counted is not None else int(psutil.Process().memory_info().rss)


def proportional_bytes() -> int | None:
    """Return the proportional set size: pages shared with others divided among them; None if not kept."""
    return _kilobytes(_ROLLUP, "Pss:")


class HighWaterMark:
    """The kernel's largest resident set size of this process.

    It is made before the process is confined, for it opens the file that resets it, which is held open.
    """

    def __init__(self) -> None:
        self._is_reset = False
        self._resets: BinaryIO | None = None
        with suppress(OSError):  # no Linux, or a container that keeps it
            self._resets = _CLEAR_REFS.open("wb", buffering=0)

    def reset(self) -> None:
        """Set it back to what is resident now, where the kernel can."""
        try:
            self._is_reset = self._resets is not None and bool(self._resets.write(_RESET_HIGH_WATER_MARK))
        except OSError:
            self._is_reset = False

    def read_bytes(self) -> int | None:
        """Return the largest since the last reset; None where the kernel keeps none or does not reset it."""
        return _kilobytes(_STATUS, "VmHWM:") if self._is_reset else None


def _kilobytes(path: Path, key: str) -> int | None:
    """Return the bytes of a line `Key:  N kB`; None where there is no such file or line."""
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(key)), None)
