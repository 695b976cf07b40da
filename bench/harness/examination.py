"""The examination of a case in a separate process: memory, then accuracy, then proof of precision.

It measures no latency. Predictions that an earlier run cached on this machine are not computed again.
"""

from contextlib import ExitStack
from dataclasses import dataclass

from bench.harness import prediction_cache
from bench.harness.case_worker import CaseEndedError, CaseWorker
from bench.harness.journal import Journal
from bench.harness.journal_entries import Ended, Examined
from bench.harness.plan import Case, ModelInputs, Plan, PlannedEvaluation
from bench.harness.prediction_cache import CachedPredictions
from bench.measurements import Failed, FailureKind, ProcessMemory, Skipped, Stage
from bench.progress import Progress
from bench.runtimes.installed import is_installed, missing_sentence, row_of
from bench.runtimes.providers import place_of
from bench.runtimes.tensorrt_engines import TENSORRT, whole_engines
from bench.system.host import Host
from bench.system.memory_limit import MemoryGroup
from bench.units import mib

_CPU = "cpu"


@dataclass(frozen=True)
class Examiner:
    """Examines the cases of a plan."""

    plan: Plan
    """The cases."""
    host: Host
    """This machine, which is part of the prediction cache's key."""
    created: str
    """When this run began (ISO 8601). It is stored with the predictions."""
    progress: Progress
    """Shows each case, and what is wrong with cached predictions."""

    def examine_all(self, journal: Journal) -> None:
        """Examine every case that is not in the journal yet."""
        self.progress.begin("memory, accuracy and precision", len(self.plan.all_cases))
        for case in self.plan.all_cases:
            if case.id not in journal.state.examined and case.id not in journal.state.ended:
                journal.add(self.examine(case))
                journal.sync()
            self.progress.advance(note=case.id)

    def examine(self, case: Case) -> Examined | Ended:
        """Examine one case in a separate process. If the case ends early, return its outcome instead."""
        return self._examine(case, is_memory_only=False)

    def examine_memory(self, case: Case) -> Examined | Ended:
        """Examine the memory of one case in a separate process, and nothing else."""
        return self._examine(case, is_memory_only=True)

    def _examine(self, case: Case, is_memory_only: bool) -> Examined | Ended:
        if case.incompatible_because is not None:
            return Ended(case=case.id, outcome=Skipped(reason=case.incompatible_because))
        if not is_installed(row := row_of(case.format)):
            return Ended(case=case.id, outcome=Skipped(reason=missing_sentence(row)))
        try:
            with ExitStack() as stack:
                if place_of(case.config.provider) == TENSORRT:
                    stack.enter_context(whole_engines(case.entry, self.progress))
                memory_group = self._memory_group(case, stack)
                worker = stack.enter_context(CaseWorker(case, self.plan.sampling.hang_limit_s, memory_group))
                loaded = worker.load(pack=None)
                memory = worker.memory(loaded)
                if memory_group is None:
                    _check_peak(case, memory)
                if is_memory_only or not case.is_artifact:
                    return Examined(
                        case=case.id,
                        runtime=loaded.runtime,
                        memory=memory,
                        logits=None,
                        executed=None,
                        predictions_cached_at=None,
                    )
                if case.model is not None:
                    return _with_outputs(case, case.model, worker, loaded.runtime, memory)
                assert case.evaluation is not None
                return self._evaluate(case, case.evaluation, worker, loaded.runtime, memory)
        except CaseEndedError as error:
            return Ended(case=case.id, outcome=_with_limit(case, error.outcome))

    def _memory_group(self, case: Case, stack: ExitStack) -> MemoryGroup | None:
        cgroup, limit_bytes = self.plan.memory_cgroup, case.memory_limit_bytes
        if cgroup is None or limit_bytes is None:
            return None
        try:
            return stack.enter_context(cgroup.group(limit_bytes))
        except OSError as error:
            message = f"no control group could be made in {cgroup.parent} ({error.strerror})"
            raise CaseEndedError(Failed(stage=Stage.START, kind=FailureKind.ERROR, message=message)) from None

    def _evaluate(
        self,
        case: Case,
        evaluation: PlannedEvaluation,
        worker: CaseWorker,
        runtime: str,
        memory: ProcessMemory,
    ) -> Examined:
        file = prediction_cache.cache_file(case, evaluation.pack_sha256, self.host, runtime)
        # The cache's key holds no GPU and no driver, and a runtime's version does not tell them apart.
        is_cacheable = place_of(case.config.provider) == _CPU
        predictions, cached_at = None, None
        if is_cacheable:
            predictions = prediction_cache.read(file, evaluation.images, evaluation.values, self.progress)
            cached_at = None if predictions is None else predictions.created
        if predictions is None:
            predictions = self._predict(worker, evaluation)
            if is_cacheable:
                prediction_cache.write(file, predictions, self.progress)
        return Examined(
            case=case.id,
            runtime=runtime,
            memory=memory,
            logits=predictions.logits[: evaluation.images],
            repeats=worker.repeats(str(evaluation.pack)),
            executed=predictions.executed,
            predictions_cached_at=cached_at,
        )

    def _predict(self, worker: CaseWorker, evaluation: PlannedEvaluation) -> CachedPredictions:
        logits = worker.predict(str(evaluation.pack), evaluation.images, evaluation.output)
        if any(len(row) != evaluation.values for row in logits):
            message = f"the network returns {len(logits[0])} values, and its source {evaluation.values}"
            raise CaseEndedError(Failed(stage=Stage.ACCURACY, kind=FailureKind.GARBAGE, message=message))
        return CachedPredictions(created=self.created, logits=logits, executed=worker.executed())


def _with_outputs(
    case: Case, model: ModelInputs, worker: CaseWorker, runtime: str, memory: ProcessMemory
) -> Examined:
    """Examine a model file: its outputs are kept, because there are no labels for accuracy."""
    outputs = worker.compute_outputs(model)
    repeats = worker.repeats(str(model.pack))
    proof = worker.proof()
    return Examined(
        case=case.id,
        runtime=runtime,
        memory=memory,
        logits=None,
        outputs=outputs,
        repeats=repeats,
        inputs_sha256=model.sha256,
        executed=proof.executed,
        proof_failure=proof.failure,
        predictions_cached_at=None,
    )


def _check_peak(case: Case, memory: ProcessMemory) -> None:
    """Raise CaseEndedError if the peak exceeds the limit. Used where no control group enforces the limit."""
    peak_bytes = memory.highest_bytes
    if case.memory_limit_bytes is not None and peak_bytes > case.memory_limit_bytes:
        message = f"its peak is {mib(peak_bytes):.0f} MiB (no control group enforced the limit)"
        raise CaseEndedError(Failed(stage=Stage.MEMORY, kind=FailureKind.MEMORY, message=message))


def _with_limit(case: Case, outcome: Failed | Skipped) -> Failed | Skipped:
    """Add the memory limit to the message of a failure because of memory."""
    if case.memory_limit_bytes is None or not isinstance(outcome, Failed):
        return outcome
    if outcome.kind is not FailureKind.MEMORY:
        return outcome
    limit = f"the case does not fit into {mib(case.memory_limit_bytes):.0f} MiB"
    return outcome.model_copy(update={"message": f"{limit}: {outcome.message}"})
