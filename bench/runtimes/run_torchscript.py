"""TorchScript on torch. It knows torch's options, and nothing of precisions or of measuring."""

import re
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch

from bench.bundle.model_graph import ModelGraph
from bench.bundle.signature import UNKNOWN_DTYPE, Array, Inputs, ModelDescription, Outputs, Signature, Tensor
from bench.bundle.tensor_pack import constant_inputs
from bench.bundle.variants import Precision
from bench.errors import MissingRuntimeError
from bench.measurements import Executed
from bench.runtimes.executed_torchscript import executed_by
from bench.runtimes.graph_torchscript import graph_of
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

    def infer(self, inputs: Inputs) -> Outputs:
        """Return every output; floats are computed in the session's own type."""
        with torch.inference_mode():
            answer = self._module(*[self._on_device(values) for values in inputs])
            if isinstance(answer, torch.Tensor):
                return [_to_numpy(answer)]
            return [_to_numpy(tensor) for tensor in _tensors_in(answer)]

    def _on_device(self, values: Array) -> torch.Tensor:
        tensor = torch.from_numpy(values)
        is_converted = tensor.is_floating_point() and tensor.dtype is not torch.float64
        return tensor.to(self._device, self._dtype if is_converted else tensor.dtype)

    def executed(self, inputs: Inputs) -> Executed:
        """Read the graph of the frozen module that `infer` runs."""
        return executed_by(self._module, [values.shape for values in inputs])

    def device_bytes(self) -> int | None:
        """Return how much more memory of the first NVIDIA GPU is in use than before loading."""
        return None if self._memory is None else self._memory.used_bytes()

    def close(self) -> None:
        """Release the module."""
        del self._module


def _to_numpy(tensor: torch.Tensor | float | str) -> Array:
    if not isinstance(tensor, torch.Tensor):
        return np.asarray(tensor)
    array: Array = (tensor.to("cpu", torch.float32) if tensor.is_floating_point() else tensor.cpu()).numpy()
    return array


def _tensors_in(answer: object) -> Iterator[torch.Tensor | float | str]:
    """Yield the values of an answer that is a tuple, a list or a dictionary of them, to any depth."""
    if isinstance(answer, torch.Tensor | bool | int | float | str):
        yield answer
    elif isinstance(answer, tuple | list):
        for part in answer:
            yield from _tensors_in(part)
    elif isinstance(answer, dict):
        yield from _tensors_in(list(answer.values()))
    elif answer is not None:
        raise TypeError(
            f"the module returns a {type(answer).__name__}; edgefit measures modules that return tensors, "
            "numbers, texts, and tuples, lists or dictionaries of them"
        )


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
            module = torch.jit.optimize_for_inference(torch.jit.freeze(_converted(module, dtype)))
        else:
            module = torch.jit.freeze(module)
    return TorchscriptSession(module, device, dtype, memory)


def _converted(module: torch.jit.ScriptModule, dtype: torch.dtype) -> torch.jit.ScriptModule:
    """Return a module whose weights are of `dtype`. One in double precision stays as it is."""
    stored = {tensor.dtype for tensor in module.state_dict().values() if tensor.is_floating_point()}
    return module if stored <= {torch.float64} else module.to(dtype)


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


def describe(entry: Path) -> ModelDescription:
    """Read the graph. TorchScript states neither shapes nor types of its tensors, so both are open.

    Arguments that have a default are not given. One that is no tensor keeps torch's word for its type.
    """
    module = torch.jit.load(str(entry), map_location="cpu").eval()  # type: ignore[no-untyped-call]
    return ModelDescription(
        signature=Signature(
            inputs=tuple(
                Tensor(name=_name(argument.name), dtype=_dtype(str(argument.type)), shape=None)
                for argument in module.forward.schema.arguments[1:]
                if not argument.has_default_value()
            ),
            outputs=(),
        ),
        precision=_precision(module),
    )


def read_graph(entry: Path, inputs: Sequence[Tensor] | None) -> ModelGraph:
    """Read the module's graph; its multiply-accumulates are those of one inference."""
    module = torch.jit.load(str(entry), map_location="cpu").eval()  # type: ignore[no-untyped-call]
    precision = _precision(module)
    if precision is Precision.FP16:
        module = module.float()
    return graph_of(module, precision, None if inputs is None else constant_inputs(inputs))


def _precision(module: torch.jit.ScriptModule) -> Precision:
    """Return the precision by the graph: quantised operators, or most weights in half."""
    if any(node.kind().startswith("quantized::") for node in module.inlined_graph.nodes()):
        return Precision.INT8
    sizes: Counter[torch.dtype] = Counter()
    for tensor in module.state_dict().values():
        sizes[tensor.dtype] += tensor.numel()
    return Precision.FP16 if sizes[torch.float16] > sizes[torch.float32] else Precision.FP32


def _dtype(torch_type: str) -> str:
    return UNKNOWN_DTYPE if torch_type == "Tensor" else f"{torch_type}, no tensor"


def _name(debug_name: str) -> str:
    """Return an argument's name without the number that tells values of one name apart: `x.1` is `x`."""
    return re.sub(r"\.\d+$", "", debug_name)


def version() -> str:
    """Return the runtime's name and version."""
    return f"torch {torch.__version__}"
