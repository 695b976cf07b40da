"""Finds the recipe of one int8 artifact: each is made, run and judged on held-out images.

It sees neither the calibration images' labels nor any test image.
"""

import dataclasses
import shutil
import time
from pathlib import Path

from bench.bundle.evaluation_pack import EvaluationPack, read_pack
from bench.bundle.recipe import Attempt, ExcludedModule, HeldOut, Recipe, Search
from bench.statistics import accuracy
from bench.statistics.accuracy import Logits
from export.artifact import answers_of, is_made_for_this_machine, make
from export.exporter import Exported
from export.messages import Entered, SearchTask, Task, Tell
from export.quantisation.candidates import LIBRARY_DEFAULT
from export.quantisation.costs import Costs
from export.quantisation.search import Goal, search
from export.verification import WrongArtifactError


def make_best(task: Task, wanted: SearchTask, folder: Path, tell: Tell) -> tuple[Exported, Search]:
    """Fill a task's empty folder with the artifact of the best recipe, and say how that was found."""
    begun = time.perf_counter()
    pack = read_pack(Path(wanted.held_out))
    goal = Goal(wanted.min_retention, len(pack))
    made: list[Exported] = []
    most = len(wanted.candidates.recipes) + len(wanted.candidates.fallbacks) + 1

    def attempt(number: int, recipe: Recipe) -> Attempt:
        tell(Entered(stage=f"recipe {number + 1} of at most {most}"))
        begun = time.perf_counter()
        exported = make(task, recipe, _new_folder(folder / f"recipe-{number}"), tell)
        found = judge(answers_of(task, exported, pack, exact=not is_made_for_this_machine(task)), pack)
        made.append(exported)
        share = wanted.costs.share_of_macs(frozenset(recipe.excluded_modules))
        return Attempt(
            recipe=recipe,
            share_in_fp32=share,
            held_out=found,
            seconds=round(time.perf_counter() - begun, 3),
        )

    failure: str | None = None

    def default(number: int) -> Attempt | None:
        nonlocal failure
        try:
            return attempt(number, LIBRARY_DEFAULT)
        except Exception as error:  # noqa: BLE001 - it is there to be compared with: the search has a result
            failure = f"{type(error).__name__}: {error}"
            return None

    attempts, taken = search(wanted.candidates, attempt, default, goal)
    exported = _keep(made[taken], folder)
    record = Search(
        min_retention=goal.retention,
        min_agreement=goal.agreement,
        min_sqnr_db=goal.sqnr_db,
        library_default_failed=failure,
        images=len(pack),
        attempts=attempts,
        taken=taken,
        reached=goal.is_reached_by(attempts[taken].held_out),
        excluded_modules=reasons(wanted.costs, attempts[taken].recipe.excluded_modules),
        seconds=round(time.perf_counter() - begun, 3),
    )
    return exported, record


def judge(logits: Logits, pack: EvaluationPack) -> HeldOut:
    """Compare logits [n, classes] with the fp32 network's; raises WrongArtifactError if they cannot be."""
    retention = accuracy.pair(logits, pack.reference_logits, pack.labels).retention
    sqnr_db = accuracy.sqnr_db(logits, pack.reference_logits)
    if retention is None:
        raise WrongArtifactError(f"the fp32 network is right on none of {len(pack)} held-out images")
    if sqnr_db == float("-inf"):
        raise WrongArtifactError("gives logits that are not finite")
    return HeldOut(
        agreement=accuracy.agreement(logits, pack.reference_logits), retention=retention, sqnr_db=sqnr_db
    )


def reasons(costs: Costs, names: tuple[str, ...]) -> tuple[ExcludedModule, ...]:
    """Return for each layer left in float what it costs, and its share of the error of a network all in int8.

    Tensors between layers of the set count for the layer that they come out of.
    """
    everything = costs.noise(frozenset())
    found = []
    for place, name in enumerate(names):
        saved = costs.noise(frozenset(names[:place])) - costs.noise(frozenset(names[: place + 1]))
        share = costs.share_of_macs(frozenset((name,)))
        found.append(ExcludedModule(module=name, share_of_macs=share, share_of_error=saved / everything))
    return tuple(found)


def _new_folder(path: Path) -> Path:
    path.mkdir()
    return path


def _keep(exported: Exported, folder: Path) -> Exported:
    """Move the files of the best recipe into the artifact's folder, and remove the others."""
    for path in sorted(exported.entry.parent.iterdir()):
        path.rename(folder / path.name)
    for path in folder.glob("recipe-*"):
        shutil.rmtree(path)
    return dataclasses.replace(exported, entry=folder / exported.entry.name)
