"""The sustained run: one case alone, without a pause, for the requested time.

Each block is journalled as soon as it is there, so that an interrupted run goes on where it ended.
"""

from collections.abc import Callable
from dataclasses import dataclass

from bench.harness.case_worker import CaseWorker
from bench.harness.journal import Journal
from bench.harness.journal_entries import SustainedBlockMeasured, SustainedEnded, SustainedStarted
from bench.harness.plan import Case, Plan
from bench.harness.sustained_blocks import BoundedBlocks, block_of
from bench.harness.timed_outputs import ExpectedOutputs
from bench.measurements import Stage, SustainedBlock
from bench.progress import Progress
from bench.system.state import HostState, read_state
from bench.units import NS_PER_S, ms

_BLOCK_S = 1.0
# Waiting for the disk makes a pause, in which the machine cools; a loss of power costs no more than this.
_SYNC_S = 30.0


def run_sustained(
    case: Case,
    plan: Plan,
    seconds: float,
    journal: Journal,
    progress: Progress,
    expected: ExpectedOutputs | None = None,
) -> None:
    """Run a case for `seconds`, in blocks of about one second. Raises CaseEndedError if it ends early.

    There is no warm-up, so that the first blocks show how latency changes from a cold start. `expected`: see
    CaseWorker.
    """
    before = read_state()
    with CaseWorker(case, plan.sampling.hang_limit_s, expected=expected) as worker:
        worker.load(plan.pack_of(case))
        inference_ns = worker.infer(1, Stage.SUSTAINED, settle=0).ns[0]

        def measure(count: int) -> SustainedBlock | None:
            worker.begin_inference(count, Stage.SUSTAINED)
            answer = worker.end_inference(Stage.SUSTAINED)
            if worker.stopped_ns:
                return None
            return block_of(answer.ns, answer.counters, worker.output_difference(answer, Stage.SUSTAINED))

        SustainedPass(case.id, seconds, journal, progress, measure, read_state).run(before, inference_ns)


@dataclass(frozen=True)
class SustainedPass:
    """The blocks of one case, measured and journalled until the time is over. Tests replace its functions."""

    case: str
    """The case's id."""
    seconds: float
    """How long to measure, with what the journal already has."""
    journal: Journal
    """Receives each block at once."""
    progress: Progress
    """Advances by one step per second."""
    measure: Callable[[int], SustainedBlock | None]
    """Times so many inferences without a pause; None if everything stood still meanwhile, as in a container
    that was paused."""
    read_state: Callable[[], HostState]
    """Reads the state of the machine."""

    def run(self, before: HostState, inference_ns: float) -> None:
        """Measure what is missing. `before`: the machine's state; `inference_ns`: that of one inference."""
        self.progress.begin(f"sustained, {self.case}", round(self.seconds))
        self.journal.add(SustainedStarted(case=self.case, before=before))
        self.journal.sync()
        so_far, reported_s, synced_s = self._so_far, 0, self._so_far.elapsed_s
        while so_far.elapsed_s < self.seconds:
            block = self.measure(max(1, int(_BLOCK_S * NS_PER_S / inference_ns)))
            if block is None:
                self.journal.add(SustainedStarted(case=self.case, before=self.read_state()))
                continue
            self.journal.add(SustainedBlockMeasured(case=self.case, block=block))
            if so_far.elapsed_s >= synced_s + _SYNC_S:
                self.journal.sync()
                synced_s = so_far.elapsed_s
            inference_ns = block.elapsed_ns / block.inferences
            steps = min(round(so_far.elapsed_s), round(self.seconds)) - reported_s
            reported_s += steps
            self.progress.advance(steps, note=f"{ms(block.p50_ns):.2f} ms")
        self.journal.add(SustainedEnded(case=self.case, after=self.read_state()))
        self.journal.sync()

    @property
    def _so_far(self) -> BoundedBlocks:
        return self.journal.state.sustaining[self.case].blocks
