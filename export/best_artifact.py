"""Finds the recipe of one int8 artifact: makes one for each recipe and compares them on held-out images.

It uses neither the labels of calibration images nor any test image.
"""

import dataclasses
import time
from dataclasses import dataclass, field
from pathlib import Path

from bench.bundle.evaluation_pack import EvaluationPack, read_pack
from bench.bundle.recipe import Attempt, ExcludedModule, FailedAttempt, HeldOut, LostClass, Recipe, Search
from bench.bundle.source_record import OutputRecord
from bench.filesystem.disk_errors import raise_if_unwritten
from bench.filesystem.unfinished import remove_folder
from bench.statistics.accuracy import Logits
from bench.statistics.by_class import ClassPair
from bench.statistics.class_losses import lost_classes
from export.artifact import is_made_for_this_machine, make, run_on_pack, share_in_int8
from export.exporter import Exported
from export.messages import Entered, Report, SearchTask, Task
from export.quantisation.candidates import LIBRARY_DEFAULT
from export.quantisation.search import MOST_CPU_SECONDS, Goal, count_untried, search
from export.quantisation.sensitivity import Sensitivity
from export.stages import within
from export.verification import WrongArtifactError, compare


@dataclass
class _Artifacts:
    """Makes an artifact for each recipe, in a folder of its own below the task's folder."""

    task: Task
    search: SearchTask
    pack: EvaluationPack
    folder: Path
    report: Report
    made: list[Exported] = field(default_factory=list)
    failed: list[FailedAttempt] = field(default_factory=list)
    errors: list[Exception] = field(default_factory=list)
    library_default_error: str | None = None
    began_cpu_s: float = field(default_factory=time.process_time)
    longest_cpu_s: float = 0.0

    def has_time(self, recipe: Recipe) -> bool:
        """Tell whether a recipe will be finished in time, if it takes no longer than the others.

        Training takes minutes, and is tried only where the user wants it.
        """
        used_s = time.process_time() - self.began_cpu_s
        return recipe.qat or used_s + self.longest_cpu_s <= MOST_CPU_SECONDS

    def attempt(self, recipe: Recipe) -> Attempt | None:
        """Try a recipe; return None and record the error if its artifact fails."""
        began = time.process_time()
        try:
            return self._try(recipe)
        except Exception as error:  # noqa: BLE001 - the search goes on, and fails if every recipe does
            raise_if_unwritten(self.folder, str(error))  # or a full disk would choose the recipe
            self.errors.append(error)
            self.failed.append(FailedAttempt(recipe=recipe, message=_message(error)))
            return None
        finally:
            self.longest_cpu_s = max(self.longest_cpu_s, time.process_time() - began)

    def attempt_library_default(self) -> Attempt | None:
        """Try the library's own defaults; return None and record the error if that fails."""
        try:
            return self._try(LIBRARY_DEFAULT)
        except Exception as error:  # noqa: BLE001 - the search has a result without the defaults
            raise_if_unwritten(self.folder, str(error))
            self.library_default_error = _message(error)
            return None

    def _try(self, recipe: Recipe) -> Attempt:
        """Make an artifact by a recipe and compare it with the fp32 network."""
        candidates, number = self.search.candidates, len(self.made) + len(self.failed)
        most = len(candidates.recipes) + len(candidates.fallbacks) + 1
        report = within(self.report, f"recipe {number + 1} of at most {most}")
        report(Entered(stage="export"))
        began = time.perf_counter()
        folder = self.folder / f"recipe-{number}"
        folder.mkdir()
        exported = make(self.task, recipe, folder, report)
        report(Entered(stage="run on held-out samples"))
        exact = not is_made_for_this_machine(self.task)
        values = run_on_pack(self.task, exported, self.pack, exact, report)
        attempt = Attempt(
            recipe=recipe,
            share_in_fp32=self.search.sensitivity.share_of_macs(frozenset(exported.excluded_modules)),
            share_in_int8=share_in_int8(self.task, exported, self.pack),
            held_out=held_out_result(values, self.pack, self.task.source.output, self.search),
            seconds=round(time.perf_counter() - began, 3),
        )
        self.made.append(exported)
        return attempt

    def keep(self, chosen: int) -> Exported:
        """Move the files of the chosen artifact into the task's folder, and remove the others."""
        exported = self.made[chosen]
        for path in sorted(exported.entry.parent.iterdir()):
            path.rename(self.folder / path.name)
        for path in self.folder.glob("recipe-*"):
            remove_folder(path)
        return dataclasses.replace(exported, entry=self.folder / exported.entry.name)


