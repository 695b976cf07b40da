"""Units: files hold nanoseconds and bytes, and only what is shown has others. Pure."""

import math

NS_PER_MS = 1e6
NS_PER_S = 1e9
BYTES_PER_MB = 1e6
BYTES_PER_MIB = 1 << 20
MJ_PER_J = 1e3


def written(value: float, digits: int) -> str:
    """Write a number with `digits` digits after the point, or one near 0 with two significant digits.

    Without any digit, and for a single one, nothing is added: those quantities are not that exact.
    """
    is_small = digits > 1 and 0 < abs(value) < 10 ** (1 - digits)
    return f"{value:.{1 - math.floor(math.log10(abs(value))) if is_small else digits}f}"


def ms(ns: float) -> float:
    """Return nanoseconds as milliseconds."""
    return ns / NS_PER_MS


def mib(size_bytes: float) -> float:
    """Return bytes as MiB (2^20 bytes), the unit of memory."""
    return size_bytes / BYTES_PER_MIB


def mb(size_bytes: float) -> float:
    """Return bytes as MB (10^6 bytes), the unit of files."""
    return size_bytes / BYTES_PER_MB
