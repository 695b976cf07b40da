"""How sure the verdicts of a check are together: its families of hypotheses, and their errors. Pure.

- WORSE of latencies and load times, all variants and all tests together: 0.5 % (Holm); of two reports, whose
  latencies are tested once: 2.5 %.
- WORSE of accuracies, all variants: 10 % (Hochberg).
- WORSE of recalls of the positive class, all variants: 10 % (Hochberg).
- WORSE of recalls of the other classes, all variants and classes: 10 % (Hochberg).
- BETTER of latencies and load times, all variants and all tests together: 5 % (Holm).
- BETTER of accuracies, all variants: 5 % (Hochberg).

The outputs of model files are compared by one 95 % interval of the agreement for each file.
SAME is a claim about each time alone, and wrong in 5 %. Memory and size are compared without tests. A loss of
accuracy that passes costs more than a needless inspection, and a file that did not change has no prediction
that did, so that its error may be large.
"""

from dataclasses import dataclass

from bench.statistics.replication import FEWEST_PROCESSES
from bench.statistics.sequential import nominal_errors

SAME_ERROR = 0.05
"""The one-sided error of each of the two tests of SAME: its interval has 90 % confidence."""
GAIN_ERROR = 0.05
"""The error of all BETTER accuracies of a check together, and of all BETTER times. Better blocks nothing."""
MOST_PROCESSES = 30
CHECK_AFTER_PROCESSES = tuple(range(FEWEST_PROCESSES, MOST_PROCESSES + 1))
"""The numbers of processes after which paired runs are tested."""


@dataclass(frozen=True)
class TimePlan:
    """How sure the verdicts on times have to be."""

    worse_error: float
    """The one-sided error of all WORSE times of a check together."""
    check_after_processes: tuple[int, ...] = ()
    """The numbers of processes after which times are tested; empty if they are tested once."""

    def level(self, error: float, processes: int) -> float:
        """Return the one-sided error of one test, so that those after all processes err with `error`."""
        if not self.check_after_processes:
            return error
        return nominal_errors(error, self.check_after_processes)[self.check_after_processes.index(processes)]


PAIRED = TimePlan(worse_error=0.005, check_after_processes=CHECK_AFTER_PROCESSES)
"""Of checks in which nothing changed, one of 200 calls a time WORSE."""
TWO_REPORTS = TimePlan(worse_error=0.025)
"""What two reports show of their times is tested once, and cannot be measured again: one of 40 errs."""
