"""The sustained pass: one case at a time, without a pause, for as long as was asked."""

from statistics import median

from bench.harness.case_worker import CaseWorker
from bench.harness.plan import Case, Plan
from bench.measurements import Block, Stage, SustainedRun
from bench.progress import Progress
from bench.system.state import read_state

_SECONDS_A_BLOCK = 1.0


def sustain(case: Case, plan: Plan, seconds: float, progress: Progress) -> SustainedRun:
    """Run a case for `seconds` in blocks of about one; may raise CaseEndedError, as any stage of a case.

    No warm-up: the first block shows it.
    """
    progress.begin(f"sustained, {case.key}", round(seconds))
    blocks: list[Block] = []
    elapsed_s, told = 0.0, 0
    before = read_state()
    with CaseWorker(case, plan.sampling.hang_limit_s) as worker:
        worker.load(str(plan.pack))
        pace_ns: float = worker.infer(1, Stage.SUSTAINED, settle=0).ns[0]
        while elapsed_s < seconds:
            worker.begin_inference(max(1, int(_SECONDS_A_BLOCK * 1e9 / pace_ns)), Stage.SUSTAINED)
            answer = worker.end_inference(Stage.SUSTAINED)
            number = len(blocks)
            blocks.append(Block(pass_index=number, position=number, ns=answer.ns, counters=answer.counters))
            pace_ns = median(answer.ns)
            elapsed_s += answer.counters.elapsed_ns / 1e9
            steps = min(round(elapsed_s), round(seconds)) - told
            told += steps
            progress.advance(steps, note=f"{pace_ns / 1e6:.2f} ms")
    return SustainedRun(blocks=tuple(blocks), before=before, after=read_state())
