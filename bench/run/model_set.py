"""Opens model files for a run: what they are, what they take, and the inputs that they are run with."""

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from bench.bundle.model_files import ModelFile, display_names, read_model_file, refuse_same_file
from bench.bundle.model_set import InputsRecord, ModelFileRecord, ModelSetRecord
from bench.bundle.signature import Shapes, Signature, StatedInput, Tensor, named_shapes, stated_input
from bench.bundle.tensor_pack import write_tensor_pack
from bench.errors import InputError
from bench.filesystem.temporary_folder import TemporaryFolder
from bench.harness.describing import describe
from bench.harness.plan import PlannedModel
from bench.run.model_inputs import InputsSource, ModelValues, OpenedModel, RandomInputs
from bench.runtimes.installed import is_installed, row_of
from bench.system.operating_system import is_linux
from user_files.hashes import sha256_of

__all__ = ["ModelSet", "Shapes", "StatedInput"]

_MAPS = "seq(map("


class ModelSet(AbstractContextManager["ModelSet"]):
    """The model files of one run. Their inputs lie in a folder that is deleted when the context ends."""

    warnings: tuple[str, ...] = ()
    """What a person should know of the inputs and outputs, each with the file's name."""
    _judged_output: str | None = None

    def __init__(
        self,
        paths: Sequence[Path],
        shapes: Shapes,
        source: InputsSource | None = None,
        judged_output: str | None = None,
    ) -> None:
        """Open each file; `shapes`: by input name, for axes and types that the files leave open.

        `source` has their inputs; None: random values. `judged_output`: the only output that is judged.
        Raises InputError for a file that is no model, that its runtime cannot load, whose shapes stay open,
        that the inputs do not fit, or that lacks the output. Raises MissingRuntimeError if a runtime or an
        operator is missing here.
        """
        refuse_same_file(paths)
        files = [read_model_file(path) for path in paths]
        self._source = source or RandomInputs()
        self._judged_output = judged_output
        self._folder = TemporaryFolder()
        try:
            names = display_names(paths)
            self.models = [self._open(file, name, shapes) for file, name in zip(files, names, strict=True)]
        except BaseException:
            self._folder.delete()
            raise
        if len(self.models) > 1:
            self.warnings += tuple(
                warning for model in self.models for warning in _not_compared(model.record)
            )

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._folder.delete()

    @property
    def record(self) -> ModelSetRecord:
        """What the report says of the files."""
        models = tuple(model.record for model in self.models)
        return ModelSetRecord(models=models, judged_output=self._judged_output)

    def _open(self, file: ModelFile, name: str, shapes: Shapes) -> PlannedModel:
        description = describe(file)
        signature = description.signature
        _refuse_other_output(name, signature, self._judged_output)
        opened = OpenedModel(
            name, file.path, file.format, signature.inputs, named_shapes(name, signature, shapes)
        )
        values = self._source.values_for(opened)
        self.warnings += tuple(warning for warning in values.warnings if warning not in self.warnings)
        path = self._write(values)
        record = ModelFileRecord(
            name=name,
            path=str(file.path.resolve()),
            format=file.format,
            precision=description.precision,
            sha256=file.sha256,
            size_bytes=file.size_bytes,
            signature=signature,
            inputs=values.inputs,
            values=_record_of(values, path),
        )
        return PlannedModel(file=file, record=record, pack=path)

    def _write(self, values: ModelValues) -> Path:
        """Write the inputs. Models that are given the same ones share a file, and have one hash of it."""
        path = self._folder.path / f"{_key(values.inputs)}.npz"
        if path.exists() and values.data_sha256 is None:
            return path
        new = path.with_stem(f"{path.stem}-{len(list(path.parent.iterdir()))}")
        write_tensor_pack(new, values.pack)
        return new if values.data_sha256 is not None else new.rename(path)


class OpenedModels(ModelSet):
    """Model files that were opened elsewhere, and came here with their inputs. Nothing is deleted."""

    def __init__(
        self, models: Sequence[PlannedModel], record: ModelSetRecord, warnings: Sequence[str] = ()
    ) -> None:
        """Take the files as they lie here, and what was read in them."""
        self.models = list(models)
        self.warnings = tuple(warnings)
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
    shapes: Mapping[str, StatedInput]
    """What was stated of their inputs, by the inputs' names."""
    judged_output: str | None = None
    """The only output that is judged; None for all."""

    @classmethod
    def where_a_runtime_is_missing(
        cls, paths: Sequence[Path], shapes: Shapes, judged_output: str | None
    ) -> "UnopenedModels | None":
        """Return the files if a runtime of theirs is missing here, or cannot be started here; else None.

        Raises InputError for a file that is no model.
        """
        refuse_same_file(paths)
        files = tuple(read_model_file(path) for path in paths)
        if is_linux() and all(is_installed(row_of(file.format)) for file in files):
            return None
        return cls(files, {name: stated_input(given) for name, given in shapes.items()}, judged_output)


def _key(inputs: Sequence[Tensor]) -> str:
    key = [(tensor.dtype, tensor.sizes) for tensor in inputs]
    return hashlib.sha256(repr(key).encode()).hexdigest()[:32]


def _record_of(values: ModelValues, path: Path) -> InputsRecord:
    return InputsRecord(
        source=values.source,
        inferences=len(values.pack),
        sha256=sha256_of(path),
        data_sha256=values.data_sha256,
        preprocessing=values.preprocessing,
        origins=values.origins,
    )


def _refuse_other_output(name: str, signature: Signature, output: str | None) -> None:
    """Raise InputError if a file lacks the output that is judged. TorchScript has no names of outputs."""
    names = [tensor.name for tensor in signature.outputs]
    if output is None or output in names or (not names and output.startswith("output_")):
        return
    known = ", ".join(names) or "output_0, output_1 and so on"
    raise InputError(f"{name}: has no output '{output}', which --output names; its outputs are: {known}")


def _not_compared(model: ModelFileRecord) -> list[str]:
    """Return a sentence for each output that holds no numbers."""
    return [
        f"{model.name}: the output '{tensor.name}' is {tensor.dtype}, which is not compared"
        for tensor in model.signature.outputs
        if not tensor.is_numeric and not tensor.dtype.startswith((_MAPS, "optional("))
    ]
