"""What the kernel says of this process's memory. It knows /proc, and not the work."""

from pathlib import Path

import psutil

_STATUS = Path("/proc/self/status")
_ROLLUP = Path("/proc/self/smaps_rollup")
_CLEAR_REFS = Path("/proc/self/clear_refs")
_RESET_HIGH_WATER_MARK = "5"


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


def reset_high_water_mark() -> bool:
    """Set the kernel's high-water mark back to what is resident now; False where the kernel cannot."""
    try:
        _CLEAR_REFS.write_text(_RESET_HIGH_WATER_MARK)
    except OSError:
        return False
    return True


def high_water_mark_bytes() -> int | None:
    """Return the largest resident set size since the last reset; None where the kernel keeps none."""
    return _kilobytes(_STATUS, "VmHWM:")


def _kilobytes(path: Path, key: str) -> int | None:
    """Return the bytes of a line `Key:  N kB`; None where there is no such file or line."""
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(key)), None)
