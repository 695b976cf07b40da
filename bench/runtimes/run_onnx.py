"""ONNX on onnxruntime. It knows onnxruntime's options and providers, and nothing of measuring."""

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import onnxruntime

from bench.bundle.model_graph import ModelGraph, onnx_model_graph
from bench.bundle.onnx_graph import read_onnx, read_onnx_graph
from bench.bundle.onnx_weights import onnx_weights
from bench.bundle.signature import Inputs, ModelDescription, Outputs, Signature, Tensor
from bench.bundle.tensor_pack import constant_inputs
from bench.bundle.variants import Precision
from bench.errors import FellBackError, MissingRuntimeError
from bench.measurements import Executed
from bench.run_config import RunConfig
from bench.runtimes.executed_onnx import executed_by
from bench.runtimes.protocol import LoadOptions
from bench.runtimes.providers import place_of
from bench.runtimes.tensorrt_engines import TENSORRT, engine_folder
from bench.system.accelerators import NvidiaMemory, has_nvidia_gpu
from bench.system.cpus import cpus_here

_ERRORS_ONLY = 3
_CPU = "CPUExecutionProvider"
_NVIDIA = ("cuda", TENSORRT)


class OnnxSession:
    """An onnxruntime session on one execution provider."""

    def __init__(self, entry: Path, options: LoadOptions) -> None:
        self._entry, self._options = entry, options
        self._memory = NvidiaMemory() if place_of(options.config.provider) in _NVIDIA else None
        self._session = _open(entry, options, profiled=False)
        self._names = [each.name for each in self._session.get_inputs()]

    def infer(self, inputs: Inputs) -> Outputs:
        """Return every output; the inputs are given as they are."""
        outputs: Outputs = self._session.run(None, dict(zip(self._names, inputs, strict=True)))
        return outputs

    def executed(self, inputs: Inputs) -> Executed:
        """Profile one inference in a second session, because the timed session cannot be profiled."""
        twin = _open(self._entry, self._options, profiled=True)
        twin.run(None, dict(zip(self._names, inputs, strict=True)))
        profile = Path(twin.end_profiling())
        try:
            return executed_by(profile, self._options.config.provider)
        finally:
            profile.unlink()

    def device_bytes(self) -> int | None:
        """Return how much more memory of the first NVIDIA GPU is in use than before loading."""
        return None if self._memory is None else self._memory.used_bytes()

    def close(self) -> None:
        """Release the session."""
        del self._session


def load(entry: Path, options: LoadOptions) -> OnnxSession:
    """Load a model on the requested provider; no other provider replaces it."""
    if options.config.provider not in onnxruntime.get_available_providers():
        raise MissingRuntimeError(f"this onnxruntime has no provider {options.config.provider}")
    if place_of(options.config.provider) in _NVIDIA and not has_nvidia_gpu():
        raise MissingRuntimeError(f"{options.config.provider} needs an NVIDIA GPU, and this machine has none")
    return OnnxSession(entry, options)


def _open(entry: Path, options: LoadOptions, profiled: bool) -> onnxruntime.InferenceSession:
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = options.config.threads
    settings.inter_op_num_threads = 1
    settings.log_severity_level = _ERRORS_ONLY
    settings.enable_profiling = profiled
    if options.exact:
        settings.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    if profiled:
        # Packed weights would not be inputs, so their shapes would be missing.
        settings.add_session_config_entry("session.disable_prepacking", "1")
    session = onnxruntime.InferenceSession(str(entry), settings, providers=[provider_of(entry, options)])
    ran_on = session.get_providers()[0]
    if ran_on != options.config.provider:
        raise FellBackError(f"onnxruntime could not use {options.config.provider}, and fell back to {ran_on}")
    return session


def provider_of(entry: Path, options: LoadOptions) -> tuple[str, dict[str, str]]:
    """Return the provider with its options: for TensorRT, the precisions that it may use.

    Its engines take minutes to build on a board, so they are kept: the first process of a case builds one,
    and load time is that of the others. onnxruntime tells engines apart by names and not by weights
    (microsoft/onnxruntime#6455), so each file has a folder of its own.
    """
    if place_of(options.config.provider) != TENSORRT:
        return options.config.provider, {}
    settings = {
        "trt_fp16_enable": str(options.precision is Precision.FP16),
        "trt_int8_enable": str(options.precision is Precision.INT8),
        "trt_engine_cache_enable": "True",
        "trt_engine_cache_path": str(engine_folder(entry)),
    }
    return options.config.provider, settings


def describe(entry: Path) -> ModelDescription:
    """Read the signature in a session without optimisation, and the precision in the file itself."""
    settings = onnxruntime.SessionOptions()
    settings.log_severity_level = _ERRORS_ONLY
    settings.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(str(entry), settings, providers=[_CPU])
    return ModelDescription(
        signature=Signature(
            inputs=tuple(map(_tensor, session.get_inputs())),
            outputs=tuple(map(_tensor, session.get_outputs())),
        ),
        precision=read_onnx_graph(entry).precision,
    )


def read_graph(entry: Path, inputs: Sequence[Tensor] | None) -> ModelGraph:
    """Read the file's graph; its multiply-accumulates are those of one inference without optimisation."""
    macs = None if inputs is None else _macs(entry, inputs)
    return onnx_model_graph(read_onnx_graph(entry), read_onnx(entry, onnx_weights), macs)


def _macs(entry: Path, inputs: Sequence[Tensor]) -> Counter[str]:
    """Return the multiply-accumulates of one inference by operator."""
    config = RunConfig(threads=cpus_here().at_once, provider=_CPU)
    options = LoadOptions(config=config, exact=True)
    macs: Counter[str] = Counter()
    for operator in OnnxSession(entry, options).executed(constant_inputs(inputs)).operators:
        macs[operator.operation] += operator.macs or 0
    return macs


# onnxruntime's names of element types that are not numpy's.
_DTYPES = {"float": "float32", "double": "float64", "string": "str"}
_TENSOR = re.compile(r"tensor\((\w+)\)")


def _tensor(node: onnxruntime.NodeArg) -> Tensor:
    """Return an input or output; its type is onnxruntime's own word if it is a sequence, a map or sparse."""
    match = _TENSOR.fullmatch(node.type)
    dtype = node.type if match is None else _DTYPES.get(match.group(1), match.group(1))
    shape = None if node.shape is None else tuple("?" if size is None else size for size in node.shape)
    return Tensor(name=node.name, dtype=dtype, shape=shape)


def version() -> str:
    """Return the runtime's name and version."""
    return f"onnxruntime {onnxruntime.__version__}"
