"""Which pair is timed next, and when it is enough. Pure: it knows seconds and numbers, and no measurement.

`tests/benchmarks/gate_simulation.py` simulates checks with the same rules.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol, TypeVar

from bench.gate.multiplicity import MOST_PROCESSES
from bench.statistics.replication import FEWEST_PROCESSES

# A pair is behind if the processes that an estimate needs take its seconds times this factor. Its processes
# then run one block each, so that the other pairs do not pay for it.
_OVERTIME_FACTOR = 1.25
# A pair that seems to be worse when the time is over gets its seconds times this factor, because a busy
# machine needs that many to be sure.
_SUSPECTED_FACTOR = 4.0
# But all pairs together take no longer than the seconds of one times this (five minutes by default), or, of
# many pairs, than their time and the seconds of three more.
_LONGEST_FACTOR = 12.0
_MORE_FACTOR = 3.0
# A pair that is behind is futile if so many of its processes have ratios that differ by more than this
# factor, as they do while its threads wait for a core that other work occupies. Further processes would
# decide nothing, so that the pair is dropped where other pairs wait.
FUTILITY_PROCESSES = 2
FUTILITY_FACTOR = 2.0


class Timed(Protocol):
    """What is known of a pair while it is timed."""

    @property
    def id(self) -> str:
        """Its name."""

    @property
    def runs(self) -> bool:
        """Whether both sides still run."""

    @property
    def processes(self) -> int:
        """The number of processes of each side so far."""

    @property
    def seconds_spent(self) -> float:
        """The seconds that they took."""

    @property
    def is_scattered(self) -> bool:
        """Whether the ratios of its processes differ by more than FUTILITY_FACTOR."""


AnyPair = TypeVar("AnyPair", bound=Timed)


def has_estimate(pair: Timed) -> bool:
    """Tell whether a pair has as many processes as an interval needs, or will never have them."""
    return not pair.runs or pair.processes >= FEWEST_PROCESSES


def is_behind(pair: Timed, seconds: float) -> bool:
    """Tell whether the processes that an estimate needs would take longer than the seconds of a pair."""
    due = seconds * max(1, pair.processes) / FEWEST_PROCESSES
    return pair.seconds_spent > _OVERTIME_FACTOR * due


def next_pair(
    pairs: Sequence[AnyPair], still_open: Mapping[str, bool], elapsed_s: float, seconds: float
) -> AnyPair | None:
    """Return the pair to time next: of the open ones the one that took the least time so far; None to end.

    `still_open` has the ids of the undecided pairs that have an estimate, and whether each seems to be worse.
    `seconds`: the time for each pair, of which an open one gets what decided ones leave.
    """
    total_s = seconds * len(pairs)
    is_late = elapsed_s >= total_s
    is_over = elapsed_s >= max(_LONGEST_FACTOR * seconds, total_s + _MORE_FACTOR * seconds)

    def needs_more(pair: Timed) -> bool:
        if not pair.runs or pair.processes >= MOST_PROCESSES:
            return False
        if not has_estimate(pair):
            return True
        if not is_late:
            return pair.id in still_open
        seems_worse = still_open.get(pair.id, False)
        return seems_worse and not is_over and pair.seconds_spent < _SUSPECTED_FACTOR * seconds

    waiting = [pair for pair in pairs if needs_more(pair)]
    if len(pairs) > 1 and (len(waiting) > 1 or is_late):
        waiting = [pair for pair in waiting if not _is_futile(pair, seconds)]
    return min(waiting, key=lambda pair: pair.seconds_spent, default=None)


def _is_futile(pair: Timed, seconds: float) -> bool:
    is_known = pair.processes >= FUTILITY_PROCESSES
    return is_known and pair.is_scattered and is_behind(pair, seconds)
