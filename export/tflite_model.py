"""A LiteRT file as objects that can be changed: its operators, tensors and constants. It knows no network."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import flatbuffers
import numpy as np
import numpy.typing as npt
from ai_edge_litert import schema_py_generated as schema

from bench.bundle.signature import Tensor

_IDENTIFIER = b"TFL3"
# Kernels read constants in whole vectors.
_ALIGNMENT = 16
_DEPTHWISE = "DEPTHWISE_CONV_2D"
LAYERS = ("CONV_2D", _DEPTHWISE, "FULLY_CONNECTED")
"""The operators that read weights second, and a bias third."""
_KINDS = {value: name for name, value in vars(schema.BuiltinOperator).items() if not name.startswith("_")}
_DTYPES: dict[int, type[np.generic]] = {
    schema.TensorType.FLOAT32: np.float32,
    schema.TensorType.FLOAT16: np.float16,
    schema.TensorType.INT32: np.int32,
    schema.TensorType.INT64: np.int64,
    schema.TensorType.INT8: np.int8,
}
_TYPES = {np.dtype(dtype): number for number, dtype in _DTYPES.items()}
# Since this version DEQUANTIZE reads half precision.
_DEQUANTISES_HALF = 3
_LARGEST_OLD_CODE = 127
_CONVOLUTION_AXES = 4
_WITH_BIAS = 3

Values = npt.NDArray[Any]


class _Builder(flatbuffers.Builder):  # type: ignore[misc]
    """Writes constants aligned."""

    def CreateNumpyVector(self, values: Values) -> int:  # noqa: N802 - of the library
        if values.dtype != np.uint8:
            return int(super().CreateNumpyVector(values))
        self.StartVector(1, values.size, _ALIGNMENT)
        self.head -= values.size
        self.Bytes[self.head : self.head + values.size] = values.tobytes()
        self.vectorNumElems = values.size
        return int(self.EndVector())


@dataclass(frozen=True)
class TfliteModel:
    """The model of a file. Operators are named by their position in the order in which they run."""

    model: Any
    """The schema's object of it."""

    @property
    def graph(self) -> Any:
        """Its first subgraph, which is the network."""
        return self.model.subgraphs[0]

    def __len__(self) -> int:
        return len(self.graph.operators)

    def kind(self, position: int) -> str:
        """Return the schema's name of an operator."""
        code = self.model.operatorCodes[self.graph.operators[position].opcodeIndex]
        return str(_KINDS[max(code.builtinCode, code.deprecatedBuiltinCode)])

    def inputs(self, position: int) -> list[int]:
        """Return the numbers of the tensors that an operator reads; -1 for one that it leaves out."""
        return [int(index) for index in self.graph.operators[position].inputs]

    def outputs(self, position: int) -> list[int]:
        """Return the numbers of the tensors that an operator gives."""
        return [int(index) for index in self.graph.operators[position].outputs]

    def tensor(self, index: int) -> Any:
        """Return a tensor by its number."""
        return self.graph.tensors[index]

    def name(self, position: int) -> str:
        """Return an operator's name, which is that of its first output."""
        return str(self.tensor(self.outputs(position)[0]).name.decode())

    def layers(self) -> Iterator[int]:
        """Yield the operators with constant weights."""
        for position in range(len(self)):
            if self.kind(position) in LAYERS and self.values(self.inputs(position)[1]) is not None:
                yield position

    def is_convolution(self, position: int) -> bool:
        """Whether an operator is a convolution."""
        return self.kind(position) in LAYERS[:2]

    def shape(self, index: int) -> tuple[int, ...]:
        """Return a tensor's sizes; that of none is empty. An axis that is open has size 1."""
        return () if index < 0 else tuple(int(size) for size in self.tensor(index).shape)

    def is_depthwise(self, position: int) -> bool:
        """Whether an operator convolves each channel by itself."""
        return self.kind(position) == _DEPTHWISE

    def values(self, index: int) -> Values | None:
        """Return a tensor's constant values; None if it has none."""
        if index < 0:
            return None
        tensor = self.tensor(index)
        data = self.model.buffers[tensor.buffer].data
        if data is None or len(data) == 0 or tensor.type not in _DTYPES:
            return None
        values: Values = np.asarray(data, np.uint8).view(_DTYPES[tensor.type])
        shaped: Values = values.reshape([int(size) for size in tensor.shape])
        return shaped

    def weight(self, position: int) -> Values:
        """Return a layer's weights as they are stored."""
        weight = self.values(self.inputs(position)[1])
        assert weight is not None
        return weight

    def weight_as_torch(self, position: int) -> Values:
        """Return a layer's weights as torch has them: [out, in, …]."""
        weight = self.weight(position)
        if weight.ndim != _CONVOLUTION_AXES:
            return weight
        axes = (3, 0, 1, 2) if self.is_depthwise(position) else (0, 3, 1, 2)
        moved: Values = weight.transpose(axes)
        return moved

    def bias(self, position: int) -> Values | None:
        """Return a layer's bias; None if it has none."""
        inputs = self.inputs(position)
        return self.values(inputs[2]) if len(inputs) >= _WITH_BIAS else None

    def put(self, index: int, values: Values) -> None:
        """Give a tensor constant values, in a buffer of its own."""
        tensor, buffer = self.tensor(index), schema.BufferT()
        buffer.data = np.frombuffer(np.ascontiguousarray(values).tobytes(), np.uint8)
        tensor.buffer, tensor.type = len(self.model.buffers), _TYPES[values.dtype]
        self.model.buffers.append(buffer)

    def put_bias(self, position: int, values: Values) -> None:
        """Give a layer a bias, whether it has one or not."""
        operator, inputs = self.graph.operators[position], self.inputs(position)
        if len(inputs) < _WITH_BIAS or inputs[2] < 0:
            added = self._add_tensor(f"{self.name(position)}.bias", values.shape, values.dtype)
            operator.inputs = [*inputs[:2], added]
        self.put(int(operator.inputs[2]), values)

    def halve(self, halves: Mapping[int, Values]) -> None:
        """Replace layers' weights by those in half precision, given as torch has them."""
        steps = []
        by_weight = {self.inputs(position)[1]: values for position, values in halves.items()}
        for index, values in by_weight.items():  # several layers may share them
            stored = np.transpose(values, (0, 2, 3, 1)) if values.ndim == _CONVOLUTION_AXES else values
            name = f"{self.tensor(index).name.decode()}_half"
            half = self._add_tensor(name, stored.shape, stored.dtype)
            self.put(half, stored)
            self.tensor(index).buffer = 0
            steps.append(self._dequantise(half, index))
        self.graph.operators = [*steps, *self.graph.operators]

    def _dequantise(self, source: int, target: int) -> Any:
        operator = schema.OperatorT()
        operator.opcodeIndex = self._code(schema.BuiltinOperator.DEQUANTIZE, _DEQUANTISES_HALF)
        operator.inputs, operator.outputs = [source], [target]
        return operator

    def _code(self, builtin: int, version: int) -> int:
        for index, code in enumerate(self.model.operatorCodes):
            if code.builtinCode == builtin and code.version >= version:
                return index
        code = schema.OperatorCodeT()
        code.builtinCode, code.version = builtin, version
        code.deprecatedBuiltinCode = min(builtin, _LARGEST_OLD_CODE)
        self.model.operatorCodes.append(code)
        return len(self.model.operatorCodes) - 1

    def _add_tensor(self, name: str, shape: Sequence[int], dtype: np.dtype[Any]) -> int:
        tensor = schema.TensorT()
        tensor.name, tensor.shape, tensor.type, tensor.buffer = name.encode(), list(shape), _TYPES[dtype], 0
        self.graph.tensors.append(tensor)
        return len(self.graph.tensors) - 1

    def fix_shapes(self) -> None:
        """Close the axes that the file leaves open, at the sizes that it is laid out for."""
        for tensor in self.graph.tensors:
            tensor.shapeSignature = None

    def tell_operators_apart(self) -> None:
        """Make the name of each operator its own."""
        seen = {self.tensor(int(index)).name for index in (*self.graph.inputs, *self.graph.outputs)}
        for position in range(len(self)):
            tensor = self.tensor(self.outputs(position)[0])
            if not tensor.name or (tensor.name in seen and not self._is_end(position)):
                tensor.name = f"{(tensor.name or b'').decode()}#{position}".encode()
            seen.add(tensor.name)

    def _is_end(self, position: int) -> bool:
        return self.outputs(position)[0] in [int(index) for index in self.graph.outputs]

    def name_tensors(self, layers: Mapping[int, str]) -> None:
        """Name each tensor after the operator that gives or first reads it, and layers after their modules.

        The converter's names have the whole path of Python classes, several times over.
        """
        for position in range(len(self)):
            name = layers.get(position, f"{self.kind(position).lower()}_{position}")
            for number, index in enumerate(self.outputs(position)):
                self.tensor(index).name = (f"{name}:{number}" if number else name).encode()
            for number, index in enumerate(self.inputs(position)):
                if self.values(index) is not None:
                    self.tensor(index).name = f"{name}.{_role(number)}".encode()

    def name_ends(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> None:
        """Name what the network takes and gives, in its signature and in its graph."""
        signature = self.model.signatureDefs[0]
        ends = (
            (self.graph.inputs, signature.inputs, inputs),
            (self.graph.outputs, signature.outputs, outputs),
        )
        for indices, maps, tensors in ends:
            for index, tensor in zip(indices, tensors, strict=True):
                self.tensor(index).name = tensor.name.encode()
                for each in maps:
                    if each.tensorIndex == index:
                        each.name = tensor.name.encode()

    def content(self) -> bytes:
        """Return the file's bytes, without constants that nothing reads any more."""
        used = {tensor.buffer for graph in self.model.subgraphs for tensor in graph.tensors}
        used |= {metadata.buffer for metadata in self.model.metadata or ()}
        for index, buffer in enumerate(self.model.buffers):
            if index not in used:
                buffer.data = None
        builder = _Builder(1 << 20)
        builder.Finish(self.model.Pack(builder), _IDENTIFIER)
        return bytes(builder.Output())


def _role(number: int) -> str:
    return {1: "weight", 2: "bias"}.get(number, f"input_{number}")


def read_tflite(content: bytes) -> TfliteModel:
    """Return the model of a file's bytes; constants that lie behind it are brought into it."""
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content, 0))
    for buffer in model.buffers:
        if buffer.offset > 1:
            buffer.data = np.frombuffer(content, np.uint8, buffer.size, buffer.offset)
            buffer.offset = buffer.size = 0
    return TfliteModel(model)
