"""What ExecuTorch ran: the events that the runtime itself notes while a program runs (ETDump).

XNNPACK names each of its operators with the types that it computes in, such as `Fully Connected (NC, QS8,
QC8W) GEMM`. The events have no shapes: those are the file's, whose operators run in the same order.
"""

import re
from collections.abc import Sequence

from bench.bundle.flatbuffer import StoredTable, root_table
from bench.measurements import Executed, Operator
from bench.runtimes.executed import PRECISIONS
from bench.runtimes.program_executorch import Program
from bench.runtimes.xnnpack_graph import ProgramStep

_SIZE_PREFIX = 4
_RUN = "Execute"
_KERNEL = "native_call_"
# The operators that multiply, by how their names begin: XNNPACK's, and those of the program's own kernels.
_XNNPACK = ("Convolution", "Deconvolution", "Fully Connected", "Batch Matrix Multiply")
_KERNELS = tuple(f"{_KERNEL}{name}" for name in ("convolution.", "linear.", "mm.", "bmm.", "addmm."))
# The types stand in brackets behind the layout, that of the activations first: (NC, QD8, F32, QC8W).
_TYPES = re.compile(r"\((?:N[A-Z]*, )?P?(?P<type>[A-Z]+[0-9]+)")
_NUMBER = re.compile(r" #\d+$")
_INTEGER_TYPES = re.compile(r"Q[A-Z]+8")
_FLOATS = ("float32", "float16", "bfloat16", "float64")
_INTEGERS = ("int8", "uint8")


def executed_by(dump: bytes, program: Program) -> Executed:
    """Return what the last run of an ETDump executed of a program."""
    events = _events_of_last_run(dump)
    ran = [name for name in events if name.startswith((*_XNNPACK, *_KERNELS))]
    steps = [step for step in program.steps if step.multiplies]
    conversions = [step.converts for step in program.steps if step.converts is not None]
    return Executed(
        source="ExecuTorch's own events (ETDump)",
        operators=tuple(_operators(ran, steps)),
        casts=sum(a in _FLOATS and b in _FLOATS and a != b for a, b in conversions),
        quantise=sum(a in _FLOATS and b in _INTEGERS for a, b in conversions),
        dequantise=sum(a in _INTEGERS and b in _FLOATS for a, b in conversions),
    )


def _operators(ran: Sequence[str], steps: Sequence[ProgramStep]) -> list[Operator]:
    """Return what ran, with the shapes of the file's operators if there are as many of them."""
    known: Sequence[ProgramStep | None] = steps if len(steps) == len(ran) else [None] * len(ran)
    return [_operator(name, step) for name, step in zip(ran, known, strict=True)]


def _operator(name: str, step: ProgramStep | None) -> Operator:
    return Operator(
        name=name,
        operation=_NUMBER.sub("", name).removeprefix(_KERNEL),
        precision=_precision(name, step),
        macs=None if step is None else step.macs,
        elements=None if step is None else step.elements,
    )


def _precision(name: str, step: ProgramStep | None) -> str:
    """Return the precision by the operator's own name; of the program's own kernels by their tensors."""
    found = _TYPES.search(name)
    if found is None:
        dtype = "unknown" if step is None else step.dtype
        return PRECISIONS.get(dtype, dtype)
    if _INTEGER_TYPES.fullmatch(found["type"]):
        return "int8"
    return PRECISIONS.get(found["type"].lower(), found["type"].lower())


def _events_of_last_run(dump: bytes) -> list[str]:
    """Return the names of a run's events in their order: a delegate's own, or the runtime's."""
    runs = [run for run in root_table(dump, _SIZE_PREFIX).tables(1) if run.text(0) == _RUN]
    if not runs:
        return []
    profiled = (event.table(0) for event in runs[-1].tables(3))
    return [_name(event) for event in profiled if event is not None]


def _name(event: StoredTable) -> str:
    return event.text(4) or event.text(0)
