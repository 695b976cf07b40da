"""The formats this harness can run, one row each. It loads a runtime only when asked for it."""

import importlib
import importlib.util
import os
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import cast

from bench.bundle.variants import choose
from bench.errors import MissingRuntimeError
from bench.runtimes import examples
from bench.runtimes.examples import Example
from bench.runtimes.protocol import Runtime

# A process with these sends no usage data to the makers of onnxruntime, OpenVINO and NNCF: that would add a
# thread and try the network in the middle of a measurement. OpenVINO asks only whether it runs in CI.
NO_USAGE_DATA = {"ORT_DISABLE_TELEMETRY": "1", "CI": "true", "NNCF_CI": "1"}


@dataclass(frozen=True)
class RuntimeRow:
    """One format's runtime.

    `module` implements it; `needs` is the package it imports, and `extra` the extra that installs that;
    `provider` is where it runs unless the profile says otherwise; `control`: the file, beside this one, of
    the small fixed convolution workload that it can run, None if it has none; `reads_onnx`: it can run the
    workloads of calibration, which are ONNX files; `half_needs`: it computes fp16 artifacts in half precision
    on CPUs with one of these features, none if never; `example`: how it is used in a few lines.
    """

    module: str
    needs: str
    extra: str
    provider: str
    control: str | None = None
    reads_onnx: bool = False
    half_needs: tuple[str, ...] = ()
    example: Example | None = None

    @property
    def control_file(self) -> Path | None:
        """Where the control workload's file lies."""
        return None if self.control is None else Path(__file__).with_name(self.control)


# The first one that is installed runs the control workload. OpenVINO reads ONNX files too.
RUNTIMES = {
    "onnx": RuntimeRow(
        "bench.runtimes.run_onnx",
        "onnxruntime",
        "onnx",
        "CPUExecutionProvider",
        "control.onnx",
        reads_onnx=True,
        example=examples.ONNX,
    ),
    "openvino": RuntimeRow(
        "bench.runtimes.run_openvino",
        "openvino",
        "openvino",
        "CPU",
        "control.onnx",
        reads_onnx=True,
        half_needs=("asimdhp", "avx512_fp16"),
        example=examples.OPENVINO,
    ),
    "torchscript": RuntimeRow(
        "bench.runtimes.run_torchscript",
        "torch",
        "torchscript",
        "cpu",
        "control.pt",
        example=examples.TORCHSCRIPT,
    ),
}
NULL = RuntimeRow("bench.runtimes.run_null", "numpy", "", "none")
CONTROL_IMAGE_SIZE = 96


def control_format() -> str | None:
    """Return the format whose runtime runs the control workload here; None if no runtime is installed."""
    return next((name for name, row in RUNTIMES.items() if row.control and is_installed(row)), None)


def row_of(name: str) -> RuntimeRow:
    """Return the row of a format; `null` is the runtime that does nothing."""
    return NULL if name == "null" else RUNTIMES[choose(name, RUNTIMES, "format")]


def is_installed(row: RuntimeRow) -> bool:
    """Tell whether the row's package can be imported here, without importing it."""
    return importlib.util.find_spec(row.needs) is not None


def installed_version(row: RuntimeRow) -> str | None:
    """Return the version of the row's package without importing it; None if it is not installed."""
    if not is_installed(row):
        return None
    try:
        return metadata.version(row.needs)
    except metadata.PackageNotFoundError:  # onnxruntime-gpu, say, bears another name
        return "installed, version not told"


def load_runtime(name: str) -> Runtime:
    """Import a format's runtime; raises MissingRuntimeError with the command that installs it."""
    row = row_of(name)
    if not is_installed(row):
        raise MissingRuntimeError(missing_sentence(row))
    return import_runtime(row.module)


def import_runtime(module: str) -> Runtime:
    """Import the module of a row."""
    # NVIDIA's libraries else compute fp32 with 10 bits of mantissa (TF32): the label would not be what ran.
    os.environ.setdefault("NVIDIA_TF32_OVERRIDE", "0")
    return cast("Runtime", importlib.import_module(module))


def missing_sentence(row: RuntimeRow) -> str:
    """Say that a row's package is missing, and what installs it."""
    return f"{row.needs} is not installed here; install it with: pip install 'edgefit[{row.extra}]'"
