"""Runs a plan: every case is examined on its own, then timed in turns with the others of its wave.

It knows workers and outcomes, and nothing of formats, statistics or reports.
"""

import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from random import Random

from bench.harness.case_worker import CaseEndedError, CaseWorker
from bench.harness.plan import Case, Plan, waves
from bench.measurements import (
    Block,
    Completed,
    Failed,
    FailureKind,
    Memory,
    Outcome,
    ProcessTiming,
    Skipped,
    Stage,
)
from bench.progress import Progress
from bench.runtimes.table import is_installed, missing_sentence, row_of
from device_profiles.profile import Sampling

# onnxruntime's pool was seen to use 56 ms of CPU after an inference: the next case must not pay for it.
_PAUSE_BEFORE_A_TURN_S = 0.06
# The first inferences after a pause find cold caches and sleeping threads (TorchScript: 3 times the median).
_INFERENCES_TO_SETTLE = 2
# Waves may fill half of what is free: the rest is for the file cache and for whoever else works here.
_SHARE_OF_FREE_MEMORY = 0.5

Outcomes = dict[str, Outcome]


@dataclass(frozen=True)
class _Examined:
    """What the pass on its own found: runtime version, memory and logits."""

    runtime: str
    memory: Memory
    logits: tuple[tuple[float, ...], ...]


@dataclass
class _Timed:
    """A case in its wave: its worker and what it has measured so far."""

    worker: CaseWorker
    import_ns: int
    load_ns: int
    first_inference_ns: int
    blocks: list[Block] = field(default_factory=list)

    @property
    def spent_s(self) -> float:
        return sum(sum(block.ns) for block in self.blocks) / 1e9

    def timing(self, wave: int) -> ProcessTiming:
        return ProcessTiming(
            wave=wave,
            import_ns=self.import_ns,
            load_ns=self.load_ns,
            first_inference_ns=self.first_inference_ns,
            blocks=tuple(self.blocks),
        )


def measure(plan: Plan, available_bytes: int, progress: Progress) -> Outcomes:
    """Return every case's outcome by variant; `available_bytes` is the memory free when it begins."""
    outcomes: Outcomes = {}
    examined: dict[str, _Examined] = {}
    progress.begin("memory and accuracy", len(plan.cases))
    for case in plan.cases:
        found = _examine(case, plan)
        if isinstance(found, _Examined):
            examined[case.variant] = found
        else:
            outcomes[case.variant] = found
        progress.advance(note=case.variant)
    peaks = {name: found.memory.peak_bytes or found.memory.loaded_bytes for name, found in examined.items()}
    alive = [case for case in plan.cases if case.variant in examined]
    parted = waves(alive, peaks, int(available_bytes * _SHARE_OF_FREE_MEMORY))
    progress.begin("latency, taking turns", len(alive) * plan.sampling.blocks)
    for number, wave in enumerate(parted):
        timed = _time_wave(number, wave, plan, progress)
        for variant, timing in timed.items():
            outcomes[variant] = _combine(timing, examined[variant], plan.sampling, len(parted))
    return {case.variant: outcomes[case.variant] for case in plan.cases}


def _examine(case: Case, plan: Plan) -> _Examined | Failed | Skipped:
    if not is_installed(row := row_of(case.format)):
        return Skipped(reason=missing_sentence(row))
    try:
        with CaseWorker(case) as worker:
            loaded = worker.load(pack=None)
            memory = Memory(
                runtime_bytes=loaded.runtime_bytes,
                loaded_bytes=loaded.loaded_bytes,
                peak_bytes=worker.peak_bytes(),
            )
            logits = worker.predict(str(plan.pack), plan.images)
            if any(len(row) != plan.classes for row in logits):
                message = f"gives {len(logits[0])} logits for {plan.classes} classes"
                return Failed(stage=Stage.ACCURACY, kind=FailureKind.GARBAGE, message=message)
            return _Examined(loaded.runtime, memory, logits)
    except CaseEndedError as ended:
        return ended.outcome


def _time_wave(
    number: int, wave: list[Case], plan: Plan, progress: Progress
) -> dict[str, ProcessTiming | Failed | Skipped]:
    ended: dict[str, Failed | Skipped] = {}
    timed: dict[str, _Timed] = {}
    with ExitStack() as stack:
        for case in wave:
            worker = stack.enter_context(CaseWorker(case))
            try:
                timed[case.variant] = _start(worker, plan)
            except CaseEndedError as error:
                ended[case.variant] = error.outcome
        _take_turns(timed, ended, plan, progress)
    return {name: ended.get(name) or timed[name].timing(number) for name in (case.variant for case in wave)}


def _start(worker: CaseWorker, plan: Plan) -> _Timed:
    loaded = worker.load(pack=str(plan.pack))
    first = worker.infer(1, Stage.FIRST_INFERENCE)[0]
    if plan.sampling.warm_up:
        worker.infer(plan.sampling.warm_up, Stage.WARM_UP)
    return _Timed(worker, loaded.import_ns, loaded.load_ns, first)


def _take_turns(
    timed: dict[str, _Timed], ended: dict[str, Failed | Skipped], plan: Plan, progress: Progress
) -> None:
    random = Random(plan.seed)
    turn = 0
    for _ in range(plan.sampling.blocks):
        order = list(timed)
        random.shuffle(order)
        for name in order:
            if name not in ended and timed[name].spent_s < plan.sampling.time_limit_s:
                _take_turn(name, timed[name], turn, ended, plan.sampling)
                turn += 1
            progress.advance(note=name)


def _take_turn(
    name: str, case: _Timed, turn: int, ended: dict[str, Failed | Skipped], sampling: Sampling
) -> None:
    time.sleep(_PAUSE_BEFORE_A_TURN_S)
    try:
        samples_ns = case.worker.infer(sampling.block_samples, Stage.TIMING, _INFERENCES_TO_SETTLE)
    except CaseEndedError as error:
        ended[name] = error.outcome
    else:
        case.blocks.append(Block(turn=turn, ns=samples_ns))


def _combine(
    timing: ProcessTiming | Failed | Skipped,
    examined: _Examined,
    sampling: Sampling,
    of_waves: int,
) -> Outcome:
    if not isinstance(timing, ProcessTiming):
        return timing
    warnings = []
    if len(timing.blocks) < sampling.blocks:
        warnings.append(
            f"only {len(timing.blocks)} of {sampling.blocks} turns fitted into {sampling.time_limit_s:g} s"
        )
    if of_waves > 1:
        warnings.append(
            f"timed in wave {timing.wave + 1} of {of_waves}, for lack of memory: only its rows took turns"
        )
    return Completed(
        runtime=examined.runtime,
        processes=(timing,),
        memory=examined.memory,
        logits=examined.logits,
        warnings=tuple(warnings),
    )
