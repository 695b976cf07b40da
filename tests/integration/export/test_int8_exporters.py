"""What the real int8 exporters make of a recipe, as the real runtimes run it."""

import copy
import importlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import openvino
import pytest
import torch
from making.installed_formats import WITH_INT8
from making.run_source import calibration_of, calibration_pack, evaluation_inputs, prepared_run, reference_of
from onnx import numpy_helper

from bench.bundle.cpu_class import PORTABLE, SAFE_LEVEL, TARGETS
from bench.bundle.recipe import RangeMethod, Recipe
from bench.bundle.variants import Precision
from bench.run_config import RunConfig
from bench.runtimes.formats import FORMATS
from bench.runtimes.installed import load_runtime, row_of
from bench.runtimes.protocol import LoadOptions, Session
from bench.runtimes.quantised_engines import ENGINES, engine_for
from bench.statistics.precision import share_of_macs
from export.exporter import Exported, ExportRequest
from export.networks import Simulated, simulate
from export.quantisation.candidates import LIBRARY_DEFAULT
from export.quantisation.correction import correct
from export.sources.opening import load
from export.to_openvino import UnexpectedGraphError

# An early layer, a depthwise layer and a projection, each between layers in int8.
EXCLUDED = ("features.3.conv.0.0", "features.8.conv.1.0", "features.12.conv.2")
# Ranges and excluded modules have nothing to do with each other: an artifact with both is made once.
EXCLUDED_WITH_HISTOGRAM = Recipe(excluded_modules=EXCLUDED, ranges=RangeMethod.HISTOGRAM)


Make = Callable[..., Exported]


