"""The sustained run: one case alone, without a pause, for the requested time."""

from statistics import median

from bench.harness.case_worker import CaseWorker
from bench.harness.plan import Case, Plan
from bench.harness.timed_outputs import ExpectedOutputs
from bench.measurements import Block, Stage, SustainedRun
from bench.progress import Progress
from bench.system.state import read_state

_BLOCK_S = 1.0


def run_sustained(
    case: Case, plan: Plan, seconds: float, progress: Progress, expected: ExpectedOutputs | None = None
) -> SustainedRun:
    """Run a case for `seconds`, in blocks of about one second. Raises CaseEndedError if it ends early.

    There is no warm-up, so that the first blocks show how latency changes from a cold start. `expected`: see
    CaseWorker.
    """
    progress.begin(f"sustained, {case.id}", round(seconds))
    blocks: list[Block] = []
    elapsed_s, reported_s = 0.0, 0
    before = read_state()
    with CaseWorker(case, plan.sampling.hang_limit_s, expected=expected) as worker:
        worker.load(plan.pack_of(case))
        inference_ns: float = worker.infer(1, Stage.SUSTAINED, settle=0).ns[0]
        while elapsed_s < seconds:
            worker.begin_inference(max(1, int(_BLOCK_S * 1e9 / inference_ns)), Stage.SUSTAINED)
            answer = worker.end_inference(Stage.SUSTAINED)
            index = len(blocks)
            blocks.append(worker.block_of(answer, Stage.SUSTAINED, index, index))
            inference_ns = median(answer.ns)
            elapsed_s += answer.counters.elapsed_ns / 1e9
            steps = min(round(elapsed_s), round(seconds)) - reported_s
            reported_s += steps
            progress.advance(steps, note=f"{inference_ns / 1e6:.2f} ms")
    return SustainedRun(blocks=tuple(blocks), before=before, after=read_state())
