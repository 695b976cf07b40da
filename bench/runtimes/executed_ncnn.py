"""What an ncnn model holds, layer by layer, and what its layers computed in, as far as ncnn shows it.

ncnn has no report of what it ran. Layers and weights are those of the file, as ncnn's own loader asks for
them; shapes and bits are those of the blobs that one inference leaves between the layers.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path

import ncnn

from bench.measurements import Executed, Operator
from bench.runtimes.executed import convolution_macs, matrix_macs, moved, transposed_convolution_macs

# Layers that multiply, by their names in the file.
_PLAIN = ("Convolution", "Convolution1D", "Convolution3D")
_DEPTHWISE = ("ConvolutionDepthWise", "ConvolutionDepthWise1D", "ConvolutionDepthWise3D")
_TRANSPOSED = tuple(kind.replace("Conv", "Deconv") for kind in (*_PLAIN, *_DEPTHWISE))
CONVOLUTIONS = (*_PLAIN, *_DEPTHWISE, *_TRANSPOSED)
LINEAR, PRODUCT, ATTENTION = "InnerProduct", "Gemm", "MultiHeadAttention"
_MATRIX, _SCALED_PRODUCT = "MatMul", "SDPA"
OPERATORS = frozenset((*CONVOLUTIONS, LINEAR, PRODUCT, _MATRIX, ATTENTION, _SCALED_PRODUCT))
UNCOUNTED = frozenset(("LSTM", "GRU", "RNN", "Einsum", "DeformableConv2D"))

# The setting that makes a layer compute in int8.
_QUANTISED = {"Convolution": 8, "ConvolutionDepthWise": 8, LINEAR: 8, PRODUCT: 18, ATTENTION: 18}
# An input's settings for its sizes, the last axis first.
SIZES, SIZES_WITH_DEPTH = (0, 1, 2), (0, 1, 11, 2)
_CASTS, _QUANTISE, _DEQUANTISE = "Cast", "Quantize", "Dequantize"
_SETTING = re.compile(r"(\d+)=(-?\d+)")
_HALF_BITS = 16
_RAW = 1  # an extraction's type: the blob as it is, neither unpacked nor converted to float

# What stands before tagged weights in the .bin: how they are stored.
TAG_BYTES = 4
HALF_TAG = 0x01306B47
_INT8_TAG, _FLOAT_TAGS = 0x000D4B38, (0, 0x0002C056)
_TABLE_BYTES = 1024


class UnreadableModelError(Exception):
    """A .param or .bin that is damaged, of another model or of a newer ncnn."""


@dataclass(frozen=True)
class StoredWeights:
    """Weights of a layer, as the file has them."""

    count: int
    """How many there are."""
    stored: str
    """fp32, fp16 or int8; `table` if each is a number of one of 256 values."""
    start: int
    """The byte of the .bin at which they begin, behind their tag."""
    is_tagged: bool
    """Whether a tag says how they are stored; others are fp32."""


@dataclass(frozen=True)
class NcnnLayer:
    """A layer of the file."""

    kind: str
    """ncnn's name of its kind."""
    name: str
    """Its name."""
    inputs: tuple[int, ...]
    """The indices of the blobs that it takes."""
    outputs: tuple[int, ...]
    """The indices of the blobs that it gives."""
    settings: Mapping[int, int]
    """Its settings that are whole numbers, by ncnn's numbers for them."""
    weights: tuple[StoredWeights, ...]
    """Its weights, in the file's order."""

    @property
    def is_in_int8(self) -> bool:
        """Whether it computes in int8."""
        return self.settings.get(_QUANTISED.get(self.kind, -1), 0) != 0

    @property
    def kernel(self) -> int:
        """Of a convolution: the size of its kernel."""
        width = self.settings.get(1, 1)
        if self.kind.endswith("1D"):
            return width
        return (
            width * self.settings.get(11, width) * (self.settings.get(21, width) if "3D" in self.kind else 1)
        )


@dataclass(frozen=True)
class Blob:
    """What lies between two layers during an inference."""

    shape: tuple[int, ...]
    """Its shape, with the batch as first axis."""
    bits: int
    """The bits of an element."""


