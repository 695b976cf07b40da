"""Counts the weights and multiply-accumulates of networks that are compared. It measures nothing."""

from collections.abc import Sequence

from bench.bundle.manifest import ArtifactRecord, Bundle
from bench.bundle.model_files import ModelFile, read_model_file
from bench.bundle.model_graph import ModelGraph
from bench.bundle.model_set import NetworkCounts
from bench.bundle.signature import Tensor
from bench.bundle.variants import Precision
from bench.errors import BenchError
from bench.harness.describing import FailedInferenceError, read_graph
from bench.run.model_set import ModelSet
from bench.runtimes.installed import is_installed, row_of


def counts_of_bundle(bundle: Bundle, artifacts: Sequence[ArtifactRecord]) -> NetworkCounts | None:
    """Return what was counted in one of the artifacts; None if the runtime of none is installed here.

    It is one in fp32 if there is one, because int8 adds scales to the weights.
    """
    here = [each for each in artifacts if is_installed(row_of(each.format))]
    in_fp32 = [each for each in here if each.precision is Precision.FP32]
    if not here:
        return None
    artifact = (in_fp32 or here)[0]
    file = read_model_file(bundle.folder / artifact.entry)
    return _count(artifact.variant, file, artifact.inputs(bundle.manifest.model.image_size))


def counts_of_models(models: ModelSet) -> dict[str, NetworkCounts]:
    """Return what was counted, by the name of the model file."""
    return {
        model.record.name: _count(model.record.name, model.file, model.record.inputs)
        for model in models.models
    }


def _count(name: str, file: ModelFile, inputs: tuple[Tensor, ...]) -> NetworkCounts:
    """Count in one file. That its runtime cannot load it, its row says as well."""
    try:
        graph = _graph_of(file, inputs)
    except BenchError as error:
        return NetworkCounts(file=name, parameters=None, macs=None, missing=str(error))
    return NetworkCounts(file=name, parameters=graph.parameters, macs=graph.macs, uncounted=graph.uncounted)


def _graph_of(file: ModelFile, inputs: tuple[Tensor, ...]) -> ModelGraph:
    try:
        return read_graph(file, inputs)
    except FailedInferenceError:  # the weights can be counted all the same
        return read_graph(file, None)
