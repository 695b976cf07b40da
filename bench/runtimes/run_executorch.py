"""ExecuTorch programs on its runtime, with XNNPACK. It knows the runtime's options, and nothing of measuring.

Its Python extension needs the libraries of torch, and nothing else of it. The wrapper that the documentation
imports, portable_lib, loads the exporter as well: 130 MiB of memory, and seconds.
"""

import math
import tempfile
from collections import Counter
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

import numpy as np
import torch
from executorch.extension.pybindings import _C

from bench.bundle.model_graph import ModelGraph, operator_counts
from bench.bundle.signature import Array, Inputs, ModelDescription, Outputs, Signature, Tensor
from bench.bundle.variants import Precision
from bench.errors import MissingRuntimeError
from bench.measurements import Executed
from bench.runtimes.executed_executorch import executed_by
from bench.runtimes.program_executorch import METHOD, Program, read_program
from bench.runtimes.protocol import LoadOptions
from bench.runtimes.xnnpack_graph import StoredValue

_INTEGERS = ("int8", "uint8", "int4")


class UnloadableProgramError(Exception):
    """A program that the runtime refuses, for which it gives a number."""

    def __init__(self, error: RuntimeError) -> None:
        super().__init__(
            f"{version()} cannot load the program ({error}): it is damaged, was written by another version, "
            "or needs an operator or a type that is missing here; export it again, with this version"
        )


class ExecutorchSession:
    """A loaded program and its method `forward`."""

    def __init__(self, entry: Path) -> None:
        self._entry = entry
        try:
            self._program = _load(entry)
            self._method = self._program.load_method(METHOD)
        except RuntimeError as error:
            _refuse_missing_backend(entry)
            raise UnloadableProgramError(error) from None

    def infer(self, inputs: Inputs) -> Outputs:
        """Return every output; they are copied out of the program's memory."""
        outputs = self._method.call([torch.from_numpy(values) for values in inputs])
        return [_to_numpy(output) for output in outputs]

    def executed(self, inputs: Inputs) -> Executed:
        """Run the file once more, in a program of its own that notes its events."""
        program = _load(self._entry, notes_events=True)
        program.load_method(METHOD).call([torch.from_numpy(values) for values in inputs])
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "events.etdp"
            program.write_etdump_result_to_file(str(path), None)
            return executed_by(path.read_bytes(), read_program(self._entry))

    def device_bytes(self) -> int | None:
        """Return None: it runs on the CPU."""
        return None

    def close(self) -> None:
        """Release the program."""
        del self._method, self._program


def _load(entry: Path, notes_events: bool = False) -> _C.ExecuTorchProgram:
    return _C._load_program(
        str(entry),
        enable_etdump=notes_events,
        program_verification=_C.Verification.InternalConsistency,
    )


def load(entry: Path, options: LoadOptions) -> ExecutorchSession:
    """Load a program. Without a number of threads, it would take one for each core of the machine.

    XNNPACK adds int8 products in 32 bits on every CPU, so that `options.exact` changes nothing.
    """
    _C._unsafe_reset_threadpool(options.config.threads)
    return ExecutorchSession(entry)


def _refuse_missing_backend(entry: Path) -> None:
    """Raise MissingRuntimeError if a program needs a backend that is not here. Reading it takes memory."""
    for backend in read_program(entry).backends:
        if not _C._is_available(backend):
            raise MissingRuntimeError(
                f"the program needs the backend '{backend}', which {version()} does not have here; "
                "export it for XNNPACK"
            )


def _to_numpy(output: torch.Tensor | float) -> Array:
    if not isinstance(output, torch.Tensor):
        return np.asarray(output)
    array: Array = (output.float() if output.dtype is torch.bfloat16 else output).numpy()
    return array


def describe(entry: Path) -> ModelDescription:
    """Read the file. A program has no names for its inputs and outputs."""
    program = read_program(entry)
    return ModelDescription(
        signature=Signature(
            inputs=tuple(_tensor(f"input_{index}", value) for index, value in enumerate(program.inputs)),
            outputs=tuple(_tensor(f"output_{index}", value) for index, value in enumerate(program.outputs)),
        ),
        precision=_precision(program),
    )


def _tensor(name: str, value: StoredValue | str) -> Tensor:
    if isinstance(value, str):
        return Tensor(name=name, dtype=f"{value}, no tensor", shape=None)
    return Tensor(name=name, dtype=value.dtype, shape=value.shape)


def read_graph(entry: Path, inputs: Sequence[Tensor] | None) -> ModelGraph:
    """Read the file's operators. Their shapes are in the file, whatever the inputs are."""
    program = read_program(entry)
    macs: Counter[str] = Counter()
    for step in program.steps:
        macs[step.kind] += step.macs or 0
    return ModelGraph(
        producer=None,
        ir_version=None,
        opsets=(),
        operators=operator_counts(
            Counter(step.kind for step in program.steps),
            None if inputs is None else {kind: count for kind, count in macs.items() if count},
            frozenset(step.kind for step in program.steps if step.macs is None),
        ),
        parameters=sum(math.prod(value.shape) for value in program.constants if value.shape),
        precision=_precision(program),
    )


def _precision(program: Program) -> Precision:
    """Return the precision by the graph: 8-bit weights make it int8, arithmetic in half makes it fp16."""
    if any(value.dtype in _INTEGERS for value in program.constants):
        return Precision.INT8
    macs: Counter[str] = Counter()
    for step in program.steps:
        macs[step.dtype] += step.macs or 0
    return Precision.FP16 if macs["float16"] > macs["float32"] else Precision.FP32


def version() -> str:
    """Return the runtime's name and version."""
    return f"executorch {metadata.version('executorch')}"