class _WeightLoader(ncnn.ModelBin):  # type: ignore[misc]
    """Stands in for ncnn's reader of weights, and notes what the layers ask for.

    Nothing is raised in `load`, which C++ calls: it gives no weights where the file has none.
    """

    def __init__(self, content: bytes) -> None:
        super().__init__()
        self._content = content
        self.end = 0
        self.weights: list[StoredWeights] = []

    def load(self, count: int, kind: int) -> ncnn.Mat:
        """Note `count` weights; `kind`: 0 if a tag stands before them."""
        tag = 0
        if kind == 0:
            tag = int.from_bytes(self._content[self.end : self.end + TAG_BYTES], "little")
            self.end += TAG_BYTES
        stored, size = _stored_as(tag, count)
        self.weights.append(StoredWeights(count, stored, self.end, is_tagged=kind == 0))
        self.end += size
        if self.end > len(self._content):
            return ncnn.Mat()
        return ncnn.Mat(count, elemsize=1 if stored == "int8" else 4)


def _stored_as(tag: int, count: int) -> tuple[str, int]:
    """Return how weights with a tag are stored, and their bytes, which are whole words."""
    if tag == HALF_TAG:
        return "fp16", _words(2 * count)
    if tag == _INT8_TAG:
        return "int8", _words(count)
    return ("fp32", 4 * count) if tag in _FLOAT_TAGS else ("table", _TABLE_BYTES + _words(count))


def _words(size: int) -> int:
    return (size + 3) // 4 * 4


def weights_file(entry: Path) -> Path:
    """Return the file of a model's weights, which has its name and lies beside it."""
    return entry.with_suffix(".bin")


def open_net(entry: Path, net: ncnn.Net) -> None:
    """Read a .param into a net; raises UnreadableModelError if this ncnn cannot."""
    if net.load_param(str(entry)) != 0:
        unknown = ", ".join(unknown_kinds(entry))
        raise UnreadableModelError(
            f"it has layers of kinds that ncnn lacks: {unknown}"
            if unknown
            else "its text is no whole network"
        )


def unknown_kinds(entry: Path) -> list[str]:
    """Return the kinds of layers that this ncnn does not have, each once."""
    kinds = dict.fromkeys(line[0] for line in _lines(entry))
    return [kind for kind in kinds if ncnn.layer_to_index(kind) < 0]


def _lines(entry: Path) -> list[list[str]]:
    """Return the words of each layer's line: those behind the magic number and the numbers of layers."""
    lines = entry.read_text(encoding="utf-8", errors="replace").splitlines()[2:]
    return [words for words in map(str.split, lines) if words]


def layers_of(entry: Path) -> tuple[NcnnLayer, ...]:
    """Return a model's layers with their weights; raises UnreadableModelError for files that do not
    fit together."""
    net = ncnn.Net()
    open_net(entry, net)
    file = weights_file(entry)
    loader = _WeightLoader(file.read_bytes())
    layers = []
    for layer, words in zip(net.layers(), _lines(entry), strict=False):
        first = len(loader.weights)
        if layer.load_model(loader) != 0:
            raise UnreadableModelError(f"its .bin ends before the weights of the layer {layer.name}")
        layers.append(_layer(layer, words, tuple(loader.weights[first:])))
    if loader.end != (size := file.stat().st_size):
        raise UnreadableModelError(f"its .bin has {size} bytes, but its layers have {loader.end} of weights")
    return tuple(layers)


def _layer(layer: ncnn.Layer, words: Sequence[str], weights: tuple[StoredWeights, ...]) -> NcnnLayer:
    matches = map(_SETTING.fullmatch, words)
    return NcnnLayer(
        kind=layer.type,
        name=layer.name,
        inputs=tuple(layer.bottoms),
        outputs=tuple(layer.tops),
        settings={int(match[1]): int(match[2]) for match in matches if match is not None},
        weights=weights,
    )


