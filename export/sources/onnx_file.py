"""An ONNX file as a source."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from torch import fx

from bench.bundle.model_files import read_model_file
from bench.bundle.onnx_graph import read_onnx_graph
from bench.bundle.signature import Inputs, Outputs, Tensor
from bench.bundle.source_record import SourceKind
from bench.bundle.variants import Precision
from export.sources.model_file import FileSession
from export.sources.onnx_layers import with_layers
from export.sources.onnx_preparation import fixed_model, prepared_model
from export.sources.onnx_twin import twin_of
from export.sources.source import NotLayeredError, OnnxBase


class OnnxFileSource:
    """The network of an ONNX file."""

    def __init__(self, path: Path, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> None:
        """Refuse a file that is none; `inputs` and `outputs`: those of one inference, with fixed shapes."""
        read_model_file(path)
        self._path, self._inputs, self._outputs = path, tuple(inputs), tuple(outputs)
        self._session = FileSession(path, SourceKind.ONNX, inputs)

    def run(self, inputs: Inputs) -> Outputs:
        """Run the file in onnxruntime."""
        return self._session.run(inputs)

    def layered(self) -> fx.GraphModule:
        """Return a torch network of the same layers."""
        if self._precision is not Precision.FP32:
            raise NotLayeredError(f"the file is in {self._precision.value} already")
        return twin_of(self._base, self._inputs)

    def base(self) -> OnnxBase:
        """Return the graph with fixed shapes; where it is in fp32, simplified and with layers."""
        return self._base

    @cached_property
    def _precision(self) -> Precision:
        return read_onnx_graph(self._path).precision

    @cached_property
    def _base(self) -> OnnxBase:
        model = fixed_model(self._path, self._inputs)
        if self._precision is not Precision.FP32:
            return OnnxBase(model)
        return with_layers(prepared_model(model, self._outputs))
