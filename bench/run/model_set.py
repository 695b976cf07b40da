"""Opens model files for a run: what they are, what they take, and the inputs that they are run with."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType

from bench.bundle.model_files import ModelFile, display_names, read_model_file, refuse_same_file
from bench.bundle.model_set import RANDOM_VALUES, InputsRecord, ModelFileRecord, ModelSetRecord
from bench.bundle.signature import Signature, Tensor, with_shapes
from bench.bundle.tensor_pack import TensorPack, random_pack, write_tensor_pack
from bench.errors import InputError
from bench.filesystem.whole_files import sha256_of
from bench.harness.describing import describe
from bench.harness.plan import PlannedModel
from bench.runtimes.installed import is_installed, row_of

Shapes = Mapping[str, Sequence[int]]


class ModelSet(AbstractContextManager["ModelSet"]):
    """The model files of one run. Their inputs lie in a folder that is deleted when the context ends."""

    def __init__(self, paths: Sequence[Path], shapes: Shapes) -> None:
        """Open each file; `shapes`: by input name, for axes that the files leave open.

        Raises InputError for a file that is no model, that its runtime cannot load, or whose shapes stay
        open. Raises MissingRuntimeError if a runtime or an operator is missing here.
        """
        refuse_same_file(paths)
        files = [read_model_file(path) for path in paths]
        self._folder = TemporaryDirectory(prefix="edgefit-inputs-")
        try:
            names = display_names(paths)
            self.models = [self._open(file, name, shapes) for file, name in zip(files, names, strict=True)]
        except BaseException:
            self._folder.cleanup()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._folder.cleanup()

    @property
    def record(self) -> ModelSetRecord:
        """What the report says of the files."""
        return ModelSetRecord(models=tuple(model.record for model in self.models))

    def _open(self, file: ModelFile, name: str, shapes: Shapes) -> PlannedModel:
        description = describe(file)
        inputs = with_shapes(name, description.signature.inputs, _shapes_of(description.signature, shapes))
        if not inputs:
            raise InputError(f"{name}: takes no input, so there is nothing to measure")
        pack = random_pack(inputs)
        path = self._write(pack, inputs)
        record = ModelFileRecord(
            name=name,
            path=str(file.path.resolve()),
            format=file.format,
            precision=description.precision,
            sha256=file.sha256,
            size_bytes=file.size_bytes,
            signature=description.signature,
            inputs=inputs,
            values=InputsRecord(source=RANDOM_VALUES, inferences=len(pack), sha256=sha256_of(path)),
        )
        return PlannedModel(file=file, record=record, pack=path)

    def _write(self, pack: TensorPack, inputs: Sequence[Tensor]) -> Path:
        """Write the inputs; models with the same input types and shapes share one file."""
        key = "-".join(f"{tensor.dtype}_{'x'.join(map(str, tensor.sizes))}" for tensor in inputs)
        path = Path(self._folder.name) / f"{key}.npz"
        if not path.exists():
            write_tensor_pack(path, pack)
        return path


class OpenedModels(ModelSet):
    """Model files that were opened elsewhere, and came here with their inputs. Nothing is deleted."""

    def __init__(self, models: Sequence[PlannedModel], record: ModelSetRecord) -> None:
        """Take the files as they lie here, and what was read in them."""
        self.models = list(models)
        self._record = record

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave everything as it is."""

    @property
    def record(self) -> ModelSetRecord:
        """What the report says of the files."""
        return self._record


@dataclass(frozen=True)
class UnopenedModels:
    """Model files whose runtime is missing here, so that only another machine can open them."""

    files: tuple[ModelFile, ...]
    """The files."""
    shapes: Mapping[str, tuple[int, ...]]
    """The shapes of their inputs, by the inputs' names, as they were typed."""

    @classmethod
    def where_a_runtime_is_missing(cls, paths: Sequence[Path], shapes: Shapes) -> "UnopenedModels | None":
        """Return the files if a runtime of theirs is missing here, else None.

        Raises InputError for a file that is no model.
        """
        refuse_same_file(paths)
        files = tuple(read_model_file(path) for path in paths)
        if all(is_installed(row_of(file.format)) for file in files):
            return None
        return cls(files, {name: tuple(shape) for name, shape in shapes.items()})


def _shapes_of(signature: Signature, shapes: Shapes) -> Shapes:
    """Return the shapes for one model. A shape without a name is that of the only input."""
    only = shapes.get("")
    if only is None:
        return shapes
    return {name: shape for name, shape in shapes.items() if name} | {signature.inputs[0].name: only}
