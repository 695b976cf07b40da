"""What the kernel says of this process's memory. It knows /proc, and nothing of what the process does."""

from pathlib import Path

import psutil

_STATUS = Path("/proc/self/status")
_CLEAR_REFS = Path("/proc/self/clear_refs")
_RESET_HIGH_WATER_MARK = "5"


def resident_bytes() -> int:
    """Return the resident set size of this process."""
    return int(psutil.Process().memory_info().rss)


def reset_high_water_mark() -> bool:
    """Set the kernel's high-water mark back to what is resident now; False where the kernel cannot."""
    try:
        _CLEAR_REFS.write_text(_RESET_HIGH_WATER_MARK)
    except OSError:
        return False
    return True


def high_water_mark_bytes() -> int | None:
    """Return the largest resident set size since the last reset; None where the kernel keeps none."""
    if not _STATUS.exists():
        return None
    for line in _STATUS.read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return None
