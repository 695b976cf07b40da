"""Which variant a source is that is somebody's model file. It opens nothing."""

from bench.bundle.source_record import SourceKind
from bench.bundle.variants import Precision, Variant

FORMAT_OF = {
    SourceKind.ONNX: "onnx",
    SourceKind.OPENVINO: "openvino",
    SourceKind.TORCHSCRIPT: "torchscript",
}
"""The format of a source that is a file of one."""


def own_variant(kind: SourceKind, precision: Precision) -> Variant | None:
    """Return the variant that a source's own file is; None where the source is no file of a format.

    `precision`: by the file's own graph.
    """
    return Variant(FORMAT_OF[kind], precision) if kind in FORMAT_OF else None
