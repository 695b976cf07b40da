"""ncnn's .param and .bin on ncnn. It knows ncnn's options, and nothing of measuring."""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import ncnn
import numpy as np

from bench.bundle.model_graph import ModelGraph, operator_counts
from bench.bundle.signature import Array, Inputs, ModelDescription, Outputs, Signature, Tensor
from bench.bundle.tensor_pack import constant_inputs
from bench.bundle.variants import Precision
from bench.measurements import Executed
from bench.run_config import RunConfig
from bench.runtimes.executed_ncnn import (
    OPERATORS,
    SIZES_WITH_DEPTH,
    UNCOUNTED,
    Blob,
    NcnnLayer,
    UnreadableModelError,
    blobs_in,
    executed_by,
    layers_of,
    macs_of,
    open_net,
    weights_file,
)
from bench.runtimes.protocol import LoadOptions
from bench.system.cpus import cpus_here

# All are on by default: ncnn computes in half wherever the CPU can, also a model stored in float.
_HALF_OPTIONS = ("use_fp16_packed", "use_fp16_storage", "use_fp16_arithmetic")
_BFLOAT_OPTIONS = ("use_bf16_packed", "use_bf16_storage")
_TOKENS = "Embed"


class NcnnSession:
    """A loaded net. Each inference has an extractor of its own."""

    def __init__(self, entry: Path, net: ncnn.Net, in_half: bool) -> None:
        self._entry, self.net, self._in_half = entry, net, in_half
        self._inputs = list(zip(net.input_names(), _dtypes(net), strict=True))
        self._outputs = _output_names(net)

    def infer(self, inputs: Inputs) -> Outputs:
        """Return every output; inputs and outputs are copied."""
        extractor = self._fed(inputs)
        return [_array(name, *extractor.extract(name)) for name in self._outputs]

    def _fed(self, inputs: Inputs) -> ncnn.Extractor:
        extractor = self.net.create_extractor()
        for (name, dtype), values in zip(self._inputs, inputs, strict=True):
            extractor.input(name, _mat(np.ascontiguousarray(values, dtype)))  # ncnn ignores strides
        return extractor

    def executed(self, inputs: Inputs) -> Executed:
        """Read the file, and the blobs of one more inference."""
        layers = layers_of(self._entry)
        return executed_by(layers, self.blobs(layers, inputs), self._in_half)

    def blobs(self, layers: Sequence[NcnnLayer], inputs: Inputs) -> dict[int, Blob]:
        """Return what lies between the layers that multiply during one more inference."""
        return blobs_in(self._fed(inputs), layers)

    def device_bytes(self) -> None:
        """Return None: it runs on CPUs."""

    def close(self) -> None:
        """Release the net."""
        self.net.clear()


def _mat(values: Array) -> ncnn.Mat:
    """Return a copy of an array whose first axis is the batch. One item needs no call back into numpy."""
    if values.ndim > 1 and len(values) > 1:
        return ncnn.Mat(values, batch_index=0)
    # The clone is ncnn's own memory: a layer may compute in place.
    return ncnn.Mat(values[0] if values.ndim > 1 else values).clone()


def _array(name: str, status: int, mat: ncnn.Mat) -> Array:
    if status != 0:
        raise RuntimeError(
            f"ncnn cannot compute the output '{name}' (status {status}) of these inputs: their shapes or "
            "batch are not those that the network was converted for, or they need more memory than there is"
        )
    return np.array(mat.numpy())[np.newaxis] if mat.n == 1 else mat.numpy(batch_index=0)


def _output_names(net: ncnn.Net) -> list[str]:
    """Return the names of the outputs. pnnx numbers them, and the file has them in any order."""
    return sorted(net.output_names(), key=lambda name: (len(name), name))


def _dtypes(net: ncnn.Net) -> list[str]:
    """Return the types of the inputs: ncnn knows floats, and whole numbers that choose rows of a table."""
    layers, blobs = net.layers(), net.blobs()
    takers = [blobs[index].consumer for index in net.input_indexes()]
    return ["int32" if taker >= 0 and layers[taker].type == _TOKENS else "float32" for taker in takers]


def load(entry: Path, options: LoadOptions) -> NcnnSession:
    """Load a model, with every option for half precision off unless it is stored in half.

    Of an fp16 model all are on, as they are by default: then ncnn computes in half where the CPU can.
    """
    in_half = options.precision is Precision.FP16
    net = ncnn.Net()
    net.opt.num_threads = options.config.threads
    for name in _HALF_OPTIONS:
        setattr(net.opt, name, in_half)
    for name in _BFLOAT_OPTIONS:
        setattr(net.opt, name, False)
    open_net(entry, net)
    if net.load_model(str(weights_file(entry))) != 0:
        raise UnreadableModelError("its .bin does not have the weights of its layers")
    return NcnnSession(entry, net, in_half and bool(ncnn.cpu_support_arm_asimdhp()))


def describe(entry: Path) -> ModelDescription:
    """Read the file. It states shapes only if its author wrote them there, and never how large a batch is."""
    net = ncnn.Net()
    open_net(entry, net)
    layers = layers_of(entry)
    shapes = [_shape(layer) for layer in layers if layer.kind == "Input"]
    inputs = zip(net.input_names(), _dtypes(net), shapes, strict=True)
    return ModelDescription(
        signature=Signature(
            inputs=tuple(Tensor(name=name, dtype=dtype, shape=shape) for name, dtype, shape in inputs),
            outputs=tuple(Tensor(name=name, dtype="float32", shape=None) for name in _output_names(net)),
        ),
        precision=_precision(layers),
    )


def _shape(layer: NcnnLayer) -> tuple[int | str, ...] | None:
    """Return the shape that an input states, with an open axis for the batch."""
    sizes = [layer.settings.get(number, 0) for number in reversed(SIZES_WITH_DEPTH)]
    stated = tuple(size for size in sizes if size)
    return ("?", *stated) if stated else None


def _precision(layers: Iterable[NcnnLayer]) -> Precision:
    """Return the precision by the file: layers in int8, or most weights in half."""
    stored: Counter[str] = Counter()
    for layer in layers:
        if layer.is_in_int8:
            return Precision.INT8
        for weights in layer.weights:
            stored[weights.stored] += weights.count
    return Precision.FP16 if stored["fp16"] > stored["fp32"] else Precision.FP32


def read_graph(entry: Path, inputs: Sequence[Tensor] | None) -> ModelGraph:
    """Read the file; its multiply-accumulates follow from the shapes of the blobs of one inference."""
    layers = layers_of(entry)
    counts = Counter(layer.kind for layer in layers if layer.kind != "Input")
    macs = None if inputs is None else _macs(entry, layers, inputs)
    return ModelGraph(
        producer=None,
        ir_version=None,
        opsets=(),
        operators=operator_counts(counts, macs, UNCOUNTED),
        parameters=sum(weights.count for layer in layers for weights in layer.weights),
        precision=_precision(layers),
    )


def _macs(entry: Path, layers: Sequence[NcnnLayer], inputs: Sequence[Tensor]) -> Counter[str]:
    options = LoadOptions(RunConfig(threads=cpus_here().at_once, provider="cpu"))
    blobs = load(entry, options).blobs(layers, constant_inputs(inputs))
    macs: Counter[str] = Counter()
    for layer in layers:
        if layer.kind in OPERATORS:
            macs[layer.kind] += macs_of(layer, blobs)
    return macs


def version() -> str:
    """Return the runtime's name and version."""
    return f"ncnn {ncnn.__version__}"
