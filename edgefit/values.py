"""Values that the command line and the Python API share: defaults, ranges, the time. It parses nothing."""

import math
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from bench.errors import InputError
from user_files.names import why_no_name
from user_files.printable import printable

DEFAULT_PROFILE = "laptop-cpu"
# The name of a profile that stands for the one that the machine itself matches.
AUTO = "auto"
_SHOWN = 40


def now() -> str:
    """Return the present time in UTC as ISO 8601, to the second."""
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


def require_name(name: str | None) -> str | None:
    """Return a result's name; raises InputError for one that a report cannot hold or a table cannot show."""
    if name is not None and (fault := why_no_name(name)) is not None:
        raise InputError(f"--name '{printable(name[:_SHOWN])}': {fault}; give one line of plain text")
    return name


def name_for(name: str | None, out: Path) -> str:
    """Return the given name, else the name of the result's folder; raises InputError for a bad one."""
    if name is not None:
        return name
    of_folder = out.resolve().name
    if (fault := why_no_name(of_folder)) is not None:
        raise InputError(f"--out '{printable(str(out))}': no result can have this name: {fault}; give --name")
    return of_folder


@dataclass(frozen=True)
class AllowedRange:
    """A range of numbers, its ends included."""

    low: float
    """The smallest number."""
    high: float
    """The largest number."""

    def require(self, name: str, value: float) -> float:
        """Return the value. Raises InputError, which calls it `name`, unless it is in the range."""
        if not self.low <= value <= self.high:
            raise InputError(
                f"{name} {value:g} is out of range; give a number from {self.low:g} to {self.high:g}"
            )
        return float(value)

    def require_or(self, name: str, value: float | None, default: float) -> float:
        """Return the value as `require` does, or the default without one."""
        return default if value is None else self.require(name, value)


SUSTAINED_S = AllowedRange(1, 86_400)
"""How long a sustained run takes."""
BENCH_S = AllowedRange(1, 86_400)
"""How long the latencies of a benchmark take."""
CHECK_S = AllowedRange(1, 3600)
"""How long a check times each variant."""
SQNR_DB = AllowedRange(-1000, 1000)
"""A signal-to-quantisation-noise ratio."""
SHARE = AllowedRange(0, 1)
"""A share of something."""


def require_limit(name: str, value: float | None) -> float | None:
    """Return a limit. Raises InputError, which calls it `name`, unless a variant could meet it."""
    if value is None:
        return None
    if not math.isfinite(value) or value < 0:
        raise InputError(f"{name}: '{value}' is not a valid limit; write a number above 0")
    if value == 0:
        raise InputError(f"{name}: no variant can meet a limit of 0; leave the option out to set no limit")
    return float(value)
