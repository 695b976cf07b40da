"""Makes one artifact and runs it, by one format's exporter and runtime. It knows no search and no bundle."""

import importlib
from pathlib import Path
from typing import cast

import numpy as np

from bench.bundle.cpu_class import TARGETS
from bench.bundle.evaluation_pack import EvaluationPack
from bench.bundle.recipe import Recipe
from bench.bundle.variants import Precision
from bench.runtimes.protocol import LoadOptions
from bench.runtimes.table import load_runtime, row_of
from bench.statistics.accuracy import Logits
from bench.system.host import cpu_class_here
from export.calibration import calibration_images
from export.exporter import Exported, Exporter, ExportRequest
from export.messages import Task, Tell
from export.networks import load, network_for
from export.quantisation.candidates import default_recipe
from export.quantisation.simulation import weighted


def make(task: Task, recipe: Recipe | None, folder: Path, tell: Tell) -> Exported:
    """Write a task's artifact into an empty folder; without a recipe int8 takes the default one."""
    loaded = load(task.run)
    recipe = recipe or default_recipe(tuple(weighted(loaded.network)))
    is_quantised = task.calibration_images > 0
    exporter = cast("Exporter", importlib.import_module(task.exporter))
    return exporter.export(
        ExportRequest(
            network=network_for(task, recipe, tell) if is_quantised else loaded.network,
            image_size=loaded.run.record.image_size,
            precision=task.precision,
            calibration=calibration_images(loaded.run.images, task.calibration_images),
            folder=folder,
            recipe=recipe,
            cpu=task.cpu,
        )
    )


def is_made_for_this_machine(task: Task) -> bool:
    """Tell whether this machine's CPU is of a class that a task's artifact is made for."""
    return task.precision is not Precision.INT8 or cpu_class_here() in TARGETS[task.cpu].classes


def answers_of(task: Task, exported: Exported, pack: EvaluationPack, exact: bool) -> Logits:
    """Load an artifact as bench will, and answer a pack image by image: float32 [n, classes].

    `exact`: compute int8 in float instead, as CPUs do whose sums do not saturate. One thread: at batch 1 a
    second one gains little, and costs much where another process wants the core.
    """
    options = LoadOptions(
        threads=1,
        provider=row_of(task.runtime).provider,
        engine=exported.engine,
        foreign_engine=True,
        half=task.precision is Precision.FP16,
        int8=task.precision is Precision.INT8,
        exact=exact,
    )
    session = load_runtime(task.runtime).load(exported.entry, options)
    logits = np.concatenate([session.infer(pack.batch(index)) for index in range(len(pack))])
    session.close()
    return logits
