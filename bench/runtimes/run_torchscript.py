"""TorchScript on torch. It knows torch's options, and nothing of precisions or of measuring."""

import warnings
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from bench.bundle.variants import Precision
from bench.errors import MissingRuntimeError
from bench.measurements import Executed
from bench.runtimes.executed_torchscript import executed_by
from bench.runtimes.protocol import LoadOptions
from bench.runtimes.quantised_engines import engine_incompatibility, portable_engine
from bench.system.accelerators import NvidiaMemory
from bench.system.host import read_host

_CUDA = "cuda"
_EXACT_ENGINE = "qnnpack"  # which adds in 32 bits, on x86 too


class TorchscriptSession:
    """A frozen module on one device."""

    def __init__(
        self,
        module: torch.jit.ScriptModule,
        device: torch.device,
        dtype: torch.dtype,
        memory: NvidiaMemory | None = None,
    ) -> None:
        self._module = module
        self._device = device
        self._dtype = dtype
        self._memory = memory

    def infer(self, batch: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Return logits [1, classes]."""
        with torch.inference_mode():
            answer = self._module(torch.from_numpy(batch).to(self._device, self._dtype))
            logits: npt.NDArray[np.float32] = answer.to("cpu", torch.float32).numpy()
        return logits

    def executed(self, batch: npt.NDArray[np.float32]) -> Executed:
        """Read the graph of the frozen module that `infer` runs."""
        return executed_by(self._module, batch.shape)

    def device_bytes(self) -> int | None:
        """Return how much more memory of the first NVIDIA GPU is in use than before loading."""
        return None if self._memory is None else self._memory.used_bytes()

    def close(self) -> None:
        """Release the module."""
        del self._module


def load(entry: Path, options: LoadOptions) -> TorchscriptSession:
    """Load a module, make its weights float, freeze it and let torch fuse what it can.

    Weights stored in half precision are computed in float, but for CUDA devices: half arithmetic on an x86
    CPU is 25 times slower. `optimize_for_inference` cannot be saved, so it belongs to loading, and load time
    counts it.
    """
    torch.set_num_threads(options.config.threads)
    device = torch.device(options.config.provider)
    _refuse_device(device, options)
    _set_engine(options)
    memory = NvidiaMemory() if device.type == _CUDA else None
    dtype = torch.float16 if options.precision is Precision.FP16 and device.type == _CUDA else torch.float32
    module = torch.jit.load(str(entry), map_location=device).eval()  # type: ignore[no-untyped-call]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        if not _is_quantised(options):
            module = torch.jit.optimize_for_inference(torch.jit.freeze(module.to(dtype)))
        else:
            module = torch.jit.freeze(module)
    return TorchscriptSession(module, device, dtype, memory)


def _refuse_device(device: torch.device, options: LoadOptions) -> None:
    """Raise MissingRuntimeError if the device is missing, or has no kernels for the artifact."""
    if device.type == _CUDA and not torch.cuda.is_available():
        raise MissingRuntimeError(f"this torch ({torch.__version__}) finds no CUDA device on this machine")
    if device.type == _CUDA and _is_quantised(options):
        raise MissingRuntimeError("int8 TorchScript runs only on CPUs")


def _is_quantised(options: LoadOptions) -> bool:
    return options.precision is Precision.INT8 or options.engine is not None


def _set_engine(options: LoadOptions) -> None:
    if not _is_quantised(options):
        return
    engine = _EXACT_ENGINE if options.exact else _engine_here(options)
    if engine not in torch.backends.quantized.supported_engines:
        raise MissingRuntimeError(
            f"the artifact needs the quantised engine '{engine}', which this torch does not have"
        )
    torch.backends.quantized.engine = engine


def _engine_here(options: LoadOptions) -> str:
    """Return the engine that an artifact was made for; for a portable artifact, this machine's."""
    host = read_host()
    features = frozenset(host.cpu_features)
    engine = options.engine or portable_engine(host.architecture)
    if engine is None:
        raise MissingRuntimeError(f"torch has no quantised engine for {host.architecture}")
    reason = engine_incompatibility(engine, host.architecture, features, options.foreign_engine)
    if reason is not None:
        raise MissingRuntimeError(f"{reason}; export the bundle again for this CPU")
    return engine


def version() -> str:
    """Return the runtime's name and version."""
    return f"torch {torch.__version__}"
