"""Makes one artifact and runs it, with one format's exporter and runtime.

It knows no search and no bundle.
"""

import shutil
from pathlib import Path

from bench.bundle.cpu_class import TARGETS
from bench.bundle.evaluation_pack import EvaluationPack
from bench.bundle.judged_output import judged_values, stacked
from bench.bundle.model_files import read_model_file
from bench.bundle.recipe import Recipe
from bench.bundle.variants import Precision
from bench.run_config import RunConfig
from bench.runtimes.installed import import_runtime
from bench.runtimes.protocol import LoadOptions, Session
from bench.statistics.accuracy import Logits
from bench.statistics.precision import share_of_macs
from bench.system.host import cpu_class_here
from export.calibration import calibration_inputs
from export.exporter import Exported, ExportRequest, import_exporter
from export.messages import Entered, Report, Steps, Task
from export.networks import network_for, ranges_for
from export.quantisation.candidates import default_recipe
from export.quantisation.simulation import weighted
from export.sources.opening import load
from export.sources.source import LoadedSource, NotLayeredError
from export.stages import steps_of

# Enough to see how large values are.
_MOST_SAMPLES = 32


def make(task: Task, recipe: Recipe | None, folder: Path, report: Report) -> Exported:
    """Write a task's artifact into an empty folder; without a recipe, int8 uses the default recipe."""
    loaded = load(task.source)
    is_quantised = task.calibration is not None
    if recipe is None:
        recipe = _recipe_without_search(loaded) if is_quantised else Recipe()
    return import_exporter(task.exporter).export(
        ExportRequest(
            make_network=lambda: network_for(task, recipe, report) if is_quantised else loaded.network,
            base=loaded.base,
            inputs=task.source.inputs,
            outputs=task.source.outputs,
            precision=task.precision,
            calibration=calibration_inputs(
                task.calibration, task.source.inputs, task.calibration_images, _calibrating(report)
            ),
            folder=folder,
            recipe=recipe,
            cpu=task.cpu,
            samples=calibration_inputs(task.samples, task.source.inputs, _MOST_SAMPLES),
            find_ranges=lambda: ranges_for(task, report),
            make_float_network=lambda: loaded.network,
        )
    )


def _calibrating(report: Report) -> Steps:
    """Return what reports the calibration samples that are read. What the quantiser does after the last one
    has no steps."""
    note = steps_of(report)

    def read(done: int, total: int) -> None:
        if done == 1:
            report(Entered(stage="calibrate"))
        note(done, total)
        if done == total:
            report(Entered(stage="quantise"))

    return read


def _recipe_without_search(loaded: LoadedSource) -> Recipe:
    """Return the default recipe; for a file of which no network can be made, one that needs none."""
    try:
        return default_recipe(tuple(weighted(loaded.network)))
    except NotLayeredError:
        if loaded.base is None:
            raise
        return Recipe(corrected=False)


def copy_own(task: Task, folder: Path) -> Exported:
    """Copy the source's own file into an empty folder, with the files that belong to it."""
    own = read_model_file(Path(task.source.spec.name))
    for path in own.files:
        target = folder / path.relative_to(own.path.parent)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    source = task.source
    return Exported(entry=folder / own.path.name, producer=source.producer, opset=source.opset)


def is_made_for_this_machine(task: Task) -> bool:
    """Tell whether a task's artifact is made for the class of this machine's CPU, or for no class."""
    is_made_for_a_class = task.precision is Precision.INT8 and task.calibration is not None
    return not is_made_for_a_class or cpu_class_here() in TARGETS[task.cpu].classes


def share_in_int8(task: Task, exported: Exported, pack: EvaluationPack) -> float | None:
    """Return the share of the multiply-accumulates that run in int8; None if the runtime does not say it."""
    session = _loaded(task, exported, exact=False)
    shares = share_of_macs(session.executed(pack.inputs(0, task.source.inputs)).operators)
    session.close()
    return None if shares is None else shares.get("int8", 0.0)


def run_on_pack(task: Task, exported: Exported, pack: EvaluationPack, exact: bool, report: Report) -> Logits:
    """Load an artifact as bench does, and return its logits for a pack: float32 [n, classes].

    `exact`: compute int8 in float, which gives the logits of CPUs whose sums do not saturate. One thread is
    used: at batch 1 a second one gains little, and costs much where another process uses the core.
    """
    session = _loaded(task, exported, exact)
    inputs, output = task.source.inputs, task.source.output
    rows, note = [], steps_of(report)
    for index in range(len(pack)):
        rows.append(judged_values(session.infer(pack.inputs(index, inputs)), output))
        note(index + 1, len(pack))
    session.close()
    return stacked(rows)


def _loaded(task: Task, exported: Exported, exact: bool) -> Session:
    options = LoadOptions(
        config=RunConfig(provider=task.provider, threads=1),
        precision=task.precision,
        engine=exported.engine,
        foreign_engine=True,
        exact=exact,
        # The user's own file may leave shapes open, which export fixes in every other one.
        inputs=task.source.inputs if task.is_own else (),
    )
    return import_runtime(task.runtime).load(exported.entry, options)
