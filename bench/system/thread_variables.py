"""Variables of the environment that decide with which threads and kernels a library computes.

People leave them in their shells after tuning, and a measurement would depend on who measures. So a worker
gets none of `PREFIXES` unless the user keeps them. It always gets those of `INHERITED`.
"""

import os
import shlex
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType

from bench.record import Record

PREFIXES: Mapping[str, str] = MappingProxyType(
    {
        "OMP_": "OpenMP, in torch and ncnn: how many threads, on which CPUs, and how they wait",
        "GOMP_": "GNU OpenMP, in torch and ncnn: on which CPUs its threads run, and how long they spin",
        "KMP_": "LLVM's and Intel's OpenMP: on which CPUs its threads run, and how long they spin",
        "OPENBLAS_": "OpenBLAS, in numpy and torch: its threads, and the CPU whose kernels it uses",
        "GOTO_NUM_THREADS": "OpenBLAS: its threads, by an older name",
        "BLIS_": "BLIS: its threads, and the CPU whose kernels it uses",
        "MKL_": "Intel's MKL, in torch: its threads, and the instructions that it may use",
        "VECLIB_": "Apple's Accelerate: its threads",
        "NUMEXPR_": "numexpr: its threads",
        "ONEDNN_": "oneDNN, in torch, OpenVINO and onnxruntime: the instructions that it may use",
        "DNNL_": "oneDNN, by an older name",
        "MKLDNN_": "oneDNN, by its oldest name",
        "ATEN_CPU_CAPABILITY": "torch: the instructions that its own kernels may use",
        "PYTORCH_JIT": "torch: whether TorchScript is compiled",
        "PYTORCH_TENSOREXPR": "torch: how TorchScript is compiled",
        "PYTORCH_CUDA_ALLOC_CONF": "torch: how it takes an accelerator's memory",
        "PYTORCH_NO_CUDA_MEMORY_CACHING": "torch: how it takes an accelerator's memory",
        "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE": "torch: whether NVIDIA's libraries round fp32 to TF32",
        "NVIDIA_TF32_OVERRIDE": "NVIDIA's libraries: whether they round fp32 to TF32",
        "CUBLAS_": "NVIDIA's matrix library: its kernels",
        "ORT_CUDA_": "onnxruntime: its kernels on NVIDIA's GPUs",
        "ORT_TENSORRT_": "onnxruntime with TensorRT: the precision that runs, and cached engines",
        "OV_": "OpenVINO: its plugins' own settings",
        "OPENVINO_": "OpenVINO: its log, and its plugins' own settings",
    }
)
"""What a worker does not get, by how the name begins, with what it sets."""

# scikit-learn and threadpoolctl set these in every process that imports them, whatever the user's shell has.
# They decide nothing of what is measured: whether two OpenMPs may be loaded, and what is set up after a fork.
_OF_LIBRARIES = frozenset(("KMP_DUPLICATE_LIB_OK", "KMP_INIT_AT_FORK"))

INHERITED: Mapping[str, str] = MappingProxyType(
    {
        "LD_PRELOAD": "libraries that are loaded first, such as an allocator; some boards need it",
        "GLIBC_TUNABLES": "the C library: its allocator, and the instructions that it may use",
        "MALLOC_": "the C library's allocator, or jemalloc",
        "_RJEM_MALLOC_CONF": "jemalloc",
        "TCMALLOC_": "tcmalloc",
        "MIMALLOC_": "mimalloc",
    }
)
"""What a worker gets all the same, for it decides how a process starts and allocates memory."""


PINNING = frozenset({"OMP_PROC_BIND", "OMP_PLACES", "GOMP_CPU_AFFINITY", "KMP_AFFINITY"})
"""The variables with which a library pins the process that loads it, and so all that this process starts."""


class SetVariable(Record):
    """A variable of the environment that changes how libraries compute or allocate."""

    name: str
    """Its name."""
    value: str
    """Its value."""
    kept: bool
    """Whether the measured processes had it; if false, they ran without it."""

    @property
    def assignment(self) -> str:
        """The variable as a shell sets it."""
        return f"{self.name}={shlex.quote(self.value)}"


def set_variables(environment: Mapping[str, str], keep: bool = False) -> tuple[SetVariable, ...]:
    """Return the variables of an environment that change how libraries compute, sorted by name.

    `keep`: whether a worker gets all of them.
    """
    return tuple(
        SetVariable(name=name, value=value, kept=keep or _begins(name, INHERITED))
        for name, value in sorted(environment.items())
        if value and (_is_cleared(name) or _begins(name, INHERITED))
    )


def without_thread_variables(environment: Mapping[str, str]) -> dict[str, str]:
    """Return an environment without the variables that a worker does not get."""
    return {name: value for name, value in environment.items() if not _is_cleared(name)}


def kept_assignments(variables: Iterable[SetVariable]) -> str:
    """Return the variables that the workers have, as a shell sets them."""
    return " ".join(variable.assignment for variable in variables if variable.kept)


def kept_environment(assignments: str) -> dict[str, str]:
    """Return what `kept_assignments` returned as part of an environment."""
    return {name: value for name, _, value in (each.partition("=") for each in shlex.split(assignments))}


def sentence_on_cleared(variables: Iterable[SetVariable], has_option: bool = True) -> str | None:
    """Say which variables edgefit's processes do not get; None if there is none.

    `has_option`: whether the command has an option to keep them.
    """
    cleared = [variable.assignment for variable in variables if not variable.kept]
    if not cleared:
        return None
    remedy = "; --keep-environment keeps it" if has_option else ""
    return (
        f"the environment sets {', '.join(cleared)}: edgefit's processes run without, so that the result "
        f"does not depend on it{remedy}"
    )


@contextmanager
def withheld(names: Iterable[str]) -> Iterator[list[str]]:
    """Remove variables from this process's environment for a while; yield the names of those that were set.

    A library reads them when it is loaded.
    """
    values = {name: os.environ.pop(name) for name in sorted(names) if name in os.environ}
    try:
        yield list(values)
    finally:
        os.environ.update(values)


def _is_cleared(name: str) -> bool:
    return _begins(name, PREFIXES) and name not in _OF_LIBRARIES


def _begins(name: str, prefixes: Iterable[str]) -> bool:
    return name.startswith(tuple(prefixes))
