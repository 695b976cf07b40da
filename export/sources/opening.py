"""Opens a source, whatever kind it is: which module knows which kind."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from bench.bundle.source_record import SourceKind
from export.sources.source import LoadedSource, Source
from export.sources.spec import OpenSource, SourceDescription, SourceSpec, StatedShape


@lru_cache(maxsize=1)
def load(source: OpenSource) -> LoadedSource:
    """Open a source once; every call returns the same object. Raises InputError if it cannot be opened."""
    return LoadedSource(_opened(source))


def _opened(source: OpenSource) -> Source:
    match source.spec.kind:
        case SourceKind.RUN:
            from export.sources.run_folder import RunSource

            return RunSource(Path(source.spec.name))
        case SourceKind.ONNX:
            from export.sources.onnx_file import OnnxFileSource

            return OnnxFileSource(Path(source.spec.name), source.inputs, source.outputs)
        case SourceKind.OPENVINO:
            from export.sources.openvino_file import OpenVinoFileSource

            return OpenVinoFileSource(Path(source.spec.name), source.inputs)
        case SourceKind.TORCHSCRIPT:
            from export.sources.torchscript_file import TorchScriptFileSource

            return TorchScriptFileSource(Path(source.spec.name), source.inputs, source.outputs)
        case SourceKind.LITERT:
            from export.sources.tflite_file import TfliteFileSource

            return TfliteFileSource(Path(source.spec.name), source.inputs)
        case SourceKind.TORCHVISION | SourceKind.TIMM | SourceKind.FUNCTION:
            from export.sources.torch_network import TorchNetworkSource

            return TorchNetworkSource(source)
        case SourceKind.PROGRAM:
            from export.sources.torch_program import TorchProgramSource

            return TorchProgramSource(source)


def describe_source(spec: SourceSpec, shapes: Sequence[StatedShape]) -> SourceDescription:
    """Return what a source takes and gives. Raises InputError if it cannot be opened, or if its shapes are
    open and nothing states them."""
    match spec.kind:
        case SourceKind.ONNX | SourceKind.OPENVINO | SourceKind.TORCHSCRIPT | SourceKind.LITERT:
            from export.sources.model_file import describe_file

            return describe_file(spec, shapes)
        case SourceKind.TORCHVISION | SourceKind.TIMM | SourceKind.FUNCTION:
            from export.sources.torch_network import describe_network

            return describe_network(spec, shapes)
        case SourceKind.PROGRAM:
            from export.sources.torch_program import describe_program

            return describe_program(spec, shapes)
        case SourceKind.RUN:
            raise AssertionError("a run folder is described by its record")
