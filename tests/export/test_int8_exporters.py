"""What the real int8 exporters make of a recipe, as the real runtimes run it."""

import importlib
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import onnx
import openvino
import pytest
import torch
from onnx import numpy_helper

from bench.bundle.cpu_class import PORTABLE, SAFE_LEVEL, TARGETS
from bench.bundle.recipe import RangeMethod, Recipe
from bench.bundle.variants import Precision
from bench.runtimes.protocol import LoadOptions, Session
from bench.runtimes.quantised_engines import ENGINES, engine_for
from bench.runtimes.table import load_runtime, row_of
from bench.statistics.precision import share_of_macs
from export.exporter import Exported, ExportRequest
from export.formats import FORMATS
from export.networks import load, simulate
from export.quantisation.candidates import LIBRARY_DEFAULT
from export.quantisation.correction import correct
from export.reference import reference_logits
from export.to_openvino import UnexpectedGraphError
from models.run_folder import Run

# One early, one depthwise, one projection: each amid layers in int8.
AMID_INT8 = ("features.3.conv.0.0", "features.8.conv.1.0", "features.12.conv.2")


Make = Callable[..., Exported]


@pytest.fixture(scope="module")
def made(run_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Make:
    """Make an artifact as the worker does, each once."""

    @cache
    def make(name: str, recipe: Recipe, cpu: str = PORTABLE) -> Exported:
        return export_int8(name, run_folder, tmp_path_factory.mktemp(name), recipe, cpu)

    return make


def export_int8(name: str, run_folder: Path, folder: Path, recipe: Recipe, cpu: str) -> Exported:
    run, simulated = load(str(run_folder)).run, simulate(str(run_folder))
    excluded, level = frozenset(recipe.excluded_modules), TARGETS[cpu].weight_level
    network = (
        correct(simulated.network, simulated.images, simulated.ranges, excluded, level)
        if recipe.corrected
        else load(str(run_folder)).network
    )
    request = ExportRequest(
        network=network,
        image_size=run.record.image_size,
        precision=Precision.INT8,
        calibration=run.images.calibration.images,
        folder=folder,
        recipe=recipe,
        cpu=cpu,
    )
    exported: Exported = importlib.import_module(FORMATS[name].exporter).export(request)
    assert exported.excluded_modules == recipe.excluded_modules
    return exported


def loaded(name: str, exported: Exported, exact: bool = False) -> Session:
    options = LoadOptions(
        threads=1,
        provider=row_of(name).provider,
        engine=exported.engine,
        foreign_engine=True,
        int8=True,
        exact=exact,
    )
    return load_runtime(name).load(exported.entry, options)


def int8_weights(name: str, entry: Path) -> list[np.ndarray]:
    """Return every int8 weight tensor of an artifact."""
    match name:
        case "onnx":
            tensors = [numpy_helper.to_array(each) for each in onnx.load(entry).graph.initializer]
            return [each for each in tensors if each.dtype == np.int8 and each.ndim >= 2]
        case "openvino":
            operators = openvino.Core().read_model(entry).get_ops()
            constants = [each for each in operators if each.get_type_name() == "Constant"]
            return [each.data for each in constants if each.get_element_type() == openvino.Type.i8]
        case _:
            torch.backends.quantized.engine = "qnnpack"
            graph = torch.jit.freeze(torch.jit.load(entry).eval()).inlined_graph
            packed = [node.toIValue() for node in _packed(graph)]
            return [each.unpack()[0].int_repr().numpy() for each in packed]


def _packed(graph: torch.Graph) -> list[torch.Value]:
    kinds = ("quantized::conv2d", "quantized::conv2d_relu", "quantized::linear")
    return [list(node.inputs())[1] for node in graph.nodes() if node.kind() in kinds]


def batches(run: Run) -> list[np.ndarray]:
    images = np.repeat(run.images.test.images[:, None].astype(np.float32) / 255, 3, axis=1)
    return [image[None] for image in images]


@pytest.mark.parametrize("name", FORMATS)
def test_layers_amid_int8_run_in_float_where_the_recipe_leaves_them_there(
    name: str, run_folder: Path, made: Make
) -> None:
    session = loaded(name, made(name, Recipe(excluded_modules=AMID_INT8)))
    executed = session.executed(batches(load(str(run_folder)).run)[0])

    in_float = [one for one in executed.operators if one.precision == "fp32"]
    assert len(in_float) == len(AMID_INT8)
    assert (share_of_macs(executed.operators) or {})["int8"] > 0.85


@pytest.mark.parametrize("name", FORMATS)
def test_ranges_by_histogram_are_ranges_too(name: str, run_folder: Path, made: Make) -> None:
    run = load(str(run_folder)).run
    session = loaded(name, made(name, Recipe(ranges=RangeMethod.HISTOGRAM)))
    logits = np.concatenate([session.infer(batch) for batch in batches(run)])

    assert (logits.argmax(axis=1) == run.images.test.labels).mean() >= 0.95


@pytest.mark.parametrize("name", FORMATS)
def test_a_portable_artifact_has_no_weight_whose_sums_could_saturate(name: str, made: Make) -> None:
    exported = made(name, Recipe())
    weights = int8_weights(name, exported.entry)

    assert len(weights) > 40
    assert exported.engine is None
    assert all(np.abs(each.astype(np.int16)).max() <= SAFE_LEVEL for each in weights)


@pytest.mark.parametrize("name", ["onnx", "openvino"])  # torch's default has 7 bits of activations instead
def test_nor_has_what_the_library_makes_by_itself(name: str, made: Make) -> None:
    weights = int8_weights(name, made(name, LIBRARY_DEFAULT).entry)
    # NNCF leaves depthwise weights alone, of five dimensions there: OpenVINO adds their products in 32 bits.
    dense = [each for each in weights if each.ndim != 5]

    assert dense
    assert all(np.abs(each.astype(np.int16)).max() <= SAFE_LEVEL for each in dense)


def test_weights_that_nncf_stores_otherwise_are_named(
    run_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nncf.quantize", lambda model, *_, **__: model)

    with pytest.raises(
        UnexpectedGraphError, match=r"^features\.0\.0: NNCF .* as Constant, where Multiply of"
    ):
        export_int8("openvino", run_folder, tmp_path, Recipe(corrected=False), PORTABLE)


@pytest.mark.parametrize("name", FORMATS)
def test_exact_arithmetic_gives_the_answers_of_this_cpu(name: str, run_folder: Path, made: Make) -> None:
    exported = made(name, Recipe())
    images = batches(load(str(run_folder)).run)
    here, exact = (
        np.concatenate([session.infer(batch) for batch in images])
        for session in (loaded(name, exported), loaded(name, exported, exact=True))
    )

    assert (here.argmax(axis=1) == exact.argmax(axis=1)).mean() >= 0.95
    assert np.abs(here - exact).mean() < 0.1 * np.abs(exact).mean()


def test_one_torchscript_file_answers_alike_with_each_engine(run_folder: Path, made: Make) -> None:
    exported = made("torchscript", Recipe())
    images = batches(load(str(run_folder)).run)
    answers = {}
    for engine in sorted(set(ENGINES) & set(torch.backends.quantized.supported_engines)):
        torch.backends.quantized.engine = engine
        module = torch.jit.freeze(torch.jit.load(exported.entry).eval())
        with torch.inference_mode():
            answers[engine] = np.concatenate([module(torch.from_numpy(batch)).numpy() for batch in images])
    first, *others = answers.values()

    assert others
    for other in others:
        assert np.abs(first - other).mean() < 0.1 * np.abs(first).mean()


@pytest.mark.parametrize("cpu", ["x86-vnni", "arm"])
def test_torchscript_made_for_one_cpu_keeps_its_answers(cpu: str, run_folder: Path, made: Make) -> None:
    network = load(str(run_folder))
    exported = made("torchscript", Recipe(), cpu)
    # In exact arithmetic: a machine without VNNI would saturate what is made for VNNI.
    session = loaded("torchscript", exported, exact=True)
    logits = np.concatenate([session.infer(batch) for batch in batches(network.run)])
    expected = reference_logits(network.network, network.run.images.test.images)

    assert exported.engine == engine_for(cpu)
    assert (logits.argmax(axis=1) == expected.argmax(axis=1)).mean() >= 0.95
    assert np.abs(logits - expected).mean() < 0.2 * np.abs(expected).mean()
