"""An OpenVINO file as a source."""

from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import openvino

from bench.bundle.model_files import read_model_file
from bench.bundle.signature import Inputs, Outputs, Tensor
from bench.bundle.source_record import SourceKind
from export.sources.model_file import FileSession
from export.sources.source import NotLayeredError, OpenVinoBase


class OpenVinoFileSource:
    """The network of an OpenVINO file."""

    def __init__(self, path: Path, inputs: Sequence[Tensor]) -> None:
        """Refuse a file that is none; `inputs`: those of one inference, with fixed shapes."""
        read_model_file(path)
        self._path, self._inputs = path, tuple(inputs)
        self._session = FileSession(path, SourceKind.OPENVINO, inputs)

    def run(self, inputs: Inputs) -> Outputs:
        """Run the file in OpenVINO, in fp32."""
        return self._session.run(inputs)

    def layered(self) -> NoReturn:
        """Raise NotLayeredError: int8 is left to NNCF."""
        raise NotLayeredError("edgefit does not rebuild an OpenVINO file as a network of layers")

    def base(self) -> OpenVinoBase:
        """Return the model with fixed shapes."""
        model = openvino.Core().read_model(str(self._path))
        model.reshape({index: list(tensor.sizes) for index, tensor in enumerate(self._inputs)})
        return OpenVinoBase(model)
