"""Runs one operator of an ONNX graph in onnxruntime, as a module of torch, image by image.

Values of several images are joined along the first axis and split again by the sizes that they have in the
graph. So a batch of images runs through a graph that takes one, whatever the operator does.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import onnxruntime
import torch
from onnx import ModelProto, NodeProto, ValueInfoProto, helper, numpy_helper
from torch import nn

from bench.bundle.signature import Array
from export.sources.source import NotLayeredError

_ERRORS_ONLY = 3


@dataclass(frozen=True)
class Value:
    """A value of the graph that depends on its input."""

    name: str
    """Its name in the graph."""
    shape: tuple[int, ...]
    """Its shape for one inference."""
    dtype: str
    """Its type by numpy's name."""

    @property
    def first(self) -> int:
        """How much of the first axis belongs to one inference."""
        return self.shape[0] if self.shape else 1


class OnnxOperator(nn.Module):
    """One operator with one output."""

    def __init__(self, model: ModelProto, inputs: Sequence[Value], output: Value, operator: str) -> None:
        """`model`: the operator alone, with its constants; `operator`: what errors call it."""
        super().__init__()
        self._inputs, self._output, self._operator = tuple(inputs), output, operator
        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads = 1
        settings.log_severity_level = _ERRORS_ONLY
        self._session = onnxruntime.InferenceSession(
            model.SerializeToString(), settings, providers=["CPUExecutionProvider"]
        )

    def __deepcopy__(self, memo: object) -> "OnnxOperator":
        """Return itself: nothing changes it, and a session cannot be copied."""
        return self

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        """Compute the operator for each image of the batch."""
        if torch.is_grad_enabled() and any(value.requires_grad for value in inputs):
            raise NotLayeredError(
                f"quantisation-aware training cannot pass through the operator {self._operator}; "
                "leave --qat out"
            )
        arrays = [self._split(value, own) for value, own in zip(inputs, self._inputs, strict=True)]
        results = [self._run(parts) for parts in zip(*arrays, strict=True)]
        return torch.from_numpy(np.concatenate(results))

    def _split(self, value: torch.Tensor, own: Value) -> list[Array]:
        """Return a value's part for each image."""
        whole = np.ascontiguousarray(value.detach().numpy()).astype(own.dtype, copy=False)
        count, rest = divmod(len(whole), max(own.first, 1))
        if rest or whole.shape[1:] != own.shape[1:]:
            raise NotLayeredError(
                f"the shape of {own.name} depends on the image: {list(whole.shape)} for several, "
                f"{list(own.shape)} for one"
            )
        return [part.reshape(own.shape) for part in np.split(whole, count)]

    def _run(self, parts: Sequence[Array]) -> Array:
        names = [own.name for own in self._inputs]
        (result,) = self._session.run(None, dict(zip(names, parts, strict=True)))
        return np.asarray(result).reshape(self._output.first, *self._output.shape[1:])


def model_of(
    node: NodeProto, inputs: Sequence[Value], output: str, constants: Mapping[str, Array], model: ModelProto
) -> ModelProto:
    """Return a model of one operator of `model`, with these constants by name."""
    taken = [
        helper.make_tensor_value_info(
            value.name, helper.np_dtype_to_tensor_dtype(np.dtype(value.dtype)), list(value.shape)
        )
        for value in inputs
    ]
    stored = [numpy_helper.from_array(np.asarray(array), name) for name, array in constants.items()]
    graph = helper.make_graph([node], "operator", taken, [ValueInfoProto(name=output)], stored)
    alone: ModelProto = helper.make_model(graph, opset_imports=list(model.opset_import))
    alone.ir_version = model.ir_version
    return alone
