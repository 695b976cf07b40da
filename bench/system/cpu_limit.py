"""The limit on CPU time of a container or a service, and how often the kernel enforced it.

A control group may run for `quota` microseconds in each period of, as a rule, 100 ms. The kernel then stops
all its threads until the period is over. Sources: the Linux kernel's scheduler/sched-bwc and
admin-guide/cgroup-v2.
"""

from dataclasses import dataclass
from pathlib import Path

from bench.system.cgroups import VERSION_2, own_groups
from bench.system.kernel_files import ROOT, number, text

_UNLIMITED = "max"
_DEFAULT_PERIOD_US = 100_000


@dataclass(frozen=True)
class Throttling:
    """How often a limit on CPU time was enforced, since the control group was made."""

    periods: int
    """The periods in which the group ran."""
    throttled: int
    """Those of them in which the kernel stopped it."""


def read_quota(root: Path = ROOT) -> float | None:
    """Return how many CPUs this process may use on average; None without a limit.

    The tightest limit counts, of this process's control group and of all above it.
    """
    quotas = [quota for folder in _groups(root) if (quota := _quota_of(folder)) is not None]
    return min(quotas, default=None)


def read_throttling(root: Path = ROOT) -> Throttling | None:
    """Return how often the limits on this process's CPU time were enforced; None without a limit."""
    counts = [_counts(folder) for folder in _groups(root) if _quota_of(folder) is not None]
    if not counts:
        return None
    return Throttling(
        periods=max(count.get("nr_periods", 0) for count in counts),
        throttled=sum(count.get("nr_throttled", 0) for count in counts),
    )


def _groups(root: Path) -> list[Path]:
    return [*own_groups("cpu", root), *own_groups(VERSION_2, root)]


def _quota_of(folder: Path) -> float | None:
    """Return the limit of one group in CPUs; None without one. Version 1 writes -1 for none."""
    if (limit := text(folder / "cpu.max")) is not None:
        quota, _, period = limit.partition(" ")
        return None if quota == _UNLIMITED else int(quota) / int(period or _DEFAULT_PERIOD_US)
    microseconds, period_us = number(folder / "cpu.cfs_quota_us"), number(folder / "cpu.cfs_period_us")
    if microseconds is None or microseconds <= 0:
        return None
    return microseconds / (period_us or _DEFAULT_PERIOD_US)


def _counts(folder: Path) -> dict[str, int]:
    lines = (line.split() for line in (text(folder / "cpu.stat") or "").splitlines())
    return {words[0]: int(words[1]) for words in lines if len(words) == 2}