def make_best(task: Task, search_task: SearchTask, folder: Path, report: Report) -> tuple[Exported, Search]:
    """Fill a task's empty folder with the artifact of the best recipe, and describe the search for it."""
    began = time.perf_counter()
    pack = read_pack(Path(search_task.held_out))
    goal = Goal(search_task.min_retention, len(pack))
    artifacts = _Artifacts(task, search_task, pack, folder, report)
    attempts, chosen = search(
        search_task.candidates,
        artifacts.attempt,
        artifacts.attempt_library_default,
        goal,
        artifacts.has_time,
    )
    if not attempts:
        raise artifacts.errors[0]
    exported = artifacts.keep(chosen)
    record = Search(
        min_retention=goal.retention,
        min_agreement=goal.agreement,
        min_sqnr_db=goal.sqnr_db,
        library_default_error=artifacts.library_default_error,
        images=len(pack),
        attempts=attempts,
        failed=tuple(artifacts.failed),
        untried=count_untried(search_task.candidates, attempts, len(artifacts.failed), goal),
        chosen=chosen,
        meets_goal=goal.is_reached_by(attempts[chosen]),
        excluded_modules=explain(search_task.sensitivity, attempts[chosen].recipe.excluded_modules),
        seconds=round(time.perf_counter() - began, 3),
    )
    return exported, record


def _message(error: Exception) -> str:
    return str(error) if isinstance(error, WrongArtifactError) else f"{type(error).__name__}: {error}"


def held_out_result(
    values: Logits, pack: EvaluationPack, output: OutputRecord, search_task: SearchTask
) -> HeldOut:
    """Compare values [n, values] with the source's; raises WrongArtifactError if it cannot."""
    compared = compare(values, pack.reference_logits, pack.labels, output)
    if compared.sqnr_db == float("-inf"):
        raise WrongArtifactError("its outputs are not finite")
    return HeldOut(
        agreement=compared.agreement,
        retention=None if compared.pair is None else compared.pair.retention,
        sqnr_db=compared.sqnr_db,
        lost_classes=tuple(
            _lost(pair, search_task.classes)
            for pair in lost_classes(compared.classes, search_task.min_retention, search_task.positive_class)
        ),
    )


def _lost(pair: ClassPair, names: tuple[str, ...]) -> LostClass:
    assert pair.recall is not None
    assert pair.reference_recall is not None
    name = names[pair.index] if pair.index < len(names) else str(pair.index)
    return LostClass(
        name=name if pair.applies else f"not {name}",
        images=pair.images,
        recall=pair.recall,
        reference_recall=pair.reference_recall,
    )


def explain(sensitivity: Sensitivity, names: tuple[str, ...]) -> tuple[ExcludedModule, ...]:
    """Return for each excluded module its share of the work, and of the error of a network all in int8.

    The error of a tensor between two excluded modules counts for the second of them in `names`. The share of
    the error is None where none was measured.
    """
    total = sensitivity.noise(frozenset())
    modules = []
    for index, name in enumerate(names):
        before, after = frozenset(names[:index]), frozenset(names[: index + 1])
        saved = sensitivity.noise(before) - sensitivity.noise(after)
        share = sensitivity.share_of_macs(frozenset((name,)))
        error = None if sensitivity.unmeasured is not None or not total else saved / total
        modules.append(ExcludedModule(module=name, share_of_macs=share, share_of_error=error))
    return tuple(modules)
