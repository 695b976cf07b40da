"""Which variant a source is that is somebody's model file, and what can be made of it. It opens nothing."""

from collections.abc import Mapping
from dataclasses import dataclass

from bench.bundle.source_record import SourceKind
from bench.bundle.variants import Precision, Variant

FORMAT_OF = {
    SourceKind.ONNX: "onnx",
    SourceKind.OPENVINO: "openvino",
    SourceKind.TORCHSCRIPT: "torchscript",
    SourceKind.LITERT: "litert",
}
"""The format of a source that is a file of one."""


@dataclass(frozen=True)
class FileSource:
    """What can be made of a model file besides the file itself."""

    what: str
    """The file, as errors call it."""
    formats: tuple[str, ...]
    """The formats that it can become."""


FILE_SOURCES: Mapping[SourceKind, FileSource] = {
    SourceKind.ONNX: FileSource("an ONNX file", ("onnx", "openvino", "ncnn")),
    SourceKind.OPENVINO: FileSource("an OpenVINO file", ("openvino",)),
    SourceKind.TORCHSCRIPT: FileSource("a TorchScript file", ("openvino",)),
    SourceKind.LITERT: FileSource("a LiteRT file", ("litert",)),
}


def own_variant(kind: SourceKind, precision: Precision) -> Variant | None:
    """Return the variant that a source's own file is; None where the source is no file of a format.

    `precision`: by the file's own graph.
    """
    return Variant(FORMAT_OF[kind], precision) if kind in FORMAT_OF else None
