"""What the real int8 exporters make of a recipe, as the real runtimes run it."""

import importlib
from pathlib import Path

import numpy as np
import pytest

from bench.machine.host import read_host
from bench.quantisation import RangeMethod, Recipe
from bench.runtimes.protocol import LoadOptions, Session
from bench.runtimes.quantised_engines import engine_for, misfit
from bench.runtimes.table import load_runtime, row_of
from bench.statistics.precision import share_of_macs
from bench.variants import Precision
from export.exporter import ExportRequest
from export.formats import FORMATS
from export.networks import load, simulate
from export.quantisation.correction import correct
from export.reference import reference_logits
from models.run_folder import Run

# One early, one depthwise, one projection: each amid layers in int8.
AMID_INT8 = ("features.3.conv.0.0", "features.8.conv.1.0", "features.12.conv.2")


def quantised(name: str, run_folder: Path, folder: Path, recipe: Recipe, cpu: str | None = None) -> Session:
    """Make an artifact as the worker does, and load it."""
    run, simulated = load(str(run_folder)).run, simulate(str(run_folder))
    request = ExportRequest(
        network=correct(
            simulated.network, simulated.images, simulated.ranges, frozenset(recipe.left_in_float)
        ),
        image_size=run.record.image_size,
        precision=Precision.INT8,
        calibration=run.images.calibration.images,
        folder=folder,
        recipe=recipe,
        cpu=cpu,
    )
    exported = importlib.import_module(FORMATS[name].exporter).export(request)
    assert exported.left_in_float == recipe.left_in_float
    options = LoadOptions(
        threads=1, provider=row_of(name).provider, engine=exported.engine, foreign_engine=True
    )
    return load_runtime(name).load(exported.entry, options)


def batches(run: Run) -> list[np.ndarray]:
    images = np.repeat(run.images.test.images[:, None].astype(np.float32) / 255, 3, axis=1)
    return [image[None] for image in images]


@pytest.mark.parametrize("name", FORMATS)
def test_layers_amid_int8_run_in_float_where_the_recipe_leaves_them_there(
    name: str, run_folder: Path, tmp_path: Path
) -> None:
    session = quantised(name, run_folder, tmp_path, Recipe(left_in_float=AMID_INT8))
    executed = session.executed(batches(load(str(run_folder)).run)[0])

    in_float = [one for one in executed.operators if one.precision == "fp32"]
    assert len(in_float) == len(AMID_INT8)
    assert (share_of_macs(executed.operators) or {})["int8"] > 0.85


@pytest.mark.parametrize("name", FORMATS)
def test_ranges_by_histogram_are_ranges_too(name: str, run_folder: Path, tmp_path: Path) -> None:
    run = load(str(run_folder)).run
    session = quantised(name, run_folder, tmp_path, Recipe(ranges=RangeMethod.HISTOGRAM))
    logits = np.concatenate([session.infer(batch) for batch in batches(run)])

    assert (logits.argmax(axis=1) == run.images.test.labels).mean() >= 0.95


@pytest.mark.parametrize("cpu", ["x86-vnni", "x86", "arm"])
def test_torchscript_keeps_its_answers_with_the_engine_of_each_cpu(
    cpu: str, run_folder: Path, tmp_path: Path
) -> None:
    host = read_host()
    if reason := misfit(engine_for(cpu), host.architecture, frozenset(host.cpu_features), foreign=True):
        pytest.skip(reason)
    loaded = load(str(run_folder))
    session = quantised("torchscript", run_folder, tmp_path, Recipe(), cpu)
    logits = np.concatenate([session.infer(batch) for batch in batches(loaded.run)])
    wanted = reference_logits(loaded.network, loaded.run.images.test.images)

    assert engine_for(cpu) in ("onednn", "x86", "qnnpack")
    assert (logits.argmax(axis=1) == wanted.argmax(axis=1)).mean() >= 0.95
    assert np.abs(logits - wanted).mean() < 0.2 * np.abs(wanted).mean()
