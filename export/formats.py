"""The formats that can be exported, one row each. It knows names and facts, and imports no exporter."""

from collections.abc import Mapping
from dataclasses import dataclass

from bench.bundle.variants import Precision

_ALL = (Precision.FP32, Precision.FP16, Precision.INT8)


@dataclass(frozen=True)
class FormatRow:
    """What there is to know about a format without importing anything heavy.

    `exporter`: the module that is its Exporter; `runtime`: its row in bench/runtimes/table.py;
    `calibrated`: precisions that need calibration images, and whose arithmetic differs from one class of CPUs
    to another; `suffixes`: of the files one artifact consists of, the entry's first; `needs`: packages it
    imports, which `extra` installs.
    """

    exporter: str
    runtime: str
    precisions: tuple[Precision, ...]
    calibrated: tuple[Precision, ...]
    suffixes: tuple[str, ...]
    needs: tuple[str, ...]
    extra: str = "build"


FORMATS: Mapping[str, FormatRow] = {
    "torchscript": FormatRow(
        exporter="export.to_torchscript",
        runtime="torchscript",
        precisions=_ALL,
        calibrated=(Precision.INT8,),
        suffixes=(".pt",),
        needs=("torch",),
    ),
    "onnx": FormatRow(
        exporter="export.to_onnx",
        runtime="onnx",
        precisions=_ALL,
        calibrated=(Precision.INT8,),
        suffixes=(".onnx",),
        needs=("torch", "onnx", "onnxscript", "onnxruntime"),
    ),
    "openvino": FormatRow(
        exporter="export.to_openvino",
        runtime="openvino",
        precisions=_ALL,
        calibrated=(Precision.INT8,),
        suffixes=(".xml", ".bin"),
        needs=("torch", "openvino", "nncf"),
    ),
}
