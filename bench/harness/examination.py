"""The pass in which every case has a process of its own: memory, then accuracy, then proof of precision.

It times nothing. Answers that an earlier run kept on this machine are not asked for again.
"""

from dataclasses import dataclass

from bench.harness import kept_answers
from bench.harness.case_worker import CaseEndedError, CaseWorker
from bench.harness.findings import Ended, Examined
from bench.harness.journal import Journal
from bench.harness.kept_answers import KeptAnswers
from bench.harness.plan import Case, Plan
from bench.machine.host import Host
from bench.measurements import Failed, FailureKind, Memory, Skipped, Stage
from bench.progress import Progress
from bench.runtimes.table import is_installed, missing_sentence, row_of


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
            if case.variant not in journal.found.examined and case.variant not in journal.found.ended:
                journal.add(self._entry(case))
            progress.advance(note=case.variant)

    def _entry(self, case: Case) -> Examined | Ended:
        if not is_installed(row := row_of(case.format)):
            return Ended(variant=case.variant, outcome=Skipped(reason=missing_sentence(row)))
        try:
            with CaseWorker(case, self.plan.sampling.hang_limit_s) as worker:
                loaded = worker.load(pack=None)
                memory = worker.memory(loaded)
                if not case.is_judged:
                    return Examined(
                        variant=case.variant,
                        runtime=loaded.runtime,
                        memory=memory,
                        logits=None,
                        executed=None,
                        kept_from=None,
                    )
                return self._judge(case, worker, loaded.runtime, memory)
        except CaseEndedError as ended:
            return Ended(variant=case.variant, outcome=ended.outcome)

    def _judge(self, case: Case, worker: CaseWorker, runtime: str, memory: Memory) -> Examined:
        place = kept_answers.place_of(case, self.plan.pack_sha256, self.host, runtime)
        answers = kept_answers.find(place)
        kept_from = None if answers is None else answers.created
        if answers is None or len(answers.logits) < self.plan.images:
            answers, kept_from = self._ask(worker), None
            kept_answers.keep(place, answers)
        return Examined(
            variant=case.variant,
            runtime=runtime,
            memory=memory,
            logits=answers.logits[: self.plan.images],
            executed=answers.executed,
            kept_from=kept_from,
        )

    def _ask(self, worker: CaseWorker) -> KeptAnswers:
        logits = worker.predict(str(self.plan.pack), self.plan.images)
        if any(len(row) != self.plan.classes for row in logits):
            message = f"gives {len(logits[0])} logits for {self.plan.classes} classes"
            raise CaseEndedError(Failed(stage=Stage.ACCURACY, kind=FailureKind.GARBAGE, message=message))
        return KeptAnswers(created=self.created, logits=logits, executed=worker.executed())
