"""How much of its time a group has used, and when it is over. Pure, but for the clock.

What counts is the time of a clock on the wall: a user waits for the starts of processes and for idle threads
too. What nobody can help does not count: cooling, and time for which everything stood still.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Stopwatch:
    """Counts the seconds of a group."""

    clock: Callable[[], float] = time.monotonic
    """Gives the present time in seconds."""
    _begin: float = field(default=0.0, init=False)

    def start(self, used_s: float) -> None:
        """Start at `used_s`: what an interrupted run has used before."""
        self._begin = self.clock() - used_s

    def leave_out(self, seconds: float) -> None:
        """Do not count so many seconds that have passed."""
        self._begin += seconds

    @property
    def used_s(self) -> float:
        """The seconds so far."""
        return self.clock() - self._begin


@dataclass(frozen=True)
class TimeLimit:
    """The seconds of a group, and how many processes it has in any case."""

    seconds: float
    """For all cases of the group together."""
    fewest: int
    """The number of processes that each case has, even if the time is over."""

    def is_up(self, used_s: float, repetition: int) -> bool:
        """Return whether the time up to the end of a repetition is used.

        Each of the fewest processes has an equal share, so that a slow machine shortens all of them alike.
        """
        return used_s >= min(1.0, (repetition + 1) / self.fewest) * self.seconds

    def ends_after(self, used_s: float, repetitions: int) -> bool:
        """Return whether another repetition, as long as those before, would not end in time.

        Only the time decides, never what was measured, so that intervals stay as right as with a fixed
        number of processes.
        """
        return repetitions >= self.fewest and used_s * (repetitions + 1) / repetitions > self.seconds
