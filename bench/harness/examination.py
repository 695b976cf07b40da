"""The examination of a case in a separate process: memory, then accuracy, then proof of precision.

It measures no latency. Predictions that an earlier run cached on this machine are not computed again.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from bench.harness import prediction_cache
from bench.harness.case_worker import IMAGES_PER_REQUEST, CaseEndedError, CaseWorker
from bench.harness.journal import Journal
from bench.harness.journal_entries import Ended, Examined
from bench.harness.parallel_accuracy import AccuracyPass, Values, is_worth_it, predictions_of
from bench.harness.plan import Case, ModelInputs, Plan, PlannedEvaluation
from bench.harness.prediction_cache import CachedPredictions
from bench.harness.worker_messages import Loaded
from bench.measurements import Failed, FailureKind, ProcessMemory, Skipped, Stage
from bench.progress import Progress
from bench.runtimes.installed import is_installed, missing_sentence, row_of
from bench.runtimes.providers import place_of
from bench.runtimes.tensorrt_engines import TENSORRT, whole_engines
from bench.system.host import Host
from bench.system.memory_limit import MemoryGroup
from bench.units import NS_PER_S, mib

_CPU = "cpu"


class _Extent(Enum):
    """How much of an examination is done."""

    MEMORY = "memory"
    """No accuracy."""
    FIRST = "first"
    """The first samples alone, if more are worth a process of their own."""
    ALL = "all"
    """All of it."""


@dataclass(frozen=True)
class _Left:
    """An examination of which the long part of the accuracy pass is left."""

    work: AccuracyPass
    """What is left."""
    examined: Examined
    """What is known, with the first samples."""
    predictions: CachedPredictions
    """The predictions for the first samples."""
    file: Path
    """Where the prediction cache keeps them all."""


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
    clock: Callable[[], float] = time.monotonic
    """Gives the present time in seconds."""

    def examine_all(self, journal: Journal, free_bytes: int = 0) -> None:
        """Examine every case that is not in the journal yet.

        The memory of each is measured alone. Then the long accuracy passes run side by side, as far as
        `free_bytes` are enough for more than one.
        """
        self.progress.begin("memory, accuracy and precision", len(self.plan.all_cases))
        left: list[_Left] = []
        for case in self.plan.all_cases:
            if case.id not in journal.state.examined and case.id not in journal.state.ended:
                entry = self._examine(case, _Extent.FIRST if _can_run_beside(case) else _Extent.ALL)
                if isinstance(entry, _Left):
                    left.append(entry)
                    continue
                self._keep(journal, entry)
            else:
                self.progress.advance(note=case.id)
        self._finish(left, journal, free_bytes)

    def _keep(self, journal: Journal, entry: Examined | Ended) -> None:
        journal.add(entry)
        journal.sync()
        self.progress.advance(note=entry.case)

    def _finish(self, left: Sequence[_Left], journal: Journal, free_bytes: int) -> None:
        """Do what is left of the accuracy of some cases; alone what one thread computes otherwise."""
        left_of = {each.work.case.id: each for each in left}
        works = [each.work for each in left if 2 * each.work.peak_bytes <= free_bytes]
        alone = [each.work.case for each in left if 2 * each.work.peak_bytes > free_bytes]
        cores = (works[0].case.cpus or ()) if works else ()
        for work, values in predictions_of(works, cores, free_bytes, self.plan.sampling.hang_limit_s):
            if values is None:
                alone.append(work.case)
                continue
            each = left_of[work.case.id]
            whole = each.predictions.model_copy(update={"logits": values})
            prediction_cache.write(each.file, whole, self.progress)
            self._keep(journal, each.examined.model_copy(update={"logits": values}))
        for case in alone:
            self._keep(journal, self.examine(case))

    def examine(self, case: Case) -> Examined | Ended:
        """Examine one case in a separate process. If the case ends early, return its outcome instead."""
        entry = self._examine(case, _Extent.ALL)
        assert not isinstance(entry, _Left)
        return entry

    def examine_memory(self, case: Case) -> Examined | Ended:
        """Examine the memory of one case in a separate process, and nothing else."""
        entry = self._examine(case, _Extent.MEMORY)
        assert not isinstance(entry, _Left)
        return entry

    def _examine(self, case: Case, extent: _Extent) -> Examined | Ended | _Left:
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
                if extent is _Extent.MEMORY or not case.is_artifact:
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
                return self._evaluate(case, case.evaluation, worker, loaded, memory, extent)
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
        loaded: Loaded,
        memory: ProcessMemory,
        extent: _Extent,
    ) -> Examined | _Left:
        runtime = loaded.runtime
        file = prediction_cache.cache_file(case, evaluation.pack_sha256, self.host, runtime)
        # The cache's key holds no GPU and no driver, and a runtime's version does not tell them apart.
        is_cacheable = place_of(case.config.provider) == _CPU
        predictions, cached_at = None, None
        if is_cacheable:
            predictions = prediction_cache.read(file, evaluation.images, evaluation.values, self.progress)
            cached_at = None if predictions is None else predictions.created
        is_left = False
        if predictions is None:
            begin = self.clock()
            logits = self._predict(worker, evaluation, 0, min(IMAGES_PER_REQUEST, evaluation.images))
            sample_s = (self.clock() - begin) / len(logits)
            loading_s = (loaded.import_ns + loaded.load_ns) / NS_PER_S
            is_left = extent is _Extent.FIRST and is_worth_it(evaluation.images, sample_s, loading_s)
            if not is_left:
                logits += self._predict(worker, evaluation, len(logits), evaluation.images)
            predictions = CachedPredictions(created=self.created, logits=logits, executed=worker.executed())
            if is_cacheable and not is_left:
                prediction_cache.write(file, predictions, self.progress)
        examined = Examined(
            case=case.id,
            runtime=runtime,
            memory=memory,
            logits=predictions.logits[: evaluation.images],
            repeats=worker.repeats(str(evaluation.pack)),
            executed=predictions.executed,
            predictions_cached_at=cached_at,
        )
        if not is_left:
            return examined
        work = AccuracyPass(case, evaluation, predictions.logits, memory.highest_bytes)
        return _Left(work, examined, predictions, file)

    def _predict(self, worker: CaseWorker, evaluation: PlannedEvaluation, first: int, end: int) -> Values:
        logits = worker.predict(str(evaluation.pack), end, evaluation.output, first)
        if any(len(row) != evaluation.values for row in logits):
            message = f"the network returns {len(logits[0])} values, and its source {evaluation.values}"
            raise CaseEndedError(Failed(stage=Stage.ACCURACY, kind=FailureKind.GARBAGE, message=message))
        return logits


def _can_run_beside(case: Case) -> bool:
    """Return whether the accuracy of a case can be computed with one thread, beside that of others."""
    on_cpu = place_of(case.config.provider) == _CPU
    return case.evaluation is not None and on_cpu and len(case.cpus or ()) > 1


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
