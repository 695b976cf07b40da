"""Makes one artifact and runs it, with one format's exporter and runtime.

It knows no search and no bundle.
"""

from pathlib import Path

import numpy as np

from bench.bundle.cpu_class import TARGETS
from bench.bundle.evaluation_pack import EvaluationPack
from bench.bundle.recipe import Recipe
from bench.bundle.variants import Precision
from bench.run_config import RunConfig
from bench.runtimes.installed import import_runtime
from bench.runtimes.protocol import LoadOptions
from bench.statistics.accuracy import Logits
from bench.system.host import cpu_class_here
from export.exporter import Exported, ExportRequest, import_exporter
from export.images import calibration_images
from export.messages import Report, Task
from export.networks import load, network_for
from export.quantisation.candidates import default_recipe
from export.quantisation.simulation import weighted


def make(task: Task, recipe: Recipe | None, folder: Path, report: Report) -> Exported:
    """Write a task's artifact into an empty folder; without a recipe, int8 uses the default recipe."""
    loaded = load(task.run)
    recipe = recipe or default_recipe(tuple(weighted(loaded.network)))
    is_quantised = task.calibration_images > 0
    return import_exporter(task.exporter).export(
        ExportRequest(
            network=network_for(task, recipe, report) if is_quantised else loaded.network,
            image_size=loaded.run.record.image_size,
            precision=task.precision,
            calibration=calibration_images(loaded.run.images, task.calibration_images),
            folder=folder,
            recipe=recipe,
            cpu=task.cpu,
        )
    )


def is_made_for_this_machine(task: Task) -> bool:
    """Tell whether a task's artifact is made for the class of this machine's CPU."""
    return task.precision is not Precision.INT8 or cpu_class_here() in TARGETS[task.cpu].classes


def run_on_pack(task: Task, exported: Exported, pack: EvaluationPack, exact: bool) -> Logits:
    """Load an artifact as bench does, and return its logits for a pack: float32 [n, classes].

    `exact`: compute int8 in float, which gives the logits of CPUs whose sums do not saturate. One thread is
    used: at batch 1 a second one gains little, and costs much where another process uses the core.
    """
    options = LoadOptions(
        config=RunConfig(provider=task.provider, threads=1),
        precision=task.precision,
        engine=exported.engine,
        foreign_engine=True,
        exact=exact,
    )
    session = import_runtime(task.runtime).load(exported.entry, options)
    logits = np.concatenate([session.infer(pack.inputs(index))[0] for index in range(len(pack))])
    session.close()
    return logits
