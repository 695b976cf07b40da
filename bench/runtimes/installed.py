"""What can be done with the rows of formats.py here: which runtimes are installed, and loading them."""

import importlib
import importlib.util
import os
from importlib import metadata

from bench.bundle.variants import choose
from bench.errors import MissingRuntimeError
from bench.runtimes.formats import FORMATS, NULL, FormatRow
from bench.runtimes.protocol import Runtime

# A process with these sends no usage data to the makers of onnxruntime, OpenVINO and NNCF: that would add a
# thread and try the network in the middle of a measurement. OpenVINO asks only whether it runs in CI.
NO_USAGE_DATA = {"ORT_DISABLE_TELEMETRY": "1", "CI": "true", "NNCF_CI": "1"}


CONTROL_IMAGE_SIZE = 96


def control_format() -> str | None:
    """Return the format whose runtime runs the control workload here; None if no runtime is installed.

    A small runtime is preferred to a large one.
    """
    rows = sorted(FORMATS.items(), key=lambda item: item[1].is_large)
    return next((name for name, row in rows if row.control and is_installed(row)), None)


def row_of(name: str) -> FormatRow:
    """Return the row of a format; `null` is the runtime that does nothing."""
    return NULL if name == "null" else FORMATS[choose(name, FORMATS, "format")]


def is_installed(row: FormatRow) -> bool:
    """Return whether the row's package can be imported, without importing it."""
    return importlib.util.find_spec(row.needs) is not None


def installed_version(row: FormatRow) -> str | None:
    """Return the version of the row's package without importing it; None if it is not installed."""
    if not is_installed(row):
        return None
    try:
        return metadata.version(row.needs)
    except metadata.PackageNotFoundError:  # onnxruntime-gpu, for example, has another name
        return "installed, unknown version"


def load_runtime(name: str) -> Runtime:
    """Import a format's runtime; raises MissingRuntimeError with the command that installs it."""
    row = row_of(name)
    if not is_installed(row):
        raise MissingRuntimeError(missing_sentence(row))
    return import_runtime(row.module)


def import_runtime(module: str) -> Runtime:
    """Import a runtime's module; raises TypeError if the module is not a runtime."""
    # Otherwise NVIDIA's libraries compute fp32 with 10 bits of mantissa (TF32), and the label would be wrong.
    os.environ.setdefault("NVIDIA_TF32_OVERRIDE", "0")
    runtime: object = importlib.import_module(module)
    if not isinstance(runtime, Runtime):
        raise TypeError(f"{module} is not a runtime: it must define load(entry, options) and version()")
    return runtime


def missing_sentence(row: FormatRow) -> str:
    """Return a sentence that a row's package is missing, with the command that installs it."""
    return f"{row.needs} is not installed here; install it with: {row.install_hint}"
