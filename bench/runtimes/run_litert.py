"""LiteRT (TensorFlow Lite) on a CPU. It knows LiteRT's options, and nothing of measuring.

LiteRT hands what it can to XNNPACK, which computes it with fast kernels for each CPU. Without `num_threads`
it uses one thread whatever the machine has.
"""

from collections.abc import Sequence
from pathlib import Path

import ai_edge_litert
import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from bench.bundle.model_graph import ModelGraph
from bench.bundle.signature import Inputs, ModelDescription, Outputs, Tensor
from bench.errors import MissingRuntimeError
from bench.measurements import Executed
from bench.run_config import RunConfig
from bench.runtimes.executed_litert import RunTensor, executed_by, run_operators
from bench.runtimes.graph_litert import describe_file, model_graph_of, read_file_graph
from bench.runtimes.protocol import LoadOptions
from bench.runtimes.refused_litert import refusal

CPU = "cpu"
# A recurrent layer remembers what it has seen, until it is told to forget it.
_RECURRENT = ("LSTM", "RNN", "SVDF")


class LitertSession:
    """An interpreter with its tensors."""

    def __init__(self, entry: Path, options: LoadOptions) -> None:
        self._entry, self._options = entry, options
        self._interpreter = _open(entry, options)
        self._inputs = [each["index"] for each in self._interpreter.get_input_details()]
        self._outputs = [each["index"] for each in self._interpreter.get_output_details()]
        self._is_recurrent = any(kind.endswith(_RECURRENT) for kind in _kinds(self._interpreter))

    def infer(self, inputs: Inputs) -> Outputs:
        """Return every output; the inputs are copied in and the outputs copied out.

        Each inference begins anew: a recurrent network forgets the one before.
        """
        interpreter = self._interpreter
        if self._is_recurrent:
            interpreter.reset_all_variables()
        for index, values in zip(self._inputs, inputs, strict=True):
            interpreter.set_tensor(index, values)
        interpreter.invoke()
        return [interpreter.get_tensor(index) for index in self._outputs]

    def executed(self, inputs: Inputs) -> Executed:  # noqa: ARG002 - the protocol's
        """Read the graph of a second interpreter: listing its tensors leaves the timed one as it is."""
        twin = _open(self._entry, self._options)
        file = read_file_graph(self._entry)
        constants = {tensor.index for tensor in file.tensors if tensor.is_constant}
        tensors = {
            each["index"]: RunTensor(
                name=each["name"],
                dtype=np.dtype(each["dtype"]).name,
                shape=tuple(map(int, each["shape"])),
                is_constant=each["index"] in constants,
            )
            for each in twin.get_tensor_details()
        }
        return executed_by(run_operators(twin._get_ops_details()), tensors)

    def device_bytes(self) -> int | None:
        """Return None: a CPU has no memory of its own."""
        return None

    def close(self) -> None:
        """Release the interpreter."""
        del self._interpreter


def load(entry: Path, options: LoadOptions) -> LitertSession:
    """Load a model on the CPU."""
    if options.config.provider != CPU:
        raise MissingRuntimeError(f"LiteRT runs on {CPU} alone here, not on {options.config.provider}")
    return LitertSession(entry, options)


def _open(entry: Path, options: LoadOptions) -> Interpreter:
    """Return an interpreter that is ready to run.

    No kernel's sums of int8 saturate, neither XNNPACK's nor LiteRT's own; `exact` takes LiteRT's own, so that
    int8 is verified with both.
    """
    kernels = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES if options.exact else OpResolverType.AUTO
    try:
        interpreter = Interpreter(
            model_path=str(entry), num_threads=options.config.threads, experimental_op_resolver_type=kernels
        )
        for tensor, detail in zip(options.inputs, interpreter.get_input_details(), strict=False):
            if tuple(detail["shape"]) != tensor.sizes:
                interpreter.resize_tensor_input(detail["index"], tensor.sizes)
        interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        raise refusal(str(error), version()) or error from None
    return interpreter


def _kinds(interpreter: Interpreter) -> list[str]:
    """Return the names of the operators. Listing them with their tensors would take longer."""
    wrapper = interpreter._interpreter
    return [wrapper.NodeName(index) for index in range(wrapper.NumNodes())]


def describe(entry: Path) -> ModelDescription:
    """Read the file without loading it."""
    return describe_file(entry)


def read_graph(entry: Path, inputs: Sequence[Tensor] | None) -> ModelGraph:
    """Read the file's graph; its multiply-accumulates follow from the shapes of its tensors."""
    graph = read_file_graph(entry)
    if inputs is None:
        return model_graph_of(graph, None)
    if [tensor.shape for tensor in inputs] == [tensor.shape for tensor in graph.inputs]:
        return model_graph_of(graph, {tensor.index: tensor.shape for tensor in graph.tensors})
    config = RunConfig(threads=1, provider=CPU)
    laid_out = _open(entry, LoadOptions(config=config, exact=True, inputs=tuple(inputs)))
    details = laid_out.get_tensor_details()
    return model_graph_of(graph, {each["index"]: tuple(map(int, each["shape"])) for each in details})


def version() -> str:
    """Return the runtime's name and version."""
    return f"litert {ai_edge_litert.__version__}"