@pytest.fixture(scope="module")
def made(run_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Make:
    """Makes an artifact as the worker does, once for each recipe."""

    @cache
    def make(name: str, recipe: Recipe, cpu: str = PORTABLE) -> Exported:
        return export_int8(name, run_folder, tmp_path_factory.mktemp(name), recipe, cpu)

    return make


def export_int8(name: str, run_folder: Path, folder: Path, recipe: Recipe, cpu: str) -> Exported:
    source = prepared_run(run_folder).source
    excluded, level = frozenset(recipe.excluded_modules), TARGETS[cpu].weight_level
    network = (
        corrected(run_folder, folder.parent, excluded, level) if recipe.corrected else load(source).network
    )
    request = ExportRequest(
        make_network=lambda: copy.deepcopy(network),
        base=None,
        inputs=source.inputs,
        outputs=source.outputs,
        precision=Precision.INT8,
        calibration=calibration_of(run_folder, folder.parent),
        folder=folder,
        recipe=recipe,
        cpu=cpu,
        find_ranges=lambda: simulated(run_folder, folder.parent).ranges,
    )
    exported: Exported = importlib.import_module(FORMATS[name].exporter or "").export(request)
    in_fp32 = exported.excluded_modules
    assert in_fp32[: len(recipe.excluded_modules)] == recipe.excluded_modules
    if name == "openvino":  # and depthwise layers, for CPUs without VNNI
        assert (len(in_fp32) > 15) == (level == SAFE_LEVEL and not recipe.library_default)
    else:
        assert in_fp32 == recipe.excluded_modules
    return exported


@cache
def corrected(run_folder: Path, folder: Path, excluded: frozenset[str], level: int) -> torch.fx.GraphModule:
    """Return the network that every format quantises, as the workers of an export share it."""
    made = simulated(run_folder, folder)
    return correct(made.network, made.images, made.ranges, excluded, level)


def simulated(run_folder: Path, folder: Path) -> Simulated:
    source = prepared_run(run_folder).source
    return simulate(source, str(calibration_pack(run_folder, folder)), lambda _done, _total: None)


def loaded(name: str, exported: Exported, exact: bool = False) -> Session:
    options = LoadOptions(
        RunConfig(threads=1, provider=row_of(name).provider),
        engine=exported.engine,
        foreign_engine=True,
        precision=Precision.INT8,
        exact=exact,
    )
    return load_runtime(name).load(exported.entry, options)


def int8_weights(name: str, entry: Path) -> list[np.ndarray]:
    """Return every int8 weight tensor of an artifact."""
    match name:
        case "onnx":
            tensors = [numpy_helper.to_array(tensor) for tensor in onnx.load(entry).graph.initializer]
            return [tensor for tensor in tensors if tensor.dtype == np.int8 and tensor.ndim >= 2]
        case "openvino":
            operators = openvino.Core().read_model(entry).get_ops()
            constants = [operator for operator in operators if operator.get_type_name() == "Constant"]
            return [
                constant.data for constant in constants if constant.get_element_type() == openvino.Type.i8
            ]
        case "litert":
            from export.tflite_model import read_tflite

            model = read_tflite(entry.read_bytes())
            layers = [model.weight(position) for position in model.layers()]
            return [weights for weights in layers if weights.dtype == np.int8]
        case _:
            torch.backends.quantized.engine = "qnnpack"
            graph = torch.jit.freeze(_loaded(entry)).inlined_graph
            packed: list[Any] = [node.toIValue() for node in _packed(graph)]
            return [weights.unpack()[0].int_repr().numpy() for weights in packed]


def _packed(graph: torch.Graph) -> list[torch.Value]:
    kinds = ("quantized::conv2d", "quantized::conv2d_relu", "quantized::linear")
    return [list(node.inputs())[1] for node in graph.nodes() if node.kind() in kinds]


def _loaded(entry: Path) -> torch.jit.ScriptModule:
    module: torch.jit.ScriptModule = torch.jit.load(entry).eval()  # type: ignore[no-untyped-call]
    return module


@pytest.mark.parametrize("name", WITH_INT8)
def test_excluded_modules_run_in_fp32_between_layers_in_int8(name: str, run_folder: Path, made: Make) -> None:
    exported = made(name, EXCLUDED_WITH_HISTOGRAM)
    executed = loaded(name, exported).executed([evaluation_inputs(run_folder)[0]])

    in_float = [operator for operator in executed.operators if operator.precision == "fp32"]
    assert len(in_float) == len(exported.excluded_modules)
    assert (share_of_macs(executed.operators) or {})["int8"] > (0.8 if name == "openvino" else 0.85)


@pytest.mark.parametrize("name", WITH_INT8)
def test_ranges_found_by_histogram_give_a_good_artifact(name: str, run_folder: Path, made: Make) -> None:
    labels = prepared_run(run_folder).data.evaluation.labels
    session = loaded(name, made(name, EXCLUDED_WITH_HISTOGRAM))
    logits = np.concatenate([session.infer([batch])[0] for batch in evaluation_inputs(run_folder)])

    assert (logits.argmax(axis=1) == labels).mean() >= 0.95


# XNNPACK's sums, which ExecuTorch uses, saturate on no CPU: test_executorch_sums.py shows it.
@pytest.mark.parametrize("name", [name for name in WITH_INT8 if name != "executorch"])
def test_a_portable_artifact_has_no_weight_whose_sums_could_saturate(name: str, made: Make) -> None:
    exported = made(name, Recipe())
    weights = int8_weights(name, exported.entry)

    assert len(weights) > 40
    assert exported.engine is None
    assert all(np.abs(tensor.astype(np.int16)).max() <= SAFE_LEVEL for tensor in weights)


@pytest.mark.parametrize("name", ["onnx", "openvino"])  # torch's default has 7 bits of activations instead
def test_no_weight_of_the_library_default_could_saturate(name: str, made: Make) -> None:
    weights = int8_weights(name, made(name, LIBRARY_DEFAULT).entry)
    # NNCF leaves depthwise weights alone, of five dimensions there: OpenVINO adds their products in 32 bits.
    dense = [tensor for tensor in weights if tensor.ndim != 5]

    assert dense
    assert all(np.abs(tensor.astype(np.int16)).max() <= SAFE_LEVEL for tensor in dense)


def test_an_unknown_form_of_nncf_weights_is_named(
    run_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nncf.quantize", lambda model, *_, **__: model)

    with pytest.raises(
        UnexpectedGraphError, match=r"^features\.0\.0: NNCF .* as Constant, but edgefit expects Multiply of"
    ):
        export_int8("openvino", run_folder, tmp_path, Recipe(corrected=False), PORTABLE)


@pytest.mark.parametrize("name", WITH_INT8)
def test_exact_arithmetic_predicts_what_this_cpu_predicts(name: str, run_folder: Path, made: Make) -> None:
    exported = made(name, Recipe())
    images = evaluation_inputs(run_folder)
    here, exact = (
        np.concatenate([session.infer([batch])[0] for batch in images])
        for session in (loaded(name, exported), loaded(name, exported, exact=True))
    )

    assert (here.argmax(axis=1) == exact.argmax(axis=1)).mean() >= 0.95
    assert np.abs(here - exact).mean() < 0.1 * np.abs(exact).mean()


def test_one_torchscript_file_gives_similar_logits_with_each_engine(run_folder: Path, made: Make) -> None:
    exported = made("torchscript", Recipe())
    images = evaluation_inputs(run_folder)
    logits = {}
    for engine in sorted(set(ENGINES) & set(torch.backends.quantized.supported_engines)):
        torch.backends.quantized.engine = engine
        module = torch.jit.freeze(_loaded(exported.entry))
        with torch.inference_mode():
            logits[engine] = np.concatenate([module(torch.from_numpy(batch)).numpy() for batch in images])
    first, *others = logits.values()

    assert others
    for other in others:
        assert np.abs(first - other).mean() < 0.1 * np.abs(first).mean()


@pytest.mark.parametrize("cpu", ["x86-vnni", "arm"])
def test_torchscript_made_for_one_cpu_predicts_what_the_network_predicts(
    cpu: str, run_folder: Path, made: Make
) -> None:
    exported = made("torchscript", Recipe(), cpu)
    # In exact arithmetic: a machine without VNNI would saturate what is made for VNNI.
    session = loaded("torchscript", exported, exact=True)
    logits = np.concatenate([session.infer([batch])[0] for batch in evaluation_inputs(run_folder)])
    expected = reference_of(run_folder)

    assert exported.engine == engine_for(cpu)
    assert (logits.argmax(axis=1) == expected.argmax(axis=1)).mean() >= 0.95
    assert np.abs(logits - expected).mean() < 0.2 * np.abs(expected).mean()
