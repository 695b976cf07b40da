"""What the kernel says of this process's memory, and a limit to it. It knows /proc, and not the work."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
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


def cap(limit_bytes: int) -> None:
    """Let this process allocate `limit_bytes` at the most: beyond that, allocation fails.

    RLIMIT_DATA counts private writable pages, which are what a process has to have for itself. Only the soft
    limit is set, so that `uncapped` can lift it.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (limit_bytes, hard))


@contextmanager
def uncapped() -> Iterator[None]:
    """Lift the limit for what is the harness's own need, not the artifact's."""
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (hard, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def _kilobytes(path: Path, key: str) -> int | None:
    """Return the bytes of a line `Key:  N kB`; None where there is no such file or line."""
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(key)), None)
