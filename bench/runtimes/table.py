"""The formats this harness can run, one row each. It loads a runtime only when asked for it."""

import importlib
import importlib.util
import os
from dataclasses import dataclass
from typing import cast

from bench.errors import MissingRuntimeError
from bench.runtimes.protocol import Runtime
from bench.variants import choose


@dataclass(frozen=True)
class RuntimeRow:
    """One format's runtime.

    `module` implements it; `needs` is the package it imports, and `extra` the extra that installs that;
    `provider` is where it runs unless the profile says otherwise.
    """

    module: str
    needs: str
    extra: str
    provider: str


RUNTIMES = {
    "torchscript": RuntimeRow("bench.runtimes.run_torchscript", "torch", "torchscript", "cpu"),
    "onnx": RuntimeRow("bench.runtimes.run_onnx", "onnxruntime", "onnx", "CPUExecutionProvider"),
    "openvino": RuntimeRow("bench.runtimes.run_openvino", "openvino", "openvino", "CPU"),
}
NULL = RuntimeRow("bench.runtimes.run_null", "numpy", "", "none")


def row_of(name: str) -> RuntimeRow:
    """Return the row of a format; `null` is the runtime that does nothing."""
    return NULL if name == "null" else RUNTIMES[choose(name, RUNTIMES, "format")]


def is_installed(row: RuntimeRow) -> bool:
    """Tell whether the row's package can be imported here, without importing it."""
    return importlib.util.find_spec(row.needs) is not None


def load_runtime(name: str) -> Runtime:
    """Import a format's runtime; raises MissingRuntimeError with the command that installs it."""
    row = row_of(name)
    if not is_installed(row):
        raise MissingRuntimeError(missing_sentence(row))
    # Telemetry would add a thread and try the network in the middle of a measurement.
    os.environ.setdefault("OPENVINO_TELEMETRY_OPT_OUT", "1")
    return cast("Runtime", importlib.import_module(row.module))


def missing_sentence(row: RuntimeRow) -> str:
    """Say that a row's package is missing, and what installs it."""
    return f"{row.needs} is not installed here; install it with: pip install 'edgefit[{row.extra}]'"