def blobs_in(extractor: ncnn.Extractor, layers: Iterable[NcnnLayer]) -> dict[int, Blob]:
    """Return what the layers that multiply took and gave, by the index of the blob. It runs the inference."""
    extractor.set_light_mode(False)  # or a blob would be gone once it was taken
    indices = {
        index for layer in layers if layer.kind in OPERATORS for index in (*layer.inputs, *layer.outputs)
    }
    return {index: _blob(extractor.extract(index, _RAW)[1]) for index in sorted(indices)}


def _blob(mat: ncnn.Mat) -> Blob:
    """Return a blob's shape; ncnn packs several elements of its outermost axis into one."""
    axes = [mat.w, mat.h, mat.c] if mat.dims < 4 else [mat.w, mat.h, mat.d, mat.c]
    shape = axes[: mat.dims][::-1]
    return Blob(shape=(mat.n, shape[0] * mat.elempack, *shape[1:]), bits=mat.elembits())


def executed_by(layers: Sequence[NcnnLayer], blobs: Mapping[int, Blob], in_half: bool) -> Executed:
    """Return what an inference ran. `in_half`: ncnn computes in half where blobs have 16 bits."""
    kinds = [layer.kind for layer in layers]
    return Executed(
        source="the file, not the run, of which ncnn shows only the blobs",
        operators=tuple(_operator(layer, blobs, in_half) for layer in layers if layer.kind in OPERATORS),
        casts=kinds.count(_CASTS),
        quantise=kinds.count(_QUANTISE),
        dequantise=kinds.count(_DEQUANTISE),
    )


def _operator(layer: NcnnLayer, blobs: Mapping[int, Blob], in_half: bool) -> Operator:
    inputs, output = [blobs[index] for index in layer.inputs], blobs[layer.outputs[0]]
    in_half = in_half and output.bits == _HALF_BITS
    shapes = [*(blob.shape for blob in inputs), *((each.count,) for each in layer.weights), output.shape]
    return Operator(
        name=layer.name,
        operation=layer.kind,
        precision="int8" if layer.is_in_int8 else "fp16" if in_half else "fp32",
        macs=macs_of(layer, blobs),
        elements=moved(*shapes),
    )


def macs_of(layer: NcnnLayer, blobs: Mapping[int, Blob]) -> int:
    """Return the multiply-accumulates of a layer of OPERATORS in one inference."""
    inputs, output = [blobs[index].shape for index in layer.inputs], blobs[layer.outputs[0]].shape
    if layer.kind in _TRANSPOSED:
        return transposed_convolution_macs(inputs[0], [layer.weights[0].count], inputs[0][1])
    if layer.kind in CONVOLUTIONS:
        return convolution_macs(output, [layer.weights[0].count], output[1])
    if layer.kind == LINEAR:
        return matrix_macs(output, layer.weights[0].count // output[-1])
    if layer.kind == PRODUCT:
        return matrix_macs(output, _summed(layer, inputs))
    if layer.kind == _MATRIX:
        return matrix_macs(output, inputs[0][-1])
    if layer.kind == _SCALED_PRODUCT:
        return _attention_macs(inputs[0], inputs[1], output)
    return _projected_attention_macs(layer, inputs)


def _summed(layer: NcnnLayer, inputs: Sequence[Sequence[int]]) -> int:
    """Return the inner dimension of a Gemm: a setting if one of its factors is constant."""
    is_transposed = layer.settings.get(2, 0)
    return layer.settings.get(9, 0) or inputs[0][-2 if is_transposed else -1]


def _attention_macs(queries: Sequence[int], keys: Sequence[int], output: Sequence[int]) -> int:
    return matrix_macs(queries, keys[-2]) + matrix_macs(output, keys[-2])


def _projected_attention_macs(layer: NcnnLayer, inputs: Sequence[Sequence[int]]) -> int:
    """Return those of an attention with its projections. Keys and values default to the queries."""
    width = layer.settings.get(0, 0)
    queries = inputs[0]
    keys = inputs[1] if len(inputs) > 1 else queries
    values = inputs[2] if len(inputs) > 2 else keys
    tokens, others = prod(queries[:-1]), prod(keys[:-1])
    projected = 2 * tokens * queries[-1] + others * (keys[-1] + values[-1])
    return width * (projected + 2 * tokens * keys[-2])
