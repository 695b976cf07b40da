"""A TorchScript file as a source."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import openvino
import torch

from bench.bundle.model_files import read_model_file
from bench.bundle.signature import Inputs, Outputs, Tensor
from bench.bundle.source_record import SourceKind
from bench.bundle.tensor_pack import constant_inputs
from export.sources.model_file import FileSession
from export.sources.source import NotLayeredError, OpenVinoBase


class TorchScriptFileSource:
    """The network of a TorchScript file."""

    def __init__(self, path: Path, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> None:
        """Refuse a file that is none; `inputs` and `outputs`: those of one inference, with fixed shapes."""
        read_model_file(path)
        self._path, self._inputs, self._outputs = path, tuple(inputs), tuple(outputs)
        self._session = FileSession(path, SourceKind.TORCHSCRIPT, inputs)

    def run(self, inputs: Inputs) -> Outputs:
        """Run the file in torch."""
        return self._session.run(inputs)

    def layered(self) -> NoReturn:
        """Raise NotLayeredError: int8 is left to NNCF."""
        raise NotLayeredError("edgefit does not rebuild a TorchScript file as a network of layers")

    def base(self) -> OpenVinoBase:
        """Return the file as OpenVINO converts it."""
        module = torch.jit.load(str(self._path), map_location="cpu").eval()  # type: ignore[no-untyped-call]
        example = tuple(torch.from_numpy(array) for array in constant_inputs(self._inputs))
        shapes = [list(tensor.sizes) for tensor in self._inputs]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch deprecates what the conversion uses
            model = openvino.convert_model(module, example_input=example, input=shapes)
        # The conversion of a scripted network leaves its axes open, whatever shapes it is given.
        model.reshape({index: openvino.PartialShape(shape) for index, shape in enumerate(shapes)})
        for ports, tensors in ((model.inputs, self._inputs), (model.outputs, self._outputs)):
            for port, tensor in zip(ports, tensors, strict=True):
                port.tensor.set_names({tensor.name})
        return OpenVinoBase(model)
