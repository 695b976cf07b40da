"""The pass in which every case has a process of its own: memory, then accuracy, then proof of precision.

It times nothing. Answers that an earlier run kept on this machine are not asked for again.
"""

from contextlib import ExitStack
from dataclasses import dataclass

from bench.harness import prediction_cache
from bench.harness.case_worker import CaseEndedError, CaseWorker
from bench.harness.journal import Journal
from bench.harness.journal_entries import Ended, Examined
from bench.harness.plan import Case, Plan
from bench.harness.prediction_cache import CachedPredictions
from bench.measurements import Failed, FailureKind, Memory, Skipped, Stage
from bench.progress import Progress
from bench.runtimes.providers import place_of
from bench.runtimes.table import is_installed, missing_sentence, row_of
from bench.system.host import Host
from bench.system.memory_limit import MemoryGroup

_BYTES_PER_MIB = 1 << 20
_CPU = "cpu"


@dataclass(frozen=True)
class Examiner:
    """Examines the cases of a plan. `created`: the time of this run, for what it keeps."""

    plan: Plan
    host: Host
    created: str

    def examine_all(self, journal: Journal, progress: Progress) -> None:
        """Examine every case that the journal does not hold yet."""
        progress.begin("memory, accuracy and precision", len(self.plan.everything))
        for case in self.plan.everything:
            if case.key not in journal.found.examined and case.key not in journal.found.ended:
                journal.add(self.examine(case))
                journal.sync()
            progress.advance(note=case.key)

    def examine(self, case: Case) -> Examined | Ended:
        """Examine one case in a process of its own; what it ends early of is its outcome."""
        if case.incompatible_because is not None:
            return Ended(case=case.key, outcome=Skipped(reason=case.incompatible_because))
        if not is_installed(row := row_of(case.format)):
            return Ended(case=case.key, outcome=Skipped(reason=missing_sentence(row)))
        try:
            with ExitStack() as stack:
                group = self._group(case, stack)
                worker = stack.enter_context(CaseWorker(case, self.plan.sampling.hang_limit_s, group))
                loaded = worker.load(pack=None)
                memory = worker.memory(loaded)
                if group is None:
                    _judge_peak(case, memory)
                if not case.is_judged:
                    return Examined(
                        case=case.key,
                        runtime=loaded.runtime,
                        memory=memory,
                        logits=None,
                        executed=None,
                        predictions_cached_at=None,
                    )
                return self._judge(case, worker, loaded.runtime, memory)
        except CaseEndedError as ended:
            return Ended(case=case.key, outcome=_with_limit(case, ended.outcome))

    def _group(self, case: Case, stack: ExitStack) -> MemoryGroup | None:
        control, limit_bytes = self.plan.memory_cgroup, case.memory_limit_bytes
        if control is None or limit_bytes is None:
            return None
        return stack.enter_context(control.group(limit_bytes))

    def _judge(self, case: Case, worker: CaseWorker, runtime: str, memory: Memory) -> Examined:
        place = prediction_cache.place_of(case, self.plan.pack_sha256, self.host, runtime)
        # A driver or a GPU that is another one is told by no runtime's version.
        is_keepable = place_of(case.provider) == _CPU
        answers = prediction_cache.find(place) if is_keepable else None
        predictions_cached_at = None if answers is None else answers.created
        if answers is None or len(answers.logits) < self.plan.images:
            answers, predictions_cached_at = self._ask(worker), None
            if is_keepable:
                prediction_cache.keep(place, answers)
        return Examined(
            case=case.key,
            runtime=runtime,
            memory=memory,
            logits=answers.logits[: self.plan.images],
            executed=answers.executed,
            predictions_cached_at=predictions_cached_at,
        )

    def _ask(self, worker: CaseWorker) -> CachedPredictions:
        logits = worker.predict(str(self.plan.pack), self.plan.images)
        if any(len(row) != self.plan.classes for row in logits):
            message = f"gives {len(logits[0])} logits for {self.plan.classes} classes"
            raise CaseEndedError(Failed(stage=Stage.ACCURACY, kind=FailureKind.GARBAGE, message=message))
        return CachedPredictions(created=self.created, logits=logits, executed=worker.executed())


def _judge_peak(case: Case, memory: Memory) -> None:
    """Where no control group could hold a case to its limit, its peak decides, as it would have."""
    peak_bytes = memory.highest_bytes
    if case.memory_limit_bytes is not None and peak_bytes > case.memory_limit_bytes:
        message = f"has a peak of {peak_bytes / _BYTES_PER_MIB:.0f} MiB, by which it was judged"
        raise CaseEndedError(Failed(stage=Stage.MEMORY, kind=FailureKind.MEMORY, message=message))


def _with_limit(case: Case, outcome: Failed | Skipped) -> Failed | Skipped:
    """Say with a death for want of memory how much there was."""
    if case.memory_limit_bytes is None or not isinstance(outcome, Failed):
        return outcome
    if outcome.kind is not FailureKind.MEMORY:
        return outcome
    limit = f"does not fit into {case.memory_limit_bytes / _BYTES_PER_MIB:.0f} MiB"
    return outcome.model_copy(update={"message": f"{limit}: {outcome.message}"})
