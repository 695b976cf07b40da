"""A LiteRT file as a source."""

from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from bench.bundle.model_files import read_model_file
from bench.bundle.signature import Inputs, Outputs, Tensor
from bench.bundle.source_record import SourceKind
from bench.errors import InputError
from export.sources.model_file import FileSession
from export.sources.source import NotLayeredError, TfliteBase
from export.tflite_model import read_tflite


class TfliteFileSource:
    """The network of a LiteRT file."""

    def __init__(self, path: Path, inputs: Sequence[Tensor]) -> None:
        """Refuse a file that is none; `inputs`: those of one inference, with fixed shapes."""
        read_model_file(path)
        self._path, self._inputs = path, tuple(inputs)
        self._session = FileSession(path, SourceKind.LITERT, inputs)

    def run(self, inputs: Inputs) -> Outputs:
        """Run the file in LiteRT."""
        return self._session.run(inputs)

    def layered(self) -> NoReturn:
        """Raise NotLayeredError: int8 is left to the quantiser."""
        raise NotLayeredError("edgefit does not rebuild a LiteRT file as a network of layers")

    def base(self) -> TfliteBase:
        """Return the file with fixed shapes, and with a name for each operator."""
        model = read_tflite(self._path.read_bytes())
        stored = [model.shape(int(index)) for index in model.graph.inputs]
        if stored != [tensor.sizes for tensor in self._inputs]:
            raise InputError(
                f"{self._path}: its operators are laid out for inputs of {stored}, and others were stated; "
                "leave out --shape, or convert the network again for these shapes"
            )
        model.fix_shapes()
        model.tell_operators_apart()
        return TfliteBase(model.content())
